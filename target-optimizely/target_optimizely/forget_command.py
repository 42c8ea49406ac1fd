"""`forget`: erases what is kept of a person here, and keeps the next transfer from adding them.

First the suppression is durable, then the traces go: a command that was cut short is repeated, and
no run in between brings the person back. The vendor still has them on its list until the next
transfer, which takes them off: no plan and no guard stops that.
"""

from __future__ import annotations

from typing import Any

import click
from target_kit.address import address_key
from target_kit.clock import Clock
from target_kit.commands import note_operation, operator_command
from target_kit.errors import ConfigurationError, GuardTripped
from target_kit.redact import KeyHasher
from target_kit.signals import StopSignal
from target_kit.spool import Spool
from target_kit.suppression import Suppressions

from target_optimizely.evidence import drop_left_out
from target_optimizely.journal import Journal
from target_optimizely.mapping import names_of_key, stored_names
from target_optimizely.rejects_command import chosen_lists
from target_optimizely.settings import ListSettings
from target_optimizely.workbench import Workbench

_LEFT = (
    "plan files name people by key: make them anew; Optimizely Campaign has the recipient until "
    "the next transfer, and unsubscribes, blocklist and responses for good"
)


def forget_command(target_class: Any, stop: StopSignal) -> click.Command:
    """Erase a person here, under each list's lock."""

    @operator_command("forget", target_class, stop)
    @click.option("--key", help="The entity: 'contact 17', or 17 of any type.")
    @click.option("--address", help="Or the address they have.")
    @click.option("--list", "name", help="Only in this list; else in all lists.")
    @click.option("--lift", is_flag=True, help="Take the person again from now on.")
    def forget(
        target: Any, key: str | None, address: str | None, name: str | None, lift: bool
    ) -> None:
        """Erase all that is kept of a person here, and never add them anew."""
        if (key is None) == (address is None):
            raise ConfigurationError("forget: needs either --key or --address")
        if not (key or address or "").strip():  # such as a variable that is not set
            raise ConfigurationError("forget: --key or --address is blank")
        bench: Workbench = target.bench
        for where in chosen_lists(target.settings, name):
            one = bench.settings.lists[where]
            names = (
                {f"email:{address_key(address or '')}"} if key is None else names_of_key(one, key)
            )
            with bench.lock(one):
                (_lift if lift else _forget)(bench, target.clock, one, names)
        if not lift:
            click.echo(_LEFT, err=True)

    return forget


def _forget(bench: Workbench, clock: Clock, one: ListSettings, names: set[str]) -> None:
    state_dir, rows = bench.settings.state_dir, 0
    held = Journal.path_of(state_dir, bench.settings.account, one.list_id).exists()
    if held:
        with bench.journal(one) as journal:
            if journal.open_intent() is not None:
                raise GuardTripped(
                    f"list {one.name}: a change was left open and needs its rows; run "
                    "target-optimizely recover, then forget"
                )
            names |= _other_names(one, journal, names)
    Suppressions(state_dir, one.name).add(names, clock)
    if held:
        with bench.journal(one) as journal:
            rows = journal.forget_stored(
                lambda row, kept: (
                    not names.isdisjoint(stored_names(one, row.address, kept, row.values))
                )
            )
    keys = {name.removeprefix("key:") for name in names if name.startswith("key:")}
    lines = drop_left_out(state_dir, one.name, keys)
    Spool.create(state_dir / "spool").close()  # removes what runs that died have left
    hashes = _hashes(bench, one, names)
    note_operation(state_dir, clock, "forget", list=one.name, who=hashes)
    click.echo(
        f"{one.name}: erased {rows} row(s) of the snapshot and {lines} line(s) of who was left "
        f"out; {len(hashes)} keyed hash(es) keep them from coming back"
    )


def _other_names(one: ListSettings, journal: Journal, names: set[str]) -> set[str]:
    """What else whoever is meant is called in the snapshot of the last change."""
    intent = journal.last_intent()
    if intent is None:
        return set()
    found: set[str] = set()
    for row in journal.stored.all():
        called = stored_names(one, row.address, intent.snapshot_names, row.values)
        if not names.isdisjoint(called):
            found |= set(called)
    return found


def _lift(bench: Workbench, clock: Clock, one: ListSettings, names: set[str]) -> None:
    number = Suppressions(bench.settings.state_dir, one.name).lift(names)
    if number:
        hashes = _hashes(bench, one, names)
        note_operation(bench.settings.state_dir, clock, "forget --lift", list=one.name, who=hashes)
    click.echo(f"{one.name}: {number} person(s) are taken again")


def _hashes(bench: Workbench, one: ListSettings, names: set[str]) -> list[str]:
    hashed = KeyHasher.from_state_dir(bench.settings.state_dir).long
    return sorted(hashed(f"{one.name} {name}") for name in names)
