"""What an answer of ActiveCampaign must hold before it is believed, endpoint by endpoint. Pure.

A 2xx is a promise only where it speaks of what was sent: bodies of errors, of other contacts and of
nothing at all come with 200 as well. An answer to a write that breaks its contract leaves the fate
of the write open: what is there is read before anything is repeated. A read that breaks its
contract must not be taken for "there is nothing".

Shapes: https://developers.activecampaign.com/reference, by the endpoints named in the clients. Ids
come as text or number. A key that an answer does not have contradicts nothing: which ones are left
out is not documented. Values are not compared here, since the vendor may write them its own way:
see `verification` and `changes_back`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from target_kit.address import address_key

#: A write's answer with another success status tells nothing that is documented.
DONE = frozenset({200, 201})
#: Words that say "no" in an answer of status 200: those of v1, and of gateways in front.
_FAILED = ("success", "Success", "succeeded", "result_code")
_COMPLAINTS = ("errors", "error")


@dataclass(frozen=True, slots=True)
class Contract:
    """`envelope` names the object that answers a write, as it does what was sent; "" for none.

    `echoes` are keys that must be as sent, and `named` that the object must have an id, the one of
    the path where that ends in one. `values` that come beside it must be of this object, and with
    `address` it must have the one that was sent.
    """

    envelope: str = ""
    echoes: tuple[str, ...] = ()
    named: bool = False
    address: bool = False
    values: str = ""


WRITES: Mapping[str, Contract] = {
    "POST contacts": Contract("contact", named=True, address=True, values="fieldValues"),
    # A refused address may be kept in silence; whoever sends one compares it.
    "PUT contacts/{id}": Contract("contact", named=True, values="fieldValues"),
    "POST fieldValues": Contract("fieldValue", ("contact", "field")),
    "POST contactLists": Contract("contactList", ("contact", "list")),
    "POST contactTags": Contract("contactTag", ("contact", "tag"), named=True),
    "DELETE contactTags/{id}": Contract(),
    "POST tags": Contract("tag", named=True),
    "POST fields": Contract("field", ("type",), named=True),
    "POST fieldRels": Contract("fieldRel", ("field", "relid")),
    "POST fieldOption/bulk": Contract(),
    "POST fieldOptions/bulk": Contract(),
    "POST accounts": Contract("account", named=True),
    "PUT accounts/{id}": Contract("account", named=True),
    "POST accountCustomFieldMeta": Contract(
        "accountCustomFieldMetum", ("fieldLabel", "fieldType"), named=True
    ),
    "POST accountCustomFieldData": Contract(
        "accountCustomFieldDatum", ("customerAccountId", "customFieldId")
    ),
    "PUT accountCustomFieldData/{id}": Contract(
        "accountCustomFieldDatum", ("customerAccountId", "customFieldId")
    ),
    "DELETE accountCustomFieldData/{id}": Contract(),
    "POST accountContacts": Contract("accountContact", ("contact", "account")),
    "DELETE accountContacts/{id}": Contract(),
}
#: Writes whose answers, refusals with 200 among them, are read where they are made.
READ_ELSEWHERE = frozenset({"POST import/bulk_import"})

#: What the answer to a read must have: a list, or one object.
LISTS: Mapping[str, str] = {
    "contacts": "contacts",
    "fields": "fields",
    "fieldValues": "fieldValues",
    "lists": "lists",
    "tags": "tags",
    "accounts": "accounts",
    "accountCustomFieldMeta": "accountCustomFieldMeta",
    "accountCustomFieldData": "accountCustomFieldData",
    "accountContacts": "accountContacts",
    "import/bulk_import": "outstanding",
    "contacts/{id}/contactLists": "contactLists",
    "contacts/{id}/contactTags": "contactTags",
    "contacts/{id}/accountContacts": "accountContacts",
}
OBJECTS: Mapping[str, str] = {
    "contacts/{id}": "contact",
    "accounts/{id}": "account",
}


def break_of_write(route: str, path: str, status: int, body: Any, sent: Any) -> str:
    """How the answer to a write breaks its contract, in words without values; "" if it does not.

    `route` is method and route (`PUT contacts/{id}`), `path` what was called, `sent` the payload.
    """
    if not isinstance(body, Mapping):
        return "without any content" if body is None else "without an object"
    if route in READ_ELSEWHERE:
        return ""
    if word := _complaint(body):
        return f"and says {word}"
    if status not in DONE:
        return "which it is not known to do"
    contract = WRITES[route]
    if not contract.envelope:
        return ""
    told = body.get(contract.envelope)
    if not isinstance(told, Mapping):
        return f"without {contract.envelope}"
    if contract.named and not told.get("id"):
        return f"with a {contract.envelope} that has no id"
    wanted = dict(sent[contract.envelope])
    if route.endswith("/{id}"):
        wanted["id"] = path.rpartition("/")[2]
    wrong = [key for key in (*contract.echoes, "id") if _differs(key, told, wanted)]
    told_address = _text(told, "email") if contract.address else ""
    if told_address and address_key(told_address) != address_key(_text(wanted, "email")):
        wrong.append("email")
    if wrong:
        return f"with another {', '.join(wrong)} than was sent"
    beside = body.get(contract.values)
    rows = beside if isinstance(beside, list) else []
    if any(isinstance(row, Mapping) and _text(row, "contact") != str(told["id"]) for row in rows):
        return f"with {contract.values} of another {contract.envelope}"
    return ""


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return "" if value is None else str(value)


def break_of_read(route: str, body: Mapping[str, Any]) -> str:
    """As `break_of_write`, for the answer to a GET of `route`."""
    if (key := LISTS.get(route)) and not isinstance(body.get(key), list):
        return f"without a list of {key}{_why(body)}"
    if (key := OBJECTS.get(route)) and not isinstance(body.get(key), Mapping):
        return f"without {key}{_why(body)}"
    return ""


def _why(body: Mapping[str, Any]) -> str:
    word = _complaint(body)
    return f", and says {word}" if word else ""


def _complaint(body: Mapping[str, Any]) -> str:
    """The word by which a body says that nothing was done, "" for none."""
    for word in _FAILED:
        value = body.get(word)
        if isinstance(value, str | int | float) and str(value).lower() in ("0", "false", "failed"):
            return f"{word}: {str(value).lower()}"
    return next((word for word in _COMPLAINTS if body.get(word)), "")


def _differs(key: str, told: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether both name this and not the same; ids as text and as number are the same."""
    one, other = told.get(key), wanted.get(key)
    return one is not None and other is not None and str(one) != str(other)
