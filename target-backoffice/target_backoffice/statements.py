"""`apply_sql` as text: one UPDATE or INSERT per entry, and the names it binds. Pure.

The rule is kept simple, so that it can be told in one sentence: what a feedback record may do to
the backoffice is one statement with bound values, never a script.
"""

from __future__ import annotations

import re

from target_backoffice.model import Statement

# Quoted parts and comments, in which a semicolon or a word means nothing.
_OPAQUE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/", re.DOTALL)
# As sqlalchemy.text() finds them: `::type` and `\:escaped` are no parameters.
_PARAMETER = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")


def parse_statement(text: str) -> Statement:
    """Check one entry. Raises ValueError whose text names the fault, never the statement."""
    statement = text.strip().removesuffix(";").rstrip()
    bare = _OPAQUE.sub(" ", statement)
    if ";" in bare:
        raise ValueError("holds more than one statement; make each an entry of its own")
    if re.search(r"['\"`$]|/\*", bare):
        raise ValueError("holds a quote or comment without its end, or a $")
    words = bare.lower().split()
    if not words or words[0] not in ("update", "insert"):
        raise ValueError("must be an UPDATE or an INSERT")
    if words[0] == "update" and "where" not in words:
        raise ValueError("is an UPDATE without WHERE: it would change every row")
    parameters = frozenset(_PARAMETER.findall(statement))
    if not parameters:
        raise ValueError("names no column of the record (as :column)")
    return Statement(statement, parameters)
