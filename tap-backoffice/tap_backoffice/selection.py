"""Settings + the database's catalogue (+ a Singer catalogue's selection) → what a stream is."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from singer_sdk.singerlib import CatalogEntry, MetadataMapping, Schema

from tap_backoffice.errors import SettingsError
from tap_backoffice.settings import DELETED_AT, ENTITY_TYPE, StreamSettings
from tap_backoffice.types import ORDERED, Column, json_schema

_NO_FLAG = frozenset({"json", "array", "binary", "time"})


@dataclass(frozen=True, slots=True)
class Definition:
    """A stream whose every name was found in the database's catalogue."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    table: str | None = None
    schema: str | None = None
    query: str | None = None
    is_view: bool = False
    replication_key: Column | None = None
    deleted: Column | None = None
    entity_type: str | None = None
    singer_decimal: bool = False
    selection: dict[tuple[str, ...], bool] = dataclasses.field(default_factory=dict)

    @property
    def key_columns(self) -> list[Column]:
        """The key's columns, in the key's order."""
        by_name = {column.name: column for column in self.columns}
        return [by_name[name] for name in self.key]

    def json_schema(self) -> dict[str, t.Any]:
        """Give the stream's JSON schema, with the columns the tap adds."""
        properties = {
            column.name: json_schema(
                column, required=column.name in self.key, singer_decimal=self.singer_decimal
            )
            for column in self.columns
        }
        if self.entity_type is not None:
            properties[ENTITY_TYPE] = {"type": ["string"]}
        if self.deleted is not None:
            properties[DELETED_AT] = {"type": ["string", "null"], "format": "date-time"}
        schema: dict[str, t.Any] = {"type": "object", "properties": properties}
        return {**schema, "required": list(self.key)} if self.key else schema

    def catalog_entry(self) -> dict[str, t.Any]:
        """Give the Singer catalogue entry; keys and the replication key cannot be deselected."""
        method = "INCREMENTAL" if self.replication_key else "FULL_TABLE"
        replication_key = self.replication_key.name if self.replication_key else None
        schema = self.json_schema()
        metadata = MetadataMapping.get_standard_metadata(
            schema_name=self.schema,
            schema=schema,
            replication_method=method,
            key_properties=list(self.key),
            valid_replication_keys=[replication_key] if replication_key else None,
            selected_by_default=True,
        )
        metadata.root.replication_key = replication_key
        for breadcrumb, selected in self.selection.items():
            if breadcrumb in metadata:
                metadata[breadcrumb].selected = selected
        entry = CatalogEntry(
            tap_stream_id=self.name,
            stream=self.name,
            table=self.table,
            key_properties=list(self.key),
            schema=Schema.from_dict(schema),
            is_view=self.is_view,
            replication_method=method,
            replication_key=replication_key,
            metadata=metadata,
        )
        return entry.to_dict()


def define(
    wanted: StreamSettings,
    columns: list[Column],
    own_key: tuple[str, ...],
    *,
    singer_decimal: bool,
    is_view: bool = False,
) -> Definition:
    """Check a stream's settings against the columns the database has.

    Raises:
        SettingsError: names every setting that is not in the catalogue or cannot serve.
    """
    problems: list[str] = []
    if not columns:
        problems.append(f"{wanted.at('table')}: no such table or view (or no right to see it)")
        raise SettingsError(problems)
    by_name = {column.name: column for column in columns}
    if len(by_name) < len(columns):
        problems.append(f"{wanted.at('query')}: gives two columns the same name")
    key = own_key if wanted.primary_key is None else wanted.primary_key
    problems += [
        f"{wanted.at('primary_key')}: {_absent(name, by_name)}"
        for name in key
        if name not in by_name
    ]
    replication_key = _column(wanted, "replication_key", by_name, problems)
    if replication_key is not None and replication_key.kind not in ORDERED:
        kind = replication_key.kind
        problems.append(f"{wanted.at('replication_key')}: a column of kind {kind} has no order")
    deleted = _column(wanted, "deleted_column", by_name, problems)
    if deleted is not None and deleted.kind in _NO_FLAG:
        problems.append(f"{wanted.at('deleted_column')}: is no timestamp, boolean or flag")
    for added, setting in ((ENTITY_TYPE, "entity_type"), (DELETED_AT, "deleted_column")):
        if getattr(wanted, setting) is not None and added in by_name:
            problems.append(f"{wanted.at(setting)}: there is a column {added!r} already")
    if problems:
        raise SettingsError(problems)
    return Definition(
        name=wanted.name,
        columns=tuple(columns),
        key=key,
        table=wanted.table,
        schema=wanted.schema,
        query=wanted.query,
        is_view=is_view,
        replication_key=replication_key,
        deleted=deleted,
        entity_type=wanted.entity_type,
        singer_decimal=singer_decimal,
    )


def _column(
    wanted: StreamSettings, setting: str, by_name: dict[str, Column], problems: list[str]
) -> Column | None:
    name: str | None = getattr(wanted, setting)
    if name is None:
        return None
    if name not in by_name:
        problems.append(f"{wanted.at(setting)}: {_absent(name, by_name)}")
    return by_name.get(name)


def _absent(name: str, by_name: dict[str, Column]) -> str:
    alike = [known for known in by_name if known.lower() == name.lower()]
    hint = f" (there is {alike[0]!r})" if alike else ""
    return f"there is no column {name!r}{hint}"


def given_selection(entry: CatalogEntry) -> dict[tuple[str, ...], bool]:
    """Read which parts of a stream a Singer catalogue selects or deselects in so many words."""
    return {
        breadcrumb: bool(metadata.selected)
        for breadcrumb, metadata in entry.metadata.items()
        if metadata.selected is not None
    }
