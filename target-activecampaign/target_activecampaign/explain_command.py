"""`explain`: why somebody gets, or does not get, what they get. Reads only."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec
from target_kit.commands import operator_command
from target_kit.errors import ConfigurationError, RowError
from target_kit.intake import Intake
from target_kit.plan import Entry, Forecast
from target_kit.plan_command import opened
from target_kit.redact import escape
from target_kit.rejects import open_rejects
from target_kit.report import RunReport
from target_kit.signals import StopSignal
from target_kit.spool import Spool
from target_kit.stream_schemas import recall
from target_kit.suppression import Suppressions
from target_kit.tombstones import Tombstones

from target_activecampaign.client import ActiveCampaign
from target_activecampaign.commands import (
    Operated,
    identities,
    key_type_of,
    ledger_of,
    names_of_key,
)
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.explaining import Known, Planned, explained
from target_activecampaign.list_client import ListEndpoints
from target_activecampaign.mapping import rejected_identity, resolve_key_type, to_contact
from target_activecampaign.model import Existing, KeyType
from target_activecampaign.plan_desk import planning
from target_activecampaign.run import Run, vendor

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def explain_command(target_class: Any, stop: StopSignal) -> click.Command:
    """What is known of one person, and what the next run would do with a record of theirs."""

    @operator_command("explain", target_class, stop)
    @click.option("--key", required=True, help="The person's backoffice key.")
    @click.option("--input", "source", help="File of Singer messages with a record of this person.")
    @click.option("--show-addresses", is_flag=True, help="Print addresses instead of leaving out.")
    def explain(target: Any, key: str, source: str | None, show_addresses: bool) -> int:
        """Say how a person is matched, what the next run would do and why, and what is open."""
        streams = target.settings.streams
        if not any(stream.key for stream in streams.values()):
            raise ConfigurationError("explain: no stream has a key")
        if not key.strip():
            raise ConfigurationError("explain: --key is blank")
        plans = dict(_plans(target, key, source))
        with vendor(target.settings, target.clock, target.stop) as client:
            for stream in streams.values():
                if stream.key:
                    known = _known(target, client, stream.with_upper_perstags(), key)
                    known.planned = plans.get(stream.name)
                    known.with_addresses = show_addresses
                    for line in explained(known):
                        click.echo(escape(line))  # names are as somebody has written them there
        return 0

    return explain


def _known(target: Operated, client: ActiveCampaign, stream: ContactStream, key: str) -> Known:
    settings = target.settings
    names = names_of_key(settings, stream.name, key)
    who = sorted(names, key=len)[0]
    lists, tags = ListEndpoints(client.api), {}
    known = Known(stream.name, key)
    known.rejects = [
        one for one in open_rejects(settings.state_dir, stream.name) if one.identity in names
    ]
    known.existing = _existing(client, stream, key, key_type_of(settings, stream.name))
    if any(one.lists for one in known.existing):
        known.lists = {one.id: one.name for one in lists.lists()}
    if any(one.tags for one in known.existing):
        tags = lists.tags()
    known.tags = tags
    with closing(Tombstones(settings.shared_dir, stream.name)) as tombstones:
        known.deleted = any(tombstones.covers(name, None) for name in names)
    known.forgotten = Suppressions(settings.shared_dir, stream.name).covers(*names)
    with ledger_of(settings, stream.name) as ledger:
        people = ledger.people(sorted(names))
        who = next(iter(people), who)
        known.person = people.get(who)
        known.intervals = ledger.addresses(who)
        known.items = ledger.worklist(who)
    return known


def _existing(
    client: ActiveCampaign, stream: ContactStream, key: str, key_type: KeyType
) -> list[Existing]:
    """The contacts that carry the key, however they spell it."""
    field = client.fields().get(stream.key_field)
    if field is None:
        return []
    names = identities(key, key_type)
    texts = sorted({name.removeprefix("key:") for name in names} | {key})
    found = [value for text in texts for value in client.contacts_with_value(field.id, text)]
    ids = {value.contact_id: None for value in found if identities(value.value, key_type) & names}
    return client.by_ids(list(ids))


def _plans(target: Any, key: str, source: str | None) -> Iterator[tuple[str, Planned]]:
    """What the next run would do, by stream: with a record of `source`, or with an open reject."""
    with _of_person(target, key, source) as intake, tempfile.TemporaryDirectory() as folder:
        if not intake.streams:
            return
        path = Path(folder) / "plan.json"
        settings = replace(planning(target.settings, path), reads="point")
        report = RunReport(target.name, "", target.clock.now().isoformat())
        Run(settings, intake, report, target.clock, target.stop).go()
        if not path.exists():
            return
        plan = _decode(path.read_bytes())
        entries = [msgspec.convert(entry, Entry) for entry in plan["entries"]]
        forecast = msgspec.convert(plan["header"]["forecast"], Forecast)
        for said in report.streams:
            if not said.received and not said.reoffered:
                continue
            entry = next((one for one in entries if one.stream == said.stream), None)
            yield said.stream, Planned(said.matched_by, said.causes, entry, forecast)


@contextmanager
def _of_person(target: Any, key: str, source: str | None) -> Iterator[Intake]:
    """An intake with this person's records of the input; open rejects of theirs take part too."""
    streams = target.settings.streams
    names = {one for name in streams for one in names_of_key(target.settings, name, key)}
    with closing(Spool.create(target.spool_dir)) as spool:
        chosen = Intake(spool, only=frozenset(names))
        if source:
            with opened(source) as messages:
                whole = target.read_input(messages)
            with closing(whole.spool):
                _choose(target, whole, chosen, key)
        for name in streams:
            if name not in chosen.streams and (info := recall(target.settings.state_dir, name)):
                chosen.streams[name] = info  # open rejects are offered again by it
        yield chosen


def _choose(target: Any, whole: Intake, chosen: Intake, key: str) -> None:
    for name, info in whole.streams.items():
        stream = target.settings.streams.get(name)
        if stream is None:
            continue
        chosen.streams[name] = info
        stream, after = stream.with_upper_perstags(), 0
        key_type = resolve_key_type(stream, info.schema)
        names = identities(key, key_type)
        while batch := whole.spool.records(name, after=after, limit=500):
            after = batch[-1].seq
            for one in batch:
                record = _decode(one.body)
                try:
                    who = to_contact(record, stream, key_type).identity
                except RowError:
                    who = rejected_identity(record, stream, key_type)
                if who in names:
                    chosen.spool.append_record(name, one.line, one.body)
