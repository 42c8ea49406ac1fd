"""What a list's plan says of one recipient: kinds, names, rules, and who withdrew."""

from __future__ import annotations

from typing import Any

import pytest
from lists_support import LIST
from target_optimizely.decisions import key_of
from target_optimizely.drafting import WITHDRAWALS, Draft, Drafter
from target_optimizely.settings import ListSettings, read_settings

HELD = ("email", "Vorname", "Nachname", "Land", "Segment", "opt-in-id", "description",
        "media-type", "entity-type", "entity-id")  # fmt: skip
WHERE = "lists.people"


def settings(**more: Any) -> ListSettings:
    config = {
        "mandator_id": 1,
        "username": "u",
        "password": "p",
        "lists": {"people": {**LIST, "strategy": "reconcile", **more}},
    }
    return read_settings(config).lists["people"]


def values(**more: str | None) -> tuple[str | None, ...]:
    """Wanted values in the order of the list's names."""
    whole: dict[str, str | None] = {
        "email": "ada@example.com", "Vorname": "Ada", "Nachname": "Byron", "Land": "GB",
        "opt-in-id": "1", "description": "d", "media-type": "email", "entity-type": "contact",
        "entity-id": "1", **more,
    }  # fmt: skip
    return tuple(whole[name] for name in settings().names)


def held(**more: str | None) -> tuple[str | None, ...]:
    """What the list has, in an order of its own and with an attribute that nobody maps."""
    order = dict(zip(settings().names, values(), strict=True)) | {"Segment": "S"} | more
    return tuple(order[name] for name in HELD)


def change(wanted: Any, there: Any, **more: Any) -> list[tuple[str, str, str]]:
    drafts = Drafter(settings(**more), HELD).change(wanted, there)
    return [(one.kind, one.name, one.rule) for one in drafts]


def test_who_is_as_wanted_needs_nothing() -> None:
    """X3: unset is empty, and a moment in another zone is the same moment."""
    assert change(values(), held()) == []
    assert change(values(Land=None), held(Land="")) == []
    moment = values(Land="2026-01-01T12:00:00+00:00")
    assert change(moment, held(Land="2026-01-01T13:00:00+01:00")) == []


@pytest.mark.parametrize(
    ("name", "after", "kind", "rule"),
    [("Vorname", "Bea", "set", "attributes.Vorname"), ("Land", None, "clear", "attributes.Land"),
     ("opt-in-id", "2", "set", "technical.opt-in-id"), ("Land", "", "clear", "attributes.Land"),
     ("email", "bea@example.com", "rename", "email")],
)  # fmt: skip
def test_each_difference_has_its_kind_and_its_rule(
    name: str, after: str | None, kind: str, rule: str
) -> None:
    """By the setting that asks for it; values before and after are kept for the digest."""
    assert change(values(**{name: after}), held()) == [(kind, name, f"{WHERE}.{rule}")]
    (draft,) = Drafter(settings(), HELD).change(values(**{name: after}), held())
    before = dict(zip(HELD, held(), strict=True))[name]
    assert (draft.before, draft.after) == (before, after or "")


def test_a_refill_empties_what_nobody_maps_and_what_has_no_value() -> None:
    """S1-19: reconcile leaves both alone where values that are none are omitted."""
    refill = f"{WHERE}.strategy: clear_and_refill"
    more = {"strategy": "clear_and_refill", "null_values": "omit"}
    assert change(values(Land=None), held(), **more) == [
        ("clear", "Land", f"{WHERE}.attributes.Land"),
        ("clear", "Segment", refill),
    ]
    assert change(values(), held(Segment=""), **more) == []
    assert change(values(Land=None), held(), null_values="omit") == []
    (other,) = change(values(Land="AT"), held(), null_values="omit")
    assert other == ("set", "Land", f"{WHERE}.attributes.Land")


def test_a_new_recipient_is_their_address_and_all_values() -> None:
    """So that an approval is for these very values."""
    drafter = Drafter(settings(), HELD)
    (one,) = drafter.add("ada@example.com", ("a", None))
    assert (one.kind, one.name, one.rule, one.before) == ("add", "", f"{WHERE}.selection", "")
    assert (one.withdrawal, one.after) == (False, '["ada@example.com",["a",null]]')
    others = [("ada@example.com", ("a", "")), ("ada@example.org", ("a", None)),
              ("ada@example.com", ("a", None, None))]  # fmt: skip
    assert len({one.after, *(drafter.add(*other)[0].after for other in others)}) == 4
    assert drafter.add("ada@example.com", ("a", None)) == [one]


@pytest.mark.parametrize("cause", sorted(WITHDRAWALS))
def test_who_withdrew_leaves_by_that_whatever_else_is_known(cause: str) -> None:
    """S1-10: no plan and no guard stops it; the consent's own words or the vendor's."""
    leave = Drafter(settings(), HELD).leave
    draft = leave(frozenset({cause, "duplicate_id", "a"}))
    assert draft.withdrawal
    assert (draft.kind, draft.name, draft.after) == ("remove", "", "")
    assert leave(frozenset({cause, "wrong_consentz"})).rule == draft.rule
    own = cause in {"wrong_consent", "deleted_in_source", "forgotten"}
    assert draft.rule == (f"{WHERE}.consent: {cause}" if own else f"suppression: {cause}")


def test_of_several_withdrawals_the_first_by_name_is_told() -> None:
    """The same words each time, whatever the order they were found in."""
    draft = Drafter(settings(), HELD).leave(frozenset({"unsubscribed", "wrong_consent"}))
    assert draft.rule == "suppression: unsubscribed"


def test_who_merely_is_not_wanted_is_no_withdrawal() -> None:
    """X6: the guards of removals are for them."""
    leave = Drafter(settings(), HELD).leave
    assert leave(frozenset()) == Draft("remove", "", f"{WHERE}.selection: not wanted any more")
    said = leave(frozenset({"email_syntax", "schema"}))
    assert said == Draft("remove", "", f"{WHERE}.selection: left out, email_syntax")


@pytest.mark.parametrize(
    ("kind", "number", "key"),
    [("contact", "17", "contact 17"), ("", "17", "17"), ("contact", "", None), ("", "", None),
     ("contact", "ada@example.com", None), ("a@b", "17", None)],
)  # fmt: skip
def test_an_address_is_no_key(kind: str, number: str, key: str | None) -> None:
    """S1-13: whatever somebody has typed into a technical field."""
    assert key_of(kind, number) == key
