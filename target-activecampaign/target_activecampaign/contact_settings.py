"""How one stream becomes contacts: its part of the settings, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from target_kit.address_change import (
    DEFAULT_POLICIES,
    ChangeClass,
    ChangePolicy,
    read_policies,
)

from target_activecampaign.custom_fields import FieldSpec, read_custom_fields
from target_activecampaign.deletion import DeletePolicy, read_policy
from target_activecampaign.list_settings import (
    ConsentColumns,
    ListRule,
    TagRule,
    read_consents,
    read_lists,
    read_tags,
)
from target_activecampaign.model import KeyType, Rule
from target_activecampaign.options import choice, read_rules
from target_activecampaign.provenance_settings import (
    Provenance,
    RecordType,
    read_provenance,
)

#: Attributes of a contact that the API lets a client write (docs: create-a-new-contact).
WRITABLE = ("email", "firstName", "lastName", "phone", "cdate")
#: Kept by the vendor itself; writing them would falsify its audit data (S0-33).
AUDIT_ONLY = ("udate", "id", "hash")
#: `cdate` is sent when a contact is created and never again.
_ON_CREATE = {"cdate": ((Rule.ON_CREATE, Rule.NEVER), "only on_create or never (S0-31)")}
_OF_ACCOUNTS = ("on_duplicate_name", "on_account_gone")


@dataclass(frozen=True, slots=True)
class AccountMapping:
    """`key`: source column with the backoffice account key; `key_field`: label or personalization
    tag of the account custom field that carries it (S0-23).
    """

    key: str
    key_field: str


@dataclass(frozen=True, slots=True)
class ContactStream:
    """How one stream becomes contacts; see the README for every option."""

    name: str
    key: str | None
    key_field: str
    key_type: KeyType
    fields: Mapping[str, str]
    custom_fields: Mapping[str, str]
    rules: Mapping[str, Rule]
    create_fields: bool
    version_column: str | None
    on_duplicate_email: str
    on_contact_gone: str
    account: AccountMapping | None = None
    consents: Mapping[str, ConsentColumns] = field(default_factory=dict)
    lists: Mapping[str, ListRule] = field(default_factory=dict)
    tags: TagRule | None = None
    field_specs: Mapping[str, FieldSpec] = field(default_factory=dict)
    null_semantics: str = "omit"
    deletes: DeletePolicy = field(default_factory=DeletePolicy)
    on_email_change: Mapping[ChangeClass, ChangePolicy] = field(
        default_factory=lambda: DEFAULT_POLICIES
    )
    provenance: Provenance | None = None

    @property
    def clears(self) -> bool:
        """Whether a null or blank column clears what the destination has (S0-50 by default not)."""
        return self.null_semantics == "clear"

    def rule(self, name: str) -> Rule:
        """The rule of an attribute or perstag; `cdate` is only ever sent on create (S0-31)."""
        if name == "cdate":
            return Rule.ON_CREATE
        return self.rules.get(name, Rule.ALWAYS)

    def with_upper_perstags(self) -> ContactStream:
        """Perstags as the API spells them."""
        return replace(
            self,
            key_field=self.key_field.upper(),
            custom_fields={p.upper(): c for p, c in self.custom_fields.items()},
            field_specs={p.upper(): s for p, s in self.field_specs.items()},
            rules={(n.upper() if n in self.custom_fields else n): r for n, r in self.rules.items()},
            provenance=self.provenance
            and replace(self.provenance, pending=self.provenance.pending.upper()),
        )

    @property
    def hidden_fields(self) -> tuple[str, ...]:
        """Perstags of the fields that only this target needs: the key, and a tag still due."""
        return (self.key_field, *((self.provenance.pending,) if self.provenance else ()))

    @property
    def goes_first(self) -> bool:
        """Whether it speaks for person accounts, to which rows of other streams yield (S4-26)."""
        decides = self.provenance.decides if self.provenance else frozenset()
        return RecordType.PERSON_ACCOUNT in decides

    @property
    def uses_tags(self) -> bool:
        """Whether contacts are read with their tags."""
        return self.tags is not None or self.provenance is not None

    @property
    def columns(self) -> tuple[str, ...]:
        """Source columns that must be in the SCHEMA: without them nothing could be matched."""
        needed = [self.fields["email"]]
        if self.key:
            needed.append(self.key)
        if self.account:
            needed.append(self.account.key)
        for consent in self.consents.values():
            needed += consent.columns
        needed += [rule.when for rule in self.lists.values() if rule.when]
        if self.tags and self.tags.column:
            needed.append(self.tags.column)
        if self.deletes.erasure_column:
            needed.append(self.deletes.erasure_column)
        if self.provenance:
            needed += self.provenance.columns
        return tuple(dict.fromkeys(needed))


def read_contact_stream(
    name: str, raw: Mapping[str, Any], faults: list[str], *, create_fields: bool
) -> ContactStream | None:
    """Check the settings of one stream; appends what is wrong to `faults`, and is None then."""
    before = len(faults)
    where = f"streams.{name}"
    fields = {str(k): str(v) for k, v in (raw.get("fields") or {}).items()}
    creates = bool(raw.get("create_fields", create_fields))
    custom, specs = read_custom_fields(
        raw.get("custom_fields") or {}, where, faults, create_fields=creates
    )
    faults += [f"{where}.{option}: only for accounts" for option in _OF_ACCOUNTS if option in raw]
    if raw.get("object", "contact") != "contact":
        faults.append(f"{where}.object: must be 'contact' or 'account'")
    if "email" not in fields:
        faults.append(f"{where}.fields: 'email' must be mapped to a column")
    faults.extend(
        f"{where}.fields.{attribute}: is kept by ActiveCampaign itself and never written"
        for attribute in fields
        if attribute in AUDIT_ONLY
    )
    faults.extend(
        f"{where}.fields.{attribute}: unknown; one of {', '.join(WRITABLE)}"
        for attribute in fields
        if attribute not in WRITABLE + AUDIT_ONLY
    )
    key_field = str(raw.get("key_field") or "BUBSCTTID")
    if key_field in custom:
        faults.append(f"{where}.custom_fields.{key_field}: is the key field already")
    rules = read_rules(raw, (*fields, *custom), where, faults, _ON_CREATE)
    key_type = str(raw.get("key_type", KeyType.AUTO))
    if key_type not in tuple(KeyType):
        faults.append(f"{where}.key_type: one of {', '.join(KeyType)}")
    duplicate = choice(raw, where, "on_duplicate_email", ("first", "newest", "reject"), faults)
    gone = choice(raw, where, "on_contact_gone", ("insert", "reject"), faults)
    version = raw.get("version_column")
    if duplicate == "newest" and not version:
        faults.append(f"{where}.on_duplicate_email: 'newest' needs version_column")
    account = raw.get("account")
    if account is not None and not (account.get("key") and account.get("key_field")):
        faults.append(f"{where}.account: needs key and key_field")
    consents = read_consents(raw.get("consent"), where, faults)
    lists = read_lists(raw.get("lists"), consents, where, faults)
    tags = read_tags(raw.get("tags"), where, faults)
    nulls = choice(raw, where, "null_semantics", ("omit", "clear"), faults)
    deletes = read_policy(raw, where, faults)
    changes = read_policies(raw.get("on_email_change"), f"{where}.on_email_change", faults)
    if ChangePolicy.RESUBSCRIBE in changes.values() and not raw.get("key"):
        faults.append(f"{where}.on_email_change: resubscribe needs key, to know the person again")
    provenance = read_provenance(raw.get("provenance"), tags, (key_field, *custom), where, faults)
    if len(faults) > before:
        return None
    return ContactStream(
        name=name,
        key=str(raw["key"]) if raw.get("key") else None,
        key_field=key_field,
        key_type=KeyType(key_type),
        fields={k: v for k, v in fields.items() if rules.get(k) is not Rule.NEVER or k == "email"},
        custom_fields={k: v for k, v in custom.items() if rules.get(k) is not Rule.NEVER},
        rules=rules,
        create_fields=creates,
        version_column=str(version) if version else None,
        on_duplicate_email=duplicate,
        on_contact_gone=gone,
        account=AccountMapping(str(account["key"]), str(account["key_field"])) if account else None,
        consents=consents,
        lists=lists,
        tags=tags,
        field_specs={p: s for p, s in specs.items() if rules.get(p) is not Rule.NEVER},
        null_semantics=nulls,
        deletes=deletes,
        on_email_change=changes,
        provenance=provenance,
    )
