"""zeep, a SOAP client that others wrote, reads the WSDLs and uses every operation it can send.

It cannot send string[][] (it reads only the first pair of brackets of an arrayType) nor null.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from lxml import etree
from optimizely_support import CLIENT, OPTIN, REGULAR
from simulators_support import Simulator
from zeep.exceptions import Fault
from zeep_support import ROWS, Zeep

ADA, BO, CY, DI = (f"{name}@example.com" for name in ("ada", "bo", "cy", "di"))
NOON = "2026-05-28T12:00:00+00:00"
NAMES = ["Vorname", "Land"]
ENGLISH = ["Created", "Modified", "Opt-in Source", "Opt-in Date"]
SYSTEM = ["Erstellt am", "Geändert am", "Opt-in-Quelle", "Opt-in-Datum"]
ATTRIBUTES = [
    "email",
    "Vorname",
    "Nachname",
    "Land",
    "opt-in-id",
    "description",
    "media-type",
    "entity-type",
    "entity-id",
]
SINCE, MODIFIED = "2020-01-01T01:00:00+01:00", "2026-05-28T14:00:00+02:00"
NEWS, DOUBLE, COPY = 140000000001, 150000000001, 150000000002

Step = tuple[str, tuple[Any, ...], Any]

RECIPIENT: list[Step] = [
    ("getVersion", (), "1.0"),
    ("add", (REGULAR, 0, ADA, ADA, NAMES, ["Ada", "CH"]), True),
    ("add2", (REGULAR, 0, ADA, ADA, NAMES, ["Ada", "CH"]), 5),
    (
        "addAll2Flat",
        (REGULAR, 0, [BO, "bad"], [BO, "bad"], NAMES, ["Bo", "DE", "X", "X"]),
        [0, 1],
    ),
    ("addAll3Flat", (REGULAR, 0, [CY, BO], [CY, BO], NAMES, ["Zoë", "CH", "X", "X"]), [0, 5]),
    ("getCount", (REGULAR, 0), 3),
    ("contains", (REGULAR, CY), True),
    ("containsMultiple", ([REGULAR, OPTIN], CY), [True, False]),
    ("containsValid", (REGULAR, CY), True),
    ("containsValidMultiple", ([REGULAR, OPTIN], CY), [True, False]),
    ("getAttributes", (REGULAR, CY, ["email", "Vorname", "Nachname"]), [CY, "Zoë", None]),
    ("setAttributes", (REGULAR, CY, ["Nachname"], ["Curie"]), None),
    (
        "setAttributesInBatchFlat",
        (REGULAR, [ADA, BO], ["Nachname"], ["Lovelace", "Diddley"]),
        None,
    ),
    ("setAttributesByFilter", (REGULAR, 0, ["Land"], ["!"], "append"), None),
    (
        "getAll",
        (REGULAR, ["Nachname", "Land"]),
        [["Lovelace", "CH!"], ["Diddley", "DE!"], ["Curie", "CH!"]],
    ),
    ("getAllFlat", (REGULAR, NAMES), ["Ada", "CH!", "Bo", "DE!", "Zoë", "CH!"]),
    ("getAllAdvanced", (REGULAR, ["email"], 0, "Vorname", False, 0, 2), [[CY], [BO]]),
    ("getAllAdvancedFlat", (REGULAR, ["email"], 0, "Vorname", True, 1, 9), [BO, CY]),
    ("getDistinctValues", (REGULAR, 0, "Land", 0), ["CH!", "DE!"]),
    ("getDistinctValuesCount", (REGULAR, 0, "Land", 2), [["CH", "2"], ["DE", "1"]]),
    ("getDistinctValuesCountFlat", (REGULAR, 0, "Land", 0), ["CH!", "2", "DE!", "1"]),
    ("changeRecipientId", (REGULAR, CY, DI), None),
    ("changeRecipientId2", (DI, CY), None),
    ("createTrackingOptOut", (CY,), None),
    ("deleteTrackingOptOut", (CY,), None),
    ("add2", (OPTIN, DOUBLE, DI, DI, NAMES, ["Di", "CH"]), 0),
    ("containsValid", (OPTIN, DI), False),
    ("removeNotOptined", (OPTIN, DI), True),
    ("removeNotOptined", (REGULAR, CY), False),
    ("remove", (REGULAR, CY), None),
    ("removeAll", (REGULAR, [ADA, CY]), [True, False]),
    ("removeBlacklisted", (REGULAR,), 0),
    ("removeBounced", (REGULAR,), 0),
    ("removeUnsubscribed", (REGULAR,), 0),
    ("getCount", (REGULAR, 0), 1),
    ("clear", (REGULAR,), None),
    ("getCount", (REGULAR, 0), 0),
    ("getAll", (REGULAR, NAMES), []),
]

LIST: list[Step] = [
    ("getVersion", (), "1.0"),
    ("getAllIds", (), [REGULAR, OPTIN]),
    ("getName", (REGULAR,), "Newsletter"),
    ("setName", (REGULAR, "Néws"), None),
    ("getName", (REGULAR,), "Néws"),
    ("setDescription", (REGULAR, "about <us> & you"), None),
    ("getDescription", (REGULAR,), "about <us> & you"),
    ("getAttributeNames", (REGULAR, "de"), ATTRIBUTES + SYSTEM),
    ("getCount", (True,), 2),
    ("isTestRecipientList", (REGULAR,), False),
    ("setTestRecipientList", (REGULAR, True), None),
    ("isTestRecipientList", (REGULAR,), True),
    ("getCount", (False,), 1),
    (
        "getColumnNames",
        (),
        ["ID", "Name", "Description", "Created", "Modified", "Test List", "Type"],
    ),
    (
        "getDataSetFlat",
        (),
        [
            str(REGULAR),
            "Néws",
            "about <us> & you",
            SINCE,
            MODIFIED,
            "true",
            "Default",
            str(OPTIN),
            "Newsletter (opt-in)",
            None,
            SINCE,
            SINCE,
            "false",
            "Opt-in",
        ],
    ),
    (
        "getDataSet",
        (),
        [
            ["ID", "Name", "Description", "Created", "Modified", "Test List", "Type"],
            [str(REGULAR), "Néws", "about <us> & you", SINCE, MODIFIED, "true", "Default"],
            [str(OPTIN), "Newsletter (opt-in)", None, SINCE, SINCE, "false", "Opt-in"],
        ],
    ),
    ("copy", (REGULAR,), COPY),
    ("getAttributeNames", (COPY, "xx"), ATTRIBUTES + ENGLISH),
]

UNSUBSCRIBE: list[Step] = [
    ("getVersion", (), "1.0"),
    ("add", (REGULAR, ADA), None),
    ("addAll", (0, [BO, CY]), None),
    ("contains", (ADA,), True),
    ("containsAll", ([ADA, DI, CY],), [True, False, True]),
    ("containsByRecipientList", (OPTIN, ADA), True),
    ("containsAllByRecipientList", (OPTIN, [DI, BO]), [False, True]),
    ("getCount", (), 3),
    ("remove", (ADA,), None),
    ("removeAll", ([BO, DI],), None),
    ("getCount", (), 1),
    ("removeByRecipientList", (REGULAR, CY), None),
    ("removeAllByRecipientList", (REGULAR, [CY, DI]), None),
    ("getCount", (), 0),
]

BLOCKLIST: list[Step] = [
    ("getVersion", (), "1.0"),
    ("add", ("*@example.org", "complained"), None),
    ("addAll", ([ADA, "b?@example.net"], ["asked", ""]), None),
    ("isBlacklisted", ("anyone@EXAMPLE.org",), True),
    (
        "areBlacklisted",
        ([ADA, BO, "bo@example.net", "boo@example.net"],),
        [True, False, True, False],
    ),
    ("contains", ("anyone@example.org",), False),
    ("containsAll", (["*@example.org", ADA, BO],), [True, True, False]),
    ("getFirstMatchingEntry", ("x@example.org",), "*@example.org"),
    ("getFirstMatchingEntry", (BO,), None),
    ("getReason", (ADA,), "asked"),
    ("getCreated", (ADA,), datetime(2026, 5, 28, 12, tzinfo=UTC)),
    ("getCount", (), 3),
    ("getAllEntries", (), ["*@example.org", ADA, "b?@example.net"]),
    ("getColumnNames", (), ["ID", "Mailing Group ID", "Entry", "Reason", "Created"]),
    ("getAllAdvanced", (1, 1), [["2", str(CLIENT), ADA, "asked", "2026-05-28T12:00:00.000Z"]]),
    (
        "getAllAdvancedFlat",
        (0, 1),
        ["1", str(CLIENT), "*@example.org", "complained", "2026-05-28T12:00:00.000Z"],
    ),
    ("removeAll", ([ADA, "*@example.org"],), None),
    (
        "getDataSet",
        (),
        [
            ["ID", "Mailing Group ID", "Entry", "Reason", "Created"],
            ["1", str(CLIENT), "b?@example.net", None, "2026-05-28T12:00:00.000Z"],
        ],
    ),
    (
        "getDataSetFlat",
        (),
        ["1", str(CLIENT), "b?@example.net", None, "2026-05-28T12:00:00.000Z"],
    ),
    ("remove", ("b?@example.net",), None),
    ("getCount", (), 0),
]

MAILING: list[Step] = [
    ("getVersion", (), "1.0"),
    ("getIds", ("regular",), [NEWS]),
    ("getIds", ("event",), []),
    ("getIdsInStatus", ("regular", "NEW"), [NEWS]),
    ("getName", (NEWS,), "May"),
    ("getStatus", (NEWS,), "NEW"),
    ("getSubject", (NEWS,), "Grüezi"),
    ("getCreatedDate", (NEWS,), datetime(2026, 5, 28, 12, tzinfo=UTC)),
    ("getScheduleDate", (NEWS,), None),
    ("getSendingStartedDate", (NEWS,), None),
    ("getRecipientListIds", (NEWS,), [REGULAR, OPTIN]),
    ("getOverallRecipientCount", (NEWS,), 1),
    ("sendMail", (NEWS, REGULAR, ADA), 0),
    ("sendMails", (NEWS, REGULAR, [ADA, BO]), [0, 3]),
    ("getSentRecipientCount", (NEWS,), 2),
    ("start", (NEWS, datetime(2026, 5, 28, 13, tzinfo=UTC)), None),
    ("getIdsInStatus", ("regular", "SENDING"), [NEWS]),
    ("getScheduleDate", (NEWS,), datetime(2026, 5, 28, 13, tzinfo=UTC)),
    ("getColumnNames", ("regular",), ["ID", "Name", "Subject", "Status", "Created"]),
    (
        "getDataSetFlat",
        ("regular",),
        [str(NEWS), "May", "Grüezi", "SENDING", "2026-05-28T14:00:00+02:00"],
    ),
    (
        "getDataSet",
        ("regular",),
        [
            ["ID", "Name", "Subject", "Status", "Created"],
            [str(NEWS), "May", "Grüezi", "SENDING", "2026-05-28T14:00:00+02:00"],
        ],
    ),
]

SESSION: list[Step] = [
    ("getVersion", (), "1.0"),
    ("getLocale", (), "de"),
    ("setLocale", ("en",), None),
    ("getLocale", (), "en"),
    ("getMediaType", (), "EMAIL"),
    ("setMediaType", ("SMS",), None),
    ("getMediaType", (), "SMS"),
    ("logout", (), None),
]

STEPS = {
    "RpcSession": SESSION,
    "RpcRecipient": RECIPIENT,
    "RpcRecipientList": LIST,
    "RpcUnsubscribe": UNSUBSCRIBE,
    "RpcBlacklist": BLOCKLIST,
    "RpcMailing": MAILING,
}
# A mail id comes from a dispatch; a sending that has not ended faults.
ELSEWHERE = {
    "RpcSession": {"login"},
    "RpcUnsubscribe": {"addByMailId"},
    "RpcMailing": {"getSendingFinishedDate"},
}


def login(campaign: Simulator) -> str:
    session: str = Zeep(campaign.url, "RpcSession").call(
        "login", CLIENT, "sim-user", "sim-password"
    )
    return session


@pytest.mark.parametrize("service", sorted(STEPS))
def test_zeep_uses_every_operation_it_can_send(campaign: Simulator, service: str) -> None:
    """Each operation of the WSDL is called, and answers what it should, in an order of meaning."""
    campaign.clock(now=NOON)
    session = prepare(campaign, service)
    client = Zeep(campaign.url, service)
    for operation, arguments, expected in STEPS[service]:
        first = () if operation == "getVersion" else (session,)
        assert client.call(operation, *first, *arguments) == expected, operation
    unsendable = {name for name, types in client.operations().items() if ROWS in types}
    done = {operation for operation, _, _ in STEPS[service]} | ELSEWHERE.get(service, set())
    assert set(client.operations()) - done == unsendable


def prepare(campaign: Simulator, service: str) -> str:
    """Seed what the service's steps are about, and log in."""
    campaign.seed({"optin_processes": [{"id": DOUBLE, "type": "double"}]})
    if service == "RpcMailing":
        mailing = {"id": NEWS, "name": "May", "subject": "Grüezi", "lists": [REGULAR, OPTIN]}
        campaign.seed({"mailings": [mailing], "recipients": [{"list": REGULAR, "id": ADA}]})
    return login(campaign)


def test_zeep_raises_the_vendors_words(campaign: Simulator) -> None:
    """A fault arrives as one, with the text the vendor has for it."""
    session = login(campaign)
    with pytest.raises(Fault, match="Recipient does not exist for call"):
        Zeep(campaign.url, "RpcRecipient").call("remove", session, REGULAR, ADA)
    with pytest.raises(Fault, match="Invalid credentials"):
        Zeep(campaign.url, "RpcSession").call("login", CLIENT, "sim-user", "wrong")
    mailing = campaign.event("mailing", status="SENDING", lists=[REGULAR])["id"]
    with pytest.raises(Fault, match="Sending is not finished"):
        Zeep(campaign.url, "RpcMailing").call("getSendingFinishedDate", session, mailing)
    with pytest.raises(Fault, match="Mail id does not exist"):
        Zeep(campaign.url, "RpcUnsubscribe").call("addByMailId", session, "none")


def test_the_wsdl_can_say_where_the_schema_is(campaign: Simulator) -> None:
    """With wsdl_schema_location the simulator serves the encoding schema, and it is a schema.

    zeep asks for this namespace at its own address all the same, so that it stays without.
    """
    campaign.switches(wsdl_schema_location=True)
    wsdl = requests.get(f"{campaign.url}/soap11/RpcRecipient?wsdl", timeout=10).text
    location = re.search(r'schemaLocation="([^"]+)"', wsdl)
    assert location is not None
    served = requests.get(location[1], timeout=10).content
    assert etree.XMLSchema(etree.fromstring(served)) is not None
    client = Zeep(campaign.url, "RpcRecipient")
    codes = client.call("addAll3Flat", login(campaign), REGULAR, 0, [ADA], [ADA], ["Land"], ["CH"])
    assert codes == [0]
