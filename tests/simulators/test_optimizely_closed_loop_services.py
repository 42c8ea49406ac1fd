"""RpcResponse, RpcMailId and RpcOptinProcess of the simulated Optimizely Campaign."""

from __future__ import annotations

import pytest
from optimizely_feedback import ANA, BEN, CAT, DAY, MAILING, furnish, send
from optimizely_support import REGULAR, Fault, Soap, long, text, texts
from simulators_support import Simulator

RESPONSE, PROCESS, MAIL = "RpcResponse", "RpcOptinProcess", "RpcMailId"
EVERY_SERVICE = [RESPONSE, PROCESS, MAIL, "RpcClosedLoop"]


@pytest.fixture
def bounced(campaign: Simulator) -> Simulator:
    """Two mailings; Ana bounced hard in both, Ben softly in the second."""
    furnish(campaign)
    send(campaign)
    send(campaign, mailing=MAILING + 1)
    campaign.event("bounce", id=ANA, mailing=MAILING)
    campaign.event("bounce", id=ANA, mailing=MAILING + 1)
    campaign.event("bounce", id=BEN, mailing=MAILING + 1, kind="soft", times=2)
    return campaign


@pytest.mark.parametrize(("mailing", "expected"), [(MAILING, [1, 0]), (0, [2, 0]), (None, [2, 0])])
def test_responses_are_counted_per_mailing_or_over_all(
    bounced: Simulator, soap: Soap, mailing: int | None, expected: list[int]
) -> None:
    """Mailing 0 or nil means every mailing; counts come in the order of the ids."""
    counts = soap.call(
        RESPONSE,
        "getAllRecipientResponseCounts2",
        text("hardbounce"),
        texts([ANA, BEN]),
        long(mailing),
    )
    assert counts == expected
    one = soap.call(
        RESPONSE, "getRecipientResponseCount2", text("hardbounce"), text(ANA), long(mailing)
    )
    assert one == expected[0]


def test_responses_are_counted_for_a_mailing(bounced: Simulator, soap: Soap) -> None:
    """getMailingResponseCount looks at one category of one mailing."""
    for category, expected in (("hardbounce", 1), ("softbounce", 2), ("autoresponder", 0)):
        count = soap.call(RESPONSE, "getMailingResponseCount", text(category), long(MAILING + 1))
        assert count == expected, category
    with pytest.raises(Fault, match="category"):
        soap.call(RESPONSE, "getMailingResponseCount", text("rubber"), long(MAILING))


def test_counters_differ_from_counts_after_a_reset(bounced: Simulator, soap: Soap) -> None:
    """resetBounceCounter sets the counters to 0 and leaves the responses."""
    ask = (text(ANA), text("hardbounce"))
    assert soap.call(RESPONSE, "getBounceCounter", *ask) == 2
    soap.call(RESPONSE, "resetBounceCounter", text(ANA))
    assert soap.call(RESPONSE, "getBounceCounter", *ask) == 0
    count = soap.call(
        RESPONSE, "getRecipientResponseCount2", text("hardbounce"), text(ANA), long(0)
    )
    assert count == 2


@pytest.mark.parametrize(("kind", "limit"), [("hard", 3), ("soft", 5)])
def test_the_threshold_is_three_hard_or_five_soft_bounces(
    campaign: Simulator, soap: Soap, kind: str, limit: int
) -> None:
    """The bounce that reaches the limit suspends the recipient."""
    furnish(campaign)
    threshold = soap.call(RESPONSE, "getBounceCounterThreshold", text(f"{kind}bounce"))
    assert threshold == limit
    campaign.event("bounce", id=CAT, kind=kind, times=limit - 1)
    assert soap.call(RESPONSE, "isBounceCounterThresholdExeeded", text(CAT)) is False
    campaign.event("bounce", id=CAT, kind=kind)
    assert soap.call(RESPONSE, "isBounceCounterThresholdExeeded", text(CAT)) is True


def test_a_threshold_is_only_for_bounces(soap: Soap) -> None:
    """Autoresponders have none."""
    with pytest.raises(Fault, match="bounce category"):
        soap.call(RESPONSE, "getBounceCounterThreshold", text("autoresponder"))


@pytest.mark.parametrize(("purged", "expected"), [(False, 1), (True, 0)])
def test_counts_are_forgotten_with_the_files_by_switch(
    bounced: Simulator, soap: Soap, purged: bool, expected: int
) -> None:
    """Nothing public says whether RpcResponse has the 30 days of the closed loop."""
    bounced.switches(response_counts_purged=purged)
    bounced.clock(advance=30 * DAY + 1)
    soap.login()
    count = soap.call(RESPONSE, "getMailingResponseCount", text("hardbounce"), long(MAILING))
    assert count == expected


def test_a_mail_id_leads_to_mailing_list_and_recipient(bounced: Simulator, soap: Soap) -> None:
    """Every message has its own id; an unknown one is a fault."""
    mail = bounced.event("open", id=BEN, mailing=MAILING)["mail"]
    assert soap.call(MAIL, "getMailingId", text(mail)) == MAILING
    assert soap.call(MAIL, "getMandatorId", text(mail)) == 1234
    assert soap.call(MAIL, "getRecipientListId", text(mail)) == REGULAR
    assert soap.call(MAIL, "getRecipientId", text(mail)) == BEN
    for operation in ("getMailingId", "getMandatorId", "getRecipientListId", "getRecipientId"):
        with pytest.raises(Fault, match="Invalid mail id"):
            soap.call(MAIL, operation, text("no-such-mail"))


def test_opt_in_processes_are_created_read_and_changed(bounced: Simulator, soap: Soap) -> None:
    """Three kinds; only a double one has a URL, and a single one no mailing."""
    start = (text("News"), text("for the web form"))
    single = soap.call(PROCESS, "createSingleOptinProcess", *start)
    confirmed = soap.call(PROCESS, "createConfirmedOptinProcess", *start, long(MAILING))
    url = text("https://example.com/confirm")
    double = soap.call(PROCESS, "createDoubleOptinProcess", *start, long(MAILING), url)
    assert soap.call(PROCESS, "getIds") == [single, confirmed, double]
    kinds = [soap.call(PROCESS, "getType", long(each)) for each in (single, confirmed, double)]
    assert kinds == ["single", "confirmed", "double"]
    assert soap.call(PROCESS, "getConfirmationUrl", long(double)) == "https://example.com/confirm"
    assert soap.call(PROCESS, "getConfirmationMailingId", long(confirmed)) == MAILING
    soap.call(PROCESS, "setName", long(single), text("Letter"))
    soap.call(PROCESS, "setDescription", long(single), text("by post"))
    soap.call(PROCESS, "setConfirmationUrl", long(double), text("https://example.org/"))
    soap.call(PROCESS, "setConfirmationMailingId", long(double), long(MAILING + 1))
    assert soap.call(PROCESS, "getName", long(single)) == "Letter"
    assert soap.call(PROCESS, "getDescription", long(single)) == "by post"
    assert soap.call(PROCESS, "getConfirmationUrl", long(double)) == "https://example.org/"
    assert soap.call(PROCESS, "getConfirmationMailingId", long(double)) == MAILING + 1


def test_opt_in_processes_refuse_what_does_not_fit(bounced: Simulator, soap: Soap) -> None:
    """Unknown ids, a URL for a single process, a mailing that is not there."""
    single = soap.call(PROCESS, "createSingleOptinProcess", text("News"), text(""))
    with pytest.raises(Fault, match="does not exist"):
        soap.call(PROCESS, "getName", long(1))
    with pytest.raises(Fault, match="Only double"):
        soap.call(PROCESS, "setConfirmationUrl", long(single), text("https://example.com/"))
    with pytest.raises(Fault, match="Only double"):
        soap.call(PROCESS, "getConfirmationUrl", long(single))
    with pytest.raises(Fault, match="no confirmation mailing"):
        soap.call(PROCESS, "setConfirmationMailingId", long(single), long(MAILING))
    with pytest.raises(Fault, match="Mailing does not exist"):
        soap.call(PROCESS, "createConfirmedOptinProcess", text("N"), text(""), long(1))


@pytest.mark.parametrize("service", EVERY_SERVICE)
def test_every_service_has_its_wsdl_and_its_version(soap: Soap, service: str) -> None:
    """Each is deployed like the others: a description by GET, getVersion without session."""
    described = soap.http.get(f"{soap.url}/{service}?wsdl", timeout=60)
    assert described.status_code == 200
    assert f'name="{service}SoapBinding"' in described.text
    assert soap.without_session(service, "getVersion")
