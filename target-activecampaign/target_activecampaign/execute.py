"""Change → call → outcome. Writes, checks what the answer confirms, reads back when in doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import msgspec
from target_kit.address import address_key
from target_kit.errors import CallFailed, CallRefused, OutcomeUnknown, RowError
from target_kit.outcome import Outcome, Result, Step

from target_activecampaign.accounts import Accounts
from target_activecampaign.client import COMPARED, ActiveCampaign
from target_activecampaign.lists import GONE, Lists
from target_activecampaign.look import Look
from target_activecampaign.memberships import mailed_address, subscriptions, withdrawals
from target_activecampaign.model import Change, Contact, Existing
from target_activecampaign.permits import Permit
from target_activecampaign.refusals import refusal
from target_activecampaign.retiring import Retiring
from target_activecampaign.tags import Tags

#: Refusals of a whole contact that one of the values sent with it may have caused.
_MAY_BE_A_VALUE = frozenset({"field_invalid", "refused_400", "refused_422"})


class LookAgain(Exception):
    """The destination is not what the index said; the index has been corrected: decide again.

    `written` is True when a write of ours may already have happened.
    """

    def __init__(self, *, written: bool) -> None:
        super().__init__("the destination changed; decide again")
        self.written = written


class Executor:
    """Carries out one change at a time and keeps the index true."""

    def __init__(
        self,
        client: ActiveCampaign,
        look: Look,
        accounts: Accounts | None,
        *,
        on_contact_gone: str,
        retiring: Retiring,
        permit: Permit,
        lists: Lists | None = None,
        tags: Tags | None = None,
    ) -> None:
        self._client = client
        self._look = look
        self._accounts = accounts
        self._on_contact_gone = on_contact_gone
        self._retiring = retiring
        self._permit = permit
        self._lists = lists
        self._tags = tags

    def apply(self, contact: Contact, change: Change, source: str) -> Result:
        """Make `change` true; `source` is how the contact was matched (cfd, ctt, new).

        Whoever must not be active is unsubscribed before anything else is written, and nobody is
        subscribed before all else is: wherever the run ends, nobody is active who must not be.

        Raises RowError when the vendor refuses it or the plan does not hold it, LookAgain when the
        index was wrong.
        """
        known = self._look.existing(change.contact_id) if change.contact_id else None
        self._permit.change(contact, known, change)
        if change.retire and change.contact_id:
            self._give_up(contact, change.contact_id)
        if not_left := self._leave_lists(contact, change, source):
            return not_left
        step = Step.UPDATE if change.contact_id else Step.INSERT
        contact_id, problem = self._write_contact(change)
        failed: Result | None = None
        if self._accounts and change.account_id:
            refused = self._accounts.associate(contact_id, change.account_id)
            if refused and problem is None:
                failed = rejected(refused, Step.ACCOUNT, source)
        if problem is None and change.problems:
            first = change.problems[0]
            problem = RowError(first.cause, first.message, field=first.perstag)
        if problem:
            failed = failed or rejected(problem, _step_of(problem), source)
        not_entered, kept = self._enter_lists(contact, change, contact_id, source)
        not_tagged = self._set_tags(contact, change, contact_id, source)
        failed = failed or not_entered or not_tagged
        return failed or (held(source) if change.held else applied(step, kept, source))

    def _give_up(self, contact: Contact, contact_id: str) -> NoReturn:
        try:
            self._retiring.give_up(contact, contact_id)
        except CallRefused as refused:
            if refused.status == 404:
                self._look.refresh(contact_id)
                self.gone()
            raise refusal(refused) from None
        raise LookAgain(written=True)

    def gone(self) -> NoReturn:
        """What the settings say of a contact that was deleted there (S0-37)."""
        if self._on_contact_gone == "reject":
            raise RowError("contact_gone", GONE) from None
        raise LookAgain(written=False) from None

    def _leave_lists(self, contact: Contact, change: Change, source: str) -> Result | None:
        contact_id, lists = change.contact_id, self._lists
        if lists is None or contact_id is None or not withdrawals(change.lists):
            return None
        mailed = self._mailed(contact, change)
        failed, _ = attempt(Step.LISTS, source, lambda: lists.leave(contact, contact_id, mailed))
        if failed and failed.cause == "contact_gone":
            self.gone()
        if failed is None and change.email and change.kept == "no_evidence_for_address":
            left = [one.list_id for one in withdrawals(change.lists)]
            self._retiring.note_move(contact, contact_id, left)
        return failed

    def _enter_lists(
        self, contact: Contact, change: Change, contact_id: str, source: str
    ) -> tuple[Result | None, str]:
        """How subscribing failed, if it did, and why a wanted membership was not made."""
        lists, due = self._lists, {c.list_id for c in subscriptions(change.lists)}
        if lists is None or not due:
            return None, change.kept
        mailed, created = self._mailed(contact, change), change.contact_id is None
        return attempt(
            Step.LISTS,
            source,
            lambda: lists.enter(contact, contact_id, mailed, due, created=created),
        )

    def _set_tags(
        self, contact: Contact, change: Change, contact_id: str, source: str
    ) -> Result | None:
        tags, created = self._tags, change.contact_id is None
        if tags is None or change.tags.empty:
            return None
        failed, _ = attempt(
            Step.TAGS, source, lambda: tags.carry_out(contact, contact_id, created=created)
        )
        return failed

    def _mailed(self, contact: Contact, change: Change) -> str | None:
        if change.held:
            return None
        existing = self._look.existing(change.contact_id) if change.contact_id else None
        return mailed_address(contact, existing, renamed=change.email is not None)

    def _write_contact(self, change: Change) -> tuple[str, RowError | None]:
        """Insert or update with the values inline; returns the id and what became of the values."""
        if change.contact_id and not change.touches_contact:
            return change.contact_id, None
        try:
            contact_id, confirmed = self._write_inline(change)
        except RowError as error:
            if not change.values or error.cause not in _MAY_BE_A_VALUE:
                raise
            # A value the vendor does not take must not hold back the rest of the contact (S0-28).
            contact_id, confirmed = self._write_inline(replace(change, values={}))
        refused = self._write_values(contact_id, change, confirmed)
        stored = {f: v for f, v in change.values.items() if f not in refused}
        self._remember(contact_id, replace(change, values=stored))
        return contact_id, next(iter(refused.values()), None)

    def _write_inline(self, change: Change) -> tuple[str, set[str]]:
        """The contact's id, and the fields whose values went along with it."""
        if not change.contact_id:
            return self._create(change)
        return change.contact_id, self._update(change) if change.touches_contact else set()

    def _update(self, change: Change) -> set[str]:
        contact_id = change.contact_id or ""
        try:
            email, confirmed = self._client.update_contact(change)
        except CallRefused as refused:
            if refused.status == 404:
                self._look.refresh(contact_id)
                self.gone()
            raise refusal(refused) from None
        except OutcomeUnknown:
            self._look.refresh(contact_id)
            raise LookAgain(written=True) from None
        if change.email and address_key(email) != change.email.key:
            self._look.refresh(contact_id)
            raise RowError(
                "address_not_taken_over", "ActiveCampaign kept the old address", field="email"
            )
        return confirmed

    def _create(self, change: Change) -> tuple[str, set[str]]:
        """Insert; after an unknown outcome look first, and only then repeat once (S0-44).

        Repeating is safe because addresses are unique at the vendor: a contact that search does
        not show yet makes the repetition a refused duplicate, never a second contact.
        """
        for last_try in (False, True):
            try:
                made = self._client.create_contact(change)
            except CallRefused as refused:
                cause = refusal(refused)
                if cause.cause != "address_taken":
                    raise cause from None
                self._adopt(change, written=last_try)
            except OutcomeUnknown:
                if change.email and self._look.find_address(change.email, thorough=True):
                    raise LookAgain(written=True) from None
                if last_try:
                    raise
            else:
                self._permit.made(made[0])
                return made
        raise AssertionError("unreachable: the last try returns or raises")

    def _adopt(self, change: Change, *, written: bool) -> None:
        """Somebody has the address already: a mapping refresh, not a duplicate (S0-43)."""
        if change.email and self._look.find_address(change.email, thorough=True):
            raise LookAgain(written=written)
        raise RowError(
            "address_reserved",
            "ActiveCampaign says the address exists but does not show its contact "
            "(archived, or not visible yet)",
            field="email",
        )

    def _write_values(
        self, contact_id: str, change: Change, confirmed: set[str]
    ) -> dict[str, RowError]:
        """Values that the answer did not confirm are written by their own endpoint, each for
        itself (S0-48); returns those that could not be, by field id.
        """
        refused: dict[str, RowError] = {}
        for field_id, value in change.values.items():
            if field_id in confirmed:
                continue
            try:
                self._client.put_field_value(contact_id, field_id, value)
            except CallRefused as error:
                refused[field_id] = refusal(error)
            except (CallFailed, OutcomeUnknown):
                if not self._look.holds(contact_id, field_id, value):
                    refused[field_id] = RowError(
                        "value_not_stored", "a custom field value was not stored"
                    )
        return refused

    def _remember(self, contact_id: str, change: Change) -> None:
        before = self._look.existing(contact_id) or Existing(
            contact_id, "", dict.fromkeys(COMPARED, ""), {}, lists={}, tags={}
        )
        after = msgspec.structs.replace(
            before,
            email=change.email.display if change.email else before.email,
            attributes=before.attributes | change.attributes,
            values=before.values | change.values,
        )
        self._look.remember([after])


def attempt(step: Step, source: str, work: Callable[[], str]) -> tuple[Result | None, str]:
    """What `work` answers, or how this step of a row failed; the rest of the row is still tried."""
    try:
        return None, work()
    except RowError as error:
        return rejected(error, step, source), ""
    except CallRefused as error:
        return rejected(refusal(error), step, source), ""
    except CallFailed as error:
        return Result(Outcome.FAILED, step, "vendor_failed", str(error), source=source), ""
    except OutcomeUnknown as error:
        return Result(Outcome.UNKNOWN, step, "fate_unknown", str(error), source=source), ""


def held(source: str) -> Result:
    """The address of this row waits for a decision; all else of it is as it should be."""
    return Result(
        Outcome.HELD,
        Step.UPDATE,
        "email_change_held",
        "the new address waits for an approval, or for consent that was given for it",
        "email",
        source,
    )


def applied(step: Step, cause: str, source: str) -> Result:
    """Written, or found written; `cause` says what was not done, if anything was left."""
    return Result(Outcome.APPLIED, step, cause, source=source)


def _step_of(problem: RowError) -> Step:
    return Step.TAGS if problem.cause == "tag_not_owned" else Step.CUSTOM_FIELDS


def rejected(error: RowError, step: Step, source: str = "") -> Result:
    """A row error as a result."""
    return Result(Outcome.REJECTED, step, error.cause, error.message, error.field, source)
