"""A small backoffice as plain data: four persons, what it says of them, and how that changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from target_support import schema, state

KEYS = (1, 2, 3, 4)
START = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=200)
#: Days that pass with each thing that happens; longer than what a bounce's bare date leaves open.
STEP = timedelta(days=2)
CRM, DELETED, FOREIGN_TAG = "crm", "backoffice-deleted", "vip"
OWNED_PREFIX = "interest-"
INTERESTS = ("interest-a", "interest-b")
GRANTS = ("confirmed", "soft_opt_in")
WITHDRAWALS = ("unsubscribed", "objected", "hard_bounced", "complained")
NAMES = {1: "Givenanna", 2: "Givenbert", 3: "Givencleo", 4: "Givendora"}
#: What must never be printed: every address has the first, every name the second in it.
PERSONAL = ("@example", "Given", "Landof", "sim-key")
MOVES = ("case", "local", "domain", "role")
TEXT = {"type": ["string", "null"]}
COLUMNS = dict.fromkeys(
    (
        "consent", "consent_at", "proof", "consent_for", "wants", "interests", "erase",
        "_sdc_deleted_at",
    ),
    TEXT,
)  # fmt: skip


def key_of(email: str) -> str:
    """An address as it is compared."""
    return email.strip().lower()


@dataclass(frozen=True)
class Row:
    """What the backoffice says of one person; `version` is when it last said something."""

    key: int
    email: str
    version: datetime
    name: str | None = None
    country: str | None = None
    consent: str | None = None
    consent_at: datetime | None = None
    proof: str | None = "form"
    consent_for: str | None = None
    wants: str | None = "true"
    interests: str | None = None
    deleted_at: datetime | None = None
    erase: bool = False

    def __str__(self) -> str:
        """What differs from an empty row, on one line."""
        shown = {n: getattr(self, n) for n in ("email", "name", "country", "consent", "consent_at",
                 "proof", "consent_for", "wants", "interests", "deleted_at", "erase")}  # fmt: skip
        words = [f"{n}={v:%m-%d %H:%M}" if isinstance(v, datetime) else f"{n}={v}"
                 for n, v in shown.items() if v not in (None, False)]  # fmt: skip
        return f"person {self.key} of {self.version:%m-%d}: {', '.join(words)}"

    def record(self) -> dict[str, Any]:
        """The RECORD message."""
        data = {
            "ctt_id": self.key,
            "email": self.email,
            "given_name": self.name,
            "org_country": self.country,
            "updated_at": self.version.isoformat(),
            "consent": self.consent,
            "consent_at": self.consent_at.isoformat() if self.consent_at else None,
            "proof": self.proof,
            "consent_for": self.consent_for,
            "wants": self.wants,
            "interests": self.interests,
            "erase": "true" if self.erase else "false",
            "_sdc_deleted_at": self.deleted_at.isoformat() if self.deleted_at else None,
        }
        return {"type": "RECORD", "stream": "contacts", "record": data}


@dataclass(frozen=True)
class Setting:
    """How the target is configured and what the vendor turns out to be like, for one history."""

    reads: str = "crawl"
    on_delete: str = "unsubscribe_and_tag"
    on_email_change: str | None = None
    include_supported: bool = True
    inline: str = "works"
    put_conflict: str = "nothing_applied"
    email_case: str = "preserve"
    strategy: str = "single"
    connections: int = 1

    def stream(self) -> dict[str, Any]:
        """The stream's mapping."""
        consent = {"column": "consent", "granted_at": "consent_at", "evidence": "proof",
                   "address": "consent_for", "purpose": "ads"}  # fmt: skip
        mapping: dict[str, Any] = {
            "key": "ctt_id",
            "key_field": "BUBSCTTID",
            "version_column": "updated_at",
            "fields": {"email": "email", "firstName": "given_name"},
            "custom_fields": {"LAND": "org_country"},
            "consent": consent,
            "lists": {"News": {"when": "wants", "consent": "ads"}},
            "tags": {"add": [CRM], "from": "interests", "owned_prefixes": [OWNED_PREFIX]},
            "on_delete": self.on_delete,
        }
        if self.on_email_change:
            mapping["on_email_change"] = self.on_email_change
        if self.on_delete == "delete":
            mapping["erasure_column"] = "erase"
        return mapping

    def holds(self, old: str, new: str) -> bool:
        """Whether a change of address waits for proof or approval (S2-2): all of them, or none, or
        by default those from a mailbox of several people to one's own.
        """
        if self.on_email_change is not None:
            return self.on_email_change == "hold" and old.strip() != new.strip()
        role = [email.lower().startswith("info@") for email in (old, new)]
        return role == [True, False]

    def switches(self) -> dict[str, Any]:
        """What the vendor is like."""
        return {
            "include_supported": self.include_supported,
            "inline_field_values_on_put": self.inline,
            "put_email_conflict": self.put_conflict,
            "email_case": self.email_case,
            "bulk_delay_seconds": 0.0,
            "bulk_rate_limit": False,
        }


@dataclass
class Backoffice:
    """All rows as of `now`; `dirty` are the keys that no complete run has been given since."""

    now: datetime = START
    rows: dict[int, Row] = field(default_factory=dict)
    dirty: set[int] = field(default_factory=set)
    earlier: dict[int, list[Row]] = field(default_factory=dict)

    def say(self, key: int, **what: Any) -> None:
        """The backoffice says something new of a person."""
        old = self.rows.get(key) or Row(key, f"p{key}@example.com", self.now)
        self.earlier.setdefault(key, []).append(old)
        self.rows[key] = replace(old, **what, version=self.now)
        self.dirty.add(key)

    def consent_for(self, email: str, word: str | None, days: int) -> dict[str, Any]:
        """Consent given `days` ago for an address, as columns."""
        return {"consent": word, "consent_at": self.now - timedelta(days=days, hours=1),
                "consent_for": email}  # fmt: skip

    def move(self, moves: dict[int, str], *, fresh: bool) -> None:
        """Persons get new addresses, with consent given for them just now or with what there is."""
        for key, email in moves.items():
            word = self.rows[key].consent if self.rows[key].consent in GRANTS else "confirmed"
            self.say(key, email=email, **(self.consent_for(email, word, 0) if fresh else {}))

    def moved(self, key: int, how: str) -> str:
        """The address after a change of one kind."""
        email = self.rows[key].email
        local, _, domain = email.partition("@")
        if how == "case":
            return email.swapcase()
        if how == "local":
            return f"p{key}{'n' if local.lower() == f'p{key}' else ''}@{domain}"
        if how == "domain":
            other = "example.org" if domain.lower().endswith("example.com") else "example.com"
            return f"{local}@{other}"
        return f"info@p{key}.example.net" if local.lower() != "info" else f"p{key}@example.com"

    def taken(self, email: str, *, but: int) -> bool:
        """Whether another person has an address."""
        return any(key_of(r.email) == key_of(email) for r in self.rows.values() if r.key != but)

    def deleted(self) -> list[int]:
        """Keys of persons who are deleted."""
        return [key for key, row in sorted(self.rows.items()) if row.deleted_at is not None]

    def living(self) -> list[int]:
        """Keys of persons who are not deleted."""
        return [key for key, row in sorted(self.rows.items()) if row.deleted_at is None]


def messages(rows: list[Row]) -> list[dict[str, Any]]:
    """The input of one run."""
    return [schema(**COLUMNS), *(row.record() for row in rows), state(len(rows))]
