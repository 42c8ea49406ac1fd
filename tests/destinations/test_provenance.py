"""Tags that tell where a contact came from, and who may write to it while contacts turn into person
accounts; against the simulated account, with answers lost and runs cut short.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests
from destinations_support import WarmTarget, contact_of, seeded_fields, sums_close
from simulators_support import Simulator
from target_support import Run, record, schema, state

TEXT = {"type": ["string", "null"]}
COLUMNS = {
    **dict.fromkeys(("kind", "before", "consent", "consent_at", "proof", "wants"), TEXT),
    "brought": {"type": ["boolean", "null"]},
}
CREATED = "created-from-salesforce-person-account"
CONVERTED = "salesforce-lead-converted-to-person-account"
ADDED = "added-to-salesforce-person-account"
OLD = "created-from-salesforce-contact"
OLD_ADDED = "added-to-salesforce-contact"
OLD_LEAD = "created-from-salesforce-lead"
BASE: dict[str, Any] = {
    "key": "ctt_id",
    "key_field": "BUBSCTTID",
    "fields": {"email": "email", "firstName": "given_name"},
    "create_fields": False,
}
CONSENT = {"column": "consent", "granted_at": "consent_at", "evidence": "proof", "purpose": "ads"}
NEWS = {"consent": CONSENT, "lists": {"News": {"when": True, "consent": "ads"}}}


def persons(more: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """A stream of person accounts with these options of `provenance`; `more` are the stream's."""
    provenance = {
        "record_type": "person_account",
        "converted_from": "before",
        "added_when": "brought",
        **options,
    }
    return {"contacts": {**BASE, "provenance": provenance, **(more or {})}}


def two_streams(**more: Any) -> dict[str, Any]:
    """Streams of contacts and of person accounts, each with its keys in a field of its own."""
    contacts = {**BASE, **more, "provenance": {"record_type": "contact"}}
    accounts = {
        **BASE,
        **more,
        "key_field": "BUBSACCID",
        "provenance": {"record_type": "person_account"},
    }
    return {"contacts": contacts, "accounts": accounts}


def seed(sim: Simulator, *contacts: dict[str, Any], **more: Any) -> None:
    """The fields, tags and contacts that are there before."""
    own = [{"perstag": "BUBSTAGDUE", "type": "hidden"}, {"perstag": "BUBSACCID", "type": "hidden"}]
    tags = sorted({tag for one in contacts for tag in one.get("tags", ())})
    fields = seeded_fields(*own)
    sim.seed({"fields": fields, "tags": tags, "contacts": list(contacts), **more})


def known(key: int = 1, **more: Any) -> dict[str, Any]:
    """A contact that carries a backoffice key."""
    return {
        "email": f"person{key}@example.com",
        "firstName": "Before",
        "fieldValues": {"BUBSCTTID": str(key)},
        **more,
    }


def deliver(target: WarmTarget, *rows: dict[str, Any], **more: Any) -> Run:
    """Deliver rows with the columns of provenance, in their streams."""
    streams = dict.fromkeys(row["stream"] for row in rows)
    heads = [{**schema(**COLUMNS), "stream": name} for name in streams]
    return target.run([*heads, *rows, state(len(rows))], **more)


def of_stream(stream: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row as one of another stream."""
    return {**row, "stream": stream}


def tags_of(sim: Simulator, key: int = 1) -> list[str]:
    """A person's tags."""
    tags: list[str] = contact_of(sim, f"person{key}@example.com")["tags"]
    return tags


def writes(sim: Simulator, path: str) -> int:
    """How many writes a route has seen."""
    return sum(r["path"].endswith(path) for r in sim.requests(writes=True))


def assert_settled(sim: Simulator, target: WarmTarget, *rows: dict[str, Any]) -> None:
    """Offered again, the same rows change nothing."""
    before = sim.state()
    run = deliver(target, *rows)
    assert (run.code, run.report["writes"]) == (0, 0), run.stderr
    assert sim.state() == before


READS = pytest.mark.parametrize("reads", ["crawl", "point"])
INCLUDE = pytest.mark.parametrize("include", [True, False])


@READS
@INCLUDE
def test_a_contact_made_from_a_person_account_is_tagged_once(
    sim: Simulator, make_target: Any, reads: str, include: bool
) -> None:
    """S4-18, S4-21, X3: after its creation, in the same run; a second run has nothing to do."""
    seed(sim)
    sim.switches(include_supported=include)
    target = make_target(streams=persons(), reads=reads)
    run = deliver(target, record(1), record(2))
    assert (run.code, run.outcomes) == (0, {"applied": 2})
    assert [tags_of(sim, key) for key in (1, 2)] == [[CREATED]] * 2
    assert (writes(sim, "/tags"), writes(sim, "/contactTags")) == (1, 2)
    order = [r["path"].rpartition("/")[2] for r in sim.requests(writes=True)]
    assert order[0] == "contacts"
    assert contact_of(sim, "person1@example.com")["fieldValues"]["BUBSTAGDUE"] == ""
    assert_settled(sim, target, record(1), record(2))


@pytest.mark.parametrize("kind", ["contact", "lead", "person_account"])
def test_each_record_type_has_its_tag_under_the_name_that_is_configured(
    sim: Simulator, make_target: Any, kind: str
) -> None:
    """S4-22, S4-23: the types come from a column; foreign tags of the account stay."""
    seed(sim, known(5, tags=["vip"]))
    names = {"person_account": {"created": "PA"}, "contact": {"created": "made-from-CRM"}}
    target = make_target(streams=persons(record_type="kind", tags=names))
    run = deliver(target, record(1, kind=kind), record(5, kind=kind, given_name="After"))
    assert (run.code, run.outcomes) == (0, {"applied": 2})
    expected = {"person_account": "PA", "contact": "made-from-CRM", "lead": OLD_LEAD}
    assert (tags_of(sim), tags_of(sim, 5)) == ([expected[kind]], ["vip"])


@pytest.mark.parametrize("switches", [
    {"cleared_value": "row_removed"}, {"search_lag_seconds": 2.0}, {"tag_duplicate_status": 409},
    {"unknown_inline_field": "422"}, {"field_value_validation": "strict"},
], ids=str)  # fmt: skip
def test_what_nobody_knows_of_the_vendor_makes_no_difference(
    sim: Simulator, make_target: Any, switches: dict[str, Any]
) -> None:
    """S4-18, S4-21, X3: how an emptied value is kept, or how long a search lags."""
    seed(sim, known(5, tags=[OLD_LEAD]))
    sim.switches(**switches)
    sim.clock(advance=60)
    target = make_target(streams=persons(clean_up=True, legacy_tags=[OLD_LEAD]))
    rows = [record(1), record(5, before="lead")]
    assert deliver(target, *rows).outcomes == {"applied": 2}
    assert (tags_of(sim, 1), tags_of(sim, 5)) == ([CREATED], [CONVERTED])
    sim.clock(advance=60)
    assert_settled(sim, target, *rows)


def test_a_creation_that_fails_leaves_no_tag(sim: Simulator, make_target: Any) -> None:
    """S4-21: neither on a contact nor in the account."""
    seed(sim)
    sim.switches(email_validation="strict")
    run = deliver(make_target(streams=persons()), record(1, "p@bücher.example.com"))
    assert run.outcomes == {"rejected": 1}
    assert (writes(sim, "/tags"), writes(sim, "/contactTags")) == (0, 0)


@pytest.mark.parametrize("action", ["apply_then_reset", "reset", {"type": "apply_then_status"}])
@pytest.mark.parametrize("times", [1, 20], ids=["once", "all run long"])
@pytest.mark.parametrize("route", ["/contacts$", "/tags$", "/contactTags$", "/fieldValues$"])
def test_a_lost_answer_between_creation_and_tag_is_made_good(
    sim: Simulator, make_target: Any, route: str, times: int, action: Any
) -> None:
    """S4-18, S4-21, X1: by this run or the next; one contact, one tag, then rest."""
    seed(sim)
    target = make_target(streams=persons())
    sim.faults([
        {"match": {"method": "POST", "path": route}, "times": times, "action": action}
    ])  # fmt: skip
    deliver(target, record(1))
    assert sim.faults()[0]["fired"]
    sim.faults([])
    run = deliver(target, record(1))
    assert (run.code, run.stream["errors_by_step"]) == (0, {})
    assert (len(sim.contacts()), tags_of(sim), len(sim.state()["tags"])) == (1, [CREATED], 1)
    assert contact_of(sim, "person1@example.com")["fieldValues"]["BUBSTAGDUE"] == ""
    assert_settled(sim, target, record(1))


@READS
def test_a_contact_that_others_made_is_never_said_to_be_ours(
    sim: Simulator, make_target: Any, reads: str
) -> None:
    """S4-18, S4-21: known by key from before, or by address; nobody is tagged by switching on."""
    seed(sim, known(1), {"email": "person2@example.com"})
    target = make_target(streams=persons(), reads=reads)
    assert deliver(target, record(1), record(2)).code == 0
    assert contact_of(sim, "person2@example.com")["fieldValues"]["BUBSCTTID"] == "2"
    assert (tags_of(sim, 1), tags_of(sim, 2)) == ([], [])
    assert_settled(sim, target, record(1), record(2))


def test_a_tag_taken_off_by_hand_does_not_come_back(sim: Simulator, make_target: Any) -> None:
    """S4-21: it was set once."""
    seed(sim)
    target = make_target(streams=persons())
    deliver(target, record(1))
    (relation,) = sim.state()["contactTags"]
    requests.delete(
        f"{sim.url}/api/3/contactTags/{relation['id']}",
        headers={"Api-Token": "sim-key"},
        timeout=10,
    ).raise_for_status()
    assert tags_of(sim) == []
    deliver(target, record(1, given_name="Changed"))
    assert (tags_of(sim), contact_of(sim, "person1@example.com")["firstName"]) == ([], "Changed")


def test_a_contact_brought_into_the_source_is_tagged_as_added(
    sim: Simulator, make_target: Any
) -> None:
    """S4-20, S4-21: one that was there before and the source says so; not one that we made."""
    seed(sim, {"email": "person1@example.com", "tags": ["vip"]})
    target = make_target(streams=persons())
    rows = [record(1, brought=True), record(2, brought=True)]
    assert deliver(target, *rows).code == 0
    assert (tags_of(sim, 1), tags_of(sim, 2)) == ([ADDED, "vip"], [CREATED])
    assert_settled(sim, target, *rows)


def test_a_converted_lead_is_tagged_so(sim: Simulator, make_target: Any) -> None:
    """S4-19, S4-25, S4-22: in the same contact; its tags of before stay beside the new one."""
    seed(sim, known(1, tags=[OLD_LEAD, "vip"]))
    target = make_target(streams=persons())
    rows = [record(1, before="lead", given_name="After"), record(2, before="lead")]
    run = deliver(target, *rows)
    assert (run.code, run.outcomes) == (0, {"applied": 2})
    assert (tags_of(sim, 1), tags_of(sim, 2)) == (
        [OLD_LEAD, CONVERTED, "vip"],
        [CREATED, CONVERTED],
    )
    assert contact_of(sim, "person1@example.com")["firstName"] == "After"
    assert_settled(sim, target, *rows)


@pytest.mark.parametrize("before", [None, "partner"])
def test_what_is_no_contact_is_not_turned_into_a_person_account(
    sim: Simulator, make_target: Any, before: str | None
) -> None:
    """S4-29: a lead that was not converted, a business account: a named reject, nothing written."""
    seed(sim, known(1, tags=[OLD_LEAD]))
    target = make_target(streams=persons())
    run = deliver(target, record(1, before=before, given_name="After"))
    assert (run.outcomes, run.causes) == ({"rejected": 1}, {"not_convertible": 1})
    assert run.report["writes"] == 0
    deliver(target, record(1, before="lead", given_name="After"))
    assert contact_of(sim, "person1@example.com")["firstName"] == "After"
    assert target.rejects == []


def test_a_former_contact_turns_into_a_person_account(sim: Simulator, make_target: Any) -> None:
    """S4-25, S4-29: its record says so; both kinds of tags stand side by side."""
    seed(sim, known(1, tags=[OLD]))
    target = make_target(streams=persons())
    rows = [record(1, before="contact", brought=True, given_name="After")]
    assert deliver(target, *rows).outcomes == {"applied": 1}
    assert tags_of(sim) == [ADDED, OLD]
    assert_settled(sim, target, *rows)


LISTED = [OLD_LEAD, OLD]


@INCLUDE
def test_clean_up_removes_listed_tags_once_their_successor_is_seen(
    sim: Simulator, make_target: Any, include: bool
) -> None:
    """S4-27, S4-28, S4-35: after the new tag was read back, in the order of the list, no other."""
    seed(sim, known(1, tags=[OLD, OLD_LEAD, OLD_ADDED, "vip"]), known(2, tags=[OLD]))
    sim.switches(include_supported=include)
    target = make_target(streams=persons(clean_up=True, legacy_tags=LISTED))
    ids = {tag["tag"]: tag["id"] for tag in sim.state()["tags"]}
    relations = {
        row["tag"]: row["id"] for row in sim.state()["contactTags"] if row["contact"] == "1"
    }
    rows = [record(1, before="lead"), record(2)]
    run = deliver(target, *rows)
    assert (run.code, run.stream["details"]["legacy_tags_removed"]) == (0, 2)
    assert (tags_of(sim, 1), tags_of(sim, 2)) == ([OLD_ADDED, CONVERTED, "vip"], [OLD])
    calls = [(r["method"], r["path"].partition("/api/3/")[2]) for r in sim.requests()]
    after = calls[calls.index(("POST", "contactTags")) + 1 :]
    assert after[:3] == [
        ("GET", "contacts/1/contactTags"),
        *(("DELETE", f"contactTags/{relations[ids[tag]]}") for tag in LISTED),
    ]
    assert_settled(sim, target, *rows)


def test_clean_up_is_off_by_default_and_its_plan_is_counted(
    sim: Simulator, make_target: Any
) -> None:
    """S4-27: what it would remove is in the report, and stays."""
    seed(sim, known(1, tags=[OLD, OLD_LEAD]), known(2, tags=[OLD, CREATED]), known(3, tags=[OLD]))
    target = make_target(streams=persons(legacy_tags=LISTED))
    run = deliver(target, record(1, before="lead"), record(2), record(3))
    assert run.stream["details"]["legacy_tags_to_clean_up"] == 3
    assert "contacts: legacy_tags_to_clean_up 3" in run.stderr
    assert "contacts: matched 3 cfd\n" in run.stderr
    assert tags_of(sim, 1) == [OLD, OLD_LEAD, CONVERTED]
    assert (tags_of(sim, 2), tags_of(sim, 3)) == ([OLD, CREATED], [OLD])


@pytest.mark.parametrize("route", ["/contactTags$", "/contacts/\\d+/contactTags"])
def test_clean_up_does_nothing_until_the_new_tag_is_seen(
    sim: Simulator, make_target: Any, route: str
) -> None:
    """S4-28: neither when it could not be set nor when it could not be read back; then it does."""
    seed(sim, known(1, tags=[OLD]))
    target = make_target(streams=persons(clean_up=True, legacy_tags=LISTED), reads="crawl")
    method = "POST" if route.startswith("/contactTags") else "GET"
    match = {"method": method, "path": route}
    nth = {} if method == "POST" else {"nth": 2}
    sim.faults([{"match": match, **nth, "times": 20, "action": {"type": "status", "status": 500}}])
    run = deliver(target, record(1, before="lead"))
    assert (run.outcomes.get("applied"), OLD in tags_of(sim)) == (None, True)
    sim.faults([])
    assert deliver(target, record(1, before="lead")).outcomes == {"applied": 1}
    assert tags_of(sim) == [CONVERTED]


@pytest.mark.parametrize("first", ["contacts", "accounts"])
@READS
def test_a_person_is_synced_either_as_contact_or_as_person_account(
    sim: Simulator, make_target: Any, first: str, reads: str
) -> None:
    """S4-4, S4-26, S4-30, X1, X3: two streams over one person, in either order, run after run: the
    contact's row never writes what the person account's says otherwise.
    """
    seed(sim)
    target = make_target(streams=two_streams(), reads=reads)
    contact = record(1, given_name="Contact")
    person = of_stream("accounts", record(77, "Person1@example.com", given_name="Person"))
    rows = [contact, person] if first == "contacts" else [person, contact]
    for number in range(3):
        run = deliver(target, *rows)
        streams = {stream["stream"]: stream for stream in run.report["streams"]}
        assert streams["contacts"]["outcomes"]["suppressed"] == 1
        assert streams["contacts"]["causes"] == {"suppressed:update:person_account_there": 1}
        one = contact_of(sim, "Person1@example.com")
        assert (one["firstName"], one["tags"], len(sim.contacts())) == ("Person", [CREATED], 1)
        assert one["fieldValues"]["BUBSACCID"] == "77"
        assert not one["fieldValues"].get("BUBSCTTID")
        assert (run.code, run.report["writes"] > 0) == (0, number == 0)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("rule", ["first", "reject"])
def test_rows_of_one_stream_yield_to_a_person_account_with_their_address(
    sim: Simulator, make_target: Any, rule: str, order: int
) -> None:
    """S4-26, S4-30, X2, X4: whatever their order; what they withdraw counts for the address."""
    seed(sim, {"email": "person1@example.com", "lists": {"News": 1}}, lists=["News"])
    target = make_target(streams=persons(NEWS | {"on_duplicate_email": rule}, record_type="kind"))
    yes = {"consent": "confirmed", "consent_at": "2026-01-01T00:00:00Z", "proof": "form"}
    rows = [
        record(77, "person1@example.com", kind="person_account", given_name="Person", **yes),
        record(1, kind="contact", given_name="Contact", consent="unsubscribed"),
        record(9, "Person1@Example.com", kind="lead", given_name="Lead", **yes),
    ]
    run = deliver(target, *rows[::order])
    assert (run.code, run.outcomes) == (0, {"applied": 1, "suppressed": 2})
    assert run.causes["person_account_there"] == 2
    one = contact_of(sim, "person1@example.com")
    assert (one["firstName"], one["fieldValues"]["BUBSCTTID"]) == ("Person", "77")
    assert list(one["lists"].values()) == ["2"]
    assert_settled(sim, target, *rows[::order])


def test_a_contact_that_turned_into_a_person_account_is_left_to_that(
    sim: Simulator, make_target: Any
) -> None:
    """S4-25, S4-26, S4-30: known by its own key, it is not even renamed by the contact's row."""
    seed(sim)
    target = make_target(streams=two_streams())
    deliver(target, record(1, given_name="Contact"))
    assert tags_of(sim) == [OLD]
    person = record(77, "person1@example.com", given_name="Person", before="contact")
    # What official connectors or people do counts as much as what this target did.
    seed_tag(sim, ADDED)
    rows = [record(1, "other@example.com", given_name="Contact"), of_stream("accounts", person)]
    assert deliver(target, *rows).code == 0
    one = contact_of(sim, "person1@example.com")
    assert (one["firstName"], one["tags"]) == ("Person", [ADDED, OLD])
    assert_settled(sim, target, *rows)


def seed_tag(sim: Simulator, name: str) -> None:
    """Put a tag on the first contact, as another client does."""
    api, head = f"{sim.url}/api/3", {"Api-Token": "sim-key"}
    tag = {"tag": name, "tagType": "contact", "description": ""}
    made = requests.post(f"{api}/tags", json={"tag": tag}, headers=head, timeout=10).json()
    relation = {"contact": "1", "tag": made["tag"]["id"]}
    requests.post(
        f"{api}/contactTags", json={"contactTag": relation}, headers=head, timeout=10
    ).raise_for_status()


@pytest.mark.parametrize("trouble", [None, {"type": "status", "status": 500}])
@pytest.mark.parametrize("consent", ["unsubscribed", "objected", None])
def test_a_suppressed_row_still_withdraws(
    sim: Simulator, make_target: Any, consent: str | None, trouble: Any
) -> None:
    """X2, S4-26: also when the first attempt fails; it subscribes nobody and changes nothing."""
    lists = {"lists": ["News", "Foreign"]}
    on = {"News": 1, "Foreign": 1}
    seed(sim, known(1, tags=[CREATED], lists=on), known(2, tags=[CREATED]), **lists)
    target = make_target(streams=two_streams(**NEWS))
    if trouble:
        match = {"method": "POST", "path": "/contactLists$"}
        sim.faults([{"match": match, "times": 4, "action": trouble}])
    yes = {"consent": "confirmed", "consent_at": "2026-01-01T00:00:00Z", "proof": "form"}
    rows = [record(1, consent=consent, given_name="New"), record(2, given_name="New", **yes)]
    run = deliver(target, *rows)
    if trouble and run.outcomes.get("failed"):
        assert sim.faults()[0]["fired"] == 4
        run = deliver(target, *rows)
    assert run.outcomes == {"applied": 1, "suppressed": 1}
    one = contact_of(sim, "person1@example.com")
    assert (sorted(one["lists"].values()), one["firstName"]) == (["1", "2"], "Before")
    other = contact_of(sim, "person2@example.com")
    assert (other["lists"], other["firstName"]) == ({}, "Before")
    assert_settled(sim, target, *rows)


def test_a_deletion_is_heard_whatever_the_tags_say(sim: Simulator, make_target: Any) -> None:
    """X2: the contact's record was deleted, so the person is unsubscribed and tagged."""
    seed(sim, known(1, tags=[CREATED], lists={"News": 1}), lists=["News"])
    target = make_target(streams=two_streams())
    gone = record(1, _sdc_deleted_at="2026-02-03T00:00:00Z")
    assert deliver(target, gone).outcomes == {"applied": 1}
    one = contact_of(sim, "person1@example.com")
    assert (list(one["lists"].values()), "backoffice-deleted" in one["tags"]) == (["2"], True)


def test_updates_can_be_limited_to_tagged_contacts(sim: Simulator, make_target: Any) -> None:
    """S4-23: others are left alone by name, not even adopted; new ones are made and tagged."""
    seed(sim, known(1, tags=["vip"]), known(2, tags=[OLD_ADDED]), {"email": "person3@example.com"})
    target = make_target(streams=persons(record_type="contact", require_provenance_tag=True))
    rows = [record(key, given_name="After") for key in (1, 2, 3, 4)]
    run = deliver(target, *rows)
    assert (run.outcomes, run.causes["no_provenance_tag"]) == ({"applied": 2, "suppressed": 2}, 2)
    names = {email: one["firstName"] for email, one in sim.contacts().items()}
    assert list(names.values()) == ["Before", "After", "", "After"]
    assert not contact_of(sim, "person3@example.com")["fieldValues"].get("BUBSCTTID")
    assert (tags_of(sim, 1), tags_of(sim, 4)) == (["vip"], [OLD])
    assert_settled(sim, target, *rows)
    converted = deliver(target, record(1, given_name="After", before="lead"))
    assert converted.outcomes == {"applied": 1}  # a tag is due, and the contact gets it


def test_the_source_of_truth_of_a_record_type_decides(sim: Simulator, make_target: Any) -> None:
    """S4-24: what another stream has to say of it is not written, new or known."""
    seed(sim, known(1, tags=[OLD]))
    streams = two_streams()
    streams["accounts"]["provenance"] = {
        "record_type": "kind", "source_of_truth": ["person_account", "lead"],
    }  # fmt: skip
    target = make_target(streams=streams)
    rows = [
        of_stream("accounts", record(1, kind="contact", given_name="Theirs")),
        of_stream("accounts", record(2, kind="contact")),
        of_stream("accounts", record(3, kind="lead")),
        record(1, given_name="Ours"),
    ]
    run = deliver(target, *rows)
    assert run.code == 0
    theirs = next(s for s in run.report["streams"] if s["stream"] == "accounts")
    assert sum(n for c, n in theirs["causes"].items() if c.endswith("other_source_of_truth")) == 2
    assert sorted(sim.contacts()) == ["person1@example.com", "person3@example.com"]
    assert contact_of(sim, "person1@example.com")["firstName"] == "Ours"


def test_the_field_for_a_tag_still_due_is_made_on_request(sim: Simulator, make_target: Any) -> None:
    """S0-14: hidden, as the key's own; without create_fields the run says what is missing."""
    sim.seed({"fields": seeded_fields()})
    refused = deliver(make_target("strict", streams=persons()), record(1))
    assert (refused.code, "BUBSTAGDUE" in refused.stderr) == (2, True)
    assert deliver(make_target(streams=persons({"create_fields": True})), record(1)).code == 0
    (made,) = (field for field in sim.state()["fields"] if field["perstag"] == "BUBSTAGDUE")
    assert (made["type"], tags_of(sim)) == ("hidden", [CREATED])


def test_sums_close_with_suppressed_rows(sim: Simulator, make_target: Any) -> None:
    """X4: each row has one outcome, whatever its kind."""
    seed(sim, known(1, tags=[CREATED]), known(2, tags=[OLD_LEAD]))
    target = make_target(streams=persons(record_type="kind", require_provenance_tag=True))
    kinds = ["contact", "person_account", "lead", "nonsense", None]
    rows = [record(key, kind=kind) for key, kind in enumerate(kinds, 1)]
    run = deliver(target, *rows)
    assert sums_close(run)
    assert run.causes == {
        "person_account_there": 1, "not_convertible": 1, "record_type_unreadable": 2,
    }  # fmt: skip
