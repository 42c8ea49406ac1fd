"""What a database's error means: this row can't be taken, or the run can't go on. Pure.

Drivers put values into their messages, so only known words and codes leave this module (X7).
Codes: PostgreSQL appendix A, MariaDB "Error Codes", SQLite "Result Codes".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What happens next."""

    ROW = "row"  # this row or statement is refused; others may pass
    AGAIN = "again"  # the database undid the transaction: do it once more
    CREDENTIALS = "credentials"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Refusal:
    """`reason` is made of fixed words and the vendor's code."""

    verdict: Verdict
    reason: str


_SQLITE = {
    3: (Verdict.CREDENTIALS, "permission denied"),
    5: (Verdict.UNAVAILABLE, "locked by another session for too long"),
    6: (Verdict.UNAVAILABLE, "locked by another session for too long"),
    7: (Verdict.UNAVAILABLE, "out of memory"),
    8: (Verdict.UNAVAILABLE, "the file is read-only"),
    10: (Verdict.UNAVAILABLE, "disk error"),
    11: (Verdict.UNAVAILABLE, "the file is damaged"),
    13: (Verdict.UNAVAILABLE, "disk full"),
    14: (Verdict.UNAVAILABLE, "the file can't be opened"),
    23: (Verdict.CREDENTIALS, "permission denied"),
    26: (Verdict.UNAVAILABLE, "the file is no SQLite database"),
    1: (Verdict.ROW, "error in the statement"),
    19: (Verdict.ROW, "a constraint or trigger forbids it"),
    20: (Verdict.ROW, "a value doesn't fit its column"),
}
_MARIADB = {
    1021: (Verdict.UNAVAILABLE, "disk full"),
    1040: (Verdict.UNAVAILABLE, "too many connections"),
    1044: (Verdict.CREDENTIALS, "permission denied"),
    1045: (Verdict.CREDENTIALS, "authentication failed"),
    1049: (Verdict.UNAVAILABLE, "no such database"),
    1053: (Verdict.UNAVAILABLE, "the server is shutting down"),
    1114: (Verdict.UNAVAILABLE, "disk full"),
    1142: (Verdict.CREDENTIALS, "permission denied"),
    1143: (Verdict.CREDENTIALS, "permission denied"),
    1205: (Verdict.UNAVAILABLE, "locked by another session for too long"),
    1213: (Verdict.AGAIN, "deadlock"),
    1227: (Verdict.CREDENTIALS, "permission denied"),
    1290: (Verdict.UNAVAILABLE, "the server is read-only"),
    1305: (Verdict.AGAIN, "the transaction was undone"),
    1698: (Verdict.CREDENTIALS, "authentication failed"),
    1927: (Verdict.UNAVAILABLE, "connection lost"),
    2002: (Verdict.UNAVAILABLE, "connection refused or host unknown"),
    2003: (Verdict.UNAVAILABLE, "connection refused or host unknown"),
    2006: (Verdict.UNAVAILABLE, "connection lost"),
    2013: (Verdict.UNAVAILABLE, "connection lost"),
    2014: (Verdict.UNAVAILABLE, "connection lost"),
    1048: (Verdict.ROW, "a column must not be empty"),
    1054: (Verdict.ROW, "no such column"),
    1064: (Verdict.ROW, "syntax error"),
    1146: (Verdict.ROW, "no such table"),
}
_POSTGRESQL = {
    "08": (Verdict.UNAVAILABLE, "connection lost"),
    "25": (Verdict.UNAVAILABLE, "the session is read-only or its transaction failed"),
    "28": (Verdict.CREDENTIALS, "authentication failed"),
    "3D": (Verdict.UNAVAILABLE, "no such database"),
    "40": (Verdict.AGAIN, "deadlock or serialization failure"),
    "42501": (Verdict.CREDENTIALS, "permission denied"),
    "42703": (Verdict.ROW, "no such column"),
    "42P01": (Verdict.ROW, "no such table"),
    "42601": (Verdict.ROW, "syntax error"),
    "53": (Verdict.UNAVAILABLE, "disk full or out of resources"),
    "55P03": (Verdict.UNAVAILABLE, "locked by another session for too long"),
    "57": (Verdict.UNAVAILABLE, "the server ended the session"),
    "58": (Verdict.UNAVAILABLE, "system error of the server"),
    "22": (Verdict.ROW, "a value doesn't fit"),
    "23": (Verdict.ROW, "a constraint forbids it"),
}
_NO_CODE = (  # psycopg has no code for what never reached the server
    ("authentication failed", Verdict.CREDENTIALS, "authentication failed"),
    ("no password supplied", Verdict.CREDENTIALS, "authentication failed"),
    ("timeout", Verdict.UNAVAILABLE, "timed out"),
    ("does not exist", Verdict.UNAVAILABLE, "no such database or role"),
    ("could not translate host", Verdict.UNAVAILABLE, "host unknown"),
    ("failed to resolve host", Verdict.UNAVAILABLE, "host unknown"),
)


def judge(backend: str, error: BaseException) -> Refusal:
    """Judge a driver's own exception (`sqlalchemy.exc.DBAPIError.orig`)."""
    name = type(error).__name__
    if backend == "sqlite":
        code = getattr(error, "sqlite_errorcode", None)
        known = _SQLITE.get(code & 0xFF) if isinstance(code, int) else None
        verdict, words = known or (Verdict.ROW, "refused")
        return Refusal(verdict, f"{words} ({getattr(error, 'sqlite_errorname', None) or name})")
    if backend == "postgresql":
        return _postgresql(error, name)
    number = error.args[0] if error.args and isinstance(error.args[0], int) else None
    if number is None or number == 0:
        return Refusal(Verdict.UNAVAILABLE, f"connection lost ({name})")
    verdict, words = _MARIADB.get(number, (Verdict.ROW, "a value or constraint forbids it"))
    return Refusal(verdict, f"{words} ({number})")


def _postgresql(error: BaseException, name: str) -> Refusal:
    state = getattr(error, "sqlstate", None)
    if state:
        known = _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
        verdict, words = known or (Verdict.ROW, "refused")
        return Refusal(verdict, f"{words} ({state})")
    if name in ("OperationalError", "InterfaceError", "ConnectionTimeout"):
        text = str(error).lower()
        found = next(((v, w) for sought, v, w in _NO_CODE if sought in text), None)
        verdict, words = found or (Verdict.UNAVAILABLE, "connection refused or lost")
        return Refusal(verdict, f"{words} ({name})")
    return Refusal(Verdict.ROW, f"refused by the driver ({name})")
