"""Configuration at the door."""

from __future__ import annotations

from typing import Any

import pytest
from target_activecampaign.settings import read_settings
from target_kit.errors import ConfigurationError

URL = {"api_url": "https://example.api-us1.com", "api_key": "secret-canary"}


def with_stream(**stream: Any) -> dict[str, Any]:
    return {**URL, "streams": {"people": {"fields": {"email": "mail"}, **stream}}}


def test_url_and_key_are_enough() -> None:
    """S0-5, S0-13: the default mapping is the seed note's, with BUBSCTTID as key field."""
    stream = read_settings(URL).streams["contacts"]
    assert (stream.key, stream.key_field) == ("ctt_id", "BUBSCTTID")
    assert stream.custom_fields == {
        "LAND": "org_country", "SPRACHE": "language_code", "MOBIL": "mobile_phone",
    }  # fmt: skip


def test_the_key_field_is_configurable() -> None:
    """S0-13: the perstag that carries the backoffice key is a setting."""
    assert read_settings(with_stream(key_field="ERPID")).streams["people"].key_field == "ERPID"


def test_every_fault_is_named_at_once() -> None:
    """S0-33: udate is never written, so mapping it is a fault; all faults come in one message."""
    config = {
        "api_url": "ftp://example.com",
        "streams": {
            "a": {"fields": {"udate": "u"}, "rules": {"nix": "always"}},
            "b": {"fields": {"email": "e", "shoe": "s"}, "key_type": "x"},
        },
    }
    with pytest.raises(ConfigurationError) as caught:
        read_settings(config)
    message = str(caught.value)
    for part in (
        "api_url", "api_key", "streams.a.fields.udate", "streams.a.fields: 'email'",
        "streams.a.rules.nix", "streams.b.fields.shoe", "streams.b.key_type",
    ):  # fmt: skip
        assert part in message


def test_cdate_cannot_be_made_an_update() -> None:
    """S0-31, S0-32: cdate is sent on create or never."""
    fields = {"email": "e", "cdate": "d"}
    with pytest.raises(ConfigurationError, match="cdate"):
        read_settings(with_stream(fields=fields, rules={"cdate": "always"}))


def test_the_key_is_never_shown() -> None:
    """X7: a secret is not part of the settings' representation."""
    assert "secret-canary" not in repr(read_settings(URL))


def test_newest_needs_something_to_order_by() -> None:
    """S0-8: the rule 'newest' without a version column is refused."""
    with pytest.raises(ConfigurationError, match="version_column"):
        read_settings(with_stream(on_duplicate_email="newest"))


@pytest.mark.parametrize(
    ("url", "more", "refused"),
    [
        ("https://shop.api-us1.com", {}, True),
        ("https://shop.api-us1.com", {"test_accounts": ["other.api-us1.com"]}, True),
        ("https://Sandbox.api-us1.com", {"test_accounts": ["sandbox.api-us1.com"]}, False),
        ("https://shop.api-us1.com", {"mode": "plan", "plan_file": "plan.json"}, False),
        ("http://127.0.0.1:8800/activecampaign", {}, False),
    ],
)
def test_a_test_profile_writes_to_no_production_account(
    url: str, more: dict[str, Any], refused: bool
) -> None:
    """S4-33: only to accounts that are named as test accounts, and to simulators; plans may be made
    of any.
    """
    config = {"api_url": url, "api_key": "key", "profile": "test", **more}
    if refused:
        with pytest.raises(ConfigurationError, match="profile: test"):
            read_settings(config)
    else:
        read_settings(config)
