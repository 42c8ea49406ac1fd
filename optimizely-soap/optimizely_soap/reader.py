"""Values of an answer: references, arrays and typed scalars become Python's own.

Kept apart from the envelope around them. What can't be read without guessing is `NotSoap`: a
reference to nothing or in a circle, a sparse array, one that is not as long as it says, a number
that is none.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

from lxml import etree

from optimizely_soap.faults import NotSoap

ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

Scalar = None | str | int | bool | float | datetime

#: Bits of the numbers that SOAP names.
BITS = {"byte": 8, "short": 16, "int": 32, "long": 64}

_TYPE = f"{{{INSTANCE}}}type"
_NIL = f"{{{INSTANCE}}}nil"
_ARRAY_TYPE = f"{{{ENCODING}}}arrayType"
_OFFSET = f"{{{ENCODING}}}offset"
_POSITION = f"{{{ENCODING}}}position"
_ARRAY_SIZE = re.compile(r"(?:[^:\[\]]+:)?([A-Za-z]+)((?:\[\])?)\[([0-9]{0,9})\]", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
#: What bulk reading knows: codes and truths. All else is rare.
_PLAIN: dict[str, dict[str, Any]] = {
    "boolean": {"true": True, "false": False},
    "int": {str(number): number for number in range(1000)},
}
_DIMENSIONS = 2
_HOPS = 8


class Reader:
    """Reads the values of one envelope. Each reference is read once, so none can blow up."""

    def __init__(self, content: etree._Element, operation: str) -> None:
        self._content = content
        self._operation = operation
        self._targets: dict[str, etree._Element] | None = None
        self._read: dict[str, Any] = {}
        self._open: set[str] = set()

    def value(self, element: etree._Element, kind: str = "", depth: int = 0) -> Any:
        """The value of an element; `kind` is what its array says where it says nothing itself."""
        href = element.get("href")
        if href is not None:
            return self._referred(href, kind, depth)
        if element.get(_NIL) in {"true", "1"}:
            return None
        own = (element.get(_TYPE) or kind).rpartition(":")[2]
        array_type = element.get(_ARRAY_TYPE)
        if array_type is not None or own.startswith("Array"):
            return self._array(element, array_type, depth)
        if len(element):
            raise self._refused("a value has elements inside")
        return self._scalar(own, element.text or "")

    def _referred(self, href: str, kind: str, depth: int) -> Any:
        if href in self._read:
            return self._read[href]
        if self._targets is None:
            self._targets = self._index()
        target = self._targets.get(href[1:]) if href.startswith("#") else None
        if target is None:
            raise self._refused("a reference leads nowhere")
        if href in self._open or len(self._open) >= _HOPS:
            raise self._refused("references lead in a circle")
        self._open.add(href)
        value = self._read[href] = self.value(target, kind, depth)
        self._open.discard(href)
        return value

    def _index(self) -> dict[str, etree._Element]:
        targets: dict[str, etree._Element] = {}
        for element in self._content.iterfind(".//*[@id]"):
            if targets.setdefault(element.get("id") or "", element) is not element:
                raise self._refused("two elements have the same id")
        return targets

    def _array(self, element: etree._Element, array_type: str | None, depth: int) -> list[Any]:
        if depth >= _DIMENSIONS:
            raise self._refused("arrays nest too deep")
        declared = _ARRAY_SIZE.fullmatch(array_type.strip()) if array_type else None
        if array_type and declared is None:
            raise self._refused("an array has an unknown arrayType")
        kind, is_nested, size = declared.groups() if declared else ("", "", "")
        if size and int(size) != len(element):
            raise self._refused("an array is not as long as it says")
        if element.get(_OFFSET) is not None:
            raise self._refused("an array is sparse")
        item_kind = "Array" if is_nested else kind
        if not is_nested and (quick := self._flags(element, kind)) is not None:
            return quick
        items = []
        for child in element:
            if child.get(_POSITION) is not None:
                raise self._refused("an array is sparse")
            items.append(self.value(child, item_kind, depth + 1))
        return items

    def _flags(self, element: etree._Element, kind: str) -> list[Any] | None:
        """The usual answer about many: references to scalars of one type, each its own.

        Read in bulk, since nearly all of a transfer's answers are such arrays; None for anything
        out of the ordinary, which then is read one by one with all the questions that takes.
        """
        convert = _PLAIN.get(kind)
        if convert is None:
            return None
        if self._targets is None:
            self._targets = self._index()
        items: list[Any] = []
        for child in element:
            href = child.get("href")
            target = self._targets.get(href[1:]) if href else None
            if target is None or len(child.attrib) != 1 or len(target):
                return None
            value = convert.get(target.text or "")
            shown = target.get(_TYPE)
            if value is None or target.get("href") or shown is None or shown[-len(kind) :] != kind:
                return None
            items.append(value)
        return items

    def _scalar(self, kind: str, shown: str) -> Scalar:
        if kind in BITS:
            return self._integer(kind, shown.strip())
        if kind == "boolean":
            if shown.strip() not in _BOOLEANS:
                raise self._refused("a boolean is none")
            return _BOOLEANS[shown.strip()]
        if kind == "dateTime":
            return self._moment(shown.strip())
        if kind in {"float", "double"}:
            return self._float(shown.strip())
        return shown

    def _integer(self, kind: str, shown: str) -> int:
        half = 1 << (BITS[kind] - 1)
        if not _INTEGER.fullmatch(shown) or not -half <= int(shown) < half:
            raise self._refused(f"a value is no {kind}")
        return int(shown)

    def _float(self, shown: str) -> float:
        special = {"INF": math.inf, "-INF": -math.inf, "NaN": math.nan}
        if shown in special:
            return special[shown]
        if not _FLOAT.fullmatch(shown):
            raise self._refused("a value is no number")
        return float(shown)

    def _moment(self, shown: str) -> datetime:
        moment = None
        if _MOMENT.fullmatch(shown):
            try:
                moment = datetime.fromisoformat(shown)
            except ValueError:
                moment = None
        if moment is None:
            raise self._refused("a value is no dateTime")
        return moment

    def _refused(self, why: str) -> NotSoap:
        return NotSoap(f"{self._operation}: {why}")
