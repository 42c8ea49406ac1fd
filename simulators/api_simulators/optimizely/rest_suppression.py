"""REST endpoints of whom not to write to: unsubscribes and the blocklist."""

from __future__ import annotations

from typing import Any

from api_simulators.optimizely.blocklist_store import BlockEntry
from api_simulators.optimizely.rest_call import (
    RestCall,
    RestError,
    RestHandler,
    counted,
    ordered,
    paged,
    whole,
)
from api_simulators.optimizely.unsubscribe_store import Unsubscribe
from api_simulators.optimizely.unsubscribes import unsubscribe
from api_simulators.wire import Answer, json_answer

MOST_UNSUBSCRIBES = 5_000
MOST_ENTRIES = 1_000


def _found(call: RestCall) -> list[Unsubscribe]:
    """Return the unsubscribes that the filters of the request let through."""
    wanted, media = set(call.texts("recipientIds")), call.text("mediaType")
    list_id = call.number("recipientListId", 0)
    return [
        row
        for row in call.client.unsubscribes.rows.values()
        if (not wanted or row.recipient_id in wanted)
        and (media is None or row.media_type == media)
        and (not list_id or row.list_id == list_id)
    ]


def _unsubscribe(call: RestCall, row: Unsubscribe) -> dict[str, Any]:
    shows_list = row.scope or call.client.switches["rest_unsubscribe_list"] == "always"
    return {
        "recipientListId": (row.list_id or None) if shows_list else None,
        "recipientId": row.recipient_id,
        "mailingId": row.mailing_id or None,
        "reason": row.reason or None,
        "created": call.moment(row.created),
        "links": [],
        "mediaType": row.media_type,
    }


def _unsubscribes(call: RestCall) -> Answer:
    keys = {
        "id": lambda row: row.recipient_id,
        "reason": lambda row: row.reason,
        "recipientListId": lambda row: row.list_id,
        "mailingId": lambda row: row.mailing_id,
        "created": lambda row: row.created,
    }
    rows = ordered(call, _found(call), keys, "id")
    return paged(call, rows, lambda row: _unsubscribe(call, row))


def _count_unsubscribes(call: RestCall) -> Answer:
    return counted(len(_found(call)))


def _add_unsubscribes(call: RestCall) -> Answer:
    """Unsubscribe by recipient ids or by mail ids, as form fields or JSON."""
    given = _given(call)
    ids, mail_ids = given["recipientIds"], given["mailIds"]
    if (not ids and not mail_ids) or len(ids) + len(mail_ids) > MOST_UNSUBSCRIBES:
        raise RestError(400)
    media = (given["mediaType"] or ["EMAIL"])[0]
    list_id = whole((given["recipientListId"] or ["0"])[0])
    if list_id is None:
        raise RestError(400)
    done, failed = list(ids), []
    for each in ids:
        unsubscribe(call.client, each, list_id, media_type=media)
    for each in mail_ids:
        mail = call.client.find_mail(each)
        if mail is None:
            failed.append(each)
            continue
        mailing_id, sent_to, recipient_id = mail
        unsubscribe(call.client, recipient_id, sent_to, mailing_id=mailing_id, media_type=media)
        done.append(each)
    return json_answer(200, {"successfulIds": done, "unsuccessfulIds": failed})


def _given(call: RestCall) -> dict[str, list[str]]:
    names = ("recipientIds", "mailIds", "mediaType", "recipientListId")
    found = {name: call.texts(name) for name in names}
    if "json" not in call.request.headers.get("Content-Type", ""):
        return found
    body = call.json()
    for name in names:
        value = body.get(name) if isinstance(body, dict) else None
        many = value if isinstance(value, list) else [value]
        found[name] = [str(each) for each in many if each is not None]
    return found


def _remove_unsubscribes(call: RestCall) -> Answer:
    wanted = call.texts("recipientIds")
    if not wanted:
        raise RestError(400)
    scope = call.client.unsubscribe_scope(call.number("recipientListId", 0))
    removed = [call.client.unsubscribes.remove(scope, each) for each in wanted]
    if not any(removed):
        raise RestError(404)
    return Answer(204, b"")


def _entry(call: RestCall, row: BlockEntry) -> dict[str, Any]:
    return {
        "mailingGroupId": call.client.id,
        "pattern": row.entry,
        "reason": row.reason,
        "created": call.moment(row.created),
        "modified": call.moment(row.modified),
        "links": [],
    }


def _entries(call: RestCall) -> Answer:
    patterns, reason = set(call.texts("pattern")), call.text("reason")
    found = [
        row
        for row in call.client.blocklist.entries.values()
        if (not patterns or row.entry in patterns) and (reason is None or row.reason == reason)
    ]
    keys = {
        "pattern": lambda row: row.entry,
        "reason": lambda row: row.reason,
        "created": lambda row: row.created,
        "modified": lambda row: row.modified,
    }
    return paged(call, ordered(call, found, keys, "created"), lambda row: _entry(call, row))


def _count_entries(call: RestCall) -> Answer:
    return counted(len(call.client.blocklist.entries))


def _blacklisted(call: RestCall) -> Answer:
    address = call.text("address")
    if address is None:
        raise RestError(400)
    entry = call.client.blocklist.first_match(address)
    return json_answer(200, {"blacklisted": entry is not None, "pattern": entry})


def _one_entry(call: RestCall) -> Answer:
    row = call.client.blocklist.entries.get(call.args[0])
    if row is None:
        raise RestError(404)
    return json_answer(200, _entry(call, row))


def _add_entry(call: RestCall) -> Answer:
    pattern = call.text("entry")
    if not pattern:
        raise RestError(400)
    now = call.client.now()
    call.client.blocklist.add(BlockEntry(pattern, call.text("reason") or "", now, now))
    return json_answer(201, _entry(call, call.client.blocklist.entries[pattern]))


def _remove_entry(call: RestCall) -> Answer:
    if not call.client.blocklist.remove(call.args[0]):
        raise RestError(404)
    return Answer(204, b"")


def _remove_entries(call: RestCall) -> Answer:
    wanted = call.texts("entries")
    if not wanted or len(wanted) > MOST_ENTRIES:
        raise RestError(400)
    for each in wanted:
        call.client.blocklist.remove(each)
    return Answer(204, b"")


SUPPRESSION_ROUTES: dict[tuple[str, str], RestHandler] = {
    ("GET", "unsubscribes"): _unsubscribes,
    ("POST", "unsubscribes"): _add_unsubscribes,
    ("DELETE", "unsubscribes"): _remove_unsubscribes,
    ("GET", "unsubscribes/count"): _count_unsubscribes,
    ("GET", "blacklistentries"): _entries,
    ("POST", "blacklistentries"): _add_entry,
    ("DELETE", "blacklistentries"): _remove_entries,
    ("GET", "blacklistentries/blacklisted"): _blacklisted,
    ("GET", "blacklistentries/count"): _count_entries,
    ("GET", "blacklistentries/*"): _one_entry,
    ("DELETE", "blacklistentries/*"): _remove_entry,
}
