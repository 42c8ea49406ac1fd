"""What is left when the ledger is lost: the same decisions, and exactly what the README names."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest
from ledger_support import lose_ledger
from scene_support import LAST_MONTH, STREAM, Message, Scene, consent, just_now, there
from target_support import Run, record

READS = pytest.mark.parametrize("reads", ["crawl", "point"])
MakeScene = Callable[..., Scene]
RICH = {
    "tags": {"add": ["backoffice"], "from": "interests", "owned_prefixes": ["likes-"]},
    "on_contact_gone": "insert",
}
#: Consent of which the source does not say for which address it was given.
UNNAMED = {name: column for name, column in STREAM["consent"].items() if name != "address"}


def proof(address: str) -> dict[str, Any]:
    """Consent that was given for this address."""
    return consent(LAST_MONTH, address)


#: Rows of a first run, and of all runs after it; what each is about is behind the first.
BEFORE: list[Message] = [
    record(1, "c1@example.com", interests="likes-tea", **proof("c1@example.com")),  # stays
    record(2, "c2@example.com", **proof("c2@example.com")),  # renamed, with proof
    record(3, "c3@example.com", **proof("c3@example.com")),  # renamed, without
    record(4, "c4@example.com", **proof("c4@example.com")),  # resubscribed, with proof
    record(5, "c5@example.com", **consent(LAST_MONTH)),  # resubscribed, without
    record(6, "c6@example.com", **proof("c6@example.com")),  # left before it was resubscribed
    record(7, "info@seven.example.com"),  # held
    record(8, "info@eight.example.com"),  # approved
    record(9, "C9@example.com"),  # the same mailbox
    record(10, "c10@example.com", **proof("c10@example.com")),  # there and back again
    record(11, "c11@example.com", **proof("c11@example.com")),  # swapped
    record(12, "c12@example.com"),
    record(13, "c13@example.com", **proof("c13@example.com")),  # unsubscribed there
    record(14, "c14@example.com", **proof("c14@example.com")),  # deleted in the source
    record(15, "c15@example.com", **proof("c15@example.com")),  # withdrawn
]
AWAY = record(10, "c10@example.net", **proof("c10@example.net"))
AFTER: list[Message] = [
    record(1, "c1@example.com", interests="likes-tea", **proof("c1@example.com")),
    record(2, "c2b@example.com", **proof("c2b@example.com")),
    record(3, "c3b@example.com", **consent(LAST_MONTH)),
    record(4, "c4@example.net", **proof("c4@example.net")),
    record(5, "c5@example.net", **consent(LAST_MONTH)),
    record(6, "c6@example.net", **proof("c6@example.net")),
    record(7, "seven@seven.example.com"),
    record(8, "eight@eight.example.com"),
    record(9, "c9@example.com"),
    record(10, "c10@example.com", **proof("c10@example.com")),
    record(11, "c12@example.com", **proof("c11@example.com")),
    record(12, "c11@example.com"),
    record(13, "c13@example.com", **proof("c13@example.com")),
    record(14, "c14@example.com", _sdc_deleted_at="2026-01-01T00:00:00Z"),
    record(15, "c15@example.com", consent="unsubscribed", wants=True),
    record(20, "same@example.com", given_name="A"),  # contradicting
    record(20, "same@example.com", given_name="B"),
    record(21, "no address"),
    record(22, "c22@example.com", interests="hates-tea"),  # a tag that is not ours
    record(23, "twice1@example.com"),  # two contacts with its key
    record(24, "junk@example.com"),  # a key field that can't be read
    record(25, "c28@example.com"),  # somebody else's address
    record(26, "c26@example.com"),  # to an address of somebody else
    record(27, "gone@example.com"),  # of a contact that was given up
]


def rich(scene: Scene) -> Run:
    """Live through all of it, until a run has nothing left to do; that run."""
    taken = [
        there("c26a@example.com", 26),
        there("c26@example.com", 28),
        there("c28@example.com", 30),
    ]
    twice = [there("twice1@example.com", 23), there("twice2@example.com", 23)]
    odd = [there("junk@example.com", "n/a"), there("gone@example.com", "former:29")]
    scene.sim.seed({"contacts": [*taken, *twice, *odd]})
    scene.deliver(BEFORE)
    for address in ("c6@example.com", "c13@example.com"):
        scene.sim.event("unsubscribe", email=address)
    scene.deliver([AWAY])
    scene.deliver(AFTER)
    assert scene.target.operate("approve", "--key", "8").returncode == 0
    scene.deliver(AFTER)
    return quiet(scene)


def quiet(scene: Scene) -> Run:
    """A run of the same rows that writes nothing."""
    before = scene.sim.state()
    scene.sim.forget_requests()
    run = scene.deliver(AFTER)
    assert scene.sim.requests(writes=True) == []
    assert run.report["writes"] == 0
    assert scene.sim.state() == before
    return run


def decided(run: Run) -> dict[str, Any]:
    """All that a run says of its decisions, whether it looked at a person again or not."""
    names = ("outcomes", "matched_by", "errors_by_step", "details")
    causes = {name: n for name, n in run.stream["causes"].items() if "unchanged_since" not in name}
    return {"causes": causes, **{name: run.stream[name] for name in names}}


@pytest.mark.ledgers
@pytest.mark.parametrize("reads", ["crawl", "point", "incremental"])
def test_without_the_ledger_the_next_run_writes_nothing_and_decides_the_same(
    make_scene: MakeScene, reads: str
) -> None:
    """X8, S0-12: the ledger lost, then all of the state but tombstones: the same outcomes, causes
    and items, and not one write; lists, tags, all policies, rejects and deletions are at work.
    """
    scene = make_scene(reads, **RICH)
    said = decided(rich(scene))
    assert set(said["details"]["worklist"]) == {
        "address_of_former_contact",
        "address_of_other_key",
        "address_taken",
        "ambiguous_key",
        "contradicting_rows",
        "email_change_held",
        "key_field_unreadable",
        "no_evidence_for_address",
        "unsubscribed_before",
    }
    assert scene.active() == {
        "c1@example.com",
        "c2b@example.com",
        "c4@example.net",
    }
    lose_ledger(scene.target)
    assert decided(quiet(scene)) == said
    lose_ledger(scene.target)
    for path in (scene.target.home / "state").iterdir():
        if not path.name.startswith("tombstones."):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert decided(quiet(scene)) == said


def lost(scene: Scene, ledger: bool) -> None:
    """The ledger lost, where a test asks for it."""
    if not ledger:
        lose_ledger(scene.target)


LEDGER = pytest.mark.parametrize("ledger", [True, False])


@LEDGER
def test_why_a_renamed_person_is_off_a_list_is_only_in_the_ledger(
    make_scene: MakeScene, ledger: bool
) -> None:
    """X8, S2-11: off they stay; but where consent names no address, an end that came with a change
    of address counts as an unsubscription like any other, which is not on the worklist.
    """
    scene = make_scene(consent=UNNAMED)
    scene.deliver([record(3, "c3@example.com", **consent(LAST_MONTH))])
    renamed = record(3, "c3b@example.com", **consent(LAST_MONTH))
    assert scene.deliver([renamed]).causes == {"no_evidence_for_address": 1}
    lost(scene, ledger)
    run = scene.deliver([renamed])
    assert (run.outcomes, run.report["writes"]) == ({"unchanged": 1}, 0)
    assert scene.active() == set()
    why = "no_evidence_for_address" if ledger else "unsubscribed_there"
    assert run.causes == {why: 1}
    assert {kind for _, kind in scene.worklist()} == ({why} if ledger else set())
    scene.deliver([record(3, "c3b@example.com", **consent(just_now()))])
    assert scene.active() == {"c3b@example.com"}


@LEDGER
def test_which_ends_came_with_a_change_of_address_is_only_in_the_ledger(
    make_scene: MakeScene, ledger: bool
) -> None:
    """X8, S2-19: proof for the new address that is older than the change counts with the ledger;
    without, the old contact's end of membership might have been the person's own wish.
    """
    scene = make_scene()
    scene.deliver([record(4, "c4@example.com", **proof("c4@example.com"))])
    scene.deliver([record(4, "c4@example.net", **consent(LAST_MONTH))])
    lost(scene, ledger)
    run = scene.deliver([record(4, "c4@example.net", **proof("c4@example.net"))])
    assert run.causes == ({} if ledger else {"unsubscribed_before": 1})
    assert scene.active() == ({"c4@example.net"} if ledger else set())


@LEDGER
def test_a_list_that_is_added_later_takes_old_evidence_once_the_ledger_is_lost(
    make_scene: MakeScene, ledger: bool
) -> None:
    """X8, S2-11: since when somebody has an address is nowhere else; nobody is made active who said
    no, but evidence that names no address is taken to be for the one that is there.
    """
    scene = make_scene(consent=UNNAMED)
    stream = scene.target.config["streams"]["contacts"]
    later = {name: stream.pop(name) for name in ("lists", "consent")}
    scene.deliver([record(5, "c5@example.com")])
    renamed = record(5, "c5b@example.com", **consent(LAST_MONTH))
    scene.deliver([renamed])
    stream.update(later)
    lost(scene, ledger)
    scene.deliver([renamed])
    assert scene.active() == (set() if ledger else {"c5b@example.com"})


@LEDGER
def test_what_somebody_else_said_under_an_address_is_only_in_the_ledger(
    make_scene: MakeScene, ledger: bool
) -> None:
    """X8, S2-28: whoever gets an address under which somebody had left begins inactive, unless the
    proof is newer; lost, nothing there tells whose the address was.
    """
    scene = make_scene()
    scene.deliver([record(6, "c6@example.com", **proof("c6@example.com"))])
    scene.sim.event("unsubscribe", email="c6@example.com")
    scene.deliver([record(6, "c6b@example.com")])
    lost(scene, ledger)
    scene.deliver([record(7, "c6@example.com", **proof("c6@example.com"))])
    assert scene.active() == (set() if ledger else {"c6@example.com"})


@LEDGER
def test_an_approval_that_was_not_carried_out_is_only_in_the_ledger(
    make_scene: MakeScene, ledger: bool
) -> None:
    """X8, S2-12: lost, the change waits again: nobody is renamed without an operator's leave."""
    scene = make_scene()
    scene.deliver([record(8, "info@eight.example.com")])
    changed = record(8, "eight@eight.example.com")
    scene.deliver([changed])
    assert scene.target.operate("approve", "--key", "8").returncode == 0
    lost(scene, ledger)
    assert scene.deliver([changed]).outcomes == ({"applied": 1} if ledger else {"held": 1})
    assert scene.deliver([changed]).outcomes == ({"unchanged": 1} if ledger else {"held": 1})


@LEDGER
def test_former_addresses_and_the_age_of_items_are_only_in_the_ledger(
    make_scene: MakeScene, ledger: bool
) -> None:
    """X8, S2-4, S2-14: lost, the history begins with the address of today, items are young again,
    and contacts with former addresses are nobody's; the next change is dated as ever.
    """
    scene = make_scene()
    held = record(7, "seven@seven.example.com")
    for address in ("info@seven.example.com", "seven@seven.example.com"):
        scene.deliver([record(1, "c1@example.com"), record(7, address)])
    scene.deliver([record(1, "c1b@example.com"), held])
    scene.make("c1@example.com")
    scene.deliver([record(1, "c1b@example.com"), held])
    scene.sim.forget_requests()
    lost(scene, ledger)
    scene.deliver([record(1, "c1b@example.com"), held])
    assert scene.sim.requests(writes=True) == []
    items = {kind: runs for (_, kind), (runs, _) in scene.worklist().items()}
    aged = {"email_change_held": "4 runs", "old_address_lives": "2 runs"}
    assert items == (aged if ledger else {"email_change_held": "1 runs"})
    assert history(scene, 1) == (["c1@example.com"] if ledger else []) + ["c1b@example.com"]
    scene.deliver([record(1, "c1c@example.com"), held])
    assert history(scene, 1)[-2:] == ["c1b@example.com", "c1c@example.com"]


@LEDGER
@READS
def test_that_a_contact_is_gone_is_only_in_the_ledger(
    make_scene: MakeScene, ledger: bool, reads: str
) -> None:
    """X8, S0-37: on_contact_gone: reject; lost, somebody whom nothing there remembers is new."""
    scene = make_scene(reads)
    scene.deliver([record(9, "c9@example.com")])
    scene.delete("c9@example.com")
    lost(scene, ledger)
    run = scene.deliver([record(9, "c9@example.com")])
    assert run.causes == ({"contact_gone": 1} if ledger else {})
    assert scene.keys() == ({} if ledger else {"c9@example.com": "9"})


def history(scene: Scene, key: int) -> list[str]:
    """Addresses of a person, oldest first, as `history` prints them."""
    said = scene.target.operate("history", "--key", str(key))
    return [line.split("  ")[2] for line in said.stdout.splitlines()]
