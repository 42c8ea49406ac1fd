"""What a refused call means for its record: every error shape of the contract (1.2) is accepted."""

from __future__ import annotations

from typing import Any

from target_kit.errors import CallRefused, RowError

#: Vendor error codes (contract 1.2, seen in answers) → our fixed causes.
_CAUSES = {
    "duplicate": "address_taken",
    "email_invalid": "email_refused",
    "field_missing": "field_missing",
    "field_invalid": "field_invalid",
}


def refusal(refused: CallRefused) -> RowError:
    """The vendor's refusal as a row error: its code decides the cause, its title is kept for the
    rejects file. Accepts every error shape of the contract: list, text, message, nothing.
    """
    body: Any = refused.body if isinstance(refused.body, dict) else {}
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    first = first if isinstance(first, dict) else {}
    code = str(first.get("code") or "")
    title = first.get("title") or (errors if isinstance(errors, str) else body.get("message"))
    pointer = (first.get("source") or {}).get("pointer") if first else None
    cause = _CAUSES.get(code, f"refused_{refused.status}")
    if cause == "address_taken" and pointer not in (None, "/data/attributes/email"):
        cause = "refused_422"
    return RowError(cause, str(title or "no reason given")[:200], field=pointer)
