"""Addresses: the quick way for plain ones says exactly what the library says."""

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st
from target_kit.address import Address, address_key, parse_address
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


@pytest.mark.parametrize("local", [1, 64])
def test_addresses_too_long_as_a_whole_get_the_verdict_of_the_library(local: int) -> None:
    """Either part may be well within its own limit."""
    domain = ".".join(["a" * 60] * 3)
    texts = [f"{'a' * local}@{domain}{'b' * more}.example.com" for more in range(45)]
    verdicts = [by_us(text) for text in texts]
    assert verdicts == [by_library(text) for text in texts]
    assert None in verdicts


def test_the_form_of_the_source_is_shown_and_its_key_compared() -> None:
    """S0-26: trimmed; letter case and the spelling of the domain are no difference."""
    assert parse_address(" Ada@Straße.example.org ") == Address(
        "Ada@Straße.example.org", "ada@xn--strae-oqa.example.org"
    )
    assert parse_address("O'Hara@Example.com") == Address(
        "O'Hara@Example.com", "o'hara@example.com"
    )


def test_a_refusal_names_the_field_and_never_the_address() -> None:
    """The reject can be found by its cause, and holds nobody's address."""
    with pytest.raises(RowError) as caught:
        parse_address("ada at example.com")
    assert (caught.value.cause, caught.value.field) == ("email_syntax", "email")
    assert "ada" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (" Ada@Example.com ", "ada@example.com"),
        ("Ada@Straße.example.org", "ada@xn--strae-oqa.example.org"),
        (" Ada at Home ", "ada at home"),
        ("", ""),
    ],
)
def test_whatever_a_destination_holds_can_be_compared(text: str, key: str) -> None:
    """S0-26: what is no address is compared as it is, but for case and blanks around it."""
    assert address_key(text) == key
