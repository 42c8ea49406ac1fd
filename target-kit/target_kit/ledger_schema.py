"""The tables of the ledger, one text for SQLite and PostgreSQL.

Moments are aware and in UTC on both. Texts are ordered by code point on both, whatever the
server's collation. Rows carry the number of their scope (an account and a stream).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

#: Written into the database; another one is refused, since a ledger can be made anew.
VERSION = 1

METADATA = sa.MetaData()
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


class _Moment(sa.types.TypeDecorator[datetime]):
    """An aware datetime; SQLite, which knows no zones, is given UTC without one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; a naive moment is a mistake of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's hook
        """In UTC again."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    scope = sa.Column("scope", sa.BigInteger, primary_key=True, autoincrement=False)
    return sa.Table(f"ledger_{name}", METADATA, scope, *columns, sqlite_with_rowid=False)


def _key(name: str, kind: sa.types.TypeEngine[Any] | type[_Moment] = _TEXT) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True)


def _value(
    name: str, kind: sa.types.TypeEngine[Any] | type[_Moment] = _TEXT, *, nullable: bool = False
) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable)


SCHEMA = sa.Table("ledger_schema", METADATA, sa.Column("version", sa.Integer, primary_key=True))
SCOPES = _table("scopes", _value("name"))
PEOPLE = _table(
    "people",
    _key("who"),
    _value("contact_id"),
    _value("address_key"),
    _value("provenance"),
    _value("fingerprint", sa.LargeBinary()),
    _value("seen_at", _Moment),
)
sa.Index("ledger_people_contact", PEOPLE.c.scope, PEOPLE.c.contact_id)
ADDRESSES = _table(
    "addresses",
    _key("who"),
    _key("since", _Moment),
    _key("address_key"),
    _value("until", _Moment, nullable=True),
    _value("change"),
    _value("policy"),
)
sa.Index("ledger_addresses_address", ADDRESSES.c.scope, ADDRESSES.c.address_key)
sa.Index(
    "ledger_addresses_open",  # one address at a time
    ADDRESSES.c.scope,
    ADDRESSES.c.who,
    unique=True,
    sqlite_where=ADDRESSES.c.until.is_(None),
    postgresql_where=ADDRESSES.c.until.is_(None),
)
WORKLIST = _table(
    "worklist",
    _key("who"),
    _key("kind"),
    _value("message"),
    _value("repair"),
    _value("first_seen", _Moment),
    _value("last_seen", _Moment),
    _value("times", sa.Integer()),
)
APPROVALS = _table("approvals", _key("who"), _key("address_key"), _value("approved_at", _Moment))
ENDED = _table(
    "ended",
    _key("who"),
    _key("contact_id"),
    _key("list_id"),
    _value("ended_at"),
)
REWRITTEN = _table(
    "rewritten",
    _key("who"),
    _key("name"),
    _value("value", sa.LargeBinary()),
    _value("times", sa.Integer()),
)
FACTS = _table("facts", _key("name"), _value("value"))

#: Tables with rows of persons, and all that belong to a scope.
OF_PERSONS = (PEOPLE, ADDRESSES, WORKLIST, APPROVALS, ENDED, REWRITTEN)
OF_SCOPE = (*OF_PERSONS, FACTS)


def number_of(name: str) -> int:
    """64 bits, signed, that stand for `name`: in rows, and as PostgreSQL's advisory lock."""
    digest = hashlib.blake2b(f"ledger {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def is_theirs(table: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether a row of `table` is about the same person and address as one of the history."""
    own = ADDRESSES.c
    return sa.and_(
        table.c.scope == own.scope,
        table.c.who == own.who,
        table.c.address_key == own.address_key,
    )
