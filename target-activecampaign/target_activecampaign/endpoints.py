"""How every endpoint of ActiveCampaign's v3 API is called, and how its answers are unpacked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from target_kit.errors import OutcomeUnknown, VendorUnavailable
from target_kit.http import JsonApi, Safety

from target_activecampaign.answers_contract import break_of_read, break_of_write
from target_activecampaign.planning import PAGE


class Endpoints:
    """Calls of the account behind one URL and key."""

    def __init__(self, api: JsonApi) -> None:
        self.api = api

    def get(
        self, path: str, *, route: str, params: Sequence[tuple[str, str]] = ()
    ) -> Mapping[str, Any]:
        """The JSON object that a GET of `path` answers. Raises VendorUnavailable for an answer
        that breaks its contract.
        """
        name = f"GET {route}"
        answer = self.api.call("GET", path, route=name, params=params, safety=Safety.SAFE)
        body = _object(answer.body, route)
        if broken := break_of_read(route, body):
            self.api.note_broken(name)
            raise VendorUnavailable(f"{name} answered {answer.status} {broken}: check api_url")
        return body

    def write(
        self, method: str, path: str, route: str, payload: Any, safety: Safety
    ) -> Mapping[str, Any]:
        """The JSON object that a write answers. Raises OutcomeUnknown for an answer that breaks
        its contract: look before repeating.
        """
        name = f"{method} {route}"
        answer = self.api.call(method, path, route=name, json=payload, safety=safety)
        if broken := break_of_write(name, path, answer.status, answer.body, payload):
            self.api.note_broken(name)
            raise OutcomeUnknown(f"{name} answered {answer.status} {broken}")
        return dict(answer.body)

    def pages(
        self, path: str, route: str, key: str, params: Sequence[tuple[str, str]] = ()
    ) -> Iterator[Mapping[str, Any]]:
        """Offset pages until an empty one: the server may cap `limit` lower than asked."""
        offset, first = 0, ""
        while True:
            page = [*params, ("limit", str(PAGE)), ("offset", str(offset))]
            body = self.get(path, route=route, params=page)
            rows = rows_of(body, key)
            if not rows:
                return
            if offset and text_of(rows[0].get("id")) == first:
                raise VendorUnavailable(
                    f"{route}: offset has no effect; it can't be read completely"
                )
            first = first or text_of(rows[0].get("id"))
            yield body
            offset += len(rows)


def rows_of(body: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects of a list in an answer; none where it is missing."""
    rows = body.get(key)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def text_of(value: Any) -> str:
    """Ids and values come as text, number or null."""
    return "" if value is None else str(value)


def _object(body: Any, route: str) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise VendorUnavailable(f"{route}: the answer is no JSON object; check api_url")
    return body
