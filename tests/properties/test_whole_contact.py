"""The whole contact under any history: source, addresses, people, faults, kills; X1 to X8.

A Hypothesis state machine. Its rules change the backoffice or the account or run the target; after
each run the simulator's journal is walked, so that every state between two calls is looked at. A
seeded number of examples in CI; `HUNT_SECONDS=600` searches so long with fresh seeds and prints
each, `HUNT_SEED=n` repeats one. A failure prints the steps and, for each run, what was written.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from faults.support import Proxy, Zygote
from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    get_state_machine_test,
    initialize,
    precondition,
    rule,
)
from properties.backoffice import INTERESTS, KEYS, MOVES, NAMES, Setting
from properties.history import History
from properties.place import PHASES, TARGET, Kill, Place
from properties.watch import FOREIGN_FIELD, KEY_FIELD
from simulators_support import Simulator

EXAMPLES = 30
STEPS = 10
CI_SEED = 20260203
WRITE, ANY = "POST|PUT|DELETE", "GET|POST|PUT|DELETE"
JSON = {"body": "{}", "content_type": "application/json"}
#: By name: what it matches, what it does, and the codes with which a run may end then.
FAULTS: dict[str, tuple[dict[str, str], Any, set[int]]] = {
    "too many": ({"method": ANY}, {"type": "retry_after", "value": "0"}, {0}),
    "503": ({"method": ANY}, {"type": "status", "status": 503}, {0}),
    "502 after the write": ({"method": WRITE}, "apply_then_status", {0}),
    "lost": ({"method": WRITE}, "reset", {0}),
    "lost after the write": ({"method": WRITE}, "apply_then_reset", {0}),
    "lost while reading": ({"method": "GET"}, "reset", {0}),
    "cut": ({"method": ANY}, "truncate", {0}),
    "a page": ({"method": ANY}, "html_200", {0, 7}),
    "nothing": ({"method": ANY}, "empty_200", {0, 7}),
    "refused": ({"method": WRITE}, {"type": "status", "status": 422, **JSON}, {0}),
    "gone": ({"method": WRITE}, {"type": "status", "status": 404, **JSON}, {0}),
    "forbidden": ({"method": WRITE}, {"type": "status", "status": 403}, {3}),
    "unpaid after the write": (
        {"method": WRITE},
        {"type": "apply_then_status", "status": 402},
        {3},
    ),
    "late": ({"method": WRITE}, {"type": "apply_then_hang", "seconds": 2.5}, {0}),
}
WORDS = (
    "confirmed",
    "soft_opt_in",
    "confirmed",
    "confirmed",
    "soft_opt_in",
    "none",
    "pending",
    "unsubscribed",
    "objected",
)
#: What the histories of any seed come by, or they would prove nothing; who returns and who is
#: erased is told besides, and kills at every request are in tests/faults.
SHOWN = {"made", "entered", "renamed", "settled"}
keys = st.sampled_from(KEYS)
known = st.sampled_from(KEYS[:-1])
ages = st.sampled_from([0, 0, 0, 1, 3, 9])


class WholeContact(History, RuleBasedStateMachine):
    """A history whose steps Hypothesis chooses; it prints them by the names of the rules."""

    def __init__(self, place: Place) -> None:
        RuleBasedStateMachine.__init__(self)
        History.__init__(self, place, tell=note)

    @initialize(
        setting=st.builds(
            Setting,
            reads=st.sampled_from(["crawl", "point"]),
            on_delete=st.sampled_from(["delete", "unsubscribe_and_tag", "tag"]),
            on_email_change=st.sampled_from([None, None, "rename", "hold"]),
            include_supported=st.booleans(),
            inline=st.sampled_from(["works", "ignored"]),
            put_conflict=st.sampled_from(["nothing_applied", "email_ignored"]),
            email_case=st.sampled_from(["preserve", "lower"]),
            strategy=st.sampled_from(["single", "bulk"]),
            connections=st.sampled_from([1, 4]),
        ),
        stranger=st.sampled_from([None, "p1@example.com", "P2n@example.com"]),
    )
    def begin(self, setting: Setting, stranger: str | None) -> None:
        """How the target is configured, what the vendor is like, who is there before."""
        self.start(setting, stranger)

    # What the backoffice does

    @rule(key=keys, word=st.sampled_from(WORDS), age=ages)
    def consents(self, key: int, word: str, age: int) -> None:
        """Somebody, new or known, says yes or no, for the address that is theirs."""
        self.pass_time()
        row = self.source.rows.get(key)
        email = row.email if row else f"p{key}@example.com"
        if self.source.taken(email, but=key):
            return
        self.source.say(key, **self.source.consent_for(email, word, age))

    @rule(key=known, lacks=st.sampled_from(["proof", "consent_at", "consent_for"]))
    def loses_evidence(self, key: int, lacks: str) -> None:
        """What proved a consent is no longer there, or is for somebody else's address."""
        self.pass_time()
        other = "other@example.com" if lacks == "consent_for" else None
        self.source.say(key, **{lacks: other})

    @rule(key=known, wants=st.sampled_from(["true", "true", "false", None]))
    def wishes(self, key: int, wants: str | None) -> None:
        """Somebody wants to be on the list, or not, or says nothing."""
        self.pass_time()
        self.source.say(key, wants=wants)

    @rule(
        key=known,
        country=st.sampled_from(["LandofA", "LandofB", "", None]),
        interests=st.sampled_from([*INTERESTS, ",".join(INTERESTS), "", None]),
    )
    def edits(self, key: int, country: str | None, interests: str | None) -> None:
        """Names, custom values and tags change."""
        self.pass_time()
        self.source.say(key, name=NAMES[key], country=country, interests=interests)

    @rule(key=known, how=st.sampled_from(MOVES), fresh=st.booleans())
    def changes_address(self, key: int, how: str, fresh: bool) -> None:
        """A new address of one kind, with consent for it or without."""
        email = self.source.moved(key, how)
        if not self.source.taken(email, but=key):
            self.pass_time()
            self.source.move({key: email}, fresh=fresh)

    @rule(key=known, fresh=st.booleans())
    def returns(self, key: int, fresh: bool) -> None:
        """Back to the address before the last."""
        earlier = [row.email for row in self.source.earlier.get(key, ())]
        others = [email for email in earlier if email != self.source.rows[key].email]
        if others and not self.source.taken(others[-1], but=key):
            self.pass_time()
            self.source.move({key: others[-1]}, fresh=fresh)

    @precondition(lambda self: len(self.source.living()) > 1)
    @rule(data=st.data(), fresh=st.booleans())
    def swap(self, data: st.DataObject, fresh: bool) -> None:
        """Two persons exchange addresses."""
        one, two = data.draw(st.permutations(self.source.living()), label="who")[:2]
        rows = self.source.rows
        self.pass_time()
        self.source.move({one: rows[two].email, two: rows[one].email}, fresh=fresh)

    @precondition(lambda self: len(self.source.living()) > 1)
    @rule(data=st.data(), fresh=st.booleans())
    def hands_on(self, data: st.DataObject, fresh: bool) -> None:
        """Somebody moves, another takes over what is free now."""
        one, two = data.draw(st.permutations(self.source.living()), label="who")[:2]
        free = self.source.moved(one, "domain")
        if not self.source.taken(free, but=one):
            self.pass_time()
            self.source.move({two: self.source.rows[one].email, one: free}, fresh=fresh)

    @precondition(lambda self: self.source.living())
    @rule(data=st.data(), erase=st.sampled_from([True, True, False]))
    def deletes(self, data: st.DataObject, erase: bool) -> None:
        """A person is deleted in the source, perhaps with the order to erase."""
        key = data.draw(st.sampled_from(self.source.living()), label="key")
        self.pass_time()
        self.source.say(key, deleted_at=self.source.now, erase=erase)

    @precondition(lambda self: self.source.deleted())
    @rule(data=st.data())
    def restores(self, data: st.DataObject) -> None:
        """A deleted person is back, with what was said of them before."""
        key = data.draw(st.sampled_from(self.source.deleted()), label="key")
        if not self.source.taken(self.source.rows[key].email, but=key):
            self.pass_time()
            self.source.say(key, deleted_at=None, erase=False)

    # What people and other programs do to the account

    def somebody(self, data: st.DataObject, *, on_list: bool = False) -> str:
        """The id of one of the contacts."""
        held = [i for i, c in sorted(self.watch.contacts.items()) if c["lists"] or not on_list]
        return data.draw(st.sampled_from(held), label="contact")

    @precondition(lambda self: any(c["lists"] for c in self.watch.contacts.values()))
    @rule(data=st.data(), bounces=st.booleans())
    def leaves(self, data: st.DataObject, bounces: bool) -> None:
        """Somebody unsubscribes, or their address bounces."""
        self.happens("bounce" if bounces else "unsubscribe", self.somebody(data, on_list=True))

    @precondition(lambda self: self.watch.contacts)
    @rule(data=st.data(), what=st.sampled_from(["foreign", "LAND", "no key"]))
    def edited_there(self, data: st.DataObject, what: str) -> None:
        """Somebody edits fields in the user interface, ours and others, or blanks the key."""
        field, value = {"foreign": (FOREIGN_FIELD, "7"), "LAND": ("LAND", "LandofX"),
                        "no key": (KEY_FIELD, "")}[what]  # fmt: skip
        contact = self.somebody(data)
        self.happens("edit_contact", contact, phone="1", fieldValues={field: value})

    @precondition(lambda self: self.watch.contacts)
    @rule(data=st.data())
    def deleted_there(self, data: st.DataObject) -> None:
        """Somebody deletes a contact by hand."""
        self.happens("delete_contact", self.somebody(data))

    # Runs

    @rule(whole=st.booleans(), remembers=st.booleans())
    def runs(self, whole: bool, remembers: bool) -> None:
        """A run of the whole source, or of what has changed; where the state directory is lost,
        everything is given anew (X8).
        """
        self.pass_time()
        if not remembers:
            self.place.forget()
        self.run(self.rows(whole or not remembers), codes={0})

    @rule(
        whole=st.booleans(),
        fault=st.sampled_from(sorted(FAULTS)),
        nth=st.integers(1, 8),
        times=st.integers(1, 2),
    )
    def runs_in_trouble(self, whole: bool, fault: str, nth: int, times: int) -> None:
        """A run in which calls fail."""
        self.pass_time()
        match, action, codes = FAULTS[fault]
        self.sim.faults([{"match": match, "action": action, "nth": nth, "times": times}])
        more = {"timeout_seconds": 2} if fault == "late" else {}
        self.run(self.rows(whole), codes={0, *codes}, **more)
        self.sim.faults([])

    @rule(whole=st.booleans(), request=st.integers(1, 25), phase=st.sampled_from(PHASES))
    def runs_and_dies(self, whole: bool, request: int, phase: str) -> None:
        """A run that is killed at a request, if it makes so many."""
        self.pass_time()
        self.run(self.rows(whole), codes={0, -signal.SIGKILL}, kill=Kill(request, phase))

    @precondition(lambda self: any(c["lists"] for c in self.watch.contacts.values()))
    @rule(data=st.data(), nth=st.integers(1, 15), bounces=st.booleans())
    def leaves_meanwhile(self, data: st.DataObject, nth: int, bounces: bool) -> None:
        """A run in the middle of which somebody leaves."""
        kind = "bounce" if bounces else "unsubscribe"
        event = {"type": kind, "contact": self.somebody(data, on_list=True)}
        action = {"type": "event", "event": event}
        self.pass_time()
        self.sim.faults([{"match": {}, "action": action, "nth": nth}])
        self.run(self.rows(whole=True), codes={0})
        self.sim.faults([])

    @precondition(lambda self: self.watch.gone)
    @rule(data=st.data())
    def late_record(self, data: st.DataObject) -> None:
        """What was said of a person before the deletion arrives after it."""
        gone = [key for key in self.watch.gone if self.source.rows[int(key)].deleted_at]
        if gone:
            key = int(data.draw(st.sampled_from(sorted(gone)), label="key"))
            living = [row for row in self.source.earlier[key] if row.deleted_at is None]
            self.pass_time()
            self.source.dirty.add(key)
            self.run(living[-1:], codes={0})

    @rule(remembers=st.booleans())
    def settles(self, remembers: bool) -> None:
        """X3, X8, and the model; see `History.settle`."""
        self.settle(remembers=remembers)

    def teardown(self) -> None:
        """Every history ends settled."""
        if self.sound:
            self.sim.faults([])
            self.settle(remembers=self.count % 2 == 0)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("histories")
    with Simulator(rate_limit=False) as sim, Proxy(sim.url) as proxy, Zygote(*TARGET) as zygote:
        yield Place(sim, proxy, zygote, folder / "run")


def play(place: Place, number: int, examples: int) -> None:
    """Histories from one seed; raises with the shortest that breaks a promise."""
    test = get_state_machine_test(
        lambda: WholeContact(place),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            print_blob=False,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    seed(number)(test)()


@pytest.mark.slow
@pytest.mark.timeout(0 if "HUNT_SECONDS" in os.environ else 1800)
def test_every_promise_holds_after_every_call_of_any_history(place: Place) -> None:
    """S2-19, S2-26, S2-27, X1, X2, X3, X4, X5, X6, X7, X8: whatever backoffice,
    people, network and operators do: one contact a person, nobody active without newer evidence,
    nothing foreign touched, nothing erased unannounced; idle runs write nothing, with memory or
    without; and the account becomes what an independent model says.
    """
    seconds = float(os.environ.get("HUNT_SECONDS", 0))
    fixed = os.environ.get("HUNT_SEED")
    ends_at = time.monotonic() + seconds
    if fixed or not seconds:
        play(place, int(fixed or CI_SEED), EXAMPLES)
    while time.monotonic() < ends_at and not fixed:
        number = random.SystemRandom().randrange(10**9)
        print(f"histories from seed {number}", flush=True)
        play(place, number, EXAMPLES)
    print(dict(place.seen))
    assert place.seen.keys() >= SHOWN, f"histories that show little: {dict(place.seen)}"
