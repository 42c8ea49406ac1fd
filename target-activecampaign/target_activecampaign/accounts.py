"""Which account a contact belongs to: by the backoffice key in an account custom field (S0-23).

Only existing accounts are used and only associations are written; accounts themselves are written
by streams of their own, which come first. A row whose account is not known here keeps what the
contact has (S0-4, S0-38).
"""

from __future__ import annotations

from collections.abc import Mapping

from target_kit.errors import CallRefused, RowError
from target_kit.index import DestinationIndex, Entry
from target_kit.signals import StopSignal

from target_activecampaign.account_answers import Association
from target_activecampaign.account_client import AccountEndpoints
from target_activecampaign.model import KeyType, canonical_key
from target_activecampaign.refusals import refusal


class Accounts:
    """Accounts by backoffice key, and the association of each contact (one at most).

    `field_id` is the account custom field with the key; `written` are keys by account that this run
    has written, whether lists show them yet or not.
    """

    def __init__(
        self,
        field_id: str,
        written: Mapping[str, str],
        key_type: KeyType,
        client: AccountEndpoints,
        accounts: DestinationIndex,
        associations: DestinationIndex,
        stop: StopSignal,
    ) -> None:
        self._field_id = field_id
        self._written = written
        self._key_type = key_type
        self._client = client
        self._accounts = accounts
        self._associations = associations
        self._stop = stop
        self._all_read = False

    def read(self, *, everything: bool) -> None:
        """Read all account keys: 1 call per 100 values; with `everything` also all associations,
        1 call per 100, instead of one look-up per contact that needs it.
        """
        for values in self._client.values():
            self._stop.check()
            self._accounts.put(
                self._entry(v.account_id, v.value.text)
                for v in values
                if v.field_id == self._field_id
            )
        self._accounts.put(self._entry(*written) for written in self._written.items())
        if everything:
            for associations in self._client.associations():
                self._stop.check()
                self._remember(associations)
            self._all_read = True

    def adopt(self, other: Accounts) -> None:
        """Know what another one has read."""
        self._accounts.fill(other._accounts)
        self._associations.fill(other._associations)
        self._all_read = other._all_read

    def _entry(self, account_id: str, text: str) -> Entry:
        return Entry(account_id, "", canonical_key(text, self._key_type), b"")

    def account_of(self, key_text: str) -> str | None:
        """Id of the account with this backoffice key, None if there is none (S0-4).

        Raises RowError `ambiguous_account_key`: never a pick (S0-24).
        """
        key = canonical_key(key_text, self._key_type)
        found = self._accounts.by_key(key) if key else []
        if len(found) > 1:
            raise RowError(
                "ambiguous_account_key", f"{len(found)} accounts carry this key", field="account"
            )
        return found[0].id if found else None

    def differs(self, contact_id: str, account_id: str | None) -> bool:
        """True when the contact has to be associated with `account_id`, or moved to it."""
        if account_id is None:
            return False
        current = self._current(contact_id)
        return current is None or current.account_id != account_id

    def now_of(self, contact_id: str) -> str:
        """Id of the account that the contact belongs to, "" for none."""
        current = self._current(contact_id)
        return current.account_id if current else ""

    def associate(self, contact_id: str, account_id: str) -> RowError | None:
        """Make the association; a contact has one, so a move is delete and create.

        A crash in between leaves the contact without account; the next run associates it.
        """
        current = self._current(contact_id)
        try:
            if current is not None:
                self._leave(current)
            self._remember([self._client.create_association(contact_id, account_id)])
        except CallRefused as refused:
            # A repeated call is refused when its first try, whose answer was lost, had worked.
            self._remember(self._client.associations_of(contact_id))
            return refusal(refused) if self.differs(contact_id, account_id) else None
        return None

    def _leave(self, association: Association) -> None:
        try:
            self._client.delete_association(association.id)
        except CallRefused as refused:
            if refused.status != 404:  # gone already: what was wanted
                raise
        self._associations.remove(association.contact_id)

    def _current(self, contact_id: str) -> Association | None:
        entry = self._associations.get(contact_id)
        if entry is None and not self._all_read:
            self._remember(self._client.associations_of(contact_id))
            entry = self._associations.get(contact_id)
        return Association(entry.address_key, contact_id, entry.key or "") if entry else None

    def _remember(self, associations: list[Association]) -> None:
        self._associations.put(Entry(a.contact_id, a.id, a.account_id, b"") for a in associations)
