"""Calls into envelopes, answers into values; hostile answers into one clear error."""

from __future__ import annotations

import random
import re
import traceback
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optimizely_soap.codec import (
    Parameter,
    boolean,
    decode_reply,
    encode_call,
    envelope_kind,
    int_,
    long,
    longs,
    rows,
    strip_illegal,
    text,
    texts,
)
from optimizely_soap.faults import FaultKind, NotSoap, SoapFault

CANARY = "canary.person@example.com"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
SOAPENC = "{http://schemas.xmlsoap.org/soap/encoding/}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
HEAD = (
    '<?xml version="1.0" encoding="utf-8"?><soapenv:Envelope '
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/"><soapenv:Body>'
)
TAIL = "</soapenv:Body></soapenv:Envelope>"


def envelope(content: str) -> bytes:
    return f"{HEAD}{content}{TAIL}".encode()


def answer(value: str, *refs: str, operation: str = "op") -> bytes:
    return envelope(
        f'<ns1:{operation}Response xmlns:ns1="urn:any">{value}</ns1:{operation}Response>'
        + "".join(refs)
    )


def array(array_type: str, *items: str) -> str:
    return (
        f'<opReturn soapenc:arrayType="{array_type}" xsi:type="soapenc:Array">'
        f"{''.join(items)}</opReturn>"
    )


def ref(number: int) -> str:
    return f'<opReturn href="#id{number}"/>'


def multiref(number: int, kind: str, value: str) -> str:
    return f'<multiRef id="id{number}" soapenc:root="0" xsi:type="{kind}">{value}</multiRef>'


def string(value: str) -> str:
    return f'<opReturn xsi:type="soapenc:string">{escape(value)}</opReturn>'


FOUR = '<opReturn xsi:type="xsd:int">4</opReturn>'
NIL = '<opReturn xsi:type="soapenc:string" xsi:nil="true"/>'


def sent(*parameters: Parameter) -> list[ET.Element]:
    """The parameter elements, as the standard library's parser reads them."""
    root = ET.fromstring(encode_call("RpcRecipient", "op", parameters))
    call = root.find(f"{SOAP}Body/{{urn:api.broadmail.de/soap11/RpcRecipient}}op")
    assert call is not None
    return list(call)


def leaf(element: ET.Element) -> str | None:
    return None if element.get(f"{XSI}nil") == "true" else element.text or ""


def test_a_call_has_its_parameters_by_position_and_with_their_types() -> None:
    """in0 .. inN, typed as the WSDL wants them."""
    elements = sent(text("s"), long(120000000001), int_(7), boolean(True), text(None), text(""))
    assert [e.tag for e in elements] == ["in0", "in1", "in2", "in3", "in4", "in5"]
    assert [e.get(f"{XSI}type") for e in elements] == [
        "xsd:string", "xsd:long", "xsd:int", "xsd:boolean", "xsd:string", "xsd:string",
    ]  # fmt: skip
    assert [leaf(e) for e in elements] == ["s", "120000000001", "7", "true", None, ""]


def test_two_dimensions_are_arrays_of_arrays() -> None:
    """The outer type counts rows, each row is an array of its own: the shape Axis parses."""
    (element,) = sent(rows([["a", None], ["", "d"], []]))
    assert element.get(f"{SOAPENC}arrayType") == "xsd:string[][3]"
    assert [row.get(f"{SOAPENC}arrayType") for row in element] == [
        "xsd:string[2]", "xsd:string[2]", "xsd:string[0]",
    ]  # fmt: skip
    assert {row.get(f"{XSI}type") for row in element} == {"soapenc:Array"}
    assert [[leaf(one) for one in row] for row in element] == [["a", None], ["", "d"], []]


def test_arrays_say_their_length_and_type() -> None:
    """One dimension, of strings and of 64-bit numbers."""
    names, ids = sent(texts(["a", None, ""]), longs([1, 2**40]))
    assert names.get(f"{SOAPENC}arrayType") == "xsd:string[3]"
    assert [leaf(one) for one in names] == ["a", None, ""]
    assert ids.get(f"{SOAPENC}arrayType") == "xsd:long[2]"
    assert [one.text for one in ids] == ["1", str(2**40)]
    assert {one.get(f"{XSI}type") for one in ids} == {"xsd:long"}


def test_namespaces_are_declared_once() -> None:
    """A thousand rows don't repeat what the envelope said."""
    body = encode_call("RpcRecipient", "addAll3", [rows([["a", "b"]] * 1000)])
    assert body.count(b"xmlns:") == 5


@pytest.mark.parametrize(
    "bad", ["a\x00", "\x0b", "\x1f", "\ufffe", "\uffff", "j\udcff", "\ud83d", "\x1b[0m"]
)
@pytest.mark.parametrize("shape", [text, lambda v: texts(["ok", v]), lambda v: rows([[v]])])
def test_text_that_xml_cannot_hold_is_refused_without_showing_it(bad: str, shape: Any) -> None:
    """Axis would fail on the whole call; the error names the operation only."""
    with pytest.raises(ValueError, match="can't hold") as caught:
        encode_call("RpcRecipient", "addAll3", [shape(CANARY + bad)])
    told = "".join(traceback.format_exception(caught.value))
    assert CANARY not in told
    assert caught.value.__context__ is None


def test_stripping_leaves_what_xml_can_hold() -> None:
    """Controls and lone surrogates go; tabs, line ends, emoji and accents stay."""
    assert strip_illegal("a\x00b\t\r\n\x7f\udcff Jörg 😀 ]]>\ufffe") == "ab\t\r\n\x7f Jörg 😀 ]]>"
    encode_call("RpcRecipient", "op", [text(strip_illegal("\x01\ud800\uffff"))])


@pytest.mark.parametrize(
    "parameter",
    [long(2**63), long(-(2**63) - 1), int_(2**31), long(True), int_("1"), longs([2**63])],  # type: ignore[arg-type]
)
def test_a_number_out_of_its_range_is_refused(parameter: Parameter) -> None:
    """What the vendor's Java could not read is never sent."""
    with pytest.raises(ValueError, match="does not fit"):
        encode_call("RpcRecipient", "op", [parameter])


@pytest.mark.parametrize("name", ["", "a b", "a>b", "1a", "a:b"])
def test_names_with_markup_are_refused(name: str) -> None:
    """Operation and service are names, never data."""
    for service, operation in ((name, "op"), ("RpcRecipient", name)):
        with pytest.raises(ValueError, match="plain names"):
            encode_call(service, operation, [])
    with pytest.raises(ValueError, match="namespace"):
        encode_call("RpcRecipient", "op", [], namespace='urn:a"b')


def test_the_namespace_can_be_another() -> None:
    """The host may change; the namespace is a parameter."""
    body = encode_call("RpcSession", "getVersion", [], namespace="urn:other/")
    assert b'xmlns:impl="urn:other/RpcSession"' in body


# ---- answers


@pytest.mark.parametrize(
    ("kind", "shown", "value"),
    [
        ("xsd:string", "a", "a"),
        ("soapenc:string", " a\n", " a\n"),
        ("soapenc:string", "", ""),
        ("xsd:int", "-7", -7),
        ("xsd:long", " 120000000001 ", 120000000001),
        ("xsd:short", "+3", 3),
        ("xsd:boolean", "true", True),
        ("xsd:boolean", "1", True),
        ("xsd:boolean", "false", False),
        ("xsd:boolean", "0", False),
        ("xsd:float", "1.5E2", 150.0),
        ("xsd:dateTime", "2016-02-02T08:36:31.000Z", datetime(2016, 2, 2, 8, 36, 31, tzinfo=UTC)),
        (
            "xsd:dateTime",
            "2016-02-02T09:36:31+01:00",
            datetime(2016, 2, 2, 8, 36, 31, tzinfo=UTC),
        ),
    ],
)
def test_a_scalar_is_read_inline_and_by_reference(kind: str, shown: str, value: object) -> None:
    """Axis sends numbers as multiRef; other servers may send them inline."""
    inline = f'<opReturn xsi:type="{kind}">{shown}</opReturn>'
    for body in (answer(inline), answer(ref(0), multiref(0, kind, shown))):
        got = decode_reply(body, "op")
        assert got == value
        assert type(got) is type(value)


def test_void_and_nil_are_none_and_empty_is_empty() -> None:
    """Three answers that must not be mixed up."""
    assert decode_reply(answer(""), "op") is None
    assert decode_reply(answer(NIL), "op") is None
    assert decode_reply(answer('<opReturn xsi:nil="1"/>'), "op") is None
    assert decode_reply(answer(string("")), "op") == ""


@pytest.mark.parametrize("seed", range(5))
def test_references_are_resolved_by_id_not_by_order(seed: int) -> None:
    """The codes of addAll3 arrive scrambled; each belongs to its recipient."""
    codes = [i % 8 for i in range(500)]
    targets = [multiref(i, "xsd:int", str(code)) for i, code in enumerate(codes)]
    random.Random(seed).shuffle(targets)
    body = answer(array("xsd:int[500]", *(ref(i) for i in range(500))), *targets)
    assert decode_reply(body, "op") == codes


def test_inline_and_referred_items_may_be_mixed() -> None:
    """Also strings by reference, nil behind a reference, and one target used twice."""
    body = answer(
        array("xsd:string[6]", string("a"), ref(1), NIL, ref(2), ref(1), FOUR),
        multiref(2, "soapenc:string", "").replace("xsi:type", 'xsi:nil="true" xsi:type'),
        multiref(1, "soapenc:string", "b"),
    )  # fmt: skip
    assert decode_reply(body, "op") == ["a", "b", None, None, "b", 4]


def test_items_without_a_type_take_that_of_their_array() -> None:
    """int[] inline, items bare."""
    assert decode_reply(answer(array("xsd:int[2]", "<i>1</i>", "<i>2</i>")), "op") == [1, 2]
    assert decode_reply(answer(array("xsd:boolean[1]", "<i>true</i>")), "op") == [True]


def test_references_may_stand_anywhere() -> None:
    """Nested targets, whole rows by reference, references to references."""
    row = (
        '<multiRef id="id5" soapenc:arrayType="xsd:string[2]">'
        + string("a")
        + ref(6)
        + "</multiRef>"
    )
    chain = '<multiRef id="id6" href="#id7"/>'
    inside = '<opReturn id="id7" xsi:type="xsd:string">deep</opReturn>'
    body = answer(array("xsd:string[][2]", ref(5), array("xsd:string[1]", inside)), chain, row)
    assert decode_reply(body, "op") == [["a", "deep"], ["deep"]]


def test_empty_arrays_and_nil_rows_are_read() -> None:
    """No rows, a row without items, no row at all."""
    assert decode_reply(answer(array("xsd:long[0]")), "op") == []
    assert decode_reply(answer(array("soapenc:string[][0]")), "op") == []
    body = answer(array("soapenc:string[][2]", array("soapenc:string[0]"), NIL))
    assert decode_reply(body, "op") == [[], None]


def test_the_namespace_of_the_answer_does_not_count_its_name_does() -> None:
    """Hosts differ in namespaces; an answer to another call is none."""
    assert decode_reply(answer(string("x"), operation="login"), "login") == "x"
    with pytest.raises(NotSoap, match="no answer"):
        decode_reply(answer(string("x"), operation="login"), "clear")


def test_a_fault_is_raised_without_its_words() -> None:
    """X7: the vendor's text echoes ids and values; the error has a kind and a fixed phrase."""
    body = envelope(
        "<soapenv:Fault><faultcode>soapenv:Server.userException</faultcode><faultstring>"
        f"broadmail.api.soap11.impl.WebserviceImplException: [abc,12,{CANARY}] Recipient does not "
        f"exist for call: recipientId='{CANARY}'</faultstring><detail/></soapenv:Fault>"
    )
    assert envelope_kind(body) == "fault"
    with pytest.raises(SoapFault) as caught:
        decode_reply(body, "remove")
    assert caught.value.kind is FaultKind.NOT_FOUND
    assert str(caught.value) == "Recipient does not exist"
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE e [<!ENTITY a "ha"><!ENTITY b "'
    + "&a;" * 1000
    + '"><!ENTITY c "'
    + "&b;" * 1000
    + '"><!ENTITY d "'
    + "&c;" * 1000
    + '">]>'
)
WHOLE = answer(string(CANARY))

HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b"  \n",
    "html": f"<!doctype html><html><body>{CANARY}<br></body></html>".encode(),
    "xhtml": f"<html><body>{CANARY}</body></html>".encode(),
    "json": b'{"a":1}',
    "cut in the middle": WHOLE[: len(WHOLE) // 2],
    "cut before the last letter": WHOLE[:-1],
    "more behind the end": WHOLE + WHOLE,
    "billion laughs": LAUGHS.encode() + answer("<opReturn>&d;</opReturn>").split(b"?>", 1)[1],
    "billion laughs in an attribute": LAUGHS.encode()
    + answer('<opReturn href="&d;"/>').split(b"?>", 1)[1],
    "external entity": b'<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    + answer("<opReturn>&x;</opReturn>").split(b"?>", 1)[1],
    "external dtd": b'<!DOCTYPE e SYSTEM "http://127.0.0.1:1/e.dtd">' + WHOLE.split(b"?>", 1)[1],
    "dtd in utf-16": (LAUGHS + "<a/>").encode("utf-16"),
    "unknown entity": answer("<opReturn>&nbsp;</opReturn>"),
    "utf-16": WHOLE.decode().encode("utf-16"),
    "latin-1 undeclared": answer(string("J#rg")).replace(b"#", b"\xf6"),
    "latin-1 declared": answer(string("Jörg"))
    .replace(b"\xc3\xb6", b"\xf6")
    .replace(b"utf-8", b"iso-8859-1"),
    "utf-7 declared": WHOLE.replace(b'"utf-8"', b'"utf-7"'),
    "zero bytes": WHOLE.replace(b"canary", b"can\x00ry"),
    "half an emoji": answer("<opReturn>&#xd83d;</opReturn>"),
    "illegal reference": answer("<opReturn>&#x1;</opReturn>"),
    "deep nesting": b"<a>" * 200_000 + b"</a>" * 200_000,
    "deep nesting inside": answer("<opReturn>" * 200_000 + "</opReturn>" * 200_000),
    "deep nesting unclosed": b"<a>" * 200_000,
    "soap 1.2": WHOLE.replace(
        b"http://schemas.xmlsoap.org/soap/envelope/", b"http://www.w3.org/2003/05/soap-envelope"
    ),
    "no body": WHOLE.replace(b"soapenv:Body", b"soapenv:Header"),
    "two bodies": WHOLE.replace(b"</soapenv:Envelope>", b"<soapenv:Body/></soapenv:Envelope>"),
    "empty body": envelope(""),
    "two answers": envelope("<opResponse/><opResponse/>"),
    "two values": answer(string(CANARY) * 2),
    "elements in a value": answer(f"<opReturn><b>{CANARY}</b></opReturn>"),
    "reference to nothing": answer(ref(1)),
    "reference elsewhere": answer(f'<opReturn href="http://{CANARY}/x"/>'),
    "reference without its hash": answer(
        '<opReturn href="xid1"/>', multiref(1, "xsd:string", CANARY)
    ),
    "empty reference": answer('<opReturn href=""/>'),
    "circle of one": answer(ref(1), '<multiRef id="id1" href="#id1"/>'),
    "circle of two": answer(
        ref(1), '<multiRef id="id1" href="#id2"/>', '<multiRef id="id2" href="#id1"/>'
    ),
    "circle through an array": answer(
        ref(1), '<multiRef id="id1" soapenc:arrayType="xsd:string[1]"><i href="#id1"/></multiRef>'
    ),
    "long chain": answer(
        ref(0),
        *(f'<multiRef id="id{i}" href="#id{i + 1}"/>' for i in range(5000)),
        multiref(5000, "xsd:int", "1"),
    ),
    "same id twice": answer(ref(1), multiref(1, "xsd:int", "1"), multiref(1, "xsd:int", "2")),
    "three dimensions": answer(
        array("xsd:string[][1]", array("xsd:string[][1]", array("xsd:string[0]")))
    ),
    "other brackets": answer(array("xsd:string[1,1]", string(CANARY))),
    "longer than said": answer(array("xsd:string[1]", string(CANARY), string("b"))),
    "shorter than said": answer(array("xsd:string[3]", string(CANARY))),
    "sparse by offset": answer(
        array("xsd:string[1]", NIL).replace(" xsi", ' soapenc:offset="[2]" xsi', 1)
    ),
    "sparse by position": answer(
        array("xsd:string[1]", NIL.replace(" xsi", ' soapenc:position="[2]" xsi', 1))
    ),
    "int that is text": answer(ref(1), multiref(1, "xsd:int", CANARY)),
    "int that is empty": answer('<opReturn xsi:type="xsd:int"/>'),
    "int out of range": answer(ref(1), multiref(1, "xsd:int", "2147483648")),
    "int with a thousand digits": answer(ref(1), multiref(1, "xsd:long", "9" * 100_000)),
    "boolean that is none": answer(ref(1), multiref(1, "xsd:boolean", "TRUE")),
    "float that is none": answer(ref(1), multiref(1, "xsd:float", "1,5")),
    "dateTime without a time": answer('<opReturn xsi:type="xsd:dateTime">20160202</opReturn>'),
    "dateTime that never was": answer(
        '<opReturn xsi:type="xsd:dateTime">2016-02-30T00:00:00Z</opReturn>'
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_is_one_clear_error(name: str) -> None:
    """No crash, no network, no growth, no word of the message in the error or behind it."""
    with pytest.raises(NotSoap) as caught:
        decode_reply(HOSTILE[name], "op")
    assert caught.value.__context__ is None
    assert "canary" not in "".join(traceback.format_exception(caught.value)).lower()


def test_references_cannot_multiply_an_answer() -> None:
    """A hundred thousand references to one large row share it: an envelope can't grow by them."""
    row = '<multiRef id="id0" soapenc:arrayType="xsd:string[100000]">' + "<i/>" * 100_000
    body = answer(array("xsd:string[][100000]", *([ref(0)] * 100_000)), row + "</multiRef>")
    decoded: Any = decode_reply(body, "op")
    assert len(decoded) == 100_000
    assert decoded[0] is decoded[99_999]


def test_comments_instructions_and_cdata_do_not_change_a_value() -> None:
    """None of them is data, but text around them is one text."""
    body = answer('<opReturn xsi:type="xsd:string">a<!-- x -->b<?p q?>c<![CDATA[<d>&]]></opReturn>')
    assert decode_reply(b"\xef\xbb\xbf" + body, "op") == "abc<d>&"


def test_character_references_are_read() -> None:
    """Axis writes letters beyond ASCII as hexadecimal references."""
    body = answer('<opReturn xsi:type="soapenc:string">J&#xf6;rg &#x1f600;</opReturn>')
    assert decode_reply(body, "op") == "Jörg 😀"


@pytest.mark.parametrize("halves", ["&#xd83d;&#xde00;", "&#xD83D;&#xDE00;"])
def test_an_emoji_in_two_halves_is_one(halves: str) -> None:
    """Axis 1.4 writes each half of a Java string's surrogate pair by itself."""
    body = answer(f'<opReturn xsi:type="soapenc:string">a{halves}b&amp;#xd83d;</opReturn>')
    assert decode_reply(body, "op") == "a😀b&#xd83d;"


# ---- there and back

LETTERS = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\ufffe\uffff").filter(
        lambda c: c in "\t\n\r" or c >= " "
    ),
    max_size=20,
)
CELLS = st.one_of(st.none(), LETTERS, st.just("]]>"), st.just("\r\n"), st.just("&amp;"))


@given(table=st.lists(st.lists(CELLS, max_size=4), max_size=4), line=st.lists(CELLS, max_size=5))
def test_what_is_sent_is_what_is_read(
    table: list[list[str | None]], line: list[str | None]
) -> None:
    """An echo of the call's own elements decodes to the same values, whatever they hold."""
    call = encode_call("RpcRecipient", "op", [rows(table), texts(line)])
    for number, value in ((0, table), (1, line)):
        only = re.sub(rb"<in%d .*</in%d>" % (1 - number, 1 - number), b"", call, flags=re.DOTALL)
        # An escaped text holds no '<in0 ', so the cut above never meets one inside a value.
        echo = only.replace(b"<impl:op ", b"<impl:opResponse ").replace(
            b"</impl:op>", b"</impl:opResponse>"
        )
        assert decode_reply(echo, "op") == value


@given(st.binary(max_size=200), st.integers(0, len(WHOLE)))
def test_any_bytes_end_in_a_value_or_one_of_two_errors(junk: bytes, at: int) -> None:
    """Nothing but `NotSoap` and `SoapFault` comes out of a broken answer."""
    for body in (junk, WHOLE[:at] + junk + WHOLE[at:]):
        told = ""
        try:
            decode_reply(body, "op")
        except (NotSoap, SoapFault) as error:
            told = str(error)
        assert CANARY not in told
