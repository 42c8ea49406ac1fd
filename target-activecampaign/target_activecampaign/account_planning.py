"""Which account a row is, and what must change there. Pure: no call is made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from target_kit.errors import RowError

from target_activecampaign.account_encoding import Money, encode, is_blank, same
from target_activecampaign.account_model import (
    Account,
    AccountChange,
    ExistingAccount,
    Value,
)
from target_activecampaign.account_settings import AccountStream
from target_activecampaign.model import Field, FieldProblem, Rule

_SCHEMES = ("https://", "http://")


class Found(Protocol):
    """What matching needs to know of a destination account."""

    @property
    def id(self) -> str:
        """Technical id."""

    @property
    def key(self) -> str | None:
        """Canonical backoffice key; None for blank; starts with `?` when unreadable."""


def resolve(
    account: Account, by_key: Sequence[Found], by_name: Sequence[Found], *, has_key_column: bool
) -> tuple[str | None, str]:
    """Id of the account, None for a new one, and how it was found: cfd (key field), name or new.

    A name serves only accounts whose key field is blank; a stream without key has only names.
    Raises RowError `ambiguous_key` (S0-24), `ambiguous_name`, `name_of_other_key` (S0-25),
    `key_field_unreadable` (S0-22).
    """
    if account.key is not None and by_key:
        if len(by_key) > 1:
            raise RowError(
                "ambiguous_key",
                f"{len(by_key)} accounts at ActiveCampaign carry this key; "
                "clear the key field of all but one",
            )
        return by_key[0].id, "cfd"
    if not by_name:
        return None, "new"
    if len(by_name) > 1:
        raise RowError(
            "ambiguous_name", f"{len(by_name)} accounts at ActiveCampaign have this name"
        )
    holder = by_name[0]
    if holder.key is None or not has_key_column:
        return holder.id, "name"
    if holder.key.startswith("?"):
        raise RowError(
            "key_field_unreadable",
            "the account of this name has a key field that is not a number; correct it there",
        )
    raise RowError(
        "name_of_other_key",
        "the account of this name carries the key of another; names are unique at ActiveCampaign: "
        "correct one of the two in the backoffice",
        field="name",
    )


def plan(
    account: Account,
    existing: ExistingAccount | None,
    stream: AccountStream,
    fields: Mapping[str, Field],
    *,
    name_is_free: bool = True,
) -> AccountChange:
    """What must change, all of it for a new account; empty when it already agrees (S0-34).

    `fields` are the stream's custom fields as the settings name them; `name_is_free` False where
    another account has the wanted name. Raises RowError `name_taken`.
    """
    values, problems = _values(account, existing, stream, fields)
    if existing is None:
        attributes = {n: text for n, text in account.attributes.items() if text}
        return AccountChange(None, {"name": account.name, **attributes}, values, problems)
    attributes = {}
    if account.name and account.name != existing.name and _due(stream.rule("name"), existing.name):
        if not name_is_free:
            raise RowError(
                "name_taken",
                "another account has the new name already; nothing was changed",
                field="name",
            )
        attributes["name"] = account.name
    url = account.attributes.get("accountUrl")
    if url is not None and _due(stream.rule("accountUrl"), existing.url):
        attributes |= {} if same_url(existing.url, url) else {"accountUrl": url}
    return AccountChange(existing.id, attributes, values, problems)


def same_url(stored: str, wanted: str) -> bool:
    """Whether two addresses of a website are one: a vendor may complete what was sent, by a scheme
    or a last slash.
    """
    before, after = stored.strip(), wanted.strip()
    schemes = {s for text in (before, after) for s in _SCHEMES if text.lower().startswith(s)}
    if len(schemes) > 1:
        return False
    return _bare(before) == _bare(after)


def _bare(url: str) -> str:
    for scheme in _SCHEMES:
        if url.lower().startswith(scheme):
            url = url[len(scheme) :]
    host, slash, path = url.rstrip("/").partition("/")
    return host.lower() + slash + path


def _values(
    account: Account,
    existing: ExistingAccount | None,
    stream: AccountStream,
    fields: Mapping[str, Field],
) -> tuple[dict[str, Value], tuple[FieldProblem, ...]]:
    """Encoded values by field id that differ from what is stored (S0-53), and what can't be."""
    values: dict[str, Value] = {}
    problems: list[FieldProblem] = []
    stored = existing.values if existing else {}
    if account.key_text and stream.key:
        key_field = fields[stream.key_field]
        if is_blank(key_field, stored.get(key_field.id, Value(""))):
            values[key_field.id] = Value(account.key_text)  # S0-49
    for name, raw in account.values.items():
        field = fields[name]
        before = stored.get(field.id, Value(""))
        before = Value("") if is_blank(field, before) else before
        if existing and not _due(stream.rule(name), before.text):
            continue
        try:
            money = stream.money.get(name, Money())
            wanted = encode(raw, field, money, account.currencies.get(name, ""))
        except RowError as error:
            problems.append(FieldProblem(name, error.cause, error.message))
            continue
        clears = stream.clears or raw is False  # a box no longer ticked
        if (wanted.text or (before.text and clears)) and not same(field, before, wanted):
            values[field.id] = wanted
    return values, tuple(problems)


def _due(rule: Rule, before: str) -> bool:
    """True when the rule lets an existing value `before` be written over."""
    return rule is Rule.ALWAYS or (rule is Rule.IF_EMPTY and not before.strip())
