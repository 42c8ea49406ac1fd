"""`worklist`, `history`, `approve`: for operators, from the ledger and the rejects, without calls.

They print keys and, where that is what was asked for, addresses: on the standard output of whoever
may read the state directory, never in a log.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from target_kit.address import address_key, parse_address
from target_kit.clock import Clock
from target_kit.commands import DAY, operator_command, person
from target_kit.errors import ConfigurationError, RowError
from target_kit.ledger_entries import Interval
from target_kit.lock import run_lock
from target_kit.rejects import Reject, RejectStore
from target_kit.signals import StopSignal

from target_activecampaign.commands import Operated, ledger_of, names_of_key
from target_activecampaign.settings import Settings

if TYPE_CHECKING:
    from target_kit.ledger import Ledger


def worklist_command(target_class: Any, stop: StopSignal) -> click.Command:
    """What is to be decided by people."""

    @operator_command("worklist", target_class, stop)
    def worklist(target: Operated) -> None:
        """Print what is to be decided by people, each with a proposed repair."""
        number, settings = 0, target.settings
        for name in settings.streams:
            with ledger_of(settings, name) as ledger:
                items = ledger.worklist()  # a run may have it while somebody reads
            for item in items:
                number += 1
                who, since = person(item.who), item.first_seen.strftime(DAY)
                click.echo(f"{name}  {who}  {item.kind}  since {since}  {item.times} runs")
                click.echo(f"    {item.message}")
                click.echo(f"    {item.repair}")
        click.echo(f"{number} open item(s)", err=True)

    return worklist


def history_command(target_class: Any, stop: StopSignal) -> click.Command:
    """Since when until when a person was written to under which address (S2-14)."""

    @operator_command("history", target_class, stop)
    @click.option("--key", help="The person's backoffice key.")
    @click.option("--address", help="Or an address: whose it is or was (S2-8).")
    @click.option("--at", type=click.DateTime(), help="With --address: whose it was then (UTC).")
    def history(
        target: Operated, key: str | None, address: str | None, at: datetime | None
    ) -> None:
        """Print under which addresses a person was written to, and since when until when."""
        settings = target.settings
        if (key is None) == (address is None):
            raise ConfigurationError("history: needs either --key or --address")
        moment = at.replace(tzinfo=UTC) if at else None
        for name in settings.streams:
            names = names_of_key(settings, name, key or "")
            with ledger_of(settings, name) as ledger:
                intervals = _intervals(ledger, names, address, moment)
            for interval in intervals:
                click.echo(f"{name}  {_line(interval)}")

    return history


def approve_command(target_class: Any, stop: StopSignal) -> click.Command:
    """Let one change of address be carried out that a policy holds (S2-12)."""

    @operator_command("approve", target_class, stop)
    @click.option("--key", required=True, help="The person's backoffice key.")
    def approve(target: Operated, key: str) -> None:
        """Approve the change of address of this person that waits; the next run carries it out."""
        settings = target.settings
        # a run writes the rejects
        with run_lock(settings.shared_dir, settings.account, "contact", settings.shard):
            approved = _approve(settings, target.clock, key)
        if not approved:
            raise ConfigurationError("approve: no change of address of this key waits")
        click.echo(f"{approved} change(s) of address approved; run again", err=True)

    return approve


def _approve(settings: Settings, clock: Clock, key: str) -> int:
    """How many changes were waiting under this key."""
    approved = 0
    for name, stream in settings.streams.items():
        names = names_of_key(settings, name, key)
        for reject in _held(settings, name):
            if reject.identity not in names:
                continue
            text = (reject.record or {}).get(stream.fields["email"])
            try:
                wanted = parse_address(str(text))
            except RowError:  # no change of address is held with one that can't be read
                continue
            with ledger_of(settings, name) as ledger:
                ledger.approve(reject.identity, wanted.key, clock.now())
            approved += 1
    return approved


def _intervals(
    ledger: Ledger, names: set[str], address: str | None, at: datetime | None
) -> list[Interval]:
    if address is not None:
        return ledger.whose(address_key(address), at)
    return [i for who in sorted(names) for i in ledger.addresses(who)]


def _line(interval: Interval) -> str:
    until = interval.until.strftime(DAY) if interval.until else "now"
    what = f"{interval.change} {interval.policy}".strip()
    since = interval.since.strftime(DAY)
    return f"{interval.who}  {interval.address_key}  {since} to {until}  {what}"


def _held(settings: Settings, stream: str) -> list[Reject]:
    if not RejectStore.path_of(settings.state_dir, stream).exists():
        return []
    store = RejectStore(settings.state_dir, stream)
    try:
        return [reject for reject in store.records() if reject.cause == "email_change_held"]
    finally:
        store.close()
