"""The WSDL of a service, in the shape Axis 1.4 generates, from its table of operations."""

from __future__ import annotations

from api_simulators.optimizely.operations import Kind, Operation, Service

SCHEMA_NAME = "soap-encoding.xsd"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
WSDL = "http://schemas.xmlsoap.org/wsdl/"
ARRAYS: dict[Kind, tuple[str, str]] = {
    "strings": ("ArrayOf_xsd_string", "xsd:string[]"),
    "rows": ("ArrayOfArrayOf_xsd_string", "xsd:string[][]"),
    "ints": ("ArrayOf_xsd_int", "xsd:int[]"),
    "longs": ("ArrayOf_xsd_long", "xsd:long[]"),
    "booleans": ("ArrayOf_xsd_boolean", "xsd:boolean[]"),
}


def describe(service: Service, address: str, *, located: bool) -> bytes:
    """Return the WSDL; `located` gives the encoding schema an address, for clients offline."""
    name = service.name.removeprefix("Rpc")
    operations = list(service.operations.values())
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<wsdl:definitions targetNamespace="{service.namespace}" '
        'xmlns:apachesoap="http://xml.apache.org/xml-soap" '
        f'xmlns:impl="{service.namespace}" xmlns:intf="{service.namespace}" '
        f'xmlns:soapenc="{ENCODING}" xmlns:tns2="http://lang.java" xmlns:wsdl="{WSDL}" '
        'xmlns:wsdlsoap="http://schemas.xmlsoap.org/wsdl/soap/" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
    )
    fault = '<wsdl:part name="fault" type="impl:WebserviceException"/>'
    parts = [
        head,
        _types(service, f"{address}/{SCHEMA_NAME}" if located else None),
        f'<wsdl:message name="WebserviceException">{fault}</wsdl:message>',
        *(_messages(operation) for operation in operations),
        f'<wsdl:portType name="{name}Webservice">',
        *(_port_operation(operation) for operation in operations),
        "</wsdl:portType>",
        f'<wsdl:binding name="{service.name}SoapBinding" type="impl:{name}Webservice">',
        '<wsdlsoap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>',
        *(_binding_operation(operation, service.namespace) for operation in operations),
        "</wsdl:binding>",
        f'<wsdl:service name="{name}WebserviceService">',
        f'<wsdl:port binding="impl:{service.name}SoapBinding" name="{service.name}">',
        f'<wsdlsoap:address location="{address}/{service.name}"/>',
        "</wsdl:port></wsdl:service></wsdl:definitions>",
    ]
    return "\n".join(parts).encode()


def _types(service: Service, location: str | None) -> str:
    used = {kind for operation in service.operations.values() for kind in _kinds(operation)}
    place = f' schemaLocation="{location}"' if location else ""
    arrays = "".join(
        f'<complexType name="{name}"><complexContent><restriction base="soapenc:Array">'
        f'<attribute ref="soapenc:arrayType" wsdl:arrayType="{item}"/>'
        "</restriction></complexContent></complexType>"
        for kind, (name, item) in ARRAYS.items()
        if kind in used
    )
    return (
        f'<wsdl:types><schema targetNamespace="{service.namespace}" '
        'xmlns="http://www.w3.org/2001/XMLSchema">'
        '<import namespace="http://lang.java"/>'
        f'<import namespace="{ENCODING}"{place}/>'
        '<complexType name="WebserviceException"><sequence>'
        '<element name="cause" nillable="true" type="xsd:anyType"/>'
        '<element name="message" nillable="true" type="xsd:string"/>'
        f"</sequence></complexType>{arrays}</schema></wsdl:types>"
    )


def _kinds(operation: Operation) -> list[Kind]:
    kinds = [kind for _, kind in operation.all_parameters]
    return kinds if operation.returns is None else [*kinds, operation.returns]


def _type(kind: Kind) -> str:
    return f"impl:{ARRAYS[kind][0]}" if kind in ARRAYS else f"xsd:{kind}"


def _messages(operation: Operation) -> str:
    parts = "".join(
        f'<wsdl:part name="in{index}" type="{_type(kind)}"/>'
        for index, (_, kind) in enumerate(operation.all_parameters)
    )
    result = ""
    if operation.returns is not None:
        result = f'<wsdl:part name="{operation.name}Return" type="{_type(operation.returns)}"/>'
    return (
        f'<wsdl:message name="{operation.name}Request">{parts}</wsdl:message>'
        f'<wsdl:message name="{operation.name}Response">{result}</wsdl:message>'
    )


def _port_operation(operation: Operation) -> str:
    order = " ".join(f"in{index}" for index in range(len(operation.all_parameters)))
    ordered = f' parameterOrder="{order}"' if order else ""
    name = operation.name
    return (
        f'<wsdl:operation name="{name}"{ordered}>'
        f'<wsdl:input message="impl:{name}Request" name="{name}Request"/>'
        f'<wsdl:output message="impl:{name}Response" name="{name}Response"/>'
        '<wsdl:fault message="impl:WebserviceException" name="WebserviceException"/>'
        "</wsdl:operation>"
    )


def _binding_operation(operation: Operation, namespace: str) -> str:
    use = f'encodingStyle="{ENCODING}" namespace="{namespace}" use="encoded"'
    name = operation.name
    return (
        f'<wsdl:operation name="{name}"><wsdlsoap:operation soapAction=""/>'
        f'<wsdl:input name="{name}Request"><wsdlsoap:body {use}/></wsdl:input>'
        f'<wsdl:output name="{name}Response"><wsdlsoap:body {use}/></wsdl:output>'
        '<wsdl:fault name="WebserviceException">'
        f'<wsdlsoap:fault name="WebserviceException" {use}/></wsdl:fault></wsdl:operation>'
    )


def schema() -> bytes:
    """Return what of the SOAP encoding schema the services use: Array, and string with an id."""
    return _SCHEMA.encode()


_SCHEMA = f"""<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:tns="{ENCODING}"
    targetNamespace="{ENCODING}">
  <xs:attribute name="arrayType" type="xs:string"/>
  <xs:attribute name="offset" type="xs:string"/>
  <xs:attribute name="position" type="xs:string"/>
  <xs:attribute name="root" type="xs:string"/>
  <xs:attributeGroup name="commonAttributes">
    <xs:attribute name="id" type="xs:ID"/>
    <xs:attribute name="href" type="xs:anyURI"/>
    <xs:anyAttribute namespace="##other" processContents="lax"/>
  </xs:attributeGroup>
  <xs:group name="Array">
    <xs:sequence>
      <xs:any namespace="##any" minOccurs="0" maxOccurs="unbounded" processContents="lax"/>
    </xs:sequence>
  </xs:group>
  <xs:complexType name="Array">
    <xs:group ref="tns:Array" minOccurs="0"/>
    <xs:attribute ref="tns:arrayType"/>
    <xs:attribute ref="tns:offset"/>
    <xs:attributeGroup ref="tns:commonAttributes"/>
  </xs:complexType>
  <xs:complexType name="string">
    <xs:simpleContent>
      <xs:extension base="xs:string">
        <xs:attributeGroup ref="tns:commonAttributes"/>
      </xs:extension>
    </xs:simpleContent>
  </xs:complexType>
</xs:schema>
"""
