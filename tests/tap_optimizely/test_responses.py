"""Opens, clicks, sent mails, mailings, links, the blocklist; rows of recycled lists."""

from __future__ import annotations

from typing import Any

import pytest
from tap_optimizely_support import COLUMNS, LIST, START, Tap

ANNA, BERT = "anna@example.com", "bert@example.com"
LINKS = [{"name": "shop", "url": "https://shop.example.com/"}]


def send(tap: Tap, **order: Any) -> int:
    """Send a mailing to Anna and Bert; both open it, Anna clicks."""
    mailing: int = tap.simulator.event("send_mailing", list=LIST, links=LINKS, **order)["mailing"]
    tap.simulator.clock(advance=60)
    for one in (ANNA, BERT):
        tap.simulator.event("open", id=one, mailing=mailing)
    tap.simulator.event("click", id=ANNA, mailing=mailing)
    tap.simulator.clock(advance=60)
    return mailing


@pytest.fixture
def people(tap: Tap) -> None:
    """Anna and Bert are in the regular list, with the CRM's ids."""
    for number, one in enumerate((ANNA, BERT)):
        attributes = {"entity-type": "contact", "entity-id": f"c-{number}"}
        tap.simulator.seed({"recipients": [{"list": LIST, "id": one, "attributes": attributes}]})


def with_columns(**names: str) -> dict[str, list[str]]:
    return {**COLUMNS, **{export: given.split() for export, given in names.items()}}


@pytest.mark.usefixtures("people")
def test_opens_and_clicks_without_a_campaign_are_dropped_and_counted(tap: Tap) -> None:
    """Mailings to synchronised lists have no CRM campaign (S1-39, S1-44)."""
    send(tap)
    run = tap.run("opens", "clicks")
    assert run.code == 0, run.errors
    assert run.records("opens") + run.records("clicks") == []
    assert "opens: 2 without a CRM campaign left out" in run.errors
    assert "clicks: 1 without a CRM campaign left out" in run.errors
    assert run.markers[0]["counts"] == {"opens": 0, "clicks": 0}


@pytest.mark.usefixtures("people")
def test_opens_and_clicks_without_a_campaign_are_kept_on_demand(tap: Tap) -> None:
    """For a CRM that can do something with them (S1-40)."""
    mailing = send(tap)
    run = tap.run("opens", "clicks", deliver_without_campaign=True)
    assert [r["recipient_id"] for r in run.records("opens")] == [ANNA, BERT]
    [click] = run.records("clicks")
    assert (click["recipient_id"], click["mailing_id"]) == (ANNA, str(mailing))
    assert click["link_id"]


@pytest.mark.usefixtures("people")
def test_opens_of_a_campaign_are_delivered(tap: Tap) -> None:
    """The campaign's id came along as a field of the row (S1-39, S1-43)."""
    tap.simulator.switches(columns_opens="recipient_id,campaign-id,time")
    send(tap, campaign="spring-7")
    send(tap)
    run = tap.run("opens", columns=with_columns(opens="recipient_id campaign_id time"))
    assert {r["campaign_id"] for r in run.records("opens")} == {"spring-7"}
    assert len(run.records("opens")) == 2


@pytest.mark.usefixtures("people")
def test_rows_of_a_recycled_list_stay_unassigned(tap: Tap) -> None:
    """The response is delivered, its entity stays empty, and nobody looks for another (S1-38)."""
    tap.simulator.switches(columns_responses="recipient_id,entity-type,entity-id,category,time")
    tap.simulator.seed({"lists": [{"id": 120000000009, "name": "Pool"}]})
    attributes = {"entity-type": "lead", "entity-id": "l-9"}
    person = {"list": 120000000009, "id": "pool@example.com", "attributes": attributes}
    tap.simulator.seed({"recipients": [person]})
    columns = with_columns(responses="recipient_id entity_type entity_id category time")
    mailing = tap.simulator.event("send_mailing", list=120000000009)["mailing"]
    tap.simulator.event("bounce", id="pool@example.com", mailing=mailing, kind="soft")
    tap.simulator.clock(advance=60)
    tap.simulator.event("recycle_list", list=120000000009)
    tap.simulator.event("bounce", id="pool@example.com", mailing=mailing, kind="hard")
    tap.simulator.clock(advance=60)
    run = tap.run("bounces", columns=columns)
    found = {(r["kind"], r["assigned"], r["entity_type"], r["entity_id"]) for r in
             run.records("bounces")}  # fmt: skip
    assert found == {("soft", True, "lead", "l-9"), ("hard", False, None, None)}
    services = {r["path"].rpartition("/")[2] for r in tap.simulator.requests()}
    assert services <= {"RpcSession", "RpcClosedLoop"}


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("entity_type", ["contact", "lead", "account"])
def test_unsubscribes_and_bounces_carry_their_entity(tap: Tap, entity_type: str) -> None:
    """What the row tells of contact, lead or account goes into the record (S1-41)."""
    layout = "recipient_id entity_type entity_id opt_in_id time"
    row = ["x@example.com", entity_type, "e-1", "o-5", START]
    for stream in ("unsubscribes", "responses"):
        tap.simulator.event("add_export_file", stream=stream, rows=[row])
    tap.simulator.clock(advance=5)
    columns = with_columns(unsubscribes=layout, responses=layout)
    run = tap.run("unsubscribes", "bounces", columns=columns, unsubscribes_source="closed_loop")
    for record in run.records("unsubscribes") + run.records("bounces"):
        told = (record["entity_type"], record["entity_id"], record["opt_in_id"])
        assert (told, record["assigned"]) == ((entity_type, "e-1", "o-5"), True)


@pytest.mark.usefixtures("people")
def test_sent_mails_mailings_and_links_are_streams_too(tap: Tap) -> None:
    """getRecipients, getMailings and getLinks, with their own columns."""
    mailing = send(tap)
    run = tap.run("sent", "mailings", "links")
    assert [r["recipient_id"] for r in run.records("sent")] == [ANNA, BERT]
    assert {r["mailing_id"] for r in run.records("mailings")} == {str(mailing)}
    assert run.records("mailings")[0]["started"] == START
    assert [r["url"] for r in run.records("links")] == [LINKS[0]["url"]]
    assert run.schema("mailings")["started"]["format"] == "date-time"


def test_the_blocklist_is_listed(tap: Tap) -> None:
    """All entries with their pattern and reason, in every run."""
    tap.simulator.seed({"blocklist": [{"entry": "*@example.net", "reason": "asked for"}]})
    [record] = tap.run("blocklist").records("blocklist")
    assert (record["pattern"], record["reason"]) == ("*@example.net", "asked for")
    assert record["event_time"] == START


@pytest.mark.usefixtures("people")
def test_all_streams_come_in_one_run(tap: Tap) -> None:
    """Without a catalogue everything is read, and the marker counts every stream."""
    send(tap)
    run = tap.run()
    assert run.code == 0, run.errors
    assert run.markers[0]["counts"].keys() == {
        *("unsubscribes", "bounces", "opens", "clicks", "sent", "mailings", "links", "blocklist")
    }
