"""Everything the clients hold as one JSON document; recipients in stored order."""

from __future__ import annotations

from typing import Any

from api_simulators.optimizely import response_state
from api_simulators.optimizely.lookups import settle
from api_simulators.optimizely.model import Client, RecipientList, World


def describe(world: World) -> dict[str, Any]:
    """Return the default client's data at the top, and all clients by id under `clients`."""
    return {
        "clients": {str(client.id): _client(client) for client in world.clients.values()},
        "sessions": [
            {"client": row.client_id, "user": row.user, "created": row.created}
            for row in world.sessions.values()
        ],
    }


def _client(client: Client) -> dict[str, Any]:
    return {
        "id": client.id,
        "users": sorted(client.users),
        "lists": [_list(client, in_list) for in_list in client.lists.values()],
        "unsubscribes": [
            {
                "id": row.recipient_id,
                "scope": row.scope,
                "list": row.list_id,
                "mailing": row.mailing_id,
                "reason": row.reason,
                "created": row.created,
            }
            for row in client.unsubscribes.rows.values()
        ],
        "blocklist": [
            {"entry": row.entry, "reason": row.reason, "created": row.created}
            for row in client.blocklist.entries.values()
        ],
        "bounces": client.bounces,
        "mailings": [
            {
                "id": row.id,
                "name": row.name,
                "type": row.type,
                "status": row.status,
                "lists": row.lists,
                "sent": len(row.sent),
            }
            for row in client.mailings.values()
        ],
        "optin_processes": [
            {"id": row.id, "name": row.name, "type": row.type}
            for row in client.optin_processes.values()
        ],
        "tracking_opt_outs": sorted(client.tracking_opt_outs),
        **response_state.describe(client),
    }


def _list(client: Client, in_list: RecipientList) -> dict[str, Any]:
    settle(client, in_list)
    return {
        "id": in_list.id,
        "name": in_list.name,
        "description": in_list.description,
        "kind": in_list.kind,
        "id_field": in_list.id_field,
        "attributes": [
            {
                "name": row.name,
                "type": row.type,
                "required": row.required,
                "length": row.length,
            }
            for row in in_list.attributes.values()
        ],
        "recipients": [
            {
                "id": row.id,
                "address": row.address,
                "attributes": row.values,
                "active": client.is_active(in_list, row),
                "optin_finished": row.optin_finished,
                "created": row.created,
                "modified": row.modified,
            }
            for row in in_list.recipients.values()
        ],
    }
