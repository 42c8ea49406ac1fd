"""Several streams in one run, unknown ones, connection checks, and how far STATE goes."""

from __future__ import annotations

from typing import Any

import pytest
from destinations_support import WarmTarget, contact_of, routes, seeded_fields, sums_close
from simulators_support import Simulator
from target_support import record, schema, state

LEADS = {
    "contacts": {
        "key": "ctt_id",
        "key_field": "BUBSCTTID",
        "fields": {"email": "email", "firstName": "given_name"},
    },
    "leads": {
        "key": "ctt_id",
        "key_field": "LEADNO",
        "fields": {"email": "email", "firstName": "given_name"},
        "custom_fields": {"LAND": "org_country"},
    },
}


def lead(number: int, email: str | None = None, **more: Any) -> dict[str, Any]:
    """A RECORD of the stream leads."""
    return {**record(number, email or f"lead{number}@example.com", **more), "stream": "leads"}


def bookmarks(states: list[Any]) -> list[Any]:
    return [s["bookmarks"]["contacts"]["replication_key_value"] for s in states]


def test_streams_whose_messages_alternate_are_each_delivered_and_counted(
    sim: Simulator, make_target: Any
) -> None:
    """S0-34, X4: two streams, STATE between their records: each has its own sums and fields."""
    target = make_target(streams=LEADS)
    messages: list[dict[str, Any]] = [schema(), schema("leads")]
    for i in range(1, 8):
        messages += [record(i), lead(i, org_country="DE"), state(i)]
    run = target.run(messages)
    assert run.code == 0
    assert [(s["stream"], s["received"]) for s in run.report["streams"]] == [
        ("contacts", 7),
        ("leads", 7),
    ]
    assert sums_close(run)
    assert run.last_state == 7
    assert contact_of(sim, "lead3@example.com")["fieldValues"] == {"LEADNO": "3", "LAND": "DE"}
    assert contact_of(sim, "person3@example.com")["fieldValues"] == {"BUBSCTTID": "3"}
    again = target.run(messages)
    assert (again.report["writes"], again.last_state) == (0, 7)


def test_state_waits_for_every_stream(sim: Simulator, make_target: Any) -> None:
    """S0-56: a stream stopped by its budget holds STATE back, though the other one is done."""
    sim.switches(email_validation="strict")
    target = make_target(streams=LEADS, max_errors=0)
    messages = [
        schema(),
        schema("leads"),
        record(1),
        state(1),
        lead(1, "x@bücher.example.com"),
        state(2),
        record(2),
        lead(2),
        state(3),
    ]
    run = target.run(messages)
    assert run.code == 4
    assert bookmarks(run.states) == [1]
    outcomes = {s["stream"]: {n: c for n, c in s["outcomes"].items() if c}
                for s in run.report["streams"]}  # fmt: skip
    assert outcomes == {"contacts": {"applied": 2}, "leads": {"rejected": 1, "held": 1}}
    assert sums_close(run)


def test_state_passes_what_is_delivered_or_durably_rejected(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-57: bookmarks only ever go forward and end at the last one, rejects notwithstanding."""
    messages: list[dict[str, Any]] = [schema()]
    for i in range(1, 1003):
        messages += [record(i, "no address" if i % 100 == 0 else None), state(i)]
    sim.seed({"fields": seeded_fields()})
    run = target.run(messages)
    assert run.outcomes == {"applied": 992, "rejected": 10}
    reached = bookmarks(run.states)
    assert reached == sorted(reached)
    assert len(set(reached)) == len(reached)
    assert reached[-1] == 1002
    assert len(target.rejects) == 10


def test_an_unknown_stream_ends_the_run_before_any_write(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-5: nothing is guessed of a stream no setting speaks of; the message says what to do."""
    run = target.run([schema(), record(1), schema("invoices"), state(1)])
    assert (run.code, run.states) == (2, [])
    assert "invoices" in run.stderr
    assert "on_unknown_stream: ignore" in run.stderr
    assert sim.requests(writes=True) == []


def test_an_unknown_stream_is_ignored_if_so_configured(sim: Simulator, make_target: Any) -> None:
    """S0-5, X4: its records are left out, all others are delivered."""
    target = make_target(on_unknown_stream="ignore")
    run = target.run(
        [
            schema("invoices"),
            {**record(9), "stream": "invoices"},
            schema(),
            record(1),
            state(1),
        ]
    )
    assert (run.code, run.outcomes, run.last_state) == (0, {"applied": 1}, 1)
    assert "invoices" in run.stderr
    assert list(sim.contacts()) == ["person1@example.com"]


@pytest.mark.parametrize(("key", "code"), [("sim-key", 0), ("wrong", 3)])
def test_meltanos_test_stream_is_a_connection_check(
    sim: Simulator, make_target: Any, key: str, code: int
) -> None:
    """S0-61: one read that proves URL and key, no write."""
    target = make_target(api_key=key)
    stream = {"type": "SCHEMA", "stream": "meltano_test_stream", "key_properties": ["id"],
              "schema": {"type": "object", "properties": {"id": {"type": "integer"}}}}  # fmt: skip
    row = {"type": "RECORD", "stream": "meltano_test_stream", "record": {"id": 1}}
    run = target.run([stream, row])
    assert run.code == code
    assert routes(sim, writes=False) == {("GET", "/users/me"): 1}


def test_a_column_the_settings_name_but_the_schema_lacks_is_said_at_once(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-5, S0-39: matching would be impossible, so nothing is written."""
    narrow = schema()
    narrow["schema"] = {"type": "object", "properties": {"email": {"type": "string"}}}
    run = target.run([narrow, record(1), state(1)])
    assert run.code == 2
    assert "ctt_id" in run.stderr
    assert sim.requests() == []


def test_an_empty_set_is_no_error(sim: Simulator, target: WarmTarget) -> None:
    """S0-57, S0-63: nothing to do means no call at all, and STATE passes."""
    run = target.run([schema(), state(4)])
    assert (run.code, run.last_state) == (0, 4)
    assert sim.requests() == []


def test_a_stream_may_have_any_name(make_target: Any, sim: Simulator) -> None:
    """Taps name streams as their tables are called: a slash is no folder."""
    name = "public/customers: all?"
    target = make_target(streams={name: {"fields": {"email": "email"}, "key": None}})
    sim.seed({"fields": seeded_fields()})
    row = {"type": "RECORD", "stream": name, "record": {"email": "a@example.com"}}
    bad = {"type": "RECORD", "stream": name, "record": {"email": "nobody"}}
    run = target.run([schema(name), row, bad])
    assert run.code == 0, run.stderr
    assert run.outcomes == {"applied": 1, "rejected": 1}
