"""Act three's own backoffice: fifteen members, how their addresses change, and who shall be active
where afterwards. Three streams of five, alike but for their `on_email_change`.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

#: The list that the streams manage, and one of somebody else's that no setting names.
NEWS, FAIR = "News", "Fair"
BOTH = f"{NEWS} {FAIR}"
KEY_FIELD = "BUBSCTTID"

#: Policy → where its members have their addresses.
POLICIES = {"rename": "example.com", "resubscribe": "example.org", "hold": "example.net"}
#: Kind of change, address before, address after (without the domain).
CHANGES = (
    ("case only", "anna@", "Anna@"),
    ("local part", "bert@", "bertram@"),
    ("domain", "cleo@", "cleo@home."),
    ("role -> personal", "info@", "dora@"),
    ("local part, consented", "emil@", "emilio@"),
)
#: Who changes so gives consent for the new address as well.
CONSENTED = "local part, consented"
#: Of each kind of change, by policy: on which lists the old address is active afterwards, on which
#: the new one (None: no contact has it), and what the worklist says.
Promise = tuple[str | None, str | None, str]
PROMISED: dict[str, tuple[Promise, ...]] = {
    "rename": (
        (BOTH, None, ""),
        (None, FAIR, "no_evidence_for_address"),
        (None, FAIR, "no_evidence_for_address"),
        (None, FAIR, "no_evidence_for_address"),
        (None, BOTH, ""),
    ),
    "resubscribe": (
        (BOTH, None, ""),
        ("", "", "no_evidence_for_address"),
        ("", "", "no_evidence_for_address"),
        ("", "", "no_evidence_for_address"),
        ("", NEWS, ""),
    ),
    "hold": (
        (BOTH, None, ""),  # one mailbox, however it is spelled: the consent is for it
        (BOTH, None, "email_change_held"),
        (BOTH, None, "email_change_held"),
        (BOTH, None, "email_change_held"),
        (None, BOTH, ""),
    ),
}
#: The same of a held change that was approved: renamed, and without consent for the new address.
APPROVED: Promise = (None, FAIR, "no_evidence_for_address")

_TABLE = """
create table members (
  member_id integer primary key,
  policy text not null,
  email text not null,
  given_name text not null,
  consent text not null,       -- to the list News
  consented_at text not null,
  consent_proof text not null,
  consented_address text not null
)
"""
_COLUMNS = "member_id, email, given_name, consent, consented_at, consent_proof, consented_address"


@dataclass(frozen=True)
class Member:
    """A row of the table `members` before and after its change, and what is promised of it."""

    key: int
    policy: str
    change: str
    old: str
    new: str
    promised: Promise

    @property
    def given_name(self) -> str:
        """It stays, whatever becomes of the address."""
        return self.old.partition("@")[0].title()


MEMBERS = tuple(
    Member(90000 + 10 * group + nth, policy, change, old + domain, new + domain, promised)
    for group, (policy, domain) in enumerate(POLICIES.items(), 1)
    for nth, ((change, old, new), promised) in enumerate(
        zip(CHANGES, PROMISED[policy], strict=True), 1
    )
)


def build(path: Path) -> None:
    """Make the table; everybody has consented for the old address a month ago."""
    month_ago = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    rows = [
        (
            *(m.key, m.policy, m.old, m.given_name),
            *("confirmed", month_ago, f"form {m.key}", m.old),
        )
        for m in MEMBERS
    ]
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(_TABLE)
        database.executemany("insert into members values (?, ?, ?, ?, ?, ?, ?, ?)", rows)


def seed() -> dict[str, Any]:
    """Two lists, and everybody active on both of them, for the simulated account."""
    contacts = [
        {
            "email": m.old,
            "firstName": m.given_name,
            "fieldValues": {KEY_FIELD: str(m.key)},
            "lists": {NEWS: 1, FAIR: 1},
        }
        for m in MEMBERS
    ]
    return {"lists": [NEWS, FAIR], "contacts": contacts}


def change(path: Path) -> None:
    """Give everybody the new address, and consent for it to whom the story gives it."""
    now = datetime.now(UTC).isoformat()
    consent = "update members set consented_at = ?, consented_address = email where member_id = ?"
    with closing(sqlite3.connect(path)) as database, database:
        for member in MEMBERS:
            database.execute(
                "update members set email = ? where member_id = ?", (member.new, member.key)
            )
            if member.change == CONSENTED:
                database.execute(consent, (now, member.key))


def tap_streams() -> list[dict[str, Any]]:
    """The setting `streams` of tap-backoffice: one query a policy."""
    return [
        {
            "name": f"members_{policy}",
            "query": f"select {_COLUMNS} from members where policy = '{policy}'",
            "primary_key": ["member_id"],
        }
        for policy in POLICIES
    ]


def target_streams() -> dict[str, Any]:
    """The setting `streams` of target-activecampaign: one policy a stream."""
    consent = {
        "column": "consent",
        "granted_at": "consented_at",
        "evidence": "consent_proof",
        "address": "consented_address",
        "purpose": "news",
    }
    return {
        f"members_{policy}": {
            "key": "member_id",
            "key_field": KEY_FIELD,
            "fields": {"email": "email", "firstName": "given_name"},
            "consent": consent,
            "lists": {NEWS: {"when": True, "consent": "news"}},
            "on_email_change": policy,
        }
        for policy in POLICIES
    }
