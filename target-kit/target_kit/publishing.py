"""The end of every run: its report goes to stderr, to files and into the history of runs."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from target_kit.clock import Clock
from target_kit.errors import ConfigurationError, StopRun
from target_kit.files import write_atomically
from target_kit.outcome import Outcome
from target_kit.report import RunReport
from target_kit.report_page import as_page
from target_kit.run_history import PastRun, RunHistory

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where a report goes besides stderr: settings `report_file` (JSON) and `report_html` (a page);
    the history of runs is in `state_dir`.
    """

    state_dir: Path
    report_file: Path | None = None
    report_html: Path | None = None


@contextmanager
def published(report: RunReport, clock: Clock, outlets: Outlets) -> Iterator[None]:
    """Around the work of a run: whatever its end, the report says which and is published.

    Raises ConfigurationError when a file of the report can't be written, unless something else has
    ended the run: that is what has to be said then.
    """
    started = clock.monotonic()
    history = RunHistory(outlets.state_dir)
    entry = history.begin(report.target, report.started_at, report.mode)
    ended = False
    try:
        yield
        ended = True
    except StopRun as stopped:
        if report.status == "running":  # a judged run keeps its own words
            report.status = "stopped"
        report.exit_code, report.message = stopped.code, str(stopped)
        raise
    finally:
        if report.exit_code is None:  # something nobody foresaw; the command line names it
            report.status, report.exit_code = "failed", StopRun.exit_code
        report.seconds = round(clock.monotonic() - started, 3)
        _show(report.as_table())
        runs = history.end(_entered(entry, report))
        if faults := "; ".join(_write_files(report, runs, outlets)):
            if ended:
                raise ConfigurationError(faults)
            logger.error("%s", faults)


def _show(table: str) -> None:
    """On stderr, for people; where that is closed or full, the rest is published even so."""
    if sys.stderr is not None:  # else print would take stdout, where only STATE belongs
        with suppress(OSError):
            print(table, file=sys.stderr)  # noqa: T201 - the report is for people


def _entered(entry: PastRun, report: RunReport) -> PastRun:
    """What the history keeps of a report."""
    entry.status, entry.exit_code = report.status, report.exit_code
    entry.seconds, entry.writes = report.seconds, report.writes
    entry.calls = sum(report.calls.values())
    for stream in report.streams:
        # A stream may have several parts, one for each list it fills.
        counts = entry.streams.setdefault(stream.stream, {})
        for name, number in stream.outcomes.items():
            counts[Outcome(name)] = counts.get(Outcome(name), 0) + number
    return entry


def _write_files(report: RunReport, runs: list[PastRun], outlets: Outlets) -> list[str]:
    """Both files, even if one of them can't be written; what failed."""
    faults = list[str]()
    if outlets.report_html:
        page = as_page(report, [run for run in runs if run.target == report.target])
        faults += _write("report_html", outlets.report_html, page.encode())
    if outlets.report_file:
        faults += _write("report_file", outlets.report_file, report.as_json())
    return faults


def _write(setting: str, path: Path, content: bytes) -> list[str]:
    """Write to `path` (0600), or as it comes to a device such as /dev/stderr; what failed."""
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return []
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        return [f"{setting}: {error.strerror or os.strerror(error.errno or 0)}"]
    return []
