"""The past of a person and of an address, where consent has to be judged by it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
from target_kit.consent import State

from target_activecampaign.model import Existing
from target_activecampaign.states import DAY_OVER, STATES, end_of, state_of

_LAST = datetime.max.replace(tzinfo=UTC)


class Ended(NamedTuple):
    """A membership that this target ended when it gave a contact up, and the moment that the
    destination tells of that end (ISO 8601).
    """

    contact_id: str
    list_id: str
    ended_at: str


@dataclass(frozen=True, slots=True)
class Past:
    """What is remembered of a person's addresses: `since` when they have the present one (None:
    since it was first seen), `formers` the contacts they had, given up for other addresses, and
    `carried` the memberships that ended for no other reason. `others` are contacts of other persons
    as they were under this person's present address.
    """

    since: datetime | None = None
    formers: tuple[Existing, ...] = ()
    carried: frozenset[Ended] = frozenset()
    others: tuple[Existing, ...] = ()


NO_PAST = Past()


def with_formers(
    existing: Existing | None, list_id: str, past: Past
) -> tuple[State, datetime | None]:
    """As `state_of`; who had left a list under a former address has left it under the new one
    (S2-19), but its bounces were its own (S2-9).
    """
    state, ended_at = state_of(existing, list_id)
    if state is not State.NONE:
        return state, ended_at
    left = [_left_at(former, list_id, past.carried) for former in past.formers]
    known = [moment for _, moment in left if moment]
    if len(known) < sum(was for was, _ in left):
        return State.UNSUBSCRIBED, None
    return (State.UNSUBSCRIBED, max(known)) if known else (state, ended_at)


def left_by_others(others: tuple[Existing, ...], list_id: str) -> datetime | None:
    """When somebody else last left a list under this very address, or it bounced: that was said of
    the address, whoever has it now (S2-28). An unknown time is the last of all.
    """
    states = [state_of(other, list_id) for other in others]
    ends = [at or _LAST for state, at in states if state in (State.UNSUBSCRIBED, State.BOUNCED)]
    return max(ends, default=None)


def under_others(
    state: State, ended_at: datetime | None, left: datetime | None, elsewhere: datetime
) -> tuple[State, datetime | None, datetime | None]:
    """A membership (state, its end, when an active one that moves had ended before) with what is
    known of the address itself.
    """
    if state is State.ACTIVE:
        return state, ended_at, max(left or elsewhere, elsewhere)
    if state in (State.UNSUBSCRIBED, State.BOUNCED):
        return state, max(ended_at, elsewhere) if ended_at else None, left
    return State.UNSUBSCRIBED, elsewhere, left


def left_before(existing: Existing, list_id: str) -> datetime | None:
    """When somebody active had last left or bounced before; under which address, nobody says."""
    row = (existing.lists or {}).get(list_id)
    bounced = end_of(existing.bounced_on) if existing.bounces else None
    ends = [moment for moment in (row.ended_at if row else None, bounced) if moment is not None]
    return max(ends, default=None)


def ended_by(
    existing: Existing, moment: datetime, carried: frozenset[Ended] = frozenset()
) -> Existing:
    """The contact with what had ended until `moment` only, an end without a time among it, and
    without what this target ended itself.
    """
    latest = moment + timedelta(seconds=1)  # times come in whole seconds, rounded up
    lists = {
        list_id: row
        for list_id, row in (existing.lists or {}).items()
        if row.ended_at is None
        or (row.ended_at <= latest and ended(existing, list_id) not in carried)
    }
    bounced = end_of(existing.bounced_on)
    counts = existing.bounces if bounced is None or bounced <= latest + DAY_OVER else 0
    return msgspec.structs.replace(existing, lists=lists, bounces=counts)


def ended(existing: Existing, list_id: str) -> Ended:
    """How the destination tells of the end of a membership."""
    row = (existing.lists or {}).get(list_id)
    moment = row.ended_at.isoformat() if row and row.ended_at else ""
    return Ended(existing.id, list_id, moment)


def _left_at(
    former: Existing, list_id: str, carried: frozenset[Ended]
) -> tuple[bool, datetime | None]:
    """Whether the person themselves left a list with that contact, and when, if that is known."""
    row = (former.lists or {}).get(list_id)
    if row is None or STATES.get(row.status, State.UNSUBSCRIBED) is not State.UNSUBSCRIBED:
        return False, None
    if row.ended_at and ended(former, list_id) in carried:
        return False, None
    return True, row.ended_at
