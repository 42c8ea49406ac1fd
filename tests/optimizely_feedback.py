"""What the tests of the simulated response data share: a frozen morning, people, readers."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import requests
from optimizely_support import REGULAR, Soap, int_, long
from simulators_support import Simulator

START = "2026-03-01T06:00:00+00:00"
START_MS = 1_772_344_800_000
DAY = 86_400
DAY_MS = 86_400_000
FAR = 9_999_999_999_999
ANA, BEN, CAT = "ana@example.com", "ben@example.org", "cat@example.net"
MAILING = 120000000500
Row = list[str | None]


def furnish(campaign: Simulator, **switches: Any) -> None:
    """Stop the clock at START, turn switches, and put Ana, Ben and Cat on the regular list."""
    campaign.clock(now=START)
    campaign.switches(**({"export_jobs": "instant"} | switches))
    campaign.seed({"recipients": [{"list": REGULAR, "id": each} for each in (ANA, BEN, CAT)]})


def send(campaign: Simulator, /, **details: Any) -> dict[str, Any]:
    """Send the mailing to the regular list."""
    order = {"list": REGULAR, "mailing": MAILING, "name": "March"} | details
    return campaign.event("send_mailing", **order)


def read(
    soap: Soap, getter: str, since: int = 0, until: int = FAR, start: int = 0, number: int = 1000
) -> list[Row]:
    """Call one of the getters of RpcClosedLoop."""
    window = (long(since), long(until), int_(start), int_(number))
    found: list[Row] = soap.call("RpcClosedLoop", getter, *window)
    return found


class Rest:
    """A plain client of the REST endpoints of one mandator."""

    def __init__(self, campaign: Simulator, client: int = 1234) -> None:
        self.url = f"{campaign.url}/rest/{client}"
        self.http = requests.Session()
        self.http.auth = ("sim-user", "sim-password")

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Make a request below the mandator's address."""
        return self.http.request(method, f"{self.url}/{path}", timeout=60, **options)

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the JSON of a successful GET."""
        answer = self.ask("GET", path, params=parameters)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()

    def refused(self, path: str, **parameters: Any) -> int:
        """Return the status of a GET."""
        return self.ask("GET", path, params=parameters).status_code

    def __enter__(self) -> Rest:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()
