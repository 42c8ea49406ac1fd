"""RpcClosedLoop: response data from export files, and the import half with its waves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api_simulators.optimizely import export_jobs, waves
from api_simulators.optimizely.export_files import STREAMS, visible
from api_simulators.optimizely.model import Client
from api_simulators.optimizely.operations import (
    BusinessError,
    Kind,
    Operation,
    Service,
    version,
)

MOST_ROWS = 1000
# The method's name after "get", by stream.
GETTERS = {
    "unsubscribes": "Unsubscribes",
    "mailing_unsubscribes": "MailingUnsubscribes",
    "outbounces": "OutBounces",
    "responses": "Responses",
    "opens": "Opens",
    "clicks": "Clicks",
    "recipients": "Recipients",
    "mailings": "Mailings",
    "links": "Links",
}
WINDOW: tuple[tuple[str, Kind], ...] = (
    ("since", "long"),
    ("until", "long"),
    ("startRow", "int"),
    ("numberOfRows", "int"),
)


def rows(
    client: Client, stream: str, window: tuple[int, int], start: int, number: int
) -> list[list[str | None]]:
    """Return a page of the rows in files changed between two times (milliseconds)."""
    switches = client.switches
    if number > MOST_ROWS and switches["export_rows_over_1000"] == "fault":
        raise BusinessError(f"The number of rows must not exceed {MOST_ROWS}")
    if start < 0 or number < 0:
        raise BusinessError("startRow and numberOfRows must not be negative")
    files = client.responses.files.select(stream, *window, switches["export_interval"])
    lifetime = export_jobs.DAY * float(switches["response_lifetime_days"])
    found = visible(
        files,
        client.now() - lifetime,
        switches["export_header"],
        switches["export_row_order"] == "newest_first",
    )
    return [list(cells) for cells in found[start : start + min(number, MOST_ROWS)]]


def settle(client: Client, now: float) -> None:
    """Do what the vendor does by itself until now: send waves, run export jobs."""
    waves.settle(client, now)
    export_jobs.settle(client, now)


def _contracted(run: Callable[..., Any]) -> Callable[..., Any]:
    def checked(client: Client, session: Any, *args: Any) -> Any:
        if not client.switches["closed_loop_contracted"]:
            raise BusinessError("The closed loop interface is not activated for this client")
        return run(client, session, *args)

    return checked


def _getter(stream: str) -> Operation:
    def run(client: Client, _session: Any, *args: int | None) -> list[list[str | None]]:
        since, until, start, number = (value or 0 for value in args)
        return rows(client, stream, (since, until), start, number)

    return Operation(f"get{GETTERS[stream]}", WINDOW, "rows", _contracted(run))


def _current_time(client: Client, _session: Any) -> int:
    return int(client.now() * 1000)


SERVICE = Service(
    "RpcClosedLoop",
    (
        *(_getter(stream) for stream in STREAMS),
        Operation("getCurrentTime", (), "long", _contracted(_current_time)),
        Operation(
            "prepareNewWave", (("templateMailingId", "long"),), "long", _contracted(waves.prepare)
        ),
        Operation(
            "importRecipients",
            (
                ("waveId", "long"),
                ("recipientFieldNames", "strings"),
                ("recipientFieldValues", "rows"),
            ),
            None,
            _contracted(waves.import_recipients),
        ),
        Operation(
            "importFinishedAndScheduleMailing",
            (("waveId", "long"),),
            None,
            _contracted(waves.finish),
        ),
        Operation(
            "getMailingIdByWaveId", (("waveId", "long"),), "long", _contracted(waves.mailing_of)
        ),
        version(),
    ),
)
