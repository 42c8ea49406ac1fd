"""The import half of the closed loop: a list of the pool is filled, sent once, recycled later."""

from __future__ import annotations

from typing import Any

from api_simulators.optimizely import dispatch
from api_simulators.optimizely.model import Attribute, Client, Recipient, RecipientList
from api_simulators.optimizely.operations import BusinessError
from api_simulators.optimizely.response_data import Wave

MOST_RECIPIENTS = 1000
# Fields every list of the pool has; the last two are the vendor's own (seen in list exports).
POOL_FIELDS = ("email", "contact-id", "lead-id", "campaign-id", "BROADMAIL_ID", "WELLE_ID")


def prepare(client: Client, _session: Any, template: int | None) -> int:
    """Take a list from the pool for a new wave; returns the wave's id."""
    if template not in client.mailings:
        raise BusinessError("Mailing does not exist")
    now = client.now()
    list_id, wave_id = client.next_id(), client.next_id()
    fields = {name: Attribute(name) for name in POOL_FIELDS}
    client.lists[list_id] = RecipientList(
        list_id, f"Closed loop {list_id}", "regular", fields, now, now
    )
    client.responses.waves[wave_id] = Wave(wave_id, template, list_id)
    return wave_id


def import_recipients(
    client: Client,
    _session: Any,
    wave_id: int | None,
    names: list[str | None] | None,
    values: list[list[str | None]] | None,
) -> None:
    """Add recipients to a wave that is not scheduled yet; at most 1,000 per call."""
    wave = _wave(client, wave_id)
    if wave.due is not None:
        raise BusinessError("The import of this wave is already finished")
    columns, lines = names or [], values or []
    if len(lines) > MOST_RECIPIENTS:
        raise BusinessError(f"At most {MOST_RECIPIENTS} recipients can be imported per call")
    target = client.lists[wave.list_id]
    unknown = [name for name in columns if name not in target.attributes]
    if unknown or "email" not in columns:
        raise BusinessError("Unknown or missing recipient field")
    if any(len(each) != len(columns) for each in lines):
        raise BusinessError("Number of field values does not match number of field names")
    now = client.now()
    for each in lines:
        filled = {str(name): value for name, value in zip(columns, each, strict=True)}
        filled |= {"WELLE_ID": str(wave.id), "BROADMAIL_ID": str(client.next_id())}
        address = filled["email"] or ""
        if address and address not in target.recipients:
            target.store(Recipient(address, address, filled, now, now))


def finish(client: Client, _session: Any, wave_id: int | None) -> None:
    """Close the import and schedule the mailing."""
    wave = _wave(client, wave_id)
    if wave.due is None:
        wave.due = client.now() + float(client.switches["wave_delay_seconds"])
        settle(client, client.now())


def mailing_of(client: Client, _session: Any, wave_id: int | None) -> int:
    """Return the id of the mailing of a wave, 0 until it was sent."""
    return _wave(client, wave_id).mailing_id


def settle(client: Client, now: float) -> None:
    """Send the mailings of all waves that are due."""
    for wave in client.responses.waves.values():
        if (
            wave.due is None
            or wave.mailing_id
            or wave.due > now
            or wave.list_id not in client.lists
        ):
            continue
        template = client.mailings[wave.template_id]
        order = {"name": template.name, "list": wave.list_id, "type": template.type}
        wave.mailing_id = dispatch.send(client, order, wave.due, wave.due).id


def _wave(client: Client, wave_id: int | None) -> Wave:
    wave = client.responses.waves.get(wave_id or 0)
    if wave is None:
        raise BusinessError("Wave does not exist")
    return wave
