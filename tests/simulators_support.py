"""Starts the API simulators as a real process and steers them over HTTP."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import time
from types import TracebackType
from typing import Any

import requests

START_SECONDS = 30.0
STOP_SECONDS = 10.0
ANNOUNCEMENT = "api-simulators listening on "


class Simulator:
    """One simulator process; its controls are those of one vendor.

    `switches` are turned at the start and are what `reset` returns to. Use it as a context
    manager, or call `start` and `stop`.
    """

    def __init__(self, vendor: str = "activecampaign", port: int = 0, **switches: Any) -> None:
        self.vendor = vendor
        self._port = port
        self._switches = switches
        self._process: subprocess.Popen[str] | None = None
        self._session = requests.Session()
        self.root = ""

    @property
    def url(self) -> str:
        """The vendor's base address; clients append their own path, such as /api/3/contacts."""
        return f"{self.root}/{self.vendor}"

    @property
    def pid(self) -> int:
        """The process id of the running simulator."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Simulator:
        """Start the process and wait, at most START_SECONDS, for its line on stdout."""
        command = [sys.executable, "-m", "api_simulators", "--port", str(self._port)]
        for name, value in self._switches.items():
            command += ["--switch", f"{self.vendor}.{name}={value}"]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ}
        )
        line = self._first_line()
        if not line.startswith(ANNOUNCEMENT):
            self.stop()
            raise RuntimeError(f"the simulator did not start, it said: {line!r}")
        self.root = line.removeprefix(ANNOUNCEMENT)
        return self

    def _first_line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(START_SECONDS):
                return ""
        return self._process.stdout.readline().strip()

    def stop(self) -> None:
        """End the process, by force if it does not go in STOP_SECONDS."""
        self._session.close()
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def control(self, method: str, name: str, body: Any = None) -> Any:
        """Make one control call; raises ValueError with the simulator's own words on refusal."""
        answer = self._session.request(
            method, f"{self.root}/_sim/{self.vendor}/{name}", json=body, timeout=120
        )
        payload = answer.json()
        if answer.status_code != 200:
            raise ValueError(payload["error"])
        return payload

    def reset(self) -> None:
        """Forget data, faults, requests, clock; switches as they were at the start."""
        self.control("POST", "reset")

    def seed(self, data: dict[str, Any]) -> dict[str, int]:
        """Add data; returns how many of each kind."""
        counts: dict[str, int] = self.control("POST", "seed", data)
        return counts

    def state(self) -> dict[str, Any]:
        """Return everything the vendor holds."""
        state: dict[str, Any] = self.control("GET", "state")
        return state

    def contacts(self) -> dict[str, dict[str, Any]]:
        """Return the contacts by address."""
        return {contact["email"]: contact for contact in self.state()["contacts"]}

    def faults(self, plan: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        """Install a fault plan, or with None just read it with its counts."""
        if plan is None:
            described = self.control("GET", "faults")
        else:
            described = self.control("POST", "faults", plan)
        faults: list[dict[str, Any]] = described["faults"]
        return faults

    def requests(self, *, writes: bool = False) -> list[dict[str, Any]]:
        """Return the requests seen, oldest first; with `writes` only those that are not GET."""
        seen: list[dict[str, Any]] = self.control("GET", "requests")["requests"]
        return [entry for entry in seen if entry["method"] != "GET"] if writes else seen

    def summary(self) -> dict[str, Any]:
        """Return the counts of requests: total, writes, by endpoint, by status."""
        summary: dict[str, Any] = self.control("GET", "requests?summary=1")
        return summary

    def forget_requests(self) -> None:
        """Empty the request log."""
        self.control("DELETE", "requests")

    def keep_bodies(self, keep: bool = True) -> None:
        """Keep the bodies of requests in the log from now on."""
        self.control("POST", "requests", {"bodies": keep})

    def keep_journal(self) -> None:
        """Note what each call and event changes, from now on."""
        self.control("POST", "journal")

    def journal(self) -> list[dict[str, Any]]:
        """Return what each call, event and seed changed since the journal is kept, oldest first."""
        entries: list[dict[str, Any]] = self.control("GET", "journal")["entries"]
        return entries

    def switches(self, **wanted: Any) -> dict[str, Any]:
        """Turn switches; returns the position of every switch by name."""
        described = self.control("POST", "switches", wanted)
        return {switch["name"]: switch["value"] for switch in described["switches"]}

    def clock(self, **order: Any) -> dict[str, Any]:
        """Set (`now=`), move (`advance=`), delay (`behind=`) or release (`real=True`) the clock;
        returns it.
        """
        if not order:
            clock: dict[str, Any] = self.control("GET", "clock")
        else:
            clock = self.control("POST", "clock", order)
        return clock

    def event(self, kind: str, /, **details: Any) -> dict[str, Any]:
        """Do what a person does in the vendor's user interface."""
        done: dict[str, Any] = self.control("POST", "event", {"type": kind, **details})
        return done

    def wait_for_requests(self, count: int, seconds: float = 30.0) -> None:
        """Wait until at least `count` requests were seen; raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while self.summary()["total"] < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"fewer than {count} requests in {seconds} seconds")
            time.sleep(0.02)
