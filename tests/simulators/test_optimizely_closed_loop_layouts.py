"""Export files of the simulated Optimizely Campaign: columns, header, times, missing values."""

from __future__ import annotations

import pytest
from optimizely_feedback import ANA, BEN, MAILING, furnish, read, send
from optimizely_support import REGULAR, Soap
from simulators_support import Simulator

START_LINE = "2026-03-01T07:00:00+01:00"


def _with_fields(campaign: Simulator, **switches: object) -> None:
    """One more recipient, whose row has the technical fields of the integration guide."""
    furnish(campaign, **switches)
    values = {"opt-in-id": "newsletter", "entity-type": "contact", "entity-id": "4711"}
    person = {"list": REGULAR, "id": "dan@example.com", "attributes": values}
    campaign.seed({"recipients": [person]})


def test_support_can_add_fields_of_the_list_to_any_stream(campaign: Simulator, soap: Soap) -> None:
    """A column that is no fact is read from the recipient's row in the list."""
    _with_fields(campaign, columns_opens="entity-type,entity-id,opt-in-id,recipient_id")
    send(campaign)
    campaign.event("open", id="dan@example.com", mailing=MAILING)
    campaign.event("open", id=ANA, mailing=MAILING)
    assert read(soap, "getOpens") == [
        ["contact", "4711", "newsletter", "dan@example.com"],
        ["", "", "", ANA],
    ]


def test_a_missing_value_can_be_nil(campaign: Simulator, soap: Soap) -> None:
    """By switch what is missing is xsi:nil instead of empty."""
    furnish(campaign, export_null="nil", columns_unsubscribes="recipient_id,list_id,contact-id")
    campaign.event("unsubscribe", id=ANA)
    assert read(soap, "getUnsubscribes") == [[ANA, None, None]]


def test_the_crm_campaign_of_a_mailing_is_a_column(campaign: Simulator, soap: Soap) -> None:
    """Opens of a mailing without one have an empty campaign-id."""
    furnish(
        campaign,
        columns_opens="mailing_id,campaign-id",
        columns_mailings="mailing_id,campaign-id",
        columns_mailing_unsubscribes="mailing_id,campaign-id",
    )
    send(campaign, campaign="C-7")
    send(campaign, mailing=MAILING + 1)
    campaign.event("open", id=ANA, mailing=MAILING)
    campaign.event("open", id=ANA, mailing=MAILING + 1)
    campaign.event("mail_unsubscribe", id=ANA, mailing=MAILING)
    expected = [[str(MAILING), "C-7"], [str(MAILING + 1), ""]]
    assert read(soap, "getOpens") == expected
    assert read(soap, "getMailings") == expected
    assert read(soap, "getMailingUnsubscribes") == expected[:1]


def test_a_changed_layout_holds_for_new_files_only(campaign: Simulator, soap: Soap) -> None:
    """One answer can then have rows of different width."""
    furnish(campaign)
    campaign.event("unsubscribe", id=ANA)
    campaign.event("change_columns", stream="unsubscribes", columns="recipient_id,time")
    campaign.event("unsubscribe", id=BEN)
    assert [len(row) for row in read(soap, "getUnsubscribes")] == [3, 2]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("none", [[ANA], [BEN]]),
        ("first", [["recipient_id"], [ANA], [BEN]]),
        ("every_file", [["recipient_id"], [ANA], ["recipient_id"], [BEN]]),
    ],
)
def test_column_names_can_be_rows(
    campaign: Simulator, soap: Soap, header: str, expected: list[list[str]]
) -> None:
    """They count as rows for paging; without any row there is no header."""
    furnish(campaign, export_header=header, columns_unsubscribes="recipient_id")
    assert read(soap, "getUnsubscribes") == []
    campaign.event("unsubscribe", id=ANA)
    campaign.event("unsubscribe", id=BEN)
    assert read(soap, "getUnsubscribes") == expected
    assert read(soap, "getUnsubscribes", start=1, number=1) == expected[1:2]


@pytest.mark.parametrize(
    ("form", "zone", "expected"),
    [
        ("iso", "Europe/Berlin", START_LINE),
        ("iso", "UTC", "2026-03-01T06:00:00+00:00"),
        ("german", "Europe/Berlin", "01.03.2026 07:00:00"),
        ("epoch_ms", "Europe/Berlin", "1772344800000"),
    ],
)
def test_times_are_written_as_the_switch_says(
    campaign: Simulator, soap: Soap, form: str, zone: str, expected: str
) -> None:
    """The vendor publishes no format; only `german` has no zone in it."""
    furnish(campaign, export_time_format=form, server_timezone=zone)
    campaign.event("unsubscribe", id=ANA)
    assert read(soap, "getUnsubscribes")[0][2] == expected


def test_every_streams_columns_are_a_switch(campaign: Simulator, soap: Soap) -> None:
    """A layout of one column leaves one cell in each row of each stream."""
    streams = {
        "unsubscribes": "getUnsubscribes",
        "mailing_unsubscribes": "getMailingUnsubscribes",
        "outbounces": "getOutBounces",
        "responses": "getResponses",
        "opens": "getOpens",
        "clicks": "getClicks",
        "recipients": "getRecipients",
    }
    furnish(campaign, **{f"columns_{stream}": "entity-id,recipient_id" for stream in streams})
    campaign.switches(columns_mailings="finished", columns_links="url")
    send(campaign, links=[{"url": "https://example.com/a"}])
    for kind in ("open", "click", "mail_unsubscribe"):
        campaign.event(kind, id=ANA, mailing=MAILING)
    campaign.event("bounce", id=ANA, mailing=MAILING, times=3)
    for getter in streams.values():
        assert read(soap, getter)[0] == ["", ANA], getter
    assert read(soap, "getMailings") == [[START_LINE]]
    assert read(soap, "getLinks") == [["https://example.com/a"]]


@pytest.mark.parametrize("layout", ["", "recipient_id,", ",time"])
def test_a_layout_names_every_column(campaign: Simulator, layout: str) -> None:
    """A switch with a nameless column is refused."""
    with pytest.raises(ValueError, match="columns_opens"):
        campaign.switches(columns_opens=layout)


def test_responses_of_a_recycled_list_stay_without_its_fields(
    campaign: Simulator, soap: Soap
) -> None:
    """S1-38: rows remain, but neither the list nor the entity can be found any more."""
    _with_fields(campaign, columns_opens="recipient_id,list_id,entity-id", export_jobs="daily")
    send(campaign)
    campaign.event("open", id="dan@example.com", mailing=MAILING)
    campaign.event("run_export_jobs")
    campaign.event("open", id="dan@example.com", mailing=MAILING)
    assert campaign.event("recycle_list", list=REGULAR)["recipients"] == 4
    campaign.event("run_export_jobs")
    known = ["dan@example.com", str(REGULAR), "4711"]
    assert read(soap, "getOpens") == [known, [*known[:2], ""]]
    assert REGULAR not in soap.call("RpcRecipientList", "getAllIds")
