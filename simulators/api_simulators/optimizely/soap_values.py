"""One parameter's value from its element: scalars, arrays in every shape Axis takes, references."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element

from api_simulators.optimizely import faults
from api_simulators.optimizely.operations import Kind

XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
ENCODING = "{http://schemas.xmlsoap.org/soap/encoding/}"
ARRAY_TYPE = f"{ENCODING}arrayType"
_ARRAY_TYPE = re.compile(r"(?:.*:)?(\w+)((?:\[[\d,]*\])*)\[([\d,]*)\]", re.DOTALL)
PLAIN = frozenset({"xsd:string", "xs:string", "soapenc:string"})
_TRUE = frozenset({"true", "1"})

SCALARS: dict[str, Kind] = {
    "strings": "string",
    "rows": "string",
    "ints": "int",
    "longs": "long",
    "booleans": "boolean",
}
JAVA: dict[str, str] = {
    "string": "java.lang.String",
    "long": "long",
    "int": "int",
    "boolean": "boolean",
    "dateTime": "java.util.Calendar",
    "strings": "[Ljava.lang.String;",
    "rows": "[[Ljava.lang.String;",
    "ints": "[I",
    "longs": "[J",
    "booleans": "[Z",
}
XSI_JAVA = {
    "string": "class java.lang.String",
    "long": "class java.lang.Long",
    "int": "class java.lang.Integer",
    "short": "class java.lang.Short",
    "boolean": "class java.lang.Boolean",
    "float": "class java.lang.Float",
    "double": "class java.lang.Double",
    "dateTime": "class java.util.Date",
    "Array": "class java.util.ArrayList",
}


def _long(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d+", text, re.ASCII) or not -(2**63) <= int(text) < 2**63:
        raise faults.not_a_number(text)
    return int(text)


def _int(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d+", text, re.ASCII) or not -(2**31) <= int(text) < 2**31:
        raise faults.not_a_number(text)
    return int(text)


def _boolean(text: str) -> bool:
    return text in _TRUE


def _date_time(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise faults.SoapFault(
            f"java.lang.NumberFormatException: Invalid dateTime: {text}"
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


CONVERT: dict[str, Callable[[str], Any]] = {
    "string": str,
    "long": _long,
    "int": _int,
    "boolean": _boolean,
    "dateTime": _date_time,
}


class Reader:
    """Reads values of one call; `by_id` are the elements that href can mean.

    Only where the call is `sparse` are arrays looked through for positions.
    """

    def __init__(self, by_id: dict[str, Element], *, untyped_rows: bool, sparse: bool) -> None:
        self._by_id = by_id
        self._untyped_rows = untyped_rows
        self._sparse = sparse

    def read(self, elements: list[Element], kind: Kind) -> Any:
        """Return the value of a parameter; raises SoapFault where Axis would not take it."""
        if kind not in SCALARS:
            if len(elements) > 1:
                raise faults.bad_types(XSI_JAVA["Array"], JAVA[kind])
            return self._scalar(elements[0], kind)
        if len(elements) > 1:
            if kind == "rows" or any(len(element) for element in elements):
                raise faults.bad_types(XSI_JAVA["Array"], JAVA[kind])
            return [self._scalar(element, SCALARS[kind]) for element in elements]
        array = self._resolve(elements[0])
        if _is_nil(array):
            return None
        return self._rows(array) if kind == "rows" else self._items(array, kind)

    def _resolve(self, element: Element) -> Element:
        href = element.attrib.get("href")
        if href is None:
            return element
        target = self._by_id.get(href.removeprefix("#"))
        if target is None:
            raise faults.SoapFault(f"org.xml.sax.SAXException: Unresolved reference: {href}")
        return target

    def _scalar(self, element: Element, kind: Kind) -> Any:
        attributes = element.attrib
        if attributes:
            if "href" in attributes:
                element = self._resolve(element)
                attributes = element.attrib
            declared = attributes.get(XSI_TYPE)
            if declared is not None:
                local = declared.rpartition(":")[2]
                if local != kind:
                    raise faults.bad_types(XSI_JAVA.get(local, f"class {local}"), JAVA[kind])
            if XSI_NIL in attributes and attributes[XSI_NIL].strip() in _TRUE:
                return None
        if len(element):
            raise faults.unexpected_child()
        text = element.text or ""
        return text if kind == "string" else CONVERT[kind](text.strip())

    def _items(self, array: Element, kind: Kind) -> list[Any]:
        item = SCALARS[kind]
        base, _, _ = self._check_array(array, kind)
        if base is None and len(array) == 0 and (array.text or "").strip():
            raise faults.bad_types(XSI_JAVA["string"], JAVA[kind])
        if item == "string":
            values = [
                child.text or "" if _is_plain(child) else self._scalar(child, item)
                for child in array
            ]
        else:
            values = [self._scalar(child, item) for child in array]
        return _placed(array, values) if self._sparse else values

    def _rows(self, array: Element) -> list[list[str | None] | None]:
        base, inner, size = self._check_array(array, "rows")
        if base is not None and not inner and "," in size:
            return _rectangle([self._scalar(child, "string") for child in array], size)
        rows: list[list[str | None] | None] = []
        for child in array:
            row = self._resolve(child)
            if _is_nil(row):
                rows.append(None)
                continue
            typed = ARRAY_TYPE in row.attrib or XSI_TYPE in row.attrib
            if not typed and not self._untyped_rows and len(row):
                raise faults.unexpected_child()
            rows.append(self._items(row, "strings"))
        return _placed(array, rows) if self._sparse else rows

    def _check_array(self, array: Element, kind: Kind) -> tuple[str | None, str, str]:
        """Check declared types; returns the arrayType's base type, inner brackets, and size."""
        declared = array.attrib.get(XSI_TYPE)
        if declared is not None:
            local = declared.rpartition(":")[2]
            if local != "Array" and not local.startswith("ArrayOf"):
                raise faults.bad_types(XSI_JAVA.get(local, f"class {local}"), JAVA[kind])
        array_type = array.attrib.get(ARRAY_TYPE)
        if array_type is None:
            return None, "", ""
        base, inner, size = _array_type(array_type)
        if base not in {SCALARS[kind], "anyType", "ur-type"}:
            raise faults.bad_types(f"[{XSI_JAVA.get(base, base)}", JAVA[kind])
        return base, inner, size


@lru_cache(maxsize=4096)
def _array_type(declared: str) -> tuple[str, str, str]:
    found = _ARRAY_TYPE.fullmatch(declared.strip())
    if found is None:
        raise faults.SoapFault(f"org.xml.sax.SAXException: Could not parse arrayType '{declared}'")
    return found[1], found[2], found[3]


def _is_plain(leaf: Element) -> bool:
    """Say whether a leaf is text and nothing else, as nearly all are."""
    attributes = leaf.attrib
    return not len(leaf) and (
        not attributes or (len(attributes) == 1 and attributes.get(XSI_TYPE) in PLAIN)
    )


def _is_nil(element: Element) -> bool:
    return element.attrib.get(XSI_NIL, "").strip() in _TRUE


def _rectangle(flat: list[str | None], size: str) -> list[list[str | None] | None]:
    width = int(size.split(",")[-1] or 0)
    if width <= 0:
        raise faults.SoapFault(f"org.xml.sax.SAXException: Could not parse arrayType [{size}]")
    return [flat[start : start + width] for start in range(0, len(flat), width)]


def _placed(array: Element, values: list[Any]) -> list[Any]:
    """Put values where soapenc:offset and soapenc:position say; the gaps are null."""
    offset = array.attrib.get(f"{ENCODING}offset")
    position = f"{ENCODING}position"
    if offset is None and not any(position in child.attrib for child in array):
        return values
    next_index = _index(offset) if offset is not None else 0
    placed: dict[int, Any] = {}
    for child, value in zip(array, values, strict=True):
        if position in child.attrib:
            next_index = _index(child.attrib[position])
        placed[next_index] = value
        next_index += 1
    return [placed.get(index) for index in range(max(placed, default=-1) + 1)]


def _index(text: str) -> int:
    found = re.fullmatch(r"\[(\d{1,6})\]", text.strip(), re.ASCII)
    if found is None:
        raise faults.SoapFault(f"org.xml.sax.SAXException: Bad array index '{text}'")
    return int(found[1])
