"""Nobody unsubscribed, blocked or bounced out is ever active afterwards: the whole table.

List kind x strategy x position of the guesses that matter; one run carries every state a person
can be in, among people in none.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from lists_support import OPTIN, REGULAR, ListTarget, ids, recipients, row, selection
from simulators_support import Simulator
from warm_lists import active, active_anywhere, closes, content, operations, said, written

MakeTarget = Callable[..., ListTarget]

#: State of a person → (key, address as the selection has it, seeds, cause told).
#: `%s` stands for the list.
STATES: dict[str, tuple[int, str, dict[str, Any], str]] = {
    "unsubscribed from the client": (
        101, "", {"unsubscribes": {"id": "person101@example.com"}}, "unsubscribed"),
    "unsubscribed from the list": (
        102, "", {"unsubscribes": {"id": "person102@example.com", "list": "%s"}}, "unsubscribed"),
    "unsubscribed from both": (
        103, "", {"unsubscribes": {"id": "person103@example.com"}}, "unsubscribed"),
    "unsubscribed in lower case": (
        104, "Person104@Example.COM", {"unsubscribes": {"id": "person104@example.com"}},
        "unsubscribed"),
    "unsubscribed from the list in lower case": (
        105, "PERSON105@example.com",
        {"unsubscribes": {"id": "person105@example.com", "list": "%s"}}, "unsubscribed"),
    "unsubscribed as written": (
        106, "Person106@Example.com", {"unsubscribes": {"id": "Person106@Example.com"}},
        "unsubscribed"),
    "blocklisted": (107, "", {"blocklist": "person107@example.com"}, "blocklisted"),
    "blocklisted by pattern": (108, "person108@blocked.example.org",
                               {"blocklist": "*@blocked.example.org"}, "blocklisted"),
    "blocklisted in another case": (109, "Person109@Example.com",
                                    {"blocklist": "person109@example.com"}, "blocklisted"),
    "hard bounces": (110, "", {}, "bounced_out"),
    "soft bounces": (111, "", {}, "bounced_out"),
    "hard bounces long ago": (112, "", {}, "bounced_out"),
    "hard bounces long ago, and in the list": (113, "", {}, "bounced_out"),
}  # fmt: skip
#: Who bounced: key → kind, times, days ago. The vendor's counts may forget what is long ago, its
#: bounce counters do not.
BOUNCED = {110: ("hard", 3, 0), 111: ("soft", 5, 0), 112: ("hard", 9, 40), 113: ("hard", 9, 40)}
OTHER = 120000000021
#: Close to a state but not in it: they get their mail.
HEALTHY = {
    201: {"bounces": [{"id": "person201@example.com", "kind": "hard", "count": 2}]},
    202: {"bounces": [{"id": "person202@example.com", "kind": "soft", "count": 4}]},
    203: {"blocklist": ["person203@example.net"]},
    204: {"unsubscribes": [{"id": "other204@example.com"}]},
    205: {},
    206: {},
}
GUESSES = {
    "regular_list_unsubscribed": ("code2_not_stored", "code2_stored", "code0_stored"),
    "contains_all_case": ("exact", "folded"),
    "unsubscribe_store": ("client", "list"),
    "response_counts_purged": (False, True),
}
TABLE = [
    pytest.param(kind, strategy, dict(zip(GUESSES, position, strict=True)),
                 id=f"{kind}-{strategy}-{'-'.join(str(p) for p in position)}")
    for kind in ("regular", "optin")
    for strategy in ("clear_and_refill", "reconcile")
    for position in itertools.product(*GUESSES.values())
    # What an unsubscribed recipient does to a regular list is nothing to an opt-in list.
    if kind == "regular" or position[0] == "code2_not_stored"
]  # fmt: skip


def selection_rows() -> list[dict[str, Any]]:
    people = [row(n, **({"email": a} if a else {})) for n, a, _, _ in STATES.values()]
    return [*people, *(row(n) for n in HEALTHY)]


def seed_states(sim: Simulator, list_id: int) -> None:
    for _, _, seeds, _ in STATES.values():
        for part, entry in seeds.items():
            if isinstance(entry, dict) and "list" in entry:
                entry = {**entry, "list": list_id}
            sim.seed({part: [entry]})
    for seeds in HEALTHY.values():
        sim.seed(seeds)
    bounce(sim)


def bounce(sim: Simulator) -> None:
    """Let mails to another list come back."""
    sim.seed({
        "lists": [{"id": OTHER}],
        "recipients": [{"list": OTHER, "id": f"person{key}@example.com"} for key in BOUNCED],
    })  # fmt: skip
    sent = {}
    for days in {days for _, _, days in BOUNCED.values()}:
        when = sim.clock()["seconds"] - days * 86400
        sent[days] = sim.event("send_mailing", list=OTHER, time=when)["mailing"]
    for key, (kind, times, days) in BOUNCED.items():
        person = f"person{key}@example.com"
        sim.event("bounce", id=person, kind=kind, times=times, mailing=sent[days])


def addresses() -> dict[int, str]:
    return {n: a or f"person{n}@example.com" for n, a, _, _ in STATES.values()}


@pytest.mark.parametrize(("kind", "strategy", "guesses"), TABLE)
def test_nobody_who_must_not_get_mail_is_active_afterwards(
    sim: Simulator, make_target: MakeTarget, kind: str, strategy: str, guesses: dict[str, Any]
) -> None:
    """S1-28 S1-31 X2 S1-24 X4: every state at once, half of them in the list already: afterwards
    none of them is active in any list, all others are in, every row has its cause.
    """
    list_id = REGULAR if kind == "regular" else OPTIN
    sim.switches(**guesses)
    already = [*list(addresses().values())[::2], "gone@example.com", "person205@example.com"]
    assert "person113@example.com" in already
    sim.seed({"recipients": [{"list": list_id, "id": key} for key in already]})
    seed_states(sim, list_id)
    unsubscribed = unsubscribes(sim)
    options = {"allow_optin_list": True} if kind == "optin" else {}
    target = make_target(list={"list_id": list_id, "strategy": strategy, "min_ratio": 0, **options})
    target.config["check_mailings"] = False  # tested elsewhere; many calls
    rows = selection_rows()
    run = target.transfer(rows)
    assert run.code == 0, run.stderr
    assert active_anywhere(sim) == ids(HEALTHY)
    # Where the counts have forgotten and nobody is added, only the vendor's own counter knows: it
    # sends nothing, and the person stays in the list, inactive.
    unseen = guesses["response_counts_purged"] and strategy == "reconcile"
    expected = ids(HEALTHY) | (ids([113]) if unseen else set())
    assert set(recipients(sim, list_id)) == expected
    assert unsubscribes(sim) == unsubscribed, "nobody was re-subscribed"
    assert {one["entity_id"]: one["cause"] for one in target.left_out} == {
        str(number): cause
        for number, _, _, cause in STATES.values()
        if not (unseen and number == 113)
    }
    assert closes(run)
    if strategy == "reconcile":
        sim.forget_requests()
        again = target.transfer(rows)
        assert again.code == 0, again.stderr
        assert active_anywhere(sim) == ids(HEALTHY)
        assert set(recipients(sim, list_id)) == expected
        assert unsubscribes(sim) == unsubscribed
        # Whom the vendor's counts have forgotten is offered each time, and refused.
        assert set(written(sim)) <= ({"addAll3"} if unseen else set())


def unsubscribes(sim: Simulator) -> list[tuple[str, int]]:
    rows = sim.state()["clients"]["1234"]["unsubscribes"]
    return sorted((one["id"], one["scope"]) for one in rows)


@pytest.mark.parametrize("strategy", ["clear_and_refill", "reconcile"])
@pytest.mark.parametrize("guess", GUESSES["regular_list_unsubscribed"])
@pytest.mark.parametrize("store", GUESSES["unsubscribe_store"])
def test_who_unsubscribes_between_the_question_and_the_sending_stays_unsubscribed(
    sim: Simulator, make_target: MakeTarget, strategy: str, guess: str, store: str
) -> None:
    """S1-31 X2: after the last look, before addAll3: on a regular list the vendor keeps it."""
    sim.switches(regular_list_unsubscribed=guess, unsubscribe_store=store)
    gone = {"type": "unsubscribe", "id": "person2@example.com", "list": REGULAR}
    blocked = {"type": "block", "entry": "person3@example.com"}
    bounced = {"type": "bounce", "id": "person4@example.com", "kind": "hard", "times": 3}
    # Three calls, three things that happen right before them.
    sim.faults([
        {"match": {"body": "addAll3"}, "nth": n, "action": {"type": "event", "event": event}}
        for n, event in enumerate((gone, blocked, bounced), 1)
    ])  # fmt: skip
    target = make_target(batch_size_records=4, list={"strategy": strategy})
    run = target.transfer([row(2), row(1), row(5), row(6), row(3), row(7), row(8), row(9),
                           row(4), row(10)])  # fmt: skip
    assert run.code == 0, run.stderr
    assert [fault["fired"] for fault in sim.faults()] == [1, 1, 1]
    assert active(sim) == ids([1, 5, 6, 7, 8, 9, 10])
    assert closes(run)
    if guess != "code0_stored":
        assert run.causes == {"unsubscribed": 1, "blocklisted": 1, "bounced_out": 1}


def test_everybody_is_asked_for_again_right_before_each_chunk(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-31: who unsubscribes after the clear is left out of a later chunk, and told."""
    sim.faults([{
        "match": {"body": ":clear"},
        "action": {"type": "event", "event": {"type": "unsubscribe", "id": "person5@example.com"}},
    }])  # fmt: skip
    target = make_target(batch_size_records=2)
    run = target.transfer([row(n) for n in range(1, 7)])
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids([1, 2, 3, 4, 6])
    assert run.causes == {"unsubscribed": 1}
    # For all before the clear, four at a time, then for each of three chunks.
    assert operations(sim)["containsAll"] == 2 + 3


def test_whoever_unsubscribed_at_ten_is_not_in_the_list_at_eleven(
    sim: Simulator, target: ListTarget
) -> None:
    """S1-31: U is in the list, unsubscribes, and the next transfer takes her out."""
    assert target.transfer([row(n) for n in range(1, 5)]).code == 0
    sim.event("unsubscribe", id="person2@example.com", list=REGULAR)
    run = target.transfer([row(n) for n in range(1, 5)])
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids([1, 3, 4])


def test_an_unsubscribe_under_the_address_counts_where_the_id_is_another(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-31 X2: both id and address are asked for, each in two spellings."""
    sim.seed({
        "lists": [{"id": 120000000009, "id_field": "Kunde", "attributes": [
            "email", "Kunde", "opt-in-id", "description", "media-type", "entity-type",
            "entity-id"]}],
        "unsubscribes": [{"id": "person1@example.com"}, {"id": "a2"}],
    })  # fmt: skip
    one = {"list_id": 120000000009, "recipient_id": "ctt_id", "id_attribute": "Kunde",
           "attributes": {}}  # fmt: skip
    target = make_target(list=one)
    rows = [row(1, email="Person1@example.com"), row(2, ctt_id="A2"), row(3)]
    run = target.transfer(rows)
    assert run.code == 0, run.stderr
    assert set(recipients(sim, 120000000009)) == {"3"}


@pytest.mark.parametrize("scope", ["client_and_list", "list"])
def test_the_scope_of_an_unsubscribe_is_a_setting(
    sim: Simulator, make_target: MakeTarget, scope: str
) -> None:
    """S1-31: both stores are asked for, or only that of the list."""
    run = make_target(list={"unsubscribe_scope": scope}).transfer([row(1)])
    assert run.code == 0, run.stderr
    assert bool(operations(sim)["containsAll"]) == (scope == "client_and_list")
    assert operations(sim)["containsAllByRecipientList"] == 2


FLAGS = [
    (True, True), (False, False), ("yes", True), ("", False), ("f", False), ("0", False),
    (1, True), (0, False), (None, False), ("2026-01-01", True),
]  # fmt: skip


def test_a_column_of_the_record_can_tell_instead(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-31 X4: `suppression: column`: a set flag keeps the row out, the vendor is not asked."""
    target = make_target(list={"suppression": "column", "suppression_column": "blocked"})
    rows = [row(n, blocked=flag) for n, (flag, _) in enumerate(FLAGS)]
    anything = {"type": ["string", "integer", "number", "boolean", "null"]}
    run = target.run(selection(rows, blocked=anything))
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids(n for n, (_, kept_out) in enumerate(FLAGS) if not kept_out)
    assert run.causes == {"suppressed_by_column": 4}
    assert not {"containsAll", "areBlacklisted"} & set(operations(sim))
    assert closes(run)


def test_with_suppression_off_only_the_vendors_own_refusal_is_left(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-22 S1-24: no question is asked; codes 2, 3 and 4 are told as suppressed."""
    seed_states(sim, REGULAR)
    run = make_target(suppression="off").transfer(selection_rows())
    assert run.code == 0, run.stderr
    assert not {"containsAll", "areBlacklisted"} & set(operations(sim))
    assert {"unsubscribed", "blocklisted", "bounced_out"} <= set(run.causes)
    assert closes(run)


@pytest.mark.parametrize(
    "operation", ["containsAll", "areBlacklisted", "containsAllByRecipientList"]
)
def test_an_answer_of_the_wrong_length_is_no_answer(
    sim: Simulator, make_target: MakeTarget, operation: str
) -> None:
    """S1-31 X6: who is suppressed can't be told then, so nothing is touched: exit 7."""
    sim.seed({"recipients": [{"list": REGULAR, "id": "old@example.com"}]})
    before = content(sim)
    sim.switches(result_array="shorter", result_array_for=operation)
    run = make_target().transfer([row(1), row(2)])
    assert run.code == 7, run.stderr
    assert operation in said(run)
    assert content(sim) == before


@pytest.mark.parametrize("strategy", ["clear_and_refill", "reconcile"])
def test_a_vendor_that_takes_fewer_at_once_is_served_with_a_smaller_batch(
    sim: Simulator, make_target: MakeTarget, strategy: str
) -> None:
    """S1-22 S1-31: the default is refused by name of the call, untouched; half the cap fits."""
    sim.switches(batch_limit=8)
    sim.seed({"unsubscribes": [{"id": "person3@example.com"}]})
    rows = [row(n, email=f"Person{n}@Example.com") for n in range(20)]
    target = make_target(list={"strategy": strategy})
    refused = target.transfer(rows)
    assert refused.code == 7
    assert "RpcUnsubscribe.containsAllByRecipientList: too many at once" in said(refused)
    assert not written(sim)
    run = target.transfer(rows, batch_size_records=4)
    assert run.code == 0, run.stderr
    assert len(active(sim)) == 19
    rows = [row(n, email=f"Person{n}@Example.com", org_country="AT") for n in range(5, 25)]
    assert target.transfer(rows, batch_size_records=4).code == 0
    assert len(active(sim)) == 20
