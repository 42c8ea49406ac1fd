"""What the destination says of a contact's memberships, in the firewall's words. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from target_kit.address import address_key
from target_kit.consent import State

from target_activecampaign.model import Existing, Membership

#: The vendor's codes; any other, such as 91 (removed by a v1 call), counts as unsubscribed.
STATES = {"0": State.UNCONFIRMED, "1": State.ACTIVE, "2": State.UNSUBSCRIBED, "3": State.BOUNCED}
#: A day without zone is over everywhere this long after its first moment in UTC.
DAY_OVER = timedelta(hours=36)


def state_of(existing: Existing | None, list_id: str) -> tuple[State, datetime | None]:
    """What the destination holds, and when it ended it; None where that is not known.

    A hard bounce counts against every list on which the contact is not active.
    """
    row = (existing.lists or {}).get(list_id) if existing else None
    state = STATES.get(row.status, State.UNSUBSCRIBED) if row else State.NONE
    bounced = existing is not None and existing.bounces > 0 and state is not State.ACTIVE
    if existing and (bounced or state is State.BOUNCED):
        known = [end_of(existing.bounced_on)]
        if state is State.UNSUBSCRIBED and row:
            known.append(row.ended_at)
        ends = [moment for moment in known if moment is not None]
        return State.BOUNCED, max(ends) if len(ends) == len(known) else None
    return state, row.ended_at if row and state is State.UNSUBSCRIBED else None


def existing_key(existing: Existing) -> str:
    """Comparison key of a contact's address."""
    return address_key(existing.email)


def end_of(day: str) -> datetime | None:
    """The moment when a day, as text, is over everywhere; None for no day."""
    try:
        return datetime.fromisoformat(day[:10]).replace(tzinfo=UTC) + DAY_OVER
    except ValueError:
        return None


def membership_of(status: str, ended: str) -> Membership:
    """A row as the vendor shows it: times come in whole seconds, and "0000-00-00" for none."""
    try:
        moment = datetime.fromisoformat(ended)
    except ValueError:
        return Membership(status)
    if moment.tzinfo is None:
        return Membership(status)
    return Membership(status, moment.astimezone(UTC) + timedelta(seconds=1))
