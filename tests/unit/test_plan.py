"""Plans on disk: what is written comes back whole, or not at all."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st
from target_kit.errors import ConfigurationError
from target_kit.plan import (
    Approved,
    Digests,
    Entry,
    Forecast,
    Item,
    PlanHeader,
    PlanWriter,
    check_place,
    read_plan,
)
from target_kit.redact import KeyHasher
from target_kit.workfile import work_file

CANARY = "canary@example.org"
HEADER = PlanHeader(
    target="target-activecampaign",
    version="1.2.3",
    created_at="2026-03-01T12:00:00+00:00",
    account="sample.example.com",
    settings="0123abcd",
    streams={"contacts": {"create": 1, "update": 1, "reject": 1, "nothing": 4_000}},
    forecast=Forecast.of({"GET contacts": 40, "POST contacts": 2}, 2, 5.0),
    guards=[{"name": "creates", "count": 1, "share": None, "limit": 0, "message": "1 too many"}],
    notes=["custom field LAND would be created"],
)
DIGESTS = Digests(KeyHasher(b"k" * 32).long)
NAME = Item(
    "set", "firstName", "rules.firstName: always", DIGESTS.item("a", "7", "set", "f", "", CANARY)
)
NEWS = Item(
    "unsubscribe",
    "News",
    "lists.News: consent withdrawn",
    DIGESTS.item("a", "7", "u", "", "1", "2"),
    True,
)
ENTRIES = [
    Entry("contacts", DIGESTS.who(f"email:{CANARY}"), "17", "update", (NAME, NEWS)),
    Entry("contacts", DIGESTS.who("row:3"), None, "create", (NAME,)),
    Entry("contacts", DIGESTS.who("key:18"), "18", "reject", cause="email_syntax"),
]  # fmt: skip


def write(folder: Path, entries: list[Entry] = ENTRIES, header: PlanHeader = HEADER) -> Path:
    path = folder / "plans" / "plan.json"
    with PlanWriter(folder / "work") as writer:
        for entry in entries:
            writer.add(entry)
        writer.finish(path, header)
    return path


def refusal(path: Path) -> str:
    """What `read_plan` says; nothing may be approved then."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with pytest.raises(ConfigurationError) as caught:
        read_plan(path, connection)
    assert connection.execute("SELECT count(*) FROM plan_items").fetchone() == (0,)
    connection.close()
    message = str(caught.value)
    assert message.startswith("plan_file: ")
    assert message.isprintable()
    return message


@pytest.mark.parametrize("number", [0, 1, 3])
def test_what_is_written_comes_back(tmp_path: Path, number: int) -> None:
    """Header and items, through a work file as a run has it."""
    path = write(tmp_path, ENTRIES[:number])
    with work_file(tmp_path, "plan") as connection:
        assert read_plan(path, connection) == HEADER
        approved = Approved(connection)
        counts = [approved.items_of(entry.who) for entry in ENTRIES]
        assert counts == [2, 1, 0][:number] + [0] * (3 - number)
        assert approved.allows(ENTRIES[0].who, [NAME.digest, NEWS.digest]) is (number > 0)
        assert approved.allows(ENTRIES[0].who, [NEWS.digest]) is (number > 0)


def test_only_what_is_planned_for_this_person_is_allowed(tmp_path: Path) -> None:
    """The same digest of somebody else, or one digest more, is not approved."""
    with work_file(tmp_path, "plan") as connection:
        read_plan(write(tmp_path), connection)
        approved = Approved(connection)
        second = ENTRIES[1].who
        assert approved.allows(second, [NAME.digest])
        assert not approved.allows(second, [NEWS.digest])
        assert not approved.allows(second, [NAME.digest, NEWS.digest])
        assert not approved.allows(DIGESTS.who("stranger"), [NAME.digest])
        assert approved.allows(DIGESTS.who("stranger"), [])


def test_a_second_plan_takes_the_place_of_the_first(tmp_path: Path) -> None:
    """In the file and in the table."""
    with work_file(tmp_path, "plan") as connection:
        read_plan(write(tmp_path), connection)
        read_plan(write(tmp_path, ENTRIES[1:]), connection)
        assert Approved(connection).items_of(ENTRIES[0].who) == 0
        assert Approved(connection).items_of(ENTRIES[1].who) == 1


def test_the_file_is_one_document_with_one_entry_a_line(tmp_path: Path) -> None:
    """For people, for `grep` and for any JSON reader."""
    data = write(tmp_path).read_text()
    document = json.loads(data)
    assert document["plan"] == 1
    assert document["number"] == 3
    assert document["header"]["streams"] == HEADER.streams
    assert [one["key"] for one in document["entries"]] == ["17", None, "18"]
    lines = data.splitlines()
    assert len(lines) == 5
    assert [json.loads(line.removesuffix(",")) for line in lines[1:-1]] == document["entries"]


def test_plans_are_private_and_nothing_else_stays(tmp_path: Path) -> None:
    """Three files that only their owner reads; the collection never has a name."""
    path = write(tmp_path)
    names = ["plan.json", "plan.json.html", "plan.json.txt"]
    assert sorted(one.name for one in path.parent.iterdir()) == names
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}
    assert list((tmp_path / "work").iterdir()) == []


def test_nothing_is_written_before_the_plan_is_whole(tmp_path: Path) -> None:
    """A rehearsal that does not come to its end leaves neither plan nor collection."""
    with PlanWriter(tmp_path / "work") as writer:
        writer.add(ENTRIES[0])
    assert [one.name for one in tmp_path.rglob("*")] == ["work"]


def test_a_cut_plan_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    """Every proper beginning of a plan is none: a part of it is never carried out."""
    path = write(tmp_path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        message = refusal(path)
        assert "cut" in message or "no JSON" in message, length
    path.write_bytes(whole)
    with work_file(tmp_path, "plan") as connection:
        read_plan(path, connection)


def test_a_plan_with_other_lines_is_refused(tmp_path: Path) -> None:
    """Its number of entries and each line have to fit; what is approved is the plan as made."""
    path = write(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    whole = b"".join(lines)
    changed: list[bytes] = [
        b"".join(lines[:1] + lines[2:]),
        b"".join(lines[:2] + lines[1:]),
        b"".join([*lines[:3], *lines[4:]]),
        whole + b"\n",
        whole + b"{}",
        whole.replace(b'"digest":"', b'"digest":1,"x":"', 1),
        whole.replace(b'"number":3', b'"number":2'),
        whole.replace(b'"number":3', b'"number":4'),
        whole.replace(b'"number":3', b'"number":-3'),
        whole.replace(b'"who":"', b'"who":"\xff', 1),
        whole.replace(b'"target":', b'"aim":'),
        whole.replace(b"\n", b"\r\n"),
        whole.replace(b'"cause":""', b'"x":' + b"[" * 9_999 + b"]" * 9_999, 1),
    ]
    for data in changed:
        assert data != whole
        path.write_bytes(data)
        assert "cut or was changed" in refusal(path)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"contacts\n17\n", "no JSON"),
        (b"{}", "no plan as mode: plan writes it"),
        (b'[{"plan":1}]\n', "no plan as mode: plan writes it"),
        (b'{\n "plan": 1,\n "entries": []\n}\n', "no plan as mode: plan writes it"),
        (b'{"plan":2,"header":{},"number":0,"entries":[\n]}\n', "format 2, this version reads 1"),
        (b'{"plan":1,"header":{},"number":0,"entries":[\n]}\n', "cut or was changed (line 1)"),
        (b"[" * 100_000, "no JSON"),
        (b'{"plan":1,"header":' + b"[" * 100_000 + b"\n", "cut or was changed (line 1)"),
    ],
)
def test_what_is_no_plan_is_named(tmp_path: Path, data: bytes, says: str) -> None:
    """One line with what it is instead and what to do."""
    path = tmp_path / "plan.json"
    path.write_bytes(data)
    message = refusal(path)
    assert says in message
    assert message.endswith("make it anew with mode: plan")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """No file, a folder, a pipe that nobody writes to, a link to itself."""
    (tmp_path / "link").symlink_to("link")
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "none.json") == "plan_file: No such file or directory"
    assert refusal(tmp_path) == "plan_file: Is a directory"
    assert refusal(tmp_path / "pipe") == "plan_file: it is no regular file"
    assert refusal(tmp_path / "link") == "plan_file: Too many levels of symbolic links"


def test_the_place_of_a_plan_is_proved_beforehand(tmp_path: Path) -> None:
    """A long rehearsal is not in vain: a folder that can't be, a device, a directory."""
    (tmp_path / "file").write_text("")
    for path, says in [
        (tmp_path / "file" / "plan.json", "plan_file: File exists"),
        (Path("/dev/null"), "plan_file: it is no regular file"),
        (tmp_path, "plan_file: it is no regular file"),
    ]:
        with pytest.raises(ConfigurationError) as caught:
            check_place(path)
        assert str(caught.value) == says
        with (
            PlanWriter(tmp_path / "work") as writer,
            pytest.raises(ConfigurationError, match=r"^plan_file: "),
        ):
            writer.finish(path, HEADER)
    check_place(tmp_path / "new" / "plan.json")
    assert list((tmp_path / "new").iterdir()) == []


_FILLS = """
import resource, signal, sys
from pathlib import Path
from target_kit.errors import StopRun
from target_kit.plan import Entry, PlanHeader, PlanWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder, most, number = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
try:
    with PlanWriter(folder / "work") as writer:
        for i in range(number):
            writer.add(Entry("contacts", "f" * 32, str(i), "update"))
        writer.finish(folder / "plan.json", PlanHeader("t", "1", "now", "a", "s"))
except StopRun as stopped:
    print(type(stopped).__name__, stopped)
"""


@pytest.mark.parametrize(
    ("number", "says"),
    [(3, "ConfigurationError plan_file: File too large\n"),
     (900, "PlanError state_dir: the plan can't be collected: File too large\n")],
)  # fmt: skip
def test_a_full_disk_leaves_the_plan_that_was_there(tmp_path: Path, number: int, says: str) -> None:
    """One line says what could not be written, while collecting or at the end."""
    before = write(tmp_path).read_bytes()
    (tmp_path / "plan.json").write_bytes(before)
    command = [sys.executable, "-c", _FILLS, str(tmp_path), "3000", str(number)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == (says, "")
    names = sorted(one.name for one in tmp_path.iterdir())
    assert names == ["plan.json", "plans", "work"]
    assert (tmp_path / "plan.json").read_bytes() == before


_COLLECTS = """
import sys
from pathlib import Path
from target_kit.plan import Entry, Item, PlanHeader, PlanWriter, read_plan
from target_kit.workfile import work_file
folder = Path(sys.argv[1])
with PlanWriter(folder / "work") as writer:
    for i in range(int(sys.argv[2])):
        items = tuple(Item("set", name, f"rules.{name}: always", f"{i:030}{name}") for name in "abcde")
        writer.add(Entry("contacts", f"{i:032}", str(i), "update", items))
    writer.finish(folder / "plan.json", PlanHeader("t", "1", "now", "a", "s"))
with work_file(folder, "plan") as connection:
    read_plan(folder / "plan.json", connection)
    print(connection.execute("SELECT count(*) FROM plan_items").fetchone()[0])
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""  # noqa: E501 - a program


@pytest.mark.slow
def test_memory_does_not_grow_with_the_entries(tmp_path: Path) -> None:
    """A hundred thousand entries, 65 MB, written and read back, next to two thousand."""
    peaks = []
    for number in (2_000, 100_000):
        command = [sys.executable, "-c", _COLLECTS, str(tmp_path), str(number)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
        items, peak = map(int, done.stdout.split())
        assert items == 5 * number
        peaks.append(peak / 1024)
    assert (tmp_path / "plan.json").stat().st_size > 50_000_000
    assert peaks[1] < peaks[0] + 24


def test_neither_addresses_nor_values_are_in_a_plan(tmp_path: Path) -> None:
    """X7: identities and values are there as keyed hashes only, in all three files."""
    path = write(tmp_path)
    for one in path.parent.iterdir():
        data = one.read_text()
        assert "canary" not in data
        assert "firstName" in data


TEXTS = st.text(max_size=6)
PARTS = st.tuples(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS)


@given(PARTS, PARTS)
def test_digests_differ_where_anything_differs(one: Any, other: Any) -> None:
    """The same only for the same person, contact, kind, name and values."""
    assert (DIGESTS.item(*one) == DIGESTS.item(*other)) is (one == other)


HOSTILE = st.sampled_from(["", "1", ":", ";", "1:", "0:", "a", "|", "\x00"])


@given(st.lists(HOSTILE, min_size=6, max_size=6), st.integers(0, 4))
def test_a_moved_separator_makes_another_digest(parts: list[str], at: int) -> None:
    """What stands at the end of one part never counts as the beginning of the next."""
    moved = parts.copy()
    moved[at], moved[at + 1] = parts[at] + parts[at + 1], ""
    assert (DIGESTS.item(*parts) == DIGESTS.item(*moved)) is (parts == moved)


def test_digests_are_long_whatever_the_hasher_gives() -> None:
    """128 bits at least: a hasher of 48 is asked again."""
    short, long = KeyHasher(b"k" * 32), KeyHasher(b"k" * 32).long
    for hasher in (short, long, lambda text: long(text) + "00"):
        digests = Digests(hasher)
        found = digests.item("key:1", "7", "set", "firstName", "", "B")
        assert len(found) == 32
        assert int(found, 16)
        assert len({found[:12], found[12:24]}) == 2
        assert found != digests.item("key:2", "7", "set", "firstName", "", "B")
    assert len(short("x")) == 12
    assert long("x").startswith(short("x"))
    assert len(long("x")) == 32


def test_digests_need_the_key_of_the_state_directory(tmp_path: Path) -> None:
    """Who has only the plan can test no address; the same directory knows it again."""
    parts = ("key:1", "7", "set", "firstName", "A", "B")
    first = Digests.from_state_dir(tmp_path / "a", FakeClock())
    again = Digests.from_state_dir(tmp_path / "a", FakeClock())
    other = Digests.from_state_dir(tmp_path / "b", FakeClock())
    assert first.item(*parts) == again.item(*parts) != other.item(*parts)
    assert first.who("key:1") == again.who("key:1") != other.who("key:1")
    hasher = KeyHasher.from_state_dir(tmp_path / "a", FakeClock())
    assert first.who("key:1").startswith(hasher("key:1"))
    assert first.item(*parts) == Digests(hasher.long).item(*parts)
