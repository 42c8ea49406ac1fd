"""`explain`: why somebody is on a list, or is not. Reads only; addresses only where asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import msgspec
from target_kit.causes import sentence
from target_kit.commands import minute, operator_command
from target_kit.errors import ConfigurationError
from target_kit.plan import Entry
from target_kit.plan_command import opened
from target_kit.redact import escape
from target_kit.signals import StopSignal
from target_kit.suppression import Suppressions

from target_optimizely.client import Campaign
from target_optimizely.decisions import key_of
from target_optimizely.evidence import LeftOutLine, left_out_path, read_left_out
from target_optimizely.journal import Journal
from target_optimizely.mapping import names_of_key
from target_optimizely.model import Row
from target_optimizely.plan_desk import prepare
from target_optimizely.rejects_command import chosen_lists
from target_optimizely.settings import ListSettings
from target_optimizely.snapshot import ListReader
from target_optimizely.suppression import Suppression
from target_optimizely.workbench import Workbench

_decode = msgspec.json.Decoder(Entry).decode


@dataclass(frozen=True, slots=True)
class _Known:
    """Somebody as a list has, or had, them."""

    recipient_id: str
    address: str
    state: str


@dataclass
class _Person:
    """What is known of one entity in one list; `before` is what the last change found."""

    settings: ListSettings
    key: str
    forgotten: bool = False
    has_run: bool = False
    left_out: list[LeftOutLine] = field(default_factory=list)
    now: list[_Known] = field(default_factory=list)
    before: list[_Known] = field(default_factory=list)
    change: str = ""
    planned: dict[str, list[Entry]] = field(default_factory=dict)


def explain_command(target_class: Any, stop: StopSignal) -> click.Command:
    """What is known of one entity, list by list, and what the next run would do."""

    @operator_command("explain", target_class, stop)
    @click.option("--key", required=True, help="The entity's id, such as 17 or 'contact 17'.")
    @click.option("--list", "name", help="Only in this list, by its name under 'lists'.")
    @click.option("--input", "source", help="File with a whole selection, as Singer messages.")
    @click.option("--show-addresses", is_flag=True, help="Print recipient ids and addresses.")
    def explain(
        target: Any, key: str, name: str | None, source: str | None, show_addresses: bool
    ) -> None:
        """Say whether an entity is on a list, may be there, was left out, and by which rule."""
        lists = chosen_lists(target.settings, name)
        bench: Workbench = target.bench
        plan = target.settings.control.plan_file or target.settings.state_dir / "plan.json"
        people = [_Person(target.settings.lists[one], key.strip()) for one in lists]
        with bench.vendor() as campaign:
            for person in people:
                _look(bench, campaign, person)
        for person in people if plan.is_file() else ():
            person.planned[f"plan {plan.name}"] = list(_entries(plan, person))
        if source:
            _rehearse(target, source, people)
        for person in people:
            for line in _words(person, addresses=show_addresses):
                click.echo(escape(line))

    return explain


def _look(bench: Workbench, campaign: Campaign, person: _Person) -> None:
    """At the vendor, in the file of the last run, in the snapshot of the last change."""
    one, settings = person.settings, bench.settings
    suppressions = Suppressions(settings.state_dir, one.name)
    person.forgotten = suppressions.covers(*names_of_key(one, person.key))
    person.has_run = left_out_path(settings.state_dir, one.name).exists()
    person.left_out = [
        line for line in read_left_out(settings.state_dir, one.name) if line.is_about(person.key)
    ]
    suppression = Suppression(campaign, one, 1)
    technical = [one.technical_attributes[role] for role in ("entity-type", "entity-id")]
    names = list(dict.fromkeys([one.id_attribute, one.email_attribute, *technical]))
    reader = ListReader(campaign, one.list_id, one.id_attribute, one.email_attribute)
    for page in reader.pages(names):
        for who, address, values in page:
            if _is(person.key, names, technical, values):
                row = Row(0, who, address, "", ())
                found = suppression.of([row]).get(0)
                state = f"gets no mail: {found.cause}" if found else "may get mail"
                person.now.append(_Known(who, address, state))
    if Journal.path_of(settings.state_dir, settings.account, one.list_id).exists():
        with bench.lock(one), bench.journal(one) as journal:
            _remember(journal, person, technical)


def _remember(journal: Journal, person: _Person, technical: list[str]) -> None:
    intent = journal.last_intent()
    if intent is None:
        return
    person.change = f"{minute(intent.opened_at)} ({intent.phase})"
    person.before = [
        _Known(row.recipient_id, row.address, "was on the list")
        for row in journal.stored.all()
        if _is(person.key, list(intent.snapshot_names), technical, row.values)
    ]


def _is(key: str, names: list[str], technical: list[str], values: tuple[str | None, ...]) -> bool:
    if any(name not in names for name in technical):
        return False
    kind, number = (values[names.index(name)] or "" for name in technical)
    return bool(number) and key in (number, f"{kind} {number}")


def _entries(path: Path, person: _Person) -> Iterator[Entry]:
    """What a plan has about them; a plan has an entry a line."""
    keys = {person.key, *(key_of(kind, person.key) for kind in person.settings.entity_types)}
    with path.open("rb") as file:
        for line in file:
            if not line.startswith(b'{"stream"'):
                continue
            try:
                entry = _decode(line.rstrip(b",\n"))
            except msgspec.MsgspecError:
                raise ConfigurationError("plan_file: the plan is cut or was changed") from None
            if entry.stream == person.settings.name and entry.key in keys:
                yield entry


def _rehearse(target: Any, source: str, people: list[_Person]) -> None:
    """What the next run would do with this selection: a plan that nobody keeps, and no run that
    would be told of in reports.
    """
    with tempfile.TemporaryDirectory() as folder, opened(source) as messages:
        path = prepare(target, Path(folder) / "plan.json")
        intake = target.read_input(messages)
        with closing(intake.spool):
            target.rehearse(intake)
        for person in people:
            person.planned["next run"] = list(_entries(path, person))


def _words(person: _Person, *, addresses: bool) -> Iterator[str]:
    one = person.settings
    yield f"{one.name} ({one.list_id}, consent {one.consent}), key {person.key}"
    for known in person.now:
        yield f"  on the list now: {known.state}{_named(known, addresses=addresses)}"
    if not person.now:
        yield "  on the list now: no"
    if person.forgotten:
        yield "  forgotten here (forget): the next run leaves them out or takes them off"
    for known in person.before:
        words = f"  before the change of {person.change}: {known.state}"
        yield words + _named(known, addresses=addresses)
    if person.change and not person.before:
        yield f"  before the change of {person.change}: was not on the list"
    for line in person.left_out:
        yield f"  last run, line {line.line}: {line.outcome}, {line.cause}"
        yield f"    {sentence(line.cause) or line.message}"
    if not person.left_out:
        yield f"  last run: {'not left out' if person.has_run else 'there was none yet'}"
    for where, entries in person.planned.items():
        for entry in entries:
            cause = f", {entry.cause}" if entry.cause else ""
            yield f"  {where}: {entry.action}{cause}"
            yield from (f"    {item.words}" for item in entry.items)
        if not entries:
            yield f"  {where}: nothing about this key"


def _named(known: _Known, *, addresses: bool) -> str:
    return f" ({known.recipient_id}, {known.address})" if addresses else ""
