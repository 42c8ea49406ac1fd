"""The import half of RpcClosedLoop in the simulated Optimizely Campaign."""

from __future__ import annotations

import pytest
from optimizely_feedback import DAY, furnish, read
from optimizely_support import Fault, Param, Soap, long, rows, texts
from simulators_support import Simulator

TEMPLATE = 120000000700
NAMES = ["email", "contact-id", "campaign-id"]
LOOP = "RpcClosedLoop"


@pytest.fixture
def wave(campaign: Simulator, soap: Soap) -> int:
    furnish(campaign, columns_opens="recipient_id,contact-id,campaign-id")
    campaign.seed({"mailings": [{"id": TEMPLATE, "name": "Offer", "type": "template"}]})
    number: int = soap.call(LOOP, "prepareNewWave", long(TEMPLATE))
    return number


def _people(count: int) -> Param:
    return rows([[f"p{number}@example.com", str(number), "C-9"] for number in range(count)])


def test_a_wave_is_sent_once_its_time_has_come(campaign: Simulator, soap: Soap, wave: int) -> None:
    """getMailingIdByWaveId is 0 until then; who opened is told with the imported fields."""
    soap.call(LOOP, "importRecipients", long(wave), texts(NAMES), _people(2))
    soap.call(LOOP, "importFinishedAndScheduleMailing", long(wave))
    campaign.clock(advance=59)
    assert soap.call(LOOP, "getMailingIdByWaveId", long(wave)) == 0
    campaign.clock(advance=1)
    mailing = soap.call(LOOP, "getMailingIdByWaveId", long(wave))
    assert mailing not in (0, TEMPLATE)
    assert len(read(soap, "getRecipients")) == 2
    campaign.event("open", id="p1@example.com", mailing=mailing)
    assert read(soap, "getOpens") == [["p1@example.com", "1", "C-9"]]


def test_a_wave_without_delay_is_sent_at_once(campaign: Simulator, soap: Soap, wave: int) -> None:
    """wave_delay_seconds 0 leaves nothing to wait for."""
    campaign.switches(wave_delay_seconds=0)
    soap.call(LOOP, "importRecipients", long(wave), texts(NAMES), _people(1))
    soap.call(LOOP, "importFinishedAndScheduleMailing", long(wave))
    assert soap.call(LOOP, "getMailingIdByWaveId", long(wave)) > 0


def test_a_finished_import_is_locked(soap: Soap, wave: int) -> None:
    """importFinishedAndScheduleMailing locks the import."""
    soap.call(LOOP, "importFinishedAndScheduleMailing", long(wave))
    with pytest.raises(Fault, match="already finished"):
        soap.call(LOOP, "importRecipients", long(wave), texts(NAMES), _people(1))


def test_an_import_takes_a_thousand_recipients_at_a_time(soap: Soap, wave: int) -> None:
    """One more in a call is refused."""
    soap.call(LOOP, "importRecipients", long(wave), texts(NAMES), _people(1000))
    with pytest.raises(Fault, match="1000"):
        soap.call(LOOP, "importRecipients", long(wave), texts(NAMES), _people(1001))


def test_an_import_needs_known_fields_and_whole_rows(soap: Soap, wave: int) -> None:
    """An unknown field, a missing address field or a ragged row refuses the call."""
    for names, values in (
        (["email", "shoe-size"], [["a@example.com", "42"]]),
        (["contact-id"], [["1"]]),
        (["email", "contact-id"], [["a@example.com"]]),
    ):
        with pytest.raises(Fault, match="field"):
            soap.call(LOOP, "importRecipients", long(wave), texts(names), rows(values))


def test_unknown_waves_and_templates_are_faults(soap: Soap, wave: int) -> None:
    """Nothing is made up for an id that does not exist."""
    with pytest.raises(Fault, match="Mailing does not exist"):
        soap.call(LOOP, "prepareNewWave", long(1))
    with pytest.raises(Fault, match="Wave does not exist"):
        soap.call(LOOP, "getMailingIdByWaveId", long(wave + 1))


def test_a_recycled_list_sends_no_wave(campaign: Simulator, soap: Soap, wave: int) -> None:
    """S1-38: lists of the pool are taken back; a wave on such a list never gets a mailing."""
    lists = [each["id"] for each in campaign.state()["clients"]["1234"]["lists"]]
    soap.call(LOOP, "importFinishedAndScheduleMailing", long(wave))
    campaign.event("recycle_list", list=lists[-1])
    campaign.clock(advance=DAY)
    soap.login()
    assert soap.call(LOOP, "getMailingIdByWaveId", long(wave)) == 0
