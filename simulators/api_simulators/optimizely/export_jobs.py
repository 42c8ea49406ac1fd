"""The export jobs: what waits becomes files, at once or when the clock passes a boundary."""

from __future__ import annotations

import math
from collections.abc import Iterable

from api_simulators.optimizely.export_columns import (
    Fact,
    FieldOf,
    Happening,
    Spelling,
    line,
    names,
)
from api_simulators.optimizely.export_files import STREAMS, ExportFile
from api_simulators.optimizely.model import Client
from api_simulators.optimizely.response_data import mail_id

HOUR = 3_600.0
DAY = 86_400.0


def settle(client: Client, now: float) -> None:
    """Take over what other services changed, and run every job that was due until now."""
    _take_over(client, now)
    data = client.responses
    if not data.waiting or _next_run(client, data.first_noted) > now:
        return
    due: dict[float, list[Happening]] = {}
    kept = []
    for noted, happening in data.waiting:
        runs = _next_run(client, noted)
        if runs <= now:
            due.setdefault(runs, []).append(happening)
        else:
            kept.append((noted, happening))
    data.keep_waiting(kept)
    for runs in sorted(due):
        _write(client, due[runs], runs)


def run_now(client: Client, now: float) -> list[ExportFile]:
    """Run the jobs off schedule: everything that waits goes into files of this moment."""
    _take_over(client, now)
    told = [happening for _, happening in client.responses.waiting]
    client.responses.keep_waiting([])
    return _write(client, told, now)


def _next_run(client: Client, noted: float) -> float:
    schedule = client.switches["export_jobs"]
    if schedule == "instant":
        return noted
    interval = HOUR if schedule == "hourly" else DAY
    offset = 0.0 if schedule == "hourly" else HOUR * int(client.switches["export_hour"])
    return (math.floor((noted - offset) / interval) + 1) * interval + offset


def _take_over(client: Client, now: float) -> None:
    """Tell of unsubscribes that came by any way since the last look."""
    data = client.responses
    added = client.unsubscribes.added
    everything = client.switches["export_unsubscribes"] == "all"
    for row in added[data.unsubscribes_told :]:
        facts: dict[str, Fact] = {
            "recipient_id": row.recipient_id,
            "list_id": str(row.list_id) if row.list_id else None,
            "time": row.created,
            "reason": row.reason,
            "media_type": row.media_type,
        }
        if everything or not row.mailing_id:
            data.tell(now, Happening("unsubscribes", row.created, facts, row.created))
        if row.mailing_id:
            more: dict[str, Fact] = {
                "mailing_id": str(row.mailing_id),
                "campaign-id": data.campaigns.get(row.mailing_id),
            }
            mail = data.mails.get(mail_id(row.mailing_id, row.list_id, row.recipient_id))
            sent = mail.sent if mail else row.created
            data.tell(now, Happening("mailing_unsubscribes", row.created, facts | more, sent))
    data.unsubscribes_told = len(added)


def note_bounced_out(client: Client, now: float, recipient_ids: Iterable[str]) -> None:
    """Tell of those of the recipients whose bounce counters have reached the limit just now."""
    data = client.responses
    for each in recipient_ids:
        if not client.is_bounced_out(each):
            data.bounced_out.discard(each)
        elif each not in data.bounced_out:
            data.bounced_out.add(each)
            facts: dict[str, Fact] = {"recipient_id": each, "time": now}
            data.tell(now, Happening("outbounces", now, facts))


def _write(client: Client, told: list[Happening], at: float) -> list[ExportFile]:
    by_stream: dict[str, list[Happening]] = {}
    for each in told:
        by_stream.setdefault(each.stream, []).append(each)
    written = []
    for stream in STREAMS:
        if stream in by_stream:
            spelling = _spelling(client, stream)
            look = _field_of(client)
            rows = [line(each, spelling, look) for each in by_stream[stream]]
            files = client.responses.files
            written.append(files.write(stream, rows, int(at * 1000), header=spelling.columns))
    return written


def _spelling(client: Client, stream: str) -> Spelling:
    switches = client.switches
    return Spelling(
        names(switches[f"columns_{stream}"]),
        switches["export_time_format"],
        switches["server_timezone"],
        None if switches["export_null"] == "nil" else "",
    )


def _field_of(client: Client) -> FieldOf:
    """Return how a column that support added is read from the recipient's row in its list."""

    def look(list_id: str, recipient_id: str, name: str) -> str | None:
        found = client.lists.get(int(list_id)) if list_id else None
        recipient = found.recipients.get(recipient_id) if found else None
        return recipient.values.get(name) if recipient else None

    return look
