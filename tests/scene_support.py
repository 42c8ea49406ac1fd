"""An account with lists, tags and accounts, and a target that delivers to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from destinations_support import WarmTarget, seeded_fields, sums_close
from simulators_api import Api
from simulators_support import Simulator
from target_support import Run, schema, state

Message = dict[str, Any]
TEXT = {"type": ["string", "null"]}
COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("consent", "consent_at", "proof", "consent_for", "interests"), TEXT),
    **dict.fromkeys(("_sdc_deleted_at", "erase"), TEXT),
    "wants": {"type": ["boolean", "null"]},
    "act_id": {"type": ["integer", "null"]},
}
#: What a stream can be told that makes every kind possible; lists only take who wants them.
STREAM: dict[str, Any] = {
    "key": "ctt_id",
    "key_field": "BUBSCTTID",
    "fields": {"email": "email", "firstName": "given_name"},
    "account": {"key": "act_id", "key_field": "BUBSACTID"},
    "consent": {
        "column": "consent",
        "granted_at": "consent_at",
        "evidence": "proof",
        "purpose": "ads",
        "address": "consent_for",
    },
    "lists": {"News": {"when": "wants", "consent": "ads"}},
    "on_email_change": {"local_part": "rename", "domain": "resubscribe"},
    "on_contact_gone": "reject",
}
LAST_MONTH = datetime.now(UTC) - timedelta(days=30)


def consent(given: datetime, address: str | None = None) -> dict[str, Any]:
    """Columns of somebody who confirmed that they want News."""
    said = {"consent": "confirmed", "consent_at": given.isoformat(), "proof": "form 7"}
    return {**said, "wants": True, "consent_for": address}


def just_now() -> datetime:
    """Later than anything that has happened at the destination, which tells whole seconds."""
    return datetime.now(UTC) + timedelta(seconds=60)


@dataclass
class Scene:
    """An account, and a target that delivers to it."""

    sim: Simulator
    target: WarmTarget
    api: Api

    @classmethod
    @contextmanager
    def of(cls, sim: Simulator, target: WarmTarget) -> Iterator[Scene]:
        """With an account field for keys, the list News, and nobody there."""
        sim.seed(
            {
                "fields": seeded_fields(),
                "lists": ["News"],
                "accountFields": [{"fieldLabel": "BUBSACTID"}],
            }
        )
        api = Api(sim)
        with api.session:
            yield cls(sim, target, api)

    def deliver(self, rows: Sequence[Message]) -> Run:
        """One run; whatever is in conflict, it ends with 0 and every row has its outcome."""
        run = self.target.run([schema(**COLUMNS), *rows, state(len(rows))])
        assert run.code == 0, run.stderr
        assert sums_close(run)
        return run

    def delete(self, email: str) -> None:
        """Somebody deletes this contact there."""
        self.sim.event("delete_contact", email=email)

    def edit(self, email: str, **values: Any) -> None:
        """Somebody edits this contact there."""
        self.sim.event("edit_contact", email=email, **values)

    def make(self, email: str, key: int | None = None) -> None:
        """Somebody makes a contact there."""
        self.sim.event("create_contact", values=there(email, key))

    def worklist(self) -> dict[tuple[str, str], tuple[str, str]]:
        """(Person, kind) → (runs, proposed repair) of each open item, as `worklist` prints it."""
        lines = self.target.operate("worklist").stdout.splitlines()
        found = {}
        for heading, _, repair in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
            _, who, kind, _, runs = heading.split("  ")
            found[who, kind] = runs, repair.strip()
        return found

    def active(self) -> set[str]:
        """Addresses of everybody who gets mail."""
        contacts = self.sim.contacts().items()
        return {email for email, contact in contacts if "1" in contact["lists"].values()}

    def keys(self) -> dict[str, str]:
        """Address → backoffice key of every contact, "" for none."""
        contacts = self.sim.contacts().items()
        return {email: c["fieldValues"].get("BUBSCTTID", "") for email, c in contacts}


def there(email: str, key: int | str | None = None, **more: Any) -> dict[str, Any]:
    """A contact as the account has it already."""
    values = {} if key is None else {"fieldValues": {"BUBSCTTID": str(key)}}
    return {"email": email, **values, **more}
