"""What a refused call means for its record: every error shape of the contract (1.2) is accepted."""

from __future__ import annotations

from typing import Any

from target_kit.errors import CallRefused, RowError

#: Vendor error codes (contract 1.2, seen in answers) → our fixed causes.
_CAUSES = {
    "email_invalid": "email_refused",
    "field_missing": "field_missing",
    "field_invalid": "field_invalid",
}


#: Which attribute of an object no other may have, and what it is called when one has it.
_TAKEN = {"email": "address_taken", "name": "name_taken"}


def refusal(refused: CallRefused, *, unique: str = "email") -> RowError:
    """The vendor's refusal as a row error: its code decides the cause, its title is kept for the
    rejects file. Accepts every error shape of the contract: list, text, message, nothing. `unique`
    is the attribute that a duplicate is one of, where the answer names another or none.
    """
    body: Any = refused.body if isinstance(refused.body, dict) else {}
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    first = first if isinstance(first, dict) else {}
    code = str(first.get("code") or "")
    title = first.get("title") or (errors if isinstance(errors, str) else body.get("message"))
    pointer = (first.get("source") or {}).get("pointer") if first else None
    cause = _CAUSES.get(code, f"refused_{refused.status}")
    if code == "duplicate" and pointer in (None, f"/data/attributes/{unique}"):
        cause = _TAKEN[unique]
    return RowError(cause, str(title or "no reason given")[:200], field=pointer)
