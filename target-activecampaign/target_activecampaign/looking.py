"""Looking at the destination before anything is decided: how, why so, and whom that leaves out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from target_kit.index import DestinationIndex
from target_kit.intended import Row

from target_activecampaign import planning
from target_activecampaign.accounts import Accounts
from target_activecampaign.client import ActiveCampaign
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.gathering import Gathering, decode_contact
from target_activecampaign.incremental import Incremental
from target_activecampaign.lists import Lists
from target_activecampaign.look import Look
from target_activecampaign.memory import Memory
from target_activecampaign.model import Contact
from target_activecampaign.turns import agrees

logger = logging.getLogger(__name__)


@dataclass
class Looking:
    """The reads of one stream; `reads` says how they are done, None where there was nothing to do.

    With `incremental` only what changed is read, and rows that agree are settled without a look.
    """

    stream: ContactStream
    client: ActiveCampaign
    look: Look
    index: DestinationIndex
    memory: Memory
    gathering: Gathering
    accounts: Accounts | None
    lists: Lists | None
    incremental: Incremental | None
    setting: str
    reads: planning.Reads | None = None

    def begin(self, records: int) -> None:
        """Choose how to read by cost, and crawl now if that is cheaper."""
        if records == 0:
            return
        if self.incremental:
            self.reads = self.incremental.read()
        else:
            self.reads = planning.choose_reads(self.setting, records, self.client.total() or 0)
            if self.reads.strategy == "crawl":
                self.look.crawl()
        name, reads = self.stream.name, self.reads
        logger.info("%s: reads by %s (%s)", name, reads.strategy, reads.because)
        if reads.strategy == "crawl":
            self.memory.find_victims(self.index)
        if self.accounts:
            self.accounts.read(everything=reads.strategy == "crawl")

    def adopt(self, other: Looking) -> None:
        """Rely on what another one has read."""
        self.reads = other.reads
        self.look.adopt(other.look)
        if self.accounts and other.accounts:
            self.accounts.adopt(other.accounts)
        if self.incremental and other.incremental:
            self.incremental.adopt(other.incremental)

    @property
    def by_point(self) -> bool:
        """Whether each batch is looked up by itself."""
        return self.reads is not None and self.reads.strategy in ("point", "incremental")

    def most_known(self, records: int) -> int:
        """How many of so many records at most are of contacts that are there, as far as read."""
        return records if self.by_point else min(records, self.index.count())

    def settle_agreeing(self, batches: Iterable[list[Row]], is_late: Callable[[Row], bool]) -> None:
        """Rows that need no look leave the set."""
        if self.incremental is None or self.reads is None:
            return
        source = "cfd" if self.stream.key else "ctt"
        for batch in batches:
            self.gathering.stop.check()
            for row in self.look_at(batch, is_late)[0]:
                self.gathering.settle(row, agrees(source))

    def look_at(
        self, batch: Sequence[Row], is_late: Callable[[Row], bool]
    ) -> tuple[list[Row], list[Contact]]:
        """The rows of a batch that need no look, and the contacts of all others: those that are
        known are read, 1 call per 100.
        """
        if self.incremental is None:
            return [], [decode_contact(row.body) for row in batch]
        self.memory.recall(batch)
        agreeing, due = [], []
        for row in batch:
            contact = decode_contact(row.body)
            shared = self.lists is not None and self.lists.is_shared(contact)
            if shared or is_late(row) or not self.incremental.agrees(row, contact):
                due.append(contact)
            else:
                agreeing.append(row)
        if self.by_point:
            self.look.read_known(self.incremental.known_ids(due))
        return agreeing, due

    def done(self) -> None:
        """Every row has its outcome: the next run may begin where this one did."""
        if self.incremental and self.reads:
            self.incremental.done()
