"""What a SOAP service is made of: operations with their documented parameters and their deed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "string",
    "long",
    "int",
    "boolean",
    "dateTime",
    "strings",
    "rows",
    "ints",
    "longs",
    "booleans",
]


@dataclass(frozen=True)
class Operation:
    """One operation: `parameters` by their documented names, without the session's.

    `run(client, session, *args)` gets every argument as `str`, `int`, `bool`, seconds since 1970
    (dateTime), lists of these, or None where nil or nothing was sent, and returns the like. It
    raises BusinessError for what the vendor refuses. Without `needs_session` the session is None
    and the client is the default one. `returns` None is void.
    """

    name: str
    parameters: tuple[tuple[str, Kind], ...]
    returns: Kind | None
    run: Callable[..., Any]
    needs_session: bool = True

    @property
    def all_parameters(self) -> tuple[tuple[str, Kind], ...]:
        """The parameters in WSDL order, in0 first."""
        if self.needs_session:
            return (("sessionId", "string"), *self.parameters)
        return self.parameters


class Service:
    """The operations deployed at one address, by name."""

    def __init__(self, name: str, operations: tuple[Operation, ...]) -> None:
        self.name = name
        self.operations = {operation.name: operation for operation in operations}

    @property
    def namespace(self) -> str:
        """The service's XML namespace; it kept the old host's name."""
        return f"urn:api.broadmail.de/soap11/{self.name}"


class BusinessError(Exception):
    """The vendor refuses a call: `text` is its sentence, `cause` the one it nests, if any."""

    def __init__(self, text: str, cause: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.cause = cause


def version() -> Operation:
    """Return the operation getVersion, which every service has and which takes no session."""
    return Operation("getVersion", (), "string", lambda _client, _session: "1.0", False)
