"""Persons deleted in the source: noted first, then unsubscribed and tagged, or deleted for good.

Every effect is read before and after: what is there already is not written, an answer that never
came is looked up. Withdrawals only: nothing here can make anybody active.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator

from target_kit.address import address_key
from target_kit.errors import CallFailed, CallRefused, GuardTripped, OutcomeUnknown, RowError
from target_kit.intended import Row
from target_kit.outcome import Outcome, Result, Step
from target_kit.signals import StopSignal
from target_kit.tombstones import Tombstone, Tombstones

from target_activecampaign.deletion import DeletePolicy, OnDelete
from target_activecampaign.execute import rejected
from target_activecampaign.identity import Match
from target_activecampaign.look import Look
from target_activecampaign.model import Contact
from target_activecampaign.permits import Permit
from target_activecampaign.refusals import refusal
from target_activecampaign.withdrawal_client import WithdrawalEndpoints

Rows = Iterable[list[tuple[Row, Contact]]]


class Deletes:
    """Carries out the deletions of one stream by its policy.

    `match` says who a row is by the index, `is_wanted` whether a living person wants an address.
    """

    def __init__(
        self,
        stream: str,
        policy: DeletePolicy,
        client: WithdrawalEndpoints,
        look: Look,
        tombstones: Tombstones,
        stop: StopSignal,
        permit: Permit,
        *,
        match: Callable[[Contact], Match],
        is_wanted: Callable[[str], bool],
    ) -> None:
        self._stream = stream
        self._policy = policy
        self._client = client
        self._look = look
        self._tombstones = tombstones
        self._stop = stop
        self._permit = permit
        self._match = match
        self._is_wanted = is_wanted
        self._tag_id: str | None = None
        self._erasures: set[str] = set()

    def covers(self, row: Row) -> bool:
        """Whether this row is a late one about a person deleted before (or in the same run)."""
        return self._tombstones.covers(row.identity, row.version)

    def go(
        self,
        rows: Callable[[], Rows],
        settle: Callable[[Row, Result], None],
        *,
        by_point: bool,
    ) -> None:
        """Give every deleted row its outcome: note all, check the guard, act. `rows` gives them in
        batches, each time anew; `by_point` looks each batch up first. Raises GuardTripped.
        """
        for batch in rows():
            if by_point:
                self._look.look_up([contact for _, contact in batch])
            self._tombstones.note(t for row, contact in batch for t in self._names(row, contact))
        self._guard()
        for batch in rows():
            for row, contact in batch:
                self._stop.check()
                settle(row, self._process(contact))

    def _guard(self) -> None:
        if len(self._erasures) > self._policy.max_deletes:
            raise GuardTripped(
                f"stream {self._stream}: {len(self._erasures)} contacts would be deleted for good, "
                f"max_deletes is {self._policy.max_deletes}; nothing of it was written but "
                "withdrawals of consent. Check the erasure flags, or raise max_deletes for one run"
            )

    def _resolve(self, contact: Contact) -> Match:
        """Who this is here; nobody, if the address alone says so and somebody living has it."""
        try:
            match = self._match(contact)
            if match.contact_id is None and self._look.verify_before_insert:
                self._look.confirm_new(contact)
                match = self._match(contact)
        except RowError as error:
            if error.cause == "address_of_other_key":
                return Match(None, "")
            raise
        if match.source == "ctt" and contact.email and self._is_wanted(contact.email.key):
            return Match(None, "")
        return match

    def _process(self, contact: Contact) -> Result:
        """The outcome of one deleted row; somebody who is not known here is no matter."""
        source, contact_id = "", ""
        try:
            match = self._resolve(contact)
            if match.contact_id is None:
                return Result(Outcome.SUPPRESSED, Step.DELETE, "deleted_in_source")
            source, contact_id = match.source, match.contact_id
            self._permit.deletion(contact, self._look.existing(contact_id), self._policy)
            written = self._converge(contact_id, contact)
        except CallRefused as refused:
            if refused.status == 404 and self._is_gone(contact_id):
                return Result(Outcome.UNCHANGED, Step.DELETE, "gone_already", source=source)
            return rejected(refusal(refused), Step.DELETE, source)
        except RowError as error:
            return rejected(error, Step.DELETE, source)
        except CallFailed as error:
            return Result(Outcome.FAILED, Step.DELETE, "vendor_failed", str(error), source=source)
        except OutcomeUnknown as error:
            return Result(Outcome.UNKNOWN, Step.DELETE, "fate_unknown", str(error), source=source)
        return Result(Outcome.APPLIED if written else Outcome.UNCHANGED, Step.DELETE, source=source)

    def _converge(self, contact_id: str, contact: Contact) -> bool:
        """Do what is missing; after an answer that never came look again, once."""
        try:
            return self._apply(contact_id, contact)
        except OutcomeUnknown:
            self._apply(contact_id, contact)
            return True

    def _apply(self, contact_id: str, contact: Contact) -> bool:
        """Do what is still missing; True when something was written."""
        if contact.erase:
            with contextlib.suppress(RowError, CallRefused):  # no reason to keep the contact
                self._client.sign_off(contact_id)  # so that nobody is mailed whose deletion fails
            return self._erase(contact_id)
        written = False
        if self._policy.on_delete is not OnDelete.TAG:
            written = bool(self._client.sign_off(contact_id))
        return self._tag(contact_id) or written

    def _erase(self, contact_id: str) -> bool:
        """Delete for good and read back that it is so; a contact already gone was wanted so."""
        try:
            self._client.delete_contact(contact_id)
        except CallRefused as refused:
            if refused.status != 404:
                raise
        if not self._is_gone(contact_id):
            raise RowError("still_there", "ActiveCampaign still has the contact after its deletion")
        return True

    def _is_gone(self, contact_id: str) -> bool:
        return self._look.refresh(contact_id) is None

    def _tag(self, contact_id: str) -> bool:
        tag_id = self._tag_id = self._tag_id or self._find_tag() or self._new_tag()
        if tag_id in self._client.tags_of(contact_id):
            return False
        self._client.add_tag(contact_id, tag_id)
        return True

    def _find_tag(self) -> str | None:
        wanted = self._policy.tag.lower()
        return next((i for i, name in self._client.tags().items() if name.lower() == wanted), None)

    def _new_tag(self) -> str:
        """Make the tag; when the answer never came, or the name was just taken, it is there."""
        try:
            return self._client.create_tag(self._policy.tag)
        except (CallRefused, OutcomeUnknown):
            if tag_id := self._find_tag():
                return tag_id
            raise

    def _names(self, row: Row, contact: Contact) -> Iterator[Tombstone]:
        """Under which names this person could come back: the key, the address of the row and the
        one the contact has.
        """
        yield Tombstone(row.identity, row.version)
        if contact.email:
            yield Tombstone(f"email:{contact.email.key}", row.version)
        try:
            match = self._resolve(contact)
        except RowError:  # named when its turn comes
            return
        if match.contact_id is None:
            return
        if contact.erase:
            self._erasures.add(match.contact_id)
        if existing := self._look.existing(match.contact_id):
            yield Tombstone(f"email:{address_key(existing.email)}", row.version)
