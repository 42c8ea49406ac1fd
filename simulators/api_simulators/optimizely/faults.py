"""Everything that ends a SOAP call badly, in the words that were recorded or stand in Axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api_simulators.optimizely.operations import BusinessError, Operation

AXIS_NAMESPACE = "http://xml.apache.org/axis/"
IMPL = "broadmail.api.soap11.impl.WebserviceImplException"


class SoapFault(Exception):
    """A fault as it goes out; `code` without prefix, such as Client or Server.userException."""

    def __init__(self, text: str, code: str = "Server.userException") -> None:
        super().__init__(text)
        self.text = text
        self.code = code

    @property
    def is_axis_code(self) -> bool:
        """Say whether the code is one of Axis's own, which has Axis's namespace."""
        return self.code in {"Client.NoSOAPAction", "Server.NoService"}


def no_soap_action() -> SoapFault:
    """The header SOAPAction is missing (Axis)."""
    return SoapFault("no SOAPAction header!", "Client.NoSOAPAction")


def no_service(name: str) -> SoapFault:
    """Nothing is deployed under this name (Axis)."""
    text = f"The AXIS engine could not find a target service to invoke!  targetService is {name}"
    return SoapFault(text, "Server.NoService")


def no_operation(name: str) -> SoapFault:
    """The service has no such operation (Axis)."""
    return SoapFault(f"No such operation '{name}'", "Client")


def bad_types(found: str, wanted: str) -> SoapFault:
    """The xsi:type of a parameter does not fit (Axis); both in Java's spelling."""
    return SoapFault(f"org.xml.sax.SAXException: Bad types ({found} -> {wanted})")


def not_a_number(text: str) -> SoapFault:
    """A parameter is no number (Java)."""
    return SoapFault(f'java.lang.NumberFormatException: For input string: "{text}"')


def unexpected_child() -> SoapFault:
    """A value has elements inside (Axis)."""
    return SoapFault(
        "org.xml.sax.SAXException: SimpleDeserializer encountered a child element, which is NOT "
        "expected, in something it was trying to deserialize."
    )


def not_xml(reason: str) -> SoapFault:
    """The body does not parse (Axis hands on what the XML parser says)."""
    return SoapFault(f"org.xml.sax.SAXParseException: {reason}")


def has_doctype() -> SoapFault:
    """A SOAP message must not contain a DTD."""
    return SoapFault("org.xml.sax.SAXException: DTDs are not allowed in SOAP messages.")


def too_many_connections() -> SoapFault:
    """One connection more than the client may have (guess)."""
    return SoapFault(f"{IMPL}: Too many connections")


def invalid_credentials() -> SoapFault:
    """A login is refused (recorded)."""
    return SoapFault(f"{IMPL}: Invalid credentials.")


def invalid_session(session_id: str | None) -> SoapFault:
    """A session is unknown or too old; the id comes back (recorded)."""
    return SoapFault(
        "optivo.core.util.DontLogMeException: broadmail.api.soap11.impl."
        f"InvalidWebserviceSessionException: Invalid sessionId: {_echo(session_id)}"
    )


def business(
    error: BusinessError,
    origin: tuple[str, int, str],
    operation: Operation,
    arguments: Sequence[Any],
) -> SoapFault:
    """A call is refused; session id, client, user and all arguments come back (recorded)."""
    session_id, client_id, user = origin
    where = f"[{session_id},{client_id},{user}]"
    named = ", ".join(
        f"{name}='{_echo(value)}'"
        for (name, _), value in zip(operation.parameters, arguments, strict=True)
    )
    text = f"{IMPL}: {where} {error.text} for call: {named}"
    if error.cause is not None:
        text += f"; caused by: {where} {error.cause} for call: {named}"
    return SoapFault(text)


def _echo(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_echo(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
