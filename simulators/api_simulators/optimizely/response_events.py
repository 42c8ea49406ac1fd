"""What recipients, mail servers and the vendor's jobs do, on request of a test or a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api_simulators.optimizely import dispatch, export_jobs
from api_simulators.optimizely.export_files import STREAMS, ExportFile, ExportRow
from api_simulators.optimizely.model import Client
from api_simulators.optimizely.response_data import RESPONSE_CATEGORIES, Mail, mail_id
from api_simulators.optimizely.seeding import add_bounces, seconds
from api_simulators.optimizely.unsubscribes import unsubscribe
from api_simulators.wire import ControlError

Details = dict[str, Any]
Event = Callable[[Client, Details], Details]
KINDS = {
    "hard": "hardbounce",
    "soft": "softbounce",
    "autoresponder": "autoresponder",
    "unknown": "unknown",
}
COUNTED = ("hard", "soft")


def _send_mailing(client: Client, data: Details) -> Details:
    before = len(client.responses.mails)
    mailing = dispatch.send(client, data, _at(client, data))
    return {"mailing": mailing.id, "sent": len(client.responses.mails) - before}


def _finish_mailing(client: Client, data: Details) -> Details:
    mailing = client.mailings.get(int(data.get("mailing", 0)))
    if mailing is None:
        raise ControlError("no such mailing: name it by mailing (id)")
    dispatch.finish(client, mailing, _at(client, data), client.now())
    return {"mailing": mailing.id}


def _open(client: Client, data: Details) -> Details:
    mail = _mail(client, data)
    told = dispatch.track(client, "opens", mail, _at(client, data))
    return {"mail": mail.id, "told": told}


def _click(client: Client, data: Details) -> Details:
    mail = _mail(client, data)
    links = [link for link in client.responses.links.values() if link.mailing_id == mail.mailing_id]
    wanted = [link for link in links if link.id == int(data.get("link", link.id))]
    if not wanted:
        raise ControlError("the mailing has no such link: send it with links")
    link = wanted[0]
    more = {"link_id": str(link.id), "url": link.url}
    told = dispatch.track(client, "clicks", mail, _at(client, data), **more)
    return {"mail": mail.id, "link": link.id, "told": told}


def _bounce(client: Client, data: Details) -> Details:
    """`times` mails to `id` come back: `kind` hard, soft, autoresponder or unknown.

    With `mailing` or `mail` it is that message that comes back; without, only the counters rise.
    """
    kind, times = str(data.get("kind", "hard")), int(data.get("times", 1))
    if kind not in KINDS:
        raise ControlError(f"a bounce is one of {sorted(KINDS)}, not {kind!r}")
    if "mailing" not in data and "mail" not in data and kind in COUNTED:
        entry = {"id": data.get("id"), "kind": kind, "count": times}
        return {"count": add_bounces(client, entry)}
    mail = _mail(client, data)
    subject = str(data.get("subject", "Delivery report"))
    for _ in range(times):
        dispatch.respond(client, mail, KINDS[kind], _at(client, data), subject)
    return {"mail": mail.id, "counters": dict(client.bounces.get(mail.recipient_id, {}))}


def _reply(client: Client, data: Details) -> Details:
    """A person answers; the category is `unknown` unless the client defined one."""
    mail = _mail(client, data)
    category = str(data.get("category", RESPONSE_CATEGORIES[-1]))
    dispatch.respond(client, mail, category, _at(client, data), str(data.get("subject", "Re:")))
    return {"mail": mail.id}


def _mail_unsubscribe(client: Client, data: Details) -> Details:
    mail = _mail(client, data)
    unsubscribe(
        client,
        mail.recipient_id,
        mail.list_id,
        mailing_id=mail.mailing_id,
        reason=str(data.get("reason", "")),
        created=_at(client, data),
    )
    return {"mail": mail.id}


def _run_export_jobs(client: Client, data: Details) -> Details:  # noqa: ARG001 - every event has this shape
    return {"files": [_shown(each) for each in export_jobs.run_now(client, client.now())]}


def _touch_export_file(client: Client, data: Details) -> Details:
    """The last file of a stream is written again and so shows up once more."""
    file = _last(client, data)
    file.modified = int(_at(client, data) * 1000)
    return {"files": [_shown(file)]}


def _duplicate_export_file(client: Client, data: Details) -> Details:
    """The last file of a stream comes a second time under another name."""
    file = _last(client, data)
    moment = int(_at(client, data) * 1000)
    again = client.responses.files.write(file.stream, list(file.rows), moment, header=file.header)
    return {"files": [_shown(again)]}


def _add_export_file(client: Client, data: Details) -> Details:
    """A file with `rows` as given; a `time` in the past makes it come late."""
    rows = [
        ExportRow(tuple(None if cell is None else str(cell) for cell in row), None)
        for row in data.get("rows", [])
    ]
    moment = int(_at(client, data) * 1000)
    added = client.responses.files.write(_stream(data), rows, moment)
    return {"files": [_shown(added)]}


def _change_columns(client: Client, data: Details) -> Details:
    """Support changes the layout of a stream; files already written keep theirs."""
    stream, columns = _stream(data), str(data.get("columns", ""))
    client.switches.turn({f"columns_{stream}": columns})
    return {"stream": stream, "columns": columns}


def _recycle_list(client: Client, data: Details) -> Details:
    """A list of the pool is taken back: it no longer exists, its responses stay."""
    removed = client.lists.pop(int(data.get("list", 0)), None)
    if removed is None:
        raise ControlError("no such list: name it by list (id)")
    return {"list": removed.id, "recipients": len(removed.recipients)}


def _mail(client: Client, data: Details) -> Mail:
    """Find the message by `mail` (its id), or by `id` (recipient) and `mailing`; the last one."""
    mails = client.responses.mails
    wanted, number = str(data.get("id", "")), int(data.get("mailing", 0))
    if "mail" in data:
        ids = [str(data["mail"])]
    elif number in client.mailings:
        ids = [mail_id(number, each, wanted) for each in client.mailings[number].lists]
    else:
        ids = [key for key, mail in mails.items() if mail.recipient_id == wanted and not number]
    found = [mails[each] for each in ids if each in mails]
    if not found:
        raise ControlError("no such message: name it by mail, or by id (recipient) and mailing")
    return found[-1]


def _at(client: Client, data: Details) -> float:
    """Return `time` of the event (seconds since 1970 or ISO text), or now."""
    return seconds(data.get("time"), client.now())


def _stream(data: Details) -> str:
    stream = str(data.get("stream", ""))
    if stream not in STREAMS:
        raise ControlError(f"a stream is one of {list(STREAMS)}, not {stream!r}")
    return stream


def _last(client: Client, data: Details) -> ExportFile:
    files = client.responses.files.of(_stream(data))
    if not files:
        raise ControlError("there is no file of this stream yet")
    return files[-1]


def _shown(file: ExportFile) -> Details:
    return {
        "number": file.number,
        "stream": file.stream,
        "created": file.created,
        "modified": file.modified,
        "rows": len(file.rows),
    }


RESPONSE_EVENTS: dict[str, Event] = {
    "send_mailing": _send_mailing,
    "finish_mailing": _finish_mailing,
    "open": _open,
    "click": _click,
    "bounce": _bounce,
    "reply": _reply,
    "mail_unsubscribe": _mail_unsubscribe,
    "run_export_jobs": _run_export_jobs,
    "touch_export_file": _touch_export_file,
    "duplicate_export_file": _duplicate_export_file,
    "add_export_file": _add_export_file,
    "change_columns": _change_columns,
    "recycle_list": _recycle_list,
}
