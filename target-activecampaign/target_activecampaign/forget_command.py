"""`forget`: erases what is kept of a person here, and keeps the next run from making them anew.

First the suppression is durable, then the traces go: a command that was cut short is repeated, and
no run in between brings the person back. What ActiveCampaign has is left as it is. It is done for
all shards at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from target_kit.address import address_key
from target_kit.clock import Clock
from target_kit.commands import note_operation, operator_command
from target_kit.errors import ConfigurationError
from target_kit.lock import run_lock
from target_kit.redact import KeyHasher
from target_kit.rejects import Reject, drop_rejects
from target_kit.signals import StopSignal
from target_kit.spool import Spool
from target_kit.suppression import Suppressions

from target_activecampaign.commands import Operated, ledger_of, names_of_key
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.settings import Settings

if TYPE_CHECKING:
    from target_kit.ledger import Ledger

_LEFT = (
    "ActiveCampaign still has the contact: delete it there, or send its row with _sdc_deleted_at "
    "set and the erasure flag (on_delete: delete)"
)


@dataclass
class _Found:
    """Names a person has in one stream, which of them the ledger knows, and rejects erased."""

    names: set[str]
    people: set[str] = field(default_factory=set)
    rejects: int = 0

    def __post_init__(self) -> None:
        self.given = {n.removeprefix("email:") for n in self.names if n.startswith("email:")}


def forget_command(target_class: Any, stop: StopSignal) -> click.Command:
    """Erase a person here, under the run's lock."""

    @operator_command("forget", target_class, stop)
    @click.option("--key", help="The person's backoffice key.")
    @click.option("--address", help="Or the address they have.")
    @click.option("--stream", help="Only in this stream; else in all streams of contacts.")
    @click.option("--lift", is_flag=True, help="Take the person again from now on.")
    def forget(
        target: Operated, key: str | None, address: str | None, stream: str | None, lift: bool
    ) -> None:
        """Erase all that is kept of a person here, and never make them anew."""
        settings = replace(target.settings, state_dir=target.settings.shared_dir, shard=None)
        if (key is None) == (address is None):
            raise ConfigurationError("forget: needs either --key or --address")
        if not (key or address or "").strip():  # such as a variable that is not set
            raise ConfigurationError("forget: --key or --address is blank")
        if stream is not None and stream not in settings.streams:
            raise ConfigurationError("--stream: no such stream of contacts is configured")
        with run_lock(settings.state_dir, settings.account, "contact"):
            for name in [stream] if stream else settings.streams:
                act = _lift if lift else _forget
                names = (
                    {f"email:{address_key(address or '')}"}
                    if key is None
                    else names_of_key(settings, name, key)
                )
                act(settings, target.clock, settings.streams[name], names)
        if not lift:
            click.echo(_LEFT, err=True)

    return forget


def _forget(settings: Settings, clock: Clock, stream: ContactStream, names: set[str]) -> None:
    found = _Found(names)
    for ledger in _ledgers(settings, stream):
        _know(ledger, found)
    Suppressions(settings.state_dir, stream.name).add(found.names, clock)
    for folder in _folders(settings):
        found.rejects += len(drop_rejects(folder, stream.name, _theirs(stream, found)))
        _sweep(folder)
    # The ledgers last: cut short before, the command finds the other names there once more.
    for ledger in _ledgers(settings, stream):
        ledger.forget(found.names)
        ledger.forget_addresses(found.given)
    hashes = _hashes(settings, stream, found.names)
    note_operation(settings.state_dir, clock, "forget", stream=stream.name, who=hashes)
    click.echo(
        f"{stream.name}: erased {len(found.people)} person(s) from the ledger and {found.rejects} "
        f"open reject(s); {len(hashes)} keyed hash(es) keep them from coming back"
    )


def _folders(settings: Settings) -> list[Path]:
    """Where a whole run, and each shard, keeps what is its own."""
    return [settings.state_dir, *sorted(settings.state_dir.glob("shard-*"))]


def _ledgers(settings: Settings, stream: ContactStream) -> Iterator[Ledger]:
    """All that know persons of the stream, one after the other: on PostgreSQL, and the files, also
    those of the time before a `ledger_url`.
    """
    places = [replace(settings, state_dir=f, ledger_url=None) for f in _folders(settings)]
    if settings.ledger_url:
        files = [one for one in places if (one.state_dir / "ledger.sqlite").exists()]
        places = [settings, *files]
    for place in places:
        with ledger_of(place, stream.name) as ledger:
            yield ledger


def _sweep(folder: Path) -> None:
    """What runs that died have left of their input, none of which is ever read again."""
    Spool.create(folder / "spool").close()  # removes leftovers itself
    for leftover in (folder / "work").glob("*"):
        with contextlib.suppress(OSError):
            leftover.unlink()


def _know(ledger: Ledger, found: _Found) -> None:
    """Add the other names of who is meant: the ledger knows a key's addresses.

    An address that somebody else has by now is theirs, not the forgotten person's.
    """
    for one in found.given:
        found.names |= {i.who for i in ledger.whose(one) if i.until is None}
    people = ledger.people(found.names)
    found.people |= people.keys()
    theirs = {person.address_key for person in people.values()}
    for who in list(found.names):
        theirs |= {interval.address_key for interval in ledger.addresses(who)}
    for one in filter(None, theirs):  # a contact without address shares that with others
        if {i.who for i in ledger.whose(one) if i.until is None} <= found.names:
            found.names.add(f"email:{one}")


def _theirs(stream: ContactStream, found: _Found) -> Callable[[Reject], bool]:
    """Whether a reject is about them: by its name, or by the address in its record."""
    column = stream.fields["email"]

    def meant(reject: Reject) -> bool:
        text = (reject.record or {}).get(column)
        return reject.identity in found.names or f"email:{address_key(str(text))}" in found.names

    return meant


def _lift(settings: Settings, clock: Clock, stream: ContactStream, names: set[str]) -> None:
    number = Suppressions(settings.state_dir, stream.name).lift(names)
    if number:
        hashes = _hashes(settings, stream, names)
        note_operation(settings.state_dir, clock, "forget --lift", stream=stream.name, who=hashes)
    click.echo(f"{stream.name}: {number} person(s) are taken again")


def _hashes(settings: Settings, stream: ContactStream, names: Collection[str]) -> list[str]:
    hashed = KeyHasher.from_state_dir(settings.state_dir).long
    return sorted(hashed(f"{stream.name} {name}") for name in names)
