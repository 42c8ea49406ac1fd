"""What the vendor says to a call, and what comes of it."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib

import pytest
from edge_support import FaultServer, api_for, reply
from fake_clock import FakeClock
from target_kit.errors import (
    CallFailed,
    CallRefused,
    ConfigurationError,
    CredentialsError,
    OutcomeUnknown,
    RowError,
    StopRun,
    VendorUnavailable,
)
from target_kit.http import Answer, JsonApi, Safety
from target_kit.retry import Verdict, classify_by_status

PAGE = reply(200, b"<!doctype html><h1>Back soon</h1>", content_type="text/html")


def get(api: JsonApi) -> Answer:
    return api.call("GET", "things/7", route="GET things/{id}", safety=Safety.SAFE)


def create(api: JsonApi, safety: Safety = Safety.UNSAFE) -> Answer:
    return api.call("POST", "things", route="POST things", json={"a": 1}, safety=safety)


def test_a_call_carries_key_agent_parameters_and_json() -> None:
    """What goes over the wire is what was asked for, under the base URL's own path."""
    with FaultServer([reply(201, b'{"id":"1"}')]) as server:
        with api_for(f"{server.url}/vendor/") as api:
            answer = api.call(
                "POST",
                "/api/3/things",
                route="POST things",
                params=[("orders[id]", "ASC"), ("email", "jörg+a@example.com")],
                json={"name": "Jörg"},
                safety=Safety.UNSAFE,
            )
        sent = server.requests[0]
    assert (answer.status, answer.body) == (201, {"id": "1"})
    assert sent.path == (
        "/vendor/api/3/things?orders%5Bid%5D=ASC&email=j%C3%B6rg%2Ba%40example.com"
    )
    assert json.loads(sent.body) == {"name": "Jörg"}
    assert sent.headers["api-token"] == "canary-secret-5f1c"
    assert sent.headers["user-agent"] == "edge-tests"
    assert sent.headers["content-type"] == "application/json"


def test_cookies_are_not_sent_back() -> None:
    """A vendor's session cookie must not tie our calls together."""
    with FaultServer([reply(headers=("Set-Cookie: PHPSESSID=1; Path=/",))]) as server:
        with api_for(server.url) as api:
            get(api)
            get(api)
        assert "cookie" not in server.requests[1].headers


@pytest.mark.parametrize(
    ("action", "body"),
    [
        (reply(200, b""), None),
        (reply(204, b"", length=None, close=True), None),
        (reply(200, b'\xef\xbb\xbf{"a":1}'), {"a": 1}),
        (reply(200, b'{"a":1}', content_type="text/html; charset=UTF-8"), {"a": 1}),
        (reply(200, b"[]", content_type=None), []),
        (reply(200, b"true"), True),
        (reply(200, gzip.compress(b'{"a":1}'), headers=("Content-Encoding: gzip",)), {"a": 1}),
    ],
    ids=["empty", "204", "byte order mark", "text/html", "no type", "bare true", "gzip"],
)
def test_json_is_read_whatever_it_is_called(action: object, body: object) -> None:
    """The content type is a hint, the body decides."""
    with FaultServer([action]) as server, api_for(server.url) as api:
        assert get(api).body == body


@pytest.mark.parametrize(
    "action",
    [
        PAGE,
        reply(200, b"<html>", content_type="application/json"),
        reply(200, b"Back soon", content_type="text/html"),
        reply(200, b"  <p>", content_type="text/html", length=None),
        reply(200, b"7", content_type="text/plain"),
        reply(404, b"<h1>nginx</h1>", content_type="text/html"),
        reply(422, b"<h1>nginx</h1>", content_type="text/html"),
    ],
)
@pytest.mark.parametrize("safety", list(Safety))
def test_a_web_page_stops_the_run_at_once(action: object, safety: Safety) -> None:
    """S0-61: a page instead of JSON is the whole system's error, never a row's, never success."""
    with FaultServer([action]) as server, api_for(server.url) as api:
        with pytest.raises(VendorUnavailable, match="web page"):
            create(api, safety)
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_refused_key_stops_the_run_without_a_second_try(status: int) -> None:
    """S0-61: D.4 row 16, no retry storm on a revoked key."""
    with FaultServer([reply(status, b'{"message":"Forbidden"}')]) as server:
        with api_for(server.url) as api, pytest.raises(CredentialsError) as caught:
            get(api)
        assert caught.value.code == 3
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"message": "No Result found for FieldValue with id 42"},
        {"errors": [{"status": 403, "title": "Not Found"}]},
        {"errors": "No result found for contact with id 1"},
    ],
)
def test_a_403_that_says_not_found_is_a_refused_call(body: object) -> None:
    """Some endpoints answer 403 for a missing id; the key is fine."""
    with (
        FaultServer([reply(403, json.dumps(body).encode())]) as server,
        api_for(server.url) as api,
        pytest.raises(CallRefused) as caught,
    ):
        get(api)
    assert (caught.value.status, caught.value.body) == (403, body)


@pytest.mark.parametrize("status", [400, 404, 405, 409, 422])
@pytest.mark.parametrize("body", [b'{"errors":"x"}', b"", b"not json"])
def test_other_refusals_belong_to_the_caller(status: int, body: bytes) -> None:
    """4xx says the vendor did not do it: one call, with the body for the caller to read."""
    with FaultServer([reply(status, body, content_type="application/json")]) as server:
        with api_for(server.url) as api, pytest.raises(CallRefused) as caught:
            create(api)
        assert len(server.requests) == 1
    assert caught.value.body == ({"errors": "x"} if b"errors" in body else None)
    assert str(caught.value) == f"POST things was refused with status {status}"


def test_a_vendor_may_have_its_own_meaning_of_statuses() -> None:
    """`classify` turns a 403 into a refusal and a 200 with an error into one too."""

    def classify(status: int, body: object) -> Verdict:
        if status == 403 or (isinstance(body, dict) and body.get("result_code") == 0):
            return "refused"
        return classify_by_status(status, body)

    actions = [reply(403, b"{}"), reply(200, b'{"result_code":0}'), reply(200, b"{}")]
    with FaultServer(actions) as server, api_for(server.url, classify=classify) as api:
        for _ in range(2):
            with pytest.raises(CallRefused):
                get(api)
        assert get(api).status == 200


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 522, 524, 599])
def test_trouble_is_repeated_for_safe_calls_and_unknown_for_creates(status: int) -> None:
    """S0-44: a 5xx may come after the write (D.4 rows 4 and 5)."""
    with FaultServer([reply(status, b"<h1>x</h1>"), reply()]) as server:
        with api_for(server.url) as api:
            assert get(api).status == 200
        assert len(server.requests) == 2
    with FaultServer([reply(status, b""), reply()]) as server:
        with api_for(server.url) as api, pytest.raises(OutcomeUnknown):
            create(api)
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 425, 521, 523, 525, 526])
def test_a_create_that_never_reached_the_vendor_is_repeated(status: int) -> None:
    """These statuses say that the request was not processed."""
    with FaultServer([reply(status, b""), reply(201)]) as server:
        with api_for(server.url) as api:
            assert create(api).status == 201
        assert len(server.requests) == 2
    with FaultServer([reply(status, b"")]) as server, api_for(server.url, max_tries=2) as api:
        with pytest.raises(CallFailed):
            create(api)
        assert len(server.requests) == 2


def test_one_try_that_may_have_worked_makes_the_write_unknown() -> None:
    """A last answer "not applied" says nothing about the tries before."""
    with FaultServer([reply(502, b""), reply(521, b"")]) as server:
        with api_for(server.url, max_tries=2) as api, pytest.raises(OutcomeUnknown):
            create(api, Safety.CONVERGENT)
        assert len(server.requests) == 2


def test_a_cut_refusal_is_asked_for_again_even_for_a_create() -> None:
    """A 4xx was not applied, and its text decides whether the key or the row is wrong."""
    cut = reply(403, b'{"message":"No Res', length=100)
    whole = reply(403, b'{"message":"No Result found"}')
    with FaultServer([cut, whole]) as server, api_for(server.url) as api:
        with pytest.raises(CallRefused):
            create(api)
        assert len(server.requests) == 2


def test_constant_503_ends_the_run_with_a_bounded_number_of_calls() -> None:
    """D.4 row 51: one layer of retries; after three failed calls the vendor is down."""
    with FaultServer([reply(503, b"")]) as server, api_for(server.url) as api:
        for _ in range(2):
            with pytest.raises(CallFailed):
                get(api)
        with pytest.raises(VendorUnavailable, match="3 calls in a row"):
            get(api)
        assert len(server.requests) == 3 * 5
        assert api.calls["GET things/{id}"] == 15


def test_single_poisoned_calls_do_not_stop_the_run() -> None:
    """Failures with good answers in between are rows' problems (S0-55)."""
    down, up = reply(500, b""), reply()
    with FaultServer([down, down, up] * 10) as server, api_for(server.url, max_tries=2) as api:
        for _ in range(10):
            with pytest.raises(CallFailed):
                get(api)
            assert get(api).status == 200
        assert len(server.requests) == 30


def test_waits_grow_are_capped_and_jittered() -> None:
    """Back-off: full jitter under 1, 2, 4 ... 30 seconds."""
    clock = FakeClock()
    with (
        FaultServer([reply(500, b"")]) as server,
        api_for(server.url, clock, max_tries=12) as api,
        pytest.raises(CallFailed),
    ):
        get(api)
    waited = clock.monotonic()
    assert 15 < waited < 1 + 2 + 4 + 8 + 16 + 6 * 30 + 1
    assert len(set(clock.slept)) > 5


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_the_key_stays(status: int) -> None:
    """D.4 row 18: neither key nor body reach the other host."""
    with FaultServer([reply()]) as other:
        away = reply(status, b"", headers=(f"Location: {other.url}/things",))
        with FaultServer([away, reply(), away]) as server, api_for(server.url) as api:
            with pytest.raises(ConfigurationError, match=r"redirect to 127\.0\.0\.1.*api_url"):
                create(api)
            get(api)
            with pytest.raises(VendorUnavailable, match="redirect"):
                create(api)
        assert other.connections == 0


@pytest.mark.parametrize("target", ["", "//[", "https://x\\y", "javascript:alert(1)", "/login"])
def test_a_redirect_to_nowhere_is_refused_as_well(target: str) -> None:
    """An odd Location changes nothing and is not printed."""
    with (
        FaultServer([reply(302, b"", headers=(f"Location: {target}",))]) as server,
        api_for(server.url) as api,
        pytest.raises(ConfigurationError) as caught,
    ):
        get(api)
    assert "a redirect; redirects are not followed" in str(caught.value)


def test_a_gzip_bomb_is_stopped_at_the_cap() -> None:
    """D.4 row 50: the cap is on decoded bytes, memory stays near it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([packer.compress(b" " * 1_000_000) for _ in range(100)] + [packer.flush()])
    assert len(bomb) < 200_000
    action = reply(200, bomb, headers=("Content-Encoding: gzip",))
    with FaultServer([action]) as server:
        with api_for(server.url, max_response_bytes=1_000_000) as api:
            tracemalloc.start()
            try:
                with pytest.raises(VendorUnavailable, match="too large"):
                    get(api)
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
        assert len(server.requests) == 1
    assert peak < 6_000_000


def test_a_body_at_the_cap_is_read() -> None:
    """The cap itself is allowed, one byte more is not."""
    body = b'"' + b"x" * 998 + b'"'
    with FaultServer([reply(200, body)]) as server:
        with api_for(server.url, max_response_bytes=1000) as api:
            assert get(api).body == "x" * 998
        with api_for(server.url, max_response_bytes=999) as api, pytest.raises(VendorUnavailable):
            get(api)


def test_a_huge_error_body_does_not_hide_its_status() -> None:
    """Of an error only the first megabyte is read."""
    with FaultServer([reply(422, b" " * 3_000_000)]) as server, api_for(server.url) as api:
        with pytest.raises(CallRefused) as caught:
            get(api)
        assert caught.value.status == 422


def test_deep_nesting_stops_the_run_instead_of_the_process() -> None:
    """100,000 brackets end in one clear error."""
    with (
        FaultServer([reply(200, b"[" * 100_000 + b"]" * 100_000)]) as server,
        api_for(server.url) as api,
        pytest.raises(VendorUnavailable, match="too deep"),
    ):
        get(api)


def test_text_that_is_no_unicode_is_a_row_error() -> None:
    """A lone surrogate (invalid UTF-8 of the source) is never sent."""
    with FaultServer([reply()]) as server, api_for(server.url) as api:
        with pytest.raises(RowError) as caught:
            api.call("POST", "x", route="POST x", json={"a": "j\udcff"}, safety=Safety.UNSAFE)
        assert caught.value.cause == "encoding"
        assert caught.value.__context__ is None
        with pytest.raises(RowError):
            api.call("GET", "x", route="GET x", params=[("q", "\udcff")], safety=Safety.SAFE)
        assert server.requests == []


@pytest.mark.parametrize("path", ["a/../b", "a?b=c", "a#b", "a%2e", "a b", "a@b", "ü"])
def test_a_path_with_values_in_it_is_a_programming_error(path: str) -> None:
    """Ids from elsewhere can't steer a call to another endpoint."""
    with api_for("http://127.0.0.1:9") as api, pytest.raises(ValueError, match="params"):
        api.call("GET", path, route="GET x", safety=Safety.SAFE)


@pytest.mark.parametrize("secret", ["", " ", "a\nb", "ü", "key ", "\x1b[0m"])
def test_a_malformed_key_is_named_but_not_shown(secret: str) -> None:
    """The HTTP library would quote the header's value in its own error."""
    with (
        pytest.raises(ConfigurationError, match="Api-Token") as caught,
        api_for("http://127.0.0.1:9", secret_header=("Api-Token", secret)),
    ):
        pass
    assert not secret.strip() or secret not in str(caught.value)


def test_every_stop_has_the_shared_exit_code() -> None:
    """Configuration 2, credentials 3, vendor 7."""
    codes: dict[str, int] = {}
    for name, action in {
        "redirect": reply(302, b""),
        "key": reply(401, b""),
        "page": PAGE,
    }.items():
        with FaultServer([action]) as server, api_for(server.url) as api:
            with pytest.raises(StopRun) as caught:
                get(api)
            codes[name] = caught.value.code
    assert codes == {"redirect": 2, "key": 3, "page": 7}
