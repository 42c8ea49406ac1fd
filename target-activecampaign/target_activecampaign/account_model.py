"""Frozen values of account streams: what is wanted, what exists, what will change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from target_activecampaign.model import FieldProblem


class Value(msgspec.Struct, frozen=True):
    """One custom field value: `text` as the vendor keeps it, several choices as a JSON array of
    texts, an amount as a whole number of the `currency`'s smallest part; "" for no value. A
    `currency` that the vendor does not tell is "".
    """

    text: str
    currency: str = ""


class Account(msgspec.Struct, frozen=True):
    """One wanted account; `key` and `key_text` as of a contact, both None for a null key.

    `attributes` are those of the API without `name`, `values` raw values by field as the settings
    name it, `currencies` the codes of amounts where a column gives them. What is absent is left
    alone. `deleted` rows are facts about the source: accounts are never deleted.
    """

    identity: str
    key: str | None
    key_text: str | None
    name: str
    attributes: dict[str, str]
    values: dict[str, Any]
    currencies: dict[str, str] = {}
    deleted: bool = False


class ExistingAccount(msgspec.Struct, frozen=True):
    """One account as the vendor has it: values by field id, of the fields that are ours."""

    id: str
    name: str
    url: str
    values: dict[str, Value]


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What one account needs: `account_id` None creates. `values` are by field id, a blank text
    takes the value away.
    """

    account_id: str | None
    attributes: dict[str, str]  # by API name, `name` among them
    values: dict[str, Value]
    problems: tuple[FieldProblem, ...] = ()

    @property
    def empty(self) -> bool:
        """True when nothing needs to be written."""
        return not (self.attributes or self.values)


def name_key(name: str) -> str:
    """The form two names are compared in: whether the vendor minds case is not documented, and two
    accounts that differ in nothing else would be one company (contract section 5).
    """
    return " ".join(name.split()).casefold()
