"""`change-email`: one change of address, carried out now by the rules of a run.

It is a run on one record, which holds the key, the new address and what the operator says besides;
columns that it lacks say nothing. Only who is there already is changed: nobody is made.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec
from target_kit.address import address_key, parse_address
from target_kit.commands import note_operation, operator_command
from target_kit.errors import ConfigurationError, GuardTripped, RowError, VendorUnavailable
from target_kit.intake import Intake, StreamInfo
from target_kit.outcome import Outcome
from target_kit.plan import Entry
from target_kit.redact import KeyHasher
from target_kit.rejects import RejectStore
from target_kit.report import RunReport, StreamReport
from target_kit.signals import StopSignal
from target_kit.spool import Spool
from target_kit.stream_schemas import recall

from target_activecampaign.client import ActiveCampaign
from target_activecampaign.commands import Operated, identities
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.control_settings import Mode
from target_activecampaign.deletion import is_deleted
from target_activecampaign.mapping import resolve_key_type
from target_activecampaign.model import FORMER, KeyType
from target_activecampaign.plan_desk import planning
from target_activecampaign.run import Run, vendor
from target_activecampaign.settings import Settings

_DONE = (Outcome.APPLIED, Outcome.UNCHANGED)
_BACK = "the next run gives the old address back, unless the source has the new one by then"
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def change_email_command(target_class: Any, stop: StopSignal) -> click.Command:
    """Give one person another address, by the policies, the firewall and the ledger of a run."""

    @operator_command("change-email", target_class, stop)
    @click.option("--key", help="The person's backoffice key.")
    @click.option("--from", "old", help="Or the address they have at ActiveCampaign.")
    @click.option("--to", "new", required=True, help="The new address.")
    @click.option("--stream", "name", help="The stream of contacts, where there are several.")
    @click.option("--column", "columns", multiple=True, help="NAME=VALUE of the record besides.")
    @click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
    def change_email(
        target: Any,
        key: str | None,
        old: str | None,
        new: str,
        name: str | None,
        columns: tuple[str, ...],
        dry_run: bool,
    ) -> int:
        """Carry one change of address out at ActiveCampaign, now."""
        stream, info = _stream(target.settings, name)
        if target.settings.control.mode is Mode.PLAN and not dry_run:
            raise ConfigurationError(
                "change-email: these settings write nothing (mode: plan); say --dry-run"
            )
        if (key is None) == (old is None):
            raise ConfigurationError("change-email: needs either --key or --from")
        if not (key or old or "").strip():  # contacts whose key was cleared have this one
            raise ConfigurationError("change-email: --key or --from is blank")
        try:
            wanted = parse_address(new)
        except RowError as error:
            raise ConfigurationError(f"--to: {error.message}") from None
        with vendor(target.settings, target.clock, target.stop) as client:
            key_type = resolve_key_type(stream, info.schema)
            found = _key_there(client, stream, key_type, key, old)
        names = identities(found, key_type)
        record = _record(target.settings, stream, names)
        record |= {str(stream.key): found, stream.fields["email"]: wanted.display}
        record |= dict(_column(one) for one in columns)
        _check(stream, record)
        if dry_run:
            return _rehearse(target, info, record)
        return _carry_out(target, info, record, found)

    return change_email


def _stream(settings: Settings, name: str | None) -> tuple[ContactStream, StreamInfo]:
    keyed = {n: stream for n, stream in settings.streams.items() if stream.key}
    if name is None and len(keyed) == 1:
        name = next(iter(keyed))
    if name not in keyed:
        raise ConfigurationError("--stream: name one of the streams of contacts that have a key")
    info = recall(settings.state_dir, name)
    if info is None:
        raise ConfigurationError(f"change-email: stream {name} has never had a run here")
    return keyed[name].with_upper_perstags(), info


def _key_there(
    client: ActiveCampaign,
    stream: ContactStream,
    key_type: KeyType,
    key: str | None,
    old: str | None,
) -> str:
    """The key of the one who is there; raises ConfigurationError where nobody is."""
    field = client.fields().get(stream.key_field)
    if field is None:
        raise ConfigurationError(f"change-email: ActiveCampaign has no field {stream.key_field}")
    if old is not None:
        there = [c for c in client.by_email(old) if address_key(c.email) == address_key(old)]
        keys = [c.values.get(field.id, "").strip() for c in there]
        texts = [text for text in keys if text and not text.startswith(FORMER)]
        if not texts:
            raise ConfigurationError(
                "change-email: no contact with a key has the address of --from"
            )
        return texts[0]
    names = identities(key or "", key_type)
    for text in sorted({name.removeprefix("key:") for name in names} | {key or ""}):
        values = client.contacts_with_value(field.id, text)
        if any(identities(value.value, key_type) & names for value in values):
            return text
    raise ConfigurationError("change-email: no contact has this key; nobody is made by a change")


def _record(settings: Settings, stream: ContactStream, names: set[str]) -> dict[str, Any]:
    """What waits for this person already, so that delivering the change loses none of it."""
    if not RejectStore.path_of(settings.state_dir, stream.name).exists():
        return {}
    with closing(RejectStore(settings.state_dir, stream.name)) as store:
        waiting = [one.record for one in store.records() if one.identity in names and one.record]
    if len(waiting) > 1:
        raise ConfigurationError("change-email: open rejects of this key contradict each other")
    if any(is_deleted(one) for one in waiting):
        raise ConfigurationError(
            "change-email: the source has deleted this person, which waits as an open reject"
        )
    return dict(waiting[0]) if waiting else {}


def _column(said: str) -> tuple[str, str]:
    name, sign, value = said.partition("=")
    if not sign or not name:
        raise ConfigurationError("--column: must be NAME=VALUE")
    return name, value


def _check(stream: ContactStream, record: dict[str, Any]) -> None:
    """Without these the record would say what nobody meant: that there is no consent any more."""
    needed = [name for consent in stream.consents.values() for name in consent.columns]
    if stream.provenance and stream.provenance.column:
        needed.append(stream.provenance.column)
    missing = [name for name in dict.fromkeys(needed) if name not in record]
    if missing:
        raise ConfigurationError(
            f"change-email: say what the source has in {', '.join(missing)} (--column NAME=VALUE): "
            "consent decides who stays on a list"
        )


def _run(target: Any, settings: Settings, info: StreamInfo, record: dict[str, Any]) -> StreamReport:
    with closing(Spool.create(target.spool_dir)) as spool:
        intake = Intake(spool, only=frozenset())
        intake.streams[info.name] = info
        spool.append_record(info.name, 1, msgspec.json.encode(record))
        report = RunReport(target.name, "", target.clock.now().isoformat())
        # Who vanishes between the look above and this is not made anew either.
        stream = replace(settings.streams[info.name], on_contact_gone="reject")
        strict = replace(settings, streams={**settings.streams, info.name: stream})
        Run(strict, intake, report, target.clock, target.stop).go()
        (told,) = report.streams
        return told


def _rehearse(target: Any, info: StreamInfo, record: dict[str, Any]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        told = _run(target, replace(planning(target.settings, path), reads="point"), info, record)
        for entry in _entries(path):
            click.echo(f"{info.name}  would: {entry.action}{_because(entry.cause)}")
            for item in entry.items:
                click.echo(f"    {item.words}")
    return _code(told)


def _entries(path: Path) -> Iterator[Entry]:
    yield from (msgspec.convert(one, Entry) for one in _decode(path.read_bytes())["entries"])


def _carry_out(target: Operated, info: StreamInfo, record: dict[str, Any], key: str) -> int:
    settings = target.settings
    control = replace(settings.control, mode=Mode.RUN, strategy="single")
    told = _run(target, replace(settings, control=control, reads="point"), info, record)
    outcome = next(name for name, number in told.outcomes.items() if number)
    cause = next((name.rsplit(":", 1)[-1] for name in told.causes), "")
    who = KeyHasher.from_state_dir(settings.state_dir).long(f"{info.name} key:{key}")
    what = {"stream": info.name, "who": who, "outcome": outcome, "cause": cause}
    note_operation(settings.state_dir, target.clock, "change-email", **what)
    click.echo(f"{info.name}  key:{key}  {outcome}{_because(cause)}")
    if outcome in _DONE:
        click.echo(_BACK, err=True)
    elif outcome == Outcome.HELD:
        click.echo("it waits: approve it, or record consent for the new address", err=True)
    elif outcome != Outcome.SUPPRESSED:
        click.echo("it is an open reject now, offered again: see rejects list", err=True)
    return _code(told)


def _because(cause: str) -> str:
    return f" ({cause})" if cause else ""


def _code(told: StreamReport) -> int:
    """0 where the person has the address, 4 where they may not, 7 where it could not be done."""
    if any(told.outcomes[one] for one in _DONE):
        return 0
    failed = told.outcomes[Outcome.FAILED] or told.outcomes[Outcome.UNKNOWN]
    return VendorUnavailable.exit_code if failed else GuardTripped.exit_code
