"""Who must not be in the list: asked of the vendor chunk by chunk, right before it is sent.

Whatever the feedback said, and whichever way the vendor's guesses turn out: unsubscribes are looked
up under id and address, as written and in lower case, for the client and for this list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from target_kit.outcome import Outcome, Result, Step

from target_optimizely.client import Campaign
from target_optimizely.model import Row
from target_optimizely.settings import MAX_BATCH, ListSettings

HARD, SOFT = "hardbounce", "softbounce"

UNSUBSCRIBED = Result(Outcome.SUPPRESSED, Step.CHECK, "unsubscribed", "is unsubscribed")
BLOCKLISTED = Result(Outcome.SUPPRESSED, Step.CHECK, "blocklisted", "is on the blocklist")
BOUNCED_OUT = Result(Outcome.SUPPRESSED, Step.CHECK, "bounced_out", "bounced too often")


class Suppression:
    """One list's questions; with `suppression: column` or `off` there are none."""

    def __init__(self, campaign: Campaign, settings: ListSettings, batch: int) -> None:
        self._campaign = campaign
        # A batch of people has up to two spellings each; who lowers the batch lowers this, too.
        self._most = min(MAX_BATCH, 2 * batch)
        self._list_id = settings.list_id
        self._asks = settings.suppression == "api"
        self._client_wide = settings.unsubscribe_scope == "client_and_list"
        self._thresholds: dict[str, int] = {}

    def of(self, rows: Sequence[Row]) -> dict[int, Result]:
        """The suppressed among `rows`, by their place."""
        if not self._asks or not rows:
            return {}
        found: dict[int, Result] = {}
        unsubscribed = self._unsubscribed(rows)
        blocked = self._matching(
            self._campaign.blocklisted, {text for row in rows for text in _addresses(row)}
        )
        bounced = self._bounced_out([row.recipient_id for row in rows])
        for row in rows:
            if not unsubscribed.isdisjoint(_spellings(row)):
                found[row.pos] = UNSUBSCRIBED
            elif not blocked.isdisjoint(_addresses(row)):
                found[row.pos] = BLOCKLISTED
            elif row.recipient_id in bounced:
                found[row.pos] = BOUNCED_OUT
        return found

    def _unsubscribed(self, rows: Sequence[Row]) -> set[str]:
        spellings = {text for row in rows for text in _spellings(row)}
        found = self._matching(
            lambda ids: self._campaign.unsubscribed_from(self._list_id, ids), spellings
        )
        if self._client_wide:
            found |= self._matching(self._campaign.unsubscribed, spellings)
        return found

    def _matching(self, ask: Callable[[list[str]], list[bool]], texts: set[str]) -> set[str]:
        found: set[str] = set()
        for part in _parts(sorted(texts), self._most):
            found.update(text for text, yes in zip(part, ask(part), strict=True) if yes)
        return found

    def _bounced_out(self, ids: list[str]) -> set[str]:
        """Who is over the limit: response counts find the few, the vendor's own verdict decides.

        The counter that decides differs from the counts (docs: ResponseWebservice); where counts
        have expired, addAll3 itself still answers with code 4.
        """
        suspects: set[str] = set()
        for category in (HARD, SOFT):
            limit = max(1, self._threshold(category))
            for part in _parts(ids, self._most):
                counts = self._campaign.response_counts(category, part)
                suspects.update(i for i, n in zip(part, counts, strict=True) if n >= limit)
        return {one for one in sorted(suspects) if self._campaign.bounced_out(one)}

    def _threshold(self, category: str) -> int:
        if category not in self._thresholds:
            self._thresholds[category] = self._campaign.bounce_threshold(category)
        return self._thresholds[category]


def _spellings(row: Row) -> set[str]:
    both = {row.recipient_id, row.address}
    return both | {text.lower() for text in both}


def _addresses(row: Row) -> set[str]:
    return {row.address, row.address.lower()}


def _parts(texts: Sequence[str], most: int) -> Iterator[list[str]]:
    for start in range(0, len(texts), most):
        yield list(texts[start : start + most])
