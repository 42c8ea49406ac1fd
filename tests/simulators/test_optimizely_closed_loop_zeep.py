"""zeep, a SOAP client that others wrote, uses the simulated services of response data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from optimizely_feedback import ANA, BEN, FAR, MAILING, START_MS, furnish, send
from optimizely_support import CLIENT, REGULAR
from simulators_support import Simulator
from zeep_support import Zeep

GETTERS = {
    "getUnsubscribes": [[ANA, str(REGULAR), "2026-03-01T07:00:00+01:00"]],
    "getMailingUnsubscribes": [[ANA, str(MAILING), "2026-03-01T07:00:00+01:00"]],
    "getOutBounces": [[BEN]],
    "getOpens": [],
    "getClicks": [],
    "getLinks": [],
}
Use = Callable[[str], tuple[Zeep, str]]


@pytest.fixture
def use(campaign: Simulator) -> Iterator[Use]:
    furnish(campaign)
    opened = [Zeep(campaign.url, "RpcSession")]
    session = opened[0].call("login", CLIENT, "sim-user", "sim-password")

    def client(service: str) -> tuple[Zeep, str]:
        opened.append(Zeep(campaign.url, service))
        return opened[-1], str(session)

    yield client
    for each in opened:
        each.http.close()


def test_the_getters_of_the_closed_loop_are_read(campaign: Simulator, use: Use) -> None:
    """Nested arrays and numbers arrive as they were sent."""
    send(campaign)
    campaign.event("mail_unsubscribe", id=ANA, mailing=MAILING)
    campaign.event("bounce", id=BEN, mailing=MAILING, times=3)
    loop, session = use("RpcClosedLoop")
    assert loop.call("getCurrentTime", session) == START_MS
    for getter, rows in GETTERS.items():
        assert loop.call(getter, session, 0, FAR, 0, 1000) == rows, getter
    for getter, count in (("getRecipients", 3), ("getMailings", 1), ("getResponses", 3)):
        assert len(loop.call(getter, session, 0, FAR, 0, 1000)) == count, getter


def test_every_operation_is_described_with_its_types(use: Use) -> None:
    """The WSDL has the parameters that the vendor documents, in their order."""
    window = ["string", "long", "long", "int", "int"]
    loop = use("RpcClosedLoop")[0].operations()
    assert all(loop[getter] == window for getter in [*GETTERS, "getResponses", "getRecipients"])
    assert len(loop) == 15
    assert loop["importRecipients"] == [
        "string",
        "long",
        "ArrayOf_xsd_string",
        "ArrayOfArrayOf_xsd_string",
    ]
    assert use("RpcResponse")[0].operations()["getAllRecipientResponseCounts2"] == [
        "string",
        "string",
        "ArrayOf_xsd_string",
        "long",
    ]
    assert use("RpcOptinProcess")[0].operations()["createDoubleOptinProcess"] == [
        "string",
        "string",
        "string",
        "long",
        "string",
    ]


def test_responses_mail_ids_and_processes_are_read(campaign: Simulator, use: Use) -> None:
    """Numbers, truth, text and arrays of numbers."""
    send(campaign)
    mail = campaign.event("bounce", id=BEN, mailing=MAILING, times=3)["mail"]
    steps: list[tuple[str, str, tuple[Any, ...], Any]] = [
        ("RpcResponse", "getBounceCounter", (BEN, "hardbounce"), 3),
        ("RpcResponse", "getBounceCounterThreshold", ("softbounce",), 5),
        ("RpcResponse", "isBounceCounterThresholdExeeded", (BEN,), True),
        ("RpcResponse", "getAllRecipientResponseCounts2", ("hardbounce", [ANA, BEN], 0), [0, 3]),
        ("RpcResponse", "getMailingResponseCount", ("hardbounce", MAILING), 3),
        ("RpcResponse", "resetBounceCounter", (BEN,), None),
        ("RpcResponse", "isBounceCounterThresholdExeeded", (BEN,), False),
        ("RpcMailId", "getMailingId", (mail,), MAILING),
        ("RpcMailId", "getMandatorId", (mail,), CLIENT),
        ("RpcMailId", "getRecipientListId", (mail,), REGULAR),
        ("RpcMailId", "getRecipientId", (mail,), BEN),
        ("RpcOptinProcess", "getIds", (), []),
    ]
    clients = {service: use(service) for service in {step[0] for step in steps}}
    for service, operation, arguments, expected in steps:
        client, session = clients[service]
        assert client.call(operation, session, *arguments) == expected, operation
