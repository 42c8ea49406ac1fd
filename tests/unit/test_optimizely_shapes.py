"""Answers that are well-formed but not what the call asks for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from optimizely_soap.session import SoapSession
from target_kit.errors import OutcomeUnknown, VendorUnavailable
from target_optimizely.client import Campaign
from target_optimizely.shapes import UnexpectedAnswer

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
CANARY = "canary.person@example.com"


def answers(value: str, name: str | None = None) -> Campaign:
    """A client whose vendor answers `value` to all but the login, in the name of `name`."""

    def transport(service: str, operation: str, body: bytes, *, repeatable: bool) -> bytes:
        shown = '<r xsi:type="xsd:string">session</r>' if operation == "login" else value
        told = operation if operation == "login" or name is None else name
        return (
            f'<e:Envelope xmlns:e="{SOAP}" xmlns:soapenc="{ENCODING}" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            'xmlns:xsd="http://www.w3.org/2001/XMLSchema"><e:Body>'
            f'<n:{told}Response xmlns:n="u">{shown}</n:{told}Response></e:Body></e:Envelope>'
        ).encode()

    session = SoapSession(
        transport, lambda: 0.0, mandator_id=1, username="u", password="p", session_seconds=900
    )
    return Campaign(session)


def array(kind: str, *items: str) -> str:
    shown = "".join(items)
    return f'<r soapenc:arrayType="{kind}[{len(items)}]" xsi:type="soapenc:Array">{shown}</r>'


TEXT = f'<i xsi:type="xsd:string">{CANARY}</i>'
NUMBER = '<i xsi:type="xsd:int">1</i>'
TRUE = '<i xsi:type="xsd:boolean">true</i>'
NIL = '<i xsi:nil="true"/>'
ROW = array("xsd:string", TEXT, NIL).replace("<r ", "<i ").replace("</r>", "</i>")

READS: dict[str, Callable[[Campaign], object]] = {
    "count": lambda c: c.count(7),
    "contains": lambda c: c.contains(7, CANARY),
    "attribute_names": lambda c: c.attribute_names(7),
    "list_ids": lambda c: c.list_ids(),
    "list_name": lambda c: c.list_name(7),
    "list_data_set": lambda c: c.list_data_set(),
    "clear": lambda c: c.clear(7),
    "remove_all": lambda c: c.remove_all(7, [CANARY]),
    "get_all": lambda c: c.get_all(7, ["a"]),
    "get_all_advanced": lambda c: c.get_all_advanced(7, ["a"], None, 0, 10),
    "unsubscribed": lambda c: c.unsubscribed([CANARY]),
    "unsubscribed_from": lambda c: c.unsubscribed_from(7, [CANARY]),
    "blocklisted": lambda c: c.blocklisted([CANARY]),
    "bounce_threshold": lambda c: c.bounce_threshold("hardbounce"),
    "response_counts": lambda c: c.response_counts("hardbounce", [CANARY]),
    "bounced_out": lambda c: c.bounced_out(CANARY),
    "mailing_ids_in_status": lambda c: c.mailing_ids_in_status("regular", "SENDING"),
    "mailing_list_ids": lambda c: c.mailing_list_ids(7),
    "version": lambda c: c.version(),
}
#: What each takes; all other values are of another shape.
FITTING = {
    "count": {NUMBER}, "bounce_threshold": {NUMBER},
    "contains": {TRUE}, "bounced_out": {TRUE},
    "list_name": {TEXT}, "version": {TEXT}, "clear": {"", NIL},
    "attribute_names": {array("xsd:string", TEXT), array("xsd:string")},
    "list_ids": {array("xsd:int", NUMBER), array("xsd:string")},
    "mailing_ids_in_status": {array("xsd:int", NUMBER), array("xsd:string")},
    "mailing_list_ids": {array("xsd:int", NUMBER), array("xsd:string")},
    "response_counts": {array("xsd:int", NUMBER)},
    "remove_all": {array("xsd:boolean", TRUE)}, "unsubscribed": {array("xsd:boolean", TRUE)},
    "unsubscribed_from": {array("xsd:boolean", TRUE)}, "blocklisted": {array("xsd:boolean", TRUE)},
    "list_data_set": {array("xsd:string[]", ROW), array("xsd:string")},
    "get_all": {array("xsd:string")}, "get_all_advanced": {array("xsd:string")},
}  # fmt: skip
VALUES = [
    "", NIL, TEXT, NUMBER, TRUE, array("xsd:string"), array("xsd:string", TEXT),
    array("xsd:string", NIL), array("xsd:int", NUMBER), array("xsd:boolean", TRUE),
    array("xsd:boolean", TRUE, TRUE), array("xsd:string[]", ROW), array("xsd:string[]", NIL),
]  # fmt: skip


@pytest.mark.parametrize("method", READS)
@pytest.mark.parametrize("value", VALUES)
def test_only_the_shape_of_the_call_is_taken(method: str, value: str) -> None:
    """Every method against every shape: what does not fit is one named error without a value."""
    campaign = answers(value)
    if value in FITTING[method]:
        READS[method](campaign)
        return
    with pytest.raises(UnexpectedAnswer) as caught:
        READS[method](campaign)
    assert isinstance(caught.value, VendorUnavailable)
    assert "canary" not in str(caught.value)


def test_codes_of_any_number_are_handed_over_but_nothing_else() -> None:
    """S1-22: the recipients may be stored, so what is no codes leaves the outcome unknown."""

    def add(value: str, name: str | None = None) -> list[int]:
        return answers(value, name).add_all3(7, 0, [CANARY], [CANARY], ["a"], [["x"]])

    assert add(array("xsd:int", NUMBER, NUMBER)) == [1, 1]
    assert add(array("xsd:int")) == []
    for value in ("", NIL, TEXT, array("xsd:string", TEXT), array("xsd:int", NIL)):
        with pytest.raises(OutcomeUnknown):
            add(value)
    with pytest.raises(OutcomeUnknown, match="unreadable"):
        add(array("xsd:int", NUMBER), "addAll2")
    with pytest.raises(UnexpectedAnswer, match="unreadable"):
        answers(NUMBER, "getVersion").count(7)
    with pytest.raises(UnexpectedAnswer, match="unreadable"):
        answers(TEXT, "getCount").version()
