"""How a run ends: command line, settings, signals, full disk, closed stdout, bugs."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from intake.intake_support import CANARY, HERE, Example, contacts, record, schema, state, wait_for

SECRET = "very-secret-value"


def test_a_fresh_process_answers_version_about_and_input(example: Example) -> None:
    """As a user starts it, with an interpreter of its own."""
    assert example.run_fresh(b"", "--version").stdout.startswith("target-example v")
    about = json.loads(example.run_fresh(b"", "--about", "--format=json").stdout)
    settings = about["settings"]["properties"]
    assert {"state_dir", "max_line_bytes", "validate_records", "stream_maps"} <= set(settings)
    assert not {"load_method", "batch_size_rows", "add_record_metadata"} & set(settings)
    run = example.run_fresh(contacts(3) + state(n=1), "--config", str(example.config_file))
    assert (run.code, len(run.applied), run.states) == (0, 3, [{"n": 1}])


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"batch": SECRET}, "setting batch: type must be integer"),
        ({"max_line_bytes": 5}, "setting max_line_bytes: minimum must be 1024"),
        ({"output": None}, "setting output: type must be string"),
        ({"stream_maps": {"__else__": SECRET}}, "stream_maps"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(
    example: Example, config: dict[str, object], text: str
) -> None:
    """Exit 2, one line, before any input is read."""
    example.config.update(config)
    run = example.run(contacts(1))
    assert (run.code, len(run.failures)) == (2, 1), run.stderr
    assert text in run.failures[0]
    assert SECRET not in run.stderr
    assert run.applied == []


def test_missing_settings_are_named_together(example: Example) -> None:
    """One line tells all of them."""
    run = example.run(b"", "--config", str(HERE / "empty.json"))
    assert run.failures == ["target-example: --config: no such file"]
    (example.folder / "empty.json").write_text("{}")
    run = example.run(b"", "--config", str(example.folder / "empty.json"))
    assert (run.code, run.failures) == (
        2, ["target-example: settings: state_dir, output missing"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (f'{{"api_key": "{SECRET}"', "no JSON at line 1 column"),
        (f'["{SECRET}"]', "no JSON object"),
        (f'"{SECRET}"', "no JSON object"),
    ],
)
def test_a_broken_config_file_is_named_by_position(
    example: Example, content: str, text: str
) -> None:
    """It holds secrets: nothing of it is shown."""
    path = example.folder / "broken.json"
    path.write_text(content)
    run = example.run(b"", "--config", str(path))
    assert (run.code, len(run.failures)) == (2, 1), run.stderr
    assert text in run.failures[0]
    assert SECRET not in run.stderr


def test_a_config_given_as_text_is_not_echoed(example: Example) -> None:
    """Somebody pastes the JSON itself after --config."""
    for pasted in (f'{{"api_key": "{SECRET}"}}', f'{{"api_key": "{SECRET * 50}"}}'):
        run = example.run(b"", "--config", pasted)
        assert (run.code, len(run.failures)) == (2, 1), run.stderr
        assert SECRET not in run.stderr


def test_a_setting_from_the_environment_is_named_without_its_value(example: Example) -> None:
    """`--config ENV` with a number that is none."""
    run = example.run(b"", "--config=ENV", TARGET_EXAMPLE_BATCH=SECRET)
    assert (run.code, run.failures) == (
        2, ["target-example: setting batch: its environment variable doesn't fit its type"],
    )  # fmt: skip
    assert SECRET not in run.stderr


def test_an_unknown_option_is_one_line_and_exit_2(example: Example) -> None:
    """The command line counts as configuration."""
    run = example.run(b"", "--nonsense")
    assert (run.code, len(run.failures)) == (2, 1)
    assert run.stderr.strip() == run.failures[0]


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_reading_ends_at_once_and_publishes_nothing(
    example: Example, signum: int, code: int
) -> None:
    """The input stays open: nothing but the signal can end the wait."""
    child = example.start()
    child.stdin.write(contacts(5000) + state(n=1))
    child.stdin.flush()
    wait_for(lambda: (example.folder / "notes.txt").exists() or example.spool.exists())
    child.send_signal(signum)
    run = example.finish(child)
    assert (run.code, run.stdout, run.applied) == (code, "", [])
    assert len(run.failures) == 1
    assert list(example.spool.iterdir()) == []


def test_sigterm_while_consuming_stops_between_steps(example: Example) -> None:
    """What is applied is acknowledged, nothing beyond it, exit 143."""
    example.config.update(batch=1, pause_seconds=0.05)
    child = example.start()
    child.stdin.write(schema() + b"".join(record(n) + state(n=n) for n in range(1, 400)))
    child.stdin.close()
    wait_for(lambda: example.output.exists() and example.output.stat().st_size > 0)
    child.send_signal(signal.SIGTERM)
    run = example.finish(child)
    assert run.code == 143
    assert 0 < len(run.applied) < 399
    # STATE n stands behind record n: it goes out with the step that closes record n + 1.
    assert run.states == [{"n": row["id"]} for row in run.applied[:-1]]


def test_a_second_signal_ends_the_process_at_once(example: Example) -> None:
    """For a step that hangs; nothing more is acknowledged."""
    example.config.update(pause_seconds=600)
    child = example.start()
    child.stdin.write(contacts(3) + state(n=1))
    child.stdin.close()
    wait_for(lambda: example.output.exists() and example.output.stat().st_size > 0)
    child.send_signal(signal.SIGTERM)
    child.send_signal(signal.SIGINT)
    run = example.finish(child)
    assert run.code in (130, 143)
    assert run.states == []


def test_sigkill_leaves_no_record_behind(example: Example) -> None:
    """The spool has no name: the kernel takes it back with the process."""
    child = example.start()
    child.stdin.write(contacts(50_000))
    child.stdin.flush()
    wait_for(example.spool.exists)
    child.send_signal(signal.SIGKILL)
    run = example.finish(child)
    assert (run.code, run.stdout) == (-signal.SIGKILL, "")
    assert CANARY.encode() not in b"".join(
        path.read_bytes() for path in example.folder.rglob("*") if path.is_file()
    )


def test_a_leftover_spool_is_removed_at_the_next_start(example: Example) -> None:
    """Of a run killed while it made its file."""
    example.spool.mkdir(parents=True)
    (example.spool / "spool-1-dead").write_text(CANARY)
    assert example.run(contacts(1)).code == 0
    assert list(example.spool.iterdir()) == []
    assert stat.S_IMODE(example.spool.stat().st_mode) == 0o700


def test_a_full_disk_ends_the_run_before_anything_is_applied(example: Example) -> None:
    """A file may grow to 64 KiB: the spool can't take 20,000 records; one clear line."""
    run = example.run(contacts(20_000) + state(n=1), limit=65536)
    assert (run.code, run.stdout, run.applied) == (1, "", [])
    assert len(run.failures) == 1
    assert "the spool of incoming records can't be written" in run.failures[0]
    assert not (example.folder / "notes.txt").read_text().count("consume")


def test_a_state_dir_that_cannot_be_written_is_a_configuration_error(example: Example) -> None:
    """Found before the input is read."""
    example.config["state_dir"] = "/proc/none"
    run = example.run(contacts(1))
    assert (run.code, len(run.failures)) == (2, 1)
    assert "state_dir" in run.failures[0]


def test_a_closed_stdout_ends_the_run_with_an_error(example: Example) -> None:
    """A STATE that nobody takes must not look like success."""
    child = example.start()
    child.stdout.close()
    run = example.finish(child, contacts(3) + state(n=1))
    assert run.code == 1
    assert run.stderr.count("stdout is closed") == 1
    assert "Exception ignored" not in run.stderr
    assert len(run.applied) == 3


def test_a_closed_stdout_is_quiet_in_a_fresh_process(example: Example) -> None:
    """The interpreter's own last flush of stdout finds nothing to complain about."""
    example.run(contacts(0))
    command = [sys.executable, str(HERE / "example_target.py"), "--config"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*command, str(example.config_file)],
        input=contacts(3) + state(n=1),
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 1
    assert b"BrokenPipeError" not in done.stderr
    assert done.stderr.count(b"stdout is closed") == 1


def test_without_stdin_the_run_says_so(example: Example) -> None:
    """`target <&-` is an input error, not a traceback."""
    example.run(contacts(0))
    script, config = str(HERE / "example_target.py"), str(example.config_file)
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" "$1" --config "$2" <&-', sys.executable, script, config],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 6, done.stderr
    assert b"there is no standard input" in done.stderr


@pytest.mark.parametrize("where", ["main", "thread"])
def test_a_bug_is_one_line_without_values(example: Example, where: str) -> None:
    """The exception's text holds a record; its type and place are enough to find it (X7)."""
    example.config["blow_up"] = where
    run = example.run(contacts(1))
    assert len(run.failures) == 1, run.stderr
    assert "unexpected KeyError at example_target.py:" in run.failures[0]
    assert "TARGET_EXAMPLE_DEBUG_TRACEBACK=1" in run.failures[0]
    assert CANARY not in run.stderr
    assert run.code == (1 if where == "main" else 0)


def test_the_debug_stack_shows_places_only(example: Example) -> None:
    """File, line and function of every frame; no message, no value."""
    example.config["blow_up"] = "main"
    run = example.run(contacts(1), TARGET_EXAMPLE_DEBUG_TRACEBACK="1")
    assert any("example_target.py" in line and "blow_up" in line for line in run.failures)
    assert CANARY not in run.stderr


def test_debug_logs_hold_no_record(example: Example) -> None:
    """At LOGLEVEL=DEBUG too."""
    data = contacts(2) + record(3, email=5) + state(n=1)
    run = example.run(data, TARGET_EXAMPLE_LOGLEVEL="DEBUG")
    assert run.code == 0
    assert CANARY not in run.stderr
    assert Path(example.output).exists()
