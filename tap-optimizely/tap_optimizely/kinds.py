"""What single streams do with their records beyond reading them."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from tap_optimizely import bounces, unsubscribes
from tap_optimizely.exports import (
    BLOCKLIST,
    BOUNCES,
    CAMPAIGN_STREAMS,
    CLOSED_LOOP,
    REST,
    UNSUBSCRIBES,
)
from tap_optimizely.records import KEY, Record, event_key
from tap_optimizely.streams import OptimizelyStream

# REST listing → record; the documented names of the elements.
BLOCKLIST_NAMES = {
    "pattern": "pattern",
    "reason": "reason",
    "created": "event_time",
    "modified": "modified",
}


class UnsubscribesStream(OptimizelyStream):
    """Unsubscribes of the exports and of the REST listing, each event once (S1-41, S1-43)."""

    def _records(self) -> Iterator[Record]:
        is_file = self.name in self.settings.csv_files
        told = unsubscribes.Told()
        exported = super()._records()
        if is_file or self.settings.unsubscribes_source == CLOSED_LOOP:
            listed: Iterator[dict[str, t.Any]] = iter(())
        else:
            listed = self._listing("unsubscribes", "created")
        for record in exported:
            told.add(record)
        met: set[str] = set()
        for element in listed:
            names = unsubscribes.from_listing(element, unsubscribes.REST_NAMES)
            record = self._completed(names, REST, None, unsubscribes.REST_COLUMNS)
            told.drop_told_by(record)
            yield from self._once(record, met, is_listing=True)
        for record in told.rest():
            yield from self._once(record, met, is_listing=False)

    def _once(self, record: Record, met: set[str], *, is_listing: bool) -> Iterator[Record]:
        record[KEY] = event_key(self.name, record)
        if record[KEY] not in met:
            met.add(record[KEY])
            rule = self.settings.unsubscribe_scope
            record["scope"] = unsubscribes.scope(record, rule, is_listing=is_listing)
            yield record


class BouncesStream(OptimizelyStream):
    """Bounced-out recipients and returned mails with their kind (S1-41, S1-43, S1-46)."""

    def _completed(
        self, record: Record, source: str, export: str | None, columns: frozenset[str]
    ) -> Record:
        settings = self.settings
        hard, soft = settings.hard_bounce, settings.soft_bounce
        kind = bounces.kind_of(export, record.get("category"), hard, soft)
        verdict = bounces.judge(record, kind, hard, soft, self._optimizely.count_bounces)
        return super()._completed(record | verdict, source, export, columns)


class CampaignStream(OptimizelyStream):
    """Opens and clicks: without a campaign of the CRM they are dropped and counted (S1-39)."""

    def _records(self) -> Iterator[Record]:
        dropped = 0
        for record in super()._records():
            if self.settings.deliver_without_campaign or record.get("campaign_id") is not None:
                yield record
            else:
                dropped += 1
        if dropped:
            self.logger.info(
                "%s: %d without a CRM campaign left out (deliver_without_campaign keeps them)",
                self.name,
                dropped,
            )


class BlocklistStream(OptimizelyStream):
    """Entries of the blocklist, from REST; always all of them."""

    def _records(self) -> Iterator[Record]:
        met: set[str] = set()
        for element in self._listing("blacklistentries", "created"):
            names = unsubscribes.from_listing(element, BLOCKLIST_NAMES)
            record = self._completed(names, REST, None, frozenset())
            if record[KEY] not in met:
                met.add(record[KEY])
                yield record


def stream_class(name: str) -> type[OptimizelyStream]:
    """The class of a stream, by its name."""
    if name in CAMPAIGN_STREAMS:
        return CampaignStream
    own = {UNSUBSCRIBES: UnsubscribesStream, BOUNCES: BouncesStream, BLOCKLIST: BlocklistStream}
    return own.get(name, OptimizelyStream)
