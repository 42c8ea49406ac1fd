"""Rejects that survive, and that nobody else can read."""

from __future__ import annotations

import stat
from pathlib import Path

from target_kit.outcome import Outcome, Result, Step
from target_kit.rejects import RejectStore

REJECT = Result(Outcome.REJECTED, Step.INSERT, "email_syntax", "not an address", "email")


def identities(state_dir: Path) -> list[str]:
    store = RejectStore(state_dir, "contacts")
    found = [reject.identity for reject in store.records()]
    store.close()
    return found


def test_a_reject_tells_what_an_analyst_needs(tmp_path: Path) -> None:
    """S0-60: key, step, field, cause in words and number of tries."""
    store = RejectStore(tmp_path, "contacts")
    store.add("key:1", "1", {"ctt_id": 1}, REJECT, "t1")
    store.finish()
    store = RejectStore(tmp_path, "contacts")
    store.add("key:1", "1", {"ctt_id": 1}, REJECT, "t2")
    store.finish()
    store = RejectStore(tmp_path, "contacts")
    (reject,) = store.records()
    store.close()
    assert (reject.key, reject.step, reject.field, reject.message, reject.tries) == (
        "1", "insert", "email", "not an address", 2,
    )  # fmt: skip
    assert (reject.first_seen, reject.last_seen) == ("t1", "t2")
    assert reject.record == {"ctt_id": 1}


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """X7: rows hold personal data."""
    store = RejectStore(tmp_path / "state", "contacts")
    store.add("key:1", "1", {}, REJECT, "t")
    store.finish()
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def test_a_delivered_person_is_never_offered_again(tmp_path: Path) -> None:
    """S0-59: even when the run dies before the file is rewritten."""
    store = RejectStore(tmp_path, "contacts")
    store.add("key:1", "1", {}, REJECT, "t")
    store.finish()
    store = RejectStore(tmp_path, "contacts")
    store.closed("key:1")
    store.close()  # without finish(): as when the process is killed
    assert identities(tmp_path) == []


def test_a_torn_last_line_loses_nothing_before_it(tmp_path: Path) -> None:
    """S0-60: a crash while appending leaves a valid prefix, wherever it cuts."""
    store = RejectStore(tmp_path, "contacts")
    store.add("key:1", "1", {}, REJECT, "t")
    store.sync()
    whole = store.path.read_bytes()
    store.add("key:2", "2", {}, REJECT, "t")
    store.close()
    longer = store.path.read_bytes()
    for cut in range(len(whole), len(longer)):
        store.path.write_bytes(longer[:cut])
        assert identities(tmp_path) == ["key:1"]


def test_appending_after_a_torn_line_keeps_the_new_reject(tmp_path: Path) -> None:
    """S0-60: what a crash tore must not swallow what comes next."""
    store = RejectStore(tmp_path, "contacts")
    store.add("key:1", "1", {}, REJECT, "t")
    store.close()
    store.path.write_bytes(store.path.read_bytes()[:-5])
    again = RejectStore(tmp_path, "contacts")
    again.add("key:2", "2", {}, REJECT, "t")
    again.close()
    assert identities(tmp_path) == ["key:2"]


def test_rows_of_one_person_rejected_together_stay_together(tmp_path: Path) -> None:
    """S0-9, S0-60: each keeps its content and its tries; a later run's reject replaces them all."""
    for tries in (1, 2):
        store = RejectStore(tmp_path, "contacts")
        for name in ("A", "B"):
            store.add("key:1", "1", {"name": name}, REJECT, "t")
        store.finish()
        store = RejectStore(tmp_path, "contacts")
        kept = [(r.record, r.tries) for r in store.records()]
        store.close()
        assert kept == [({"name": "A"}, tries), ({"name": "B"}, tries)]
    store = RejectStore(tmp_path, "contacts")
    store.add("key:1", "1", {"name": "C"}, REJECT, "t")
    store.finish()
    assert identities(tmp_path) == ["key:1"]
