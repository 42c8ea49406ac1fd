"""Files that arrive by SFTP instead of the API: each flaw has its stated result (S1-34)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tap_optimizely_support import Run, Tap, by_recipient

NAMES = ["recipient_id", "list_id", "time"]
GOOD = "anna@example.com;17;2026-03-01T06:00:00+00:00\n"


class Files:
    """Two files in place of the API; those not written do not exist."""

    def __init__(self, tap: Tap, folder: Path) -> None:
        self.tap, self.folder = tap, folder

    def run(self, content: bytes | str | None = None, **options: Any) -> Run:
        """Read a file of unsubscribes with this content."""
        path = self.folder / "unsubscribes.txt"
        if content is not None:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        given = {"path": str(path), "columns": NAMES, **options}
        bounces = {"path": str(self.folder / "none.txt"), "columns": ["recipient_id"]}
        files = {"unsubscribes": given, "bounces": bounces}
        return self.tap.run(csv_files=files, username=None, password=None)


@pytest.fixture
def files(tap: Tap, tmp_path: Path) -> Files:
    return Files(tap, tmp_path)


def test_a_file_stands_in_for_the_api(files: Files) -> None:
    """Same records, same marker, no call and no credentials (S1-34)."""
    run = files.run(GOOD)
    assert run.code == 0, run.errors
    [record] = run.records("unsubscribes")
    assert (record["source"], record["recipient_id"]) == ("csv", "anna@example.com")
    assert (record["list_id"], record["scope"], record["assigned"]) == ("17", "list", True)
    assert run.markers[0]["counts"] == {"unsubscribes": 1, "bounces": 0}
    assert files.tap.simulator.requests() == []


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("a@example.com,1,\n", {"delimiter": ","}, {"a@example.com"}),
        ("a@example.com\t1\t\n", {"delimiter": "\t"}, {"a@example.com"}),
        ('"a;b@example.com";1;\n', {}, {"a;b@example.com"}),
        ("'a;b@example.com';1;\n", {"quote": "'"}, {"a;b@example.com"}),
        ('"a""b@example.com";1;\n', {}, {'a"b@example.com'}),
        ('"a\nb@example.com";1;\n', {}, {"a\nb@example.com"}),
        ("a@example.com;1;\r\nb@example.com;2;\r\n", {}, {"a@example.com", "b@example.com"}),
        ("\ufeffa@example.com;1;\n", {}, {"a@example.com"}),
        ("\ufeffa@example.com;1;\n".encode("utf-16"), {"encoding": "utf-16"}, {"a@example.com"}),
        ("ä@example.com;1;\n".encode("cp1252"), {"encoding": "cp1252"}, {"ä@example.com"}),
        ("a@example.com;1;\n\nb@example.com;2;\n", {}, {"a@example.com", "b@example.com"}),
        ("a@example.com;1;\na@example.com;1;\n", {}, {"a@example.com"}),
        ("a@example.com;1;", {"final_newline": False}, {"a@example.com"}),
    ],
)
def test_delimiter_quote_and_encoding_are_settings(
    files: Files, content: bytes | str, options: dict[str, Any], expected: set[str]
) -> None:
    """A byte order mark, line ends of any system and empty lines are no values (S1-34)."""
    run = files.run(content, **options)
    assert run.code == 0, run.errors
    assert by_recipient(run.records("unsubscribes")).keys() == expected


HEADER = {"columns": {"Id": "recipient_id", "Liste": "list_id", "Zeit": "time"}}


def test_a_header_line_gives_the_order(files: Files) -> None:
    """Names of the file are mapped; the file may have them in any order (S1-34)."""
    run = files.run("\ufeffZeit;Id;Liste\n2026-03-01T06:00:00Z;anna@example.com;17\n", **HEADER)
    [record] = run.records("unsubscribes")
    assert (record["recipient_id"], record["list_id"]) == ("anna@example.com", "17")
    assert record["event_time"] == "2026-03-01T06:00:00+00:00"


@pytest.mark.parametrize(
    ("content", "options", "note"),
    [
        (None, {}, "csv_files.unsubscribes: there is no file yet"),
        ("", {}, "csv_files.unsubscribes: the file holds no rows"),
        ("\ufeff", {"final_newline": False}, "csv_files.unsubscribes: the file holds no rows"),
        ("Id;Liste;Zeit\n", HEADER, "csv_files.unsubscribes: the file holds no rows"),
    ],
)
def test_no_file_and_no_rows_are_normal_states(
    files: Files, content: str | None, options: dict[str, Any], note: str
) -> None:
    """A note, no records, and a run that is complete (S1-34, S1-36)."""
    run = files.run(content, **options)
    assert run.code == 0, run.errors
    assert note in run.errors
    assert run.markers[0]["counts"]["unsubscribes"] == 0


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (GOOD + "anna@example.com;17\n", {}, "line 2: 3 columns expected, 2 found"),
        (GOOD + "anna@example.com;17;;\n", {}, "line 2: 3 columns expected, 4 found"),
        (GOOD + GOOD[:-1], {}, "line 2: the last line has no end"),
        (GOOD + GOOD[:9], {}, "line 2: the last line has no end"),
        (GOOD + '"anna@example.com;17;\n', {}, "line 2: a quote is not closed"),
        (GOOD + '"anna"@example.com;17;\n', {}, "line 2: a quote is not closed, or not doubled"),
        (GOOD.encode() + b"\xff\xfe;1;\n", {}, "or behind it: not in the encoding utf-8"),
        (GOOD + "anna@example.com;17;anna\n", {}, "line 2, column event_time: the time is not in"),
        ("Id;anna@example.com;Zeit\n", HEADER, "line 1: column 2 is not among the names"),
        ("Id;Liste;Id\n", HEADER, "line 1: column 3 is not among the names in columns, or there"),
        ("Id;Zeit\n", HEADER, "line 1: column 'Liste' is missing"),
    ],
)
def test_a_flaw_is_an_error_with_its_line_and_no_value(
    files: Files, content: bytes | str, options: dict[str, Any], said: str
) -> None:
    """Exit 6, one line, no marker: a cut file must not pass for a whole one (S1-34)."""
    run = files.run(content, **options)
    assert run.code == 6, run.errors
    assert said in run.said
    assert "anna" not in run.errors
    assert run.markers == []


def test_a_file_of_bounces_tells_hard_from_soft(tap: Tap, tmp_path: Path) -> None:
    """Categories are judged alike, wherever they come from (S1-34, S1-46)."""
    path = tmp_path / "bounces.txt"
    path.write_text("h@example.com;hardbounce\ns@example.com;softbounce\n")
    given = {"path": str(path), "columns": ["recipient_id", "category"]}
    records = by_recipient(tap.run("bounces", csv_files={"bounces": given}).records("bounces"))
    assert [(r["kind"], r["ends_consent"]) for r in records["h@example.com"]] == [("hard", True)]
    assert [(r["kind"], r["ends_consent"]) for r in records["s@example.com"]] == [("soft", False)]
