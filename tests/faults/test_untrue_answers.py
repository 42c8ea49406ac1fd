"""A vendor that says what is not so, keeps values its own way or runs an automation: whatever it
is, nobody is made twice, no run goes round in circles, and the report says that something is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from api_simulators.activecampaign.untrue_answers import UNTRUE
from destinations_support import sums_close
from faults import scene
from faults.canary import assert_quiet
from faults.support import EVERYTHING, SEED, Zygote
from faults.switches import Case, Table, shared_out
from faults.test_switches import SEED_PEOPLE, changed, first_load
from simulators_support import Simulator
from target_support import Run, Target, schema, state

Build = Callable[..., Target]
#: What each is turned to; every switch of this kind needs a line.
VALUES: dict[str, tuple[Any, ...]] = {
    "untrue_ignores": ("contacts", "fieldValues", "contacts,fieldValues"),
    "untrue_failures": ("contacts", "fieldValues", "contacts,fieldValues"),
    "untrue_echo": ("contacts", "fieldValues", "contacts,fieldValues"),
    "untrue_form": ("LAND=upper", "LAND=cut", "SPRACHE=upper,MOBIL=cut"),
    "automation_overwrites": ("LAND=Nirgends", "LAND=Nirgends,SPRACHE=xx"),
}
#: Values that no write of this scene meets, so that there is nothing to say.
UNSEEN = {
    ("untrue_ignores", "fieldValues"), ("untrue_failures", "fieldValues"),
    ("untrue_echo", "fieldValues"),
}  # fmt: skip
SHARE = 4
MOST_LOOKS = 4  # of one row in one run
SIGNS = ("mismatched_fields", "changes_back", "kept_in_another_form", "left_alone")


def every_case() -> list[Case]:
    """Every value, for both ways of reading."""
    return [
        (name, value, reads)
        for name, values in VALUES.items()
        for value in values
        for reads in ("crawl", "point")
    ]


def signs(run: Run) -> list[str]:
    """How a report says that the vendor's word is not to be trusted."""
    details = run.stream["details"]
    found = [f"{name} {', '.join(details[name])}" for name in SIGNS if name in details]
    found += [f"answers broken by {route}" for route in run.report["answers_broken"]]
    return found + [f"open: {cause}" for cause in run.causes if cause.startswith("refused")]


@pytest.mark.switches
@pytest.mark.parametrize(
    "case", shared_out(every_case(), SHARE), ids=lambda case: "-".join(map(str, case))
)
def test_what_is_not_so_is_said_and_starts_no_circle(
    zygote: Zygote, sim: Simulator, target_at: Build, switch_table: Table, case: Case
) -> None:
    """X1 X4 X7 X8: three runs: one contact a person, closed sums, a few writes a row at the most,
    the fields or routes in the report and no person in any log; then the truth again, and all is
    delivered.
    """
    name, value, reads = case
    sim.seed({"fields": scene.FIELDS, "contacts": SEED_PEOPLE})
    sim.switches(**{name: value})
    target = target_at(sim.url, create_fields=False, reads=reads, quarantine_after=2)
    said: list[str] = []
    calls = 0
    for rows in (first_load(), changed(), changed()):
        sim.forget_requests()
        run = zygote.run(target, [schema(), *rows, state(len(rows))], seconds=120)
        assert run.code == 0, run.stderr
        assert sums_close(run)
        assert_quiet(run, target)
        scene.assert_unique(sim.state()["contacts"])
        assert len(sim.requests(writes=True)) <= MOST_LOOKS * len(rows)
        calls += sim.summary()["total"]
        said += signs(run)
    assert said or (name, value) in UNSEEN
    sim.switches(**{name: ""})
    run = zygote.run(target, [schema(), *changed(), state(7)], quarantine_after=0, seconds=120)
    assert run.code == 0
    assert_delivered(sim, target)
    words = "; ".join(dict.fromkeys(said)) or "nothing to be seen"
    switch_table.add(case, "untrue answers", words, calls)


def assert_delivered(sim: Simulator, target: Target) -> None:
    """Everybody who is no reject is there once, with the name the source has."""
    contacts = {c["fieldValues"].get("BUBSCTTID"): c for c in sim.state()["contacts"]}
    refused = {reject["record"]["ctt_id"] for reject in target.rejects}
    assert refused <= {6}  # whose address is another's
    for row in changed():
        wanted = row["record"]
        if wanted["ctt_id"] not in refused:
            found = contacts[str(wanted["ctt_id"])]
            assert found["firstName"] == wanted.get("given_name", found["firstName"])
            assert found["email"].lower() == wanted["email"].lower()


def test_every_untruth_is_told_in_some_scene() -> None:
    """None is left out in silence."""
    assert VALUES.keys() == {switch.name for switch in UNTRUE}
    if EVERYTHING:
        assert len(shared_out(every_case(), SHARE)) == len(every_case())
    else:
        assert shared_out(every_case(), SHARE) == shared_out(every_case(), SHARE), SEED
