"""`forget`: no trace of a person is left here, and nobody is made anew from the source."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from destinations_support import WarmTarget, contact_of, seeded_fields
from scene_support import COLUMNS, STREAM, consent, just_now, there
from simulators_support import Simulator
from target_support import Run, record, schema, state

MakeTarget = Callable[..., WarmTarget]
KEY, NOW, BEFORE = 4711081, "canary.now@example.com", "canary.before@example.com"
pytestmark = pytest.mark.ledgers


@pytest.fixture
def known(sim: Simulator, make_target: MakeTarget) -> WarmTarget:
    """A person who moved to another address, is approved for a third, and a reject; and others."""
    sim.seed({"fields": seeded_fields(), "contacts": [there("taken@example.com", 99)]})
    target = make_target(requests_per_second=5000)
    target.deliver([record(KEY, BEFORE), record(2), record(3, "no address")])
    target.deliver([record(KEY, NOW)])
    run = target.deliver([record(KEY, "taken@example.com", given_name="canary-name")])
    assert run.outcomes == {"rejected": 2}
    return target


def traces(home: Path, *words: str) -> list[str]:
    """Files below the state directory with any of these words, in any case."""
    wanted = [word.lower().encode() for word in words]
    files = [path for path in (home / "state").rglob("*") if path.is_file()]
    return [path.name for path in files if any(w in path.read_bytes().lower() for w in wanted)]


def test_nothing_in_the_state_directory_names_a_forgotten_person(known: WarmTarget) -> None:
    """X7: neither key nor any address they ever had is in any byte of any file, the ledger's free
    pages included; others stay as they are.
    """
    sqlite = "ledger_url" not in known.config
    words = (str(KEY), "canary")
    assert set(traces(known.home, *words)) >= ({"ledger.sqlite"} if sqlite else {"contacts.jsonl"})
    done = known.operate("forget", "--key", str(KEY))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        "contacts: erased 1 person(s) from the ledger and 1 open reject(s); "
    )
    assert "ActiveCampaign still has the contact" in done.stderr
    assert traces(known.home, *words) == []
    assert known.operate("history", "--key", str(KEY)).stdout == ""
    assert known.operate("history", "--address", BEFORE).stdout == ""
    assert [line["key"] for line in known.rejects] == ["3"]
    assert known.operate("history", "--key", "2").stdout.startswith("contacts  key:2  ")


def test_a_run_after_it_creates_nobody(sim: Simulator, known: WarmTarget) -> None:
    """Erase, then run again: rows by key, by address and without key are left out by name, and no
    trace comes back.
    """
    assert known.operate("forget", "--key", str(KEY)).returncode == 0
    sim.event("delete_contact", email=NOW)
    sim.forget_requests()
    rows = [record(KEY, "third@example.com"), record(None, NOW), record(None, BEFORE)]
    bad = record(KEY, "no address at all")
    run = known.run([schema(), *rows, bad, record(2), state(5)])
    assert run.code == 0
    assert (run.outcomes, run.causes["forgotten"]) == (
        {"suppressed": 4, "unchanged": 1, "rejected": 1}, 4,
    )  # fmt: skip
    assert sim.requests(writes=True) == []
    assert set(sim.contacts()) == {"taken@example.com", "person2@example.com"}
    assert traces(known.home, str(KEY), "canary", "third@") == []
    assert run.last_state == 5


def test_a_person_is_forgotten_by_the_address_they_have(known: WarmTarget) -> None:
    """The ledger knows whose it is: the key is suppressed as well."""
    assert known.operate("forget", "--address", NOW.upper()).returncode == 0
    assert traces(known.home, str(KEY), "canary") == []
    assert known.deliver([record(KEY, "new@example.com")]).causes["forgotten"] == 1


def test_an_address_that_somebody_else_has_by_now_stays_theirs(
    sim: Simulator, known: WarmTarget
) -> None:
    """Forgetting who had it once forgets nobody who has it: their rows are delivered."""
    known.deliver([record(2, BEFORE)])
    assert known.operate("forget", "--key", str(KEY)).returncode == 0
    run = known.deliver([record(2, BEFORE, given_name="Ada")])
    assert (run.outcomes, "forgotten" in run.causes) == ({"applied": 1, "rejected": 1}, False)
    assert contact_of(sim, BEFORE)["firstName"] == "Ada"


def test_lifting_takes_the_person_again(sim: Simulator, known: WarmTarget) -> None:
    """By any one of their names; a wrong one lifts nothing."""
    assert known.operate("forget", "--key", str(KEY)).returncode == 0
    lifted = known.operate("forget", "--address", "other@example.com", "--lift")
    assert lifted.stdout == "contacts: 0 person(s) are taken again\n"
    assert known.operate("forget", "--address", BEFORE, "--lift").stdout == (
        "contacts: 1 person(s) are taken again\n"
    )
    run = known.deliver([record(KEY, NOW, given_name="Ada")])
    assert run.outcomes == {"applied": 1, "rejected": 1}
    assert contact_of(sim, NOW)["firstName"] == "Ada"
    notes = (known.home / "state" / "operations.jsonl").read_text().splitlines()
    assert [json.loads(note)["did"] for note in notes] == ["forget", "forget --lift"]


def test_what_a_forgotten_person_withdraws_and_deletes_is_still_done(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """X2: they get less, never more: the unsubscription, and the deletion in the source."""
    contacts = [there(NOW, KEY, lists={"News": 1}), there("b@example.com", 2, lists={"News": 1})]
    sim.seed({"fields": seeded_fields(), "lists": ["News"], "contacts": contacts})
    stream = {k: v for k, v in STREAM.items() if k != "account"}
    target = make_target(streams={"contacts": stream})
    for key in (str(KEY), "2"):
        assert target.operate("forget", "--key", key).returncode == 0

    def deliver(*rows: dict[str, Any]) -> Run:
        return target.run([schema(**COLUMNS), *rows, state(1)])

    gone = {**consent(just_now()), "consent": "unsubscribed", "given_name": "Changed"}
    run = deliver(
        record(KEY, NOW, **gone), record(2, "b@example.com", _sdc_deleted_at="2026-03-01")
    )
    assert run.code == 0, run.stderr
    assert run.causes["forgotten"] == 1
    assert list(contact_of(sim, NOW)["lists"].values()) == ["2"]
    assert not contact_of(sim, NOW)["firstName"]
    assert list(contact_of(sim, "b@example.com")["lists"].values()) == ["2"]


def test_losing_the_key_of_the_hashes_stops_the_run(sim: Simulator, known: WarmTarget) -> None:
    """Nobody could tell any more who was forgotten, so nobody is delivered."""
    assert known.operate("forget", "--key", str(KEY)).returncode == 0
    (known.home / "state" / "log-hash.key").unlink()
    sim.forget_requests()
    run = known.deliver([record(KEY, "third@example.com")])
    assert (run.code, sim.requests(writes=True)) == (1, [])
    assert "the key of the hashes is another one" in run.stderr
    assert run.states == []


def test_forget_asks_who_and_where(known: WarmTarget) -> None:
    """A person is named in one way, a stream by its name."""
    for options in ([], ["--key", "1", "--address", "a@example.com"]):
        assert known.operate("forget", *options).returncode == 2
    assert known.operate("forget", "--key", "1", "--stream", "other").returncode == 2
    done = known.operate("forget", "--key", "unknown-key", "--stream", "contacts")
    assert done.stdout.startswith("contacts: erased 0 person(s)")


def test_a_key_that_is_a_text_is_nobody_elses_number(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-22: 017 and 17 are two persons where keys are texts; only the one that was named goes."""
    sim.seed({"fields": seeded_fields()})
    target = make_target()
    texts = schema(ctt_id={"type": ["string", "null"]})
    rows = [_row("017", "one@example.com"), _row("17", "two@example.com"), _row("18", "no address")]
    assert target.run([texts, *rows, state(3)]).outcomes == {"applied": 2, "rejected": 1}
    assert target.operate("rejects", "drop", "--key", "018", "--yes").returncode == 2
    assert "0 duplicate_key" in target.operate("audit").stdout
    done = target.operate("forget", "--key", "017")
    assert done.stdout.startswith("contacts: erased 1 person(s) from the ledger")
    assert target.operate("history", "--key", "17").stdout.startswith("contacts  key:17  ")
    run = target.run([texts, *rows, state(3)])
    assert run.outcomes == {"suppressed": 1, "unchanged": 1, "rejected": 1}


def test_a_number_is_one_key_however_it_is_typed(known: WarmTarget) -> None:
    """S0-22: a declared number is forgotten by any of its spellings."""
    assert known.operate("forget", "--key", f" 0{KEY}.0").returncode == 0
    assert traces(known.home, str(KEY), "canary") == []


def test_what_a_killed_run_has_left_of_a_reject_goes_as_well(known: WarmTarget) -> None:
    """X7: a reject that a killed run had closed is still in the file, with its row."""
    path = known.home / "state" / "rejects" / "contacts.jsonl"
    with path.open("ab") as file:
        file.write(b'{"closed":"key:%d"}\n' % KEY)
    assert known.operate("forget", "--key", str(KEY)).returncode == 0
    assert traces(known.home, str(KEY), "canary") == []
    assert [line["key"] for line in known.rejects] == ["3"]


def test_a_ledger_file_from_before_the_shared_one_goes_as_well(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """X7: whoever moved to PostgreSQL has the old file in the state directory."""
    sim.seed({"fields": seeded_fields()})
    target = make_target()
    rows = [schema(), record(KEY, BEFORE), state(1)]
    assert target.run(rows, ledger_url=None).outcomes == {"applied": 1}
    assert target.deliver([record(KEY, NOW)]).outcomes == {"applied": 1}
    assert target.operate("forget", "--key", str(KEY)).returncode == 0
    assert traces(target.home, str(KEY), "canary") == []


def test_a_command_that_was_cut_short_finds_everything_when_it_is_repeated(
    known: WarmTarget,
) -> None:
    """X8: by the address alone, whose key only the ledger knows, and the reject has another one."""
    path = known.home / "state" / "rejects" / "contacts.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b"torn\n")
    assert known.operate("forget", "--address", NOW).returncode == 2
    path.write_bytes(whole)
    assert known.operate("forget", "--address", NOW).returncode == 0
    assert traces(known.home, str(KEY), "canary") == []


@pytest.mark.parametrize("option", ["--key", "--address"])
def test_nobody_is_forgotten_by_a_blank_name(
    sim: Simulator, known: WarmTarget, option: str
) -> None:
    """S0-7: rows without an address have that in common, and would all be left out."""
    assert known.operate("forget", option, " ").returncode == 2
    row = _row(2, "", given_name="Ada")
    assert known.run([schema(), row, state(1)]).causes.get("forgotten") is None
    assert contact_of(sim, "person2@example.com")["firstName"] == "Ada"


def _row(key: int | str, email: str, **more: Any) -> dict[str, Any]:
    data = {"ctt_id": key, "email": email, **more}
    return {"type": "RECORD", "stream": "contacts", "record": data}
