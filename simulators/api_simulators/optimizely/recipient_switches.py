"""Every guess about adding recipients, paging, clearing, and what becomes of values."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api_simulators.optimizely.overrides import is_override_list
from api_simulators.switches import Switch, Value


def is_zone(name: Value) -> bool:
    """Say whether a time zone of this name is known."""
    try:
        ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


def is_pattern(text: Value) -> bool:
    """Say whether a text compiles as a regular expression."""
    try:
        re.compile(str(text))
    except re.error:
        return False
    return True


RECIPIENTS: tuple[Switch, ...] = (
    Switch(
        "addall3_order",
        "already_first",
        ("already_first", "blacklist_first", "already_last", "unsubscribed_first"),
        "which code wins: 5 3 4 2, 3 5 4 2, 3 4 2 5, or 2 3 4 5",
        "one recording",
    ),
    Switch(
        "regular_list_unsubscribed",
        "code2_not_stored",
        ("code2_not_stored", "code2_stored", "code0_stored"),
        "an unsubscribed recipient added to a list that is not opt-in; nobody is re-subscribed",
        "docs, ambiguous",
    ),
    Switch(
        "duplicate_in_batch",
        "already",
        ("already", "fault"),
        "an id for the second time in a batch: code 5, or the call faults",
        "guess",
    ),
    Switch(
        "id_case",
        "exact",
        ("exact", "folded"),
        "whether recipient ids in lists differ by case",
        "guess",
    ),
    Switch(
        "fault_commit",
        "none",
        ("none", "rows_before"),
        "what a call that faults at a row has stored",
        "guess",
    ),
    Switch("batch_limit", 1000, (), "most elements of a batch call; 0 is no limit", "guess"),
    Switch(
        "over_limit",
        "fault",
        ("fault", "accepted"),
        "a batch over the limit",
        "guess",
    ),
    Switch(
        "address_validation",
        "one_at",
        ("one_at", "dotted", "none"),
        "what code 1 is about: one @ with text around it and no blank, also a dotted domain, or "
        "nothing",
        "docs of the CSV import",
    ),
    Switch(
        "address_fills_email_field",
        True,
        (),
        "the address is stored in the attribute `email` where that is not sent",
        "recorded, conflicting",
    ),
    Switch(
        "filtered_ids",
        "",
        (),
        "regular expression of recipient ids that get code 6",
        "docs; the cause is a guess",
        check=is_pattern,
    ),
    Switch(
        "code_override",
        "",
        (),
        "comma list of pattern=code: recipient ids that get this code, and are stored only with 0",
        "for tests",
        check=is_override_list,
    ),
    Switch(
        "unknown_result_code_for",
        "",
        (),
        "regular expression of recipient ids that get code 99 and are not stored",
        "for tests",
        check=is_pattern,
    ),
    Switch(
        "result_array",
        "normal",
        ("normal", "shorter", "longer", "shuffled"),
        "the array that batch calls return",
        "for tests",
    ),
    Switch(
        "result_array_for",
        "addAll3,addAll3Flat",
        (),
        "comma list of the operations that `result_array` is about",
        "for tests",
    ),
    Switch(
        "clear_mode",
        "sync",
        ("sync", "after_polls", "after_seconds"),
        "when a clear is carried out; until then the old recipients count, and answer 5",
        "guess",
    ),
    Switch("clear_polls", 2, (), "calls of getCount until a clear is carried out", "guess"),
    Switch("clear_seconds", 5.0, (), "seconds until a clear is carried out", "guess"),
    Switch(
        "paging_base",
        0,
        (0, 1),
        "pageStart of the first recipient",
        "guess",
    ),
    Switch("page_cap", 0, (), "most rows of a page, longer ones are cut; 0 is no limit", "guess"),
)

VALUES: tuple[Switch, ...] = (
    Switch(
        "unknown_attribute",
        "fault",
        ("fault", "ignored"),
        "an attribute that the list does not have",
        "guess",
    ),
    Switch(
        "read_only_write",
        "fault",
        ("fault", "ignored"),
        "writing a system column such as Created",
        "guess",
    ),
    Switch(
        "over_long",
        "truncate",
        ("truncate", "fault"),
        "a text longer than its field",
        "guess",
    ),
    Switch(
        "nil_on_number",
        "accepted",
        ("accepted", "fault"),
        "nil for a field that is not text",
        "guess",
    ),
    Switch(
        "required_missing",
        "validation_failed",
        ("validation_failed", "ignored", "fault"),
        "a required field without a value: code 1, stored all the same, or the call faults",
        "guess",
    ),
    Switch(
        "boolean_literals",
        "true_false",
        ("true_false", "one_zero", "any"),
        "what a BOOLEAN field takes",
        "guess",
    ),
    Switch(
        "server_timezone",
        "Europe/Berlin",
        (),
        "the zone in which times are read back",
        "recorded",
        check=is_zone,
    ),
)
