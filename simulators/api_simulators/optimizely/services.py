"""All SOAP services by name: one line here deploys a service, its WSDL included."""

from __future__ import annotations

from api_simulators.optimizely import (
    blocklist,
    mailings,
    recipient_lists,
    recipients,
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
)
SERVICES: dict[str, Service] = {service.name: service for service in DEPLOYED}
