"""The spooled records of one stream → the wanted rows of its lists, each record with its fate."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from target_kit.errors import BudgetExceeded, GuardTripped, RowError
from target_kit.outcome import Outcome, Result, Step, Tally
from target_kit.signals import StopSignal
from target_kit.spool import Spool, SpooledRecord
from target_kit.suppression import Suppressions

from target_optimizely.journal import Journal
from target_optimizely.mapping import Mapper, Skip, WrongConsent, names_of, pattern_of
from target_optimizely.model import Recipient
from target_optimizely.values import to_text

BATCH = 1000
_FORGOTTEN = Skip("forgotten", "was erased by the command forget")

logger = logging.getLogger(__name__)
# Numbers keep the digits the source gave them.
_decode_record = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


@dataclass
class Collector:
    """Takes the records of one list; `tally` and journal get what becomes of each."""

    mapper: Mapper
    journal: Journal
    tally: Tally
    suppressions: Suppressions
    wrong_consent: int = 0
    first_wrong_line: int = 0
    _wanted: list[tuple[int, int, str, Recipient]] = field(default_factory=list)
    _left_out: list[tuple[int, int, str, str, Result]] = field(default_factory=list)

    def take(self, spooled: SpooledRecord, record: dict[str, Any]) -> None:
        """Map one record."""
        self.tally.received += 1
        try:
            if spooled.fault:
                raise RowError("schema", f"does not match its SCHEMA: {spooled.fault}")  # noqa: TRY301 - one place names the reasons
            found = self.mapper.to_recipient(record)
        except WrongConsent as error:
            self.wrong_consent += 1
            self.first_wrong_line = self.first_wrong_line or spooled.line
            if self.mapper.settings.on_wrong_consent == "reject":
                self._leave_out(spooled, record, _rejected(error))
            return
        except RowError as error:
            self._leave_out(spooled, record, _rejected(error))
            return
        if isinstance(found, Recipient) and self._is_forgotten(found):
            found = _FORGOTTEN
        if isinstance(found, Skip):
            result = Result(Outcome.SUPPRESSED, Step.CHECK, found.cause, found.message)
            self._leave_out(spooled, record, result)
            return
        pattern = pattern_of(found.values, self.mapper.settings.null_values)
        self._wanted.append((spooled.seq, spooled.line, pattern, found))

    def _is_forgotten(self, found: Recipient) -> bool:
        names = names_of(found.entity_type, found.entity_id, found.address_key)
        return self.suppressions.covers(*names)

    def flush(self) -> None:
        """Hand what was taken to the journal."""
        self.journal.wanted.add(self._wanted)
        self.journal.wanted.add_left_out(self._left_out)
        self._wanted, self._left_out = [], []

    def close(self) -> None:
        """After the last record: consent (S1-10), then one recipient per address (S1-17)."""
        settings = self.mapper.settings
        if self.wrong_consent and settings.on_wrong_consent == "stop":
            raise GuardTripped(
                f"list {settings.name}: {self.wrong_consent} row(s) carry another consent than "
                f"the list's, the first at line {self.first_wrong_line} of the input; nothing was "
                "changed. Correct the selection, or set on_wrong_consent: reject"
            )
        preferred = "" if settings.duplicates == "first" else settings.duplicates
        for cause, number in self.journal.wanted.settle_duplicates(preferred).items():
            for _ in range(number):
                self.tally.add(Result(Outcome.SUPPRESSED, Step.CHECK, cause))
        if alike := self.journal.wanted.ids_alike():
            logger.warning(
                "list %s: %d recipient ids differ only in case; the vendor may take them for one",
                settings.name,
                alike,
            )

    def _leave_out(self, spooled: SpooledRecord, record: dict[str, Any], result: Result) -> None:
        technical = self.mapper.settings.technical
        kind = to_text(record.get(technical["entity-type"])) or ""
        key = to_text(record.get(technical["entity-id"])) or ""
        self._left_out.append((spooled.seq, spooled.line, kind, key, result))
        try:
            self.tally.add(result)
        except BudgetExceeded:
            self.flush()
            raise


def collect(stream: str, spool: Spool, collectors: Sequence[Collector], stop: StopSignal) -> int:
    """Give every record of `stream` to the list its selection names; returns how many none took.

    Raises GuardTripped (consent) and BudgetExceeded; nothing was changed at the vendor by then.
    """
    unclaimed, after = 0, 0
    while batch := spool.records(stream, after=after, limit=BATCH):
        stop.check()
        after = batch[-1].seq
        for spooled in batch:
            record = _decode_record(spooled.body)
            takers = [c for c in collectors if c.mapper.is_for_this_list(record)]
            unclaimed += not takers
            for collector in takers:
                collector.take(spooled, record)
        for collector in collectors:
            collector.flush()
    for collector in collectors:
        collector.close()
    return unclaimed


def _rejected(error: RowError) -> Result:
    return Result(Outcome.REJECTED, Step.CHECK, error.cause, error.message, error.field)
