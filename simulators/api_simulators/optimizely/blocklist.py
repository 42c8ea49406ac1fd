"""RpcBlacklist: entries and patterns of addresses that get no mail, and who is hit by them."""

from __future__ import annotations

from api_simulators.optimizely.blocklist_store import BlockEntry
from api_simulators.optimizely.lookups import given, texts, within_limit
from api_simulators.optimizely.model import Client, Session
from api_simulators.optimizely.operations import BusinessError, Kind, Operation, Service, version
from api_simulators.optimizely.recipient_reads import page_of
from api_simulators.optimizely.soap_replies import date_time

Texts = list[str | None] | None
Parameters = tuple[tuple[str, Kind], ...]
COLUMNS = ["ID", "Mailing Group ID", "Entry", "Reason", "Created"]


def block(client: Client, entry: str, reason: str, created: float | None = None) -> None:
    """Keep an entry, or give a known one a new reason."""
    since = client.now() if created is None else created
    client.blocklist.add(BlockEntry(entry, reason, since, since))


def _add(client: Client, _session: Session, entry: str | None, reason: str | None) -> None:
    block(client, given(entry, "entry"), reason or "")


def _add_all(client: Client, session: Session, entries: Texts, reasons: Texts) -> None:
    wanted, why = texts(entries, "entries"), given(reasons, "reasons")
    within_limit(client, len(wanted))
    if len(wanted) != len(why):
        raise BusinessError("Array lengths differ")
    for entry, reason in zip(wanted, why, strict=True):
        _add(client, session, entry, reason)


def _is_blacklisted(client: Client, _session: Session, address: str | None) -> bool:
    return client.blocklist.matches(given(address, "emailAddress"))


def _are_blacklisted(client: Client, _session: Session, addresses: Texts) -> list[bool]:
    wanted = texts(addresses, "emailAddresses")
    within_limit(client, len(wanted))
    return [client.blocklist.matches(address) for address in wanted]


def _contains(client: Client, _session: Session, entry: str | None) -> bool:
    return given(entry, "entry") in client.blocklist.entries


def _contains_all(client: Client, _session: Session, entries: Texts) -> list[bool]:
    return [entry in client.blocklist.entries for entry in texts(entries, "entries")]


def _first_match(client: Client, _session: Session, address: str | None) -> str | None:
    return client.blocklist.first_match(given(address, "emailAddress"))


def _entry(client: Client, entry: str | None) -> BlockEntry:
    found = client.blocklist.entries.get(entry or "")
    if found is None:
        raise BusinessError("Blacklist entry does not exist")
    return found


def _reason(client: Client, _session: Session, entry: str | None) -> str:
    return _entry(client, entry).reason


def _created(client: Client, _session: Session, entry: str | None) -> float:
    return _entry(client, entry).created


def _entries(client: Client, _session: Session) -> list[str]:
    return list(client.blocklist.entries)


def _count(client: Client, _session: Session) -> int:
    return len(client.blocklist.entries)


def _rows(client: Client) -> list[list[str | None]]:
    return [
        [str(index), str(client.id), row.entry, row.reason, date_time(row.created)]
        for index, row in enumerate(client.blocklist.entries.values(), 1)
    ]


def _page(
    client: Client, _session: Session, page_start: int | None, page_size: int | None
) -> list[list[str | None]]:
    start, end = page_of(client, page_start, page_size)
    return _rows(client)[start:end]


def _page_flat(
    client: Client, session: Session, page_start: int | None, page_size: int | None
) -> list[str | None]:
    return [value for row in _page(client, session, page_start, page_size) for value in row]


def _data_set(client: Client, _session: Session) -> list[list[str | None]]:
    """Return a row per entry; the first row has the column names."""
    return [list(COLUMNS), *_rows(client)]


def _data_set_flat(client: Client, _session: Session) -> list[str | None]:
    return [value for row in _rows(client) for value in row]


def _remove(client: Client, _session: Session, entry: str | None) -> None:
    if not client.blocklist.remove(given(entry, "entry")):
        raise BusinessError("Blacklist entry does not exist")


def _remove_all(client: Client, _session: Session, entries: Texts) -> None:
    for entry in texts(entries, "entries"):
        client.blocklist.remove(entry)


ENTRY: Parameters = (("entry", "string"),)
ENTRIES: Parameters = (("entries", "strings"),)
PAGE: Parameters = (("pageStart", "int"), ("pageSize", "int"))
ADDRESS: Parameters = (("emailAddress", "string"),)

SERVICE = Service(
    "RpcBlacklist",
    (
        Operation("add", (*ENTRY, ("reason", "string")), None, _add),
        Operation("addAll", (*ENTRIES, ("reasons", "strings")), None, _add_all),
        Operation("areBlacklisted", (("emailAddresses", "strings"),), "booleans", _are_blacklisted),
        Operation("contains", ENTRY, "boolean", _contains),
        Operation("containsAll", ENTRIES, "booleans", _contains_all),
        Operation("getAllAdvanced", PAGE, "rows", _page),
        Operation("getAllAdvancedFlat", PAGE, "strings", _page_flat),
        Operation("getAllEntries", (), "strings", _entries),
        Operation("getColumnNames", (), "strings", lambda _client, _session: list(COLUMNS)),
        Operation("getCount", (), "int", _count),
        Operation("getCreated", ENTRY, "dateTime", _created),
        Operation("getDataSet", (), "rows", _data_set),
        Operation("getDataSetFlat", (), "strings", _data_set_flat),
        Operation("getFirstMatchingEntry", ADDRESS, "string", _first_match),
        Operation("getReason", ENTRY, "string", _reason),
        version(),
        Operation("isBlacklisted", ADDRESS, "boolean", _is_blacklisted),
        Operation("remove", ENTRY, None, _remove),
        Operation("removeAll", ENTRIES, None, _remove_all),
    ),
)
