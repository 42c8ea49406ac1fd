"""E-mail addresses: a display form to send and a key to compare.

The key is `ascii_email.lower()`: `casefold()` would make `straße.de` and `strasse.de`, two
different domains under IDNA 2008, one address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from email_validator import EmailNotValidError, EmailSyntaxError, validate_email

from target_kit.errors import RowError

_MAX_LENGTH = 200  # far below the 254 octets allowed, whatever IDNA makes of the domain
_PLAIN_LOCAL = re.compile(r"(?=.{1,64}$)[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*", re.ASCII)


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


def _parse(text: str) -> Address:
    """The library's verdict; for plain ASCII addresses it is only asked about the domain, once.

    Local parts of this shape are always valid (RFC 5321 dot-atom, 64 octets); a test compares both
    ways. Domains repeat from row to row, and are nearly all of the library's work.
    """
    local, _, domain = text.rpartition("@")
    if len(text) <= _MAX_LENGTH and _PLAIN_LOCAL.fullmatch(local):
        return Address(display=text, key=f"{local.lower()}@{_plain_domain(domain)}")
    return _parse_with_library(text)


@lru_cache(maxsize=4096)
def _plain_domain(domain: str) -> str:
    """The ASCII form of a domain, lower case."""
    return _parse_with_library(f"local@{domain}").key.partition("@")[2]


@lru_cache(maxsize=1024)
def _parse_with_library(text: str) -> Address:
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
