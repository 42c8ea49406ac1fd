"""RpcRecipientList: the lists themselves. Lists and fields cannot be created or deleted here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api_simulators.optimizely import columns
from api_simulators.optimizely.lookups import given, the_list
from api_simulators.optimizely.model import Attribute, Client, RecipientList, Session
from api_simulators.optimizely.operations import Kind, Operation, Service, version
from api_simulators.optimizely.values import Converter

LIST: tuple[tuple[str, Kind], ...] = (("recipientListId", "long"),)
KIND_NAMES = {
    "regular": "Default",
    "optin": "Opt-in",
    "transaction": "Transaction",
    "test": "Default",
}


def _copy(client: Client, _session: Session, list_id: int) -> int:
    """Make a list of the same structure without recipients; returns its id."""
    source = the_list(client, list_id)
    now = client.now()
    attributes = {
        name: Attribute(name, row.type, row.required, row.length)
        for name, row in source.attributes.items()
    }
    copied = RecipientList(
        client.next_id(),
        f"Copy of {source.name}",
        source.kind,
        attributes,
        now,
        now,
        source.description,
        source.id_field,
    )
    client.lists[copied.id] = copied
    return copied.id


def _get_all_ids(client: Client, _session: Session) -> list[int]:
    return list(client.lists)


def _attribute_names(
    client: Client, _session: Session, list_id: int, locale: str | None
) -> list[str]:
    return columns.attribute_names(the_list(client, list_id), locale, client.switches)


def _column_names(client: Client, _session: Session) -> list[str]:
    names = ["ID", "Name", "Description", "Created", "Modified", "Test List"]
    return [*names, "Type"] if client.switches["list_kind_shown"] == "dataset" else names


def _row(client: Client, row: RecipientList) -> list[str | None]:
    shown = Converter(client.switches).shown
    test = "true" if row.kind == "test" else "false"
    values: list[str | None] = [
        str(row.id),
        row.name,
        row.description,
        shown(row.created),
        shown(row.modified),
        test,
    ]
    if client.switches["list_kind_shown"] == "dataset":
        values.append(KIND_NAMES[row.kind])
    return values


def _data_set(client: Client, session: Session) -> list[list[Any]]:
    """Return a row per list; the first row has the column names."""
    return [
        _column_names(client, session),
        *(_row(client, row) for row in client.lists.values()),
    ]


def _data_set_flat(client: Client, session: Session) -> list[str | None]:
    """Return the values alone, end to end; getColumnNames says how many make a row."""
    return [value for row in _data_set(client, session)[1:] for value in row]


def _count(client: Client, _session: Session, include_test_lists: bool | None) -> int:
    return sum(1 for row in client.lists.values() if include_test_lists or row.kind != "test")


def _get(name: str) -> Callable[[Client, Session, int], Any]:
    return lambda client, _session, list_id: getattr(the_list(client, list_id), name)


def _set(name: str) -> Callable[[Client, Session, int, str | None], None]:
    def change(client: Client, _session: Session, list_id: int, value: str | None) -> None:
        row = the_list(client, list_id)
        setattr(row, name, given(value, name))
        row.modified = client.now()

    return change


def _is_test(client: Client, _session: Session, list_id: int) -> bool:
    return the_list(client, list_id).kind == "test"


def _set_test(client: Client, _session: Session, list_id: int, test: bool | None) -> None:
    row = the_list(client, list_id)
    if test and row.kind == "regular":
        row.kind = "test"
    elif not test and row.kind == "test":
        row.kind = "regular"


SERVICE = Service(
    "RpcRecipientList",
    (
        Operation("copy", LIST, "long", _copy),
        Operation("getAllIds", (), "longs", _get_all_ids),
        Operation("getAttributeNames", (*LIST, ("locale", "string")), "strings", _attribute_names),
        Operation("getColumnNames", (), "strings", _column_names),
        Operation("getCount", (("includeTestLists", "boolean"),), "int", _count),
        Operation("getDataSet", (), "rows", _data_set),
        Operation("getDataSetFlat", (), "strings", _data_set_flat),
        Operation("getDescription", LIST, "string", _get("description")),
        Operation("getName", LIST, "string", _get("name")),
        version(),
        Operation("isTestRecipientList", LIST, "boolean", _is_test),
        Operation("setDescription", (*LIST, ("description", "string")), None, _set("description")),
        Operation("setName", (*LIST, ("name", "string")), None, _set("name")),
        Operation(
            "setTestRecipientList", (*LIST, ("testRecipientList", "boolean")), None, _set_test
        ),
    ),
)
