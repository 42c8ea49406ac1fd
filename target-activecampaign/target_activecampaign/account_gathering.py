"""The intended set of one stream of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
from target_kit.errors import RowError
from target_kit.versions import version_key

from target_activecampaign import account_mapping
from target_activecampaign.account_model import Account, name_key
from target_activecampaign.account_settings import AccountStream
from target_activecampaign.collecting import Collecting, Mapped

#: Amounts keep their digits: a binary fraction has others.
_decode_record = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_encode_account = msgspec.msgpack.Encoder().encode
decode_account = msgspec.msgpack.Decoder(Account).decode

_shared_name = RowError("name_shared", "several accounts of this run have this name", field="name")


@dataclass
class AccountGathering(Collecting[AccountStream]):
    """Fills the set of one stream of accounts and settles its rows."""

    @property
    def sharing(self) -> tuple[str, RowError]:
        """See Collecting; what accounts share is a name."""
        return self.stream.on_duplicate_name, _shared_name

    def decode(self, body: bytes) -> dict[str, Any]:
        """See Collecting."""
        return _decode_record(body)

    def mapped(self, record: dict[str, Any]) -> Mapped:
        """See Collecting."""
        account = account_mapping.to_account(record, self.stream, self.key_type)
        column = self.stream.version_column
        return Mapped(
            identity=account.identity,
            keyed=account.key is not None,
            address_key=name_key(account.name) or None if not account.deleted else None,
            version=version_key(record.get(column)) if column else None,
            body=_encode_account(account),
        )

    def identity_of(self, record: dict[str, Any]) -> str:
        """See Collecting."""
        return account_mapping.rejected_identity(record, self.stream, self.key_type)
