"""The consent firewall: what the source may prove, what the destination holds, what may be called.

Consent belongs to one (address, purpose), never to a person or a list. Statuses form a semilattice
under `join`: conflicting facts end as the most restrictive, in whatever order they are met. Only
evidence raises a status, and only for the address it was given for. Pure: decides, calls nothing.

The one table, `ALLOWED`. Columns are what the source can claim for this address and purpose, rows
what the destination holds; a cell is the only method that may be called there, on lists that the
configuration names. On any other list nothing may be called at all.

    destination     withdrawn     absent        moved          granted        renewed
    ──────────────  ────────────  ────────────  ─────────────  ─────────────  ──────────────
    none            -             -             unsubscribe    subscribe      subscribe
    unconfirmed     unsubscribe   -             unsubscribe    subscribe      subscribe
    active          unsubscribe   unsubscribe   unsubscribe    unsubscribe*   unsubscribe*
    unsubscribed    -             -             -              -              resubscribe
    bounced         -             -             -              -              resubscribe

    * only when the person is no longer wanted on the list

`moved` is evidence that says for no address, in the moment when the person gets another one: it was
given for the old one for all we know, so the destination is made to remember when that was, also
where it had nothing to end. `renewed` is evidence newer than the moment the destination ended the
membership. When that moment is not known there is no newer evidence: unknown counts as unsafe
throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

CLOCK_SKEW = timedelta(minutes=5)  # evidence dated later than that is from no trustworthy clock


class Status(StrEnum):
    """What is known of one (address, purpose), most restrictive first."""

    COMPLAINED = "complained"
    OBJECTED = "objected"
    UNSUBSCRIBED = "unsubscribed"
    HARD_BOUNCED = "hard_bounced"
    PENDING = "pending"
    NONE = "none"
    SOFT_OPT_IN = "soft_opt_in"
    CONFIRMED = "confirmed"


_RANK = {status: rank for rank, status in enumerate(Status)}
#: Statuses of a person: they end every purpose, and no evidence raises them.
PERSONAL = frozenset({Status.COMPLAINED, Status.OBJECTED})
WITHDRAWALS = PERSONAL | {Status.UNSUBSCRIBED, Status.HARD_BOUNCED}
GRANTS = frozenset({Status.SOFT_OPT_IN, Status.CONFIRMED})


def join(first: Status, *others: Status) -> Status:
    """The most restrictive of several statuses: commutative, associative, idempotent."""
    return min((first, *others), key=_RANK.__getitem__)


@dataclass(frozen=True, slots=True)
class Consent:
    """What the source says of one purpose.

    `evidence_at` (aware) is when the proven consent was given, None without date or proof;
    `evidence_for` is the comparison key of the address it was given for, None where unsaid.
    """

    status: Status
    evidence_at: datetime | None = None
    evidence_for: str | None = None


def status_of(purpose: str, consents: Mapping[str, Consent], said: Iterable[Status] = ()) -> Status:
    """The status of a purpose, `none` where nothing is known; `said` is what other facts about the
    same address and purpose say. A person's objection to one purpose holds for all.
    """
    own = consents[purpose].status if purpose in consents else Status.NONE
    personal = (c.status for c in consents.values() if c.status in PERSONAL)
    return join(own, *personal, *said)


class Claim(StrEnum):
    """What the source can claim against one membership."""

    WITHDRAWN = "withdrawn"
    ABSENT = "absent"
    MOVED = "moved"
    GRANTED = "granted"
    RENEWED = "renewed"


def claim(
    status: Status,
    consent: Consent | None,
    *,
    mailed: str | None,
    ended_at: datetime | None,
    now: datetime,
) -> Claim:
    """What `status` with the evidence in `consent` is worth for the address `mailed` (a comparison
    key; None asks whatever the address is). `ended_at` is when the destination ended the
    membership, None when it did not or when that is not known.
    """
    if status in WITHDRAWALS:
        return Claim.WITHDRAWN
    if status not in GRANTS or consent is None or consent.evidence_at is None:
        return Claim.ABSENT
    if consent.evidence_at > now + CLOCK_SKEW:
        return Claim.ABSENT
    if mailed is not None and consent.evidence_for != mailed:
        return Claim.ABSENT
    if ended_at is not None and consent.evidence_at > ended_at:
        return Claim.RENEWED
    return Claim.GRANTED


class State(StrEnum):
    """What the destination holds of one person on one list."""

    NONE = "none"
    UNCONFIRMED = "unconfirmed"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"


class Listing(StrEnum):
    """Whose list it is: named by the configuration, or somebody else's."""

    MANAGED = "managed"
    FOREIGN = "foreign"


class Method(StrEnum):
    """What can be called; a re-subscription makes somebody active who had left or bounced."""

    SUBSCRIBE = "subscribe"
    RESUBSCRIBE = "resubscribe"
    UNSUBSCRIBE = "unsubscribe"


_NO, _IN, _AGAIN, _OUT = None, Method.SUBSCRIBE, Method.RESUBSCRIBE, Method.UNSUBSCRIBE
_CLAIMS = tuple(Claim)
_ROWS: dict[State, tuple[Method | None, ...]] = {
    State.NONE: (_NO, _NO, _OUT, _IN, _IN),
    State.UNCONFIRMED: (_OUT, _NO, _OUT, _IN, _IN),
    State.ACTIVE: (_OUT, _OUT, _OUT, _OUT, _OUT),
    State.UNSUBSCRIBED: (_NO, _NO, _NO, _NO, _AGAIN),
    State.BOUNCED: (_NO, _NO, _NO, _NO, _AGAIN),
}
#: (list, state, claim) → the only method that may be called there, None for nothing.
ALLOWED: dict[tuple[Listing, State, Claim], Method | None] = {
    (listing, state, claimed): method if listing is Listing.MANAGED else None
    for listing in Listing
    for state, row in _ROWS.items()
    for claimed, method in zip(_CLAIMS, row, strict=True)
}


def decide(listing: Listing, state: State, claimed: Claim, *, wanted: bool | None) -> Method | None:
    """The call to make, None for no call. `wanted` says whether the source wants the person on the
    list at all; None is unsaid: such a person is neither subscribed nor, having consent, removed.
    """
    method = ALLOWED[listing, state, claimed]
    if method is Method.UNSUBSCRIBE:
        consented = claimed in (Claim.GRANTED, Claim.RENEWED)
        return None if consented and wanted is not False else method
    return method if wanted else None
