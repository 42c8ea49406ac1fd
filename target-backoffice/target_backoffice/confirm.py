"""`target-backoffice confirm`: the feedback file where another loader did the import.

    tap-optimizely --config … > feedback.singer
    target-postgres --config … < feedback.singer &&
    target-backoffice confirm --feedback-file … feedback.singer

The loader's success says that what came is in; whether all of it came only the tap's marker says,
which other loaders don't look at.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
from target_kit.clock import SystemClock
from target_kit.errors import ConfigurationError, InputError
from target_kit.feedback import Feedback, write_feedback
from target_kit.intake import Doors, Intake, Route, StreamInfo
from target_kit.lines import LineReader
from target_kit.receiver import Receiver
from target_kit.signals import StopSignal
from target_kit.spool import Spool

from target_backoffice.completeness import began_at, gap, marker_version
from target_backoffice.settings import DEFAULT_TABLES


def confirm(path: Path, source: Path, wanted: Sequence[str], stop: StopSignal) -> Feedback:
    """Check the messages of `source` and write the feedback file `path`.

    Raises InputError where they are not all there, ConfigurationError where a file can't be used.
    """
    started_at = SystemClock().now()
    came: set[str] = set()

    def count_only(info: StreamInfo) -> bool:
        came.add(info.name)
        return False

    with tempfile.TemporaryDirectory() as directory:
        intake = Intake(Spool.create(Path(directory)))
        doors = Doors(
            routes=lambda stream, schema, keys: [Route(stream, schema, tuple(keys or ()), None)],
            check_stream=count_only,
            encode=lambda _record: b"",
        )
        try:
            with source.open("rb") as file, stop.interruptible():
                Receiver(intake, doors).receive(LineReader(file))
        except OSError as error:
            raise ConfigurationError(f"the input can't be read: {error.strerror}") from None
        finally:
            intake.spool.close()
    if intake.input_error is not None:
        raise intake.input_error
    missing = gap(intake.marker, intake.received, wanted, came)
    if missing:
        raise InputError(f"feedback_file stays as it was: {missing}")
    version = marker_version(intake.marker)
    counts = {name: intake.received[name] for name in sorted(wanted)}
    feedback = Feedback(began_at(started_at, version), ", ".join(counts), counts, version)
    write_feedback(path, feedback)
    return feedback


def confirm_command(stop: StopSignal) -> click.Command:
    """The command `confirm`."""

    @click.command(name="confirm", help="Write the feedback file after another loader's import.")
    @click.option("--feedback-file", required=True, type=click.Path(path_type=Path))
    @click.option(
        "--stream",
        "streams",
        multiple=True,
        default=tuple(DEFAULT_TABLES),
        show_default=True,
        help="Stream that must have come; may be given several times.",
    )
    @click.argument("input_file", type=click.Path(path_type=Path))
    def command(feedback_file: Path, streams: tuple[str, ...], input_file: Path) -> None:
        feedback = confirm(feedback_file, input_file, streams, stop)
        counted = ", ".join(f"{n} {name}" for name, n in feedback.counts.items())
        click.echo(f"{feedback_file}: {counted}", err=True)

    return command
