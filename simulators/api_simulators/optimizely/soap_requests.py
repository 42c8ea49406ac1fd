"""Reads a SOAP 1.1 RPC/encoded request as Apache Axis 1.4 does: by name, else by position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from api_simulators.optimizely import faults, soap_values
from api_simulators.optimizely.operations import Operation

ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"
# In the encodings that an XML parser knows without being told.
_DOCTYPE = tuple("<!DOCTYPE".encode(name) for name in ("utf-8", "utf-16-le", "utf-16-be"))


@dataclass(slots=True, frozen=True)
class Call:
    """The operation's element and, by id, the elements that others refer to.

    `sparse` says that array items may have positions of their own.
    """

    name: str
    element: ElementTree.Element
    by_id: dict[str, ElementTree.Element]
    sparse: bool


def read_call(body: bytes) -> Call:
    """Find the operation in an envelope; raises SoapFault for what is no SOAP message."""
    if any(mark in body for mark in _DOCTYPE):
        raise faults.has_doctype()
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise faults.not_xml(str(error)) from error
    inside = root.find(f"{ENVELOPE}Body") if root.tag == f"{ENVELOPE}Envelope" else None
    if inside is None or len(inside) == 0:
        raise faults.not_xml("Bad envelope tag: " + _local(root.tag))
    by_id: dict[str, ElementTree.Element] = {}
    if b"href" in body:
        by_id = {
            element.attrib["id"]: element for element in inside.iter() if "id" in element.attrib
        }
    sparse = b"offset" in body or b"position" in body
    return Call(_local(inside[0].tag), inside[0], by_id, sparse)


def arguments(call: Call, operation: Operation, *, untyped_rows: bool) -> list[Any]:
    """Return one value per parameter of the operation, None for those not sent.

    Axis looks a child up among the real parameter names first and goes by its position else;
    neighbours of the same name become one parameter.
    """
    parameters = operation.all_parameters
    positions = {name: index for index, (name, _) in enumerate(parameters)}
    values: list[Any] = [None] * len(parameters)
    reader = soap_values.Reader(call.by_id, untyped_rows=untyped_rows, sparse=call.sparse)
    for order, same_named in enumerate(_grouped(call.element)):
        place = positions.get(_local(same_named[0].tag), order)
        if place >= len(parameters):
            continue
        values[place] = reader.read(same_named, parameters[place][1])
    return values


def _grouped(parent: ElementTree.Element) -> list[list[ElementTree.Element]]:
    groups: list[list[ElementTree.Element]] = []
    for child in parent:
        if groups and groups[-1][0].tag == child.tag:
            groups[-1].append(child)
        else:
            groups.append([child])
    return groups


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
