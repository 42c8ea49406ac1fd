"""Nothing personal and no credential on stderr, at the most talkative level."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tap_optimizely_support import LIST, Tap

CANARY = "canary.person@example.com"
SECRETS = ("canary", "sim-password", "sim-user")


def furnish(tap: Tap) -> None:
    """One person in every stream."""
    tap.simulator.seed({"recipients": [{"list": LIST, "id": CANARY}]})
    mailing = tap.simulator.event("send_mailing", list=LIST)["mailing"]
    tap.simulator.event("open", id=CANARY, mailing=mailing)
    for kind in ("hard", "soft"):
        tap.simulator.event("bounce", id=CANARY, mailing=mailing, kind=kind)
    tap.simulator.event("mail_unsubscribe", id=CANARY, mailing=mailing)
    tap.simulator.seed({"blocklist": [CANARY]})
    tap.simulator.clock(advance=60)


def session_ids(tap: Tap) -> set[str]:
    """All session ids that the tap ever sent."""
    bodies = [str(seen.get("body", "")) for seen in tap.simulator.requests()]
    found = {one for body in bodies for one in re.findall(r">([0-9a-f]{16})</in0>", body)}
    assert found
    return found


BAD_ROW = [CANARY, str(LIST), CANARY]
FAULTS: list[dict[str, Any]] = [
    {},
    {"type": "event", "event": {"type": "expire_sessions"}, "when": "before"},
    {"type": "status", "status": 502},
    {"type": "truncate", "bytes": 300},
    {"type": "redirect", "location": f"https://evil.example.com/{CANARY}"},
    {"type": "status", "status": 404},
    {"type": "reset"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: str(one.get("type", "none")))
@pytest.mark.parametrize("settings", [{}, {"hard_bounce": {"threshold": 2}}, {"max_tries": 1}])
def test_no_address_password_or_session_is_said(
    tap: Tap, fault: dict[str, Any], settings: dict[str, Any]
) -> None:
    """At DEBUG, whatever the vendor does."""
    furnish(tap)
    tap.simulator.keep_bodies()
    if fault:
        tap.simulator.faults([{"nth": 6, "times": 3, "action": fault}])
    run = tap.run(log_level="DEBUG", **settings)
    assert run.errors
    for secret in (*SECRETS, *session_ids(tap)):
        assert secret not in run.errors, secret


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_a_row_that_breaks_the_run_is_not_quoted(tap: Tap, level: str) -> None:
    """The line names export and row."""
    tap.simulator.event("add_export_file", stream="unsubscribes", rows=[BAD_ROW])
    tap.simulator.clock(advance=5)
    run = tap.run("unsubscribes", log_level=level, unsubscribes_source="closed_loop")
    assert run.code == 6
    assert "canary" not in run.errors


def test_a_fault_that_quotes_the_session_is_not_passed_on(tap: Tap) -> None:
    """Fault texts of the vendor echo session, user and recipient; none of it is repeated."""
    furnish(tap)
    tap.simulator.switches(denied_text=f"no luck with {CANARY}", allowed_operations="login,logout")
    run = tap.run("bounces", log_level="DEBUG")
    assert run.code == 3
    for secret in SECRETS:
        assert secret not in run.errors


def test_a_real_process_is_as_quiet(tap: Tap, tmp_path: Path) -> None:
    """The same from the command line, with the SDK's own logging set up from scratch."""
    furnish(tap)
    done = subprocess.run(
        tap.command(), capture_output=True, timeout=60, check=True,
        env={"LOGLEVEL": "DEBUG", "HOME": str(tmp_path), "PATH": ""},
    )  # fmt: skip
    assert CANARY.encode() in done.stdout
    for secret in SECRETS:
        assert secret.encode() not in done.stderr
