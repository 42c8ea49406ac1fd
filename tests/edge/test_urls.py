"""Which base URLs are accepted (E13)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_kit.errors import ConfigurationError
from target_kit.urls import check_base_url

HOSTS = ("*.api-us1.com", "*.activehosted.com", "rest.example.com")


def check(url: str, *, custom: bool = False) -> str:
    return check_base_url(url, allowed_hosts=HOSTS, allow_custom_host=custom)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://acme.api-us1.com", "https://acme.api-us1.com"),
        ("https://acme.api-us1.com/", "https://acme.api-us1.com"),
        ("HTTPS://Acme.API-US1.com//", "https://acme.api-us1.com"),
        ("https://acme.api-us1.com./", "https://acme.api-us1.com"),
        ("https://a.b.activehosted.com:443", "https://a.b.activehosted.com:443"),
        ("https://rest.example.com/v3/", "https://rest.example.com/v3"),
        ("http://localhost:8800/activecampaign/", "http://localhost:8800/activecampaign"),
        ("http://127.0.0.1:8800/activecampaign", "http://127.0.0.1:8800/activecampaign"),
        ("http://[::1]:8800", "http://[::1]:8800"),
        ("https://127.0.0.1", "https://127.0.0.1"),
    ],
)
def test_a_vendor_host_or_loopback_is_accepted_in_normal_form(url: str, normal: str) -> None:
    """Lower case, no slash or dot at the end, path and port kept."""
    assert check(url) == normal


REFUSED_ALWAYS = [
    "http://acme.api-us1.com",
    "ftp://acme.api-us1.com",
    "acme.api-us1.com",
    "//acme.api-us1.com",
    "",
    "https://",
    "https:///api",
    "https://x@evil.example.com",
    "https://acme.api-us1.com@evil.example.com",
    "https://user:secret@acme.api-us1.com",
    "https://@acme.api-us1.com",
    "https://acme.api-us1.com\\@evil.example.com",
    "https://acme.api-us1.com/?key=1",
    "https://acme.api-us1.com/#x",
    "https://acme.api-us1.com?",
    "https://acme.api-us1.com/../x",
    "https://acme.api-us1.com/%2e%2e/x",
    "https://acme.api-us1.com:port",
    "https://acme.api-us1.com:99999",
    "https://acme.api-us1.com\n.evil.example.com",
    " https://acme.api-us1.com",
    "https://acme.api‑us1.com",
    "https://аcme.api-us1.com",
    "https://acme。api-us1.com",
    "https://169.254.169.254",
    "http://169.254.169.254/latest/meta-data",
    "https://[fe80::1]",
    "https://[fd00:ec2::254]",
    "https://10.0.0.1",
    "https://93.184.216.34",
    "https://0.0.0.0",
    "https://2130706433",
    "https://0x7f000001",
    "https://0x7f.1",
    "https://127.1",
    "https://0177.0.0.1",
    "https://[::ffff:169.254.169.254]",
    "https://[::1",
    "https://metadata.google.internal",
    "https://METADATA.google.internal.",
    "https://acme..api-us1.com",
    "https://-acme.api-us1.com",
    "https://acme%2eapi-us1.com",
    f"https://{'a' * 64}.api-us1.com",
]


@pytest.mark.parametrize("url", REFUSED_ALWAYS)
@pytest.mark.parametrize("custom", [False, True])
def test_a_dangerous_or_malformed_address_is_refused(url: str, custom: bool) -> None:
    """No setting allows plain http, user names, IP addresses, metadata hosts or look-alikes."""
    with pytest.raises(ConfigurationError, match="api_url") as caught:
        check(url, custom=custom)
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com",
        "https://api-us1.com",
        "https://acme.api-us1.com.evil.example.com",
        "https://acmeapi-us1.com",
        "https://rest.example.com.evil.example.net",
        "https://x.rest.example.com",
        "https://xn--acme-9na.api-us1.com",
    ],
)
def test_another_host_has_to_be_allowed(url: str) -> None:
    """The message names the setting that allows it, and with it the host passes."""
    with pytest.raises(ConfigurationError, match="allow_custom_host: true"):
        check(url)
    assert check(url, custom=True) == url


@given(st.text(max_size=60))
def test_whatever_passes_stays_on_the_vendors_hosts(tail: str) -> None:
    """No text after the scheme gets past the list."""
    try:
        url = check(f"https://{tail}")
    except ConfigurationError:
        return
    host = url.removeprefix("https://").partition("/")[0].partition(":")[0]
    vendors = (".api-us1.com", ".activehosted.com")
    assert host.endswith(vendors) or host in {"rest.example.com", "localhost", "127.0.0.1"}
