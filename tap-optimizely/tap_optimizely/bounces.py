"""What a returned mail means for the address and for the consent. Pure.

Two exports tell of bounces: `outbounces` has recipients whose counter passed the vendor's limit
(3 hard or 5 soft ones, by default), `responses` has each returned mail with its category. Soft
bounces never end a consent, neither one by one nor by their number (S1-46): an address that is
bounced out gets no mail, but the consent stays.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping

from tap_optimizely.layouts import BounceRule

OUT = "out"
HARD = "hard"
SOFT = "soft"
OTHER = "other"
# The vendor's names of its two counters (ResponseWebservice.getBounceCounter).
COUNTERS = {HARD: "hardbounce", SOFT: "softbounce"}

CountBounces = Callable[[str, str], int]


def kind_of(export: str | None, category: str | None, hard: BounceRule, soft: BounceRule) -> str:
    """Name the kind; replies and what no rule names are `other`."""
    if export == "outbounces":
        return OUT
    if category in hard.categories:
        return HARD
    return SOFT if category in soft.categories else OTHER


def judge(
    record: Mapping[str, t.Any], kind: str, hard: BounceRule, soft: BounceRule, count: CountBounces
) -> dict[str, t.Any]:
    """Say whether the address is out, and whether that ends the consent.

    `count(recipient_id, counter)` asks for the vendor's counter; it is called only for thresholds
    above 1. Without a threshold the vendor's limit decides, which `outbounces` tells.
    """
    rule = {HARD: hard, SOFT: soft}.get(kind)
    bounced_out = kind == OUT or (rule is not None and _reached(record, kind, rule, count))
    ends = kind == HARD and bounced_out and hard.ends_consent
    return {"kind": kind, "bounced_out": bounced_out, "ends_consent": ends}


def _reached(record: Mapping[str, t.Any], kind: str, rule: BounceRule, count: CountBounces) -> bool:
    recipient = record.get("recipient_id")
    if rule.threshold is None:
        return False
    if rule.threshold == 1:
        return True
    return recipient is not None and count(recipient, COUNTERS[kind]) >= rule.threshold
