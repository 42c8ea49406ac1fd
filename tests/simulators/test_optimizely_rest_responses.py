"""Responses, bounce counters, mail ids and opt-in processes by REST."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from optimizely_feedback import ANA, BEN, CAT, MAILING, Rest, furnish, send
from optimizely_support import REGULAR, Soap, text
from simulators_support import Simulator


@pytest.fixture
def rest(campaign: Simulator) -> Iterator[Rest]:
    """Two mailings; Ana bounced hard in both, Ben softly in the second."""
    furnish(campaign)
    send(campaign)
    send(campaign, mailing=MAILING + 1)
    campaign.event("bounce", id=ANA, mailing=MAILING, subject="Unknown user")
    campaign.event("bounce", id=ANA, mailing=MAILING + 1)
    campaign.event("bounce", id=BEN, mailing=MAILING + 1, kind="soft", times=2)
    with Rest(campaign) as client:
        yield client


def _who(rest: Rest, **parameters: Any) -> list[str]:
    return [row["recipientId"] for row in rest.get("responses", **parameters)["elements"]]


def test_a_response_has_the_shape_of_the_reference(campaign: Simulator, rest: Rest) -> None:
    """Mail, mailing, list, recipient, category, subject, rule, media type and time."""
    page = rest.get("responses", category="hardbounce", mailingId=MAILING)
    mail = campaign.state()["clients"]["1234"]["responses"][0]["mail_id"]
    assert page["elements"] == [
        {
            "mailId": mail,
            "mailingId": MAILING,
            "recipientListId": REGULAR,
            "recipientId": ANA,
            "category": "hardbounce",
            "subject": "Unknown user",
            "ruleName": "hardbounce rule",
            "mediaType": "EMAIL",
            "created": "2026-03-01T06:00:00Z",
        }
    ]
    assert (page["count"], page["limit"]) == (1, 100)


def test_responses_are_asked_for_by_mailing_or_by_recipients(rest: Rest) -> None:
    """Both together narrow it down; limit cuts, and there is no offset."""
    assert _who(rest, category="softbounce", mailingId=MAILING + 1) == [BEN, BEN]
    assert _who(rest, category="hardbounce", recipientIds=f"{ANA},{BEN}") == [ANA, ANA]
    assert _who(rest, category="hardbounce", recipientIds=ANA, mailingId=MAILING) == [ANA]
    assert _who(rest, category="softbounce", recipientIds=BEN, limit=1) == [BEN]
    assert _who(rest, category="softbounce", recipientIds=BEN, limit=1, offset=1) == [BEN]


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"mailingId": MAILING}, 400),
        ({"category": "hardbounce"}, 400),
        ({"category": "rubber", "mailingId": MAILING}, 400),
        ({"category": "hardbounce", "mailingId": MAILING, "limit": 10_001}, 400),
        ({"category": "hardbounce", "mailingId": MAILING, "limit": 10_000}, 200),
        ({"category": "hardbounce", "mailingId": 1}, 404),
        ({"category": "hardbounce", "recipientIds": "nobody@example.com"}, 404),
        ({"category": "hardbounce", "recipientIds": f"nobody@example.com,{CAT}"}, 200),
    ],
)
def test_a_question_about_responses_is_checked(
    rest: Rest, parameters: dict[str, object], status: int
) -> None:
    """Category and mailing or recipients are needed; unknown ones are 404."""
    assert rest.refused("responses", **parameters) == status


def test_bounce_counters_are_read_and_reset(campaign: Simulator, rest: Rest, soap: Soap) -> None:
    """The same counters as RpcResponse has."""
    assert rest.get("responses/bounces", category="hardbounce")["count"] == 3
    assert rest.get("responses/bounces", category="softbounce")["count"] == 5
    assert rest.get(f"responses/bounces/{ANA}", category="hardbounce")["count"] == 2
    assert rest.get(f"responses/bounces/{ANA}/thresholdExceeded")["exceeded"] is False
    campaign.event("bounce", id=ANA)
    assert rest.get(f"responses/bounces/{ANA}/thresholdExceeded")["exceeded"] is True
    assert rest.ask("DELETE", f"responses/bounces/{ANA}").status_code == 204
    count = soap.call("RpcResponse", "getBounceCounter", text(ANA), text("hardbounce"))
    assert count == 0
    assert rest.refused("responses/bounces") == 400
    assert rest.refused(f"responses/bounces/{ANA}", category="autoresponder") == 400


def test_a_mail_id_leads_to_its_message(campaign: Simulator, rest: Rest) -> None:
    """Mailing, list and recipient; 404 for an unknown id."""
    mail = campaign.event("open", id=BEN, mailing=MAILING)["mail"]
    found = rest.get(f"mailid/{mail}")
    expected = {"mailingId": MAILING, "recipientListId": REGULAR, "recipientId": BEN}
    assert found == {**expected, "links": []}
    assert rest.refused("mailid/no-such-mail") == 404


def test_opt_in_processes_are_listed(campaign: Simulator, rest: Rest) -> None:
    """With their kinds; 404 for an unknown id."""
    campaign.seed({"optin_processes": [{"id": 120000000900, "name": "Web", "type": "double"}]})
    page = rest.get("optinprocesses")
    assert [(row["id"], row["type"]) for row in page["elements"]] == [(120000000900, "double")]
    assert rest.get("optinprocesses/120000000900")["name"] == "Web"
    assert rest.refused("optinprocesses/1") == 404
    assert rest.refused("optinprocesses/x") == 404
