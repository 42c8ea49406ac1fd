"""What people have to decide: conflicts by kind, each with a proposed repair. Pure.

A kind is the cause that the report names. An item stays on the worklist while the conflict does.
"""

from __future__ import annotations

from target_kit.ledger_entries import Finding
from target_kit.outcome import Result

VICTIM = "old_address_lives"
CHANGES_BACK = "changes_back"
STUCK = "still_subscribed"
#: Kind → what would settle it. Whatever is not here needs no decision of a person.
REPAIRS = {
    "ambiguous_key": "clear the key field of all contacts but the right one, or merge them there",
    "ambiguous_address": "merge the contacts there, or delete all but one",
    "ambiguous_account_key": "clear the key field of all accounts but the right one",
    "address_of_other_key": "merge the two persons in the source, or correct one address",
    "address_of_former_contact": "delete the contact that was given up, or give it another address",
    "address_taken": "merge the two contacts there if they are one person; else correct the source",
    "address_reserved": "restore or purge the archived contact there",
    "address_shared": "give each person an address of their own, or choose on_duplicate_email",
    "address_not_taken_over": "change the address there by hand, or look why it is refused",
    "contact_gone": "restore the contact there, or set on_contact_gone: insert",
    "contradicting_rows": "leave one row for each key, or set version_column",
    "email_change_held": "approve it (command approve), or record consent for the new address",
    "email_swap": "give one of these contacts another address there by hand, for one run",
    "key_field_unreadable": "correct the key field of the contact there",
    "no_evidence_for_address": "ask for consent to the new address and record it with that address",
    STUCK: "unsubscribe the contact there by hand, and ask the vendor why it stays active",
    "unsubscribed_before": "ask for consent to the new address: the former one had left the list",
    VICTIM: "merge this contact into the person's, or delete it there",
}


def finding(who: str, result: Result) -> Finding | None:
    """The item that an outcome makes, None where there is nothing to decide."""
    repair = REPAIRS.get(result.cause)
    return Finding(who, result.cause, result.message, repair) if repair else None


def changes_back(name: str, contacts: int, left: int) -> Finding:
    """A field that does not keep what is written there; an item for all contacts together."""
    said = f"written again on {contacts - left} contacts in the last run, left alone on {left}"
    repair = (
        "find what writes this field there (an automation, another integration, a rule of the "
        "vendor's) and stop it, or stop writing it: rules"
    )
    return Finding(f"field {name}", CHANGES_BACK, said, repair)


def stuck(who: str) -> Finding:
    """Somebody whom the destination keeps active, whatever it answers."""
    said = "active on a list after two unsubscriptions that ActiveCampaign said it had carried out"
    return Finding(who, STUCK, said, REPAIRS[STUCK])


def victim(who: str) -> Finding:
    """A contact of nobody's that has a former address of this person (S2-4)."""
    said = "another contact, without a key, has a former address of this person"
    return Finding(who, VICTIM, said, REPAIRS[VICTIM])
