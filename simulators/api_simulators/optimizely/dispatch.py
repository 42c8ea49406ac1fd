"""Mailings going out and what happens to them: sent, opened, clicked, bounced."""

from __future__ import annotations

from typing import Any

from api_simulators.optimizely.export_columns import Fact, Happening
from api_simulators.optimizely.export_jobs import note_bounced_out
from api_simulators.optimizely.model import CATEGORIES, Client, Mailing
from api_simulators.optimizely.response_data import Link, Mail, Response, mail_id
from api_simulators.wire import ControlError


def send(client: Client, order: dict[str, Any], at: float, noted: float | None = None) -> Mailing:
    """Send a mailing at a time to every active recipient of its list; `noted` is when the vendor
    learns of it, now if it is None.

    `order`: `list`, and optionally `mailing` (id, new or known), `name`, `type`, `campaign` (the
    CRM's), `links` ([{name, url}]) and `finish` (false leaves it SENDING).
    """
    target = client.lists.get(int(order.get("list", 0)))
    if target is None:
        raise ControlError("no such list: name it by list (id)")
    noted = client.now() if noted is None else noted
    mailing = _mailing(client, order, target.id, at)
    data = client.responses
    if order.get("campaign"):
        data.campaigns[mailing.id] = str(order["campaign"])
    for recipient in target.recipients.values():
        if not client.is_active(target, recipient):
            continue
        deliver(client, mailing, (target.id, recipient.id), at, noted)
    for each in order.get("links", []):
        _link(client, mailing, each, noted)
    if order.get("finish", True):
        finish(client, mailing, at, noted)
    return mailing


def deliver(client: Client, mailing: Mailing, to: tuple[int, str], at: float, noted: float) -> None:
    """Write one message of a mailing to a recipient, named by list and id."""
    data = client.responses
    number = mail_id(mailing.id, *to)
    data.mails[number] = Mail(number, mailing.id, *to, at)
    mailing.sent.append(to)
    data.tell(noted, about(client, "recipients", data.mails[number], at))


def _mailing(client: Client, order: dict[str, Any], list_id: int, now: float) -> Mailing:
    mailing = client.mailings.get(int(order.get("mailing", 0)))
    if mailing is None:
        number = client.next_id(int(order["mailing"]) if "mailing" in order else None)
        name = str(order.get("name", f"Mailing {number}"))
        kind = str(order.get("type", "regular"))
        mailing = Mailing(number, name, kind, "NEW", [list_id], now)
        client.mailings[number] = mailing
    if list_id not in mailing.lists:
        mailing.lists.append(list_id)
    mailing.status = "SENDING"
    mailing.started = now if mailing.started is None else mailing.started
    return mailing


def _link(client: Client, mailing: Mailing, given: dict[str, Any], now: float) -> None:
    link = Link(client.next_id(), mailing.id, str(given.get("name", "")), str(given["url"]))
    client.responses.links[link.id] = link
    facts: dict[str, Fact] = {
        "link_id": str(link.id),
        "mailing_id": str(mailing.id),
        "name": link.name,
        "url": link.url,
    }
    client.responses.tell(now, Happening("links", now, facts, mailing.started))


def finish(client: Client, mailing: Mailing, at: float, noted: float) -> None:
    """End the sending of a mailing, which then shows up among `mailings`."""
    mailing.status, mailing.finished = "DONE", at
    facts: dict[str, Fact] = {
        "mailing_id": str(mailing.id),
        "name": mailing.name,
        "subject": mailing.subject,
        "started": mailing.started,
        "finished": at,
        "time": at,
        "campaign-id": client.responses.campaigns.get(mailing.id),
    }
    client.responses.tell(noted, Happening("mailings", at, facts, mailing.started))


def about(client: Client, stream: str, mail: Mail, at: float, **more: str) -> Happening:
    """Return something that happened to one message; `more` are further facts by column."""
    facts: dict[str, Fact] = {
        "recipient_id": mail.recipient_id,
        "list_id": str(mail.list_id),
        "mailing_id": str(mail.mailing_id),
        "mail_id": mail.id,
        "time": at,
        "campaign-id": client.responses.campaigns.get(mail.mailing_id),
        **more,
    }
    return Happening(stream, at, facts, mail.sent)


def track(client: Client, stream: str, mail: Mail, at: float, **more: str) -> bool:
    """Tell of an open or a click; False where the recipient has opted out of being tracked."""
    if mail.recipient_id in client.tracking_opt_outs:
        return False
    client.responses.tell(client.now(), about(client, stream, mail, at, **more))
    return True


def respond(client: Client, mail: Mail, category: str, at: float, subject: str = "") -> None:
    """Let a message come back: counted, kept for REST, told in `responses`."""
    data = client.responses
    rule = f"{category} rule" if category != "unknown" else ""
    data.responses.append(
        Response(
            mail.id, mail.mailing_id, mail.list_id, mail.recipient_id, category, subject, rule, at
        )
    )
    if category in CATEGORIES:
        counters = client.bounces.setdefault(mail.recipient_id, {})
        counters[category] = counters.get(category, 0) + 1
    data.tell(
        client.now(), about(client, "responses", mail, at, category=category, subject=subject)
    )
    note_bounced_out(client, client.now(), [mail.recipient_id])
