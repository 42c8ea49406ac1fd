"""Whatever is sent to the simulated SOAP side, a SOAP answer comes back."""

from __future__ import annotations

import re

import pytest
import requests
from optimizely_support import (
    OPTIN,
    REGULAR,
    Fault,
    Param,
    Soap,
    boolean,
    decode,
    envelope,
    int_,
    long,
    longs,
    moment,
    raw,
    rows,
    text,
    texts,
)
from simulators_support import Simulator

SERVICES = (
    "RpcSession",
    "RpcRecipient",
    "RpcRecipientList",
    "RpcUnsubscribe",
    "RpcBlacklist",
    "RpcMailing",
    "RpcClosedLoop",
    "RpcResponse",
    "RpcOptinProcess",
    "RpcMailId",
)
ODD: dict[str, tuple[Param, ...]] = {
    "string": (
        text(None),
        text(""),
        text("a@example.com"),
        text("*" * 5000),
        text("\u202e\U0001f389"),
    ),
    "long": (long(None), long(0), long(-1), long(REGULAR), long(2**63 - 1)),
    "int": (int_(None), int_(0), int_(-1), int_(2**31 - 1), int_(10)),
    "boolean": (boolean(None), boolean(True), boolean(False), raw("", "maybe"), raw("")),
    "dateTime": (
        moment(None),
        moment("2026-05-28T12:00:00Z"),
        moment("0001-01-01T00:00:00"),
        moment("9999-12-31T23:59:59-12:00"),
        moment("never"),
    ),
    "ArrayOf_xsd_string": (
        text(None),
        texts([]),
        texts([None]),
        texts(["email", "a@example.com"]),
        texts(["a@example.com", "a@example.com"]),
    ),
    "ArrayOfArrayOf_xsd_string": (
        text(None),
        rows([]),
        rows([[]]),
        rows([[None], ["x", "y"]]),
        raw('soapenc:arrayType="xsd:string[][1]"', '<i xsi:nil="true"/>'),
    ),
    "ArrayOf_xsd_long": (text(None), longs([]), longs([0]), longs([REGULAR, OPTIN]), longs([-1])),
}


def operations(url: str, service: str) -> dict[str, list[str]]:
    """The operations of a WSDL with the local names of their parameters' types."""
    wsdl = requests.get(f"{url}/{service}?wsdl", timeout=10).text
    found = re.findall(r'<wsdl:message name="(\w+)Request">(.*?)</wsdl:message>', wsdl)
    return {name: re.findall(r'type="\w+:(\w+)"', parts) for name, parts in found}


@pytest.mark.parametrize("service", SERVICES)
def test_no_argument_breaks_an_operation(campaign: Simulator, soap: Soap, service: str) -> None:
    """Null, nothing, the wrong sizes and the extremes of every type, in every operation."""
    campaign.seed({"recipients": [{"list": REGULAR, "id": "a@example.com"}]})
    known = operations(soap.url, service)
    assert known
    for operation, kinds in known.items():
        for choice in range(5):
            soap.login()
            params = [ODD[kind][choice] for kind in kinds]
            if service != "RpcSession" and params:
                params[0] = text(soap.session_id)
            answer = soap.post(service, envelope(service, operation, params))
            assert answer.status_code in {200, 500}
            assert answer.headers["Content-Type"] == "text/xml;charset=utf-8", operation
            if answer.status_code == 500:
                with pytest.raises(Fault):
                    decode(answer.content, operation)
            else:
                decode(answer.content, operation)


def test_deep_and_wide_documents_are_answered(soap: Soap) -> None:
    """A hundred thousand elements inside one another, or beside one another."""
    deep = raw("", "<x>" * 100_000 + "</x>" * 100_000)
    with pytest.raises(Fault):
        soap.call("RpcUnsubscribe", "containsAll", deep)
    wide = raw("", "<x/>" * 100_000)
    with pytest.raises(Fault, match="Too many elements: 100000, maximum is 1000"):
        soap.call("RpcUnsubscribe", "containsAll", wide)
    assert soap.count() == 0


def test_references_in_a_circle_are_answered(soap: Soap) -> None:
    """An element that refers to itself, and two that refer to each other."""
    circle = '<multiRef id="a" href="#b"/><multiRef id="b" href="#a"/><multiRef id="c" href="#c"/>'
    for start in "abc":
        params = [text(soap.session_id), raw(f'href="#{start}"'), long(0)]
        answer = soap.post("RpcRecipient", envelope("RpcRecipient", "getCount", params, circle))
        assert answer.status_code == 500
        with pytest.raises(Fault):
            decode(answer.content, "getCount")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_entities_are_not_expanded(soap: Soap, encoding: str) -> None:
    """A billion laughs is refused for its DTD, wherever that stands."""
    start = f'<?xml version="1.0" encoding="{encoding}"?>' + " " * 10_000
    bomb = f'{start}<!DOCTYPE x [<!ENTITY a "ha">]><x>&a;</x>'.encode(encoding)
    with pytest.raises(Fault, match="DTDs are not allowed"):
        decode(soap.post("RpcSession", bomb).content, "login")


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_a_declared_encoding_is_followed(soap: Soap, encoding: str) -> None:
    """The XML declaration says what the bytes are."""
    params = [long(1234), text("sim-user"), text("sim-passwörd")]
    body = envelope("RpcSession", "login", params).decode()
    declared = f'<?xml version="1.0" encoding="{encoding}"?>{body}'
    with pytest.raises(Fault, match="Invalid credentials"):
        decode(soap.post("RpcSession", declared.encode(encoding)).content, "login")
