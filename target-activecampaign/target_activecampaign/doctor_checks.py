"""What `doctor` says of what it has read: each check with its cause, a next step and a code. Pure.

Codes are those of `target_kit.errors`; a warning has none, since a run would go on.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime

from target_kit.checkup import Check, Level, exit_code, fail, good, open_, space, warning

from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.model import Field
from target_activecampaign.provenance_settings import RecordType

__all__ = ["Check", "Level", "exit_code", "fail", "good", "open_", "space", "warning"]

MAX_SKEW_SECONDS = 60


def faults(name: str, found: Iterable[str], step: str, fine: str) -> list[Check]:
    """A FAIL for each sentence; its cure is what comes after the last semicolon, else `step`."""
    checks = []
    for fault in found:
        cause, _, cure = fault.rpartition("; ")
        checks.append(fail(name, cause or fault, cure if cause else step))
    return checks or [good(name, fine)]


def clock(date: str | None, now: datetime) -> Check:
    """The machine's clock against the vendor's `Date` header."""
    try:
        there = parsedate_to_datetime(date or "")
    except (TypeError, ValueError):
        return open_("clock", "the answers carry no date to compare with")
    off = (now - there).total_seconds()
    if abs(off) <= MAX_SKEW_SECONDS:
        return good("clock", f"within {MAX_SKEW_SECONDS} s of ActiveCampaign's")
    way = "ahead of" if off > 0 else "behind"
    said = f"this machine's clock is {abs(off):.0f} s {way} ActiveCampaign's"
    return warning("clock", said, "set it by NTP: when consent was given is compared with it")


def rate(seen: Sequence[tuple[str | None, str | None]], limit: float) -> Check:
    """(RateLimit-Limit, RateLimit-Remaining) of calls that were alone in their second."""
    numbers = [(int(a), int(b)) for a, b in seen if a and b and a.isdigit() and b.isdigit()]
    if not numbers:
        return open_("rate", "the answers tell no limit and nothing of what is left of it")
    allowed, left = min(numbers, key=lambda pair: pair[1] - pair[0])
    if allowed < limit:
        return fail(
            "rate", f"{allowed} requests a second are allowed, requests_per_second is {limit:g}",
            f"set requests_per_second to {allowed}",
        )  # fmt: skip
    if left < allowed - 1:
        return warning(
            "rate", f"{allowed - 1 - left} of {allowed} requests a second are used by others",
            "lower requests_per_second, or run when nothing else uses the account",
        )  # fmt: skip
    return good("rate", f"{left} of {allowed} requests a second were left; nobody else uses them")


def fields(stream: ContactStream, known: Mapping[str, Field]) -> list[Check]:
    """Every custom field that the settings name exists, or will be made (S4-38)."""
    names = (*stream.hidden_fields, *stream.custom_fields)
    missing = [name for name in names if name not in known]
    where = f"fields of {stream.name}"
    if missing and stream.create_fields:
        return [good(where, f"the next run makes {', '.join(missing)} (create_fields)")]
    if missing:
        said = f"ActiveCampaign has no custom field {', '.join(missing)}"
        return [fail(where, said, "create it there or set create_fields: true")]
    return [good(where, f"all {len(names)} are there, the key field {stream.key_field} as well")]


def columns(stream: str, needed: Iterable[str], schema: Mapping[str, object]) -> list[Check]:
    """Every column that the settings cannot do without is in the SCHEMA (S4-38)."""
    there = schema.get("properties")
    missing = [c for c in needed if not isinstance(there, Mapping) or c not in there]
    if not missing:
        return []
    said = f"the SCHEMA has no column {', '.join(missing)}"
    return [fail(f"columns of {stream}", said, "correct the settings or add it to the source")]


def decided(streams: Iterable[ContactStream]) -> list[Check]:
    """Which stream is the source of truth for which record type (S4-24, S4-37)."""
    of = {
        kind: stream.name
        for stream in streams
        if stream.provenance
        for kind in sorted(stream.provenance.decides)
    }
    if not of:
        return []
    said = ", ".join(f"{kind} by {name}" for kind, name in of.items())
    checks = [good("source of truth", said)]
    if RecordType.PERSON_ACCOUNT not in of:
        said = "no stream decides them: they are not enabled here"
        step = "add a stream with record_type: person_account if the source has any"
        checks.append(warning("person accounts", said, step))
    return checks


def provenance_tags(stream: ContactStream, names: Collection[str]) -> Iterator[Check]:
    """Whether the tags are there, and whether others look like merged or renamed ones (S4-39)."""
    rule = stream.provenance
    if rule is None:
        return
    where, there = f"tags of {stream.name}", {name.lower() for name in names}
    wanted = [t for kind in sorted(rule.decides) for t in sorted(rule.tags[kind].folded)]
    missing = [tag for tag in wanted if tag not in there]
    if missing:
        yield warning(
            where, f"ActiveCampaign has no tag {', '.join(missing)}",
            "nothing, if no contact needed it yet: it is made when one does",
        )  # fmt: skip
    else:
        yield good(where, f"all {len(wanted)} provenance tags are there")
    plain = {_plain(tag): tag for tag in wanted}
    for name in sorted(names):
        alike = plain.get(_plain(name))
        if alike and name.lower() != alike:
            yield warning(
                where, f"the tag '{name}' looks like {alike} merged or renamed",
                f"tag its contacts with {alike}, or name it in provenance.tags",
            )  # fmt: skip
    if gone := [tag for tag in rule.legacy_tags if tag.lower() not in there]:
        yield warning(
            where, f"legacy_tags names {', '.join(gone)}, which ActiveCampaign does not have",
            "take it from the settings if it was cleaned up, else correct its name",
        )  # fmt: skip


def applied_tags(counts: Mapping[str, int], of: Mapping[str, RecordType], decided_: str) -> Check:
    """How many contacts carry each provenance tag (S4-39)."""
    said = ", ".join(f"{number} {tag}" for tag, number in counts.items()) or "no contact has any"
    persons = sum(n for tag, n in counts.items() if of[tag] is RecordType.PERSON_ACCOUNT)
    if persons and RecordType.PERSON_ACCOUNT not in decided_.split():
        return warning(
            "tags applied", f"{said}; rows of contacts that are person accounts are left out",
            "add a stream with record_type: person_account, which decides them",
        )  # fmt: skip
    return good("tags applied", said)


def _plain(tag: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", tag.lower())
