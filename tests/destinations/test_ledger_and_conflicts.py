"""What is left when the ledger is lost, and what becomes of every kind of conflict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import Any

import pytest
from conflicts_support import CONFLICTS, Conflict
from ledger_support import place_of
from scene_support import LAST_MONTH, Scene, consent, just_now, there
from target_activecampaign.worklist import REPAIRS
from target_support import Run, record

READS = pytest.mark.parametrize("reads", ["crawl", "point"])
HEALTHY = (record(900, "he1@example.com", given_name="New"), record(901, "he2@example.com"))
MakeScene = Callable[..., Scene]


def shown(who: str) -> str:
    """How the command names a person: never by an address."""
    return who if who.startswith("key:") else "a row without key"


def plant(scene: Scene, conflicts: Sequence[Conflict]) -> None:
    """All that happens before the run that meets the conflicts."""
    scene.sim.seed({"contacts": [there("he1@example.com", 900)]})
    scene.sim.seed({"contacts": [one for c in conflicts for one in c.contacts]})
    for rows in zip_longest(*(c.before for c in conflicts), fillvalue=()):
        scene.deliver([*chain(*rows)])
    for conflict in conflicts:
        scene.sim.switches(**conflict.switches)
        if conflict.act:
            conflict.act(scene)
    assert scene.worklist() == {}


def untouched(scene: Scene, conflicts: Sequence[Conflict]) -> dict[str, Any]:
    """All that no row may change: contacts by id but for those of healthy rows, of rows that are
    carried out, and of others who came in the middle of it.
    """
    changing = {row["record"]["email"] for row in HEALTHY}
    for conflict in conflicts:
        changing |= conflict.meanwhile
        if conflict.carried_out:
            changing |= {*conflict.ends, *(one["email"] for one in conflict.contacts)}
    state = scene.sim.state()
    contacts = {c["id"]: c for c in state["contacts"] if c["email"] not in changing}
    return {"contacts": contacts, "accounts": state["accountContacts"]}


def meet(scene: Scene, conflicts: Sequence[Conflict]) -> Run:
    """The run that meets them: nothing of theirs is changed, and the healthy rows are delivered."""
    before = untouched(scene, conflicts)
    run = scene.deliver([*HEALTHY, *chain(*(c.rows for c in conflicts))])
    assert untouched(scene, conflicts) == before
    assert scene.sim.contacts()["he1@example.com"]["firstName"] == "New"
    assert scene.keys()["he2@example.com"] == "901"
    assert scene.active() == set()
    return run


def repair(scene: Scene, conflicts: Sequence[Conflict]) -> None:
    """Each is repaired as proposed; the next run takes its item away and delivers the person."""
    for conflict in conflicts:
        if conflict.repair:
            conflict.repair(scene)
    scene.deliver([row for c in conflicts for row in c.then()])
    assert scene.worklist() == {}
    assert scene.target.rejects == []
    healthy = {"he1@example.com": "900", "he2@example.com": "901"}
    ends = [c.ends for c in conflicts]
    assert scene.keys() == {**healthy, **{a: key for end in ends for a, key in end.items()}}
    assert scene.active() == set(chain(*(c.news for c in conflicts)))


@pytest.mark.parametrize("conflict", CONFLICTS, ids=str)
def test_a_conflict_is_named_with_its_repair_and_gone_once_that_is_done(
    make_scene: MakeScene, conflict: Conflict
) -> None:
    """S0-24, S0-60: its item, no write, and nothing else: plant, named, repaired, gone."""
    scene = make_scene()
    plant(scene, [conflict])
    run = meet(scene, [conflict])
    assert run.stream["details"]["worklist"] == {conflict.kind: len(conflict.who)}
    repairs = {("1 runs", REPAIRS[conflict.kind])}
    items = scene.worklist()
    assert set(items) == {(shown(who), conflict.kind) for who in conflict.who}
    assert set(items.values()) == repairs
    repair(scene, [conflict])


@pytest.mark.ledgers
@READS
def test_all_kinds_of_conflict_at_once_are_as_many_named_items(
    make_scene: MakeScene, reads: str
) -> None:
    """S0-24, S0-60, X1: all in one account and one run, each named and left alone, none hides
    another; contacts with former addresses are only seen where the whole account is read.
    """
    seen = [c for c in CONFLICTS if reads == "crawl" or c.kind != "old_address_lives"]
    scene = make_scene(reads=reads)
    plant(scene, seen)
    run = meet(scene, seen)
    expected = {(shown(who), c.kind): ("1 runs", REPAIRS[c.kind]) for c in seen for who in c.who}
    assert scene.worklist() == expected
    counted = Counter(kind for _, kind in expected)
    assert run.stream["details"]["worklist"] == counted
    repair(scene, seen)


def test_items_stay_until_the_run_that_can_tell(make_scene: MakeScene) -> None:
    """S2-4, S0-60: a contact with a former address is seen, and seen to be gone, when the whole
    account is read, whoever is in the run; it takes no other item of its person along.
    """
    scene = make_scene("crawl")
    scene.deliver([record(170, "ol1@example.com")])
    scene.deliver([record(170, "ol2@example.com", **consent(LAST_MONTH))])
    scene.make("ol1@example.com")
    both = {("key:170", kind) for kind in ("no_evidence_for_address", "old_address_lives")}
    scene.deliver([HEALTHY[0]])
    assert set(scene.worklist()) == both
    scene.target.config["reads"] = "point"
    scene.deliver([record(170, "ol2@example.com", **consent(LAST_MONTH))])
    assert set(scene.worklist()) == both
    scene.delete("ol1@example.com")
    scene.deliver([record(170, "ol2@example.com", **consent(just_now(), "ol2@example.com"))])
    assert set(scene.worklist()) == {("key:170", "old_address_lives")}
    scene.target.config["reads"] = "crawl"
    scene.deliver([HEALTHY[1]])
    assert scene.worklist() == {}


@pytest.mark.ledgers
def test_an_erased_person_leaves_no_item(make_scene: MakeScene) -> None:
    """X7: not even one that the very run of the erasure found."""
    scene = make_scene("crawl", on_delete="delete", erasure_column="erase")
    for address in ("ol1@example.com", "ol2@example.com"):
        scene.deliver([record(170, address)])
    scene.make("ol1@example.com")
    gone = {"erase": "true", "_sdc_deleted_at": "2026-01-01T00:00:00Z"}
    assert scene.deliver([record(170, "ol2@example.com", **gone)]).outcomes == {"applied": 1}
    assert "key:170" not in place_of(scene.target)[0].text()


def test_every_kind_of_conflict_is_planted() -> None:
    """S0-60: whatever the worklist can name is named in a test."""
    # Whom the vendor keeps active in spite of everything is in test_verification.
    assert {c.kind for c in CONFLICTS} | {"still_subscribed"} == set(REPAIRS)
    assert len(CONFLICTS) >= 12
