"""`rejects list|retry|drop`: for operators, what could not be delivered.

`list` reads the files as they are, beside a run if there is one. `retry` is a run without input:
the open rejects are all there is. `drop` gives one up for good, under the run's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import msgspec

from target_kit.clock import Clock
from target_kit.commands import minute, note_operation, operator_command, person
from target_kit.errors import ConfigurationError
from target_kit.intake import Intake
from target_kit.redact import KeyHasher
from target_kit.rejects import Reject, drop_rejects, open_rejects
from target_kit.signals import StopSignal
from target_kit.spool import Spool
from target_kit.stream_schemas import recall

ACTIONS = ("list", "retry", "drop")


@dataclass(frozen=True, slots=True)
class Desk:
    """What a target tells of itself: whose rejects there are and how a run is made.

    `identities` says how a key that somebody typed is named in rejects of a stream; `locked` keeps
    runs out; `retry` works an intake off that holds no records, and returns the exit code.
    """

    state_dir: Path
    streams: Sequence[str]
    clock: Clock
    identities: Callable[[str, str], Collection[str]]
    locked: Callable[[], AbstractContextManager[None]]
    retry: Callable[[Intake], int]


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which rejects are meant; None is all."""

    stream: str | None
    key: str | None
    row: str | None
    cause: str | None


class _Names:
    """Keyed hashes of whom rejects are about; their key is read, or made, when it is needed."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir

    @cached_property
    def _hasher(self) -> KeyHasher:
        return KeyHasher.from_state_dir(self._state_dir)

    def who(self, stream: str, reject: Reject) -> str:
        """Who it is, for what is kept."""
        return self._hasher.long(f"{stream} {reject.identity}")

    def row(self, stream: str, reject: Reject) -> str:
        """What a reject is called by, also where it has no key."""
        return f"{self.who(stream, reject)[:10]}-{reject.row}"


def rejects_command(
    target_class: Any, stop: StopSignal, desk_of: Callable[[Any], Desk]
) -> click.Command:
    """The command; `desk_of` makes the Desk of a target."""

    @operator_command("rejects", target_class, stop)
    @click.argument("action", type=click.Choice(ACTIONS))
    @click.option("--stream", help="Only those of this stream.")
    @click.option("--key", help="Only those of the record with this backoffice key.")
    @click.option("--row", help="Only the one with this reference, as list prints it.")
    @click.option("--cause", help="Only those with this cause, such as address_taken.")
    @click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
    @click.option("--yes", is_flag=True, help="With drop: really.")
    def rejects(target: Any, action: str, form: str, yes: bool, **which: str | None) -> int:
        """List open rejects, run for them alone, or drop one for good."""
        desk, choice = desk_of(target), _Choice(**which)
        if choice.stream and choice.stream not in desk.streams:
            raise ConfigurationError("--stream: no such stream is configured")
        if action == "list":
            _list(desk, choice, form)
            return 0
        return _retry(desk, choice) if action == "retry" else _drop(desk, choice, yes=yes)

    return rejects


def _list(desk: Desk, choice: _Choice, form: str) -> None:
    """Who, where, why, since when; never what the record holds."""
    found = list(_chosen(desk, choice))
    for stream, row, reject in found:
        if form == "json":
            click.echo(msgspec.json.encode(_told(stream, row, reject)))
            continue
        since, field = minute(reject.first_seen), f" of {reject.field}" if reject.field else ""
        click.echo(
            f"{stream}  {person(reject.identity)}  {reject.step}  {reject.cause}{field}"
            f"  since {since}  {reject.tries} tries  row {row}"
        )
        click.echo(f"    {reject.message}")
    click.echo(f"{len(found)} open reject(s)", err=True)


def _told(stream: str, row: str, reject: Reject) -> dict[str, Any]:
    named = reject.identity.startswith("key:")
    return {
        "stream": stream,
        "row": row,
        "key": reject.identity.removeprefix("key:") if named else None,
        "outcome": reject.outcome,
        "step": reject.step,
        "cause": reject.cause,
        "field": reject.field,
        "message": reject.message,
        "first_seen": reject.first_seen,
        "last_seen": reject.last_seen,
        "tries": reject.tries,
    }


def _retry(desk: Desk, choice: _Choice) -> int:
    """A run on what is open; what comes out of it is its report."""
    chosen = list(_chosen(desk, choice))
    if not chosen:
        raise ConfigurationError("rejects: no open reject is meant by this; nothing was done")
    everything = (choice.key, choice.row, choice.cause) == (None, None, None)
    only = None if everything else frozenset(reject.identity for _, _, reject in chosen)
    intake = Intake(Spool.create(desk.state_dir / "spool"), only=only)
    try:
        for stream in dict.fromkeys(stream for stream, _, _ in chosen):
            info = recall(desk.state_dir, stream)
            if info is None:
                raise ConfigurationError(
                    f"rejects: no SCHEMA of stream {stream} is known yet; run once with its input, "
                    "which offers them again as well"
                )
            intake.streams[stream] = info
            intake.sources[stream] = stream
        return desk.retry(intake)
    finally:
        intake.spool.close()


def _drop(desk: Desk, choice: _Choice, *, yes: bool) -> int:
    """Never without being told whom, and that it is meant."""
    if not (choice.key or choice.row):
        raise ConfigurationError("rejects drop: needs --key or --row, as list prints them")
    if not yes:
        raise ConfigurationError("rejects drop: the record is given up for good; add --yes")
    names, number = _Names(desk.state_dir), 0
    with desk.locked():
        for stream in [choice.stream] if choice.stream else desk.streams:
            meant = _test(desk, choice, names, stream)
            for reject in drop_rejects(desk.state_dir, stream, meant):
                number += 1
                who = names.who(stream, reject)
                what = {"stream": stream, "who": who, "cause": reject.cause}
                note_operation(desk.state_dir, desk.clock, "rejects drop", **what)
                click.echo(f"{stream}  {person(reject.identity)}  {reject.cause}  dropped")
    if not number:
        raise ConfigurationError("rejects drop: no open reject is meant by this")
    click.echo(f"{number} reject(s) dropped; noted in operations.jsonl", err=True)
    return 0


def _chosen(desk: Desk, choice: _Choice) -> Iterator[tuple[str, str, Reject]]:
    names = _Names(desk.state_dir)
    for stream in [choice.stream] if choice.stream else desk.streams:
        meant = _test(desk, choice, names, stream)
        for reject in open_rejects(desk.state_dir, stream):
            if meant(reject):
                yield stream, names.row(stream, reject), reject


def _test(desk: Desk, choice: _Choice, names: _Names, stream: str) -> Callable[[Reject], bool]:
    wanted = None if choice.key is None else set(desk.identities(stream, choice.key))

    def meant(reject: Reject) -> bool:
        return (
            (wanted is None or reject.identity in wanted)
            and choice.cause in (None, reject.cause)
            and choice.row in (None, names.row(stream, reject))
        )

    return meant
