"""The next start of an account, kept by PostgreSQL in the table `request_rate`.

Each step is one statement by `clock_timestamp()` that locks the account's row, so no two sessions
can take the same start. The table is unlogged: nothing is flushed for a start, and what a crash
empties is unknown, which costs a second's wait.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from target_kit.errors import ConfigurationError
from target_kit.rate_slots import SlotsLost

#: The driver notices a server that vanished after 10 + 3 x 5 seconds of silence, or 10 after a
#: send that nobody acknowledged.
CONNECTION: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_MAKE = """
DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(7265717565737472);
  IF to_regclass('request_rate') IS NULL THEN
    CREATE UNLOGGED TABLE request_rate (account text PRIMARY KEY, due timestamptz NOT NULL);
  END IF;
END $$
"""
_CLAIM = """
UPDATE request_rate SET due = clock_timestamp() + %(step)s * interval '1 second'
WHERE account = %(account)s AND due <= clock_timestamp()
"""
#: A moment more than five minutes away is no hold (`target_kit.retry` has two at most): it was
#: written before the clock was set back, so it is unknown as well.
_WAIT = """
SELECT extract(epoch FROM due - clock_timestamp())::float8 FROM request_rate
WHERE account = %(account)s AND due < clock_timestamp() + interval '5 minutes'
"""
_BEGIN = """
INSERT INTO request_rate VALUES (%(account)s, clock_timestamp() + interval '1 second')
ON CONFLICT (account) DO UPDATE SET due = excluded.due
WHERE request_rate.due >= clock_timestamp() + interval '5 minutes'
"""
_HOLD = """
INSERT INTO request_rate VALUES (%(account)s, clock_timestamp() + %(step)s * interval '1 second')
ON CONFLICT (account) DO UPDATE SET due = greatest(request_rate.due, excluded.due)
"""
_DELAY = """
UPDATE request_rate SET due = greatest(due, clock_timestamp()) + %(step)s * interval '1 second'
WHERE account = %(account)s
"""
#: What a setting may put right, by code or class (PostgreSQL's appendix A) or by libpq's words.
_OURS = {"28": "authentication failed", "3D": "no such database", "42501": "permission denied"}
_WORDS = {"authentication failed": "28", "no password supplied": "28", "does not exist": "3D"}


class PostgresqlSlots:
    """See `target_kit.rate_slots.Slots`."""

    def __init__(self, url: str, account: str) -> None:
        logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # it tells hosts
        scheme, _, rest = url.partition("://")
        self._url = f"{scheme.partition('+')[0]}://{rest}"
        try:
            conninfo_to_dict(self._url)
            _ = urlsplit(self._url).port
        except (psycopg.Error, ValueError):
            raise ConfigurationError(
                "rate_limit_url: is no address of a PostgreSQL server"
            ) from None
        self._account = account
        self._connection: psycopg.Connection[Any] | None = None

    def claim(self, interval_seconds: float) -> float:
        """See `Slots`."""
        if self._run(_CLAIM, interval_seconds).rowcount:
            return 0.0
        row = self._run(_WAIT, 0).fetchone()
        if row is None:
            self._run(_BEGIN, 0)
            return 1.0
        # A start that fell due meanwhile has to be claimed like any other.
        return max(float(row[0]), 0.001)

    def hold(self, seconds: float) -> None:
        """See `Slots`."""
        self._run(_HOLD, seconds)

    def delay(self, seconds: float) -> None:
        """See `Slots`."""
        self._run(_DELAY, seconds)

    def close(self) -> None:
        """See `Slots`."""
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error, OSError):
                self._connection.close()
            self._connection = None

    def _run(self, statement: str, seconds: float) -> psycopg.Cursor[Any]:
        """The driver's own words would tell host, user and database (X7)."""
        values = {"account": self._account, "step": seconds}
        try:
            if self._connection is None:
                self._connection = self._connect()
            return self._connection.execute(statement, values)
        except (psycopg.Error, OSError) as error:
            found = error
        self.close()
        raise _said(found)

    def _connect(self) -> psycopg.Connection[Any]:
        # Statements are not prepared: a pooler in between may send each to another session.
        connection = psycopg.connect(
            self._url, autocommit=True, prepare_threshold=None, **CONNECTION
        )
        try:
            connection.execute(_MAKE)
        except psycopg.Error:
            connection.close()
            raise
        return connection


def _said(error: Exception) -> ConfigurationError | SlotsLost:
    code = getattr(error, "sqlstate", None) or ""
    if not code:
        text = str(error).lower()
        code = next((known for words, known in _WORDS.items() if words in text), "")
    ours = _OURS.get(code) or _OURS.get(code[:2])
    if ours:
        return ConfigurationError(f"rate_limit_url: PostgreSQL: {ours}")
    if code and not code.startswith(("08", "57")):
        return SlotsLost(f"PostgreSQL refuses ({code})")
    return SlotsLost("connection to PostgreSQL refused or lost")
