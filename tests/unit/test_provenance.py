"""What tells where a contact came from, which row may speak for it, and how that is configured."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_activecampaign.mapping import to_contact
from target_activecampaign.model import KeyType, Origin
from target_activecampaign.origins import is_person_account, origin_of
from target_activecampaign.provenance import barred, due, kinds_of, legacy
from target_activecampaign.provenance_settings import DEFAULT_TAGS, Provenance, RecordType
from target_activecampaign.settings import Settings, read_settings
from target_kit.errors import ConfigurationError, RowError

CONTACT, LEAD, PERSON = RecordType.CONTACT, RecordType.LEAD, RecordType.PERSON_ACCOUNT
URL = {"api_url": "https://example.api-us1.com", "api_key": "secret-canary"}
ALL_TAGS = sorted(name for tags in DEFAULT_TAGS.values() for name in tags.folded)


def read(*provenances: dict[str, Any], **more: Any) -> Settings:
    """Settings with one stream for each `provenance`."""
    streams = {
        f"s{number}": {"fields": {"email": "mail"}, "provenance": one, **more}
        for number, one in enumerate(provenances)
    }
    return read_settings({**URL, "streams": streams})


def rule(**options: Any) -> Provenance:
    """A rule as read from settings; by default all types come from a column."""
    found = read({"record_type": "kind", **options}).streams["s0"].provenance
    assert found is not None
    return found


def held(*names: str) -> dict[str, str]:
    """A contact's tags; the id of each is its name."""
    return {name.lower(): name for name in names}


def faults_of(*provenances: dict[str, Any], **more: Any) -> str:
    """The one message with all faults."""
    with pytest.raises(ConfigurationError) as caught:
        read(*provenances, **more)
    return str(caught.value)


def test_the_names_of_the_official_connector_are_the_defaults() -> None:
    """S4-18, S4-19, S4-20, S4-22: for person accounts; S4-23: and for contacts and leads."""
    assert DEFAULT_TAGS[PERSON].created == "created-from-salesforce-person-account"
    assert DEFAULT_TAGS[PERSON].lead_converted == "salesforce-lead-converted-to-person-account"
    assert DEFAULT_TAGS[PERSON].added == "added-to-salesforce-person-account"
    assert {*ALL_TAGS} - DEFAULT_TAGS[PERSON].folded == {
        "added-to-salesforce-contact", "created-from-salesforce-contact",
        "salesforce-lead-converted-to-contact", "added-to-salesforce-lead",
        "created-from-salesforce-lead",
    }  # fmt: skip


def test_every_name_can_be_another() -> None:
    """S4-22: what is not named keeps its default."""
    tags = rule(tags={"person_account": {"created": "PA made"}, "lead": {"added": "L"}}).tags
    assert (tags[PERSON].created, tags[LEAD].added) == ("PA made", "L")
    assert tags[PERSON].added == DEFAULT_TAGS[PERSON].added
    assert due(Origin(PERSON), {}, PERSON, rule(tags={"person_account": {"created": "P"}})) == (
        "P",
    )


@pytest.mark.parametrize("kind", RecordType)
def test_the_created_tag_is_due_only_while_it_is_said_to_be(kind: RecordType) -> None:
    """S4-18, S4-21: without that, a contact was made by somebody else, or is tagged already."""
    made = DEFAULT_TAGS[kind].created
    assert due(Origin(kind), {}, kind, rule()) == (made,)
    assert due(Origin(kind), held(made), kind, rule()) == ()
    assert due(Origin(kind), {}, "", rule()) == ()
    assert due(Origin(kind), {}, "something of others", rule()) == ()


def test_a_tag_still_due_is_that_of_what_the_contact_was_made_from() -> None:
    """S4-21: although its record is another one by now."""
    assert due(Origin(PERSON), {}, CONTACT, rule()) == (DEFAULT_TAGS[CONTACT].created,)


@pytest.mark.parametrize(("kind", "tag"), [
    (PERSON, "salesforce-lead-converted-to-person-account"),
    (CONTACT, "salesforce-lead-converted-to-contact"),
])  # fmt: skip
def test_a_converted_lead_is_tagged_so(kind: RecordType, tag: str) -> None:
    """S4-19, S4-21: beside the created tag of a contact made just now; once."""
    converted = Origin(kind, LEAD)
    assert due(converted, {}, "", rule()) == (tag,)
    assert due(converted, {}, kind, rule()) == (DEFAULT_TAGS[kind].created, tag)
    assert due(converted, held(tag.upper()), "", rule()) == ()
    assert due(Origin(PERSON, CONTACT), {}, "", rule()) == ()


def test_only_who_was_there_before_is_added() -> None:
    """S4-20: a contact that was made from the source was not brought into it."""
    brought = Origin(PERSON, added=True)
    assert due(brought, {}, "", rule()) == ("added-to-salesforce-person-account",)
    assert due(brought, {}, PERSON, rule()) == ("created-from-salesforce-person-account",)
    assert due(brought, held("created-from-salesforce-person-account"), "", rule()) == ()
    assert due(brought, held("added-to-salesforce-person-account"), "", rule()) == ()


def test_letter_case_makes_no_other_tag_of_origin() -> None:
    """S4-22, X3: names compare as the vendor compares them, those of the settings too."""
    named = rule(tags={"person_account": {"created": "Made", "added": "Brought"}})
    for tag in ("MADE", "made", "brought"):
        assert due(Origin(PERSON, added=True), held(tag), "", named) == ()
    assert due(Origin(PERSON), held("made"), PERSON, named) == ()


@given(
    names=st.sets(st.sampled_from([*ALL_TAGS, "vip"])),
    pending=st.sampled_from(["", *RecordType]),
    kind=st.sampled_from(list(RecordType)),
)
def test_no_row_but_that_of_a_person_account_touches_one(
    names: set[str], pending: str, kind: RecordType
) -> None:
    """S4-25, S4-26, S4-30: whatever else it carries, in any order, tagged already or still due."""
    is_person = PERSON in kinds_of(held(*names), pending, rule())
    assert is_person == (pending == PERSON or bool(names & DEFAULT_TAGS[PERSON].folded))
    cause = barred(Origin(kind, CONTACT if kind is PERSON else ""), held(*names), pending, rule())
    assert cause == ("person_account_there" if is_person and kind is not PERSON else "")


def test_a_lead_that_was_not_converted_does_not_become_a_person_account() -> None:
    """S4-29: by what ActiveCampaign says of it; conversions and former contacts pass."""
    lead = held("created-from-salesforce-lead", "vip")
    for pending, tags in (("", lead), (LEAD, {})):
        with pytest.raises(RowError) as caught:
            barred(Origin(PERSON), tags, pending, rule())
        assert caught.value.cause == "not_convertible"
        assert barred(Origin(PERSON, LEAD), tags, pending, rule()) == ""
    both = lead | held("salesforce-lead-converted-to-contact")
    assert barred(Origin(PERSON), both, "", rule()) == ""


@pytest.mark.parametrize(("kind", "before", "passes"), [
    ("person_account", "contact", True), ("person_account", "lead", True),
    ("person_account", "account", False), ("person_account", "", True),
    ("person_account", "person_account", True), ("contact", "lead", True),
    ("contact", "person_account", False), ("lead", "contact", False),
    ("contact", "Business Account", False),
])  # fmt: skip
def test_only_contacts_and_converted_leads_become_person_accounts(
    kind: str, before: str, passes: bool
) -> None:
    """S4-29, S4-19: by what the source says of it; anything else is refused by name."""
    said = rule(converted_from="before")
    row = {"kind": kind, "before": before}
    if passes:
        origin = origin_of(row, said)
        assert origin is not None
        assert origin.converted_from == (before if before != kind else "")
        return
    with pytest.raises(RowError) as caught:
        origin_of(row, said)
    assert caught.value.cause == "not_convertible"
    assert "Business" not in caught.value.message


def test_only_tagged_contacts_are_updated_where_that_is_asked_for() -> None:
    """S4-23: any tag of any type counts, one that is due too; new contacts are made."""
    strict = rule(require_provenance_tag=True)
    assert barred(Origin(CONTACT), held("vip"), "", strict) == "no_provenance_tag"
    assert barred(Origin(CONTACT), held("vip"), "", rule()) == ""
    assert barred(Origin(CONTACT), None, "", strict) == ""
    assert barred(Origin(CONTACT), {}, CONTACT, strict) == ""
    assert barred(Origin(CONTACT, LEAD), {}, "", strict) == ""
    assert barred(Origin(CONTACT, added=True), {}, "", strict) == ""
    for tag in ("created-from-salesforce-lead", "added-to-salesforce-contact"):
        assert barred(Origin(CONTACT), held(tag), "", strict) == ""


def test_a_stream_writes_only_what_it_is_the_source_of_truth_for() -> None:
    """S4-24: new contacts included."""
    half = rule(source_of_truth=["person_account"])
    for tags, kind in product((None, {}), (CONTACT, LEAD)):
        assert barred(Origin(kind), tags, "", half) == "other_source_of_truth"
    assert barred(Origin(PERSON), None, "", half) == ""


@pytest.mark.parametrize(("one", "other", "clash"), [
    ({"record_type": "person_account"}, {"record_type": "contact"}, None),
    ({"record_type": "contact"}, {"record_type": "contact"}, "contact"),
    ({"record_type": "kind"}, {"record_type": "lead"}, "lead"),
    ({"record_type": "kind", "source_of_truth": ["contact", "lead"]},
     {"record_type": "person_account"}, None),
])  # fmt: skip
def test_a_record_type_has_one_source_of_truth(
    one: dict[str, Any], other: dict[str, Any], clash: str | None
) -> None:
    """S4-24: streams may not share it; a stream of one type decides that one, others all."""
    if clash is None:
        read(one, other)
    else:
        assert f"{clash} is decided by s0 already" in faults_of(one, other)


@given(
    names=st.sets(st.sampled_from([*ALL_TAGS, "vip"])),
    pending=st.sampled_from(["", *RecordType]),
    origin=st.builds(
        Origin,
        st.sampled_from(list(RecordType)),
        st.sampled_from(["", CONTACT, LEAD]),
        st.booleans(),
    ),
    listed=st.lists(st.sampled_from(sorted({*ALL_TAGS} - DEFAULT_TAGS[PERSON].folded)), min_size=1),
)
def test_what_one_run_did_leaves_the_next_nothing_to_do(
    names: set[str], pending: str, origin: Origin, listed: list[str]
) -> None:
    """S4-21, S4-22, S4-28, X3: any tags held or due, any record, any legacy tags; others stay,
    who was a person account stays one, and nobody loses their last tag of origin.
    """
    clean = rule(legacy_tags=listed, clean_up=True)
    before = held(*names)
    tagged = before | held(*due(origin, before, pending, clean))
    gone = {*legacy(origin, tagged, clean)}
    after = {folded: tag for folded, tag in tagged.items() if tag not in gone}
    assert (due(origin, after, "", clean), legacy(origin, after, clean)) == ((), ())
    assert ("vip" in before) == ("vip" in after)
    assert bool(kinds_of(after, "", clean)) >= bool(kinds_of(before, pending, clean))
    assert kinds_of(before, pending, clean) & {PERSON} <= kinds_of(after, "", clean)


@given(names=st.lists(st.sampled_from([*ALL_TAGS, "vip"]), unique=True), listed=st.permutations(
    ["created-from-salesforce-lead", "Added-To-Salesforce-Contact", "vip"]
))  # fmt: skip
def test_clean_up_takes_listed_tags_after_their_successor_and_never_the_last(
    names: list[str], listed: list[str]
) -> None:
    """S4-27, S4-28: in the order of the list; a tag of person accounts is always left."""
    tags = held(*names)
    gone = legacy(Origin(PERSON), tags, rule(legacy_tags=listed))
    seen = DEFAULT_TAGS[PERSON].folded & tags.keys()
    assert gone == (tuple(t.lower() for t in listed if t.lower() in tags) if seen else ())
    assert not gone or set(seen) & (tags.keys() - {*gone})
    assert legacy(Origin(CONTACT), tags, rule(legacy_tags=listed)) == ()


@pytest.mark.parametrize(("word", "kind"), [
    ("Contact", CONTACT), (" LEAD ", LEAD), ("Person_Account", PERSON),
    ("PersonAccount", PERSON), (True, PERSON), (False, CONTACT),
])  # fmt: skip
def test_a_record_type_is_read_by_the_sources_own_words(word: Any, kind: RecordType) -> None:
    """S4-26: letters of any case, flags as well."""
    words = {"person_account": ["PersonAccount", "true"], "contact": "false"}
    assert origin_of({"kind": word}, rule(values=words)) == Origin(kind)


def test_a_stream_of_one_record_type_needs_no_column_for_it() -> None:
    """S4-24: and one without that option says nothing of any record."""
    assert origin_of({"kind": "contact"}, rule(record_type="lead")) == Origin(LEAD)
    assert origin_of({"kind": "contact"}, None) is None
    assert not is_person_account(None)


@pytest.mark.parametrize(("word", "before"), [
    (" LEAD ", LEAD), ("Lead", LEAD), (1, LEAD), (None, ""), ("", ""), (" ", ""),
])  # fmt: skip
def test_what_a_record_was_before_is_read_by_the_same_words(word: Any, before: str) -> None:
    """S4-19, S4-26: letters of any case, numbers as well; nothing where nothing is said."""
    said = rule(converted_from="before", values={"lead": ["1"]})
    assert origin_of({"kind": "contact", "before": word}, said) == Origin(CONTACT, before)
    assert origin_of({"kind": "contact"}, said) == Origin(CONTACT)


@pytest.mark.parametrize("word", [None, "", "partner"])
def test_a_record_type_that_cannot_be_read_is_a_fault_of_the_row(word: Any) -> None:
    """S0-60: nobody guesses what a record is."""
    with pytest.raises(RowError) as caught:
        origin_of({"kind": word}, rule())
    assert (caught.value.cause, caught.value.field) == ("record_type_unreadable", "kind")


def test_an_unreadable_flag_is_a_fault_of_the_row() -> None:
    """S0-60: neither yes nor no."""
    said = rule(added_when="brought")
    assert origin_of({"kind": "lead", "brought": "yes"}, said) == Origin(LEAD, added=True)
    assert origin_of({"kind": "lead", "brought": None}, said) == Origin(LEAD)
    with pytest.raises(RowError) as caught:
        origin_of({"kind": "lead", "brought": "maybe"}, said)
    assert caught.value.cause == "record_type_unreadable"


def test_a_person_account_has_no_account_beside_it() -> None:
    """S4-3: it is contact and account in one."""
    account = {"key": "org", "key_field": "ORG"}
    stream = read({"record_type": "kind"}, account=account).streams["s0"]
    for kind, expected in (("person_account", ""), ("contact", "7")):
        row = {"mail": "a@example.com", "kind": kind, "org": "7"}
        assert to_contact(row, stream, KeyType.TEXT).account_key == expected


def test_the_columns_it_reads_must_be_in_the_schema() -> None:
    """S0-60: a column that is missing would say nothing of anybody."""
    options = {"record_type": "kind", "converted_from": "before", "added_when": "brought"}
    columns = read(options).streams["s0"].columns
    assert {"kind", "before", "brought"} <= {*columns}
    assert "person_account" not in read({"record_type": "person_account"}).streams["s0"].columns


def test_all_faults_are_named_at_once() -> None:
    """S4-22, S4-24, S4-28: one message for the whole option."""
    message = faults_of(
        {
            "values": {"partner": ["x"], "lead": ["contact", " "]},
            "tags": {
                "partner": {"created": "x"},
                "lead": {"lead_converted": "x", "created": ""},
                "contact": {"created": "added-to-salesforce-lead"},
            },
            "source_of_truth": ["partner"],
            "pending_field": "bubscttid",
            "clean_up": True,
            "legacy_tags": ["", "Added-to-Salesforce-Person-Account"],
        },
        tags={"add": ["Created-From-Salesforce-Contact"], "from": "t", "owned_prefixes": ["ADDED"]},
    )
    for part in (
        "record_type: a column, or one of contact, lead, person_account", "values.partner",
        "values: contact means two", "values.lead: holds a blank", "tags.partner",
        "tags.lead.lead_converted: one of created, added", "tags.lead.created",
        "tags.lead: a tag can't stand for two", "source_of_truth: partner",
        "pending_field: bubscttid is another", "legacy_tags: holds a blank",
        "legacy_tags: Added-to-Salesforce-Person-Account is a tag of person accounts",
        "added-to-salesforce-contact is set or removed by the option tags too",
    ):  # fmt: skip
        assert part in message, part
    assert "clean_up: needs legacy_tags" in faults_of({"record_type": "lead", "clean_up": True})
    assert "created-from-salesforce-contact is set or removed" in faults_of(
        {"record_type": "contact"}, tags={"remove": ["Created-From-Salesforce-Contact"]}
    )
