"""All SOAP services by name: one line here deploys a service, its WSDL included."""

from __future__ import annotations

from api_simulators.optimizely import (
    blocklist,
    closed_loop,
    mail_ids,
    mailings,
    optin,
    recipient_lists,
    recipients,
    responses,
    sessions,
    unsubscribes,
)
from api_simulators.optimizely.operations import Service

DEPLOYED: tuple[Service, ...] = (
    sessions.SERVICE,
    recipients.SERVICE,
    recipient_lists.SERVICE,
    unsubscribes.SERVICE,
    blocklist.SERVICE,
    mailings.SERVICE,
    closed_loop.SERVICE,
    responses.SERVICE,
    optin.SERVICE,
    mail_ids.SERVICE,
)
SERVICES: dict[str, Service] = {service.name: service for service in DEPLOYED}
