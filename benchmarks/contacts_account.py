"""The account, the rows and the target that `benchmarks.contacts` measures with.

A simulated account without a rate limit, N contacts with five custom fields, a list that all have
consented to, and a tag; the target as a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

BIN = Path(sys.executable).parent
KEY_FIELD = "BUBSCTTID"
#: Custom fields by perstag, and the columns they come from; the key's is one of the five.
FIELDS = {"LAND": "org_country", "SPRACHE": "language_code", "MOBIL": "mobile_phone", "ORT": "city"}
LIST, TAG = "News", "backoffice"
STREAM: dict[str, Any] = {
    "key": "ctt_id",
    "key_field": KEY_FIELD,
    "fields": {"email": "email", "firstName": "given_name", "lastName": "family_name"},
    "custom_fields": FIELDS,
    "consent": {
        "column": "consent",
        "granted_at": "consent_at",
        "evidence": "proof",
        "purpose": "news",
    },
    "lists": {LIST: {"when": "wants_news", "consent": "news"}},
    "tags": {"add": [TAG]},
}
_API = "/activecampaign/api/3"
_PAGE = 100


@dataclass(frozen=True)
class Ran:
    """One run: wall and CPU seconds, peak memory in MB as the kernel counted it."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    report: dict[str, Any]


class Account:
    """A running simulator: what it saw, and what is in it."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.prepare()

    def prepare(self) -> None:
        """Begin with fields and a list, and nobody in it."""
        self.control("reset", {})
        perstags = [{"perstag": KEY_FIELD, "type": "hidden"}]
        perstags += [{"perstag": perstag} for perstag in FIELDS]
        self.control("seed", {"fields": perstags, "lists": [LIST]})

    def control(self, name: str, body: Any = None, method: str | None = None) -> Any:
        """Make one control call: POST with a body, else GET."""
        request = Request(
            f"{self.root}/_sim/activecampaign/{name}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urlopen(request, timeout=300) as answer:
            return json.load(answer)

    def forget_requests(self) -> None:
        """Count from zero."""
        self.control("requests", method="DELETE")

    def calls(self) -> dict[str, int]:
        """Requests since they were last forgotten, by route: counted here, not by who made them."""
        seen: dict[str, int] = self.control("requests?summary=1")["endpoints"]
        return {name.replace("/api/3/", ""): number for name, number in sorted(seen.items())}

    def complete(self) -> int:
        """How many contacts have all values, the list and the tag; each key once.

        Read a page at a time: what this process holds in memory when it starts a child would be
        counted as the child's.
        """
        keys, number, last = set[str](), 0, 0
        while page := self._page(last):
            last = int(page["contacts"][-1]["id"])
            values: dict[str, dict[str, str]] = {}
            for value in page["fieldValues"]:
                values.setdefault(value["contact"], {})[value["field"]] = value["value"]
            on_list = {row["contact"] for row in page["contactLists"] if row["status"] == "1"}
            tagged = {row["contact"] for row in page["contactTags"]}
            for contact in page["contacts"]:
                own = values.get(contact["id"], {})
                keys.add(own.get("1", ""))
                whole = len(own) == 1 + len(FIELDS) and all(own.values())
                number += whole and contact["id"] in on_list and contact["id"] in tagged
        return min(number, len(keys))

    def _page(self, after: int) -> dict[str, Any]:
        query = [("orders[id]", "ASC"), ("id_greater", after), ("limit", _PAGE)]
        query.append(("include", "fieldValues,contactLists,contactTags"))
        address = f"{self.root}{_API}/contacts?{urlencode(query)}"
        with urlopen(Request(address, headers={"Api-Token": "sim-key"}), timeout=300) as answer:
            page: dict[str, Any] = json.load(answer)
        return page if page["contacts"] else {}


@contextmanager
def account() -> Iterator[Account]:
    """A simulated account that refuses nothing for its rate."""
    switches = ["activecampaign.rate_limit=false", "activecampaign.bulk_rate_limit=false"]
    command = [str(BIN / "api-simulators"), "--port", "0"]
    command += [word for switch in switches for word in ("--switch", switch)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Account(process.stdout.readline().strip().rsplit(" ", 1)[-1])
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()


def rows(size: int, changed: range = range(0)) -> Iterator[dict[str, Any]]:
    """Contacts of the backoffice; those in `changed` have moved to another town."""
    granted = (datetime.now(UTC) - timedelta(days=30)).date().isoformat()
    for key in range(1, size + 1):
        yield {
            "ctt_id": key,
            "email": f"person{key}@example.com",
            "given_name": f"Given{key}",
            "family_name": f"Family{key}",
            "org_country": "CH",
            "language_code": "de",
            "mobile_phone": f"+41 {key}",
            "city": "Basel" if key not in changed else "Chur",
            "consent": "confirmed",
            "consent_at": f"{granted}T08:00:00+00:00",
            "proof": f"form {key}",
            "wants_news": "true",
        }


def write_input(path: Path, size: int, changed: range = range(0)) -> Path:
    """SCHEMA, records, STATE."""
    texts = {name: {"type": ["string", "null"]} for name in next(rows(1))}
    schema = {"type": "object", "properties": {**texts, "ctt_id": {"type": "integer"}}}
    head = {"type": "SCHEMA", "stream": "contacts", "schema": schema, "key_properties": []}
    with path.open("w") as file:
        file.write(json.dumps(head) + "\n")
        for row in rows(size, changed):
            record = {"type": "RECORD", "stream": "contacts", "record": row}
            file.write(json.dumps(record) + "\n")
        file.write(json.dumps({"type": "STATE", "value": {"bookmarks": {}}}) + "\n")
    return path


def run(home: Path, root: str, source: Path, **settings: Any) -> Ran:
    """One run of the target on `source`; what it remembers is in `home`."""
    config, report = home / "config.json", home / "report.json"
    given = {
        "api_url": f"{root}/activecampaign",
        "api_key": "sim-key",
        "requests_per_second": 100_000,
        "state_dir": str(home / "state"),
        "report_file": str(report),
        "streams": {"contacts": STREAM},
        **settings,
    }
    config.write_text(json.dumps(given))
    start = time.monotonic()
    with source.open("rb") as records, (home / "stderr").open("wb") as said:
        process = subprocess.Popen(
            [str(BIN / "target-activecampaign"), "--config", str(config)],
            stdin=records,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit((home / "stderr").read_text()[-2000:])
    cpu = usage.ru_utime + usage.ru_stime
    data = json.loads(report.read_text())
    return Ran(time.monotonic() - start, cpu, usage.ru_maxrss / 1024, data)
