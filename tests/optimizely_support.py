"""A small SOAP client of the tests' own: it formats strings, reads with ElementTree, hides nothing.

It shares no code with what it tests. `Soap(simulator.url).login()` opens a session;
`.call("RpcRecipient", "getCount", long(list_id), long(0))` puts it in front and returns the value.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import requests

CLIENT = 1234
REGULAR = 120000000001
OPTIN = 120000000002
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
NUMBERS = {"int", "long"}
TRUTH = {"true": True, "1": True, "false": False, "0": False}


class Param(str):
    """One parameter's attributes and content, as they stand inside its element."""

    __slots__ = ()


class Fault(Exception):
    """A SOAP fault with its code and its text."""

    def __init__(self, code: str, text: str, detail: dict[str, str]) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text, self.detail = code, text, detail


def raw(attributes: str, content: str = "") -> Param:
    """A parameter written by hand."""
    return Param(f"{' ' if attributes else ''}{attributes}>{content}")


def _leaf(kind: str, value: Any) -> Param:
    if value is None:
        return raw(f'xsi:type="xsd:{kind}" xsi:nil="true"')
    return raw(f'xsi:type="xsd:{kind}"', escape(str(value)))


def text(value: str | None) -> Param:
    return _leaf("string", value)


def long(value: int | None) -> Param:
    return _leaf("long", value)


def int_(value: int | None) -> Param:
    return _leaf("int", value)


def boolean(value: bool | None) -> Param:
    return _leaf("boolean", None if value is None else str(value).lower())


def moment(value: str | None) -> Param:
    return _leaf("dateTime", value)


def _array(kind: str, count: int, content: str, inner: str = "") -> Param:
    typed = f'soapenc:arrayType="xsd:{kind}{inner}[{count}]" xsi:type="soapenc:Array"'
    return raw(typed, content)


def texts(values: Sequence[str | None]) -> Param:
    content = "".join(f"<item{text(value)}</item>" for value in values)
    return _array("string", len(values), content)


def longs(values: Sequence[int]) -> Param:
    content = "".join(f"<item{long(value)}</item>" for value in values)
    return _array("long", len(values), content)


def rows(values: Sequence[Sequence[str | None]]) -> Param:
    content = "".join(f"<item{texts(row)}</item>" for row in values)
    return _array("string", len(values), content, "[]")


def envelope(service: str, operation: str, params: Sequence[Param], after: str = "") -> bytes:
    """The request; parameters become in0, in1, ...; `after` follows the operation's element."""
    inside = "".join(f"<in{index}{param}</in{index}>" for index, param in enumerate(params))
    return (
        f'<soapenv:Envelope xmlns:soapenv="{ENVELOPE}" xmlns:soapenc="{ENCODING}" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
        f'<impl:{operation} xmlns:impl="urn:api.broadmail.de/soap11/{service}">{inside}'
        f"</impl:{operation}>{after}</soapenv:Body></soapenv:Envelope>"
    ).encode()


def decode(body: bytes, operation: str) -> Any:
    """The value in an answer; raises Fault."""
    inside = ElementTree.fromstring(body).find(f"{{{ENVELOPE}}}Body")
    assert inside is not None
    fault = inside.find(f"{{{ENVELOPE}}}Fault")
    if fault is not None:
        detail = {item.tag.rpartition("}")[2]: item.text or "" for item in fault.iter("*")}
        raise Fault(fault.findtext("faultcode", ""), fault.findtext("faultstring", ""), detail)
    assert inside[0].tag.endswith(f"}}{operation}Response"), inside[0].tag
    by_id = {element.attrib["id"]: element for element in inside if "id" in element.attrib}
    returned = inside[0].find(f"{operation}Return")
    return None if returned is None else _value(returned, by_id)


def _value(element: ElementTree.Element, by_id: dict[str, ElementTree.Element]) -> Any:
    if "href" in element.attrib:
        element = by_id[element.attrib["href"].removeprefix("#")]
    if element.attrib.get(f"{INSTANCE}nil") == "true":
        return None
    if f"{{{ENCODING}}}arrayType" in element.attrib:
        return [_value(child, by_id) for child in element]
    kind = element.attrib[f"{INSTANCE}type"].rpartition(":")[2]
    content = element.text or ""
    if kind in NUMBERS:
        return int(content)
    return TRUTH[content] if kind == "boolean" else content


class Soap:
    """A client of one simulator: `url` is the vendor's base address."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/soap11"
        self.http = requests.Session()
        self.session_id = ""

    def login(
        self, user: str = "sim-user", password: str = "sim-password", client: int = CLIENT
    ) -> Soap:
        """Open a session and keep it for the calls to come."""
        arguments = (long(client), text(user), text(password))
        self.session_id = self.without_session("RpcSession", "login", *arguments)
        return self

    def call(self, service: str, operation: str, *params: Param) -> Any:
        """Make a call in the session; raises Fault."""
        return self.without_session(service, operation, text(self.session_id), *params)

    def without_session(self, service: str, operation: str, *params: Param) -> Any:
        """Make a call of exactly these parameters; raises Fault."""
        answer = self.post(service, envelope(service, operation, params))
        return decode(answer.content, operation)

    def post(
        self, service: str, body: bytes, headers: dict[str, str | None] | None = None
    ) -> requests.Response:
        """Send bytes; `headers` replace those a client sends, None leaves one out."""
        sent = {"Content-Type": "text/xml;charset=UTF-8", "SOAPAction": '""'} | (headers or {})
        return self.http.post(
            f"{self.url}/{service}",
            data=body,
            headers={name: value for name, value in sent.items() if value is not None},
            timeout=60,
        )

    def add(
        self,
        list_id: int,
        people: Sequence[str],
        names: Sequence[str] = (),
        values: Sequence[Sequence[str | None]] | None = None,
        process: int = 0,
    ) -> list[int]:
        """addAll3 with the ids as addresses; returns the codes."""
        codes: list[int] = self.call(
            "RpcRecipient",
            "addAll3",
            long(list_id),
            long(process),
            texts(people),
            texts(people),
            texts(names),
            rows([[] for _ in people] if values is None else values),
        )
        return codes

    def count(self, list_id: int = REGULAR) -> int:
        """The number of recipients on a list."""
        count: int = self.call("RpcRecipient", "getCount", long(list_id), long(0))
        return count

    def __enter__(self) -> Soap:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()
