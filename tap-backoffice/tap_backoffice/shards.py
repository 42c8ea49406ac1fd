"""Which rows one of several taps reads: a hash of the primary key, computed by the database.

There is one rule for all databases and kinds of keys, so a row stays in its shard whatever reads
it: the number in the first eight hexadecimal digits of MD5(key as text, in UTF-8), modulo the count
of shards. `text` below says what the text of a value is. A key of several columns is the digests of
its columns, one after the other, which no separator in a value can blur; a null counts as an empty
text.

MD5 is in PostgreSQL (https://www.postgresql.org/docs/current/functions-string.html), MariaDB
(https://mariadb.com/kb/en/md5/) and MySQL. SQLite has no hash: there it is a function of ours on
our own connection (https://docs.python.org/3/library/sqlite3.html, create_function).
"""

from __future__ import annotations

import hashlib
import typing as t

from tap_backoffice.bookmarks import STATE_VALUE
from tap_backoffice.errors import SettingsError
from tap_backoffice.queries import Quoting, Source
from tap_backoffice.settings import Shard
from tap_backoffice.types import Column, Kind

STATE_KEY = "shard"
BACKENDS = ("postgresql", "mysql", "mariadb", "sqlite")
_FUNCTION = "tap_backoffice_shard"
# Kinds whose text depends on the server's version or on how a document happened to be written.
_NO_STABLE_TEXT: frozenset[Kind] = frozenset({"float", "json", "array"})


def refusals(stream: str, key: t.Sequence[Column], backend: str) -> list[str]:
    """Say why a stream cannot be divided: no rule for its database, no key, no stable text."""
    problems = []
    if backend not in BACKENDS:
        problems.append(f"shard: works on {', '.join(BACKENDS)}, not on {backend}")
    if not key:
        problems.append(
            f"shard: stream {stream} has no primary key to divide its rows by; name one in "
            f"streams[{stream}].primary_key, or read it without shard"
        )
    return problems + [
        f"shard: stream {stream} cannot be divided by its key column {column.name!r}: values of "
        f"kind {column.kind} have no stable text; name another primary_key"
        for column in key
        if column.kind in _NO_STABLE_TEXT
    ]


def check_state(shard: Shard | None, stream: str, state: t.Mapping[str, t.Any]) -> None:
    """Refuse a bookmark that tells how far another part of the table has come.

    `state` is the stream's part of the STATE; one without a bookmark and without a mark is new.

    Raises:
        SettingsError: the state was written by another shard, or by a tap with another count.
    """
    saved = state.get(STATE_KEY)
    if saved == mark(shard) or (saved is None and STATE_VALUE not in state):
        return
    msg = (
        f"shard: the state of stream {stream} was written by {_named(saved)}, this run reads "
        f"{_named(mark(shard))}; give each shard a state of its own, or clear this one"
    )
    raise SettingsError(msg)


def mark(shard: Shard | None) -> dict[str, int] | None:
    """Give what STATE and marker say about the shard; None for a tap that reads all rows."""
    return None if shard is None else {"index": shard.index, "count": shard.count}


def _named(saved: object) -> str:
    if saved is None:
        return "a tap that reads all rows"
    if not isinstance(saved, dict) or set(saved) != {"index", "count"}:
        return "an unknown shard"
    return f"shard {saved['index']} of {saved['count']}"


def within(source: Source, quoting: Quoting, backend: str) -> str | None:
    """Give the condition that rows of the source's shard meet; None when all rows are read."""
    if source.shard is None:
        return None
    return condition(source.shard, source.key_columns, quoting, backend)


def condition(shard: Shard, key: t.Sequence[Column], quoting: Quoting, backend: str) -> str:
    """Give the WHERE condition that holds for the rows of this shard."""
    if backend == "sqlite":
        columns = ", ".join(quoting.column(column) for column in key)
        return f"{_FUNCTION}({shard.count}, {columns}) = {shard.index}"
    digest, number = (
        (_postgres_digest, "CAST(CAST(('x' || substr({}, 1, 8)) AS bit(32)) AS bigint)")
        if backend == "postgresql"
        else (_mysql_digest, "CAST(CONV(SUBSTR({}, 1, 8), 16, 10) AS UNSIGNED)")
    )
    parts = [digest(column, quoting.column(column)) for column in key]
    whole = parts[0]
    if len(parts) > 1:
        joined = f"CONCAT({', '.join(parts)})"
        whole = f"md5({joined})"
    return f"MOD({number.format(whole)}, {shard.count}) = {shard.index}"


def _postgres_digest(column: Column, c: str) -> str:
    text = f"CAST({c} AS text)"
    if column.kind == "boolean":
        text = f"CAST(CAST({c} AS integer) AS text)"
    elif column.kind == "binary":
        text = f"encode({c}, 'hex')"
    return f"md5(convert_to(COALESCE({text}, ''), 'UTF8'))"


def _mysql_digest(column: Column, c: str) -> str:
    text = f"CONVERT({c} USING utf8mb4)"
    if column.kind in ("integer", "boolean", "bits"):
        text = f"CONVERT({c} + 0 USING utf8mb4)"  # no zeros that ZEROFILL shows
    elif column.kind == "binary":
        text = f"LOWER(HEX({c}))"
    return f"MD5(COALESCE({text}, ''))"


def register(connection: t.Any) -> None:  # a sqlite3.Connection
    """Give a SQLite connection the function that the condition calls."""
    connection.create_function(_FUNCTION, -1, _sqlite_shard, deterministic=True)


def _sqlite_shard(count: int, *key: object) -> int:
    return number(*key) % count


def number(*key: object) -> int:
    """Give the number whose remainder is the shard of a key; one value per key column."""
    digests = [_md5(text(value)) for value in key]
    return int((digests[0] if len(digests) == 1 else _md5("".join(digests)))[:8], 16)


def text(value: object) -> str:
    """Give a SQLite value's text: numbers shortest, bytes in hexadecimal, null empty."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a column without INTEGER affinity keeps 5 as 5.0
    return str(value)


def _md5(content: str) -> str:
    return hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()
