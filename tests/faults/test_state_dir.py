"""Full disks, closed folders, planted links, damaged rejects: named in one line, nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faults import canary, scene
from faults.support import Zygote
from simulators_support import Simulator
from target_support import Run, Target, record, schema, state

Build = Callable[..., Target]


@pytest.fixture
def target(sim: Simulator, target_at: Build) -> Target:
    sim.seed({"fields": scene.FIELDS})
    return target_at(sim.url, create_fields=False)


def good() -> list[dict[str, Any]]:
    return [schema(), canary.person(1), canary.person(2), state(2)]


def with_rejects(number: int = 3) -> list[dict[str, Any]]:
    """Two good records and some that are rejected."""
    bad = []
    for key in range(100, 100 + number):
        person = canary.person(key)
        person["record"]["email"] = "no canarymail"
        bad.append(person)
    return [schema(), canary.person(1), canary.person(2), *bad, state(2 + number)]


def assert_stopped(run: Run, target: Target, code: int, words: str) -> None:
    assert run.code == code, run.stderr
    assert words in canary.last_line(run)
    assert run.states == []
    canary.assert_quiet(run, target)


def assert_recovers(zygote: Zygote, sim: Simulator, target: Target) -> None:
    run = zygote.run(target, with_rejects())
    assert (run.code, run.last_state) == (0, 5), run.stderr
    assert len(sim.contacts()) == 2
    assert {reject["record"]["ctt_id"] for reject in target.rejects} == {100, 101, 102}


def test_no_room_for_the_spool_ends_before_the_first_call(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """Input larger than what the disk takes: nothing is sent, no STATE, the next run is whole."""
    big = [canary.person(n, remark="canaryother" * 90) for n in range(1, 400)]
    run = zygote.run(target, [schema(), *big, state(1)], file_bytes=100_000)
    assert_stopped(run, target, 1, "spool")
    assert sim.requests() == []
    assert_recovers(zygote, sim, target)


def test_no_room_for_the_rejects_keeps_state_before_them(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """A reject that can't be made durable is never passed by a STATE."""
    assert_recovers(zygote, sim, target)
    path = target.home / "state" / "rejects" / "contacts.jsonl"
    filler = json.loads(path.read_text().splitlines()[0])
    filler |= {"identity": "key:7", "key": "7", "record": {"ctt_id": 7, "email": "x" * 190_000}}
    path.write_bytes(json.dumps(filler).encode() + b"\n")
    run = zygote.run(target, with_rejects(30), file_bytes=path.stat().st_size + 4_000)
    assert_stopped(run, target, 1, "rejects file can't be")
    path.unlink()
    assert_recovers(zygote, sim, target)


def test_a_report_that_can_not_be_written_is_named(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """The records are delivered all the same."""
    run = zygote.run(target, good(), report_file=str(target.home / "config.json" / "report.json"))
    assert run.code == 2, run.stderr
    assert "report_file" in canary.last_line(run)
    assert len(sim.contacts()) == 2
    assert run.last_state == 2


def test_a_file_in_place_of_the_state_directory_is_named(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """Exit 2 before anything is sent."""
    (target.home / "state").write_text("")
    assert_stopped(zygote.run(target, good()), target, 2, "state_dir")
    assert sim.requests() == []


def test_a_state_directory_that_is_read_only_is_named(sim: Simulator, target: Target) -> None:
    """Exit 2 before anything is sent; root is made to obey file modes as everybody does."""
    folder = target.home / "state"
    folder.mkdir(mode=0o500)
    command = target.command()
    if os.geteuid() == 0:
        if not (setpriv := shutil.which("setpriv")):
            pytest.skip("root ignores file modes and setpriv (util-linux) is not installed")
        command = [setpriv, "--bounding-set=-all", "--inh-caps=-all", *command]
    data = b"".join(json.dumps(message).encode() + b"\n" for message in good())
    done = subprocess.run(command, input=data, capture_output=True, timeout=120, cwd=target.home)
    run = Run(done.returncode, [json.loads(s) for s in done.stdout.splitlines()],
              done.stderr.decode(), {})  # fmt: skip
    folder.chmod(0o700)
    assert_stopped(run, target, 2, "state_dir: Permission denied")
    assert sim.requests() == []


@pytest.mark.parametrize("name", ["spool", "rejects", "locks", "work"])
def test_a_link_planted_for_a_folder_is_refused(
    zygote: Zygote, sim: Simulator, target: Target, tmp_path: Path, name: str
) -> None:
    """E8: nothing personal is written to where the link points."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (target.home / "state").mkdir()
    (target.home / "state" / name).symlink_to(elsewhere)
    assert_stopped(zygote.run(target, good()), target, 2, f"{name} is a symbolic link")
    assert list(elsewhere.iterdir()) == []
    assert sim.requests(writes=True) == []


def test_a_link_planted_for_the_rejects_file_is_refused(
    zygote: Zygote, sim: Simulator, target: Target, tmp_path: Path
) -> None:
    """E8: the file it points to stays as it is."""
    victim = tmp_path / "victim"
    victim.write_text("")
    rejects = target.home / "state" / "rejects"
    rejects.mkdir(parents=True)
    (rejects / "contacts.jsonl").symlink_to(victim)
    run = zygote.run(target, with_rejects())
    assert_stopped(run, target, 2, "rejects file")
    assert victim.read_text() == ""


def test_files_and_folders_are_for_their_owner_only(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """E8: folders 0700, files 0600, also where they stood open before."""
    folder = target.home / "state"
    (folder / "rejects").mkdir(parents=True, mode=0o755)
    assert zygote.run(target, with_rejects()).code == 0
    for path in folder.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    assert stat.S_IMODE((target.home / "report.json").stat().st_mode) == 0o600


def test_a_rejects_file_torn_by_a_crash_is_read_to_its_last_whole_line(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """Cut inside its last line the file loses that line only; the tap sends that record again."""
    assert_recovers(zygote, sim, target)
    path = target.home / "state" / "rejects" / "contacts.jsonl"
    whole = path.read_bytes()
    for cut in (1, len(whole.splitlines()[-1]) // 2, len(whole.splitlines()[-1])):
        path.write_bytes(whole[:-cut])
        assert_recovers(zygote, sim, target)


def test_a_damaged_line_of_the_rejects_file_is_named_by_number(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """An analyst's slip of the pen: exit 2, the line's number, not its content."""
    assert_recovers(zygote, sim, target)
    path = target.home / "state" / "rejects" / "contacts.jsonl"
    lines = path.read_text().splitlines()
    for damaged in (lines[1][:-1], lines[1].replace('"tries"', '"tires"'), "[1]", "{}"):
        path.write_text("\n".join([lines[0], damaged, lines[2]]) + "\n")
        assert_stopped(zygote.run(target, good()), target, 2, "line 2 of the rejects file")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte, where the tests may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(["mount", *options], capture_output=True).returncode:
        pytest.skip("a small file system can only be mounted by a privileged user")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_file_system_is_named_and_the_next_run_is_whole(
    zygote: Zygote, sim: Simulator, target: Target, small_disk: Path
) -> None:
    """Real ENOSPC: one line, no STATE, nothing lost once there is room."""
    target.config["state_dir"] = str(small_disk / "state")
    people = [record(n, remark="x" * 900) for n in range(1, 1500)]
    run = zygote.run(target, [schema(), *people, state(1499)])
    assert_stopped(run, target, 1, "full")
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * (small_disk_free(small_disk) - 60_000))
    run = zygote.run(target, with_rejects(200))
    assert run.code == 1, run.stderr
    assert run.states == []
    canary.last_line(run)
    ballast.unlink()
    run = zygote.run(target, with_rejects())
    assert (run.code, run.last_state) == (0, 5), run.stderr
    assert len(sim.contacts()) == 2


def small_disk_free(folder: Path) -> int:
    return shutil.disk_usage(folder).free
