"""Every guess about ActiveCampaign flipped while lists, consent, tags, fields, accounts, deletions
and changes of address are at work: the promises hold, or the target refuses in words.
`make switches` prints the table.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api_simulators.activecampaign.switches import TABLE
from destinations_support import sums_close
from faults import test_bulk_switches, test_switches, test_untrue_answers
from faults import whole_scene as scene
from faults.canary import assert_quiet
from faults.support import Zygote, eventually
from faults.switches import Case, Table, cases, reason_unused, settle
from simulators_support import Simulator
from target_support import Run, Target, state

Build = Callable[..., Target]
State = dict[str, Any]
SHARE = 24
WAYS = ("crawl", "point", "incremental")

#: Values of switches that take any, chosen to bite in the scene.
VALUES: dict[str, tuple[Any, ...]] = {
    "forbidden": (
        "contacts", "fields", "fieldRels", "fieldValues", "fieldOption", "users", "lists",
        "contactLists", "tags", "contactTags", "accountContacts", "accountCustomFieldMeta",
        "accountCustomFieldData",
    ),
    "account_timezone": ("Australia/Sydney", "UTC"),
    "contact_limit": (len(scene.contacts()),),
    "delete_quota": (1,),
    "ids_filter_max": (1, 2),
    "search_lag_seconds": (0.5,),
    "max_value_length": (3, 5),
}  # fmt: skip
#: Switches of the transport, which has no part in what is written: the scene of contacts has them.
#: Imports have a scene of their own, and so has what is not so.
ELSEWHERE = (
    "rate_limit", "ratelimit_", "retry_after", "too_many_", "bulk_", "untrue_", "automation_",
)  # fmt: skip
#: Others that have to stand for a switch to show.
TOGETHER: dict[str, dict[str, Any]] = {
    "contact_limit_status": {"contact_limit": len(scene.contacts())},
    "delete_quota_status": {"delete_quota": 1},
}
#: What others do at that very moment, without which a switch would not show.
HAPPENING: dict[str, list[dict[str, Any]]] = {
    "put_email_conflict": [
        {
            "match": {"method": "PUT", "body": scene.new_address(110)},
            "nth": 1,
            "action": {
                "type": "event",
                "when": "before",
                "event": {
                    "type": "create_contact",
                    "values": {"email": scene.new_address(110)},
                },
            },
        }
    ],
    "contactlists_unknown_list": [
        {
            "match": {"method": "POST", "path": "/contactLists$", "body": '"list": ?2'},
            "nth": 3,
            "action": {
                "type": "event",
                "when": "before",
                "event": {"type": "delete_list", "list": scene.EVENTS},
            },
        }
    ],
}
#: Tables of others' data that change with what happens.
GONE_WITH_THE_LIST = {"contactlists_unknown_list": ("lists", "contacts", "contactLists")}
#: Why somebody wanted on a list is not there, beside being a named reject.
KEPT_AWAY = ("unsubscribed_there", "bounced_there", "left_meanwhile", "no_consent",
             "no_evidence_for_address")  # fmt: skip


def run_once(zygote: Zygote, target: Target, rows: list[dict[str, Any]]) -> Run:
    """One run, and what must hold however it ends: closed sums, nothing personal, clear words."""
    run = zygote.run(target, [scene.messages_schema(), *rows, state(len(rows))], seconds=120)
    assert run.code in (0, 2, 3, 4, 7), run.stderr
    assert sums_close(run)
    assert_quiet(run, target)
    if run.code:
        assert run.stderr.splitlines()[-1].startswith("target-activecampaign: "), run.stderr
        assert run.states == []
    else:
        assert run.last_state == len(rows)
    return run


def fewer(
    people: dict[str, scene.Person], model: dict[str, scene.Person], rejects: list[dict[str, Any]]
) -> int:
    """How many are on fewer lists than they could be; else all are as in the model but those who
    are named in the rejects file.
    """
    refused = {reject["record"]["ctt_id"] for reject in rejects}
    count = 0
    for email, wanted in model.items():
        if int(wanted["values"].get("BUBSCTTID", 0)) in refused:
            continue
        held = people[email]
        assert {**held, "lists": {}} == {**wanted, "lists": {}}
        there, due = ({n for n, status in one["lists"].items() if status == "1"}
                      for one in (held, wanted))  # fmt: skip
        assert there <= due, (email, there - due)
        count += there < due
    return count


def _a_moment_ago() -> str:
    """After all that the last run did, by times in whole seconds, and before all of the next."""
    moment = datetime.now(UTC) + timedelta(seconds=1)
    eventually(lambda: datetime.now(UTC) > moment, "a second")
    return moment.isoformat()


class Play:
    """First load, somebody leaves, changes, the same again, under one guess."""

    def __init__(
        self, zygote: Zygote, sim: Simulator, target: Target, flip: tuple[str, Any]
    ) -> None:
        self._zygote, self._sim, self._target, self._flip = zygote, sim, target, flip
        self._named: set[tuple[int, str]] = set()
        self._fewer = 0
        self.calls = 0

    def go(self) -> str:
        """What came of it, in words."""
        rows = scene.records()
        for number in (1, 2, 3):
            before = self._sim.state()
            self._sim.keep_journal()
            if number == 2:
                self._sim.event("unsubscribe", email=scene.address(102), list=scene.NEWS)
            settle(self._sim)
            self._sim.forget_requests()
            run = run_once(self._zygote, self._target, rows)
            self.calls += self._sim.summary()["total"]
            self._look(number, run, before)
            if run.code:
                said = run.stderr.splitlines()[-1].removeprefix("target-activecampaign: ")
                return f"refuses: {said[:150]} (run {number}, exit {run.code})"
            if number == 1:
                rows = scene.changed(_a_moment_ago())
        return self._in_words()

    def _look(self, number: int, run: Run, before: State) -> None:
        """What holds after each run, and between its calls."""
        sim, first = self._sim, number == 1
        may = set(scene.MAY_ENTER if first else scene.MAY_ENTER_THEN)
        if self._flip == ("membership_udate", "any_change"):
            may.add((scene.address(118), scene.NEWS))  # told then: longer ago than the consent
        first_out = scene.LEAVE_FIRST if first else scene.LEAVE_FIRST_THEN
        scene.assert_every_moment(before, sim.journal(), may, first_out)
        after = sim.state()
        scene.assert_foreign_untouched(before, after, *GONE_WITH_THE_LIST.get(self._flip[0], ()))
        if run.code:
            return
        must_leave = set(scene.MUST_LEAVE if first else scene.MUST_LEAVE_THEN)
        if self._flip[0] == "put_email_conflict":
            must_leave.discard((scene.address(110), scene.NEWS))  # whose address can't be changed
        assert not scene.active(after["contacts"]) & must_leave
        model = scene.wanted() if first else scene.wanted_then()
        self._fewer = fewer(scene.found(after), model, self._target.rejects)
        kept_away = sum(n for cause, n in run.causes.items() if cause in KEPT_AWAY)
        assert self._fewer <= kept_away
        self._named |= {(r["record"]["ctt_id"], r["cause"]) for r in self._target.rejects}
        if number == 3:
            self._assert_idle()

    def _assert_idle(self) -> None:
        """Nothing is written but for those who are still refused."""
        refused = {str(reject["record"]["ctt_id"]) for reject in self._target.rejects}
        for entry in self._sim.journal():
            for change in entry["changes"]:
                if change["table"] == "contacts":
                    assert change["after"]["fieldValues"]["BUBSCTTID"] in refused, entry
        if not self._extra:
            assert self._sim.requests(writes=True) == []

    @property
    def _extra(self) -> set[tuple[int, str]]:
        """Rejects that the scene does not have without a flip."""
        return self._named - set(scene.REJECTED.items())

    def _in_words(self) -> str:
        words = "promises hold"
        if self._extra:
            causes = ", ".join(sorted({cause for _, cause in self._extra}))
            tried = len(self._sim.requests(writes=True))
            words += f", {len(self._extra)} named rejects ({causes}), {tried} writes tried again"
        return words + (f", {self._fewer} kept away from a list by name" if self._fewer else "")


@pytest.mark.switches
@pytest.mark.parametrize(
    "case", cases(VALUES, ELSEWHERE, SHARE, WAYS), ids=lambda case: "-".join(map(str, case))
)
def test_a_flipped_guess_makes_nobody_active_who_must_not_be(
    zygote: Zygote, sim: Simulator, target_at: Build, switch_table: Table, case: Case
) -> None:
    """X1 X2 X3 X4 X5 X6 X7: one contact a person, at no moment anybody active who must not be, no
    write when nothing changed, closed sums, others untouched; or a refusal with text and exit code.
    """
    name, value, reads = case
    scene.seed(sim)
    sim.switches(**{**TOGETHER.get(name, {}), name: value})
    sim.faults(HAPPENING.get(name, []))
    key = "wrong-key" if name.startswith("bad_token_") else "sim-key"
    target = target_at(sim.url, streams={"contacts": scene.STREAM}, reads=reads, api_key=key)
    play = Play(zygote, sim, target, (name, value))
    switch_table.add(case, "everything", play.go(), play.calls)


@pytest.mark.switches
def test_without_a_flip_the_whole_scene_holds_for_all_ways_of_reading(
    zygote: Zygote, sim: Simulator, target_at: Build, switch_table: Table
) -> None:
    """S0-34 X3: the scene itself, so that a flip has something to be compared with."""
    for reads in WAYS:
        sim.reset()
        scene.seed(sim)
        target = target_at(sim.url, reads, streams={"contacts": scene.STREAM}, reads=reads)
        play = Play(zygote, sim, target, ("", ""))
        words = play.go()
        assert words == "promises hold"
        refused = {reject["record"]["ctt_id"]: reject["cause"] for reject in target.rejects}
        assert refused == scene.REJECTED
        switch_table.add_usual("everything", words, play.calls)


def test_every_switch_is_flipped_or_has_a_reason() -> None:
    """X8: no guess of the simulator is left out of the table in silence."""
    elsewhere = {name for name, _, _ in test_bulk_switches.flips()} | {*test_untrue_answers.VALUES}
    for switch in TABLE:
        tried = [
            not switch.name.startswith(left_out)
            and (switch.name in values or isinstance(switch.default, bool) or switch.values)
            for values, left_out in (
                (VALUES, ELSEWHERE), (test_switches.VALUES, test_switches.ELSEWHERE)
            )
        ]  # fmt: skip
        flipped = any(tried) or switch.name in elsewhere
        assert flipped or reason_unused(switch.name), switch.name
