"""One row's turn beside others: nothing is settled by what was thought before waiting for them."""

from __future__ import annotations

from typing import Any

from target_activecampaign.identity import Match
from target_activecampaign.model import Change, Contact
from target_activecampaign.turns import Turns
from target_kit.outcome import Outcome, Result, Step

ONE = Contact("key:1", "1", "1", None, {}, {})
NOTHING = Change("7", None, {}, {})
SOMETHING = Change("7", None, {"phone": "1"}, {})


class Deciding:
    """Reads, while it decides, that the row touches another contact, which changes meanwhile."""

    def __init__(self) -> None:
        self.names = [frozenset({"id 7"}), frozenset({"id 7", "at there"})]
        self.changes = [NOTHING, SOMETHING]

    def touched(self, contact: Contact) -> frozenset[str]:
        return self.names[0]

    def resolve(self, contact: Contact) -> Match:
        return Match("7", "cfd")

    def plan(self, contact: Contact, match: Match) -> Change:
        del self.names[:-1]
        return self.changes.pop(0)


class Executor:
    """Writes what it is given."""

    def apply(self, contact: Contact, change: Change, source: str) -> Result:
        assert change is SOMETHING
        return Result(Outcome.APPLIED, Step.UPDATE, source=source)


def test_what_was_thought_before_waiting_for_another_row_is_thought_anew() -> None:
    """The row found nothing to do, had to wait for a row that it touches, and has something now."""
    deciding: Any = Deciding()
    executor: Any = Executor()
    nobody: Any = None
    turn = Turns(deciding, executor, nobody, None).take(ONE, final=True)
    assert turn.result is not None
    assert turn.result.outcome is Outcome.APPLIED
    assert deciding.changes == []
