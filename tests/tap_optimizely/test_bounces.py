"""Bounces belong to the recipient: always delivered, hard and soft told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tap_optimizely_support import LIST, Tap, by_recipient

HARD, SOFT, AWAY = "hard@example.com", "soft@example.com", "away@example.com"


@pytest.fixture
def mailing(tap: Tap) -> int:
    """A mailing to three recipients of the regular list."""
    everybody = [{"list": LIST, "id": one} for one in (HARD, SOFT, AWAY)]
    tap.simulator.seed({"recipients": everybody})
    sent: int = tap.simulator.event("send_mailing", list=LIST)["mailing"]
    return sent


def bounce(tap: Tap, mailing: int, recipient: str, kind: str, times: int = 1) -> None:
    for _ in range(times):
        tap.simulator.event("bounce", id=recipient, mailing=mailing, kind=kind)
        tap.simulator.clock(advance=60)


def test_hard_bounces_end_the_consent_and_soft_ones_never(tap: Tap, mailing: int) -> None:
    """Five soft bounces put the address out and leave the consent (S1-46)."""
    bounce(tap, mailing, HARD, "hard")
    bounce(tap, mailing, SOFT, "soft", times=5)
    records = by_recipient(tap.run("bounces").records("bounces"))
    assert {(r["kind"], r["bounced_out"], r["ends_consent"]) for r in records[HARD]} == {
        ("hard", True, True)
    }
    assert {(r["kind"], r["bounced_out"], r["ends_consent"]) for r in records[SOFT]} == {
        ("soft", False, False),
        ("out", True, False),
    }


@pytest.mark.parametrize(
    ("settings", "bounces", "expected"),
    [
        ({"hard_bounce": {"threshold": 2}}, 1, (False, False)),
        ({"hard_bounce": {"threshold": 2}}, 2, (True, True)),
        ({"hard_bounce": {"threshold": 1, "ends_consent": False}}, 1, (True, False)),
        ({"hard_bounce": {"categories": ["unreachable"]}}, 1, (False, False)),
    ],
)
def test_thresholds_of_hard_bounces_are_configured(
    tap: Tap, mailing: int, settings: dict[str, Any], bounces: int, expected: tuple[bool, bool]
) -> None:
    """Above one the vendor's own counter decides (S1-46)."""
    bounce(tap, mailing, HARD, "hard", bounces)
    records = tap.run("bounces", **settings).records("bounces")
    found = {(r["bounced_out"], r["ends_consent"]) for r in records if r["export"] == "responses"}
    assert found == {expected}


@pytest.mark.parametrize(("threshold", "out"), [(None, False), (2, True), (3, False)])
def test_thresholds_of_soft_bounces_are_configured(
    tap: Tap, mailing: int, threshold: int | None, out: bool
) -> None:
    """Soft bounces put an address out from their own threshold on, never the consent (S1-46)."""
    bounce(tap, mailing, SOFT, "soft", 2)
    soft = {} if threshold is None else {"threshold": threshold}
    records = tap.run("bounces", soft_bounce=soft).records("bounces")
    assert {(r["bounced_out"], r["ends_consent"]) for r in records} == {(out, False)}


def test_an_autoresponder_is_no_bounce(tap: Tap, mailing: int) -> None:
    """Other categories are delivered as what they are, with no consequence."""
    bounce(tap, mailing, AWAY, "autoresponder")
    [record] = tap.run("bounces").records("bounces")
    assert (record["kind"], record["category"]) == ("other", "autoresponder")
    assert (record["bounced_out"], record["ends_consent"]) == (False, False)


def test_bounces_of_all_mailings_are_delivered_without_a_campaign(tap: Tap, mailing: int) -> None:
    """Whatever the channel, a bounce belongs to the recipient, not to a campaign (S1-41, S1-43)."""
    campaign = tap.simulator.event("send_mailing", list=LIST, campaign="c-1")["mailing"]
    bounce(tap, mailing, HARD, "hard")
    bounce(tap, campaign, SOFT, "soft")
    records = tap.run("bounces", deliver_without_campaign=False).records("bounces")
    assert {r["mailing_id"] for r in records} == {str(mailing), str(campaign)}


def test_a_stranger_has_no_counter(tap: Tap, tmp_path: Path) -> None:
    """Ids that the vendor does not know, or that SOAP cannot carry, end no run (S1-46)."""
    path = tmp_path / "bounces.txt"
    path.write_text("stranger@example.com;hardbounce\nodd\x01@example.com;hardbounce\n")
    given = {"path": str(path), "columns": ["recipient_id", "category"]}
    run = tap.run("bounces", csv_files={"bounces": given}, hard_bounce={"threshold": 2})
    assert run.code == 0, run.errors
    assert [r["bounced_out"] for r in run.records("bounces")] == [False, False]
