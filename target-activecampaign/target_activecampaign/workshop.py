"""Where one stream's rooms are furnished: which of them it needs, and what they share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from target_kit.clock import Clock
from target_kit.consent import Status
from target_kit.hands import Hands
from target_kit.index import DestinationIndex
from target_kit.intended import IntendedSet, Row
from target_kit.outcome import Tally
from target_kit.progress import Progress
from target_kit.rejects import RejectStore
from target_kit.signals import StopSignal
from target_kit.spool import Spool
from target_kit.suppression import Suppressions
from target_kit.tombstones import Tombstones

from target_activecampaign.accounts import Accounts
from target_activecampaign.bulk import Bulk
from target_activecampaign.client import ActiveCampaign
from target_activecampaign.collecting import untold
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.deciding import Deciding
from target_activecampaign.deletes import Deletes
from target_activecampaign.execute import Executor
from target_activecampaign.gathering import Gathering
from target_activecampaign.importing import Importing
from target_activecampaign.incremental import Incremental
from target_activecampaign.itemising import Naming
from target_activecampaign.list_settings import TagRule
from target_activecampaign.lists import ListIds, Lists
from target_activecampaign.look import Look
from target_activecampaign.looking import Looking
from target_activecampaign.memory import Memory
from target_activecampaign.model import Contact, Field, KeyType
from target_activecampaign.past import Past
from target_activecampaign.permits import Noting, Permit, StatusOf
from target_activecampaign.reading_back import ReadingBack, Watched
from target_activecampaign.retiring import Retiring
from target_activecampaign.rewriting import Rewriting
from target_activecampaign.swaps import Swaps
from target_activecampaign.tags import Marking, Tags
from target_activecampaign.turns import Turns
from target_activecampaign.withdrawal_client import WithdrawalEndpoints
from target_activecampaign.withdrawn import Withdrawn


@dataclass
class Workshop:
    """The parts of one stream, made of what they share; `advance(first_open_seq)` is told after
    every durable step.
    """

    stream: ContactStream
    key_type: KeyType
    fields: dict[str, Field]
    client: ActiveCampaign
    spool: Spool
    intended: IntendedSet
    index: DestinationIndex
    rejects: RejectStore
    tally: Tally
    clock: Clock
    stop: StopSignal
    advance: Callable[[int | None], None]
    memory: Memory
    endpoints: WithdrawalEndpoints
    permits: Callable[[Naming, StatusOf], Permit]
    importing: Importing
    hands: Hands = field(default_factory=Hands)
    accounts: Accounts | None = None
    tombstones: Tombstones | None = None
    suppressions: Suppressions | None = None
    list_ids: ListIds = field(default_factory=dict)
    tag_names: dict[str, str] = field(default_factory=dict)
    reads_setting: str = "auto"
    full_read_days: float = 7
    verify_sample: int = 0
    quarantine_after: int = 0
    requests_per_second: float | None = None
    permit: Permit = field(init=False)
    watched: Permit = field(init=False)
    reading_back: ReadingBack = field(init=False)
    rewriting: Rewriting = field(init=False)
    lists: Lists | None = field(init=False)
    look: Look = field(init=False)
    withdrawn: Withdrawn | None = field(init=False, default=None)
    deletes: Deletes | None = field(init=False, default=None)
    executor: Executor = field(init=False)
    deciding: Deciding = field(init=False)
    swaps: Swaps = field(init=False)
    bulk: Bulk = field(init=False)
    turns: Turns = field(init=False)
    progress: Progress = field(init=False)
    gathering: Gathering = field(init=False)
    looking: Looking = field(init=False)

    def __post_init__(self) -> None:
        rate = self.requests_per_second
        self.progress = Progress(self.stream.name, self.clock, rate)
        stream = self.stream
        owned = [self.fields[p] for p in (*stream.custom_fields, *stream.hidden_fields)]
        key_field = self.fields[stream.key_field]
        self.look = Look(self.client, self.index, key_field, owned, self.key_type, self.stop)
        lists, tags = None, None
        if self.list_ids:
            lists = Lists(self.endpoints, self.look, self.list_ids, self.clock, self.past)
        if stream.uses_tags:
            rule, names = stream.tags or TagRule(), self.tag_names
            tags = Tags(self.endpoints, self.look, rule, names, self.hands, self._marking())
        self.lists = lists
        self.permit = self.permits(*self.wording)
        by_id = {one.id: one for one in self.fields.values()}
        self.reading_back = ReadingBack(
            stream.name,
            self.client,
            self.look,
            lists,
            self.memory,
            self._naming(),
            by_id,
            self.clock.now(),
            self.verify_sample,
        )
        self.watched = Watched(self.permit, self.reading_back)
        self.rewriting = Rewriting(
            stream.name, self.memory, by_id, stream.key_field, self.quarantine_after
        )
        self.executor = Executor(
            self.client,
            self.look,
            self.accounts,
            on_contact_gone=self.stream.on_contact_gone,
            retiring=Retiring(self.client, self.endpoints, self.look, self.memory, key_field),
            permit=self.watched,
            lists=lists,
            tags=tags,
        )
        self.deciding = Deciding(
            self.stream,
            self.fields,
            self.look,
            self.index,
            self.executor,
            self.memory,
            self.clock,
            lists,
            tags,
            self.accounts,
            self.rewriting,
        )
        self.swaps = Swaps(self.deciding, self.executor)
        if lists:
            resolve = self.deciding.resolve
            self.withdrawn = Withdrawn(
                lists, self.look, self.index, self.stop, resolve, self.watched, self.hands
            )
            self.tally.patient = True
        self.gathering = Gathering(
            self.stream,
            self.key_type,
            self.spool,
            self.intended,
            self.rejects,
            self.tally,
            self.clock,
            self.stop,
            self.memory,
            lists,
            self.withdrawn,
            self.suppressions,
            told=self.permit.notes.settled if isinstance(self.permit, Noting) else untold,
        )
        self.looking = Looking(
            stream,
            self.client,
            self.look,
            self.index,
            self.memory,
            self.gathering,
            self.accounts,
            lists,
            self._incremental(owned),
            self.reads_setting,
        )
        self.bulk = Bulk(
            stream.name,
            self.importing,
            self.watched,
            self.deciding,
            self.look,
            self.index,
            self.intended,
            self.memory,
            self.stop,
            self.is_late,
            lambda: self.looking.by_point,
            self.tag_names,
        )
        imported = self.bulk.imported
        self.turns = Turns(
            self.deciding, self.executor, self.swaps, self.withdrawn, imported, self.hands
        )
        if self.tombstones:
            policy = self.stream.deletes
            if isinstance(self.permit, Noting):  # a rehearsal is there to see everything
                policy = replace(policy, max_deletes=sys.maxsize)
            self.deletes = Deletes(
                self.stream.name,
                policy,
                self.endpoints,
                self.look,
                self.tombstones,
                self.stop,
                self.permit,
                match=self.deciding.match,
                is_wanted=self.gathering.wants_address,
            )

    def past(self, contact: Contact) -> Past:
        """See `Deciding.past`."""
        return self.deciding.past(contact)

    def _incremental(self, owned: Sequence[Field]) -> Incremental | None:
        """The memory of what agreed, where the settings want to rely on it."""
        if self.reads_setting != "incremental":
            return None
        return Incremental(
            self.memory,
            self.look,
            self.index,
            self.clock,
            (self.stream, self.key_type, owned, self.list_ids),
            full_read_days=self.full_read_days,
        )

    def _naming(self) -> Naming:
        """How the settings call what changes name by id."""
        return Naming(
            self.stream,
            {field.id: perstag for perstag, field in self.fields.items()},
            {one.id: name for name, one in self.list_ids.items()},
            self.tag_names,
        )

    def _marking(self) -> Marking | None:
        """How contacts of this stream are marked with where they came from."""
        if self.stream.provenance is None:
            return None
        pending = self.fields[self.stream.provenance.pending]
        return Marking(self.stream.provenance, pending.id, self.client.put_field_value)

    @property
    def details(self) -> dict[str, Any]:
        """What the report says besides outcomes: legacy tags removed, or that would be (S4-27), and
        how much waits for people, by kind.
        """
        tags, rule = self.deciding.tags, self.stream.provenance
        details: dict[str, Any] = {}
        if rule and (number := sum(tags.legacy.values()) if tags else 0):
            name = "legacy_tags_removed" if rule.clean_up else "legacy_tags_to_clean_up"
            details[name] = number
        if imports := self.bulk.counts():
            details["bulk_import"] = imports
        if not isinstance(self.permit, Noting):  # a rehearsal has nothing to read back
            details |= self.reading_back.details()
        details |= self.rewriting.details()
        if waiting := self.memory.counts():
            details["worklist"] = waiting
        return details

    @property
    def wording(self) -> tuple[Naming, StatusOf]:
        """How decisions of this stream are put into words."""
        return self._naming(), self.lists.status if self.lists else _no_status

    def is_late(self, row: Row) -> bool:
        """Whether the person of this row was deleted, and the row is no newer than that."""
        return self.deletes is not None and self.deletes.covers(row)


def _no_status(contact: Contact, list_id: str) -> Status:
    """Where no list is managed nobody's consent is asked for."""
    del contact, list_id
    return Status.NONE
