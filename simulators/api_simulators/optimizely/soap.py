"""The SOAP side's door: header, service, operation, session, permission, then the deed."""

from __future__ import annotations

import re
from typing import Any

from api_simulators.optimizely import faults, sessions, soap_requests, wsdl
from api_simulators.optimizely.model import DEFAULT_CLIENT, Client, Session, World
from api_simulators.optimizely.operations import BusinessError, Operation, Service
from api_simulators.optimizely.recipient_writes import misshaped
from api_simulators.optimizely.services import SERVICES
from api_simulators.optimizely.soap_replies import Writer, answer
from api_simulators.wire import Answer, Request, html_answer

PATH = "/soap11/"
HOST = "api-01.example.net"


_OPERATION = re.compile(rb"<(?:[\w.-]+:)?Body[^>]*>\s*<(?:[\w.-]+:)?([A-Za-z]\w*)")


def operation_of(request: Request) -> str:
    """Name what a request calls, such as RpcRecipient.clear; empty where no call can be seen."""
    if request.method != "POST" or not request.path.startswith(PATH):
        return ""
    found = _OPERATION.search(request.body, 0, 4096)
    return f"{request.path[len(PATH) :]}.{found[1].decode()}" if found else ""


def handle(world: World, request: Request) -> Answer:
    """Answer a request under /soap11/."""
    switches = world.switches
    name = request.path[len(PATH) :]
    if request.method == "GET":
        return _get(world, request, name)
    if request.method != "POST":
        return html_answer(405, "Method Not Allowed")
    if switches["ip_refused"] == "403":
        return html_answer(403, "Forbidden")
    limit = int(switches["connection_limit"])
    crowded = bool(limit) and request.connections > limit
    if crowded and switches["over_connection_limit"] == "503":
        return html_answer(503, "Service Unavailable")
    service = SERVICES.get(name, Service(name, ()))
    writer = Writer(service.namespace, switches)
    try:
        body = _call(world, request, service, writer, crowded=crowded)
    except faults.SoapFault as fault:
        trace = switches["fault_detail"] == "stacktrace"
        return answer(500, writer.fault(fault, HOST, stack_trace=trace), switches)
    return answer(200, body, switches)


def _get(world: World, request: Request, name: str) -> Answer:
    if name == wsdl.SCHEMA_NAME:
        return Answer(200, wsdl.schema(), "text/xml;charset=utf-8")
    service = SERVICES.get(name)
    if service is None:
        return html_answer(404, "No such service")
    if request.query.lower() == "wsdl":
        located = bool(world.switches["wsdl_schema_location"])
        body = wsdl.describe(service, request.base_url + PATH.rstrip("/"), located=located)
        return Answer(200, body, "text/xml;charset=utf-8")
    return html_answer(200, f"{name}: this is an AXIS service")


def _call(
    world: World, request: Request, service: Service, writer: Writer, *, crowded: bool
) -> bytes:
    if crowded:
        raise faults.too_many_connections()
    if "SOAPAction" not in request.headers:
        raise faults.no_soap_action()
    if service.name not in SERVICES:
        raise faults.no_service(service.name)
    call = soap_requests.read_call(request.body)
    operation = service.operations.get(call.name)
    if operation is None:
        raise faults.no_operation(call.name)
    untyped = world.switches["untyped_rows"] == "accepted"
    values = soap_requests.arguments(call, operation, untyped_rows=untyped)
    result = _run(world, service, operation, values)
    return writer.reply(operation.name, operation.returns, result)


def _run(world: World, service: Service, operation: Operation, values: list[Any]) -> Any:
    session: Session | None = None
    client: Client = world.client(DEFAULT_CLIENT)
    origin = ("", client.id, "")
    if operation.needs_session:
        session = sessions.enter(world, values.pop(0))
        client = world.clients[session.client_id]
        origin = (session.id, client.id, session.user)
    try:
        sessions.check_permission(world, session, service.name, operation.name)
        result = operation.run(client, session, *values)
    except BusinessError as error:
        raise faults.business(error, origin, operation, values) from error
    return misshaped(client, operation.name, result) if isinstance(result, list) else result
