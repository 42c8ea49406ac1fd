"""zeep as a client of the simulated SOAP services, without anything fetched from outside.

The services' WSDLs import the SOAP encoding schema without saying where it is, and zeep would
fetch it from its namespace's address. It gets the part that the services use from here instead,
with Array modelled as a group, the form in which zeep sees arrays.
"""

from __future__ import annotations

from typing import Any

import requests
import zeep
from zeep.transports import Transport

ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
SCHEMA = f"""
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:enc="{ENCODING}"
           targetNamespace="{ENCODING}">
  <xs:attribute name="arrayType" type="xs:string"/>
  <xs:group name="Array">
    <xs:sequence>
      <xs:any namespace="##any" minOccurs="0" maxOccurs="unbounded" processContents="lax"/>
    </xs:sequence>
  </xs:group>
  <xs:complexType name="Array">
    <xs:group ref="enc:Array" minOccurs="0"/>
    <xs:attribute ref="enc:arrayType"/>
    <xs:anyAttribute namespace="##other" processContents="lax"/>
  </xs:complexType>
  <xs:complexType name="string">
    <xs:simpleContent>
      <xs:extension base="xs:string"><xs:anyAttribute namespace="##other"/></xs:extension>
    </xs:simpleContent>
  </xs:complexType>
</xs:schema>
"""
ROWS = "ArrayOfArrayOf_xsd_string"


class Offline(Transport):  # type: ignore[misc, unused-ignore]
    """Loads the encoding schema from this file, everything else from the simulator."""

    def load(self, url: str) -> Any:
        return SCHEMA.encode() if url == ENCODING else super().load(url)


class Zeep:
    """A zeep client of one service; `offline=False` takes the schema the WSDL points to."""

    def __init__(self, url: str, service: str, *, offline: bool = True) -> None:
        self.http = requests.Session()
        transport = (Offline if offline else Transport)(session=self.http, timeout=60)
        self.client = zeep.Client(f"{url}/soap11/{service}?wsdl", transport=transport)
        self.urn = f"urn:api.broadmail.de/soap11/{service}"

    def operations(self) -> dict[str, list[str]]:
        """Every operation with the local names of its parameters' types."""
        bound = self.client.service._binding._operations
        return {
            name: [part.type.name for part in operation.input.abstract.parts.values()]
            for name, operation in bound.items()
        }

    def array(self, kind: str, values: list[Any]) -> Any:
        """A one-dimensional array; zeep wants it typed."""
        return self.client.get_type(f"{{{self.urn}}}ArrayOf_xsd_{kind}")(values)

    def call(self, operation: str, *arguments: Any) -> Any:
        """Call with in0, in1, ...; lists of text and of numbers become arrays."""
        sent = [self._argument(value) for value in arguments]
        return plain(self.client.service[operation](*sent))

    def _argument(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return self.array("long" if value and isinstance(value[0], int) else "string", value)


def plain(value: Any) -> Any:
    """What zeep returns without its wrappers: text, numbers, truth, lists of them."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if hasattr(value, "_value_1"):
        return plain(value._value_1)
    return value
