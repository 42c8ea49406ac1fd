"""Reading what accounts exist, into the run's DestinationIndex: always all of them.

ActiveCampaign can't be asked for the account that holds a value, so that a key is found by reading
every value; accounts cost 1 call per 100, their values 1 more per 100.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from target_kit.index import DestinationIndex, Entry
from target_kit.signals import StopSignal

from target_activecampaign.account_answers import AccountValue
from target_activecampaign.account_client import AccountEndpoints
from target_activecampaign.account_encoding import same
from target_activecampaign.account_model import ExistingAccount, Value, name_key
from target_activecampaign.model import Field, KeyType, canonical_key

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(ExistingAccount)


class AccountLook:
    """The existing side of one stream of accounts; `owned` are its fields, `key_id` the id of the
    one with the key, "" where names alone match.
    """

    def __init__(
        self,
        client: AccountEndpoints,
        index: DestinationIndex,
        owned: Iterable[Field],
        key_id: str,
        key_type: KeyType,
        stop: StopSignal,
    ) -> None:
        self._client = client
        self._index = index
        self._owned = {field.id: field for field in owned}
        self._key_id = key_id
        self._key_type = key_type
        self._stop = stop

    def crawl(self) -> None:
        """Read all accounts, and all values where the stream has any."""
        for page in self._client.accounts():
            self._stop.check()
            self.remember(page)
        for values in self._client.values() if self._owned else ():
            self._stop.check()
            self._merge(values)

    def find_name(self, name: str) -> bool:
        """Read the accounts of this name into the index; True when there are any.

        How the server searches is not documented: where it offers none, all are looked through.
        """
        wanted = name_key(name)
        for asked in (name, ""):
            found = [
                account
                for page in self._client.accounts(asked)
                for account in page
                if name_key(account.name) == wanted
            ]
            for account in found:
                self.refresh(account.id)
            if found:
                return True
        return False

    def refresh(self, account_id: str) -> ExistingAccount | None:
        """Read one account live again; forget it if it is gone (S0-37)."""
        account = self._client.account(account_id)
        if account is None:
            self._index.remove(account_id)
        else:
            self.remember([account])
        return account

    def holds(self, account: ExistingAccount | None, field_id: str, wanted: Value) -> bool:
        """Whether an account as read has this value, or none where none is wanted."""
        stored = account.values.get(field_id, Value("")) if account else Value("")
        return same(self._owned[field_id], stored, wanted)

    def existing(self, account_id: str) -> ExistingAccount | None:
        """The account as last read or written."""
        entry = self._index.get(account_id)
        return _decoder.decode(entry.body) if entry else None

    def remember(self, accounts: Iterable[ExistingAccount]) -> None:
        """Enter accounts as they are now into the index."""
        self._index.put([self._entry(account) for account in accounts])

    def _merge(self, values: list[AccountValue]) -> None:
        accounts: dict[str, ExistingAccount | None] = {}
        for value in values:
            if value.field_id not in self._owned:
                continue
            number = value.account_id
            if number not in accounts:
                # Pages may shift while others write: one that was skipped is read by its id.
                accounts[number] = self.existing(number) or self._client.account(number)
            if account := accounts[number]:
                merged = {**account.values, value.field_id: value.value}
                accounts[number] = msgspec.structs.replace(account, values=merged)
        self.remember(account for account in accounts.values() if account)

    def _entry(self, account: ExistingAccount) -> Entry:
        owned = {f: v for f, v in account.values.items() if f in self._owned}
        text = owned[self._key_id].text if self._key_id in owned else ""
        key = canonical_key(text, self._key_type)
        if key is None and text.strip():
            key = f"?{text.strip()}"  # unreadable, but not blank: a finding, never a match
        body = _encode(msgspec.structs.replace(account, values=owned))
        return Entry(account.id, name_key(account.name), key, body)
