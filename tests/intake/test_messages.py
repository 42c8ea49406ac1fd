"""What comes in on stdin, and how the run ends: real processes."""

from __future__ import annotations

import json
import re

import pytest
from intake.intake_support import CANARY, Example, contacts, message, record, schema, state


def notes(example: Example) -> list[str]:
    return (example.folder / "notes.txt").read_text().splitlines()


def test_records_are_applied_and_the_newest_state_goes_out(example: Example) -> None:
    """Exit 0; STATEs are emitted as the records before them are durable, oldest first (STATE)."""
    data = contacts(2) + state(bookmarks={"c": 2}) + record(3) + state(bookmarks={"c": 3})
    run = example.run(data)
    assert (run.code, [row["id"] for row in run.applied]) == (0, [1, 2, 3])
    assert run.states[-1] == {"bookmarks": {"c": 3}}
    assert not run.failures
    assert CANARY not in run.stderr + run.stdout


def test_a_state_never_overtakes_a_record(example: Example) -> None:
    """With one record at a time every STATE follows the records before it and no later one."""
    example.config["batch"] = 1
    data = schema() + b"".join(record(n) + state(n=n) for n in range(1, 6))
    run = example.run(data)
    assert run.states == [{"n": n} for n in range(1, 6)]


def test_an_empty_state_is_never_emitted(example: Example) -> None:
    """`{}` would reset every bookmark (a killed SDK tap sends it)."""
    run = example.run(contacts(1) + state(a=1) + state())
    assert run.states == [{"a": 1}]


def test_a_state_is_passed_on_as_it_came(example: Example) -> None:
    """Numbers and letters of the tap's STATE are not rewritten."""
    value = '{"v": 1.10, "n": 12345678901234567890, "t": "ü"}'
    run = example.run(contacts(1) + f'{{"type": "STATE", "value": {value}}}\n'.encode())
    assert run.stdout == value + "\n"


SCHEMA_LINE = schema()
GOOD = SCHEMA_LINE + record(1) + state(n=1)
BAD_LINES = {
    "no JSON": (b'{"type": "RECORD", "stream"; "%s"}\n', "line 4 .* is no JSON at its character"),
    "no UTF-8": (b'{"type": "RECORD", "stream": "contacts", "record": {"id": "\xff%s"}}\n',
"line 4 .* is no UTF-8 at its byte"),
    "NUL": (b'\x00{"a": "%s"}\n', "line 4 .* is no JSON"),
    "nested too deeply": (b"[" * 100_000 + b"]" * 100_000 + b"\n", "line 4 .*nested too deeply"),
    "record nested too deeply": (
        b'{"type": "RECORD", "stream": "contacts", "record": {"id": 2, "x": '
        + b"[" * 100_000 + b"]" * 100_000 + b"}}\n", "line 4 .*nested too deeply"),
    "5000 digits": (b'{"type": "RECORD", "stream": "contacts", "record": {"id": '
                    + b"1" * 5000 + b"}}\n", "line 4 .*too many digits"),
    "no object": (b'"%s"\n', "line 4 .*no Singer message"),
    "no type": (b'{"stream": "%s"}\n', "line 4 .*no Singer message"),
    "unknown type": (message("MESSAGE", text=CANARY), "line 4 .*unknown message type"),
    "batch": (message("BATCH", stream="contacts", manifest=[CANARY]), "line 4 .*BATCH"),
    "no schema yet": (record(2, stream="other"), "line 4 .*before the SCHEMA"),
    "no stream": (message("RECORD", record={"id": 2, "email": CANARY}), "line 4 .*without a str"),
    "stream is a number": (message("RECORD", stream=5, record={"id": 2}), "line 4 .*without a st"),
    "no record": (message("RECORD", stream="contacts"), "line 4 .*without a record"),
    "record is a list": (message("RECORD", stream="contacts", record=[CANARY]), "line 4 .*RECORD"),
    "no key": (message("RECORD", stream="contacts", record={"email": CANARY}),
               "line 4 .*contacts without its key column id"),
    "state without value": (message("STATE"), "line 4 .*STATE without a value"),
    "NaN in a state": (b'{"type": "STATE", "value": {"a": NaN}}\n', "line 4 .*no Singer message"),
    "schema without properties": (message("SCHEMA", stream="x", schema={"type": "object"}),
                                  "line 4 .*SCHEMA without properties"),
    "invalid schema": (schema("x", {"properties": {"c": {"type": "objekt"}}}),
                       "line 4 .*SCHEMA of x: no valid JSON schema at properties/c/type"),
    "bad key_properties": (message("SCHEMA", stream="x", schema={"properties": {}},
                                   key_properties="id"), "line 4 .*key_properties"),
    "torn": (b'{"type": "RECORD", "stream": "contacts", "rec', "line 4 .*is cut"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_LINES)
def test_bad_input_ends_with_one_line_and_exit_6(example: Example, kind: str) -> None:
    """What came before it is applied and acknowledged, nothing personal is printed (X7)."""
    line, text = BAD_LINES[kind]
    data = GOOD + line.replace(b"%s", CANARY.encode())
    if kind != "torn":
        data += record(9) + state(n=9)
    run = example.run(data)
    assert run.code == 6, run.stderr
    assert len(run.failures) == 1
    assert re.search(text, run.failures[0]), run.failures
    assert [row["id"] for row in run.applied] == [1]
    assert run.states == [{"n": 1}]
    assert CANARY not in run.stderr + run.stdout
    assert "Traceback" not in run.stderr


def test_a_40_mb_record_is_refused_by_size(example: Example) -> None:
    """The limit is named with the line, its size and the setting; the rest is applied."""
    run = example.run(GOOD + record(2, note="x" * 40_000_000))
    assert run.code == 6
    assert len(run.failures) == 1
    assert "line 4 of the input (byte offset" in run.failures[0]
    assert "has 40000108 bytes" in run.failures[0]
    assert "max_line_bytes allows 16777216" in run.failures[0]
    assert [row["id"] for row in run.applied] == [1]


def test_max_line_bytes_is_a_setting(example: Example) -> None:
    """A larger record passes when it is allowed."""
    example.config["max_line_bytes"] = 50_000_000
    run = example.run(GOOD + record(2, note="x" * 20_000_000))
    assert (run.code, [row["id"] for row in run.applied]) == (0, [1, 2])


def test_blank_lines_crlf_a_mark_and_a_missing_line_feed_are_no_faults(example: Example) -> None:
    """Files written by hand or on Windows pass; line numbers still count blank lines."""
    data = b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n\r\n  \n") + record(2).rstrip()
    run = example.run(data)
    assert (run.code, [row["id"] for row in run.applied]) == (0, [1, 2])
    run = example.run(b"\n\n" + GOOD + b"{\n")
    assert "line 6 of the input" in run.failures[0]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (b"NaN", "$.email: no finite number"),
        (b"-Infinity", "$.email: no finite number"),
        (b"1e999", "$.email: no finite number"),
        (rb'"\ud83d"', "$.email: half a surrogate pair"),
        (rb'["ok", "\udcff"]', "$.email[1]: half a surrogate pair"),
        (b"5", "$.email: type"),
    ],
)
def test_a_bad_value_rejects_its_record_only(example: Example, value: bytes, fault: str) -> None:
    """Python's JSON lets NaN and broken Unicode through; here they are a named fault."""
    odd = b'{"type": "RECORD", "stream": "contacts", "record": {"id": 2, "email": %s}}\n' % value
    run = example.run(GOOD + odd + record(3))
    assert (run.code, [row["id"] for row in run.applied]) == (0, [1, 3])
    assert f"reject line 4 {fault}" in notes(example)


def test_a_number_out_of_range_hides_in_no_column(example: Example) -> None:
    """A column that no schema knows is decoded as well."""
    odd = b'{"type": "RECORD", "stream": "contacts", "record": {"id": 2, "more": 1e999}}\n'
    run = example.run(GOOD + odd)
    assert [row["id"] for row in run.applied] == [1]
    assert "reject line 4 $.*: no finite number" in notes(example)


def test_repeated_keys_and_large_integers_have_one_meaning(example: Example) -> None:
    """The last of two equal keys counts, an integer beyond 64 bits keeps every digit."""
    line = b'{"type": "RECORD", "stream": "contacts", "record": {"id": 5, "id": %d}}\n' % 2**70
    run = example.run(GOOD + line)
    assert [row["id"] for row in run.applied] == [1, 2**70]


def test_validation_can_be_turned_off(example: Example) -> None:
    """`validate_records: false` spools what does not match; key columns are still needed."""
    example.config["validate_records"] = False
    run = example.run(GOOD + record(2, email=5))
    assert [row["email"] for row in run.applied] == [CANARY, 5]
    run = example.run(GOOD + message("RECORD", stream="contacts", record={}))
    assert run.code == 6


def test_a_new_schema_counts_from_its_line_on(example: Example) -> None:
    """Records before it keep their verdict; the target is asked again about the stream."""
    wider = {"properties": {"id": {"type": "integer"}, "email": {"type": "integer"}}}
    data = GOOD + schema() + record(2) + schema(body=wider) + record(3, email=5) + record(4)
    run = example.run(data)
    assert [row["id"] for row in run.applied] == [1, 2, 3]
    assert notes(example).count("schema contacts id,email") == 2
    assert "reject line 8 $.email: type" in notes(example)


def test_unwanted_streams_are_dropped_and_forbidden_ones_end_the_run(example: Example) -> None:
    """`check_stream` decides before any record of the stream is spooled."""
    data = GOOD + schema("ignored") + record(7, stream="ignored") + record(2)
    assert [row["id"] for row in example.run(data).applied] == [1, 2]
    run = example.run(GOOD + schema("forbidden") + record(7, stream="forbidden"))
    assert (run.code, run.failures) == (
        2, ["target-example: stream forbidden is not configured"],
    )  # fmt: skip
    assert run.stdout == ""


def test_activate_version_is_ignored(example: Example) -> None:
    """It says nothing about completeness (SDK taps send it at the beginning)."""
    run = example.run(GOOD + message("ACTIVATE_VERSION", stream="contacts", version=1) + record(2))
    assert [row["id"] for row in run.applied] == [1, 2]


MARK = state(bookmarks={}, sync_complete={"version": 1})


@pytest.mark.parametrize(
    ("tail", "marker"),
    [
        (MARK, True),
        (MARK + schema(), True),
        (MARK + record(2), False),
        (MARK + record(2) + record(3), False),
        (MARK + record(2) + MARK, True),
        (MARK + state(bookmarks={}), False),
        (MARK + b"{", False),
        (b"", False),
    ],
)
def test_the_marker_holds_only_for_a_whole_input(
    example: Example, tail: bytes, marker: bool
) -> None:
    """`sync_complete` of the last STATE, unless a record or a fault followed."""
    example.run(GOOD + record(1) + tail)
    wanted = "{'version': 1}" if marker else "None"
    assert any(line.startswith(f"consume marker={wanted} ") for line in notes(example))


def test_meltanos_test_stream_is_a_connection_check(example: Example) -> None:
    """No record of it is spooled, nothing is consumed, no word of an error is printed."""
    stream = "meltano_test_stream"
    run = example.run(schema(stream) + record(1, stream=stream) + state(x=1))
    assert (run.code, run.stdout, run.applied, notes(example)) == (0, "", [], ["ping"])
    assert "error" not in run.stderr.lower()


def test_stream_maps_are_honoured(example: Example) -> None:
    """Alias, filter, new and removed columns, key columns; other streams by `__else__`."""
    example.config["stream_maps"] = {
        "contacts": {
            "__alias__": "people",
            "__filter__": "id != 2",
            "__key_properties__": ["nr"],
            "nr": "int(id) * 10",
            "id": None,
            "email": "email",
        },
        "__else__": None,
    }
    data = schema() + b"".join(record(n, x=1.10) for n in (1, 2, 3))
    data += schema("other") + record(5, stream="other")
    run = example.run(data)
    assert run.code == 0, run.stderr
    assert run.applied == [{"email": CANARY, "x": 1.1, "nr": n} for n in (10, 30)]
    assert notes(example)[0] == "schema people email,nr"


def test_flattening_is_honoured(example: Example) -> None:
    """The SDK's flattening changes schema and records."""
    example.config.update(flattening_enabled=True, flattening_max_depth=1)
    nested = {"properties": {"id": {"type": "integer"}, "a": {
        "type": "object", "properties": {"b": {"type": "string"}}}}}  # fmt: skip
    line = message("RECORD", stream="contacts", record={"id": 1, "a": {"b": "x"}})
    run = example.run(schema(body=nested) + line)
    assert run.applied == [{"id": 1, "a__b": "x"}]


def test_a_failing_stream_map_is_a_configuration_error(example: Example) -> None:
    """Stream and line are named, not the record."""
    example.config["stream_maps"] = {"contacts": {"x": "email + 1"}}
    run = example.run(GOOD)
    assert (run.code, len(run.failures)) == (2, 1)
    assert "stream_maps: the map of stream contacts fails at line 2" in run.failures[0]
    assert CANARY not in run.stderr


def test_deleted_at_stays_in_the_record(example: Example) -> None:
    """The SDK's targets strip it; here a delete is a fact in the record."""
    run = example.run(schema() + record(1, _sdc_deleted_at="2026-01-01T00:00:00Z"))
    assert run.applied[0]["_sdc_deleted_at"] == "2026-01-01T00:00:00Z"


def test_interleaved_streams_keep_their_records(example: Example) -> None:
    """Every record of every stream, in its order."""
    data = schema("a") + schema("b")
    data += b"".join(record(n, stream="ab"[n % 3 == 0]) + state(n=n) for n in range(3000))
    run = example.run(data)
    ids = [row["id"] for row in run.applied]
    assert ids == list(range(0, 3000, 3)) + [n for n in range(3000) if n % 3]
    assert run.states == [{"n": 2999}]


def test_every_record_of_a_large_input_arrives(example: Example) -> None:
    """Blocks, runs and flushes lose nothing (40,000 records, several megabytes)."""
    run = example.run(contacts(40_000) + state(n=1))
    assert [row["id"] for row in run.applied] == list(range(1, 40_001))
    assert run.states == [{"n": 1}]


def test_input_can_come_from_a_file(example: Example) -> None:
    """`--input FILE` reads bytes as stdin does."""
    source = example.folder / "in.singer"
    source.write_bytes(contacts(3))
    example.config_file.write_text(json.dumps(example.config))
    run = example.run(b"", "--config", str(example.config_file), "--input", str(source))
    assert (run.code, len(run.applied)) == (0, 3)
