"""The intended set of one stream of any object: rows mapped, alike ones settled, outcomes kept.

A row that takes no further part is rejected here, durable first and counted then. What a record
means is the business of `gathering` (contacts) and `account_gathering`.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec
from target_kit.clock import Clock
from target_kit.errors import RowError
from target_kit.intended import IntendedSet, Row
from target_kit.outcome import KEPT, Outcome, Result, Step, Tally
from target_kit.rejects import RejectStore
from target_kit.signals import StopSignal
from target_kit.spool import Spool, SpooledRecord

from target_activecampaign.execute import rejected
from target_activecampaign.model import KeyType

BATCH = 500  # rows at a time, also between two looks at STATE; bounds memory

_decode_record = msgspec.json.Decoder(dict[str, Any]).decode

_contradiction = RowError(
    "contradicting_rows",
    "several rows of this run want different things for this key; set version_column to order them",
)

_FORGOTTEN = Result(Outcome.SUPPRESSED, Step.CHECK, "forgotten")


class KeyedStream(Protocol):
    """What rejects say of a stream: its name, and the column with the key if there is one."""

    @property
    def name(self) -> str:
        """The stream's name."""

    @property
    def key(self) -> str | None:
        """Column with the backoffice key."""


S = TypeVar("S", bound=KeyedStream)


def untold(identity: str, result: Result) -> None:
    """Nobody asks what becomes of each row."""


class Mapped(NamedTuple):
    """A record as it enters the set; `address_key` is what no two rows may share."""

    identity: str
    keyed: bool
    address_key: str | None
    version: str | None
    body: bytes


@dataclass
class Collecting(ABC, Generic[S]):
    """Fills the set of one stream and settles its rows."""

    stream: S
    key_type: KeyType
    spool: Spool
    intended: IntendedSet
    rejects: RejectStore
    tally: Tally
    clock: Clock
    stop: StopSignal
    told: Callable[[str, Result], None] = field(default=untold, kw_only=True)
    _unmapped: set[str] = field(default_factory=set, kw_only=True)
    _still_unmapped: list[tuple[int, str, Result]] = field(default_factory=list, kw_only=True)

    def decode(self, body: bytes) -> dict[str, Any]:
        """A record as `mapped` takes it."""
        return _decode_record(body)

    @abstractmethod
    def mapped(self, record: dict[str, Any]) -> Mapped:
        """The record as a row of the set; raises RowError for what can't be taken."""

    @abstractmethod
    def identity_of(self, record: dict[str, Any]) -> str:
        """Whom a record that can't be mapped is about."""

    @property
    @abstractmethod
    def sharing(self) -> tuple[str, RowError]:
        """The rule for rows that share an address, and what the losing ones are told."""

    def not_mapped(self, record: dict[str, Any]) -> None:
        """Hear what a record of this run says that can't be mapped."""

    def is_forgotten(self, record: dict[str, Any]) -> bool:
        """Whether nobody may keep anything of whom this record is about."""
        del record
        return False

    def outdated(self, row: Row) -> None:
        """Hear a row of which a newer version has come along."""

    def before_parting(self) -> None:
        """Look at the set before any row is put aside."""

    def materialise(self) -> None:
        """Map every spooled record and every open reject into the intended set (S0-6, S0-59)."""
        reoffers = self.rejects.records()
        self._add_rows(after=0, reoffered=False)
        boundary = self.spool.last_seq()
        for reject in reoffers:
            if reject.identity not in self._unmapped and reject.record is not None:
                self.spool.append_record(self.stream.name, 0, msgspec.json.encode(reject.record))
        self._add_rows(after=boundary, reoffered=True)
        self.intended.seal()
        for seq, name, result in self._still_unmapped:
            if self.intended.has(name):  # a newer record has come, which settles the reject
                self.tally.reoffered -= 1
            else:
                self._refuse(seq, name, result)

    def settle_duplicates(self) -> None:
        """Outcomes that only the whole set can tell (S0-3, S0-8, S0-9)."""
        self.tally.reoffered -= len(self.intended.take_superseded())
        for _ in self.intended.take_repeated():
            self.tally.add(Result(Outcome.UNCHANGED, Step.CHECK, "repeated_row"))
        for row in self.intended.take_outdated():
            self.outdated(row)
            self.tally.add(Result(Outcome.SUPPRESSED, Step.CHECK, "older_version"))
        self.before_parting()
        for row in self.intended.take_contradicting():
            self.put_aside(row, _contradiction)
        rule, why = self.sharing
        for row in self.intended.take_sharing_address(rule=rule):
            self.put_aside(row, why)

    def put_aside(self, row: Row, why: RowError) -> None:
        """Reject a row before its turn."""
        self.settle(row, rejected(why, Step.CHECK))

    def settle(self, row: Row, result: Result) -> None:
        """Record one outcome: durable first, counted then (the budget may end the run)."""
        if result.outcome in KEPT:
            self._reject(row.seq, row.identity, result)
        else:
            self.rejects.closed(row.identity)
        self.intended.settle([row.seq])
        self.told(row.identity, result)
        self.tally.add(result)

    def _add_rows(self, *, after: int, reoffered: bool) -> None:
        while batch := self.spool.records(self.stream.name, after=after, limit=BATCH):
            self.stop.check()
            after = batch[-1].seq
            rows = [row for record in batch if (row := self._row(record, reoffered=reoffered))]
            self.intended.add(rows)

    def _row(self, spooled: SpooledRecord, *, reoffered: bool) -> Row | None:
        self.tally.reoffered += reoffered
        record = self.decode(spooled.body)
        if self.is_forgotten(record):
            self._leave_out(record, reoffered=reoffered)
            return None
        try:
            mapped = self._mapped(spooled, record)
        except RowError as error:
            name = self.identity_of(record)
            self._unmapped.add(name)
            if not reoffered:
                self.not_mapped(record)
            result = rejected(error, Step.CHECK)
            if reoffered:
                self._still_unmapped.append((spooled.seq, name, result))
            else:
                self._refuse(spooled.seq, name, result)
            return None
        return Row(
            seq=spooled.seq,
            line=spooled.line,
            identity=mapped.identity,
            keyed=mapped.keyed,
            address_key=mapped.address_key,
            digest=hashlib.blake2b(mapped.body, digest_size=16).digest(),
            version=mapped.version,
            reoffered=reoffered,
            body=mapped.body,
        )

    def _leave_out(self, record: dict[str, Any], *, reoffered: bool) -> None:
        """Only what the record withdraws is heard; nothing of it is kept, as a reject neither."""
        name = self.identity_of(record)
        self._unmapped.add(name)
        if not reoffered:
            self.not_mapped(record)
        self.rejects.closed(name)
        self.told(name, _FORGOTTEN)
        self.tally.add(_FORGOTTEN)

    def _refuse(self, seq: int, name: str, result: Result) -> None:
        """A record that takes no part: kept, told and counted."""
        self._reject(seq, name, result)
        self.told(name, result)
        self.tally.add(result)

    def _mapped(self, spooled: SpooledRecord, record: dict[str, Any]) -> Mapped:
        if spooled.fault:
            raise RowError("schema", f"does not match its SCHEMA: {spooled.fault}")
        return self.mapped(record)

    def _reject(self, seq: int, name: str, result: Result) -> None:
        spooled = self.spool.records(self.stream.name, after=seq - 1, limit=1)[0]
        record = _decode_record(spooled.body)
        key = str(record.get(self.stream.key)) if self.stream.key else None
        self.rejects.add(name, key, record, result, self.clock.now().isoformat(timespec="seconds"))
