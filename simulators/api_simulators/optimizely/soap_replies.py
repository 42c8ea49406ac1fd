"""Writes answers byte-like Apache Axis 1.4: multiRefs, soapenc types, character references."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from typing import Any

from api_simulators.optimizely.faults import AXIS_NAMESPACE, SoapFault
from api_simulators.optimizely.operations import Kind
from api_simulators.switches import Switches
from api_simulators.wire import Answer

SOAP_TYPE = "text/xml;charset=utf-8"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
_OPEN = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
)
_CLOSE = "</soapenv:Body></soapenv:Envelope>"
# Everything but the ASCII that stands for itself.
_SPECIAL = re.compile(r"[^\t\n\r !#-%'-;=?-~]")
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
# What XML 1.0 has no way to write.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
ITEMS: dict[str, str] = {"ints": "int", "longs": "long", "booleans": "boolean"}


class Writer:
    """Writes the answers of one service the way the switches say."""

    def __init__(self, namespace: str, switches: Switches) -> None:
        self._namespace = namespace
        self._inline = switches["int_arrays"] == "inline"
        self._scrambled = switches["multiref_order"] == "scrambled"
        self._surrogates = switches["astral_references"] == "surrogates"

    def reply(self, operation: str, kind: Kind | None, value: Any) -> bytes:
        """Return the envelope around an operation's value; kind None is void."""
        name = f"{operation}Return"
        after = ""
        if kind is None:
            inside = ""
        elif kind in {"int", "long", "boolean"}:
            inside, after = self._references([value], kind, name)
        elif kind in ITEMS:
            inside, after = self._numbers(value, ITEMS[kind], name)
        else:
            inside = self._text(value, kind, name)
        return (
            f'{_OPEN}<ns1:{operation}Response soapenv:encodingStyle="{ENCODING}" '
            f'xmlns:ns1="{self._namespace}">{inside}</ns1:{operation}Response>{after}{_CLOSE}'
        ).encode("ascii")

    def _text(self, value: Any, kind: Kind, name: str) -> str:
        escaped = self.escape
        soapenc = f'xmlns:soapenc="{ENCODING}"'
        if kind == "dateTime":
            if value is None:
                return f'<{name} xsi:type="xsd:dateTime" xsi:nil="true"/>'
            return f'<{name} xsi:type="xsd:dateTime">{date_time(value)}</{name}>'
        if kind == "string":
            if value is None:
                return f'<{name} xsi:type="soapenc:string" xsi:nil="true" {soapenc}/>'
            return f'<{name} xsi:type="soapenc:string" {soapenc}>{escaped(value)}</{name}>'
        start = f'<{name} xsi:type="soapenc:string">'
        nil = f'<{name} xsi:type="soapenc:string" xsi:nil="true"/>'
        end = f"</{name}>"

        def leaves(items: list[str | None]) -> str:
            return "".join(
                nil if item is None else f"{start}{escaped(item)}{end}" for item in items
            )

        if kind == "strings":
            return _array("string", f"[{len(value)}]", name, leaves(value), soapenc)
        rows = "".join(_array("string", f"[{len(row)}]", name, leaves(row), "") for row in value)
        return _array("string", f"[][{len(value)}]", name, rows, soapenc)

    def _numbers(self, values: list[Any], item: str, name: str) -> tuple[str, str]:
        if self._inline:
            inside = "".join(
                f'<{name} xsi:type="xsd:{item}">{_number(value)}</{name}>' for value in values
            )
            after = ""
        else:
            inside, after = self._references(values, item, name)
        opened = (
            f'<{name} soapenc:arrayType="xsd:{item}[{len(values)}]" xsi:type="soapenc:Array" '
            f'xmlns:soapenc="{ENCODING}">'
        )
        return f"{opened}{inside}</{name}>", after

    def _references(self, values: list[Any], item: str, name: str) -> tuple[str, str]:
        """Return the references, and the multiRef elements in the order they go out."""
        inside = "".join(f'<{name} href="#id{index}"/>' for index in range(len(values)))
        rest = (
            f'" soapenc:root="0" soapenv:encodingStyle="{ENCODING}" xsi:type="xsd:{item}" '
            f'xmlns:soapenc="{ENCODING}">'
        )
        multi = [
            f'<multiRef id="id{index}{rest}{_number(value)}</multiRef>'
            for index, value in enumerate(values)
        ]
        if self._scrambled and len(multi) > 1:
            random.Random(len(multi)).shuffle(multi)
            multi.append(multi.pop(0))
        return inside, "".join(multi)

    def escape(self, text: str) -> str:
        """Return text as Axis writes it: everything beyond ASCII as a hexadecimal reference."""
        if _SPECIAL.search(text) is None:
            return text
        return _SPECIAL.sub(self._reference, _ILLEGAL.sub("", text))

    def _reference(self, found: re.Match[str]) -> str:
        character = found[0]
        if character in _NAMED:
            return _NAMED[character]
        if self._surrogates and ord(character) > 0xFFFF:
            pair = character.encode("utf-16-be")
            return f"&#x{pair[:2].hex()};&#x{pair[2:].hex()};"
        return f"&#x{ord(character):x};"

    def fault(self, fault: SoapFault, host: str, *, stack_trace: bool) -> bytes:
        """Return the envelope of a fault; there is no faultactor."""
        prefix, declared = "soapenv", ""
        if fault.is_axis_code:
            prefix, declared = "ns1", f' xmlns:ns1="{AXIS_NAMESPACE}"'
        text = self.escape(fault.text)
        trace = f"{text}&#xa;\tat org.apache.axis.message.RPCHandler" if stack_trace else None
        details = [("stackTrace", trace), ("hostname", self.escape(host))]
        detail = "".join(
            f'<ns2:{name} xmlns:ns2="{AXIS_NAMESPACE}">{value}</ns2:{name}>'
            for name, value in details
            if value is not None
        )
        return (
            f"{_OPEN}<soapenv:Fault><faultcode{declared}>{prefix}:{fault.code}</faultcode>"
            f"<faultstring>{text}</faultstring><detail>{detail}</detail></soapenv:Fault>{_CLOSE}"
        ).encode("ascii")


def answer(status: int, body: bytes, switches: Switches) -> Answer:
    """Return a SOAP envelope as an answer; a fault also ends the connection."""
    headers = {"Server": "Apache", "P3P": 'policyref="/w3c/p3p.xml", CP="NOI DSP COR NID"'}
    if status != 200:
        headers["Connection"] = "close"
    return Answer(
        status, body, SOAP_TYPE, headers, chunked=status == 200 and switches["chunked_replies"]
    )


def date_time(seconds: float) -> str:
    """Return seconds since 1970 as Axis writes a Calendar: UTC with milliseconds."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _array(item: str, brackets: str, name: str, inside: str, declared: str) -> str:
    opened = f'<{name} soapenc:arrayType="soapenc:{item}{brackets}" xsi:type="soapenc:Array"'
    return f"{opened}{' ' if declared else ''}{declared}>{inside}</{name}>"


def _number(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
