"""Every guess about ActiveCampaign's bulk import, flipped: everybody is there once as the
backoffice says, nobody is active who must not be, and a second run writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from api_simulators.activecampaign.import_switches import IMPORTS
from faults import bulk_scene as scene
from faults.canary import assert_quiet
from faults.support import Zygote
from faults.switches import Case, Table, settle
from simulators_support import Simulator
from target_support import Target

Build = Callable[..., Target]

#: Values of switches that take any, chosen to bite in the scene.
VALUES: dict[str, tuple[Any, ...]] = {
    "bulk_refuses": ("odd",),
    "bulk_fails": ("odd",),
    "bulk_delay_seconds": (0.0, 2.5),
    "bulk_listed_after_seconds": (1.0,),
}
#: Switches of others that change what becomes of an import.
BESIDE: tuple[Case, ...] = (
    ("search_lag_seconds", 1.5, "crawl"),
    ("include_supported", False, "crawl"),
    ("id_greater_supported", False, "point"),
    ("ids_filter_max", 1, "crawl"),
    ("email_case", "lower", "crawl"),
    ("email_unique_ignores_case", False, "crawl"),
    ("forbidden", "import", "crawl"),
    ("api_subscription", "unconfirmed", "crawl"),
    ("membership_udate", "any_change", "crawl"),
)
#: What else has to be so for a switch to show.
TOGETHER: dict[str, dict[str, Any]] = {
    "bulk_index_base": {"bulk_refuses": "odd"},
    "bulk_reasons": {"bulk_refuses": "odd"},
    "bulk_value_validation": {"field_value_validation": "strict"},
}
#: What happens to answers, without which a switch would not show.
LOST = [{"match": {"method": "POST", "path": "/import/"}, "nth": 2, "action": "apply_then_reset"}]
NEVER_LISTED = {"match": {"path": "/import/info"}, "action": {
    "type": "status", "status": 404, "body": "{}", "content_type": "application/json",
}}  # fmt: skip
HAPPENING: dict[str, list[dict[str, Any]]] = {
    "bulk_listed_after_seconds": LOST,
    "bulk_unknown_batch": [],
}


def flips() -> list[Case]:
    """Every value of every switch that is not its default."""
    found: list[Case] = []
    for switch in IMPORTS:
        values: tuple[Any, ...] = VALUES.get(switch.name) or switch.values
        if isinstance(switch.default, bool):
            values = (not switch.default,)
        found += [(switch.name, value, "crawl") for value in values if value != switch.default]
    return [*found, *BESIDE]


def play(zygote: Zygote, sim: Simulator, target: Target, case: Case) -> tuple[str, int]:
    """Two runs under one guess; what came of them in words, and the calls."""
    strict = case[0] == "bulk_value_validation"
    calls, refused = 0, frozenset({50} if strict else ())
    for number in (1, 2):
        settle(sim)
        sim.forget_requests()
        run = zygote.run(target, scene.messages(), seconds=120)
        calls += sim.summary()["total"]
        assert_quiet(run, target)
        if run.code:
            assert run.code in (2, 3, 7), run.stderr
            assert number == 1
            said = run.stderr.splitlines()[-1].removeprefix("target-activecampaign: ")
            return f"refuses: {said[:150]} (exit {run.code})", calls
        causes = {one["record"]["ctt_id"]: one["cause"] for one in target.rejects}
        if not number - 1 or case[0] != "api_subscription":
            assert set(causes) <= {50, *(scene.EVERYBODY if _slow(case) else ())}, causes
        if case[0] != "api_subscription":
            settle(sim)
            scene.assert_delivered(sim.state()["contacts"], refused=refused | frozenset(causes))
        assert not list((target.home / "state").glob("bulk-*"))
    writes = len(sim.requests(writes=True))
    assert writes <= 3 * len(target.rejects), sim.requests(writes=True)
    words = ", ".join(sorted(set(causes.values())))
    return f"promises hold{f', named rejects ({words})' if words else ''}", calls


def _slow(case: Case) -> bool:
    """Whether contacts that were made may not be found yet, or be confirmed."""
    return case[0] in {"search_lag_seconds", "api_subscription"}


@pytest.mark.switches
@pytest.mark.parametrize("case", flips(), ids=lambda case: "-".join(map(str, case)))
def test_a_flipped_guess_about_imports_breaks_no_promise(
    zygote: Zygote, sim: Simulator, target_at: Build, switch_table: Table, case: Case
) -> None:
    """X1 X2 X3 X6 S0-34: or the run refuses in words."""
    name, value, reads = case
    sim.switches(bulk_delay_seconds=0.05, bulk_rate_limit=False)
    scene.seed(sim)
    sim.switches(**{**TOGETHER.get(name, {}), name: value})
    sim.faults(HAPPENING.get(name, []))
    target = target_at(sim.url, **scene.SETTINGS, reads=reads)
    words, calls = play(zygote, sim, target, case)
    switch_table.add(case, "imports", words, calls)


@pytest.mark.switches
def test_without_a_flip_imports_keep_all_promises(
    zygote: Zygote, sim: Simulator, target_at: Build, switch_table: Table
) -> None:
    """S0-34: the scene itself, so that a flip has something to be compared with."""
    sim.switches(bulk_delay_seconds=0.05)
    scene.seed(sim)
    target = target_at(sim.url, **scene.SETTINGS, reads="crawl")
    words, calls = play(zygote, sim, target, ("", "", "crawl"))
    assert words == "promises hold"
    assert len(sim.state()["imports"]) == 2
    switch_table.add_usual("imports", words, calls)


@pytest.mark.parametrize("status", [404, 200])
def test_a_batch_that_nobody_knows_any_more_is_no_reason_to_wait(
    zygote: Zygote, sim: Simulator, target_at: Build, status: int
) -> None:
    """S0-52: of an import from long ago only the empty queue tells that it is over."""
    scene.seed(sim)
    sim.switches(bulk_delay_seconds=0.05, bulk_unknown_batch=status)
    target = target_at(sim.url, **scene.SETTINGS, reads="crawl")
    sim.faults([{"match": {"method": "GET", "path": "/import/"}, "action": "reset"}])
    broken = zygote.run(target, scene.messages(), deadline_seconds=6)
    assert broken.code == 7
    (journal,) = (target.home / "state").glob("bulk-*")
    sim.faults([])
    journal.write_text('{"batches": ["gone"], "sending": false}')
    assert zygote.run(target, scene.messages(), seconds=120).code == 0
    scene.assert_delivered(sim.state()["contacts"])
