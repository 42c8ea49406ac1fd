"""Whatever comes in: one clear line, the documented code, nothing lost, nothing personal said."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from edge_support import Authority, FaultServer, reply
from faults import canary, scene
from faults.support import Zygote
from simulators_support import Simulator
from target_support import Run, Target, record, schema, state

Build = Callable[..., Target]

BEFORE = [schema(), canary.person(1), canary.person(2), state(2)]
AFTER = [canary.person(3), state(3)]
PERSONAL = json.dumps(canary.person()).encode()


@pytest.fixture
def sim(simulator: Simulator) -> Simulator:
    simulator.reset()
    simulator.seed({"fields": scene.FIELDS, "api_keys": [canary.SECRET]})
    return simulator


@pytest.fixture
def target(sim: Simulator, target_at: Build) -> Target:
    return target_at(sim.url, create_fields=False, api_key=canary.SECRET)


def keyed(**properties: Any) -> dict[str, Any]:
    return {**schema(**properties), "key_properties": ["ctt_id"]}


def line_of(**message: Any) -> bytes:
    return json.dumps(message).encode() + b"\n"


#: Input that ends the run: what stands between BEFORE and AFTER, and words of the line.
FATAL: dict[str, tuple[bytes, str]] = {
    "no JSON": (b'{"type": "RECORD", "stream": "contacts", ' + PERSONAL[20:60] + b"\n", "no JSON"),
    "a line of text": (b"canarymail@example.com logged in\n", "no JSON"),
    "invalid UTF-8": (PERSONAL.replace(b"Canarygiven", b"Canary\xffgiven") + b"\n", "no UTF-8"),
    "UTF-16": (PERSONAL.decode().encode("utf-16"), "no UTF-8"),
    "NUL bytes": (b"\x00\x00\x00\n", "no JSON"),
    "a list": (b'["canarymail@example.com"]\n', "no Singer message"),
    "a number": (b"7310442\n", "no Singer message"),
    "no type": (b'{"stream": "contacts", "record": {}}\n', "no Singer message"),
    "an unknown type": (b'{"type": "canarymail", "stream": "contacts"}\n', "unknown message type"),
    "a BATCH": (line_of(type="BATCH", stream="contacts", encoding={}, manifest=[]), "BATCH"),
    "a RECORD without record": (line_of(type="RECORD", stream="contacts"), "without a record"),
    "a RECORD without stream": (line_of(type="RECORD", record={}), "without a stream"),
    "a record of an unknown stream": (
        line_of(type="RECORD", stream="canaryother", record={}), "before the SCHEMA",
    ),
    "a STATE without value": (line_of(type="STATE"), "without a value"),
    "a SCHEMA without properties": (
        line_of(type="SCHEMA", stream="contacts", schema={}, key_properties=[]),
        "without properties",
    ),
    "a SCHEMA that is none": (
        line_of(type="SCHEMA", stream="contacts", key_properties=[],
                schema=schema(x={"type": "canaryother"})["schema"]),
        "no valid JSON schema",
    ),
    "a record without its key property": (
        json.dumps(keyed()).encode() + b"\n" + line_of(
            type="RECORD", stream="contacts", record={"email": "canarymail@example.com"}
        ),
        "without its key column ctt_id",
    ),
    "nesting too deep": (
        b'{"type":"RECORD","stream":"contacts","record":{"ctt_id":9,"email":"c@example.com","x":'
        + b"[" * 200_000 + b"]" * 200_000 + b"}}\n",
        "nested too deeply",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FATAL)
def test_malformed_input_ends_with_6_and_delivers_what_came_before(
    zygote: Zygote, sim: Simulator, target: Target, what: str
) -> None:
    """Records before the bad line are delivered and their STATE is emitted, none after it."""
    bad, words = FATAL[what]
    run = zygote.run(target, [*BEFORE, bad, *AFTER], env={"LOGLEVEL": "DEBUG"})
    assert run.code == 6, run.stderr
    line = canary.last_line(run)
    assert words in line
    assert "line 5" in line or "line 6" in line
    assert [s["bookmarks"]["contacts"]["replication_key_value"] for s in run.states] == [2]
    assert set(sim.contacts()) == {f"canarymail{n}@example.com" for n in (1, 2)}
    assert run.report["exit_code"] == 6
    canary.assert_quiet(run, target)


def test_a_torn_last_line_is_no_record(zygote: Zygote, sim: Simulator, target: Target) -> None:
    """The tap died while writing: what was whole is delivered, exit 6, the rest comes again."""
    for cut in (1, 20, len(PERSONAL) - 1):
        run = zygote.run(target, [*BEFORE, PERSONAL[:cut]])
        assert run.code == 6, run.stderr
        assert "line 5" in canary.last_line(run)
        assert run.last_state == 2
        assert len(sim.contacts()) == 2
        canary.assert_quiet(run, target)


def test_a_whole_last_line_without_its_end_counts(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """Only the line feed is missing: the record is taken."""
    run = zygote.run(target, [*BEFORE, PERSONAL])
    assert run.code == 0, run.stderr
    assert len(sim.contacts()) == 3
    assert run.last_state == 2


@pytest.mark.parametrize("megabytes", [17, 40])
def test_a_gigantic_record_ends_with_6_in_flat_memory(
    zygote: Zygote, sim: Simulator, target: Target, megabytes: int
) -> None:
    """A line of 40 MB is named by number and size, not read into memory as a whole."""
    huge = PERSONAL.replace(b"Canarygiven", b"C" * megabytes * 1_000_000) + b"\n"
    run = zygote.run(target, [*BEFORE, huge, *AFTER])
    assert run.code == 6, run.stderr
    assert f"has {len(huge) - 1} bytes" in canary.last_line(run)
    assert run.last_state == 2
    assert len(sim.contacts()) == 2
    assert len(run.stderr) < 20_000
    canary.assert_quiet(run, target)


@pytest.mark.parametrize(
    "dressed",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\n", b"\n\n \t\n"),
        lambda data: b"\n\n" + data + b"\n\n",
    ],
    ids=["byte order mark", "CRLF", "blank lines", "blank ends"],
)
def test_other_line_ends_blank_lines_and_a_mark_do_not_matter(
    zygote: Zygote, sim: Simulator, target: Target, dressed: Callable[[bytes], bytes]
) -> None:
    """The same two contacts and the same STATE."""
    data = b"".join(json.dumps(message).encode() + b"\n" for message in BEFORE)
    run = zygote.run(target, [dressed(data)])
    assert run.code == 0, run.stderr
    assert (len(sim.contacts()), run.last_state) == (2, 2)


@pytest.mark.parametrize(
    "transcript",
    [[], [b"\n\n"], [schema()], [{"type": "STATE", "value": {}}],
     [schema(), {"type": "STATE", "value": {}}]],
    ids=["nothing", "blank lines", "a schema", "an empty state", "a stopped tap"],
)  # fmt: skip
def test_input_without_records_is_no_error_and_empties_no_state(
    zygote: Zygote, sim: Simulator, target: Target, transcript: list[Any]
) -> None:
    """A tap that was stopped writes STATE `{}` or nothing: no STATE comes out, nothing is sent."""
    run = zygote.run(target, transcript)
    assert (run.code, run.states) == (0, [])
    assert sim.requests(writes=True) == []


#: Values that make one reject each: record, cause.
POISON: dict[str, tuple[bytes, str]] = {
    "NaN": (PERSONAL.replace(b'"Canarygiven"', b"NaN"), "schema"),
    "Infinity": (PERSONAL.replace(b'"Canarygiven"', b"-Infinity"), "schema"),
    "a huge key": (PERSONAL.replace(b"7310442,", b"%d," % 2**70), ""),
    "a key of 5000 digits": (PERSONAL.replace(b"7310442,", b"7" * 5000 + b","), "fatal"),
    "a number beyond a double": (PERSONAL.replace(b"7310442,", b"1e999,"), "schema"),
    "half a surrogate pair": (PERSONAL.replace(b"Canarygiven", b"Canary\\ud800given"), "schema"),
    "half a pair in the address": (PERSONAL.replace(b"canarymail", b"canarymail\\udfff"), "schema"),
    "NUL in a name": (PERSONAL.replace(b"Canarygiven", b"Canary\\u0000"), "control_characters"),
    "bidi controls": (PERSONAL.replace(b"Canarygiven", b"\\u202eyranaC"), "control_characters"),
    "a text where a number belongs": (PERSONAL.replace(b"7310442,", b'"x7310442",'), "schema"),
    "a list for a name": (PERSONAL.replace(b'"Canarygiven"', b'["Canarygiven"]'), "schema"),
    "a very long name": (PERSONAL.replace(b"Canarygiven", b"C" * 300), "field_length"),
    "two addresses": (PERSONAL.replace(b"@example", b"@example.com, canaryother@x"),
                      "email_syntax"),
}  # fmt: skip


@pytest.mark.parametrize("what", POISON)
def test_one_bad_value_is_one_reject_and_says_nothing_personal(
    zygote: Zygote, sim: Simulator, target: Target, what: str
) -> None:
    """S0-10 S0-60: the others are delivered, the reject names column and cause, STATE goes on."""
    bad, cause = POISON[what]
    run = zygote.run(target, [*BEFORE, bad + b"\n", *AFTER], env={"LOGLEVEL": "DEBUG"})
    canary.assert_quiet(run, target)
    if cause == "fatal":
        assert (run.code, run.last_state) == (6, 2)
        return
    assert run.code == 0, run.stderr
    assert run.last_state == 3
    if cause:
        assert [reject["cause"] for reject in target.rejects] == [cause]
        assert len(sim.contacts()) == 3
    else:
        assert (run.outcomes, len(sim.contacts())) == ({"applied": 4}, 4)


def test_a_log_line_can_not_be_forged_by_a_stream_name(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """Line feeds and escapes in a stream's name come out escaped (E7)."""
    name = "x\nCRITICAL forged\x1b[2J"
    run = zygote.run(target, [{**schema(), "stream": name}])
    assert run.code == 2, run.stderr
    assert not any(line.startswith("CRITICAL") for line in run.stderr.splitlines())
    assert "\x1b" not in run.stderr


SCHEMAS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "the key column is missing": (
        {**schema(), "schema": {"type": "object", "properties": {"email": {"type": "string"}}}},
        {}, "no column ctt_id",
    ),
    "the address column is missing": (
        {**schema(), "schema": {"type": "object", "properties": {"ctt_id": {"type": "string"}}}},
        {}, "no column email",
    ),
    "the stream is not configured": ({**schema(), "stream": "invoices"}, {}, "not configured"),
}  # fmt: skip


@pytest.mark.parametrize("what", SCHEMAS)
def test_a_schema_that_does_not_fit_the_settings_ends_with_2(
    zygote: Zygote, sim: Simulator, target: Target, what: str
) -> None:
    """Nothing is written; the line names the stream and what to do."""
    message, settings, words = SCHEMAS[what]
    rows = [{**canary.person(1), "stream": message["stream"]}, state(1)]
    run = zygote.run(target, [message, *rows], **settings)
    assert (run.code, run.states) == (2, [])
    assert words in canary.last_line(run)
    assert sim.requests(writes=True) == []
    canary.assert_quiet(run, target)


def test_a_column_that_comes_and_one_that_goes_in_mid_stream_lose_nothing(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """A second SCHEMA with a new column is taken; one without the key ends the run with 2 and
    publishes no STATE, so that everything comes again.
    """
    grown = [*BEFORE, schema(remark={"type": "string"}), *AFTER]
    run = zygote.run(target, grown)
    assert (run.code, run.last_state) == (0, 3)
    gone = {**schema(), "schema": {"type": "object", "properties": {"email": {}}}}
    run = zygote.run(target, [*grown, gone, canary.person(4), state(4)])
    assert run.code == 2, run.stderr
    assert "no column ctt_id" in canary.last_line(run)
    assert len(sim.contacts()) == 3


def test_a_custom_field_that_is_not_there_ends_with_2_before_the_first_write(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """S0-14: without create_fields the run stops and names the field."""
    sim.event("delete_field", perstag="MOBIL")
    run = zygote.run(target, BEFORE)
    assert (run.code, run.states) == (2, [])
    assert "MOBIL" in canary.last_line(run)
    assert sim.requests(writes=True) == []
    canary.assert_quiet(run, target)


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_ends_with_3_and_is_not_printed(
    zygote: Zygote, sim: Simulator, target: Target, status: int
) -> None:
    """One call, one line, no key in it."""
    sim.switches(bad_token_status=status)
    sim.seed({"api_keys": ["another"]})
    run = zygote.run(target, BEFORE, env={"LOGLEVEL": "DEBUG"})
    assert (run.code, run.states) == (3, [])
    assert "the key is wrong" in canary.last_line(run)
    assert sim.summary()["total"] == 1
    canary.assert_quiet(run, target)


def test_a_host_that_refuses_or_does_not_exist_ends_with_7(zygote: Zygote, target: Target) -> None:
    """Refused port and unknown name: one clear line after bounded tries."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refuses
        run = zygote.run(target, BEFORE, api_url=f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert (run.code, run.states) == (7, [])
    assert "is api_url right?" in canary.last_line(run)
    canary.assert_quiet(run, target)
    run = zygote.run(target, BEFORE, api_url="https://nobody.invalid", allow_custom_host=True)
    assert (run.code, run.states) == (7, [])
    assert "is api_url right?" in canary.last_line(run)
    canary.assert_quiet(run, target)


@pytest.mark.parametrize("certificate", ["wrong-host", "expired", "unknown authority"])
def test_a_certificate_that_is_not_accepted_ends_with_7_at_once(
    zygote: Zygote, target: Target, authority: Authority, certificate: str
) -> None:
    """Nothing is sent, nothing is repeated."""
    bundle = None if certificate == "unknown authority" else str(authority.bundle)
    name = "good" if certificate == "unknown authority" else certificate
    with FaultServer([reply()], tls=authority.server(name)) as server:
        run = zygote.run(target, BEFORE, api_url=server.url, ca_bundle=bundle)
        assert server.requests == []
        assert server.connections == 1
    assert (run.code, run.states) == (7, [])
    assert "certificate is not accepted" in canary.last_line(run)
    canary.assert_quiet(run, target)


#: Settings that can't be: what, value, words.
SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "plain http to a foreign host": ({"api_url": "http://example.api-us1.com"}, "https://"),
    "a foreign host": ({"api_url": "https://collector.example.com"}, "allow_custom_host"),
    "a key in the address": ({"api_url": f"https://{canary.SECRET}@example.api-us1.com"}, "api_ur"),
    "no address": ({"api_url": ""}, "api_url"),
    "no key": ({"api_key": ""}, "api_key"),
    "a key that is a number": ({"api_key": 7310442}, "api_key"),
    "a key with a line feed": ({"api_key": f"{canary.SECRET}\nx"}, "secret"),
    "a rate that is a text": ({"requests_per_second": "canaryother"}, "requests_per_second"),
    "a rate of nothing": ({"requests_per_second": 0}, "requests_per_second"),
    "a negative budget": ({"max_errors": -1}, "max_errors"),
    "streams that are a list": ({"streams": ["canaryother"]}, "streams"),
    "a stream that is a text": ({"streams": {"contacts": "canaryother"}}, "streams"),
    "a stream without address": (
        {"streams": {"contacts": {"key": "ctt_id", "fields": {"firstName": "given_name"}}}},
        "'email'",
    ),
    "an unknown option of a stream": ({"streams": {"contacts": {"canary": 1}}}, "streams"),
    "a rule for nothing": (
        {"streams": {"contacts": {"fields": {"email": "email"}, "rules": {"phone": "never"}}}},
        "rules.phone",
    ),
    "a field kept by the vendor": (
        {"streams": {"contacts": {"fields": {"email": "email", "udate": "updated_at"}}}}, "udate",
    ),
    "a bundle that is not there": ({"ca_bundle": "nowhere.pem"}, "ca_bundle"),
    "a time that is a text": ({"timeout_seconds": "soon"}, "timeout_seconds"),
}  # fmt: skip


@pytest.mark.parametrize("what", SETTINGS)
def test_a_setting_that_can_not_be_ends_with_2_and_is_named_not_quoted(
    zygote: Zygote, sim: Simulator, target: Target, what: str
) -> None:
    """Before anything is read or sent."""
    settings, words = SETTINGS[what]
    run = zygote.run(target, BEFORE, env={"LOGLEVEL": "DEBUG"}, **settings)
    assert (run.code, run.states) == (2, []), run.stderr
    assert words in canary.last_line(run)
    assert sim.requests() == []
    canary.assert_quiet(run, target)


def test_a_configuration_file_that_is_none_is_named_by_place(
    sim: Simulator, target: Target, tmp_path: Path
) -> None:
    """Half a JSON file: line and column, not the key that stands in it."""
    command = target.command()
    path = Path(command[-1])
    path.write_text(path.read_text()[:-1])
    broken = Broken(target.home, target.config["api_url"], command)
    run = broken.run(BEFORE)
    assert (run.code, run.states) == (2, [])
    assert "no JSON at line 1" in canary.last_line(run)
    assert canary.SECRET not in run.stderr


class Broken(Target):
    """A target whose configuration file stays as it is."""

    def __init__(self, home: Path, url: str, command: list[str]) -> None:
        super().__init__(home, url)
        self._command = command

    def command(self, **more: Any) -> list[str]:
        return self._command


@pytest.mark.parametrize("level", ["LOGLEVEL", "TARGET_ACTIVECAMPAIGN_LOGLEVEL"])
def test_a_process_at_debug_level_from_its_start_says_nothing_personal(
    sim: Simulator, target: Target, level: str
) -> None:
    """E3 E5: the real console script with the root level at DEBUG, good and bad records alike."""
    bad = canary.person(2, given_name=["Canarygiven"])
    worse = canary.person(3)
    worse["record"]["email"] = "no canarymail"
    rows = [canary.person(1), bad, worse]
    data = b"".join(json.dumps(m).encode() + b"\n" for m in [schema(), *rows])
    run: Run = target.run_bytes(data + PERSONAL[:50], env={level: "DEBUG"})
    assert run.code == 6, run.stderr
    canary.last_line(run)
    canary.assert_quiet(run, target)


def test_a_record_of_an_ignored_stream_is_neither_sent_nor_kept(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """`on_unknown_stream: ignore`: the others are delivered."""
    other = [{**schema(), "stream": "canaries"}, {**canary.person(9), "stream": "canaries"}]
    run = zygote.run(target, [*BEFORE, *other, state(9)], on_unknown_stream="ignore")
    assert (run.code, run.last_state) == (0, 9)
    assert len(sim.contacts()) == 2
    canary.assert_quiet(run, target)


def test_a_record_without_address_or_key_is_named(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """S0-7: an empty record is skipped by name, not an exception."""
    empty = record(None)
    empty["record"] = {}
    run = zygote.run(target, [*BEFORE, empty, state(3)])
    assert (run.code, run.last_state) == (0, 3)
    assert run.causes.get("no_email") == 1
