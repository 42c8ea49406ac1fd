"""`audit`: what is wrong in an account, and what changed there behind our back; 0 writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from destinations_support import WarmTarget, seeded_fields
from scene_support import there
from simulators_api import Api
from simulators_support import Simulator
from target_activecampaign.settings import DEFAULT_STREAMS
from target_support import record, schema, state

MakeTarget = Callable[..., WarmTarget]
PERSON, LEAD = "created-from-salesforce-person-account", "created-from-salesforce-lead"


def stream(**options: Any) -> dict[str, Any]:
    return {"contacts": {**DEFAULT_STREAMS["contacts"], **options}}


def audited(sim: Simulator, target: WarmTarget, *options: str) -> dict[str, Any]:
    """What it found, by kind: contact ids with keys; it writes nothing and shows no address."""
    sim.forget_requests()
    done = target.operate("audit", "--format", "json", *options)
    assert done.returncode == 0, done.stderr
    assert sim.requests(writes=True) == []
    assert ("@" in done.stdout) == ("--show-addresses" in options)
    told = json.loads(done.stdout)
    found: dict[str, Any] = {}
    for one in told["findings"]:
        found.setdefault(one["kind"], []).append((one["contacts"], one["keys"]))
    assert {kind: n for kind, n in told["counts"].items() if n} == {
        kind: len(ones) for kind, ones in found.items()
    }
    return found


def ids(sim: Simulator) -> dict[str, str]:
    return {email: str(contact["id"]) for email, contact in sim.contacts().items()}


def test_a_clean_account_has_nothing_to_report(sim: Simulator, target: WarmTarget) -> None:
    """S4-34: every kind is named with 0, and what can't be told is said."""
    sim.seed({"fields": seeded_fields()})
    target.deliver([record(1), record(2)])
    assert audited(sim, target) == {}
    shown = target.operate("audit").stdout
    assert shown.startswith("2 contacts read\n      0 duplicate_address\n")
    assert "can't be told: contacts: foreign changes" in shown


def test_duplicates_are_found_by_address_and_by_key(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S4-34: the same address but for its case and blanks, the same key in two spellings."""
    sim.switches(email_unique_ignores_case=False)
    contacts = [
        there("twin@example.com", 1),
        there("a@example.com", 17),
        there("b@example.com", "017"),
        there("c@example.com"),
    ]
    sim.seed({"fields": seeded_fields(), "contacts": contacts})
    api = Api(sim)
    with api.session:
        api.contact("Twin@Example.com")
    number = ids(sim)
    assert audited(sim, make_target()) == {
        "duplicate_address": [([number["twin@example.com"], number["Twin@Example.com"]], [])],
        "duplicate_key": [
            ([number["a@example.com"], number["b@example.com"]], ["contacts key:17"])
        ],
    }


def test_mixed_tags_and_persons_who_are_there_twice_are_found(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S4-34: both tag families on one contact; a person account and a contact of one person."""
    ada = {"firstName": "Ada", "lastName": "Example", "phone": "+41 44 000"}
    sim.seed(
        {
            "fields": [*seeded_fields(), {"perstag": "BUBSTAGDUE"}],
            "tags": [PERSON, LEAD, "vip"],
            "contacts": [
                there("both@example.com", 1, tags=[PERSON, LEAD]),
                there("lead@example.com", 2, tags=[LEAD, "vip"]),
                there("ada@example.com", 3, tags=[PERSON], **ada),
                there("ada.2@example.com", 4, **{**ada, "firstName": " ADA", "phone": "4144000"}),
                there("eve@example.com", 5, **{**ada, "firstName": "Eve"}),
            ],
        }
    )
    number = ids(sim)
    target = make_target(streams=stream(provenance={"record_type": "contact"}))
    assert audited(sim, target) == {
        "both_tag_families": [([number["both@example.com"]], ["contacts key:1"])],
        "person_account_and_contact": [
            ([number["ada@example.com"], number["ada.2@example.com"]], [])
        ],
    }


def test_what_changes_of_address_left_behind_is_found(sim: Simulator, target: WarmTarget) -> None:
    """S4-34: contacts that were given up, and addresses of the moment."""
    contacts = [
        there("old@example.com", "former:7"),
        there("parked-9@address-change.invalid", 9),
    ]
    sim.seed({"fields": seeded_fields(), "contacts": contacts})
    number = ids(sim)
    assert audited(sim, target) == {
        "former_contact": [([number["old@example.com"]], ["contacts key:former:7"])],
        "parked_address": [
            ([number["parked-9@address-change.invalid"]], ["contacts key:9"]),
        ],
    }


def test_who_was_deleted_or_forgotten_and_is_still_there_is_found(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """X2: on a list though deleted in the source; there though erased here."""
    contacts = [there(f"person{n}@example.com", n, lists={"News": 1}) for n in (1, 2, 3)]
    sim.seed({"fields": seeded_fields(), "lists": ["News"], "contacts": contacts})
    target = make_target()
    target.run([schema(), record(1, _sdc_deleted_at="2026-03-01"), state(1)])
    assert target.operate("forget", "--key", "2").returncode == 0
    number = ids(sim)
    assert audited(sim, target) == {
        "forgotten_but_there": [([number["person2@example.com"]], [])],
    }
    api_list = sim.state()["lists"][0]["id"]
    api = Api(sim)
    with api.session:
        row = {"contact": number["person1@example.com"], "list": api_list, "status": 1}
        assert api.post("contactLists", {"contactList": {**row, "sourceid": 4}}).ok
    assert audited(sim, target)["active_though_deleted"] == [
        ([number["person1@example.com"]], ["contacts key:1"])
    ]


@pytest.mark.ledgers
def test_drift_is_told_as_far_as_the_ledger_knows(sim: Simulator, make_target: MakeTarget) -> None:
    """S4-34: contacts that are gone, moved or re-keyed there since they were last seen."""
    sim.seed({"fields": seeded_fields()})
    target = make_target()
    target.deliver([record(n) for n in (1, 2, 3, 4)])
    number = ids(sim)
    sim.event("delete_contact", email="person1@example.com")
    sim.event("edit_contact", email="person2@example.com", newEmail="moved@example.com")
    sim.event("edit_contact", email="person3@example.com", fieldValues={"BUBSCTTID": ""})
    assert audited(sim, target) == {
        "gone": [([number["person1@example.com"]], ["contacts key:1"])],
        "address_differs": [([number["person2@example.com"]], ["contacts key:2"])],
        "key_differs": [([number["person3@example.com"]], ["contacts key:3"])],
    }


def test_changes_by_others_since_the_last_run_are_told(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S4-34: what a run has written itself is not taken for somebody else's change."""
    sim.seed({"fields": seeded_fields()})
    target = make_target(reads="incremental")
    target.deliver([record(1), record(2)])
    run = target.deliver([record(1), record(2, given_name="Ada")])
    assert run.outcomes == {"applied": 1, "unchanged": 1}
    number = ids(sim)
    assert audited(sim, target) == {}
    sim.clock(advance=3600)
    sim.event("edit_contact", email="person1@example.com", firstName="Eve")
    assert audited(sim, target) == {
        "changed_by_others": [([number["person1@example.com"]], ["contacts key:1"])]
    }
    later = "2100-01-01 00:00:00"
    assert audited(sim, target, "--since", later) == {}


def test_addresses_are_only_shown_on_request(sim: Simulator, target: WarmTarget) -> None:
    """X7: by default ids and keys, which tell nothing to who may not look at the account."""
    sim.seed({"fields": seeded_fields(), "contacts": [there("old@example.com", "former:7")]})
    assert "@" not in target.operate("audit").stdout
    shown = target.operate("audit", "--show-addresses").stdout
    assert "(old@example.com)  contacts key:former:7" in shown
    assert audited(sim, target, "--show-addresses").keys() == {"former_contact"}


def test_an_account_that_brings_no_values_along_is_read_the_documented_way(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-21: where include=fieldValues has no effect, the values of the key field are paged."""
    sim.switches(include_supported=False)
    contacts = [there("a@example.com", 17), there("b@example.com", 17)]
    sim.seed({"fields": seeded_fields(), "contacts": contacts})
    assert audited(sim, target)["duplicate_key"][0][1] == ["contacts key:17"]


def test_a_key_that_others_wrote_there_forges_no_line(sim: Simulator, target: WarmTarget) -> None:
    """E5: what a contact holds may be anything; a terminal is shown what it is."""
    odd = "1\x1b[2J\nduplicate_key: contact 9"
    contacts = [there("one@example.com", odd), there("two@example.com", odd)]
    sim.seed({"fields": seeded_fields(), "contacts": contacts})
    told = target.operate("audit").stdout
    assert "\\x1b[2J\\nduplicate_key" in told
    assert "\x1b" not in told
    assert not [line for line in told.splitlines() if line.startswith("duplicate_key: contact 9")]
