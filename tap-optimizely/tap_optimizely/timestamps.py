"""Times as the vendor writes them → ISO 8601 in UTC. Pure.

No format is documented for the exports; it is agreed per client. Formats are named `iso`,
`epoch_ms`, or spelled with letters as in `dd.MM.yyyy HH:mm:ss`.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable

ISO = "iso"
EPOCH_MS = "epoch_ms"

Parser = Callable[[str], dt.datetime]

_LETTERS = {
    "yyyy": "%Y",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "SSS": "%f",
    "T": "T",
    "Z": "%z",
}
_TOKEN = re.compile(r"yyyy|SSS|MM|dd|HH|mm|ss|T|Z|[ .:/,-]")


def is_format(name: object) -> bool:
    """Say whether `name` is a format this tap can read."""
    if not isinstance(name, str):
        return False
    return name in {ISO, EPOCH_MS} or ("yyyy" in name and _TOKEN.sub("", name) == "")


def parser(name: str, zone: zoneinfo.ZoneInfo) -> Parser:
    """Give the function that reads times of a format; those without an offset are of `zone`.

    The function raises ValueError, which may quote the value: catch it close by.
    """
    if name == EPOCH_MS:
        return from_ms_text
    if name == ISO:
        return lambda text: _aware(dt.datetime.fromisoformat(text), zone)
    pattern = _TOKEN.sub(lambda found: _LETTERS.get(found.group(), found.group()), name)
    return lambda text: _aware(dt.datetime.strptime(text, pattern), zone)  # noqa: DTZ007  the zone follows


def from_ms(milliseconds: int) -> dt.datetime:
    """Milliseconds since 1970 as an aware time in UTC."""
    return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(milliseconds=milliseconds)


def from_ms_text(text: str) -> dt.datetime:
    """The same of digits."""
    try:
        return from_ms(int(text))
    except OverflowError as exc:
        raise ValueError("out of range") from exc


def to_ms(moment: dt.datetime) -> int:
    """Whole milliseconds since 1970."""
    return (moment - dt.datetime.fromtimestamp(0, dt.UTC)) // dt.timedelta(milliseconds=1)


def to_text(moment: dt.datetime) -> str:
    """ISO 8601 in UTC, as all times of the tap's records and state are."""
    return moment.astimezone(dt.UTC).isoformat()


def _aware(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(dt.UTC)
    except OverflowError as exc:
        raise ValueError("out of range") from exc
