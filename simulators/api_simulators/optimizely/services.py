"""All SOAP services by name: one line here deploys a service, its WSDL included."""

from __future__ import annotations

from api_simulators.optimizely.operations import Service

DEPLOYED: tuple[Service, ...] = ()
SERVICES: dict[str, Service] = {service.name: service for service in DEPLOYED}
