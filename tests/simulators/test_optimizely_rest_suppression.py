"""Unsubscribes and blocklist by REST in the simulated Optimizely Campaign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from optimizely_feedback import ANA, BEN, CAT, DAY, MAILING, Rest, furnish, read, send
from optimizely_support import OPTIN, REGULAR, Soap, texts
from simulators_support import Simulator

PATH, ENTRIES = "unsubscribes", "blacklistentries"


@pytest.fixture
def rest(campaign: Simulator) -> Iterator[Rest]:
    furnish(campaign)
    with Rest(campaign) as client:
        yield client


def _ids(rest: Rest, **parameters: Any) -> list[str]:
    return [row["recipientId"] for row in rest.get(PATH, **parameters)["elements"]]


def test_an_unsubscribe_has_the_shape_of_the_reference(campaign: Simulator, rest: Rest) -> None:
    """Without list-based unsubscribes there is no list; without mailing no mailing id."""
    send(campaign)
    campaign.event("mail_unsubscribe", id=CAT, mailing=MAILING, reason="too much")
    campaign.event("unsubscribe", id=ANA, list=REGULAR)
    page = rest.get(PATH)
    common = {"created": "2026-03-01T06:00:00Z", "links": [], "mediaType": "EMAIL"}
    assert page == {
        "elements": [
            {
                "recipientListId": None,
                "recipientId": ANA,
                "mailingId": None,
                "reason": None,
                **common,
            },
            {
                "recipientListId": None,
                "recipientId": CAT,
                "mailingId": MAILING,
                "reason": "too much",
                **common,
            },
        ],
        "links": [],
        "count": 2,
        "offset": 0,
        "limit": 100,
    }


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({}, None),
        ({"rest_unsubscribe_list": "always"}, REGULAR),
        ({"unsubscribe_store": "list"}, REGULAR),
    ],
)
def test_the_list_of_an_unsubscribe_is_shown_where_it_counts(
    campaign: Simulator, rest: Rest, switches: dict[str, str], expected: int | None
) -> None:
    """With list-based unsubscribes, or by switch always."""
    campaign.switches(**switches)
    campaign.event("unsubscribe", id=ANA, list=REGULAR)
    assert rest.get(PATH)["elements"][0]["recipientListId"] == expected


def test_unsubscribes_have_no_end_of_life(campaign: Simulator, rest: Rest) -> None:
    """Unlike the export files the listing is complete."""
    campaign.event("unsubscribe", id=ANA)
    campaign.clock(advance=400 * DAY)
    assert _ids(rest) == [ANA]


def test_paging_and_sorting_walk_through_all(campaign: Simulator, rest: Rest) -> None:
    """offset and limit cut pages out of the sorted listing."""
    for each in (CAT, ANA, BEN):
        campaign.event("unsubscribe", id=each)
        campaign.clock(advance=60)
    assert _ids(rest) == [ANA, BEN, CAT]
    assert _ids(rest, direction="DESC") == [CAT, BEN, ANA]
    assert _ids(rest, sort="created") == [CAT, ANA, BEN]
    assert _ids(rest, sort="created", offset=1, limit=1) == [ANA]
    assert _ids(rest, offset=3) == []
    assert len(_ids(rest, limit=0)) == 0


def test_a_listing_can_be_filtered(campaign: Simulator, rest: Rest) -> None:
    """By ids, by list and by media type."""
    campaign.event("unsubscribe", id=ANA, list=REGULAR)
    campaign.event("unsubscribe", id=BEN, list=OPTIN)
    assert _ids(rest, recipientIds=f"{BEN},{CAT}") == [BEN]
    assert _ids(rest, recipientListId=REGULAR) == [ANA]
    assert _ids(rest, mediaType="SMS") == []
    assert rest.get("unsubscribes/count") == {"links": [], "count": 2}
    assert rest.get("unsubscribes/count", mediaType="SMS")["count"] == 0


@pytest.mark.parametrize("form", ["json", "data"])
def test_unsubscribing_by_rest_is_seen_by_soap_and_in_the_files(
    campaign: Simulator, rest: Rest, soap: Soap, form: str
) -> None:
    """By recipient ids and by mail ids, as JSON or as a form; unknown mail ids are named."""
    send(campaign)
    mail = campaign.event("open", id=BEN, mailing=MAILING)["mail"]
    body: dict[str, Any] = {"recipientIds": [ANA], "mailIds": [mail, "no-such-mail"]}
    if form == "data":
        body = {name: ",".join(values) for name, values in body.items()}
    answer = rest.ask("POST", PATH, **{form: body})
    assert answer.json() == {"successfulIds": [ANA, mail], "unsuccessfulIds": ["no-such-mail"]}
    assert soap.call("RpcUnsubscribe", "containsAll", texts([ANA, BEN, CAT])) == [
        True,
        True,
        False,
    ]
    assert [row[0] for row in read(soap, "getMailingUnsubscribes")] == [BEN]


@pytest.mark.parametrize(
    "body", [{}, {"recipientIds": [f"r{n}@example.com" for n in range(5001)]}, [1], {"mailIds": 0}]
)
def test_unsubscribing_needs_one_to_five_thousand_ids(rest: Rest, body: Any) -> None:
    """None, or one too many, is refused as a whole."""
    answer = rest.ask("POST", PATH, json=body)
    assert answer.status_code == (200 if body == {"mailIds": 0} else 400)
    assert _ids(rest) == []


def test_an_unsubscribe_can_be_taken_back(campaign: Simulator, rest: Rest) -> None:
    """204, then 404 for who is not unsubscribed; 400 without ids."""
    campaign.event("unsubscribe", id=ANA)
    delete = {"params": {"recipientIds": ANA}}
    assert rest.ask("DELETE", PATH, **delete).status_code == 204
    assert rest.ask("DELETE", PATH, **delete).status_code == 404
    assert rest.ask("DELETE", PATH).status_code == 400


def test_blocklist_entries_are_listed_and_looked_up(campaign: Simulator, rest: Rest) -> None:
    """Patterns match in `blacklisted`; entries are found by their exact text."""
    campaign.event("block", entry="*@example.org", reason="competitor")
    campaign.clock(advance=60)
    campaign.event("block", entry="a/b@example.com")
    page = rest.get(ENTRIES)
    assert [row["pattern"] for row in page["elements"]] == ["*@example.org", "a/b@example.com"]
    assert page["elements"][0] == {
        "mailingGroupId": 1234,
        "pattern": "*@example.org",
        "reason": "competitor",
        "created": "2026-03-01T06:00:00Z",
        "modified": "2026-03-01T06:00:00Z",
        "links": [],
    }
    assert rest.get(f"{ENTRIES}/{quote('a/b@example.com', safe='')}")["reason"] == ""
    assert rest.refused(f"{ENTRIES}/nobody@example.com") == 404
    found = rest.get(f"{ENTRIES}/blacklisted", address=BEN)
    assert found == {"blacklisted": True, "pattern": "*@example.org"}
    assert rest.get(f"{ENTRIES}/blacklisted", address=ANA)["blacklisted"] is False
    assert rest.refused(f"{ENTRIES}/blacklisted") == 400
    assert rest.get(f"{ENTRIES}/count")["count"] == 2


def test_blocklist_entries_can_be_filtered_and_sorted(campaign: Simulator, rest: Rest) -> None:
    """By pattern and reason; by pattern, reason, created or modified."""
    for entry, reason in ((CAT, "x"), (ANA, "y"), (BEN, "x")):
        campaign.event("block", entry=entry, reason=reason)

    def patterns(**parameters: str) -> list[str]:
        return [row["pattern"] for row in rest.get(ENTRIES, **parameters)["elements"]]

    assert patterns(sort="pattern") == [ANA, BEN, CAT]
    assert patterns(reason="x", sort="pattern", direction="DESC") == [CAT, BEN]
    assert patterns(pattern=ANA) == [ANA]


def test_blocking_by_rest_is_seen_by_soap(rest: Rest, soap: Soap) -> None:
    """Entries come by form and go one by one or many at a time."""
    for entry in ("*@example.net", ANA, BEN):
        answer = rest.ask("POST", ENTRIES, data={"entry": entry, "reason": "manual"})
        assert (answer.status_code, answer.json()["pattern"]) == (201, entry)
    assert rest.ask("POST", ENTRIES, data={"reason": "x"}).status_code == 400
    assert soap.call("RpcBlacklist", "areBlacklisted", texts([ANA, CAT])) == [True, True]
    assert rest.ask("DELETE", f"{ENTRIES}/{ANA}").status_code == 204
    assert rest.ask("DELETE", f"{ENTRIES}/{ANA}").status_code == 404
    many = {"params": {"entries": ["*@example.net", BEN]}}
    assert rest.ask("DELETE", ENTRIES, **many).status_code == 204
    assert soap.call("RpcBlacklist", "getCount") == 0
    too_many = {"params": {"entries": [f"e{n}" for n in range(1001)]}}
    assert rest.ask("DELETE", ENTRIES, **too_many).status_code == 400
    assert rest.ask("DELETE", ENTRIES).status_code == 400
