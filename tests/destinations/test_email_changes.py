"""A changed address is an operation with a policy: who is active where, before and after."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from destinations_support import (
    WarmTarget,
    contact_of,
    keys_are_unique,
    seeded_fields,
    sums_close,
)
from ledger_support import lose_ledger, place_of
from simulators_support import Simulator
from target_kit.lock import run_lock
from target_support import Run, record, schema, state

OLD, NEW = "max.muster@example.com", "m.muster@example.com"
LAST_MONTH = (datetime.now(UTC) - timedelta(days=30)).isoformat()
TEXT = {"type": ["string", "null"]}
COLUMNS = dict.fromkeys(("consent", "consent_at", "proof", "consent_for"), TEXT)
CONSENT = {"column": "consent", "granted_at": "consent_at", "evidence": "proof", "purpose": "ads"}
NAMED = {**CONSENT, "address": "consent_for"}
YES = {"consent": "confirmed", "consent_at": LAST_MONTH, "proof": "form 7"}
READS = pytest.mark.parametrize("reads", ["crawl", "point"])
CHANGES = [
    ("case_only", "Max.Muster@example.com", OLD),
    ("local_part", OLD, NEW),
    ("domain", "max@example.org", "max@example.net"),
    ("role_to_personal", "info@example.com", OLD),
]


def stream(policy: Any = None, *, consent: Any = CONSENT, **more: Any) -> dict[str, Any]:
    """A stream that manages the list News, with this policy."""
    options: dict[str, Any] = {
        "key": "ctt_id",
        "key_field": "BUBSCTTID",
        "fields": {"email": "email", "firstName": "given_name"},
        "consent": consent,
        "lists": {"News": {"when": True, "consent": "ads"}},
        **more,
    }
    return {"contacts": options | ({"on_email_change": policy} if policy else {})}


def plain(policy: Any = None, **more: Any) -> dict[str, Any]:
    """A stream without lists."""
    options: dict[str, Any] = {"key": "ctt_id", "key_field": "BUBSCTTID", **more}
    options["fields"] = {"email": "email", "firstName": "given_name"}
    return {"contacts": options | ({"on_email_change": policy} if policy else {})}


def deliver(target: WarmTarget, *rows: dict[str, Any]) -> Run:
    """Deliver rows with the columns of consent."""
    run = target.run([schema(**COLUMNS), *rows, state(len(rows))])
    assert run.code == 0, run.stderr
    assert sums_close(run)
    return run


def seed(sim: Simulator, *contacts: dict[str, Any], **more: Any) -> None:
    """The list News, a foreign one, and these contacts."""
    lists = ["News", {"name": "Foreign", "id": 70}]
    sim.seed({"fields": seeded_fields(), "lists": lists, "contacts": list(contacts), **more})


def person(key: int, email: str, **more: Any) -> dict[str, Any]:
    """A contact as the account has it already."""
    return {"email": email, "fieldValues": {"BUBSCTTID": str(key)}, **more}


def active(sim: Simulator) -> set[tuple[str, str]]:
    """Address and list of everybody who gets mail."""
    lists = {entry["id"]: entry["name"] for entry in sim.state()["lists"]}
    return {
        (email.lower(), lists[list_id])
        for email, contact in sim.contacts().items()
        for list_id, status in contact["lists"].items()
        if status == "1"
    }


def worklist(target: WarmTarget) -> set[str]:
    """Kinds of the open items, as the report counts them."""
    report = target.home / "report.json"

    streams = json.loads(report.read_text())["streams"]
    return {kind for one in streams for kind in one["details"].get("worklist", {})}


@pytest.mark.parametrize(("kind", "old", "new"), CHANGES)
@READS
def test_by_policy_rename_it_stays_one_contact(
    sim: Simulator, make_target: Any, kind: str, old: str, new: str, reads: str
) -> None:
    """S2-1, S2-2, S0-35, X1: every kind of change; id and statistics stay, no second contact, and
    without proof for the new address nobody is active there.
    """
    seed(sim, person(1, old, lists={"News": 1, "Foreign": 1}))
    target = make_target(streams=stream("rename"), reads=reads)
    before = contact_of(sim, old)["id"]
    run = deliver(target, record(1, new, **YES))
    contacts = sim.contacts()
    assert [(c["id"], e.lower()) for e, c in contacts.items()] == [(before, new.lower())]
    if kind == "case_only":
        assert run.outcomes == {"unchanged": 1}
        assert active(sim) == {(new.lower(), "News"), (new.lower(), "Foreign")}
        return
    assert run.outcomes == {"applied": 1}
    assert run.causes == {"no_evidence_for_address": 1}
    assert active(sim) == {(new, "Foreign")}
    assert worklist(target) == {"no_evidence_for_address"}
    again = deliver(target, record(1, new, **YES))
    assert (again.outcomes, again.report["writes"]) == ({"unchanged": 1}, 0)
    assert worklist(target) == {"no_evidence_for_address"}


@READS
def test_with_proof_for_the_new_address_a_renamed_contact_stays_active(
    sim: Simulator, make_target: Any, reads: str
) -> None:
    """S2-11: the source says for which address the consent was given."""
    seed(sim, person(1, OLD, lists={"News": 1}))
    target = make_target(streams=stream("rename", consent=NAMED), reads=reads)
    run = deliver(target, record(1, NEW, **YES, consent_for=NEW))
    assert (run.outcomes, run.causes) == ({"applied": 1}, {})
    assert active(sim) == {(NEW, "News")}
    assert [call["path"] for call in sim.requests(writes=True)] == ["/api/3/contacts/1"]


def test_a_list_may_keep_its_people_by_an_explicit_word(sim: Simulator, make_target: Any) -> None:
    """S2-13, S2-15: also in the runs after; on the other list proof is wanted."""
    seed(sim, person(1, OLD, lists={"News": 1, "Foreign": 1}))
    keep = {"when": True, "consent": "ads", "after_email_change": "keep"}
    lists = {"News": keep, "Foreign": {"when": True, "consent": "ads"}}
    target = make_target(streams=stream("rename", lists=lists))
    deliver(target, record(1, NEW, **YES))
    assert active(sim) == {(NEW, "News")}
    again = deliver(target, record(1, NEW, **YES))
    assert again.report["writes"] == 0


@READS
def test_a_list_that_is_new_to_a_renamed_contact_is_not_joined_without_proof(
    sim: Simulator, make_target: Any, reads: str
) -> None:
    """S2-11, X8: not now and not in a later run, not even once the ledger is gone, because the
    destination was made to remember; newer proof is what it takes.
    """
    seed(sim, person(1, OLD))
    target = make_target(streams=stream("rename"), reads=reads)
    deliver(target, record(1, NEW, **YES))
    assert active(sim) == set()
    for path in target.home.glob("**/ledger.sqlite*"):
        path.unlink()
    run = deliver(target, record(1, NEW, **YES))
    assert (run.report["writes"], active(sim)) == (0, set())
    tomorrow = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    sim.clock(advance=5)
    deliver(target, record(1, NEW, **{**YES, "consent_at": tomorrow}))
    assert active(sim) == {(NEW, "News")}


@READS
def test_evidence_from_before_the_address_counts_on_no_list_that_is_added_later(
    sim: Simulator, make_target: Any, reads: str
) -> None:
    """S2-11, S2-14: the dated history knows that the consent is older than the address."""
    seed(sim, person(1, OLD))
    first = make_target("target", streams=plain("rename"), reads=reads)
    deliver(first, record(1, OLD, **YES))
    deliver(first, record(1, NEW, **YES))
    later = make_target("target", streams=stream("rename"), reads=reads)
    run = deliver(later, record(1, NEW, **YES))
    assert (run.causes, active(sim)) == ({"no_evidence_for_address": 1}, set())


@pytest.mark.parametrize(("kind", "old", "new"), CHANGES)
@READS
def test_by_policy_hold_the_old_address_stays_until_there_is_proof(
    sim: Simulator, make_target: Any, kind: str, old: str, new: str, reads: str
) -> None:
    """S2-12, S2-2: all else is written, the row is kept and offered again without any new record,
    and consent that was given for the new address lets it go.
    """
    seed(sim, person(1, old, lists={"News": 1}))
    target = make_target(streams=stream({kind: "hold"}, consent=NAMED), reads=reads)
    said = None if kind == "case_only" else old
    row = record(1, new, given_name="Max", **YES, consent_for=said)
    run = deliver(target, row)
    assert (run.outcomes, run.causes) == ({"held": 1}, {"email_change_held": 1})
    assert contact_of(sim, old)["firstName"] == "Max"
    assert active(sim) == {(old.lower(), "News")}
    assert worklist(target) == {"email_change_held"}
    again = target.run([schema(**COLUMNS), state(1)])
    assert (again.code, again.outcomes, again.report["writes"]) == (0, {"held": 1}, 0)
    if kind == "case_only":
        return
    proven = deliver(target, record(1, new, given_name="Max", **YES, consent_for=new))
    assert proven.outcomes == {"applied": 1}
    assert active(sim) == {(new, "News")}
    assert worklist(target) == set()
    assert target.rejects == []
    last = target.operate("history", "--key", "1").stdout.splitlines()[-1]
    assert last.endswith(f"{kind} proven")


def test_a_held_row_still_withdraws(sim: Simulator, make_target: Any) -> None:
    """S2-19, X2: whatever becomes of the address, who takes consent back leaves at once."""
    seed(sim, person(1, "info@example.com", lists={"News": 1}))
    target = make_target(streams=stream())
    deliver(target, record(1, OLD, consent="unsubscribed"))
    assert active(sim) == set()
    assert list(sim.contacts()) == ["info@example.com"]


@pytest.mark.ledgers
def test_an_operator_approves_one_change(sim: Simulator, make_target: Any, tmp_path: Any) -> None:
    """S2-12, S2-14: worklist tells what waits, approve lets this one go, history shows both."""
    seed(sim, person(1, "info@example.com"), person(2, "office@example.com"))
    target = make_target(streams=plain())
    deliver(target, record(1, OLD), record(2, "b@example.com"))
    said = target.operate("worklist")
    assert said.stdout.count("email_change_held") == 2
    assert "@" not in said.stdout + said.stderr
    assert target.operate("approve", "--key", "3").returncode == 2
    assert target.operate("approve", "--key", "1").returncode == 0
    run = target.run([schema(**COLUMNS), state(1)])
    assert run.outcomes == {"applied": 1, "held": 1}
    assert sorted(sim.contacts()) == [OLD, "office@example.com"]
    history = target.operate("history", "--key", "1").stdout.splitlines()
    assert ["info@example.com" in history[0], OLD in history[1]] == [True, True]
    assert history[1].endswith("  role_to_personal approved")
    assert history[1].split(" to ")[1].startswith("now")
    assert target.operate("history", "--address", "INFO@example.com").stdout == history[0] + "\n"


def test_no_change_is_approved_while_a_run_is_writing(sim: Simulator, make_target: Any) -> None:
    """X4: the rejects have one writer at a time; a row without key is not named by its address."""
    seed(sim, person(1, "info@example.com"))
    target = make_target(streams=plain())
    deliver(target, record(1, OLD), record(None, "info@example.com"))
    account = sim.url.partition("//")[2]
    with run_lock(target.home / "state", account, "contact"):
        refused = target.operate("approve", "--key", "1")
        assert (refused.returncode, "another run" in refused.stderr) == (5, True)
        said = target.operate("worklist")
    assert "a row without key" in said.stdout
    assert "@" not in said.stdout
    assert target.operate("approve", "--key", "1").returncode == 0


@pytest.mark.parametrize(("kind", "old", "new"), CHANGES[1:])
@READS
def test_by_policy_resubscribe_the_old_address_is_signed_off_and_the_new_one_on(
    sim: Simulator, make_target: Any, kind: str, old: str, new: str, reads: str
) -> None:
    """S2-16, S2-17, S2-20, X1: off first, everywhere; the old contact stays, inactive; the new one
    is active only with proof; never both, at any call.
    """
    seed(sim, person(1, old, lists={"News": 1, "Foreign": 1}))
    target = make_target(streams=stream({kind: "resubscribe"}, consent=NAMED), reads=reads)
    sim.keep_journal()
    run = deliver(target, record(1, new, **YES, consent_for=new))
    assert run.outcomes == {"applied": 1}
    assert active(sim) == {(new, "News")}
    assert contact_of(sim, old)["fieldValues"]["BUBSCTTID"] == "former:1"
    assert contact_of(sim, new)["fieldValues"]["BUBSCTTID"] == "1"
    assert not both_ever(sim)
    sim.forget_requests()
    again = deliver(target, record(1, new, **YES, consent_for=new))
    assert (again.outcomes, again.report["writes"]) == ({"unchanged": 1}, 0)


@pytest.mark.ledgers
@READS
@pytest.mark.parametrize("ledger", [True, False])
def test_without_proof_the_new_contact_begins_inactive_and_stays_so(
    sim: Simulator, make_target: Any, reads: str, ledger: bool
) -> None:
    """S2-11, S2-16, X8: consent that names no address was for the old one, ledger or none."""
    seed(sim, person(1, OLD, lists={"News": 1}))
    target = make_target(streams=stream("resubscribe"), reads=reads)
    for _ in range(2):
        run = deliver(target, record(1, NEW, **YES))
        assert run.causes["no_evidence_for_address"] == 1
        assert active(sim) == set()
        assert sorted(sim.contacts()) == sorted([OLD, NEW])
        if not ledger:
            lose_ledger(target)


@READS
def test_who_had_unsubscribed_under_the_old_address_is_not_subscribed_under_the_new(
    sim: Simulator, make_target: Any, reads: str
) -> None:
    """S2-19, X2: proof for the new address that is older than that does not help."""
    seed(sim, person(1, OLD, lists={"News": 2}))
    target = make_target(streams=stream("resubscribe", consent=NAMED), reads=reads)
    run = deliver(target, record(1, NEW, **YES, consent_for=NEW))
    assert run.causes == {"unsubscribed_before": 1}
    assert active(sim) == set()


@pytest.mark.ledgers
@READS
@pytest.mark.parametrize("ledger", [True, False])
def test_there_and_back_is_the_same_contact_again(
    sim: Simulator, make_target: Any, reads: str, ledger: bool
) -> None:
    """S2-27: A, B, A by resubscribe: the first contact has the person again, and there is no third;
    with the ledger or without.
    """
    seed(sim, person(1, OLD, lists={"News": 1}))
    target = make_target(streams=stream("resubscribe", consent=NAMED), reads=reads)
    ids = []
    for address in (OLD, NEW, OLD, NEW):
        if not ledger:
            lose_ledger(target)
        deliver(target, record(1, address, **YES, consent_for=address))
        assert keys_are_unique(sim)
        ids.append(contact_of(sim, address)["id"])
        assert {email for email, _ in active(sim)} <= {address}
    assert ids[0] == ids[2]
    assert ids[1] == ids[3]
    assert len(sim.contacts()) == 2


@pytest.mark.ledgers
def test_there_and_back_by_rename_is_one_contact_with_a_dated_history(
    sim: Simulator, make_target: Any
) -> None:
    """S2-14, S2-26, S2-27: between two runs it is nothing at all; with runs between, three
    intervals; an address the source had only in between is in the history too.
    """
    seed(sim, person(1, OLD))
    columns = {"version_column": "v", "key": "ctt_id", "key_field": "BUBSCTTID"}
    target = make_target(streams=plain("rename", **columns))
    numbered = {**COLUMNS, "v": {"type": "integer"}}

    def say(*addresses: str) -> Run:
        rows = [record(1, a, v=n) for n, a in enumerate(addresses)]
        return target.run([schema(**numbered), *rows, state(len(rows))])

    assert say(OLD).report["writes"] == 0
    assert say(OLD, NEW, OLD).report["writes"] == 0
    assert say(OLD, "b@example.com", NEW).outcomes == {"suppressed": 2, "applied": 1}
    assert say(NEW, OLD).outcomes == {"suppressed": 1, "applied": 1}
    assert list(sim.contacts()) == [OLD]
    lines = target.operate("history", "--key", "1").stdout.splitlines()
    seen = [line.split("  ")[2] for line in lines]
    assert seen.count(OLD) == 2
    assert set(seen) == {OLD, NEW, "b@example.com"}
    assert sum("passed_over" in line for line in lines) >= 1


@READS
@pytest.mark.parametrize("size", [2, 3, 5])
def test_addresses_handed_round_end_where_they_belong(
    sim: Simulator, make_target: Any, reads: str, size: int
) -> None:
    """S2-28, X1: swaps and rings, beside a chain; every contact keeps its id."""
    keys = range(1, size + 1)
    seed(sim, *(person(k, f"p{k}@example.com") for k in keys), person(8, "p8@example.com"))
    target = make_target(streams=plain("rename"), reads=reads)
    ids = {c["fieldValues"]["BUBSCTTID"]: c["id"] for c in sim.contacts().values()}
    rows = [record(k, f"p{k % size + 1}@example.com") for k in keys]
    run = deliver(target, *rows, record(8, "p9@example.com"), record(9, "p8@example.com"))
    assert run.outcomes == {"applied": size + 2}
    for k in keys:
        contact = contact_of(sim, f"p{k % size + 1}@example.com")
        assert (contact["fieldValues"]["BUBSCTTID"], contact["id"]) == (str(k), ids[str(k)])
    assert keys_are_unique(sim)
    assert not any("invalid" in email for email in sim.contacts())
    assert deliver(target, *rows).report["writes"] == 0


def test_a_swap_moves_no_consent(sim: Simulator, make_target: Any) -> None:
    """S2-28, S2-11, X2: each address stays as active as its own proof allows, at every call."""
    a, b = "a@example.com", "b@example.com"
    seed(sim, person(1, a, lists={"News": 1}), person(2, b, lists={"News": 1}))
    target = make_target(streams=stream("rename", consent=NAMED))
    sim.keep_journal()
    deliver(target, record(1, b, **YES, consent_for=b), record(2, a, **YES, consent_for=b))
    assert active(sim) == {(b, "News")}
    assert contact_of(sim, b)["fieldValues"]["BUBSCTTID"] == "1"


@READS
@pytest.mark.parametrize("runs", [1, 2])
@pytest.mark.parametrize("newcomer", ["known", "active", "new"])
def test_who_left_an_address_has_left_it_for_the_next_one_to_have_it(
    sim: Simulator, make_target: Any, reads: str, runs: int, newcomer: str
) -> None:
    """S2-28, X2: the mailbox unsubscribed, then the address is handed on, in one run or from one to
    the next; proof for it that is older than that makes nobody active there.
    """
    there = [person(1, OLD, lists={"News": 1})]
    if newcomer != "new":
        there.append(person(2, "p2@example.com", lists={"News": 1} if newcomer == "active" else {}))
    seed(sim, *there)
    target = make_target(streams=stream("rename", consent=NAMED), reads=reads)
    deliver(target, record(1, OLD, **YES, consent_for=OLD))
    sim.event("unsubscribe", contact="1", list="1")
    sim.keep_journal()
    moves = record(1, NEW, consent="none")
    takes = record(2, OLD, **YES, consent_for=OLD)
    if runs == 1:
        deliver(target, takes, moves)
    else:
        deliver(target, moves)
        deliver(target, takes)
    assert contact_of(sim, OLD)["fieldValues"]["BUBSCTTID"] == "2"
    assert (OLD, "News") not in active(sim)
    assert not ever_active(sim, OLD)


def test_a_swap_that_the_vendor_refuses_is_named(sim: Simulator, make_target: Any) -> None:
    """S2-28: no contact may step aside: nobody is changed, and both are on the worklist."""
    a, b = "a@example.com", "b@example.com"
    seed(sim, person(1, a), person(2, b))
    target = make_target(streams=plain("rename"))
    said = {"errors": [{"title": "Contact Email Address is not valid.", "code": "email_invalid"}]}
    action = {"type": "status", "status": 422, "body": json.dumps(said)}
    sim.faults([{"match": {"method": "PUT", "body": "invalid"}, "action": action}])
    run = deliver(target, record(1, b), record(2, a))
    assert (run.outcomes, run.causes) == ({"rejected": 2}, {"email_swap": 2})
    assert sorted(sim.contacts()) == [a, b]
    assert worklist(target) == {"email_swap"}


def test_a_swap_that_was_cut_short_is_finished(sim: Simulator, make_target: Any) -> None:
    """S2-17, S2-28: one contact still aside, whatever the policy says of its address by now."""
    parked = "parked-1@address-change.invalid"
    seed(sim, person(1, parked), person(2, "b@example.com"))
    target = make_target(streams=plain("hold"))
    deliver(target, record(1, "b@example.com"), record(2, "b@example.com", given_name="B"))
    deliver(target, record(1, "c@example.com"))
    assert contact_of(sim, "c@example.com")["fieldValues"]["BUBSCTTID"] == "1"


def test_the_address_of_somebody_else_goes_to_the_worklist(
    sim: Simulator, make_target: Any
) -> None:
    """S2-29, S0-36: a merge, for all we know; nothing is changed under any policy."""
    seed(sim, person(1, OLD, lists={"News": 1}), person(2, NEW, lists={"News": 1}))
    for number, policy in enumerate(("rename", "resubscribe")):
        target = make_target(f"target{number}", streams=stream(policy, consent=NAMED))
        before = sim.state()
        run = deliver(target, record(1, NEW, **YES, consent_for=NEW))
        assert run.causes == {"address_taken": 1}
        assert sim.state() == before
        assert worklist(target) == {"address_taken"}


@pytest.mark.ledgers
def test_a_contact_somebody_made_with_a_former_address_is_found(
    sim: Simulator, make_target: Any
) -> None:
    """S2-4, S2-5: the victim of another tool, on the worklist until it is gone, never written."""
    seed(sim, person(1, OLD))
    target = make_target(streams=plain("rename"), reads="crawl")
    deliver(target, record(1, OLD))
    deliver(target, record(1, NEW))
    sim.seed({"contacts": [{"email": OLD}]})
    for _ in range(2):
        run = deliver(target, record(1, NEW))
        assert run.report["writes"] == 0
        assert worklist(target) == {"old_address_lives"}
    said = target.operate("worklist").stdout
    assert "2 runs" in said


def test_a_contact_that_searches_do_not_show_yet_is_known_by_its_id(
    sim: Simulator, make_target: Any
) -> None:
    """S0-45, X1: inserted by the last run, invisible since, and the address has changed already."""
    seed(sim)
    sim.switches(search_lag_seconds=600)
    target = make_target(streams=plain("rename"))
    deliver(target, record(1, OLD))
    run = deliver(target, record(1, NEW))
    assert run.outcomes == {"applied": 1}
    assert list(sim.contacts()) == [NEW]


@pytest.mark.ledgers
@READS
def test_a_contact_that_is_gone_stays_a_reject_in_later_runs(
    sim: Simulator, make_target: Any, reads: str
) -> None:
    """S0-37: by on_contact_gone: reject, also once nobody is found under key and address."""
    seed(sim, person(1, OLD))
    target = make_target(streams=plain(on_contact_gone="reject"), reads=reads)
    deliver(target, record(1, OLD))
    sim.event("delete_contact", contact="1")
    for _ in range(2):
        run = deliver(target, record(1, OLD))
        assert run.causes == {"contact_gone": 1}
        assert sim.contacts() == {}


@pytest.mark.ledgers
def test_an_erased_person_is_forgotten_in_the_ledger(sim: Simulator, make_target: Any) -> None:
    """X7: no address, no history, no item of theirs is left."""
    seed(sim, person(1, OLD))
    streams = plain("rename", on_delete="delete", erasure_column="erase")
    target = make_target(streams=streams)
    columns = {**COLUMNS, "erase": TEXT, "_sdc_deleted_at": TEXT}
    target.run([schema(**columns), record(1, NEW), state(1)])
    assert "muster" in place_of(target)[0].text()
    gone = record(1, NEW, erase="true", _sdc_deleted_at="2026-01-01T00:00:00Z")
    assert target.run([schema(**columns), gone, state(1)]).outcomes == {"applied": 1}
    text = place_of(target)[0].text()
    assert "muster" not in text
    assert "key:1" not in text


def ever_active(sim: Simulator, address: str) -> bool:
    """Whether a contact with this address was active, at any entry of the journal."""
    emails = {row["id"]: row["email"] for row in sim.state()["contacts"]}
    rows = {row["id"]: row for row in sim.state()["contactLists"]}
    for entry in reversed(sim.journal()):
        if any(
            emails.get(r["contact"]) == address for r in rows.values() if str(r["status"]) == "1"
        ):
            return True
        for change in entry["changes"]:
            kept = {"contactLists": rows, "contacts": emails}.get(change["table"])
            if kept is not None and change["before"] is None:
                kept.pop(change["id"], None)
            elif kept is rows:
                rows[change["id"]] = change["before"]
            elif kept is emails:
                emails[change["id"]] = change["before"]["email"]
    return False


def both_ever(sim: Simulator) -> bool:
    """Whether two contacts were active on one list at once, at any entry of the journal."""
    rows = {row["id"]: row for row in sim.state()["contactLists"]}
    for entry in reversed(sim.journal()):
        per_list = [r["list"] for r in rows.values() if str(r["status"]) == "1"]
        if len(per_list) > len(set(per_list)):
            return True
        for change in entry["changes"]:
            if change["table"] != "contactLists":
                continue
            if change["before"] is None:
                rows.pop(change["id"], None)
            else:
                rows[change["id"]] = change["before"]
    return False
