"""The page of a real run, in a real browser."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browser_support import Opened, chromium, number, opened
from simulators_support import Simulator
from target_kit.causes import sentence
from target_kit.outcome import Outcome
from target_kit.page import Html, document
from target_support import Run, Target, lines, record, schema, state

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.slow]

#: A name that is a file's name too: browsers take backslashes in addresses for slashes.
HOSTILE = (
    r"<img src=http:\\tracker.example.com\x.png onerror=document.title='owned'>"
    "<script>document.title='owned'<!--\"'&amp;<b onmouseover=alert(1)>"
)
#: Long enough not to be in a page by chance.
FIRST, OTHERS = 710_000_001, 820_000_001
MAPPING = {"key": "ctt_id", "key_field": "BUBSCTTID", "fields": {"email": "email"}}
NAMES = [outcome.value for outcome in Outcome]


@dataclass
class Told:
    """What five runs left: the last one's report, the page, what the browser made of it."""

    run: Run
    page: str
    opened: Opened
    folder: Path
    keys: list[int]


def to_stream(name: str, keys: range) -> list[dict[str, Any]]:
    """A schema and records for one stream; every third address is none."""
    messages = [{**schema(), "stream": name}]
    for key in keys:
        email = f"nobody{key}" if key % 3 == 0 else None
        messages.append({**record(key, email, given_name="Zoë"), "stream": name})
    return messages


def killed(target: Target, messages: list[dict[str, Any]]) -> None:
    """Begin a run that takes its time, and kill it once it has entered itself."""
    history = target.home / "state" / "runs.jsonl"
    before = len(history.read_bytes().splitlines())
    with subprocess.Popen(
        target.command(requests_per_second=0.5),
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        cwd=target.home,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(lines(messages))
        process.stdin.close()
        deadline = time.monotonic() + 60
        while len(history.read_bytes().splitlines()) == before:
            assert time.monotonic() < deadline, "the run never entered itself"
            assert process.poll() is None, "the run ended by itself"
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Five runs: a first load, one without changes, a killed one, a refused one, a last one."""
    chromium()
    home = tmp_path_factory.mktemp("report-page")
    page = home / "pages" / "report.html"
    with Simulator(rate_limit=False) as sim:
        target = Target(
            home, sim.url, report_html=str(page), streams={"contacts": MAPPING, HOSTILE: MAPPING}
        )
        first = [*to_stream("contacts", range(FIRST, FIRST + 40)), state(1)]
        assert target.run(first).code == 0
        assert target.run(first).code == 0
        killed(target, [*to_stream("contacts", range(FIRST, FIRST + 60)), state(2)])
        assert target.run(first, api_key="wrong").code == 3
        last = [
            *to_stream("contacts", range(FIRST, FIRST + 60)),
            *to_stream(HOSTILE, range(OTHERS, OTHERS + 7)),
            state(3),
        ]
        run = target.run(last)
        assert run.code == 0, run.stderr
        yield Told(
            run, page.read_text(encoding="utf-8"), opened(page), home,
            [*range(FIRST, FIRST + 60), *range(OTHERS, OTHERS + 7)],
        )  # fmt: skip


def test_the_title_says_which_target_and_how_it_ended(told: Told) -> None:
    """S0-60: the tab of the browser shows it, and no name changes it."""
    assert told.opened.title == f"target-activecampaign: {told.run.report['status']}"
    assert told.run.report["status"].startswith("completed with")


def test_the_tables_hold_the_numbers_of_the_json_report(told: Told) -> None:
    """X4: people and machines are told the same: outcomes, causes, calls."""
    report = told.run.report
    (outcomes,) = told.opened.tables("Every record has exactly one outcome")
    shown = {row[0]: [number(cell) for cell in row[1:]] for row in outcomes.rows}
    assert shown.pop("all") == [
        sum(s["received"] + s["reoffered"] for s in report["streams"]),
        *(sum(s["outcomes"][name] for s in report["streams"]) for name in NAMES),
    ]
    assert shown == {
        s["stream"]: [s["received"] + s["reoffered"], *(s["outcomes"][name] for name in NAMES)]
        for s in report["streams"]
    }
    causes = {
        (row[0], ":".join(row[2:5])): number(row[1])
        for table in told.opened.tables("By stream, outcome and cause")
        for row in table.rows
    }
    assert causes == {
        (s["stream"], name): n for s in report["streams"] for name, n in s["causes"].items()
    }
    (calls,) = told.opened.tables("Calls by endpoint")
    assert {row[0]: number(row[1]) for row in calls.rows} == {
        **report["calls"], "all": sum(report["calls"].values()),
    }  # fmt: skip


def test_each_cause_of_a_reject_is_explained(told: Told) -> None:
    """S0-60: the fixed word, and a sentence on what to do."""
    (reasons,) = told.opened.tables("By stream, outcome and cause; single records")
    assert set(reasons.column("Cause")) == {"email_syntax"}
    assert set(reasons.column("What it means, what to do")) == {sentence("email_syntax")}


def test_the_chart_has_one_bar_for_each_run(told: Told) -> None:
    """Five runs, five columns and five lines of the table, the killed and the refused one too."""
    kept = (told.folder / "state" / "runs.jsonl").read_text().splitlines()
    history = [json.loads(line) for line in kept]
    assert told.opened.count("//*[name()='svg']//*[@class='run']") == len(history) == 5
    (runs,) = told.opened.tables("The newest first.")
    ends = [told.run.report["status"], "stopped", "unfinished"]
    assert runs.column("End")[:3] == ends
    assert runs.column("Exit code") == ["0", "3", "", "0", "0"]
    for name in NAMES:
        counts = [sum(s.get(name, 0) for s in one.get("streams", {}).values()) for one in history]
        assert [number(cell or "0") for cell in reversed(runs.column(name.capitalize()))] == counts
    # One piece for each outcome that a run had.
    pieces = sum(
        any(counts.get(name) for counts in one.get("streams", {}).values())
        for one in history
        for name in NAMES
    )
    assert told.opened.count("//*[name()='svg']//*[name()='rect']") == pieces


def test_a_name_of_a_stream_is_text_whatever_it_holds(told: Told) -> None:
    """X7: no element, no script and no request comes out of a name."""
    assert HOSTILE in told.opened.text
    assert told.opened.count("//script | //img | //b | //*[@onmouseover]") == 0
    assert told.opened.console == []
    assert told.opened.requests == []


def test_the_page_holds_nobody(told: Told) -> None:
    """X7: no address, no name and no key is in it, nor in the history of runs."""
    history = (told.folder / "state" / "runs.jsonl").read_text()
    for text in (told.page, history):
        assert "nobody" not in text
        assert "Zo" not in text
        assert "@example" not in text
        assert not [key for key in told.keys if str(key) in text]


def test_the_page_is_one_private_file(told: Told) -> None:
    """Nothing lies beside it, and only its owner reads page and history."""
    page = told.folder / "pages" / "report.html"
    assert [one.name for one in page.parent.iterdir()] == ["report.html"]
    assert page.stat().st_mode & 0o777 == 0o600
    assert (told.folder / "state" / "runs.jsonl").stat().st_mode & 0o777 == 0o600


def test_the_browser_would_have_told_of_a_script(tmp_path: Path) -> None:
    """The same browser runs a script, asks for a picture and shows a console, where it may."""
    hostile = (
        "<img src='http://tracker.example.com/x.png'>"
        "<script>document.title = 'owned'; console.error('heard')</script>"
    )
    page = tmp_path / "open.html"
    page.write_text(f"<!DOCTYPE html><title>mine</title><body>{hostile}</body>")
    seen = opened(page)
    assert seen.title == "owned"
    assert seen.console == ["heard"]
    assert [one.split()[1] for one in seen.requests] == ["http://tracker.example.com/x.png"]


def test_the_policy_of_a_page_holds_even_what_slipped_through(tmp_path: Path) -> None:
    """X7: markup that nobody escaped would still run nothing and ask for nothing."""
    hostile = (
        "<img src='http://tracker.example.com/x.png'>"
        "<script>document.title = 'owned'</script><p onclick='a()'>here</p>"
    )
    page = tmp_path / "closed.html"
    page.write_text(document("mine", Html(hostile)), encoding="utf-8")
    seen = opened(page)
    assert seen.title == "mine"
    assert seen.requests == []
    assert any("Content Security Policy" in line for line in seen.console)
