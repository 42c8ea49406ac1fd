"""Five requests in any one second, by the simulator's clock."""

from __future__ import annotations

from simulators_api import Api
from simulators_support import Simulator


def test_the_sixth_request_of_a_second_is_refused(simulator: Simulator, api: Api) -> None:
    """Five pass with a falling remainder; the sixth is 429 with Retry-After; a second heals."""
    simulator.switches(rate_limit="on")
    simulator.clock(now="2026-05-28T10:00:00+00:00")
    answers = [api.get("users/me") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert [a.headers["RateLimit-Remaining"] for a in answers] == ["4", "3", "2", "1", "0", "0"]
    assert {a.headers["RateLimit-Limit"] for a in answers} == {"5"}
    assert answers[5].headers["Retry-After"] == "1"
    assert answers[5].json() == {"message": "Too Many Requests"}
    simulator.clock(advance=1)
    assert api.get("users/me").status_code == 200


def test_the_second_slides(simulator: Simulator, api: Api) -> None:
    """Requests leave the window one by one, and refused ones never were in it."""
    simulator.switches(rate_limit="on", rate_limit_per_second=2)
    simulator.clock(now="2026-05-28T10:00:00+00:00")
    statuses = []
    for _ in range(6):
        statuses.append(api.get("users/me").status_code)
        simulator.clock(advance=0.375)
    assert statuses == [200, 200, 429, 200, 200, 429]


def test_a_refused_write_is_not_applied(simulator: Simulator, api: Api) -> None:
    """Over the limit nothing happens behind the 429."""
    simulator.switches(rate_limit="on", rate_limit_per_second=1)
    simulator.clock(now="2026-05-28T10:00:00+00:00")
    assert api.get("users/me").status_code == 200
    assert api.post("contacts", {"contact": {"email": "a@example.com"}}).status_code == 429
    assert simulator.contacts() == {}


def test_a_wrong_key_counts_too(simulator: Simulator, api: Api) -> None:
    """The limit is the account's edge: it comes before the key is looked at."""
    simulator.switches(rate_limit="on", rate_limit_per_second=1)
    simulator.clock(now="2026-05-28T10:00:00+00:00")
    api.session.headers["Api-Token"] = "wrong"
    assert [api.get("users/me").status_code for _ in range(2)] == [403, 429]
