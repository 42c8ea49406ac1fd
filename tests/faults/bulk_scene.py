"""Contacts that are imported in bulk: whom the account has, who comes, and what must come of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from simulators_support import Simulator
from target_support import record, schema, state

TEXT = {"type": ["string", "null"]}
COLUMNS = dict.fromkeys(("consent", "consent_at", "proof", "wants_news"), TEXT)
LAST_MONTH = (datetime.now(UTC) - timedelta(days=30)).isoformat()
YES = {"consent": "confirmed", "consent_at": LAST_MONTH, "proof": "form 7", "wants_news": "true"}
STREAM: dict[str, Any] = {
    "key": "ctt_id",
    "key_field": "BUBSCTTID",
    "fields": {"email": "email", "firstName": "given_name"},
    "custom_fields": {"LAND": "org_country"},
    "consent": {
        "column": "consent", "granted_at": "consent_at", "evidence": "proof", "purpose": "ads",
    },
    "lists": {"News": {"when": "wants_news", "consent": "ads"}},
    "tags": {"add": ["backoffice"]},
}  # fmt: skip
#: The settings of the target in this scene; so few rows are imported because it must.
SETTINGS: dict[str, Any] = {
    "streams": {"contacts": STREAM},
    "strategy": "bulk",
    "create_fields": False,
}
#: Keys by what they are: known; known and gone from the list; withdrawn; excluded there; new.
KNOWN, LEFT, WITHDRAWN, EXCLUDED, NEW = (
    range(1, 9), range(11, 13), range(21, 23), range(31, 33), range(41, 51),
)  # fmt: skip
EVERYBODY = (*KNOWN, *LEFT, *WITHDRAWN, *EXCLUDED, *NEW)
MAY_BE_ACTIVE = (*KNOWN, *EXCLUDED, *NEW)


def address(key: int) -> str:
    """Some addresses have a text in them that switches can be turned to."""
    return f"{'odd' if key in (5, 45, 46) else 'person'}{key}@example.com"


def seed(sim: Simulator) -> None:
    """What the account holds before."""
    fields = [{"perstag": "BUBSCTTID", "type": "hidden"}, {"perstag": "LAND", "type": "dropdown"}]
    status = {**dict.fromkeys(LEFT, 2), **dict.fromkeys(WITHDRAWN, 1)}
    there = [
        {
            "email": address(key),
            "firstName": "Before",
            "fieldValues": {"BUBSCTTID": str(key)},
            "lists": {"News": status[key]} if key in status else {},
        }
        for key in (*KNOWN, *LEFT, *WITHDRAWN)
    ]
    sim.seed({"fields": fields, "lists": ["News"], "contacts": there})
    for key in EXCLUDED:
        sim.event("exclude", phrase=address(key))


def messages(name: str = "After", keys: tuple[int, ...] = EVERYBODY) -> list[dict[str, Any]]:
    """Everybody with this first name; one new person's country is none of the options."""
    rows = []
    for key in keys:
        consent = {**YES, "consent": "unsubscribed"} if key in WITHDRAWN else YES
        country = "DE" if key == 50 else None
        rows.append(
            record(key, address(key), given_name=f"{name}{key}", org_country=country, **consent)
        )
    return [schema(**COLUMNS), *rows, state(len(rows))]


def active(contacts: list[dict[str, Any]]) -> set[str]:
    """Who gets mail."""
    return {one["email"] for one in contacts if "1" in one["lists"].values()}


def assert_delivered(
    contacts: list[dict[str, Any]], name: str = "After", refused: frozenset[int] = frozenset()
) -> None:
    """Everybody who is not refused is there once, with what the backoffice says."""
    held = {one["fieldValues"].get("BUBSCTTID"): one for one in contacts}
    assert len(held) == len(contacts)
    for key in EVERYBODY:
        if key in refused:
            continue
        contact = held[str(key)]
        assert contact["email"] == address(key)
        assert contact["firstName"] == f"{name}{key}"
        assert contact["tags"] == ["backoffice"]
    allowed = {address(key) for key in MAY_BE_ACTIVE}
    wanted = {address(key) for key in MAY_BE_ACTIVE if key not in refused}
    assert wanted <= active(contacts) <= allowed
