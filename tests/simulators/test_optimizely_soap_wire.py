"""The simulated SOAP server takes and gives what Apache Axis 1.4 takes and gives."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from optimizely_support import (
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
    raw,
    rows,
    text,
    texts,
)
from simulators_support import Simulator

PEOPLE = ("a@example.com", "b@example.com")
ROW = 'soapenc:arrayType="xsd:string[{}]" xsi:type="soapenc:Array"'


def add_with(soap: Soap, values: Param, names: Param | None = None) -> Any:
    """addAll3 of PEOPLE whose attributeValues are written by hand."""
    return soap.call(
        "RpcRecipient",
        "addAll3",
        long(REGULAR),
        long(0),
        texts(PEOPLE),
        texts(PEOPLE),
        names or texts(["Vorname", "Land"]),
        values,
    )


def stored(soap: Soap, *names: str) -> Any:
    return soap.call("RpcRecipient", "getAll", long(REGULAR), texts(names))


def leaves(*values: str) -> str:
    return "".join(f'<x xsi:type="xsd:string">{value}</x>' for value in values)


TWO_DIMENSIONS = {
    "typed": raw(
        'soapenc:arrayType="xsd:string[][2]" xsi:type="soapenc:Array"',
        f"<i {ROW.format(2)}>{leaves('Ada', 'CH')}</i><i {ROW.format(2)}>{leaves('Bo', 'DE')}</i>",
    ),
    "wrong_counts": raw(
        'soapenc:arrayType="xsd:string[][7]" xsi:type="soapenc:Array"',
        f"<i {ROW.format(1)}>{leaves('Ada', 'CH')}</i><i {ROW.format(9)}>{leaves('Bo', 'DE')}</i>",
    ),
    "empty_brackets": raw(
        'soapenc:arrayType="xsd:string[][]"',
        f"<i {ROW.format('')}>{leaves('Ada', 'CH')}</i>"
        f"<i {ROW.format('')}>{leaves('Bo', 'DE')}</i>",
    ),
    "rectangle": raw(
        'soapenc:arrayType="xsd:string[2,2]" xsi:type="soapenc:Array"',
        leaves("Ada", "CH", "Bo", "DE"),
    ),
    "wsdl_types": raw(
        'xsi:type="impl:ArrayOfArrayOf_xsd_string"',
        f'<i xsi:type="impl:ArrayOf_xsd_string">{leaves("Ada", "CH")}</i>'
        f'<i xsi:type="impl:ArrayOf_xsd_string">{leaves("Bo", "DE")}</i>',
    ),
    "positions": raw(
        'soapenc:arrayType="xsd:string[][2]" xsi:type="soapenc:Array"',
        f'<i {ROW.format(2)} soapenc:position="[1]">{leaves("Bo", "DE")}</i>'
        f'<i {ROW.format(2)} soapenc:position="[0]">{leaves("Ada", "CH")}</i>',
    ),
}


@pytest.mark.parametrize("shape", sorted(TWO_DIMENSIONS))
def test_rows_are_taken_in_every_shape_axis_takes(soap: Soap, shape: str) -> None:
    """A string[][] means the same with exact, wrong, empty or rectangular sizes."""
    assert add_with(soap, TWO_DIMENSIONS[shape]) == [0, 0]
    assert stored(soap, "Vorname", "Land") == [["Ada", "CH"], ["Bo", "DE"]]


ONE_DIMENSION = {
    "bare": raw("", "<anything>a@example.com</anything><other>b@example.com</other>"),
    "typed": texts(PEOPLE),
    "wsdl_type": raw('xsi:type="impl:ArrayOf_xsd_string"', leaves(*PEOPLE)),
    "offset": raw(
        'soapenc:arrayType="xsd:string[2]" soapenc:offset="[0]" xsi:type="soapenc:Array"',
        leaves(*PEOPLE),
    ),
}


@pytest.mark.parametrize("shape", sorted(ONE_DIMENSION))
def test_arrays_are_taken_in_every_shape_axis_takes(
    soap: Soap, campaign: Simulator, shape: str
) -> None:
    """A string[] needs neither types nor a certain item name."""
    campaign.seed({"unsubscribes": [{"id": PEOPLE[1]}]})
    found = soap.call("RpcUnsubscribe", "containsAll", ONE_DIMENSION[shape])
    assert found == [False, True]


def test_neighbours_of_one_name_become_one_parameter(soap: Soap) -> None:
    """Repeated elements are an array, and the next name is the next parameter."""
    inside = f"<in0>{soap.session_id}</in0><ids>{PEOPLE[0]}</ids><ids>{PEOPLE[1]}</ids><in1>x</in1>"
    body = envelope("RpcUnsubscribe", "containsAll", [])
    body = body.replace(b"></impl:", f">{inside}</impl:".encode())
    assert decode(soap.post("RpcUnsubscribe", body).content, "containsAll") == [False, False]


def test_untyped_rows_are_refused_unless_the_switch_says_so(
    soap: Soap, campaign: Simulator
) -> None:
    """Nesting without types was never observed to work, so it does not by default."""
    nested = raw("", "<i><x>Ada</x><x>CH</x></i><i><x>Bo</x><x>DE</x></i>")
    with pytest.raises(Fault, match="SimpleDeserializer encountered a child element"):
        add_with(soap, nested)
    campaign.switches(untyped_rows="accepted")
    assert add_with(soap, nested) == [0, 0]


def test_nil_and_empty_differ(soap: Soap) -> None:
    """xsi:nil is stored as null, an empty element as empty text."""
    soap.add(REGULAR, PEOPLE, ["Vorname"], [[None], [""]])
    assert stored(soap, "Vorname", "Land") == [[None, None], ["", None]]


def test_references_in_requests_are_followed(soap: Soap) -> None:
    """Scalars, arrays, rows and items may stand in multiRef elements after the operation."""
    references = "".join(
        [
            f'<multiRef id="list" xsi:type="xsd:long">{REGULAR}</multiRef>',
            f'<multiRef id="ids" {ROW.format(2)}><i href="#a"/>{leaves(PEOPLE[1])}</multiRef>',
            f'<multiRef id="a" xsi:type="xsd:string">{PEOPLE[0]}</multiRef>',
            f'<multiRef id="row" {ROW.format(1)}>{leaves("Ada")}</multiRef>',
        ]
    )
    table = raw(
        'soapenc:arrayType="xsd:string[][2]" xsi:type="soapenc:Array"',
        '<i href="#row"/><i href="#row"/>',
    )
    params = [
        text(soap.session_id),
        raw('href="#list"'),
        long(0),
        raw('href="#ids"'),
        raw('href="#ids"'),
        texts(["Vorname"]),
        table,
    ]
    body = envelope("RpcRecipient", "addAll3", params, references)
    assert decode(soap.post("RpcRecipient", body).content, "addAll3") == [0, 0]
    assert stored(soap, "email", "Vorname") == [[PEOPLE[0], "Ada"], [PEOPLE[1], "Ada"]]


def test_a_reference_to_nothing_faults(soap: Soap) -> None:
    """An href without its element is a fault, not null."""
    with pytest.raises(Fault, match="Unresolved reference: #none"):
        soap.call("RpcRecipient", "getCount", raw('href="#none"'), long(0))


def test_parameters_go_by_their_documented_names_before_their_places(soap: Soap) -> None:
    """sessionId may come last, as a client in production sends it."""
    body = (
        f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><getCount>'
        f"<recipientFilterId>0</recipientFilterId><recipientListId>{REGULAR}</recipientListId>"
        f"<sessionId>{soap.session_id}</sessionId></getCount></e:Body></e:Envelope>"
    )
    answer = soap.post("RpcRecipient", body.encode())
    assert decode(answer.content, "getCount") == 0


def test_missing_parameters_at_the_end_are_null(soap: Soap) -> None:
    """getAttributeNames without a locale answers with the default names."""
    names = soap.call("RpcRecipientList", "getAttributeNames", long(REGULAR))
    assert names[-4:] == ["Created", "Modified", "Opt-in Source", "Opt-in Date"]


@pytest.mark.parametrize(
    ("param", "words"),
    [
        (int_(1), "(class java.lang.Integer -> long)"),
        (text("1"), "(class java.lang.String -> long)"),
        (boolean(True), "(class java.lang.Boolean -> long)"),
        (longs([1]), "(class java.util.ArrayList -> long)"),
    ],
)
def test_a_wrong_declared_type_is_bad_types(soap: Soap, param: Param, words: str) -> None:
    """xsi:type is optional, but what is declared must fit."""
    with pytest.raises(Fault) as fault:
        soap.call("RpcRecipient", "getCount", param, long(0))
    assert f"Bad types {words}" in fault.value.text


@pytest.mark.parametrize(
    "param",
    [
        text("a@example.com"),
        longs([1]),
        raw("", "just text"),
        raw('soapenc:arrayType="xsd:string[1]"', '<i xsi:type="xsd:int">1</i>'),
    ],
)
def test_an_array_of_the_wrong_kind_is_bad_types(soap: Soap, param: Param) -> None:
    """Text, numbers or bare characters are no string[]."""
    with pytest.raises(Fault, match="Bad types"):
        soap.call("RpcUnsubscribe", "containsAll", param)


@pytest.mark.parametrize("value", ["", "x", "1.5", "9223372036854775808", "1_0", "١"])
def test_what_is_no_number_faults(soap: Soap, value: str) -> None:
    """A long is plain decimal within 64 bits."""
    with pytest.raises(Fault, match="NumberFormatException: For input string"):
        soap.call("RpcRecipient", "getCount", raw("", value), long(0))


def test_without_soapaction_nothing_goes(soap: Soap) -> None:
    """The header must be there; what it says is ignored."""
    body = envelope("RpcSession", "getVersion", [])
    answer = soap.post("RpcSession", body, {"SOAPAction": None})
    with pytest.raises(Fault) as fault:
        decode(answer.content, "getVersion")
    assert (answer.status_code, fault.value.code, fault.value.text) == (
        500,
        "ns1:Client.NoSOAPAction",
        "no SOAPAction header!",
    )
    for action in ("", "getVersion", '"urn:anything"'):
        assert soap.post("RpcSession", body, {"SOAPAction": action}).status_code == 200


def test_only_posts_are_calls(soap: Soap) -> None:
    """A GET without wsdl greets, other methods are refused."""
    assert "AXIS" in soap.http.get(f"{soap.url}/RpcSession", timeout=10).text
    assert soap.http.put(f"{soap.url}/RpcSession", timeout=10).status_code == 405
    assert soap.http.get(soap.url.removesuffix("/soap11"), timeout=10).status_code == 404


def test_a_call_without_a_session_is_told_null(soap: Soap) -> None:
    """Java's null is echoed where no session id was sent."""
    with pytest.raises(Fault, match="Invalid sessionId: null"):
        soap.without_session("RpcRecipientList", "getAllIds")


def test_unknown_operations_and_services_are_told_so(soap: Soap) -> None:
    """Axis names the operation with code Client, and the missing service with its own code."""
    with pytest.raises(Fault) as fault:
        soap.call("RpcRecipient", "explode")
    assert (fault.value.code, fault.value.text) == (
        "soapenv:Client",
        "No such operation 'explode'",
    )
    with pytest.raises(Fault, match="could not find a target service"):
        soap.call("RpcNothing", "clear")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no element found"),
        (b"<Envelope/>", "Bad envelope tag: Envelope"),
        (b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>', "Bad envelope"),
        (envelope("RpcSession", "getVersion", [])[:-20], "SAXParseException"),
        (b"<!DOCTYPE e><e/>", "DTDs are not allowed"),
        (envelope("RpcSession", "login", [raw("", "&nbsp;")]), "undefined entity"),
        (envelope("RpcSession", "login", [raw("", "&#1;")]), "invalid character number"),
        (envelope("RpcSession", "login", [raw("", "\x0b")]), "not well-formed"),
        (b"\xff\xfe", "SAXParseException"),
    ],
)
def test_what_is_no_soap_message_faults(soap: Soap, body: bytes, words: str) -> None:
    """Broken XML, other XML, a DTD and illegal characters are faults with HTTP 500."""
    answer = soap.post("RpcSession", body)
    assert answer.status_code == 500
    with pytest.raises(Fault, match=re.escape(words)):
        decode(answer.content, "login")


NAMES = ["Zoë", "<b>&amp;\"'", "]]>", "日本", "🎉", "a b\tc", ""]


def test_text_comes_back_as_it_was_sent(soap: Soap) -> None:
    """Umlauts, markup, emoji and empty text survive the way in and out."""
    people = [f"p{index}@example.com" for index in range(len(NAMES))]
    assert set(soap.add(REGULAR, people, ["Vorname"], [[name] for name in NAMES])) == {0}
    assert stored(soap, "Vorname") == [[name] for name in NAMES]


def test_an_answer_has_no_byte_beyond_ascii(soap: Soap) -> None:
    """Axis writes everything else as hexadecimal character references."""
    soap.add(REGULAR, PEOPLE[:1], ["Vorname"], [["Zoë 🎉"]])
    params = [text(soap.session_id), long(REGULAR), texts(["Vorname"])]
    body = soap.post("RpcRecipient", envelope("RpcRecipient", "getAll", params)).content
    assert body.isascii()
    assert b"Zo&#xeb; &#x1f389;" in body


def answer_of(soap: Soap, service: str, operation: str, *params: Param) -> requests.Response:
    body = envelope(service, operation, [text(soap.session_id), *params])
    return soap.post(service, body)


def test_an_answer_looks_like_axis(soap: Soap) -> None:
    """Content type, chunks, soapenc:string in place, nil, numbers as references."""
    soap.add(REGULAR, PEOPLE[:1])
    answer = answer_of(
        soap, "RpcRecipient", "getAttributes", long(REGULAR), text(PEOPLE[0]), texts(["Land"])
    )
    assert answer.headers["Content-Type"] == "text/xml;charset=utf-8"
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.reason == ""
    assert 'soapenc:arrayType="soapenc:string[1]" xsi:type="soapenc:Array"' in answer.text
    assert '<getAttributesReturn xsi:type="soapenc:string" xsi:nil="true"/>' in answer.text
    counted = answer_of(soap, "RpcRecipient", "getCount", long(REGULAR), long(0)).text
    assert '<getCountReturn href="#id0"/></ns1:getCountResponse><multiRef id="id0"' in counted
    assert 'soapenc:root="0"' in counted
    assert 'xsi:type="xsd:int"' in counted
    empty = answer_of(soap, "RpcRecipient", "clear", long(REGULAR)).text
    assert re.search(r"<ns1:clearResponse [^>]*></ns1:clearResponse>", empty)


def test_numbers_are_scrambled_but_ids_tell(soap: Soap) -> None:
    """multiRefs come in another order than the references; the ids give the right order."""
    people = ["a@example.com", "bad", "b@example.com", "a@example.com", "c@example.com"]
    params = [long(REGULAR), long(0), texts(people), texts(people), texts([]), rows([[]] * 5)]
    answer = answer_of(soap, "RpcRecipient", "addAll3", *params)
    order = re.findall(r'<multiRef id="(id\d)"', answer.text)
    assert sorted(order) == [f"id{index}" for index in range(5)]
    assert order != sorted(order)
    assert decode(answer.content, "addAll3") == [0, 1, 0, 5, 0]


def test_empty_arrays_have_length_zero(soap: Soap) -> None:
    """No rows is an array of none, and so is no code."""
    answer = answer_of(soap, "RpcRecipient", "getAll", long(REGULAR), texts(["Land"]))
    assert 'soapenc:arrayType="soapenc:string[][0]"' in answer.text
    assert decode(answer.content, "getAll") == []
    assert soap.add(REGULAR, []) == []


def test_a_fault_looks_like_the_vendors(soap: Soap) -> None:
    """HTTP 500, the Java class in front, everything echoed, a hostname, the connection closed."""
    answer = answer_of(soap, "RpcRecipient", "remove", long(REGULAR), text("zoë@example.com"))
    assert (answer.status_code, answer.headers["Connection"]) == (500, "close")
    assert b"zo&#xeb;@example.com" in answer.content
    assert b"faultactor" not in answer.content
    with pytest.raises(Fault) as fault:
        decode(answer.content, "remove")
    assert fault.value.code == "soapenv:Server.userException"
    assert fault.value.text == (
        "broadmail.api.soap11.impl.WebserviceImplException: "
        f"[{soap.session_id},1234,sim-user] Recipient does not exist for call: "
        f"recipientListId='{REGULAR}', recipientId='zoë@example.com'"
    )
    assert "hostname" in fault.value.detail


def test_every_service_has_its_wsdl_in_any_case(campaign: Simulator) -> None:
    """?wsdl and ?WSDL are the same; another name has none."""
    for name in ("Session", "Recipient", "RecipientList", "Unsubscribe", "Blacklist", "Mailing"):
        lower = requests.get(f"{campaign.url}/soap11/Rpc{name}?wsdl", timeout=10)
        upper = requests.get(f"{campaign.url}/soap11/Rpc{name}?WSDL", timeout=10)
        assert lower.status_code == 200
        assert lower.text == upper.text
        assert f'targetNamespace="urn:api.broadmail.de/soap11/Rpc{name}"' in lower.text
        assert f'location="{campaign.url}/soap11/Rpc{name}"' in lower.text
        assert '<import namespace="http://schemas.xmlsoap.org/soap/encoding/"/>' in lower.text
    assert requests.get(f"{campaign.url}/soap11/RpcNo?wsdl", timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("service", "count"),
    [
        ("RpcSession", 7),
        ("RpcRecipient", 36),
        ("RpcRecipientList", 14),
        ("RpcUnsubscribe", 13),
        ("RpcBlacklist", 19),
    ],
)
def test_a_service_has_as_many_operations_as_the_real_one(
    campaign: Simulator, service: str, count: int
) -> None:
    """The WSDLs that were recorded list so many operations."""
    wsdl = requests.get(f"{campaign.url}/soap11/{service}?wsdl", timeout=10).text
    port_type = wsdl.partition("<wsdl:portType")[2].partition("</wsdl:portType>")[0]
    assert port_type.count("<wsdl:operation ") == count


def test_the_log_names_operations(soap: Soap, campaign: Simulator) -> None:
    """Each call is logged under its operation, those that a fault kept away as well."""
    campaign.forget_requests()
    campaign.faults([{"match": {"body": "clear"}, "action": "status"}])
    soap.count()
    answer_of(soap, "RpcRecipient", "clear", long(REGULAR))
    assert campaign.summary()["operations"] == {
        "RpcRecipient.getCount": 1,
        "RpcRecipient.clear": 1,
    }
    assert [entry["operation"] for entry in campaign.requests()] == [
        "RpcRecipient.getCount",
        "RpcRecipient.clear",
    ]
