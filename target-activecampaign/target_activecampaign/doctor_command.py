"""`doctor`: is all in place for a run? Every check says what it found and what to do (S4-40).

Only reads: at ActiveCampaign, in the ledger, in the state directory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec
from target_kit.commands import operator_command
from target_kit.errors import ConfigurationError, Interrupted, StopRun
from target_kit.signals import StopSignal
from target_kit.stream_schemas import recall

from target_activecampaign import doctor_checks as checks
from target_activecampaign.commands import Operated
from target_activecampaign.doctor_checks import Check
from target_activecampaign.doctor_places import places
from target_activecampaign.doctor_vendor import Schemas, VendorChecks, known_schemas
from target_activecampaign.run import vendor
from target_activecampaign.settings import Settings

_LONGEST_SECONDS = 60.0


def doctor_command(target_class: Any, stop: StopSignal) -> click.Command:
    """Check everything, print each check, end with the code of the worst."""
    path = click.Path(exists=True, dir_okay=False, path_type=Path)

    @operator_command("doctor", target_class, stop)
    @click.option("--catalog", type=path, help="A Singer catalog: do its columns fit?")
    @click.option("--input", "messages", type=path, help="Or Singer messages: their SCHEMAs.")
    def doctor(target: Operated, catalog: Path | None, messages: Path | None) -> int:
        """Check settings, credentials, permissions, fields, types, rate, clock and files."""
        given = {**_catalog(catalog), **_messages(messages)}
        found = []
        for check in _checks(target, given):
            found.append(check)
            for line in check.lines:
                click.echo(line)
        bad = sum(check.level is checks.Level.FAIL for check in found)
        odd = sum(check.level is checks.Level.WARNING for check in found)
        click.echo(f"{len(found)} checks, {odd} warning(s), {bad} failed", err=True)
        return checks.exit_code(found)

    return doctor


def _checks(target: Operated, given: Schemas) -> Iterator[Check]:
    settings = target.settings
    names = [*settings.account_streams, *settings.streams]
    kept = {n: info.schema for n in names if (info := recall(settings.state_dir, n))}
    yield checks.good("settings", f"{len(names)} stream(s): {', '.join(names)}")
    try:
        with vendor(_patient(settings), target.clock, target.stop) as client:
            schemas = known_schemas(names, given, kept)
            yield from VendorChecks(settings, client, target.clock, schemas).run()
    except Interrupted:
        raise
    except StopRun as error:
        step = "see the cause; nothing else could be read at ActiveCampaign"
        yield checks.fail("ActiveCampaign", str(error), step, error.code)
    yield from places(settings)


def _patient(settings: Settings) -> Settings:
    """A vendor that does not answer is not waited for as long as by a run."""
    given = settings.deadline_seconds or _LONGEST_SECONDS
    return replace(settings, deadline_seconds=min(given, _LONGEST_SECONDS))


def _catalog(path: Path | None) -> dict[str, Mapping[str, Any]]:
    """Schemas by stream; the tap's own names, since stream maps are not applied here."""
    if path is None:
        return {}
    try:
        streams = msgspec.json.decode(path.read_bytes())["streams"]
        return {str(one.get("stream") or one["tap_stream_id"]): one["schema"] for one in streams}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationError("--catalog: is no Singer catalog") from None


def _messages(path: Path | None) -> dict[str, Mapping[str, Any]]:
    if path is None:
        return {}
    found: dict[str, Mapping[str, Any]] = {}
    with path.open("rb") as file:
        for line in file:
            if b'"SCHEMA"' not in line[:200]:
                continue
            try:
                message = msgspec.json.decode(line)
                found[str(message["stream"])] = message["schema"]
            except (ValueError, KeyError, TypeError):
                raise ConfigurationError("--input: a SCHEMA message can't be read") from None
    return found
