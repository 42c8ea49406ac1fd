"""Where calls may go: the base URL is judged before the first byte leaves (E13).

A wrong base URL hands key and customers to a stranger, so the vendor's hosts are a list and every
other host has to be allowed by name of the setting. Plain http is for loopback alone.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from target_kit.errors import ConfigurationError

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

# Names under which clouds offer credentials to whoever asks from inside.
_METADATA_HOSTS = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "instance-data",
        "instance-data.ec2.internal",
    }
)


def check_base_url(url: str, *, allowed_hosts: Sequence[str], allow_custom_host: bool) -> str:
    """`url` in normal form: lower-case host, no slash at the end.

    `allowed_hosts` are host names; `*.example.com` stands for every host below example.com.
    Loopback needs no permission: the simulators live there. Raises `ConfigurationError` that names
    `api_url` and the remedy, never the URL itself: people paste keys into it.
    """
    parts = _split(url)
    host = (parts.hostname or "").removesuffix(".")
    loopback = is_loopback(host)
    _check_scheme(parts, loopback=loopback)
    if not loopback:
        _check_name(host, allow_custom_host=allow_custom_host)
        if not allow_custom_host and not any(_matches(host, one) for one in allowed_hosts):
            raise ConfigurationError(
                f"api_url: host {host} is not one of {', '.join(allowed_hosts)}; copy the address "
                "from the vendor's settings page, or set allow_custom_host: true if it is meant"
            )
    shown = f"[{host}]" if ":" in host else host
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://{shown}{port}{parts.path.rstrip('/')}"


def _split(url: str) -> SplitResult:
    if re.search(r"[^\x21-\x7e]|\\", url):
        raise ConfigurationError(
            "api_url: blanks, backslashes and letters beyond ASCII are not allowed; type the "
            "address by hand, some letters only look alike"
        )
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ConfigurationError("api_url is not an address; expected https://host") from None
    if "@" in parts.netloc:
        raise ConfigurationError("api_url: no user name or password before the host; remove it")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ConfigurationError("api_url: remove what follows '?' or '#', only the address counts")
    if not parts.hostname:
        raise ConfigurationError("api_url has no host; expected https://host")
    if any(segment in {".", ".."} for segment in parts.path.split("/")) or "%" in parts.path:
        raise ConfigurationError("api_url: '..' and '%' are not allowed in the path")
    return parts


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, where the simulators live."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_scheme(parts: SplitResult, *, loopback: bool) -> None:
    if parts.scheme == "https" or (parts.scheme == "http" and loopback):
        return
    raise ConfigurationError(
        "api_url has to begin with https:// (http:// is for simulators on localhost only)"
    )


def _check_name(host: str, *, allow_custom_host: bool) -> None:
    labels = host.split(".")
    # A last label that is a number makes an address in all its spellings: 10.1, 0x7f.1, 2130706433.
    if ":" in host or _NUMBER.fullmatch(labels[-1]):
        raise ConfigurationError("api_url: an IP address can't be verified; use the host's name")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ConfigurationError("api_url: the host name is malformed; expected https://host")
    if host in _METADATA_HOSTS:
        raise ConfigurationError("api_url: this host serves credentials of the cloud; refused")
    if not allow_custom_host and any(label.startswith("xn--") for label in labels):
        raise ConfigurationError(
            "api_url: the host has letters beyond ASCII (xn--), some only look alike; check it, "
            "and set allow_custom_host: true if it is meant"
        )


def _matches(host: str, pattern: str) -> bool:
    pattern = pattern.lower()
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern
