"""Where the calls may go: addresses are judged before the first byte leaves. Pure.

A wrong address would hand password and recipients to a stranger, so the vendor's hosts are a list
and every other one has to be allowed by name of the setting. Plain http is for loopback alone.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

# Present host and the one of all recordings before 2019.
VENDOR_HOSTS = ("api.campaign.episerver.net", "api.broadmail.de")
SOAP_FOLDER = "/soap11"


def check_url(url: object, setting: str, *, allow_custom_host: bool, problems: list[str]) -> str:
    """Give the address in normal form, without a slash at the end; "" where it is refused.

    What is wrong goes into `problems`, never the address itself: people paste passwords into it.
    """
    if not isinstance(url, str) or not url:
        problems.append(f"{setting}: is required")
        return ""
    found = _trouble(url, allow_custom_host=allow_custom_host)
    if found is not None:
        problems.append(f"{setting}: {found}")
        return ""
    parts = urlsplit(url)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://{shown}{port}{parts.path.rstrip('/')}"


def rest_base(api_url: str) -> str:
    """Derive the REST address from the SOAP one: its neighbour `/rest`."""
    return api_url.removesuffix(SOAP_FOLDER) + "/rest"


def _trouble(url: str, *, allow_custom_host: bool) -> str | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "is no address; expected https://host/path"
    if re.search(r"[^\x21-\x7e]|[\\?#]", url):
        return "holds characters that have no place there; only scheme, host and path count"
    if "@" in parts.netloc:
        return "takes no user name or password; they have settings of their own"
    if "%" in parts.path or any(one in {".", ".."} for one in parts.path.split("/")):
        return "takes no '..' and no '%' in its path"
    return _host_trouble(parts, allow_custom_host=allow_custom_host)


def _host_trouble(parts: SplitResult, *, allow_custom_host: bool) -> str | None:
    host = (parts.hostname or "").removesuffix(".")
    if not host:
        return "has no host; expected https://host/path"
    if _is_loopback(host):
        return None if parts.scheme in {"http", "https"} else "has to begin with http(s)://"
    if parts.scheme != "https":
        return "has to begin with https:// (http:// is for simulators on localhost only)"
    if ":" in host or re.fullmatch(r"[0-9]+|0x[0-9a-f]*", host.split(".")[-1]):
        return "names no host: an IP address cannot be verified"
    if not allow_custom_host and host not in VENDOR_HOSTS:
        return (
            f"is none of {', '.join(VENDOR_HOSTS)}; set allow_custom_host: true if another host "
            "is meant"
        )
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
