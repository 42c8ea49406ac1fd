"""A tap that dies, an input that is not whole, a signal: the list stays as it was."""

from __future__ import annotations

import json
import shlex
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults.lists_untouched import (
    PEOPLE,
    assert_untouched,
    config_file,
    fill,
    last_line,
    open_phases,
    rows,
    shown,
)
from faults.support import Proxy, Running, Seen, Zygote, eventually
from lists_support import COLUMNS, STREAM, ListTarget, ids, marker, recipients, row, schema
from simulators_support import Simulator
from target_support import Run, lines

Build = Callable[..., ListTarget]
BIN = Path(sys.executable).parent
INCOMPLETE = "not known to be complete"


@pytest.fixture
def target(campaign: Simulator, list_proxy: Proxy, lists_at: Build) -> ListTarget:
    return lists_at(list_proxy.url, batch_size_records=50)


# ---- a real tap in a real pipe


def backoffice(folder: Path, number: int) -> Path:
    """A database with a selection of `number` people, and the tap's settings for it."""
    database = folder / "backoffice.sqlite"
    connection = sqlite3.connect(database)
    types = ", ".join(f"{name} {'INTEGER' if name == 'ctt_id' else 'TEXT'}" for name in COLUMNS)
    connection.execute(f"CREATE TABLE people ({types}, filler TEXT)")
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    connection.executemany(
        f"INSERT INTO people VALUES ({marks})",
        [[*row(key)["record"].values(), "x" * 500] for key in range(1, number + 1)],
    )
    connection.commit()
    connection.close()
    path = folder / "tap.json"
    stream = {"name": STREAM, "table": "people"}
    settings = {"database_url": f"sqlite:///{database}", "streams": [stream]}
    path.write_text(json.dumps({**settings, "fetch_size_rows": 50}))
    return path


def pipe(
    folder: Path, target: ListTarget, hurt: Callable[[Any], None], number: int
) -> tuple[int, Run]:
    """`tap | target` with the tap hurt while it sends; the tap's exit code and the target's run.

    The tap's output goes through here, so that it is certain that it is still sending when hurt.
    """
    tap: Any = subprocess.Popen(
        [BIN / "tap-backoffice", "--config", backoffice(folder, number)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
    )  # fmt: skip
    loader = subprocess.Popen(
        [BIN / "target-optimizely", "--config", config_file(target)], cwd=target.home,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
    )  # fmt: skip
    assert loader.stdin
    assert loader.stdout
    assert loader.stderr
    sent = b""
    while sent.count(b"\n") < 30 and (block := tap.stdout.read(4096)):
        sent += block
        loader.stdin.write(block)
    hurt(tap)
    while not tap.stdout.closed and (block := tap.stdout.read(65536)):
        loader.stdin.write(block)
    code = tap.wait(60)
    tap.stdout.close()
    loader.stdin.close()
    out, err = loader.stdout.read(), loader.stderr.read()
    loader.stdout.close()
    loader.stderr.close()
    run = Run(loader.wait(120), [json.loads(s) for s in out.splitlines()], err.decode(), {})
    return code, run


def test_a_tap_that_is_not_hurt_fills_the_list(
    campaign: Simulator, target: ListTarget, tmp_path: Path
) -> None:
    """X2: otherwise the tests below would prove nothing."""
    fill(campaign)
    code, run = pipe(tmp_path, target, lambda tap: None, PEOPLE)
    assert (code, run.code) == (0, 0), run.stderr
    assert recipients(campaign).keys() == ids(range(1, PEOPLE + 1))
    assert len(run.states) == 1


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_tap_that_is_killed_changes_nothing(
    campaign: Simulator, target: ListTarget, tmp_path: Path, signum: int
) -> None:
    """S1-20: SIGKILL, SIGTERM or Ctrl-C to a real tap in a real pipe."""
    whole = fill(campaign)
    code, run = pipe(tmp_path, target, lambda tap: tap.send_signal(signum), 3000)
    assert code != 0
    assert_untouched(campaign, target, run, whole, 6)
    assert campaign.requests() == []


def test_a_tap_that_fails_half_way_changes_nothing(
    campaign: Simulator, target: ListTarget, tmp_path: Path
) -> None:
    """S1-20: exit 1, here since its reader goes away in the middle of what it writes."""
    whole = fill(campaign)
    code, run = pipe(tmp_path, target, lambda tap: tap.stdout.close(), 3000)
    assert code == 1
    assert_untouched(campaign, target, run, whole, 6)
    assert campaign.requests() == []


# ---- inputs that are not whole


def messages() -> list[dict[str, Any]]:
    return [schema(), *rows(), marker({STREAM: PEOPLE})]


def other_key() -> dict[str, Any]:
    return {**schema(), "key_properties": ["email"]}


CUTS: dict[str, tuple[bytes, str]] = {
    "at a line boundary": (lines(messages()[:150]), INCOMPLETE),
    "inside a record": (lines(messages()[:150]) + lines([row(150)])[:60], "cut"),
    "inside the marker": (lines(messages())[:-20], "cut"),
    "before the marker": (lines(messages()[:-1]), INCOMPLETE),
    "after the schema": (lines(messages()[:1]), INCOMPLETE),
    "STATE without marker": (
        lines([*messages()[:-1], {"type": "STATE", "value": {"bookmarks": {}}}]), INCOMPLETE,
    ),
    "empty STATE": (lines([*messages()[:-1], {"type": "STATE", "value": {}}]), INCOMPLETE),
    "one too many counted": (
        lines([*messages()[:-1], marker({STREAM: PEOPLE + 1})]), f"counted {PEOPLE + 1}",
    ),
    "one too few counted": (
        lines([*messages()[:-1], marker({STREAM: PEOPLE - 1})]), f"counted {PEOPLE - 1}",
    ),
    "no counts": (lines([*messages()[:-1], marker({})]), "counted 0"),
    "marker of another stream": (lines([*messages()[:-1], marker({"o": PEOPLE})]), "records of"),
    "a record after the marker": (lines([*messages(), row(1)]), INCOMPLETE),
    "a bare STATE after the marker": (
        lines([*messages(), {"type": "STATE", "value": {"bookmarks": {}}}]), INCOMPLETE,
    ),
    "another key in mid-stream, then cut": (
        lines([*messages()[:100], other_key(), *messages()[100:-1]]), INCOMPLETE,
    ),
    "nonsense in mid-stream": (
        lines([*messages()[:100], b"{]\n", *messages()[100:]]), "line 101",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CUTS)
def test_an_input_that_is_not_whole_changes_nothing(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget, name: str
) -> None:
    """S1-20: exit 6, no STATE, one line that says why, and not even a question about the list."""
    data, words = CUTS[name]
    whole = fill(campaign)
    run = list_zygote.start(target, data).end()
    assert_untouched(campaign, target, run, whole, 6, words)
    assert campaign.requests() == []


def test_another_key_in_mid_stream_loses_nobody(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget
) -> None:
    """A second SCHEMA does not begin a second list: all rows around it are one selection."""
    fill(campaign)
    data = lines([*messages()[:100], other_key(), *messages()[100:]])
    run = list_zygote.start(target, data).end()
    assert run.code == 0, run.stderr
    assert recipients(campaign).keys() == ids(range(1, PEOPLE + 1))


# ---- signals to the target


SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_signal_while_reading_changes_nothing(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget, signum: int
) -> None:
    """X2: with everything but the marker read; 143 or 130, no STATE, no call."""
    whole = fill(campaign)
    running = list_zygote.start(target, None)
    running.stdin.write(lines(messages()[:-1]))
    eventually((target.home / "state" / "spool").exists, "the spool")
    running.signal(signum)
    eventually(lambda: "stopped by signal" in running.stderr, "its last words")
    assert_untouched(campaign, target, running.end(), whole, 128 + signum, "stopped by signal")
    assert campaign.requests() == []


def signalled(
    zygote: Zygote, proxy: Proxy, target: ListTarget, operation: bytes, signum: int, nth: int = 1,
    **more: Any,
) -> Run:  # fmt: skip
    """Send the signal when the vendor has answered the n-th call of an operation."""
    running: list[Running] = []
    calls: list[Seen] = []
    lock = threading.Lock()

    def hook(seen: Seen) -> None:
        if b":" + operation not in seen.body:
            return
        with lock:
            calls.append(seen)
        if len(calls) == nth:
            eventually(lambda: running, "the process is known")
            running[0].signal(signum)

    proxy.after = hook
    running.append(zygote.start(target, lines(messages()), **more))
    run = running[0].end(120)
    proxy.forget()
    assert len(calls) >= nth
    return run


@pytest.mark.parametrize("signum", SIGNALS)
@pytest.mark.parametrize("operation", [b"login", b"containsAll", b"getAllAdvanced"])
def test_a_signal_before_the_clear_changes_nothing(
    list_zygote: Zygote, campaign: Simulator, list_proxy: Proxy, target: ListTarget,
    signum: int, operation: bytes,
) -> None:  # fmt: skip
    """S1-20 X2: during login, suppression or snapshot; 143 or 130 and no STATE."""
    whole = fill(campaign)
    run = signalled(list_zygote, list_proxy, target, operation, signum)
    assert_untouched(campaign, target, run, whole, 128 + signum, "stopped by signal")


@pytest.mark.parametrize("signum", SIGNALS)
@pytest.mark.parametrize(("operation", "nth"), [(b"clear", 1), (b"addAll3", 1), (b"addAll3", 5)])
def test_a_signal_after_the_clear_waits_for_the_refill(
    list_zygote: Zygote, campaign: Simulator, list_proxy: Proxy, target: ListTarget,
    signum: int, operation: bytes, nth: int,
) -> None:  # fmt: skip
    """S1-22: with time of grace the list is complete and closed; still 143 or 130, and no STATE."""
    fill(campaign)
    run = signalled(list_zygote, list_proxy, target, operation, signum, nth, grace_seconds=60)
    assert (run.code, run.states) == (128 + signum, [])
    assert "stopped by signal" in last_line(run)
    assert recipients(campaign).keys() == ids(range(1, PEOPLE + 1))
    assert open_phases(target) == []


@pytest.mark.parametrize("signum", SIGNALS)
@pytest.mark.parametrize("operation", [b"clear", b"addAll3"])
def test_a_signal_after_the_clear_without_grace_leaves_an_open_intent(
    list_zygote: Zygote, campaign: Simulator, list_proxy: Proxy, target: ListTarget,
    signum: int, operation: bytes,
) -> None:  # fmt: skip
    """S1-22 S1-23: 143 or 130, the change declared as open, and the next run heals."""
    fill(campaign)
    run = signalled(list_zygote, list_proxy, target, operation, signum, grace_seconds=0)
    assert (run.code, run.states) == (128 + signum, [])
    assert len(recipients(campaign)) < PEOPLE
    assert len(open_phases(target)) == 1
    run = list_zygote.start(target, b"").end()
    assert (run.code, run.states) == (6, []), run.stderr
    assert recipients(campaign).keys() == ids(range(1, PEOPLE + 1))
    run = list_zygote.start(target, lines(messages())).end()
    assert (run.code, len(run.states)) == (0, 1), run.stderr
    assert recipients(campaign).keys() == ids(range(1, PEOPLE + 1))
    assert open_phases(target) == []


def test_a_second_signal_ends_at_once_and_the_next_run_heals(
    list_zygote: Zygote, campaign: Simulator, list_proxy: Proxy, target: ListTarget
) -> None:
    """S1-23: grace or not, whoever insists gets his way; the intent stays open."""
    fill(campaign)
    campaign.faults([{"match": {"body": ":addAll3"}, "action": {"type": "latency", "seconds": 60}}])
    running = list_zygote.start(target, lines(messages()), grace_seconds=300)
    eventually(lambda: b":addAll3" in (list_proxy.seen or [Seen(0, "", "", b"", b"")])[-1].body,
               "the first chunk")  # fmt: skip
    running.signal(signal.SIGTERM)
    running.signal(signal.SIGINT)  # two of a kind could become one before they are seen
    run = running.end()
    assert run.code in {130, 143}  # whichever of them was seen last
    assert run.states == []
    assert len(open_phases(target)) == 1
    campaign.faults([])
    run = list_zygote.start(target, lines(messages())).end()
    assert run.code == 0, run.stderr
    assert recipients(campaign).keys() == ids(range(1, PEOPLE + 1))


def test_the_shell_is_told_of_a_broken_pipe(
    campaign: Simulator, target: ListTarget, tmp_path: Path
) -> None:
    """X2: `false | target` in a shell with pipefail, as cron would run it, changes nothing."""
    whole = fill(campaign)
    command = shlex.join([str(BIN / "target-optimizely"), "--config", str(config_file(target))])
    (tmp_path / "part.singer").write_bytes(lines(messages()[:100]))
    part = shlex.quote(str(tmp_path / "part.singer"))
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{{ cat {part}; exit 1; }} | {command}"],
        capture_output=True, timeout=120, cwd=target.home,
    )  # fmt: skip
    assert done.returncode == 6
    assert done.stdout == b""
    assert shown(campaign) == whole
