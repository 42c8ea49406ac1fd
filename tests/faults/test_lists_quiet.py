"""Many faults in one refill, everything at DEBUG, a canary in every column: nothing is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lists_support import REGULAR, ListTarget, row, selection
from simulators_support import Simulator
from target_support import Run

Build = Callable[..., ListTarget]
USER, PASSWORD = "canary-user-77", "canary-password-77"
WORDS = ("canarymail", "Canarygiven", "Canaryfamily", "canaryoptin", USER, PASSWORD)
#: They echo what was sent: session id, user name, ids, values.
FAULTS = [
    {"match": {"body": ":addAll3[ >]"}, "nth": 2, "action": "apply_then_reset"},
    {"match": {"body": ":addAll3[ >]"}, "nth": 4, "action": "apply_then_status"},
    {"match": {"body": ":clear[ >]"}, "nth": 1, "action": "apply_then_status"},
    {"match": {"body": ":containsAll[ >]"}, "nth": 2, "action": "truncate"},
    {"match": {"body": ":getCount[ >]"}, "nth": 2,
     "action": {"type": "event", "event": {"type": "expire_sessions"}}},
    {"match": {"body": ":areBlacklisted[ >]"}, "nth": 3, "action": "html_200"},
]  # fmt: skip


def person(key: int, **more: Any) -> dict[str, Any]:
    return row(
        key,
        **{
            "email": f"canarymail{key}@example.com",
            "given_name": "Canarygiven",
            "family_name": "Canaryfamily",
            "optin_id": "canaryoptin",
            **more,
        },
    )


def assert_quiet(run: Run, target: ListTarget) -> None:
    """Nothing personal and no secret in what the run said, reported or keeps."""
    texts = {"stderr": run.stderr, "report": json.dumps(run.report), "states": str(run.states)}
    for path in Path(target.config["state_dir"]).rglob("*"):
        # The journal holds the snapshot, which `recover --restore` needs: private, not told.
        if path.is_file() and path.parent.name != "lists":
            texts[path.name] = path.read_bytes().decode("latin-1")
    for name, text in texts.items():
        for word in WORDS:
            assert word not in text, f"{word} in {name}: {text}"


@pytest.fixture
def target(campaign: Simulator, lists_at: Build) -> ListTarget:
    campaign.seed({
        "clients": [{"id": 1234, "users": [{"name": USER, "password": PASSWORD}]}],
        "recipients": [{"list": REGULAR, "id": f"canarymail{key}@example.com"}
                       for key in range(50, 90)],
        "unsubscribes": [{"id": "canarymail60@example.com"}],
        "blocklist": ["canarymail61@example.com"],
    })  # fmt: skip
    return lists_at(
        campaign.url, batch_size_records=10, timeout_seconds=5, username=USER, password=PASSWORD
    )


ENV = {
    "LOGLEVEL": "DEBUG",
    "TARGET_OPTIMIZELY_LOGLEVEL": "DEBUG",
    "TARGET_OPTIMIZELY_DEBUG_TRACEBACK": "1",
}


def test_a_refill_full_of_faults_says_nothing_personal_at_debug(
    campaign: Simulator, target: ListTarget
) -> None:
    """X7: stderr, report, STATE, evidence and everything in the state directory but the journal."""
    campaign.faults(FAULTS)
    people = [person(key) for key in range(50, 100)]
    people += [person(100, email="canarymail no address"), person(101, consent="Canaryother")]
    campaign.event("add_attribute", list=REGULAR, attribute={"name": "Zahl", "type": "INTEGER"})
    run = target.run(
        selection(people), env=ENV, lists={
            "newsletter_recipients": {
                **target.config["lists"]["newsletter_recipients"],
                "on_wrong_consent": "reject",
                "attributes": {"Vorname": "given_name", "Zahl": "org_country"},
            }
        }, max_errors=3,
    )  # fmt: skip
    # "CH" is no number, so the vendor refuses every value of it and says so with all it was sent.
    assert run.code == 4, run.stderr
    assert sum(fault["fired"] for fault in campaign.faults()) >= len(FAULTS) - 1
    assert_quiet(run, target)


@pytest.mark.parametrize("ending", ["session", "credentials", "down"])
def test_a_run_that_fails_says_nothing_personal_at_debug(
    campaign: Simulator, target: ListTarget, ending: str
) -> None:
    """X7: also where the vendor's last word repeats session id, user name and recipients."""
    action: dict[str, dict[str, Any]] = {
        "session": {"type": "event", "event": {"type": "expire_sessions"}},
        "credentials": {"type": "event", "event": {"type": "revoke_user", "user": USER}},
        "down": {"type": "apply_then_reset"},
    }
    nth = {"nth": 2} if ending == "credentials" else {}
    campaign.faults([{"match": {"body": ":addAll3[ >]"}, "action": action[ending], **nth}])
    run = target.run(selection([person(key) for key in range(50, 100)]), env=ENV)
    assert run.code == (3 if ending == "credentials" else 7), run.stderr
    assert_quiet(run, target)
