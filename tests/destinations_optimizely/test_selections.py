"""Which rows go to which list: one selection, one list; several lists and streams in one run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lists_support import LIST, REGULAR, STREAM, ListTarget, ids, marker, recipients, row, schema
from simulators_support import Simulator
from warm_lists import closes, content, said, written

MakeTarget = Callable[..., ListTarget]
SECOND = 120000000011


@pytest.fixture(autouse=True)
def _second_list(sim: Simulator) -> None:
    sim.seed({"lists": [{"id": SECOND, "name": "Offers"}]})


def two_lists(**more: Any) -> dict[str, Any]:
    """One stream for two lists, told apart by the column `selection`."""
    both = {"stream": "people", "selection_column": "selection"}
    return {
        "news": {**LIST, **both, "selection": "news", **more},
        "offers": {**LIST, **both, "selection": "offers", "list_id": SECOND,
                   "consent": "offers"},
    }  # fmt: skip


def chosen(key: int, selection: str | None) -> dict[str, Any]:
    consent = "offers" if selection == "offers" else "newsletter"
    return row(key, stream="people", selection=selection, consent=consent)


def people(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    column = {"selection": {"type": ["string", "null"]}}
    return [schema("people", **column), *rows, marker({"people": len(rows)})]


def by_stream(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {stream["stream"]: stream for stream in report["streams"]}


def test_one_stream_feeds_two_lists_each_with_its_own_consent(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-2 S1-9 X4: by a selection column; rows that nobody takes are counted as such."""
    target = make_target(lists=two_lists())
    rows = [chosen(1, "news"), chosen(2, "offers"), chosen(3, "news"), chosen(4, "old"),
            chosen(5, None)]  # fmt: skip
    run = target.run(people(rows))
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids([1, 3])
    assert set(recipients(sim, SECOND)) == ids([2])
    streams = by_stream(run.report)
    assert streams["people"]["outcomes"]["suppressed"] == 2
    assert streams["people"]["causes"] == {"suppressed:check:no_list_for_selection": 2}
    assert (streams["news"]["received"], streams["offers"]["received"]) == (2, 1)
    assert streams["offers"]["details"]["consent"] == "offers"
    assert closes(run)
    assert run.states[-1]["sync_complete"]["counts"] == {"people": 5}


def test_a_changed_selection_needs_no_new_configuration(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-4: who moves from one selection to the other moves from list to list."""
    target = make_target(lists=two_lists())
    assert target.run(people([chosen(n, "news") for n in range(1, 5)] + [chosen(5, "offers")])
                      ).code == 0  # fmt: skip
    moved = [chosen(n, "news") for n in range(1, 4)] + [chosen(4, "offers"), chosen(5, "offers")]
    assert target.run(people(moved)).code == 0
    assert set(recipients(sim)) == ids([1, 2, 3])
    assert set(recipients(sim, SECOND)) == ids([4, 5])


def test_a_list_refused_by_its_guard_does_not_hold_up_the_others(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-2 S1-20: each list is handled individually; exit 4 and no STATE all the same."""
    target = make_target(lists=two_lists(min_rows=3))
    sim.seed({"recipients": [{"list": REGULAR, "id": "old@example.com"}]})
    before = content(sim)
    run = target.run(people([chosen(1, "news"), chosen(2, "offers"), chosen(3, "offers")]))
    assert run.code == 4
    assert run.states == []
    assert "list news (120000000001): the selection has 1 recipients" in said(run)
    assert content(sim) == before
    assert set(recipients(sim, SECOND)) == ids([2, 3])
    assert closes(run)


def test_wrong_consent_in_one_list_stops_all_before_the_first_is_touched(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-10: the input itself is wrong, so nothing of it is used."""
    rows = [chosen(1, "news"), chosen(2, "offers")]
    rows[1]["record"]["consent"] = "newsletter"
    run = make_target(lists=two_lists()).run(people(rows))
    assert run.code == 4
    assert not written(sim)
    assert run.states == []


def test_several_streams_fill_their_lists_in_one_process(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-2: one run, two selections, two lists."""
    target = make_target(lists={STREAM: LIST, "offers": {**LIST, "list_id": SECOND}})
    rows = [row(1), row(2, stream="offers"), row(3)]
    run = target.run([schema(), schema("offers"), *rows, marker({STREAM: 2, "offers": 1})])
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids([1, 3])
    assert set(recipients(sim, SECOND)) == ids([2])
    assert closes(run)


def test_one_incomplete_stream_stops_all_of_them(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-20: counts of every stream have to agree before the first list is touched."""
    target = make_target(lists={STREAM: LIST, "offers": {**LIST, "list_id": SECOND}})
    rows = [row(1), row(2, stream="offers")]
    run = target.run([schema(), schema("offers"), *rows, marker({STREAM: 1, "offers": 2})])
    assert run.code == 6
    assert not written(sim)


def test_a_stream_that_did_not_come_leaves_its_list_alone(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-2 S1-20: not selected today is not the same as empty."""
    target = make_target(lists={STREAM: LIST, "offers": {**LIST, "list_id": SECOND}})
    sim.seed({"recipients": [{"list": SECOND, "id": "old@example.com"}]})
    before = content(sim, SECOND)
    assert target.run([schema(), row(1), marker({STREAM: 1})]).code == 0
    assert content(sim, SECOND) == before
    assert set(recipients(sim)) == ids([1])


def test_two_selections_cannot_fill_one_list(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-7: refused as a setting, before any call."""
    run = make_target(lists={STREAM: LIST, "offers": LIST}).transfer([row(1)])
    assert run.code == 2
    assert "list_id 120000000001 appears 2 times" in said(run)
    assert sim.requests() == []


def test_a_stream_of_two_lists_needs_something_to_tell_them_apart(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-2 S1-7: else everybody would get into both."""
    lists = {"a": {**LIST, "stream": "people"},
             "b": {**LIST, "stream": "people", "list_id": SECOND}}  # fmt: skip
    run = make_target(lists=lists).run(people([chosen(1, "news")]))
    assert run.code == 2
    assert "needs selection_column and selection" in said(run)


def test_a_list_that_the_client_does_not_have_is_refused(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-6 S1-8: an unknown id is never made into a new list, and no other list is touched."""
    lists = {STREAM: LIST, "offers": {**LIST, "list_id": 120000009999}}
    rows = [row(1), row(2, stream="offers")]
    run = make_target(lists=lists).run(
        [schema(), schema("offers"), *rows, marker({STREAM: 1, "offers": 1})]
    )
    assert run.code == 2
    assert "this client has no list 120000009999" in said(run)
    assert not written(sim)


def test_clients_are_separate_worlds(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-6: same list number, same state_dir, another client: own login, own journal, own sizes."""
    sim.seed({
        "clients": [{"id": 99, "users": [{"name": "other", "password": "other-password"}]}],
        "client": 99,
        "lists": [{"id": REGULAR, "name": "Theirs"}],
        "unsubscribes": [{"id": "person2@example.com"}],
    })  # fmt: skip
    ours = make_target()
    assert ours.transfer([row(n) for n in range(1, 11)]).code == 0
    before = content(sim)
    theirs = {"mandator_id": 99, "username": "other", "password": "other-password"}
    run = ours.run([schema(), row(1), row(2), marker({STREAM: 2})], **theirs)
    # Two rows would be 20 % of our last size: theirs had none.
    assert run.code == 0, run.stderr
    assert run.causes == {"unsubscribed": 1}
    assert content(sim) == before
    other = next(one for one in sim.state()["clients"]["99"]["lists"] if one["id"] == REGULAR)
    assert [one["id"] for one in other["recipients"]] == ["person1@example.com"]
