"""Histories told in full because a promise broke in them once; each call of theirs is looked at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from faults.support import Proxy, Zygote
from properties.backoffice import Setting
from properties.history import History
from properties.place import TARGET, Place
from simulators_support import Simulator


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("histories")
    with Simulator(rate_limit=False) as sim, Proxy(sim.url) as proxy, Zygote(*TARGET) as zygote:
        yield Place(sim, proxy, zygote, folder / "run")


@pytest.fixture
def history(place: Place) -> History:
    """Three persons are active on the list."""
    told = History(place, tell=print)
    told.start(Setting())
    return told


def id_of(history: History, email: str) -> str:
    """The contact with this address: several hands make them in any order."""
    contacts = history.watch.contacts
    return next(one for one, held in contacts.items() if held["email"] == email)


def standing(history: History, contact: str) -> tuple[str, str | None]:
    """Address of a contact, and its status on the list."""
    held = history.watch.contacts[contact]
    return held["email"], held["lists"].get("1")


def test_who_left_comes_back_elsewhere_and_returns_is_not_active_on_old_proof(
    history: History,
) -> None:
    """S2-27, X2: A, left; B, with consent; A again, with the consent from before they left."""
    history.happens("unsubscribe", "1")
    history.pass_time()
    history.source.move({1: "p1@example.org"}, fresh=True)
    history.settle(remembers=True)
    assert standing(history, "1") == ("p1@example.org", "1")
    old = history.source.consent_for("p1@example.com", "confirmed", 9)
    history.source.say(1, email="p1@example.com", **old)
    history.settle(remembers=False)
    assert standing(history, "1") == ("p1@example.com", "2")


def test_a_swap_with_proof_keeps_both_active(history: History) -> None:
    """S2-28, X1, X2: two persons exchange addresses, with consent given for them."""
    history.source.move({1: "p2@example.com", 2: "p1@example.com"}, fresh=True)
    history.settle(remembers=True)
    assert standing(history, "1") == ("p2@example.com", "1")
    assert standing(history, "2") == ("p1@example.com", "1")


def test_a_swap_without_proof_takes_both_off_the_list(history: History) -> None:
    """S2-11, S2-17, S2-28, X2: they are off before the addresses change hands."""
    history.source.move({1: "p2@example.com", 2: "p1@example.com"}, fresh=False)
    history.settle(remembers=False)
    assert standing(history, "1") == ("p2@example.com", "2")
    assert standing(history, "2") == ("p1@example.com", "2")


@pytest.mark.parametrize("left", ["unsubscribe", "bounce"])
def test_who_left_an_address_left_it_for_the_next_person_there(history: History, left: str) -> None:
    """S2-28, X2: the mailbox said so before it was handed on; proof from before does not help."""
    history.happens(left, "1")
    history.source.move({2: "p1@example.com", 1: "p1n@example.com"}, fresh=False)
    history.source.say(2, **history.source.consent_for("p1@example.com", "confirmed", 9))
    history.settle(remembers=True)
    assert standing(history, "2")[0] == "p1@example.com"
    assert standing(history, "2")[1] != "1"


@pytest.mark.parametrize(("strategy", "connections"), [("single", 1), ("single", 4), ("bulk", 4)])
def test_who_left_and_gives_consent_anew_is_active_again(
    place: Place, strategy: str, connections: int
) -> None:
    """S2-19, X2: the proof is newer than the unsubscription; nothing else brings anybody back."""
    history = History(place, tell=print)
    history.start(Setting(strategy=strategy, connections=connections))
    contact = id_of(history, "p1@example.com")
    history.happens("unsubscribe", contact)
    history.pass_time()
    history.source.say(1, **history.source.consent_for("p1@example.com", "confirmed", 0))
    history.settle(remembers=True)
    assert standing(history, contact) == ("p1@example.com", "1")
    assert place.seen["returned"] > 0


@pytest.mark.parametrize(("strategy", "connections"), [("single", 4), ("bulk", 4)])
def test_who_is_to_be_erased_is_gone_and_stays_gone(
    place: Place, strategy: str, connections: int
) -> None:
    """X6, X7: deleted in the source with the order to erase, noted first, and not made again."""
    history = History(place, tell=print)
    history.start(Setting(on_delete="delete", strategy=strategy, connections=connections))
    contact = id_of(history, "p1@example.com")
    history.pass_time()
    history.source.say(1, deleted_at=history.source.now, erase=True)
    history.settle(remembers=True)
    assert contact not in history.watch.contacts
    assert place.seen["erased"] > 0
