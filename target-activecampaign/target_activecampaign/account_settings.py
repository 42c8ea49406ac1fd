"""Streams with `object: account`: options → frozen AccountStream, all faults named. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from target_activecampaign.account_encoding import CURRENCY, Money, has_cents, is_currency
from target_activecampaign.custom_fields import OF_ACCOUNTS, FieldSpec, read_custom_fields
from target_activecampaign.model import KeyType, Rule
from target_activecampaign.options import choice, read_rules

#: Attributes of an account that a source may have (create-an-account-new); its owner is a person
#: at the destination, whom the backoffice does not know.
WRITABLE = ("name", "accountUrl")
_NAMED = {
    "name": ((Rule.ALWAYS, Rule.ON_CREATE), "only always or on_create: no account is without")
}
_OPTIONS = (
    "object", "key", "key_field", "key_type", "fields", "custom_fields", "rules", "create_fields",
    "null_semantics", "version_column", "on_duplicate_name", "on_account_gone", "on_delete",
)  # fmt: skip
#: Options of contacts that accounts can't have, and why.
_REASONS = {
    "lists": "only contacts are on lists",
    "tags": "only contacts have tags",
    "consent": "only contacts give consent",
    "on_email_change": "accounts have no address",
    "on_duplicate_email": "accounts have no address; see on_duplicate_name",
    "on_contact_gone": "see on_account_gone",
    "account": "an account has no account; set it in the stream of contacts",
    "deleted_tag": "accounts are never deleted, and have no tags",
    "erasure_column": "accounts are never deleted",
    "max_deletes": "accounts are never deleted",
}


@dataclass(frozen=True, slots=True)
class AccountStream:
    """How one stream becomes accounts; `key` None matches by name alone, `key_field` is "" then.

    `fields` are columns by attribute; `custom_fields`, `field_specs` and `money` go by the label or
    tag of the account's custom field.
    """

    name: str
    key: str | None
    key_field: str
    key_type: KeyType
    fields: Mapping[str, str]
    custom_fields: Mapping[str, str]
    field_specs: Mapping[str, FieldSpec]
    money: Mapping[str, Money]
    rules: Mapping[str, Rule]
    create_fields: bool
    null_semantics: str
    version_column: str | None
    on_duplicate_name: str
    on_account_gone: str

    @property
    def clears(self) -> bool:
        """Whether a null or blank column clears what the destination has (S0-50 by default not)."""
        return self.null_semantics == "clear"

    @property
    def field_names(self) -> tuple[str, ...]:
        """Custom fields the stream writes, its key's own first."""
        return (self.key_field, *self.custom_fields) if self.key else tuple(self.custom_fields)

    @property
    def columns(self) -> tuple[str, ...]:
        """Source columns that must be in the SCHEMA: without them nothing could be matched, or an
        amount would be of no currency.
        """
        needed = [self.fields["name"], *([self.key] if self.key else [])]
        needed += [money.column for money in self.money.values() if money.column]
        return tuple(dict.fromkeys(needed))

    def rule(self, name: str) -> Rule:
        """The rule of an attribute or custom field."""
        return self.rules.get(name, Rule.ALWAYS)


def read_account_stream(
    name: str, raw: Mapping[str, Any], faults: list[str], *, create_fields: bool
) -> AccountStream | None:
    """Check one stream's options; None when any of them is at fault."""
    before, where = len(faults), f"streams.{name}"
    faults += [
        f"{where}.{option}: not for accounts: {_REASONS.get(option, 'no such option')}"
        for option in raw
        if option not in _OPTIONS
    ]
    if raw.get("on_delete", "ignore") != "ignore":
        faults.append(f"{where}.on_delete: only ignore: accounts are never deleted")
    fields = {str(k): str(v) for k, v in (raw.get("fields") or {}).items()}
    if "name" not in fields:
        faults.append(f"{where}.fields: 'name' must be mapped to a column")
    faults += [
        f"{where}.fields.{attribute}: unknown; one of {', '.join(WRITABLE)}"
        for attribute in fields
        if attribute not in WRITABLE
    ]
    key, key_field = str(raw.get("key") or ""), str(raw.get("key_field") or "")
    if bool(key) != bool(key_field):
        faults.append(f"{where}: key and key_field belong together; without both, names match")
    creates = bool(raw.get("create_fields", create_fields))
    given = raw.get("custom_fields") or {}
    custom, specs = read_custom_fields(
        given, where, faults, create_fields=creates, kind=OF_ACCOUNTS
    )
    if key_field in custom:
        faults.append(f"{where}.custom_fields.{key_field}: is the key field already")
    money = {n: _money(e, f"{where}.custom_fields.{n}", faults) for n, e in given.items()}
    rules = read_rules(raw, (*fields, *custom), where, faults, _NAMED)
    key_type = choice(raw, where, "key_type", tuple(KeyType), faults)
    nulls = choice(raw, where, "null_semantics", ("omit", "clear"), faults)
    duplicate = choice(raw, where, "on_duplicate_name", ("first", "newest", "reject"), faults)
    gone = choice(raw, where, "on_account_gone", ("insert", "reject"), faults)
    version = raw.get("version_column")
    if duplicate == "newest" and not version:
        faults.append(f"{where}.on_duplicate_name: 'newest' needs version_column")
    if len(faults) > before:
        return None
    written = {n: column for n, column in custom.items() if rules.get(n) is not Rule.NEVER}
    return AccountStream(
        name=name,
        key=key or None,
        key_field=key_field,
        key_type=KeyType(key_type),
        fields={k: v for k, v in fields.items() if rules.get(k) is not Rule.NEVER},
        custom_fields=written,
        field_specs={n: s for n, s in specs.items() if n in written},
        money={n: m for n, m in money.items() if n in written},
        rules=rules,
        create_fields=creates,
        null_semantics=nulls,
        version_column=str(version) if version else None,
        on_duplicate_name=duplicate,
        on_account_gone=gone,
    )


def _money(entry: Any, path: str, faults: list[str]) -> Money:
    """What is said of the currency of one custom field."""
    if not isinstance(entry, Mapping):
        return Money()
    said = [n for n in ("currency", "currency_column", "digits") if entry.get(n) is not None]
    if said and entry.get("type") != CURRENCY:
        faults.append(f"{path}.{said[0]}: only with type currency")
    code, column = str(entry.get("currency") or ""), str(entry.get("currency_column") or "")
    digits = entry.get("digits")
    if code and not is_currency(code):
        faults.append(f"{path}.currency: an ISO 4217 code such as EUR")
    if digits is not None and (isinstance(digits, bool) or digits not in (0, 1, 2, 3, 4)):
        faults.append(f"{path}.digits: 0 to 4")
    elif digits is None and is_currency(code) and not has_cents(code):
        faults.append(
            f"{path}.digits: {code} has no cents, in which ActiveCampaign counts; say how many "
            "digits it shows behind the point"
        )
    return Money(code, column, digits)
