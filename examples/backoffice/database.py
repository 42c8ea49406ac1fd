"""The sample backoffice in a database: the same tables on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import (
    Column,
    DateTime,
    Engine,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    create_engine,
    func,
    make_url,
    select,
    update,
)

from . import marketing
from .metadata import METADATA
from .names import COUNTRIES
from .people import DOMAINS, ascii_word, invent
from .recipients import with_addresses

ORGANISATIONS = Table(
    "organisations",
    METADATA,
    Column("act_id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(100), nullable=False),
    Column("org_country", String(2), nullable=False),
    Column("email", String(254)),
    mysql_charset="utf8mb4",
)
CONTACTS = Table(
    "contacts",
    METADATA,
    Column("ctt_id", Integer, primary_key=True, autoincrement=False),
    Column("act_id", Integer, ForeignKey("organisations.act_id")),
    Column("email", String(254)),
    Column("given_name", String(100), nullable=False),
    Column("family_name", String(100), nullable=False),
    Column("work_phone", String(40)),
    Column("mobile_phone", String(40)),
    Column("org_country", String(2)),
    Column("language_code", String(5)),
    Column("date_created", DateTime, nullable=False),
    Column("updated_at", DateTime, nullable=False),
    Column("deleted_at", DateTime),
    Index("contacts_by_change", "updated_at", "ctt_id"),
    mysql_charset="utf8mb4",
)
# Registrations a backoffice may already hold. Empty here: the target finds the ids itself.
MARKETING_CONTACTS = Table(
    "marketing_contacts",
    METADATA,
    Column("ctt_id", Integer, ForeignKey("contacts.ctt_id"), primary_key=True),
    Column("contact_id", Integer, nullable=False),
    mysql_charset="utf8mb4",
)
MARKETING_ACCOUNTS = Table(
    "marketing_accounts",
    METADATA,
    Column("act_id", Integer, ForeignKey("organisations.act_id"), primary_key=True),
    Column("account_id", Integer, nullable=False),
    mysql_charset="utf8mb4",
)


#: The drivers that tap-backoffice uses as well when a URL names none.
DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql", "mariadb": "pymysql"}


def connect(database_url: str) -> Engine:
    """Open the database; the folder of a SQLite file is made when it is missing."""
    url = make_url(database_url)
    if url.drivername in DRIVERS:
        url = url.set(drivername=f"{url.drivername}+{DRIVERS[url.drivername]}")
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    return create_engine(url)


def build(engine: Engine, *, count: int, seed: int) -> None:
    """Replace the sample tables by `count` invented contacts, and leads and consents to match."""
    organisations, contacts = invent(count, seed)
    organisations = with_addresses(organisations, seed)
    with engine.begin() as connection:
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
        connection.execute(ORGANISATIONS.insert(), [asdict(o) for o in organisations])
        connection.execute(CONTACTS.insert(), [asdict(c) for c in contacts])
        marketing.fill(connection, organisations, contacts, seed)


def change(engine: Engine, *, rows: int = 25, seed: int = 1) -> list[int]:
    """Change `rows` contacts, the first one in its address; return their keys in order.

    Deterministic for the same content and seed. `updated_at` continues after the newest row, so
    an incremental tap sees exactly these.
    """
    with engine.begin() as connection:
        newest: datetime = connection.execute(select(func.max(CONTACTS.c.updated_at))).scalar_one()
        everything = connection.execute(select(CONTACTS).order_by(CONTACTS.c.ctt_id)).all()
        random = Random(f"{seed} {newest.isoformat()}")
        chosen = random.sample(_healthy(everything), rows)
        taken = {(row.email or "").lower() for row in everything}
        for nth, row in enumerate(chosen):
            values = _new_address(row, taken) if nth == 0 else _new_value(row, nth)
            values["updated_at"] = changed_at = newest + timedelta(minutes=1, seconds=nth)
            if nth == 0:
                marketing.note_new_address(connection, row.ctt_id, values["email"], changed_at)
            connection.execute(
                update(CONTACTS).where(CONTACTS.c.ctt_id == row.ctt_id).values(**values)
            )
    return [row.ctt_id for row in chosen]


def _healthy(rows: Sequence[Row[tuple[object, ...]]]) -> list[Row[tuple[object, ...]]]:
    """Rows that reach the marketing system: alive, with a usable address that nobody shares."""
    uses: dict[str, int] = {}
    for row in rows:
        uses[(row.email or "").lower()] = uses.get((row.email or "").lower(), 0) + 1
    return [r for r in rows if r.deleted_at is None and _usable(r.email) and uses[r.email] == 1]


def _usable(email: str | None) -> bool:
    """Tell a well-formed sample address from the malformed ones that `people.MALFORMED` makes."""
    local, at, domain = (email or "").partition("@")
    plain = local.replace(".", "").replace("-", "").isalnum() and email == (email or "").lower()
    return bool(at) and plain and domain.endswith(DOMAINS) and ".." not in domain


def _new_address(row: Row[tuple[object, ...]], taken: set[str]) -> dict[str, object]:
    family, number = ascii_word(row.family_name), 1
    while (address := f"{family}.neu{number}@example.net") in taken:
        number += 1
    return {"email": address}


def _new_value(row: Row[tuple[object, ...]], nth: int) -> dict[str, object]:
    """A change that a marketing system must show: a name, a language, a country, a mobile."""
    match nth % 4:
        case 0:
            return {"family_name": f"{row.family_name}-Groß"}
        case 1:
            languages = sorted({c.language for c in COUNTRIES} - {row.language_code})
            return {"language_code": languages[nth % len(languages)]}
        case 2:
            codes = sorted({c.code for c in COUNTRIES} - {row.org_country})
            return {"org_country": codes[nth % len(codes)]}
        case _:
            # 01 and 02 of Germany's film range differ from what was there, whatever it was.
            one, two = "+49 171 39200 01", "+49 171 39200 02"
            return {"mobile_phone": two if row.mobile_phone == one else one}
