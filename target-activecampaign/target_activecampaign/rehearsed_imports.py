"""Bulk imports in a rehearsal: entered into the picture of the account, counted, never sent."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from math import ceil
from pathlib import Path

import msgspec
from target_kit.clock import Clock

from target_activecampaign.bulk_client import ImportInfo, Queued
from target_activecampaign.bulk_journal import BulkJournal
from target_activecampaign.bulk_planning import ImportRow
from target_activecampaign.bulk_queue import ImportQueue
from target_activecampaign.client import COMPARED
from target_activecampaign.control_settings import Control
from target_activecampaign.importing import Importing
from target_activecampaign.model import Existing, Membership
from target_activecampaign.planning import PAGE
from target_activecampaign.rehearsal import Picture
from target_activecampaign.withdrawal_client import ACTIVE


class _NoJournal(BulkJournal):
    """A rehearsal leaves nothing behind that somebody would have to wait for."""

    def _write(self) -> None:
        """See BulkJournal."""

    def close(self) -> None:
        """See BulkJournal."""


class RehearsedImports:
    """What a run would import: see `bulk_queue.Imports` and `importing.ReadsBack`. A batch is done
    at the second look, since a real one takes its time.
    """

    def __init__(self, picture: Picture, tag_names: MutableMapping[str, str]) -> None:
        self._picture = picture
        self._tag_names = tag_names
        self._created = 0
        self._looked_at = ""
        self._batches = 0

    def importing(self, control: Control, clock: Clock) -> Importing:
        """As a run imports, without waiting for anything."""
        queue = ImportQueue(self, _NoJournal(Path()), clock, _no_pause)
        parts = (control.strategy, control.exclude_automations, self, queue, _no_pause)
        return Importing(*parts, self.read_tags, self)

    def submit(self, rows: Sequence[ImportRow]) -> Queued:
        """See ImportEndpoints."""
        self._picture.write("POST import/bulk_import")
        for row in rows:
            self._enter(row)
        self._batches += 1
        self._looked_at = ""
        return Queued(str(self._batches))

    def info(self, batch_id: str) -> ImportInfo:
        """See ImportEndpoints."""
        self._picture.read("import/info")
        done, self._looked_at = bool(self._looked_at), batch_id
        return ImportInfo("completed" if done else "active")

    def outstanding(self) -> int:
        """See ImportEndpoints."""
        self._picture.read("import/bulk_import")
        return 0

    def newest_id(self) -> int:
        """See ImportEndpoints."""
        self._picture.read("contacts")
        return 0

    def read_known(self, contact_ids: Sequence[str]) -> None:
        """See Look."""
        for _ in range(ceil(len(contact_ids) / PAGE)):
            self._picture.read("contacts")

    def read_new(self, after: int) -> set[str]:
        """See Look: full pages, and one with nothing behind the last."""
        del after
        for _ in range(ceil(self._created / PAGE) + 1):
            self._picture.read("contacts")
        return set()

    def read_tags(self) -> Mapping[str, str]:
        """See ListEndpoints."""
        for _ in range(ceil(len(self._tag_names) / PAGE) + 1):
            self._picture.read("tags")
        return self._tag_names

    def _enter(self, row: ImportRow) -> None:
        change, picture = row.change, self._picture
        known = picture.existing(change.contact_id) if change.contact_id else None
        if known is None:
            self._created += 1
            email = change.email.display if change.email else ""
            blank = dict.fromkeys(COMPARED, "")
            known = Existing(picture.new_id(), email, blank, {}, lists={}, tags={})
        joined = {one.list_id: Membership(ACTIVE) for one in change.lists}
        tagged = {self._tag(name): picture.new_id() for name in change.tags.add}
        after = msgspec.structs.replace(
            known,
            attributes=known.attributes | change.attributes,
            values=known.values | change.values,
            lists={**(known.lists or {}), **joined} if joined else known.lists,
            tags={**(known.tags or {}), **tagged} if tagged else known.tags,
        )
        picture.change(after)

    def _tag(self, name: str) -> str:
        folded = name.lower()
        found = [i for i, text in self._tag_names.items() if text.lower() == folded]
        exact = [i for i in found if self._tag_names[i] == name]
        for tag_id in (*exact, *found):
            return tag_id
        tag_id = self._picture.new_id()
        self._tag_names[tag_id] = name
        return tag_id


def _no_pause(seconds: float) -> None:
    """A rehearsal waits for nothing."""
    del seconds
