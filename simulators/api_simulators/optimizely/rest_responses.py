"""REST endpoints of what came back: responses, bounce counters, mail ids, opt-in processes."""

from __future__ import annotations

from typing import Any

from api_simulators.optimizely.mail_ids import find
from api_simulators.optimizely.model import CATEGORIES, OptinProcess
from api_simulators.optimizely.operations import BusinessError
from api_simulators.optimizely.response_data import RESPONSE_CATEGORIES, Response
from api_simulators.optimizely.responses import counter, remembered, reset
from api_simulators.optimizely.rest_call import (
    DEFAULT_LIMIT,
    LIMIT_BELOW,
    RestCall,
    RestError,
    RestHandler,
    counted,
    listing,
    paged,
    whole,
)
from api_simulators.wire import Answer, json_answer


def _response(call: RestCall, row: Response) -> dict[str, Any]:
    return {
        "mailId": row.mail_id,
        "mailingId": row.mailing_id,
        "recipientListId": row.list_id,
        "recipientId": row.recipient_id,
        "category": row.category,
        "subject": row.subject,
        "ruleName": row.rule_name,
        "mediaType": row.media_type,
        "created": call.moment(row.created),
    }


def _responses(call: RestCall) -> Answer:
    """Responses of one category to a mailing or of recipients; there is no offset."""
    category = call.choice("category", RESPONSE_CATEGORIES, "")
    mailing_id, ids = call.number("mailingId", 0), set(call.texts("recipientIds"))
    limit = call.number("limit", DEFAULT_LIMIT, LIMIT_BELOW + 1)
    if not category or not (mailing_id or ids):
        raise RestError(400)
    if mailing_id and mailing_id not in call.client.mailings:
        raise RestError(404)
    if ids and not any(_known(call, each) for each in ids):
        raise RestError(404)
    found = [
        row
        for row in remembered(call.client, category, mailing_id)
        if not ids or row.recipient_id in ids
    ]
    return listing(call, [_response(call, row) for row in found[:limit]], 0, limit, len(found))


def _known(call: RestCall, recipient_id: str) -> bool:
    """Say whether the client has, or once wrote to, a recipient of this id."""
    if any(recipient_id in each.recipients for each in call.client.lists.values()):
        return True
    return any(row.recipient_id == recipient_id for row in call.client.responses.responses)


def _category(call: RestCall) -> str:
    category = call.choice("category", CATEGORIES, "")
    if not category:
        raise RestError(400)
    return category


def _threshold(call: RestCall) -> Answer:
    return counted(call.client.bounce_limit(_category(call)))


def _counter(call: RestCall) -> Answer:
    return counted(counter(call.client, call.args[0], _category(call)))


def _reset(call: RestCall) -> Answer:
    reset(call.client, call.args[0])
    return Answer(204, b"")


def _exceeded(call: RestCall) -> Answer:
    exceeded = call.client.is_bounced_out(call.args[0])
    return json_answer(200, {"exceeded": exceeded, "links": []})


def _mail(call: RestCall) -> Answer:
    try:
        mail = find(call.client, call.args[0])
    except BusinessError as error:
        raise RestError(404) from error
    return json_answer(
        200,
        {
            "mailingId": mail.mailing_id,
            "recipientListId": mail.list_id,
            "recipientId": mail.recipient_id,
            "links": [],
        },
    )


def _process(row: OptinProcess) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "type": row.type,
        "confirmationMailingId": row.confirmation_mailing_id or None,
        "confirmationUrl": row.confirmation_url or None,
        "links": [],
    }


def _processes(call: RestCall) -> Answer:
    return paged(call, list(call.client.optin_processes.values()), _process)


def _one_process(call: RestCall) -> Answer:
    row = call.client.optin_processes.get(whole(call.args[0]) or 0)
    if row is None:
        raise RestError(404)
    return json_answer(200, _process(row))


RESPONSE_ROUTES: dict[tuple[str, str], RestHandler] = {
    ("GET", "responses"): _responses,
    ("GET", "responses/bounces"): _threshold,
    ("GET", "responses/bounces/*"): _counter,
    ("DELETE", "responses/bounces/*"): _reset,
    ("GET", "responses/bounces/*/thresholdExceeded"): _exceeded,
    ("GET", "mailid/*"): _mail,
    ("GET", "optinprocesses"): _processes,
    ("GET", "optinprocesses/*"): _one_process,
}
