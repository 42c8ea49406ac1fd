"""E-mail addresses: a display form to send and a key to compare.

The key is `ascii_email.lower()`: `casefold()` would make `straße.de` and `strasse.de`, two
different domains under IDNA 2008, one address.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from email_validator import EmailNotValidError, EmailSyntaxError, validate_email

from target_kit.errors import RowError


@dataclass(frozen=True, slots=True)
class Address:
    """`display` is sent as the source has it (trimmed), `key` is what is compared (S0-26)."""

    display: str
    key: str


def parse_address(text: str) -> Address:
    """Check the syntax without any network and build the comparison key.

    Raises RowError `email_syntax`; the message repeats the rule, never the address.
    """
    return _parse(text.strip())


@lru_cache(maxsize=4096)
def _parse(text: str) -> Address:
    try:
        parsed = validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except (EmailSyntaxError, EmailNotValidError):
        raise RowError(
            "email_syntax", "the e-mail address is not written as an address can be", field="email"
        ) from None
    ascii_email = parsed.ascii_email or parsed.normalized
    return Address(display=text, key=ascii_email.lower())


def address_key(text: str) -> str:
    """Comparison key of an address read from a destination, which may hold anything."""
    try:
        return parse_address(text).key
    except RowError:
        return text.strip().lower()
