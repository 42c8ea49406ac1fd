"""One record → what we want to be true of one recipient, or why it stays out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from target_kit.address import Address, address_key, parse_address
from target_kit.errors import RowError

from target_optimizely.model import Recipient
from target_optimizely.settings import ListSettings
from target_optimizely.values import moment_text, to_text

DELETED_COLUMN = "_sdc_deleted_at"
#: Sources that are no columns; no source can have a NUL in its name.
_ADDRESS, _ID = "\0address", "\0id"


@dataclass(frozen=True, slots=True)
class Skip:
    """A rule keeps this record out of the list; it is no error."""

    cause: str
    message: str


class WrongConsent(RowError):
    """The row carries another consent than the list's (S1-10)."""


class Mapper:
    """Maps the records of one stream into one list; `moments` are its `date-time` columns."""

    def __init__(self, settings: ListSettings, moments: frozenset[str] = frozenset()) -> None:
        self.settings = settings
        self.moments = moments
        columns = settings.columns_by_attribute
        own = {settings.id_attribute: _ID, settings.email_attribute: _ADDRESS}
        # Where each value comes from, worked out once: a column, or what was read anyway.
        self._sources = [own.get(name) or columns[name] for name in settings.names]
        self._moments = [source in moments for source in self._sources]

    def is_for_this_list(self, record: Mapping[str, Any]) -> bool:
        """Whether the selection column names this list."""
        column = self.settings.selection_column
        return column is None or to_text(record.get(column)) == self.settings.selection

    def to_recipient(self, record: Mapping[str, Any]) -> Recipient | Skip:
        """The wanted recipient.

        Raises `WrongConsent`, or `RowError` with cause `technical_missing`, `entity_type`,
        `recipient_id_missing` or `email_syntax`. Skips: `deleted_in_source`, `no_address` (S1-18),
        `suppressed_by_column`.
        """
        settings = self.settings
        if record.get(DELETED_COLUMN) is not None:
            return Skip("deleted_in_source", "the source says that it is deleted")
        self._check_consent(record)
        entity_type = self._technical(record)
        if settings.suppression_column and _is_set(record.get(settings.suppression_column)):
            return Skip("suppressed_by_column", "the record itself says so")
        email = _trimmed(record.get(settings.email))
        if not email:
            return Skip("no_address", f"{entity_type} without an e-mail address")
        address = parse_address(email)
        recipient_id = _trimmed(record.get(settings.recipient_id))
        if not recipient_id:
            raise RowError(
                "recipient_id_missing", "has no recipient id", field=settings.recipient_id
            )
        return Recipient(
            recipient_id=recipient_id,
            address=address.display,
            address_key=address.key,
            entity_type=entity_type,
            entity_id=_trimmed(record.get(settings.technical["entity-id"])),
            values=self._values(record, recipient_id, address),
        )

    def _check_consent(self, record: Mapping[str, Any]) -> None:
        column = self.settings.consent_column
        if _trimmed(record.get(column)) != self.settings.consent:
            raise WrongConsent(
                "wrong_consent", "carries another consent than the list's, or none", field=column
            )

    def _technical(self, record: Mapping[str, Any]) -> str:
        """The entity type, once all five technical fields are there (S1-13, S1-16)."""
        for role, column in self.settings.technical.items():
            if not _trimmed(record.get(column)):
                raise RowError("technical_missing", f"has no {role}", field=column)
        entity_type = _trimmed(record[self.settings.technical["entity-type"]])
        if entity_type not in self.settings.entity_types:
            raise RowError(
                "entity_type",
                "its entity type is not one of entity_types",
                field=self.settings.technical["entity-type"],
            )
        return entity_type

    def _values(
        self, record: Mapping[str, Any], recipient_id: str, address: Address
    ) -> tuple[str | None, ...]:
        texts: list[str | None] = []
        for source, is_moment in zip(self._sources, self._moments, strict=True):
            if source is _ADDRESS:
                texts.append(address.display)
            elif source is _ID:
                texts.append(recipient_id)
            elif is_moment and isinstance(value := record.get(source), str):
                texts.append(moment_text(value))
            else:
                texts.append(to_text(record.get(source)))
        if self.settings.null_values == "empty":
            return tuple(text or "" for text in texts)
        return tuple(texts)


def names_of(entity_type: str, entity_id: str, address: str) -> tuple[str, ...]:
    """What a person is called by, for `target_kit.suppression`; `address` in its key form."""
    key = (f"key:{entity_type} {entity_id}",) if entity_id else ()
    return (*key, f"email:{address}") if address else key


def names_of_key(settings: ListSettings, key: str) -> set[str]:
    """How a key that somebody typed may be named: one word may be the id of any type's entity."""
    words = key.split()
    if len(words) > 1:
        return {f"key:{' '.join(words)}"}
    return {f"key:{kind} {key.strip()}" for kind in settings.entity_types}


def stored_names(
    settings: ListSettings, address: str, names: Sequence[str], values: Sequence[str | None]
) -> tuple[str, ...]:
    """`names_of` a recipient as a list has them; `values` are those of the attributes `names`."""
    known = dict(zip(names, values, strict=True))
    technical = [settings.technical_attributes[role] for role in ("entity-type", "entity-id")]
    kind, number = (known.get(name) or "" for name in technical)
    return names_of(kind, number, address_key(address))


def pattern_of(values: tuple[str | None, ...], null_values: str) -> str:
    """Which columns are left out of the call: only with `null_values: omit` any."""
    if null_values != "omit":
        return ""
    return "".join("0" if value is None else "1" for value in values)


def moment_columns(schema: Mapping[str, Any]) -> frozenset[str]:
    """Columns whose SCHEMA says `format: date-time`."""
    properties = schema.get("properties", {})
    return frozenset(
        name
        for name, part in properties.items()
        if isinstance(part, Mapping) and part.get("format") == "date-time"
    )


def _trimmed(value: Any) -> str:
    return (to_text(value) or "").strip()


def _is_set(value: Any) -> bool:
    """A flag in any of the ways databases spell one."""
    if isinstance(value, str):
        return value.strip().lower() not in {"", "0", "f", "false", "n", "no"}
    return bool(value)
