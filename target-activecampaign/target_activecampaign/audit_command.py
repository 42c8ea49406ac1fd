"""`audit`: reads the whole account and says what is wrong or has changed there (S4-34).

1 call per 100 contacts; nothing is written. Prints ids and keys, addresses only on request.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from target_kit.commands import operator_command
from target_kit.redact import escape
from target_kit.signals import StopSignal
from target_kit.suppression import Suppressions
from target_kit.tombstones import Tombstones

from target_activecampaign.audit import Audit, Finding, Rules, counts
from target_activecampaign.client import ActiveCampaign
from target_activecampaign.commands import Operated, identities, key_type_of, ledger_of
from target_activecampaign.endpoints import rows_of, text_of
from target_activecampaign.list_client import ListEndpoints
from target_activecampaign.model import Existing
from target_activecampaign.provenance_settings import RecordType
from target_activecampaign.run import vendor
from target_activecampaign.settings import Settings

_NO_MOMENT = "foreign changes: only runs with reads: incremental note when contacts agreed"


def audit_command(target_class: Any, stop: StopSignal) -> click.Command:
    """Read everything, print what was found."""

    @operator_command("audit", target_class, stop)
    @click.option("--since", type=click.DateTime(), help="Changes by others since then (UTC).")
    @click.option("--show-addresses", is_flag=True, help="Print addresses beside the ids.")
    @click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
    def audit(target: Operated, since: datetime | None, show_addresses: bool, form: str) -> None:
        """Report duplicates, mixed tags, drift and foreign changes of the whole account."""
        moment = since.replace(tzinfo=UTC) if since else None
        with vendor(target.settings, target.clock, target.stop) as api, ExitStack() as stack:
            client = ActiveCampaign(api.api, ("contactLists", "contactTags"))
            done = Audit(_rules(target.settings, client, stack))
            for contact in _contacts(client, done.rules):
                target.stop.check()
                done.see(contact)
            open_ = _compare(target.settings, client, done, moment)
        findings = done.findings()
        if form == "json":
            click.echo(_as_json(done, findings, open_, show_addresses=show_addresses))
        else:
            for line in _as_text(done, findings, open_, show_addresses=show_addresses):
                click.echo(escape(line))  # keys are as others may have written them there

    return audit


def _rules(settings: Settings, client: ActiveCampaign, stack: ExitStack) -> Rules:
    streams = {name: s.with_upper_perstags() for name, s in settings.streams.items()}
    known = client.fields()
    fields = {n: known[s.key_field].id for n, s in streams.items() if s.key_field in known}
    kinds = {
        tag: kind
        for stream in streams.values()
        if stream.provenance
        for kind in RecordType
        for tag in stream.provenance.tags[kind].folded
    }
    names = {i: n.lower() for i, n in ListEndpoints(client.api).tags().items()} if kinds else {}
    place = settings.shared_dir
    notes = {
        name: stack.enter_context(closing(Tombstones(place, name)))
        for name in streams
        if (place / "tombstones.sqlite").exists()
    }
    forgotten = {name: Suppressions(place, name) for name in streams}
    key_types = {name: key_type_of(settings, name) for name in streams}
    return Rules(
        key_fields=fields,
        tag_names=names,
        kinds=kinds,
        named=lambda stream, text: identities(text, key_types[stream]),
        deleted=lambda stream, name: stream in notes and notes[stream].covers(name, None),
        forgotten=lambda stream, name: forgotten[stream].covers(name),
    )


def _contacts(client: ActiveCampaign, rules: Rules) -> Iterator[Existing]:
    """All contacts with the values of the key fields."""
    values: dict[str, dict[str, str]] | None = None
    for page, carried in client.crawl(values=True):
        if carried:
            yield from page
            continue
        if values is None:
            values = {}
            for field_id in rules.key_fields.values():
                for rows in client.values_of_field(field_id):
                    for row in rows:
                        values.setdefault(row.contact_id, {})[field_id] = row.value
        for contact in page:
            yield msgspec.structs.replace(contact, values=values.get(contact.id, {}))


def _compare(
    settings: Settings, client: ActiveCampaign, done: Audit, since: datetime | None
) -> list[str]:
    """Hold the account against the ledger of each stream; returns what can't be told."""
    if not settings.ledger_url and not (settings.state_dir / "ledger.sqlite").exists():
        return ["drift and foreign changes: there is no ledger yet"]
    open_: list[str] = []
    for name in settings.streams:
        with ledger_of(settings, name) as ledger:
            noted = ledger.fact("read_through")
            if noted is None:
                open_.append(f"{name}: {_NO_MOMENT}")
            moment = since or datetime.fromisoformat(noted) if noted else None
            changed = dict(_changes(client, moment)) if moment else {}
            for people in ledger.all_people():
                done.compare(name, people, changed)
    return [*open_, "which fields, lists and tags differ from the source: the command plan says so"]


def _changes(client: ActiveCampaign, since: datetime) -> Iterator[tuple[str, datetime]]:
    """When contacts changed last, of those that did after `since` (list-all-contacts)."""
    moment = ("filters[updated_after]", since.isoformat(timespec="seconds"))
    for body in client.pages("/api/3/contacts", "contacts", "contacts", [moment]):
        for row in rows_of(body, "contacts"):
            try:
                at = datetime.fromisoformat(text_of(row.get("udate")))
            except ValueError:
                continue
            if at.tzinfo is not None and at > since:
                yield text_of(row["id"]), at


def _as_text(
    done: Audit, findings: list[Finding], open_: list[str], *, show_addresses: bool
) -> Iterator[str]:
    yield f"{len(done.addresses)} contacts read"
    for kind, number in counts(findings).items():
        yield f"{number:>7} {kind}"
    for one in findings:
        shown = [_shown(done, number, show_addresses=show_addresses) for number in one.contacts]
        keys = f"  {', '.join(one.keys)}" if one.keys else ""
        yield f"{one.kind}: contact {', '.join(shown)}{keys}"
    yield from (f"can't be told: {said}" for said in open_)


def _shown(done: Audit, number: str, *, show_addresses: bool) -> str:
    address = done.addresses.get(number, "")
    return f"{number} ({address})" if show_addresses and address else number


def _as_json(
    done: Audit, findings: list[Finding], open_: list[str], *, show_addresses: bool
) -> bytes:
    told: list[dict[str, Any]] = []
    for one in findings:
        told.append({"kind": one.kind, "contacts": one.contacts, "keys": one.keys})
        if show_addresses:
            told[-1]["addresses"] = [done.addresses.get(number, "") for number in one.contacts]
    whole = {
        "contacts": len(done.addresses),
        "counts": counts(findings),
        "findings": told,
        "cannot_tell": open_,
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2)
