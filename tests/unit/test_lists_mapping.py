"""One record → one recipient, or the reason why not; settings and guards. All pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lists_support import LIST, STREAM, row
from target_kit.errors import ConfigurationError, GuardTripped, InputError, RowError
from target_kit.feedback import Feedback
from target_optimizely import guards
from target_optimizely.mapping import Mapper, Skip, pattern_of
from target_optimizely.model import Recipient
from target_optimizely.settings import ListSettings, Settings, read_settings

VALID: dict[str, Any] = {
    "api_url": "http://127.0.0.1:8800/optimizely/soap11",
    "mandator_id": "1234",
    "username": "sim-user",
    "password": "sim-password",
    "lists": {STREAM: LIST},
}


def settings(**more: Any) -> Settings:
    return read_settings({**VALID, **more})


def one(**more: Any) -> ListSettings:
    return settings(lists={STREAM: {**LIST, **more}}).lists[STREAM]


def record(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = row(1, **more)["record"]
    return found


# ---- mapping


def test_a_record_becomes_a_recipient() -> None:
    """S1-12 S1-13 S1-15: address, id, the mapped and the technical fields, in one order."""
    mapped = one()
    found = Mapper(mapped).to_recipient(record(email="  Ada@Example.com "))
    assert isinstance(found, Recipient)
    assert (found.recipient_id, found.address) == ("Ada@Example.com", "Ada@Example.com")
    assert (found.entity_type, found.entity_id) == ("contact", "1")
    assert dict(zip(mapped.names, found.values, strict=True)) == {
        "email": "Ada@Example.com", "Vorname": "Given1", "Nachname": "Family1", "Land": "CH",
        "opt-in-id": "optin-1", "description": "newsletter", "media-type": "email",
        "entity-type": "contact", "entity-id": "1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({"consent": None}, "wrong_consent"), ({"consent": "other"}, "wrong_consent"),
        ({"optin_id": None}, "technical_missing"), ({"ctt_id": ""}, "technical_missing"),
        ({"entity_type": "vendor"}, "entity_type"), ({"email": "nobody"}, "email_syntax"),
    ],
)  # fmt: skip
def test_a_record_that_cannot_go_in_says_why(more: dict[str, Any], cause: str) -> None:
    """S1-10 S1-14 S1-16: a cause, and never the value."""
    with pytest.raises(RowError) as caught:
        Mapper(one()).to_recipient(record(**more))
    assert caught.value.cause == cause
    assert "other" not in caught.value.message.split()
    assert "nobody" not in caught.value.message


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({"email": None}, "no_address"), ({"email": " "}, "no_address"),
        ({"_sdc_deleted_at": "2026-01-01"}, "deleted_in_source"),
        ({"_sdc_deleted_at": "2026-01-01", "consent": None}, "deleted_in_source"),
    ],
)  # fmt: skip
def test_a_record_that_a_rule_keeps_out_is_a_skip(more: dict[str, Any], cause: str) -> None:
    """S1-18: no error."""
    found = Mapper(one()).to_recipient(record(**more))
    assert isinstance(found, Skip)
    assert found.cause == cause


@given(
    st.dictionaries(
        st.sampled_from(list(record())),
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers())
        ),
    )
)
def test_any_record_has_exactly_one_fate(more: dict[str, Any]) -> None:
    """X4 S1-10: a recipient with the list's consent, a skip, or a row error; nothing else."""
    mapper = Mapper(one())
    try:
        found = mapper.to_recipient(record(**more))
    except RowError:
        return
    if isinstance(found, Recipient):
        assert str(record(**more)["consent"]).strip() == "newsletter"
        assert len(found.values) == len(mapper.settings.names)
        assert found.recipient_id
        assert found.entity_id


def test_only_omit_makes_patterns() -> None:
    """S1-5: rows of one call carry the same columns."""
    values = ("a", None, "")
    assert [pattern_of(values, nulls) for nulls in ("nil", "empty", "omit")] == ["", "", "101"]


# ---- settings


def test_settings_hide_the_secrets() -> None:
    """X7: neither user nor password is in repr."""
    shown = repr(settings())
    assert "sim-password" not in shown
    assert "sim-user" not in shown


def test_all_faults_of_the_settings_are_told_at_once() -> None:
    """S1-7 S1-9 S1-13: one message."""
    technical = {"opt-in-id": "optin_id", "typo": "x"}
    lists = {
        "a": {**LIST, "consent": ["x", "y"], "technical": technical},
        "b": {"consent": "x"},
        "c": {**LIST, "attributes": {"Created": "x", "entity-id": "y"}, "recipient_id": "ctt_id"},
        "d": {**LIST, "selection_column": "s"},
        "e": {**LIST, "suppression": "column"},
        "f": {**LIST, "max_feedback_age_hours": 3},
    }
    with pytest.raises(ConfigurationError) as caught:
        read_settings({"api_url": "http://elsewhere.example.com", "lists": lists})
    for words in (
        "api_url", "mandator_id: is missing", "username: is missing", "password: is missing",
        "lists.a.consent: exactly one", "lists.a.technical.typo: unknown",
        "lists.a.technical.description: name the column", "lists.b.list_id: is missing",
        "lists.c: attribute Created is kept by the vendor",
        "lists.c: attribute entity-id is mapped twice", "lists.c.id_attribute",
        "lists.d: selection_column and selection belong together",
        "lists.e: suppression: column needs suppression_column",
        "lists.f.max_feedback_age_hours: needs the setting feedback_file",
    ):  # fmt: skip
        assert words in str(caught.value), words


def test_an_id_of_another_column_is_read_back_from_its_attribute() -> None:
    """S1-21: named, or found among the mapped ones."""
    assert one().id_attribute == "email"
    assert one(email_attribute="E-Mail").id_attribute == "E-Mail"
    assert one(recipient_id="ctt_id", attributes={"Kunde": "ctt_id"}).id_attribute == "Kunde"
    assert one(recipient_id="ctt_id", id_attribute="Nr").id_attribute == "Nr"


# ---- guards


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_floor_is_a_share_and_a_number(rows: int, last: int) -> None:
    """S1-20: exactly the share goes, one less does not; the same floor holds after the filling."""
    which = one(min_ratio=0.5, min_rows=2)
    fine = rows >= 2 and 2 * rows >= last
    assert guards.is_enough(which, rows, last) is fine
    if fine:
        guards.check_floor(which, rows, last, "the selection")
        return
    with pytest.raises(GuardTripped, match=f"{rows} recipients"):
        guards.check_floor(which, rows, last, "the selection")


@pytest.mark.parametrize(
    ("marker", "received", "fine"),
    [
        (None, {"s": 2}, False),
        ({}, {"s": 2}, False),
        ({"counts": {"s": 2}}, {"s": 2}, True),
        ({"counts": {"s": 2}}, {"s": 1}, False),
        ({"counts": {"s": 2, "t": 1}}, {"s": 2}, False),
        ({"counts": {"s": 2}}, {"s": 2, "t": 1}, False),
        ({"counts": {"s": 0}}, {}, True),
        ({"counts": {"t": 0}}, {}, False),
        ({"counts": "many"}, {"s": 2}, False),
    ],
)
def test_the_marker_has_to_agree_with_what_arrived(
    marker: Any, received: dict[str, int], fine: bool
) -> None:
    """S1-20: for every stream of the run."""

    def check() -> None:
        guards.check_complete(one(), source="s", received=received, marker=marker, activated=False)

    if fine:
        check()
    else:
        with pytest.raises(InputError):
            check()


@pytest.mark.parametrize("completeness", ["marker", "activate_version", "eof"])
def test_a_shard_of_the_rows_is_never_the_whole_list(completeness: str) -> None:
    """S1-20: its counts agree, and still the other shards' persons would leave the list."""
    marker = {"counts": {"s": 2}, "shard": {"index": 0, "count": 4}}
    whole = {"source": "s", "received": {"s": 2}, "activated": True}
    guards.check_complete(one(completeness=completeness), marker={"counts": {"s": 2}}, **whole)
    with pytest.raises(InputError, match="one shard of its rows"):
        guards.check_complete(one(completeness=completeness), marker=marker, **whole)


@pytest.mark.parametrize(("hours", "fine"), [(0, True), (23.9, True), (24.1, False), (-0.05, True)])
def test_feedback_has_an_age(hours: float, fine: bool) -> None:
    """S1-32: 24 hours by default, with a feedback_file."""
    which = settings(feedback_file="feedback.json").lists[STREAM]
    now = datetime(2026, 1, 2, tzinfo=UTC)
    counts = {"unsubscribes": 0, "bounces": 0}
    feedback = Feedback(now - timedelta(hours=hours), "tap-optimizely", counts)
    if fine:
        guards.check_feedback(which, feedback, now)
        return
    with pytest.raises(GuardTripped):
        guards.check_feedback(which, feedback, now)
