"""Keys and persons stay out of logs, errors and foreign hands, whatever goes wrong."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from edge_support import (
    PERSON,
    SECRET,
    Action,
    Authority,
    FaultServer,
    api_for,
    hang_up,
    reply,
    reset,
    silence,
)
from target_kit.http import JsonApi, Safety
from target_kit.redact import SafeFormatter, guard_logs, quiet_http_loggers

ECHO = f'{{"message":"{PERSON} {SECRET}"}}'.encode()

FAULTS: dict[str, Action] = {
    "200": reply(),
    "422 with an echo": reply(422, ECHO),
    "403 with an echo": reply(403, ECHO),
    "500 with an echo": reply(500, ECHO),
    "429": reply(429, ECHO, headers=("Retry-After: 9999",)),
    "page with an echo": reply(200, b"<html>" + ECHO, content_type="text/html"),
    "redirect with an echo": reply(302, b"", headers=(f"Location: https://{PERSON}/{SECRET}",)),
    "cut json": reply(200, ECHO[:-1], length=None),
    "cut body": reply(200, ECHO, length=999),
    "broken headers": reply(200, b"{}", headers=(f"Bad header {PERSON}", ": x")),
    "broken gzip": reply(200, ECHO, headers=("Content-Encoding: gzip",)),
    "lying length": reply(200, ECHO, headers=("Content-Length: x",)),
    "reset": reset,
    "hang up": hang_up,
    "silence": silence,
}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything logged, with the root at DEBUG and the libraries' own loggers set to DEBUG too."""
    names = (None, "urllib3", "urllib3.connection", "urllib3.connectionpool", "requests")
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    loggers[0].addHandler(handler)
    try:
        quiet_http_loggers()
        for logger in loggers:
            logger.setLevel(logging.DEBUG)
        yield stream
    finally:
        loggers[0].removeHandler(handler)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def provoke(api: JsonApi, safety: Safety) -> str:
    """Call with a secret and a person in everything; all text of the error, causes included."""
    try:
        api.call(
            "POST",
            "things",
            route="POST things",
            params=[("email", PERSON)],
            json={"email": PERSON},
            safety=safety,
        )
    except Exception as error:  # noqa: BLE001 - whatever comes is searched
        chain: list[BaseException] = []
        one: BaseException | None = error
        while one is not None:
            chain.append(one)
            one = one.__cause__ or one.__context__
        told = "".join(traceback.format_exception(error))
        return told + "".join(f"{link!s} {link!r}" for link in chain)
    return ""


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("safety", [Safety.CONVERGENT, Safety.UNSAFE])
def test_no_fault_prints_a_key_or_a_person(log: io.StringIO, fault: str, safety: Safety) -> None:
    """E2, E3: at DEBUG, in messages, tracebacks and every exception behind them."""
    with (
        FaultServer([FAULTS[fault]]) as server,
        api_for(server.url, timeout_seconds=0.2, max_tries=2) as api,
    ):
        told = provoke(api, safety)
        logging.getLogger("probe").debug("the log is on")
        assert server.requests
    assert bool(told) == (fault != "200")
    seen = told + log.getvalue()
    assert "the log is on" in seen
    assert SECRET not in seen
    assert PERSON not in seen
    assert "canary" not in seen.lower()


def test_no_connection_failure_prints_a_key_or_a_person(
    log: io.StringIO, authority: Authority
) -> None:
    """E2, E3: refused, unknown host, bad certificate."""
    told = []
    with FaultServer([reply()], tls=authority.server("expired")) as server:
        dead = "http://127.0.0.1:1"
        for url in (dead, "http://nowhere.invalid", server.url):
            with api_for(url, max_tries=2) as api:
                told.append(provoke(api, Safety.UNSAFE))
    assert all(told)
    assert "canary" not in ("".join(told) + log.getvalue()).lower()


def test_a_later_logging_config_does_not_undo_the_cap(log: io.StringIO) -> None:
    """E5: setting the libraries' loggers to DEBUG after the start shows nothing either."""
    with FaultServer([reply()]) as server, api_for(server.url) as api:
        logging.getLogger("urllib3").setLevel(logging.DEBUG)
        logging.getLogger("urllib3.connectionpool").setLevel(logging.DEBUG)
        assert provoke(api, Safety.UNSAFE) == ""
    assert log.getvalue() == ""


def test_the_libraries_would_have_printed_the_person(log: io.StringIO) -> None:
    """The canary works: without our cap urllib3 prints the address."""
    quiet = logging.getLogger("urllib3.connectionpool")
    filters = list(quiet.filters)
    with FaultServer([reply()]) as server, api_for(server.url) as api:
        for one in filters:
            quiet.removeFilter(one)
        quiet.setLevel(logging.DEBUG)
        try:
            provoke(api, Safety.UNSAFE)
        finally:
            quiet_http_loggers()
    assert "canary.person" in log.getvalue()


CHILD = """
import sys
from edge_support import api_for
from target_kit.http import Safety
with api_for(sys.argv[1]) as api:
    print(api.call("GET", "x", route="GET x", safety=Safety.SAFE).status)
"""


def test_netrc_and_proxy_settings_of_the_host_are_ignored(tmp_path: Path) -> None:
    """E15: neither may add a login to our calls or lead them elsewhere."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login canary password canary\n", encoding="ascii")
    netrc.chmod(0o600)
    with FaultServer([reply()]) as proxy, FaultServer([reply()]) as server:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, server.url],
            env={
                **os.environ,
                "HOME": str(tmp_path),
                "NETRC": str(netrc),
                "HTTP_PROXY": proxy.url,
                "http_proxy": proxy.url,
                "ALL_PROXY": proxy.url,
                "NO_PROXY": "",
                "no_proxy": "",
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            },
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.stdout.strip() == "200", done.stderr
        assert "authorization" not in server.requests[0].headers
        assert proxy.connections == 0


FORGED = "x\nCRITICAL forged\r\x1b[2K\u202egnp.exe\u2028\x85\udcff\x00"


def test_a_value_cannot_forge_a_line_of_the_log() -> None:
    """E7: with `guard_logs` any formatter writes one line, control characters escaped."""
    factory = logging.getLogRecordFactory()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("forger")
    logger.addHandler(handler)
    try:
        guard_logs()
        logger.warning("value %s", FORGED)
        logger.warning(FORGED)
        logger.warning("%d %d", PERSON, 2)
    finally:
        logger.removeHandler(handler)
        logging.setLogRecordFactory(factory)
    lines = stream.getvalue().splitlines()
    assert lines[0] == (r"value x\nCRITICAL forged\r\x1b[2K\u202egnp.exe\u2028\x85\udcff\x00")
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)
    assert PERSON not in lines[2]


def fail() -> None:
    raise ValueError(FORGED)


def test_a_trace_cannot_forge_a_line_of_the_log() -> None:
    """E7: lines of an exception begin with a bar, also when another formatter came first."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(SafeFormatter("%(levelname)s %(message)s"))
    first = logging.StreamHandler(io.StringIO())
    logger = logging.getLogger("tracer")
    logger.addHandler(first)
    logger.addHandler(handler)
    try:
        try:
            fail()
        except ValueError:
            logger.exception("went\nwrong", stack_info=True)
    finally:
        logger.removeHandler(handler)
        logger.removeHandler(first)
    head, *rest = stream.getvalue().splitlines()
    assert head == r"ERROR went\nwrong"
    assert len(rest) > 4
    assert all(line.startswith("  | ") and line.isprintable() for line in rest)
    assert any("CRITICAL forged" in line for line in rest)
