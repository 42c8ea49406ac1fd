"""Where an export was read up to, and which rows of its last part were delivered. Pure.

A bookmark is the vendor's time at the start of a fetch less the overlap, never the time of an
event: the getters choose export files by when those were written. A fetch without news leaves it
where it was, so that files published late cannot be passed over (S1-36).

Rows met in the overlap are remembered as digests, keyed with a secret of the user's: a plain digest
of an address could be found by guessing.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from tap_optimizely.records import Row
from tap_optimizely.timestamps import from_ms, to_ms, to_text

DIGEST_BYTES = 12
# Most rows that a STATE remembers of one export (16 characters each); others may come twice.
MAX_SEEN = 20_000


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Progress of one export; times are the vendor's."""

    since: dt.datetime | None = None
    fetched_at: dt.datetime | None = None
    width: int | None = None
    seen: frozenset[bytes] = frozenset()


class Window(t.NamedTuple):
    """A part of the time to read, in milliseconds; `recent` rows will be read again."""

    since: int
    until: int
    recent: bool


def read_bookmark(state: Mapping[str, t.Any], export: str) -> Bookmark:
    """Take an export's bookmark out of a stream's state; what is malformed counts as absent."""
    exports = state.get("exports")
    saved = exports.get(export) if isinstance(exports, Mapping) else None
    if not isinstance(saved, Mapping):
        return Bookmark()
    width = saved.get("width")
    return Bookmark(
        since=_moment(saved.get("since")),
        fetched_at=_moment(saved.get("fetched_at")),
        width=width if isinstance(width, int) else None,
        seen=_digests(saved.get("seen")),
    )


def write_bookmark(state: dict[str, t.Any], export: str, bookmark: Bookmark) -> None:
    """Put an export's bookmark into a stream's state."""
    saved: dict[str, t.Any] = {"width": bookmark.width}
    for name, moment in (("since", bookmark.since), ("fetched_at", bookmark.fetched_at)):
        saved[name] = None if moment is None else to_text(moment)
    digests = sorted(bookmark.seen)[:MAX_SEEN]
    saved["seen"] = base64.b64encode(b"".join(digests)).decode()
    state.setdefault("exports", {})[export] = saved


def windows(since: dt.datetime | None, until: dt.datetime, overlap: dt.timedelta) -> list[Window]:
    """Split what is to be read where the next run will begin.

    Which ends of an interval belong to it is not documented, so each part begins a millisecond
    early, and so does the next run.
    """
    begin = 0 if since is None else max(0, to_ms(since) - 1)
    end = to_ms(until)
    split = to_ms(until - overlap)
    if split <= begin:
        return [Window(begin, end, recent=True)]
    return [
        Window(begin, split, recent=False),
        Window(max(0, split - 1), end, recent=True),
    ]


def advance(
    before: Bookmark, until_ms: int, overlap: dt.timedelta, width: int | None, recent: set[bytes],
    *, news: bool,
) -> Bookmark:  # fmt: skip
    """The bookmark after a complete fetch."""
    until = from_ms(until_ms)
    if not news:
        return Bookmark(before.since, until, width or before.width, before.seen)
    return Bookmark(until - overlap, until, width or before.width, frozenset(recent))


def digest_key(password: str, salt: bytes) -> bytes:
    """The key of a stream's digests; without the password nobody can try out addresses."""
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)


def digest(key: bytes, row: Row) -> bytes:
    """Name a whole row in 12 bytes."""
    told = json.dumps(row, ensure_ascii=True).encode()
    return hashlib.blake2b(told, key=key, digest_size=DIGEST_BYTES).digest()


def _moment(saved: object) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(str(saved)) if saved else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _digests(saved: object) -> frozenset[bytes]:
    try:
        joined = base64.b64decode(str(saved or ""), validate=True)
    except ValueError:
        return frozenset()
    parts = range(0, len(joined) - DIGEST_BYTES + 1, DIGEST_BYTES)
    return frozenset(joined[start : start + DIGEST_BYTES] for start in parts)
