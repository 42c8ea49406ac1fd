"""Whether an account may be written: see `permits`, which does the same for contacts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from target_kit.plan import Approved, Digests, Entry, Item

from target_activecampaign.account_model import Account, AccountChange, ExistingAccount
from target_activecampaign.account_settings import AccountStream
from target_activecampaign.noting import Notes, check_approved, of_stream


class AccountPermit(Protocol):
    """Asked before an account is written; raises RowError for one that must not be."""

    def change(
        self, account: Account, existing: ExistingAccount | None, change: AccountChange
    ) -> None:
        """One account is about to be brought into the wanted state."""


class EveryAccount:
    """A run without plan."""

    def change(
        self, account: Account, existing: ExistingAccount | None, change: AccountChange
    ) -> None:
        """See AccountPermit."""


class _Itemised:
    """`names` are the custom fields as the settings call them, by id."""

    def __init__(self, stream: AccountStream, names: dict[str, str], digests: Digests) -> None:
        self._stream = stream
        self._names = names
        self._digests = digests

    def items(
        self, account: Account, existing: ExistingAccount | None, change: AccountChange
    ) -> list[Item]:
        """One item for each thing that would be written."""
        target = change.account_id or ""
        before = {"name": existing.name, "accountUrl": existing.url} if existing else {}
        drafts = [("create", "", "new at the destination", "", account.name)] if not target else []
        for name, text in change.attributes.items():
            rule = f"rules.{name}: {self._stream.rule(name)}"
            drafts.append(("set" if text else "clear", name, rule, before.get(name, ""), text))
        values = existing.values if existing else {}
        for field_id, value in change.values.items():
            name, known = self._names.get(field_id, field_id), values.get(field_id)
            hidden = name == self._stream.key_field
            rule = "key_field" if hidden else f"rules.{name}: {self._stream.rule(name)}"
            was = f"{known.currency}{known.text}" if known else ""
            kind = "set" if value.text else "clear"
            drafts.append((kind, name, rule, was, f"{value.currency}{value.text}"))
        who, digest = of_stream(self._stream.name, account.identity), self._digests.item
        return [
            Item(kind, name, rule, digest(who, target, kind, name, was, text))
            for kind, name, rule, was, text in drafts
        ]


class PlannedAccounts(_Itemised):
    """Only what a plan holds may be done."""

    def __init__(
        self,
        stream: AccountStream,
        names: dict[str, str],
        digests: Digests,
        approved: Approved,
    ) -> None:
        super().__init__(stream, names, digests)
        self._approved = approved

    def change(
        self, account: Account, existing: ExistingAccount | None, change: AccountChange
    ) -> None:
        """See AccountPermit. Raises RowError `plan_moved`."""
        who = self._digests.who(of_stream(self._stream.name, account.identity))
        check_approved(self._approved, who, self.items(account, existing, change))


class NotingAccounts(_Itemised):
    """A rehearsal: everything may be done, and is noted."""

    def __init__(
        self,
        stream: AccountStream,
        names: dict[str, str],
        digests: Digests,
        told: Callable[[Entry], None],
    ) -> None:
        super().__init__(stream, names, digests)
        self.notes = Notes(stream.name, digests, told)

    def change(
        self, account: Account, existing: ExistingAccount | None, change: AccountChange
    ) -> None:
        """See AccountPermit."""
        self.notes.add(account.identity, self.items(account, existing, change))
