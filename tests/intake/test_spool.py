"""The spool on disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from target_kit.errors import ConfigurationError
from target_kit.spool import Spool, SpooledRecord


@settings(deadline=None)
@given(
    entries=st.lists(
        st.one_of(
            st.tuples(
                st.sampled_from("ab"), st.binary(max_size=30), st.none() | st.just("$: type")
            ),
            st.tuples(st.just("run"), st.lists(st.binary(max_size=9), max_size=5)),
            st.tuples(st.just("state"), st.binary(max_size=5)),
            st.tuples(st.just("flush")),
        ),
        max_size=30,
    ),
    limit=st.integers(1, 7),
)
def test_what_goes_in_comes_out_per_stream_in_order(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[object, ...]], limit: int
) -> None:
    """Records by stream, STATEs by seq, whatever the mixture of appends, flushes and limits."""
    spool = Spool.create(tmp_path_factory.mktemp("spool"))
    wanted: dict[str, list[SpooledRecord]] = {}
    states: list[tuple[int, bytes]] = []
    seq = 0
    for line, entry in enumerate(entries):
        match entry:
            case ("flush",):
                spool.flush()
            case ("state", bytes(value)):
                seq += 1
                assert spool.append_state(line, value) == seq
                states.append((seq, value))
            case ("run", list(bodies)):
                spool.append_records("a", [line] * len(bodies), [Raw(body) for body in bodies])
                for body in bodies:
                    seq += 1
                    wanted.setdefault("a", []).append(SpooledRecord(seq, line, body, None))
            case (str(stream), bytes(body), fault):
                seq += 1
                assert fault is None or isinstance(fault, str)
                assert spool.append_record(stream, line, body, fault) == seq
                wanted.setdefault(stream, []).append(SpooledRecord(seq, line, body, fault))
    assert spool.last_seq() == seq
    assert spool.streams() == list(wanted)
    for stream, records in wanted.items():
        assert spool.count(stream) == len(records)
        found: list[SpooledRecord] = []
        while batch := spool.records(stream, after=found[-1].seq if found else 0, limit=limit):
            assert len(batch) <= limit
            found += batch
        assert found == records
        for one in records:
            assert spool.records(stream, after=one.seq - 1, limit=1) == [one]
    for through in range(seq + 2):
        older = [one for one in states if one[0] <= through]
        assert spool.latest_state(through=through) == (older[-1] if older else None)
    spool.close()


def test_the_spool_has_no_name_while_it_is_used(tmp_path: Path) -> None:
    """Not even SIGKILL leaves records behind: the file is unlinked once it is open."""
    spool = Spool.create(tmp_path / "spool")
    spool.append_record("a", 1, b"{}")
    spool.flush()
    assert list((tmp_path / "spool").iterdir()) == []
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700
    assert spool.records("a") == [SpooledRecord(1, 1, b"{}", None)]


def test_leftovers_are_removed(tmp_path: Path) -> None:
    """A run killed between making and unlinking its file leaves one; the next run removes it."""
    (tmp_path / "spool-1-abc").write_text("old")
    (tmp_path / "other").write_text("not ours")
    Spool.create(tmp_path).close()
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


@pytest.mark.skipif(os.geteuid() != 0 and not Path("/proc").exists(), reason="needs /proc")
def test_a_directory_that_cannot_be_written_is_a_configuration_error() -> None:
    """The error names the setting."""
    with pytest.raises(ConfigurationError, match="state_dir"):
        Spool.create(Path("/proc/spool"))
