"""SOAP 1.1, RPC/encoded: calls become envelopes, answers become values. No I/O, no WSDL.

What Apache Axis 1.4 sends: numbers and booleans as `href` to `multiRef` elements in any order,
strings and arrays inline, two dimensions as arrays of arrays, "no value" as `xsi:nil`. References
are resolved by id, wherever the element stands. What can't be read without guessing is `NotSoap`.

No text made here holds a word of a message: messages hold persons and session ids.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any, Literal

from lxml import etree

from optimizely_soap.faults import NotSoap, fault_of
from optimizely_soap.reader import BITS, ENCODING, INSTANCE, Reader, Scalar

NAMESPACE = "urn:api.broadmail.de/soap11/"
"""In front of the service's name; the same on every host of the vendor."""

Row = Sequence[str | None]
Value = str | int | bool | None | Row | Sequence[int] | Sequence[Row]
Parameter = tuple[str, Value]
"""(kind, value); made by the helpers below."""

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_SCHEMA = "http://www.w3.org/2001/XMLSchema"

# Everything XML 1.0 has no place for (section 2.2): most controls, surrogates, U+FFFE, U+FFFF.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*", re.ASCII)
_NAMESPACE = re.compile(r"[\x21\x23-\x25\x28-\x3b\x3d\x3f-\x7e]+")


def text(value: str | None) -> Parameter:
    """A string; None is sent as nil, "" as an empty string."""
    return "string", value


def long(value: int) -> Parameter:
    """A 64-bit number: ids of clients, lists and mailings are larger than 32 bits."""
    return "long", value


def int_(value: int) -> Parameter:
    """A 32-bit number."""
    return "int", value


def boolean(value: bool) -> Parameter:
    """A boolean."""
    return "boolean", value


def texts(values: Sequence[str | None]) -> Parameter:
    """An array of strings; None is sent as nil."""
    return "string[]", values


def rows(values: Sequence[Row]) -> Parameter:
    """An array of arrays of strings; None is sent as nil."""
    return "string[][]", values


def longs(values: Sequence[int]) -> Parameter:
    """An array of 64-bit numbers."""
    return "long[]", values


def strip_illegal(value: str) -> str:
    """`value` without the characters that XML 1.0 can't hold, lone surrogates included."""
    return _ILLEGAL.sub("", value)


def encode_call(
    service: str,
    operation: str,
    parameters: Sequence[Parameter],
    *,
    namespace: str = NAMESPACE,
) -> bytes:
    """The envelope of a call: `parameters` in the order of the WSDL, as in0, in1 ...

    Raises `ValueError`, without the value, for text that XML can't hold (see `strip_illegal`) and
    numbers out of range.
    """
    if not (_NAME.fullmatch(service) and _NAME.fullmatch(operation)):
        raise ValueError("service and operation are plain names")
    if not _NAMESPACE.fullmatch(namespace):
        raise ValueError("the namespace is no URI")
    values = [_encoded(f"in{i}", *parameter) for i, parameter in enumerate(parameters)]
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<soapenv:Envelope xmlns:soapenv="{_ENVELOPE}" xmlns:soapenc="{ENCODING}" '
        f'xmlns:xsd="{_SCHEMA}" xmlns:xsi="{INSTANCE}" xmlns:impl="{namespace}{service}">'
        f'<soapenv:Body><impl:{operation} soapenv:encodingStyle="{ENCODING}">'
        f"{''.join(values)}</impl:{operation}></soapenv:Body></soapenv:Envelope>"
    )
    if _ILLEGAL.search(document):
        raise ValueError(f"{operation}: a text holds a character that XML can't hold")
    return document.encode()


def _encoded(name: str, kind: str, value: Any) -> str:
    if kind == "string":
        return _leaf(name, value)
    if kind == "string[]":
        return _array(name, f"xsd:string[{len(value)}]", [_leaf("item", one) for one in value])
    if kind == "string[][]":
        lines = [
            _array("item", f"xsd:string[{len(row)}]", [_leaf("item", one) for one in row])
            for row in value
        ]
        return _array(name, f"xsd:string[][{len(value)}]", lines)
    if kind == "long[]":
        items = [_plain("item", "long", _number("long", one)) for one in value]
        return _array(name, f"xsd:long[{len(value)}]", items)
    if kind == "boolean":
        return _plain(name, kind, "true" if value else "false")
    return _plain(name, kind, _number(kind, value))


def _array(name: str, array_type: str, items: list[str]) -> str:
    return (
        f'<{name} soapenc:arrayType="{array_type}" xsi:type="soapenc:Array">'
        f"{''.join(items)}</{name}>"
    )


def _plain(name: str, kind: str, shown: str) -> str:
    return f'<{name} xsi:type="xsd:{kind}">{shown}</{name}>'


def _leaf(name: str, value: str | None) -> str:
    if value is None:
        return f'<{name} xsi:type="xsd:string" xsi:nil="true"/>'
    if "&" in value:
        value = value.replace("&", "&amp;")
    if "<" in value:
        value = value.replace("<", "&lt;")
    if ">" in value:  # "]]>" is not allowed in text
        value = value.replace(">", "&gt;")
    if "\r" in value:  # a parser reads a bare one as a line feed
        value = value.replace("\r", "&#13;")
    return f'<{name} xsi:type="xsd:string">{value}</{name}>'


def _number(kind: str, value: int) -> str:
    half = 1 << (BITS[kind] - 1)
    if isinstance(value, bool) or not isinstance(value, int) or not -half <= value < half:
        raise ValueError(f"a number does not fit {kind}")
    return str(value)


# ---- answers

_BODY = f"{{{_ENVELOPE}}}Body"
_FAULT = f"{{{_ENVELOPE}}}Fault"
_DECLARED_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([^"']{1,40})["']""")
# Axis 1.4 writes references for the 16-bit units of Java's strings: an emoji comes as two halves,
# which is no XML.
_HALVES = re.compile(rb"&#x(d[89ab][0-9a-f]{2});&#x(d[c-f][0-9a-f]{2});", re.IGNORECASE)


# What a transport has just judged is what its caller decodes next: it is parsed once, and let go.
_judged = threading.local()


def envelope_kind(body: bytes) -> Literal["reply", "fault"]:
    """Whether a body is a whole, well-formed envelope, and of which sort; else `NotSoap`."""
    content = _content(body)
    _judged.last = (body, content)
    return "reply" if content.find(_FAULT) is None else "fault"


def decode_reply(body: bytes, operation: str) -> Scalar | list[Any]:
    """The value that `operation` returned: None for void and nil, lists (of lists) for arrays.

    `string` and types unknown here come as text, `dateTime` aware if the vendor named the zone.
    Raises `SoapFault` for a fault and `NotSoap` for what is no answer to this operation.
    """
    last, _judged.last = getattr(_judged, "last", None), None
    content = last[1] if last is not None and last[0] is body else _content(body)
    fault = content.find(_FAULT)
    if fault is not None:
        raise fault_of(fault.findtext("faultstring") or "", fault.findtext("faultcode") or "")
    wanted = f"{operation}Response"
    answers = [one for one in content if one.tag.rpartition("}")[2] == wanted]
    if len(answers) != 1:
        raise NotSoap(f"{operation}: the envelope holds no answer to it")
    values = list(answers[0])
    if len(values) > 1:
        raise NotSoap(f"{operation}: the answer holds more than one value")
    return Reader(content, operation).value(values[0]) if values else None


def _content(body: bytes) -> etree._Element:
    """The Body element of an envelope; the byte cap is the transport's."""
    root = _parsed(body)
    if root is None:
        raise NotSoap("the body is not XML, or cut")
    bodies = root.findall(_BODY) if root.tag == f"{{{_ENVELOPE}}}Envelope" else []
    if len(bodies) != 1:
        raise NotSoap("the body is no SOAP envelope")
    return bodies[0]


def _parsed(body: bytes) -> etree._Element | None:
    # Refused before parsing: with `huge_tree` nothing else stops entities inside attributes. The
    # parser is told UTF-8, so no other encoding can hide the word from this look.
    if b"<!DOCTYPE" in body:
        raise NotSoap("the body has a DTD")
    declared = _DECLARED_ENCODING.match(body[:300].lstrip(b"\xef\xbb\xbf"))
    if declared and declared.group(1).lower() not in {b"utf-8", b"us-ascii"}:
        raise NotSoap("the body is not in UTF-8")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(_HALVES.sub(_joined, body), parser)
    except (etree.XMLSyntaxError, ValueError):
        # The error quotes the message: leave its reach before raising.
        return None


def _joined(halves: re.Match[bytes]) -> bytes:
    high, low = (int(half, 16) for half in halves.groups())
    return b"&#x%x;" % (0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
