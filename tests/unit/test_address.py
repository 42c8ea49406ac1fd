"""Addresses: the quick way for plain ones says exactly what the library says."""

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st
from target_kit.address import parse_address
from target_kit.errors import RowError

LOCALS = st.text("aZ9._+-'\" @ü\x00", min_size=0, max_size=70)
DOMAINS = st.one_of(
    st.sampled_from(
        [
            "example.com", "EXAMPLE.Com", "straße.example.org", "xn--strae-oqa.example.org",
            "example", "localhost", "example.test", "a-.example.com", "-a.example.com",
            "exam_ple.com", "1.2.3.4", "[1.2.3.4]", "", ".com", "example.com.", "exa mple.com",
            "a." * 60 + "example.com", "ä" * 60 + ".example.com",
        ]
    ),
    st.text("aZ9.-ü_", max_size=70),
)  # fmt: skip


def by_library(text: str) -> str | None:
    """The comparison key as the library alone gives it; None where it refuses."""
    try:
        parsed = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return None
    return (parsed.ascii_email or parsed.normalized).lower()


def by_us(text: str) -> str | None:
    """The comparison key of the kit; None where it refuses."""
    try:
        return parse_address(text).key
    except RowError:
        return None


@given(local=LOCALS, domain=DOMAINS)
def test_plain_addresses_get_the_verdict_of_the_library(local: str, domain: str) -> None:
    """The domain alone is asked about where the local part can't be wrong (S0-26)."""
    text = f"{local}@{domain}"
    assert by_us(text) == by_library(text)


@pytest.mark.parametrize("length", [63, 64, 65, 300])
def test_long_local_parts_get_the_verdict_of_the_library(length: int) -> None:
    """The quick way ends at 64 octets; beyond it the library is asked."""
    text = f"{'a' * length}@example.com"
    assert by_us(text) == by_library(text)
