"""When a stream is rehearsed for its guards, and when no guard could say no."""

from __future__ import annotations

from fractions import Fraction

import pytest
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.guarding import can_trip, tripped
from target_activecampaign.noting import Notes
from target_activecampaign.settings import read_settings
from target_kit.guards import Guards
from target_kit.outcome import Outcome, Tally
from target_kit.plan import Digests
from target_kit.redact import KeyHasher

HALF = Fraction(50)
DIGESTS = Digests(KeyHasher(b"k" * 32).long)


@pytest.fixture
def stream() -> ContactStream:
    """Lists, and columns that clear: everything that guards count may happen."""
    settings = {
        "key": "ctt_id",
        "key_field": "BUBSCTTID",
        "fields": {"email": "email"},
        "null_semantics": "clear",
        "consent": {"column": "consent", "granted_at": "at", "evidence": "proof", "purpose": "ads"},
        "lists": {"News": {"when": "wants", "consent": "ads"}},
    }
    config = {
        "api_url": "http://127.0.0.1:1/activecampaign",
        "api_key": "sim-key",
        "streams": {"contacts": settings},
    }
    return read_settings(config).streams["contacts"]


@pytest.mark.parametrize("name", ["unsubscribes", "blank_outs", "updates", "address_changes"])
def test_a_first_load_needs_no_rehearsal_for_shares(stream: ContactStream, name: str) -> None:
    """No share is too large where the account has fewer contacts than it is looked at from."""
    guards = Guards(shares=((name, HALF),), min_population=100)
    assert not can_trip(guards, stream, records=10_000, known=99)
    assert can_trip(guards, stream, records=10_000, known=100)


def test_shares_of_new_contacts_are_looked_at_in_small_runs_too(stream: ContactStream) -> None:
    """They are measured by all that the account has, however few records came."""
    guards = Guards(shares=(("creates", HALF),), min_population=100)
    assert can_trip(guards, stream, records=1, known=0)
    assert not can_trip(guards, stream, records=0, known=0)


def test_numbers_are_always_looked_at(stream: ContactStream) -> None:
    """One contact there may lose what it has."""
    guards = Guards(numbers=(("unsubscribes", 0),), min_population=100)
    assert can_trip(guards, stream, records=1, known=1)


@pytest.mark.parametrize(("failed", "stopped"), [(0, False), (7, False), (8, True)])
def test_records_that_could_not_be_read_count_as_if_they_changed(
    stream: ContactStream, failed: int, stopped: bool
) -> None:
    """A guard that can't be evaluated says no: 3 of 10 are known, more could be too many."""
    notes = Notes("contacts", DIGESTS, lambda entry: None)
    notes.changes["unsubscribes"] = 3
    tally = Tally(500, received=100)
    tally.sources["cfd"] = 100
    tally.outcomes[Outcome.FAILED] = failed
    guards = Guards(numbers=(("unsubscribes", 10),))
    said = tripped(guards, stream, notes, tally, lambda: None)
    assert bool(said) is stopped
    assert all("can't be found out" in one.message for one in said)
