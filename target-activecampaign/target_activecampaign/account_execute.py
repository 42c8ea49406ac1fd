"""Account change → calls → outcome: writes, checks what is confirmed, reads back in doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NoReturn

import msgspec
from target_kit.errors import CallFailed, CallRefused, OutcomeUnknown, RowError
from target_kit.outcome import Outcome, Result, Step

from target_activecampaign.account_client import AccountEndpoints
from target_activecampaign.account_encoding import same
from target_activecampaign.account_look import AccountLook
from target_activecampaign.account_model import Account, AccountChange, ExistingAccount, Value
from target_activecampaign.account_permits import AccountPermit
from target_activecampaign.execute import LookAgain, rejected
from target_activecampaign.model import Field
from target_activecampaign.refusals import refusal

#: Refusals of a whole account that one of the values sent with it may have caused.
_MAY_BE_A_VALUE = frozenset({"field_invalid", "refused_400", "refused_404", "refused_422"})


class AccountExecutor:
    """Carries out one change at a time and keeps the index true. `keys` are those it wrote, by
    account: lists of the vendor may show them later than a contact of this run needs them.
    """

    def __init__(
        self,
        client: AccountEndpoints,
        look: AccountLook,
        fields: Mapping[str, Field],
        key_id: str,
        permit: AccountPermit,
        *,
        on_account_gone: str,
    ) -> None:
        self._client = client
        self._look = look
        self._fields = {field.id: field for field in fields.values()}
        self._key_id = key_id
        self._permit = permit
        self._on_account_gone = on_account_gone
        self.keys: dict[str, str] = {}

    def apply(self, account: Account, change: AccountChange, source: str) -> Result:
        """Make `change` true; `source` is how the account was matched (cfd, name, new).

        Raises RowError when the vendor refuses it or the plan does not hold it, LookAgain when the
        index was wrong.
        """
        known = self._look.existing(change.account_id) if change.account_id else None
        self._permit.change(account, known, change)
        step = Step.UPDATE if change.account_id else Step.INSERT
        account_id, confirmed = self._write_account(account, change)
        refused = self._write_values(account_id, change, confirmed)
        stored = {f: v for f, v in change.values.items() if f not in refused}
        self._remember(account_id, replace(change, values=stored))
        problem = next(iter(refused.values()), None)
        if problem is None and change.problems:
            first = change.problems[0]
            problem = RowError(first.cause, first.message, field=first.perstag)
        if problem:
            return rejected(problem, Step.CUSTOM_FIELDS, source)
        return Result(Outcome.APPLIED, step, source=source)

    def _write_account(
        self, account: Account, change: AccountChange
    ) -> tuple[str, dict[str, Value]]:
        try:
            return self._write_inline(account, change)
        except RowError as error:
            if not change.values or error.cause not in _MAY_BE_A_VALUE:
                raise
            # A value the vendor does not take must not hold back the rest of the account (S0-28).
            return self._write_inline(account, replace(change, values={}))

    def _write_inline(
        self, account: Account, change: AccountChange
    ) -> tuple[str, dict[str, Value]]:
        """The account's id, and the values that went along with it."""
        if change.account_id is None:
            return self._create(account, change)
        if not change.attributes and not any(v.text for v in change.values.values()):
            return change.account_id, {}
        return change.account_id, self._update(account, change, change.account_id)

    def _update(self, account: Account, change: AccountChange, account_id: str) -> dict[str, Value]:
        try:
            return self._client.update_account(change, self._fields)
        except CallRefused as refused:
            if refused.status == 404 and self._look.refresh(account_id) is None:
                self._gone()
            cause = refusal(refused, unique="name")
            if cause.cause == "name_taken":
                self._look.find_name(account.name)
            raise cause from None
        except OutcomeUnknown:
            self._look.refresh(account_id)
            raise LookAgain(written=True) from None

    def _gone(self) -> NoReturn:
        """What the settings say of an account that was deleted there (S0-37)."""
        if self._on_account_gone == "reject":
            raise RowError("account_gone", "the account was deleted at ActiveCampaign") from None
        raise LookAgain(written=False) from None

    def _create(self, account: Account, change: AccountChange) -> tuple[str, dict[str, Value]]:
        """Insert; after an unknown outcome look first, and only then repeat once (S0-44).

        Repeating is safe because names are unique at the vendor: an account that no list shows yet
        makes the repetition a refused duplicate, never a second account.
        """
        for last_try in (False, True):
            try:
                return self._client.create_account(change, self._fields)
            except CallRefused as refused:
                cause = refusal(refused, unique="name")
                if cause.cause != "name_taken":
                    raise cause from None
                if self._look.find_name(account.name):
                    raise LookAgain(written=last_try) from None
                raise RowError(
                    "name_reserved",
                    "ActiveCampaign says the name exists but does not show its account (not "
                    "visible yet, or of somebody the key's user may not see)",
                    field="name",
                ) from None
            except OutcomeUnknown:
                if self._look.find_name(account.name):
                    raise LookAgain(written=True) from None
                if last_try:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    def _write_values(
        self, account_id: str, change: AccountChange, confirmed: Mapping[str, Value]
    ) -> dict[str, RowError]:
        """Values that the answer did not confirm, each for itself: what a look shows to be missing
        is written by its own endpoint (S0-48). Returns those that could not be, by field id.
        """
        due = {f: v for f, v in change.values.items() if not self._confirms(confirmed, f, v)}
        refused: dict[str, RowError] = {}
        rows = {row.field_id: row for row in self._client.values_of(account_id)} if due else {}
        for field_id, wanted in due.items():
            row = rows.get(field_id)
            if same(self._fields[field_id], row.value if row else Value(""), wanted):
                continue
            try:
                if wanted.text:
                    field = self._fields[field_id]
                    self._client.put_value(account_id, field, wanted, row.id if row else "")
                elif row:
                    self._client.delete_value(row.id)
            except CallRefused as error:
                refused[field_id] = refusal(error)
            except (CallFailed, OutcomeUnknown):
                if not self._look.holds(self._look.refresh(account_id), field_id, wanted):
                    refused[field_id] = RowError(
                        "value_not_stored", "a custom field value was not stored"
                    )
        return refused

    def _confirms(self, confirmed: Mapping[str, Value], field_id: str, wanted: Value) -> bool:
        """Answers to writes show no currency: an equal number stands for its amount."""
        stored = confirmed.get(field_id)
        return stored is not None and same(self._fields[field_id], stored, wanted)

    def _remember(self, account_id: str, change: AccountChange) -> None:
        before = self._look.existing(account_id) or ExistingAccount(account_id, "", "", {})
        after = msgspec.structs.replace(
            before,
            name=change.attributes.get("name", before.name),
            url=change.attributes.get("accountUrl", before.url),
            values={**before.values, **change.values},
        )
        self._look.remember([after])
        if self._key_id in change.values:
            self.keys[account_id] = change.values[self._key_id].text
