"""RpcClosedLoop of the simulated Optimizely Campaign: which files, which rows, for how long."""

from __future__ import annotations

import pytest
from optimizely_feedback import (
    ANA,
    BEN,
    CAT,
    DAY,
    DAY_MS,
    FAR,
    MAILING,
    START_MS,
    furnish,
    read,
    send,
)
from optimizely_support import REGULAR, Fault, Soap, long, text
from simulators_support import Simulator

LINKS = [{"name": "Shop", "url": "https://shop.example.com/"}]


def test_the_current_time_is_the_simulators_clock_in_milliseconds(
    campaign: Simulator, soap: Soap
) -> None:
    """getCurrentTime is what a client stores as its next `since`."""
    campaign.clock(now="2026-03-01T06:00:00.250+00:00")
    assert soap.call("RpcClosedLoop", "getCurrentTime") == START_MS + 250


def test_every_getter_tells_what_happened(campaign: Simulator, soap: Soap) -> None:
    """One mailing and one of each event show up in exactly the stream they belong to."""
    furnish(campaign)
    assert send(campaign, links=LINKS)["sent"] == 3
    campaign.event("open", id=ANA, mailing=MAILING)
    link = campaign.event("click", id=ANA, mailing=MAILING)["link"]
    campaign.event("bounce", id=BEN, mailing=MAILING, kind="soft")
    campaign.event("bounce", id=BEN, mailing=MAILING, times=3)
    campaign.event("mail_unsubscribe", id=CAT, mailing=MAILING, reason="too much")
    now, on, of = "2026-03-01T07:00:00+01:00", str(REGULAR), str(MAILING)
    assert read(soap, "getRecipients") == [[each, on, of, now] for each in (ANA, BEN, CAT)]
    assert read(soap, "getMailings") == [[of, "March", now, now]]
    assert read(soap, "getLinks") == [[str(link), of, "Shop", "https://shop.example.com/"]]
    assert read(soap, "getOpens") == [[ANA, on, of, now]]
    assert read(soap, "getClicks") == [[ANA, on, of, str(link), now]]
    kinds = ["softbounce", "hardbounce", "hardbounce", "hardbounce"]
    assert read(soap, "getResponses") == [[BEN, on, of, kind, now] for kind in kinds]
    assert read(soap, "getOutBounces") == [[BEN]]
    assert read(soap, "getMailingUnsubscribes") == [[CAT, of, now]]
    assert read(soap, "getUnsubscribes") == [[CAT, on, now]]


@pytest.mark.parametrize(
    ("kind", "category"),
    [("autoresponder", "autoresponder"), ("unknown", "unknown")],
)
def test_a_mail_that_is_no_bounce_suspends_nobody(
    campaign: Simulator, soap: Soap, kind: str, category: str
) -> None:
    """Autoresponders and unknown mails are responses, but raise no counter."""
    furnish(campaign)
    send(campaign)
    campaign.event("bounce", id=ANA, mailing=MAILING, kind=kind, times=9)
    assert [row[3] for row in read(soap, "getResponses")] == [category] * 9
    assert read(soap, "getOutBounces") == []


def test_a_direct_reply_is_a_response_of_its_category(campaign: Simulator, soap: Soap) -> None:
    """A client's own category comes through as it is."""
    furnish(campaign)
    send(campaign)
    campaign.event("reply", id=ANA, mailing=MAILING, category="question")
    assert read(soap, "getResponses")[0][3] == "question"


@pytest.mark.parametrize("way", ["soap", "event", "seed", "addByMailId"])
def test_an_unsubscribe_of_any_way_reaches_the_files(
    campaign: Simulator, soap: Soap, way: str
) -> None:
    """Unsubscribes are exported wherever they were made."""
    furnish(campaign)
    if way == "soap":
        soap.call("RpcUnsubscribe", "add", long(0), text(ANA))
    elif way == "event":
        campaign.event("unsubscribe", id=ANA)
    elif way == "seed":
        campaign.seed({"unsubscribes": [{"id": ANA}]})
    else:
        send(campaign)
        mail = campaign.event("open", id=ANA, mailing=MAILING)["mail"]
        soap.call("RpcUnsubscribe", "addByMailId", text(mail))
        assert [row[0] for row in read(soap, "getMailingUnsubscribes")] == [ANA]
    assert [row[0] for row in read(soap, "getUnsubscribes")] == [ANA]


def test_unsubscribes_with_a_mailing_can_be_kept_apart(campaign: Simulator, soap: Soap) -> None:
    """By switch getUnsubscribes leaves out what getMailingUnsubscribes has."""
    furnish(campaign, export_unsubscribes="without_mailing")
    send(campaign)
    campaign.event("mail_unsubscribe", id=CAT, mailing=MAILING)
    campaign.event("unsubscribe", id=ANA)
    assert [row[0] for row in read(soap, "getUnsubscribes")] == [ANA]
    assert [row[0] for row in read(soap, "getMailingUnsubscribes")] == [CAT]


@pytest.mark.parametrize(
    ("interval", "at_since", "at_until"),
    [
        ("left_open", False, True),
        ("right_open", True, False),
        ("closed", True, True),
        ("open", False, False),
    ],
)
def test_the_ends_of_the_interval_belong_to_it_by_switch(
    campaign: Simulator, soap: Soap, interval: str, at_since: bool, at_until: bool
) -> None:
    """A file exactly at `since` or `until` is in or out as export_interval says."""
    furnish(campaign, export_interval=interval)
    campaign.event("unsubscribe", id=ANA)
    assert bool(read(soap, "getUnsubscribes", since=START_MS)) is at_since
    assert bool(read(soap, "getUnsubscribes", until=START_MS)) is at_until
    assert read(soap, "getUnsubscribes", since=START_MS - 1, until=START_MS + 1)


def test_files_are_selected_by_their_time_and_not_by_the_events(
    campaign: Simulator, soap: Soap
) -> None:
    """An event of last week is in the file of today."""
    furnish(campaign)
    send(campaign, time="2026-02-20T10:00:00+00:00")
    campaign.event("open", id=ANA, mailing=MAILING, time="2026-02-21T10:00:00+00:00")
    rows = read(soap, "getOpens", since=START_MS - 1)
    assert [row[3] for row in rows] == ["2026-02-21T11:00:00+01:00"]
    assert read(soap, "getOpens", until=START_MS - DAY_MS) == []


def test_daily_jobs_write_at_their_hour(campaign: Simulator, soap: Soap) -> None:
    """Nothing is there before the job; then one file per passed day has the job's time."""
    furnish(campaign, export_jobs="daily", export_hour=2)
    campaign.event("unsubscribe", id=ANA)
    campaign.clock(advance=20 * 3600 - 1)
    assert read(soap, "getUnsubscribes") == []
    campaign.clock(advance=1)
    assert [row[0] for row in read(soap, "getUnsubscribes")] == [ANA]
    campaign.event("unsubscribe", id=BEN)
    campaign.clock(advance=3 * DAY)
    soap.login()
    assert [row[0] for row in read(soap, "getUnsubscribes")] == [ANA, BEN]
    times = [each["modified"] for each in campaign.state()["clients"]["1234"]["export_files"]]
    first = START_MS + 20 * 3_600_000
    assert times == [first, first + DAY_MS]


def test_hourly_jobs_write_at_the_full_hour(campaign: Simulator, soap: Soap) -> None:
    """Support can shorten the interval."""
    furnish(campaign, export_jobs="hourly")
    campaign.clock(advance=60)
    campaign.event("unsubscribe", id=ANA)
    campaign.clock(advance=3539)
    soap.login()
    assert read(soap, "getUnsubscribes") == []
    campaign.clock(advance=1)
    assert len(read(soap, "getUnsubscribes", since=START_MS + 3_599_999)) == 1


def test_jobs_run_off_schedule_by_event(campaign: Simulator, soap: Soap) -> None:
    """run_export_jobs writes what waits and says which files came of it."""
    furnish(campaign, export_jobs="daily")
    campaign.event("unsubscribe", id=ANA)
    campaign.event("bounce", id=BEN, times=3)
    files = campaign.event("run_export_jobs")["files"]
    assert [(file["stream"], file["rows"]) for file in files] == [
        ("unsubscribes", 1),
        ("outbounces", 1),
    ]
    assert read(soap, "getOutBounces") == [[BEN]]
    assert campaign.event("run_export_jobs")["files"] == []


def test_pages_are_cut_from_all_files_together(campaign: Simulator, soap: Soap) -> None:
    """startRow counts from 0 over the concatenated rows, in the order of the files."""
    furnish(campaign)
    for each in (ANA, BEN, CAT):
        campaign.event("unsubscribe", id=each)
        campaign.clock(advance=1)
    assert [row[0] for row in read(soap, "getUnsubscribes", start=1, number=1)] == [BEN]
    assert [row[0] for row in read(soap, "getUnsubscribes", start=2, number=5)] == [CAT]
    assert read(soap, "getUnsubscribes", start=3) == []
    assert read(soap, "getUnsubscribes", number=0) == []
    with pytest.raises(Fault):
        read(soap, "getUnsubscribes", start=-1)


def _many(campaign: Simulator, count: int) -> None:
    furnish(campaign)
    rows = [[f"r{number}@example.com"] for number in range(count)]
    campaign.seed({"export_files": [{"stream": "outbounces", "rows": rows}]})


def test_more_than_a_thousand_rows_come_in_pages(campaign: Simulator, soap: Soap) -> None:
    """A page has at most 1,000 rows whatever is asked for; the next one goes on there."""
    _many(campaign, 1001)
    assert len(read(soap, "getOutBounces", number=5000)) == 1000
    assert read(soap, "getOutBounces", start=1000, number=5000) == [["r1000@example.com"]]


def test_asking_for_more_than_a_thousand_rows_can_be_a_fault(
    campaign: Simulator, soap: Soap
) -> None:
    """By switch the vendor refuses instead of capping; 1,000 itself is fine."""
    _many(campaign, 3)
    campaign.switches(export_rows_over_1000="fault")
    assert len(read(soap, "getOutBounces", number=1000)) == 3
    with pytest.raises(Fault, match="must not exceed 1000"):
        read(soap, "getOutBounces", number=1001)


def test_rows_inside_a_file_can_come_newest_first(campaign: Simulator, soap: Soap) -> None:
    """Nobody promises an order."""
    _many(campaign, 3)
    campaign.switches(export_row_order="newest_first")
    expected = [[f"r{number}@example.com"] for number in (2, 1, 0)]
    assert read(soap, "getOutBounces") == expected


def test_a_file_written_again_shows_up_again(campaign: Simulator, soap: Soap) -> None:
    """touch_export_file moves the modification past a bookmark."""
    furnish(campaign)
    campaign.event("unsubscribe", id=ANA)
    campaign.clock(advance=600)
    assert read(soap, "getUnsubscribes", since=START_MS) == []
    campaign.event("touch_export_file", stream="unsubscribes")
    assert len(read(soap, "getUnsubscribes", since=START_MS)) == 1
    assert len(read(soap, "getUnsubscribes")) == 1


def test_a_file_can_come_twice(campaign: Simulator, soap: Soap) -> None:
    """duplicate_export_file repeats its rows."""
    furnish(campaign)
    campaign.event("unsubscribe", id=ANA)
    campaign.event("duplicate_export_file", stream="unsubscribes")
    assert [row[0] for row in read(soap, "getUnsubscribes")] == [ANA, ANA]


def test_a_file_can_come_late(campaign: Simulator, soap: Soap) -> None:
    """A file dated before a bookmark is missed by who asks only after it."""
    furnish(campaign)
    campaign.event(
        "add_export_file",
        stream="outbounces",
        rows=[[BEN, None]],
        time="2026-03-01T05:00:00+00:00",
    )
    assert read(soap, "getOutBounces", since=START_MS - 1) == []
    assert read(soap, "getOutBounces", since=START_MS - 3_600_001) == [[BEN, None]]


def test_rows_die_thirty_days_after_their_mailing_was_sent(campaign: Simulator, soap: Soap) -> None:
    """Not the event's and not the file's age counts; out-bounces stay."""
    furnish(campaign)
    send(campaign)
    campaign.clock(advance=29 * DAY)
    campaign.event("open", id=ANA, mailing=MAILING)
    campaign.event("bounce", id=BEN, mailing=MAILING, times=3)
    soap.login()
    assert len(read(soap, "getOpens")) == 1
    campaign.clock(advance=DAY)
    soap.login()
    assert len(read(soap, "getOpens")) == 1
    campaign.clock(advance=1)
    assert read(soap, "getOpens") == []
    assert read(soap, "getResponses") == []
    assert read(soap, "getOutBounces") == [[BEN]]


def test_the_life_of_rows_is_a_switch(campaign: Simulator, soap: Soap) -> None:
    """The integration guide speaks of 14 to 30 days; unsubscribes without mailing age as well."""
    furnish(campaign, response_lifetime_days=14)
    campaign.event("unsubscribe", id=ANA)
    campaign.clock(advance=14 * DAY)
    soap.login()
    assert len(read(soap, "getUnsubscribes")) == 1
    campaign.clock(advance=1)
    assert read(soap, "getUnsubscribes") == []


def test_a_client_without_contract_gets_a_fault(campaign: Simulator, soap: Soap) -> None:
    """The interface has to be ordered; until then every call is refused."""
    campaign.switches(closed_loop_contracted=False)
    with pytest.raises(Fault, match="not activated"):
        read(soap, "getUnsubscribes")
    with pytest.raises(Fault, match="not activated"):
        soap.call("RpcClosedLoop", "getCurrentTime")


def test_who_is_not_active_gets_no_mail(campaign: Simulator, soap: Soap) -> None:
    """A mailing skips the unsubscribed, the blocked and the bounced-out."""
    furnish(campaign)
    campaign.event("unsubscribe", id=ANA)
    campaign.event("bounce", id=BEN, times=3)
    assert send(campaign)["sent"] == 1
    assert [row[0] for row in read(soap, "getRecipients")] == [CAT]


def test_mail_sent_by_rpc_mailing_is_told_like_any_other(campaign: Simulator, soap: Soap) -> None:
    """S1-43: whatever the channel, responses of all mailings are exported."""
    furnish(campaign)
    campaign.seed({"mailings": [{"id": MAILING, "type": "event"}]})
    to = (long(MAILING), long(REGULAR), text(ANA))
    assert soap.call("RpcMailing", "sendMail", *to) == 0
    campaign.event("open", id=ANA)
    assert [row[0] for row in read(soap, "getRecipients")] == [ANA]


def test_who_opted_out_of_tracking_leaves_no_opens_and_clicks(
    campaign: Simulator, soap: Soap
) -> None:
    """createTrackingOptOut stops personal data; bounces are still told."""
    furnish(campaign)
    send(campaign, links=LINKS)
    soap.call("RpcRecipient", "createTrackingOptOut", text(ANA))
    assert campaign.event("open", id=ANA, mailing=MAILING)["told"] is False
    assert campaign.event("click", id=ANA, mailing=MAILING)["told"] is False
    assert campaign.event("open", id=BEN, mailing=MAILING)["told"] is True
    campaign.event("bounce", id=ANA, mailing=MAILING)
    assert [row[0] for row in read(soap, "getOpens")] == [BEN]
    assert read(soap, "getClicks") == []
    assert [row[0] for row in read(soap, "getResponses")] == [ANA]


def test_a_recipient_is_told_once_to_be_bounced_out_until_a_reset(
    campaign: Simulator, soap: Soap
) -> None:
    """Further bounces add no row; after resetBounceCounter it begins anew."""
    furnish(campaign)
    campaign.event("bounce", id=BEN, times=3)
    campaign.event("bounce", id=BEN)
    assert read(soap, "getOutBounces") == [[BEN]]
    soap.call("RpcResponse", "resetBounceCounter", text(BEN))
    campaign.event("bounce", id=BEN, kind="soft", times=5)
    assert read(soap, "getOutBounces", until=FAR) == [[BEN], [BEN]]


def test_a_mailing_can_stay_unfinished(campaign: Simulator, soap: Soap) -> None:
    """Until finish_mailing it is SENDING and not among the sent mailings."""
    furnish(campaign)
    send(campaign, finish=False)
    mailing = campaign.state()["clients"]["1234"]["mailings"][0]
    assert mailing["status"] == "SENDING"
    assert read(soap, "getMailings") == []
    campaign.event("finish_mailing", mailing=MAILING)
    assert [row[0] for row in read(soap, "getMailings")] == [str(MAILING)]


@pytest.mark.parametrize(
    ("name", "details", "reason"),
    [
        ("send_mailing", {"list": 1}, "no such list"),
        ("open", {"id": "nobody@example.com"}, "no such message"),
        ("click", {"id": ANA, "mailing": MAILING}, "no such link"),
        ("bounce", {"id": ANA, "kind": "rubber"}, "a bounce is one of"),
        ("bounce", {"kind": "hard"}, "name the recipient"),
        ("touch_export_file", {"stream": "opens"}, "no file of this stream"),
        ("add_export_file", {"stream": "letters"}, "a stream is one of"),
        ("change_columns", {"stream": "opens", "columns": ""}, "cannot be"),
        ("recycle_list", {"list": 1}, "no such list"),
        ("finish_mailing", {"mailing": 1}, "no such mailing"),
    ],
)
def test_an_event_that_makes_no_sense_is_refused(
    campaign: Simulator, name: str, details: dict[str, object], reason: str
) -> None:
    """The caller is told in words."""
    furnish(campaign)
    send(campaign)
    with pytest.raises(ValueError, match=reason):
        campaign.event(name, **details)
