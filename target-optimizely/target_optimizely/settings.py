"""Configuration → frozen Settings, with all faults of the configuration reported at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from target_kit.control import Control, read_control
from target_kit.errors import ConfigurationError
from target_kit.urls import check_base_url

from target_optimizely.model import SYSTEM_COLUMNS, TECHNICAL

HOSTS = ("api.campaign.episerver.net", "api.broadmail.de")
DEFAULT_API_URL = "https://api.campaign.episerver.net/soap11"
MAX_BATCH = 1000
DEFAULT_ENTITY_TYPES = ("contact", "lead", "account")


@dataclass(frozen=True, slots=True)
class ListSettings:
    """One selection and the one list it fills; see the README for every option."""

    name: str
    stream: str
    selection_column: str | None
    selection: str | None
    list_id: int
    consent: str
    consent_column: str
    recipient_id: str
    email: str
    email_attribute: str
    id_attribute: str
    attributes: Mapping[str, str]
    technical: Mapping[str, str]
    technical_attributes: Mapping[str, str]
    entity_types: tuple[str, ...]
    strategy: str
    min_ratio: float
    min_rows: int
    on_wrong_consent: str
    duplicates: str
    null_values: str
    completeness: str
    max_feedback_age_hours: float | None
    suppression: str
    suppression_column: str | None
    unsubscribe_scope: str
    list_kind: str | None
    allow_optin_list: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Attributes that are written: the address and the id always, since one production client
        sends them and another reads them back unsent (contract: open); then what is mapped.
        """
        own = [self.email_attribute, self.id_attribute]
        return tuple(dict.fromkeys([*own, *self.columns_by_attribute]))

    @property
    def columns_by_attribute(self) -> dict[str, str]:
        """Attribute → column of everything that is mapped."""
        technical = {self.technical_attributes[role]: c for role, c in self.technical.items()}
        return {**self.attributes, **technical}

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that have to be in the SCHEMA."""
        wanted = [self.consent_column, self.recipient_id, self.email]
        wanted += self.columns_by_attribute.values()
        wanted += [c for c in (self.selection_column, self.suppression_column) if c]
        return tuple(dict.fromkeys(wanted))


@dataclass(frozen=True, slots=True)
class Settings:
    """The target's settings, checked. Password and user name are never part of `repr`."""

    api_url: str
    mandator_id: int
    username: str = field(repr=False)
    password: str = field(repr=False)
    state_dir: Path
    max_errors: int
    report_file: Path | None
    report_html: Path | None
    feedback_file: Path | None
    batch_size_records: int
    session_seconds: float
    timeout_seconds: float
    deadline_seconds: float | None
    grace_seconds: float
    check_mailings: bool
    fail_on_rejects: bool
    on_unknown_stream: str
    ca_bundle: Path | None
    control: Control
    lists: Mapping[str, ListSettings]

    @property
    def account(self) -> str:
        """Names the client of the vendor; lists of other clients are another world (S1-6)."""
        return f"{self.api_url} {self.mandator_id}"

    def lists_of(self, stream: str) -> list[ListSettings]:
        """The lists that one stream feeds."""
        return [one for one in self.lists.values() if one.stream == stream]


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Check the whole configuration; raises one ConfigurationError naming every fault."""
    faults: list[str] = []
    api_url = ""
    try:
        api_url = check_base_url(
            str(config.get("api_url") or DEFAULT_API_URL),
            allowed_hosts=HOSTS,
            allow_custom_host=bool(config.get("allow_custom_host", False)),
        )
    except ConfigurationError as error:
        faults.append(str(error))
    faults.extend(
        f"{name}: is missing"
        for name in ("mandator_id", "username", "password")
        if not str(config.get(name) or "").strip()
    )
    suppression = str(config.get("suppression") or "api")
    feedback_file = config.get("feedback_file")
    lists = {
        str(name): made
        for name, raw in (config.get("lists") or {}).items()
        if (made := _list(str(name), raw, suppression, bool(feedback_file), faults))
    }
    _check_pairs(lists, faults)
    control = read_control(config, faults)
    if faults:
        raise ConfigurationError("; ".join(faults))
    deadline = config.get("deadline_seconds")
    return Settings(
        api_url=api_url,
        mandator_id=int(config["mandator_id"]),
        username=str(config["username"]).strip(),
        password=str(config["password"]),
        state_dir=Path(str(config.get("state_dir") or "state/target-optimizely")),
        max_errors=int(config.get("max_errors", 500)),
        report_file=_path(config, "report_file"),
        report_html=_path(config, "report_html"),
        feedback_file=_path(config, "feedback_file"),
        batch_size_records=int(config.get("batch_size_records", 500)),
        session_seconds=float(config.get("session_seconds", 900)),
        timeout_seconds=float(config.get("timeout_seconds", 180)),
        deadline_seconds=None if deadline is None else float(deadline),
        grace_seconds=float(config.get("grace_seconds", 25)),
        check_mailings=bool(config.get("check_mailings", True)),
        fail_on_rejects=bool(config.get("fail_on_rejects", False)),
        on_unknown_stream=str(config.get("on_unknown_stream", "fail")),
        ca_bundle=_path(config, "ca_bundle"),
        control=control,
        lists=lists,
    )


def _path(config: Mapping[str, Any], name: str) -> Path | None:
    value = config.get(name)
    return Path(str(value)) if value else None


def _check_pairs(lists: Mapping[str, ListSettings], faults: list[str]) -> None:
    """Two selections can't refill one list (S1-7); a stream of several lists must be told apart."""
    ids = Counter(one.list_id for one in lists.values())
    faults.extend(f"lists: list_id {i} appears {n} times (S1-7)" for i, n in ids.items() if n > 1)
    streams = Counter(one.stream for one in lists.values())
    choices = Counter((one.stream, one.selection) for one in lists.values())
    faults.extend(
        f"lists.{one.name}: stream {one.stream} feeds several lists, so each of them needs "
        "selection_column and selection"
        for one in lists.values()
        if streams[one.stream] > 1 and one.selection_column is None
    )
    faults.extend(
        f"lists: two lists take the same selection of stream {stream}"
        for (stream, selection), n in choices.items()
        if n > 1 and selection is not None
    )


def _list(
    name: str, raw: Mapping[str, Any], suppression: str, has_feedback: bool, faults: list[str]
) -> ListSettings | None:
    before, where = len(faults), f"lists.{name}"
    consents = raw.get("consent")
    if isinstance(consents, list) or not str(consents or "").strip():
        faults.append(f"{where}.consent: exactly one advertising consent belongs to a list (S1-9)")
    faults.extend(
        f"{where}.{option}: is missing"
        for option in ("list_id", "recipient_id", "email")
        if not raw.get(option)
    )
    technical, technical_attributes = _technical(where, raw.get("technical") or {}, faults)
    attributes = {str(k): str(v) for k, v in (raw.get("attributes") or {}).items()}
    taken = [*attributes, *technical_attributes.values()]
    faults.extend(
        f"{where}: attribute {a} is kept by the vendor and never written"
        for a in taken
        if a in SYSTEM_COLUMNS
    )
    twice = sorted({a for a in attributes if a in technical_attributes.values()})
    faults.extend(f"{where}: attribute {a} is mapped twice" for a in twice)
    column, choice = raw.get("selection_column"), raw.get("selection")
    if (column is None) != (choice is None):
        faults.append(f"{where}: selection_column and selection belong together")
    suppression = str(raw.get("suppression") or suppression)
    suppression_column = raw.get("suppression_column")
    if suppression == "column" and not suppression_column:
        faults.append(f"{where}: suppression: column needs suppression_column")
    allow_optin = bool(raw.get("allow_optin_list", False))
    if allow_optin and suppression != "api":
        faults.append(
            f"{where}: allow_optin_list needs suppression: api, since the vendor re-subscribes "
            "whoever is written to an opt-in list"
        )
    age = raw.get("max_feedback_age_hours", 24 if has_feedback else None)
    if age is not None and not has_feedback:
        faults.append(f"{where}.max_feedback_age_hours: needs the setting feedback_file")
    id_attribute = _id_attribute(raw, attributes)
    if id_attribute is None:
        faults.append(
            f"{where}.id_attribute: name the list's attribute that holds the recipient id (the "
            "snapshot before a clear is read by it), or map that column under attributes"
        )
    if len(faults) > before or id_attribute is None:
        return None
    return ListSettings(
        name=name,
        stream=str(raw.get("stream") or name),
        selection_column=None if column is None else str(column),
        selection=None if choice is None else str(choice),
        list_id=int(raw["list_id"]),
        consent=str(raw["consent"]).strip(),
        consent_column=str(raw.get("consent_column") or "consent"),
        recipient_id=str(raw["recipient_id"]),
        email=str(raw["email"]),
        email_attribute=str(raw.get("email_attribute") or "email"),
        id_attribute=id_attribute,
        attributes=attributes,
        technical=technical,
        technical_attributes=technical_attributes,
        entity_types=tuple(raw.get("entity_types") or DEFAULT_ENTITY_TYPES),
        strategy=str(raw.get("strategy") or "clear_and_refill"),
        min_ratio=float(raw.get("min_ratio", 0.5)),
        min_rows=int(raw.get("min_rows", 1)),
        on_wrong_consent=str(raw.get("on_wrong_consent") or "stop"),
        duplicates=str(raw.get("duplicates") or "first"),
        null_values=str(raw.get("null_values") or "nil"),
        completeness=str(raw.get("completeness") or "marker"),
        max_feedback_age_hours=None if age is None else float(age),
        suppression=suppression,
        suppression_column=str(suppression_column) if suppression == "column" else None,
        unsubscribe_scope=str(raw.get("unsubscribe_scope") or "client_and_list"),
        list_kind=raw.get("list_kind"),
        allow_optin_list=allow_optin,
    )


def _technical(
    where: str, raw: Mapping[str, Any], faults: list[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Role → column, and role → attribute where the list spells it in its own way (S1-13)."""
    columns, attributes = {}, {}
    for role, value in raw.items():
        if role not in TECHNICAL:
            faults.append(f"{where}.technical.{role}: unknown; one of {', '.join(TECHNICAL)}")
            continue
        named = value if isinstance(value, Mapping) else {"column": value}
        columns[role] = str(named.get("column") or "")
        attributes[role] = str(named.get("attribute") or role)
    faults.extend(
        f"{where}.technical.{role}: name the column that holds it (S1-13)"
        for role in TECHNICAL
        if not columns.get(role)
    )
    return columns, attributes


def _id_attribute(raw: Mapping[str, Any], attributes: Mapping[str, str]) -> str | None:
    """The attribute by which stored recipients are known again."""
    if raw.get("id_attribute"):
        return str(raw["id_attribute"])
    column = raw.get("recipient_id")
    if column == raw.get("email"):
        return str(raw.get("email_attribute") or "email")
    return next((a for a, c in attributes.items() if c == column), None)
