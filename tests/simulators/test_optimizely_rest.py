"""The REST side of the simulated Optimizely Campaign: who may call what, and how it refuses."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from optimizely_feedback import Rest, furnish
from optimizely_support import REGULAR
from simulators_support import Simulator

UNSUBSCRIBES = "unsubscribes"


@pytest.fixture
def rest(campaign: Simulator) -> Iterator[Rest]:
    furnish(campaign)
    with Rest(campaign) as client:
        yield client


def test_the_user_of_the_client_is_let_in(rest: Rest) -> None:
    """users/authenticated is the cheapest way to check credentials."""
    assert rest.get("users/authenticated")["username"] == "sim-user"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Bearer token",
        "Basic not-base64!",
        "Basic " + base64.b64encode(b"sim-user:wrong").decode(),
        "Basic " + base64.b64encode(b"sim-user").decode(),
    ],
)
def test_anybody_else_gets_401(rest: Rest, header: str | None) -> None:
    """Missing, malformed and wrong credentials are answered alike, and asked for."""
    rest.http.auth = None
    answer = rest.ask("GET", UNSUBSCRIBES, headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_the_user_of_another_client_gets_403(campaign: Simulator) -> None:
    """Credentials belong to one client."""
    with Rest(campaign, client=4321) as rest:
        assert rest.refused(UNSUBSCRIBES) == 403


def test_a_forbidden_resource_gets_403(campaign: Simulator, rest: Rest) -> None:
    """rest_forbidden names resources; the others stay open."""
    campaign.switches(rest_forbidden="unsubscribes,responses")
    assert rest.refused(UNSUBSCRIBES) == 403
    assert rest.refused("unsubscribes/count") == 403
    assert rest.refused("blacklistentries") == 200


def test_an_unknown_path_gets_404_and_an_unknown_method_405(rest: Rest) -> None:
    """The two are told apart."""
    assert rest.refused("nonsense") == 404
    assert rest.refused("unsubscribes/a/b") == 404
    assert rest.ask("PATCH", UNSUBSCRIBES).status_code == 405


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("application/vnd.optivo.broadmail.v1+json;q=0.9, text/html", 200),
        ("*/*", 200),
        ("text/html", 406),
        ("application/vnd.optivo.broadmail.v2+json", 406),
    ],
)
def test_only_json_can_be_asked_for(rest: Rest, accept: str, status: int) -> None:
    """406 for a media type that the API does not speak."""
    assert rest.ask("GET", UNSUBSCRIBES, headers={"Accept": accept}).status_code == status


@pytest.mark.parametrize(
    ("form", "kind", "start"),
    [
        ("empty", "", ""),
        ("json", "application/json", '{"status":404}'),
        ("html", "text/html", "<!DOCTYPE html>"),
    ],
)
def test_the_body_of_a_refusal_is_a_switch(
    campaign: Simulator, rest: Rest, form: str, kind: str, start: str
) -> None:
    """No error body is documented."""
    campaign.switches(rest_error_body=form)
    answer = rest.ask("GET", "nonsense")
    assert answer.headers.get("Content-Type", "").startswith(kind)
    assert answer.text.startswith(start)
    assert bool(answer.text) is bool(start)


@pytest.mark.parametrize("path", [f"recipients/{REGULAR}", f"recipients/{REGULAR}/count"])
def test_too_many_at_a_time_get_429(campaign: Simulator, rest: Rest, path: str) -> None:
    """selectRecipients and countRecipients share a limit; other resources have none."""
    assert rest.refused(path) == 200
    campaign.switches(rest_simultaneous=0)
    assert rest.refused(path) == 429
    assert rest.refused(UNSUBSCRIBES) == 200


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"limit": 9999}, 200),
        ({"limit": 10_000}, 400),
        ({"limit": -1}, 400),
        ({"limit": "many"}, 400),
        ({"offset": "x"}, 400),
        ({"sort": "shoe"}, 400),
        ({"direction": "UP"}, 400),
    ],
)
def test_a_listing_checks_its_parameters(
    rest: Rest, parameters: dict[str, object], status: int
) -> None:
    """limit stays below 10,000; sort and direction have fixed words."""
    for path in (UNSUBSCRIBES, "blacklistentries", "recipientlists"):
        assert rest.refused(path, **parameters) == status, path


@pytest.mark.parametrize(("counts", "expected"), [("page", 2), ("total", 5)])
def test_count_in_a_listing_is_a_switch(
    campaign: Simulator, rest: Rest, counts: str, expected: int
) -> None:
    """The reference does not say whether it counts the page or everything."""
    campaign.switches(rest_count=counts)
    campaign.seed({"unsubscribes": [{"id": f"r{n}@example.com"} for n in range(5)]})
    page = rest.get(UNSUBSCRIBES, limit=2, offset=1)
    assert (page["count"], page["offset"], page["limit"]) == (expected, 1, 2)
    assert len(page["elements"]) == 2


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("iso_utc", "2026-03-01T06:00:00Z"),
        ("iso_offset", "2026-03-01T07:00:00+01:00"),
        ("epoch_ms", 1_772_344_800_000),
    ],
)
def test_times_in_json_are_a_switch(
    campaign: Simulator, rest: Rest, form: str, expected: object
) -> None:
    """The reference says date-time and no more."""
    campaign.switches(rest_times=form)
    campaign.event("unsubscribe", id="ana@example.com")
    assert rest.get(UNSUBSCRIBES)["elements"][0]["created"] == expected


def test_rest_needs_no_session_and_soap_faults_do_not_touch_it(
    campaign: Simulator, rest: Rest
) -> None:
    """A fault plan can spoil REST alone."""
    campaign.event("expire_sessions")
    spoiled = {"type": "retry_after", "status": 429, "value": "7"}
    campaign.faults([{"match": {"path": "/rest/"}, "times": 1, "action": spoiled}])
    answer = rest.ask("GET", UNSUBSCRIBES)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert rest.refused(UNSUBSCRIBES) == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "unsubscribes?offset=" + "9" * 5000, None, 400),
        ("GET", f"recipients/{'9' * 5000}", None, 409),
        ("GET", "optinprocesses/" + "9" * 5000, None, 404),
        ("GET", "unsubscribes?recipientIds=%ff%00", None, 200),
        ("GET", "recipientlists/%E2%82%AC%ff", None, 409),
        ("POST", "unsubscribes", b'{"recipientIds": ["\\ud800"]}', 400),
        ("POST", "unsubscribes", b"[" * 100_000, 400),
        ("POST", "unsubscribes", b'{"recipientIds": "a", "recipientListId": "x"}', 400),
        ("POST", "unsubscribes", b"\xff\xfe", 400),
        ("PUT", f"recipients/{REGULAR}", b'{"recipients": [{"id": "\\udfff"}]}', 400),
        ("PUT", f"recipients/{REGULAR}", b'{"recipients": 7}', 400),
        ("PUT", f"recipients/{REGULAR}", b"null", 400),
    ],
)
def test_hostile_requests_are_refused_and_leave_it_working(
    rest: Rest, method: str, path: str, body: bytes | None, status: int
) -> None:
    """Endless numbers, half pairs, deep nesting and broken text are no reason to fall over."""
    kind = {"Content-Type": "application/json"}
    assert rest.ask(method, path, data=body, headers=kind).status_code == status
    assert rest.get(UNSUBSCRIBES)["elements"] == []
