"""Bulk import of ActiveCampaign's v3 API: a method an endpoint, typed answers.

Sources: https://developers.activecampaign.com/reference (slug in each docstring).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from target_kit.errors import CallRefused, OutcomeUnknown
from target_kit.http import Safety

from target_activecampaign.bulk_planning import ImportRow
from target_activecampaign.endpoints import Endpoints, rows_of, text_of

#: A batch with one of these statuses changes nothing any more.
DONE = frozenset({"completed", "failed", "interrupted"})
_REFUSALS = frozenset({400, 413, 422})


@dataclass(frozen=True, slots=True)
class Queued:
    """The whole batch was taken and will be applied later."""

    batch_id: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """Nothing of the batch was taken; `named` are the numbers of rows that the vendor names, from
    0 or from 1.
    """

    named: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TooFast:
    """Nothing was taken, since there were too many imports in this minute."""


@dataclass(frozen=True, slots=True)
class ImportInfo:
    """A batch: its `status`, "" where the vendor knows none (yet), the ids of the contacts it
    created and the number of addresses that were not applied.
    """

    status: str
    created: tuple[str, ...] = ()
    failures: int = 0

    @property
    def completed(self) -> bool:
        """Whether all was applied that is not among the failures."""
        return self.status == "completed"

    @property
    def done(self) -> bool:
        """Whether nothing of it is applied any more."""
        return self.status in DONE


class ImportEndpoints(Endpoints):
    """Imports of many contacts at once."""

    def submit(self, rows: Sequence[ImportRow]) -> Queued | Invalid | TooFast:
        """Queue an import (bulk-import-contacts). Never repeated blindly: applied late, it would
        write over what was written after it.

        Raises OutcomeUnknown where the answer does not say whether it was queued.
        """
        payload = {"contacts": [msgspec.Raw(row.body) for row in rows]}
        path = "/api/3/import/bulk_import"
        try:
            body = self.write("POST", path, "import/bulk_import", payload, Safety.UNSAFE)
        except CallRefused as refused:
            if refused.status not in _REFUSALS:
                raise
            return _refusal(refused.body)
        batch = text_of(body.get("batchId"))
        if batch and _is_set(body.get("Success", body.get("success"))):
            return Queued(batch)
        if "failureReasons" in body:
            return _refusal(body)
        raise OutcomeUnknown("POST import/bulk_import answered without the id of the batch")

    def info(self, batch_id: str) -> ImportInfo:
        """What became of a batch (bulk-import-status-info)."""
        params = [("batchId", batch_id)]
        try:
            body = self.get("/api/3/import/info", route="import/info", params=params)
        except CallRefused:
            return ImportInfo("")
        status, created, failed = (body.get(name) for name in ("status", "success", "failure"))
        ids = [text_of(one) for one in created] if isinstance(created, list) else []
        return ImportInfo(
            status.lower() if isinstance(status, str) else "",
            tuple(one for one in ids if one.isdecimal()),
            len(failed) if isinstance(failed, list) else 0,
        )

    def newest_id(self) -> int:
        """The highest id of a contact, 0 for none; a lower one where the order has no effect
        (list-all-contacts `orders[id]`).
        """
        params = [("orders[id]", "DESC"), ("limit", "1")]
        body = self.get("/api/3/contacts", route="contacts", params=params)
        return max(
            (int(text_of(row.get("id")) or 0) for row in rows_of(body, "contacts")), default=0
        )

    def outstanding(self) -> int:
        """Batches of the account that are not applied yet, those of others too
        (bulk-import-status-list).
        """
        body = self.get("/api/3/import/bulk_import", route="import/bulk_import")
        counts = [text_of(row.get("batches")) for row in rows_of(body, "outstanding")]
        return sum(int(count) if count.isdecimal() else 1 for count in counts)


def _refusal(body: Any) -> Invalid | TooFast:
    """Both are 400: reasons are objects that name rows, or texts about the rate."""
    given = body if isinstance(body, Mapping) else {}
    listed = given.get("failureReasons")
    reasons: list[Any] = listed if isinstance(listed, list) else []
    texts = [given.get("message"), *reasons]
    if any(isinstance(text, str) and "rate limit" in text.lower() for text in texts):
        return TooFast()
    numbers = (text_of(one.get("contact")) for one in reasons if isinstance(one, Mapping))
    return Invalid(tuple(int(number) for number in numbers if number.isdecimal()))


def _is_set(value: Any) -> bool:
    return value in (1, "1", True, "true")
