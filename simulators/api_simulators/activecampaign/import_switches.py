"""The guesses about ActiveCampaign's bulk import."""

from __future__ import annotations

from api_simulators.switches import Switch

IMPORTS: tuple[Switch, ...] = (
    Switch(
        "bulk_success_key", "Success", ("Success", "success"), "spelling of the key", "reference"
    ),
    Switch("bulk_index_base", 0, (0, 1), "first contact number in failureReasons", "guess"),
    Switch(
        "bulk_reasons",
        "all",
        ("all", "first", "none"),
        "which contacts of a refused import failureReasons name",
        "guess",
    ),
    Switch(
        "bulk_refuses",
        "",
        (),
        "contacts whose address has this text in it are refused, and their import with them",
        "guess",
    ),
    Switch(
        "bulk_value_validation",
        "none",
        ("none", "400", "failure"),
        "a value that its custom field can't have: stored, the import refused, or the contact not "
        "applied and named in failure",
        "guess",
    ),
    Switch(
        "bulk_fails",
        "",
        (),
        "contacts whose address has this text in it are not applied and named in failure",
        "status page",
    ),
    Switch(
        "bulk_excluded",
        "failure",
        ("failure", "silent"),
        "whether failure names contacts skipped for the exclusion list",
        "guess",
    ),
    Switch(
        "bulk_previously_unsubscribed",
        "kept",
        ("kept", "subscribed"),
        "whether an import subscribes somebody again who had left the list",
        "reference",
    ),
    Switch(
        "bulk_exclude_automations",
        "either",
        ("either", "contact", "top"),
        "where exclude_automations is read: in each contact, beside contacts, or both",
        "conflicting",
    ),
    Switch(
        "bulk_rate_limit", True, (), "100 imports a minute, 20 of a single contact", "reference"
    ),
    Switch("bulk_delay_seconds", 2.0, (), "from accepted to completed", "guess"),
    Switch(
        "bulk_order",
        "oldest",
        ("oldest", "newest"),
        "which of the imports that are due is applied first",
        "guess",
    ),
    Switch(
        "bulk_ends",
        "completed",
        ("completed", "failed", "interrupted"),
        "how imports end: with all contacts applied, none, or the first half",
        "status page",
    ),
    Switch(
        "bulk_success_list",
        "created",
        ("created", "all", "empty"),
        "whose ids success has: contacts created, all contacts applied, or nobody's",
        "conflicting",
    ),
    Switch("bulk_listed_after_seconds", 0.0, (), "from accepted to listed as outstanding", "guess"),
    Switch("bulk_empty_value", "overwrites", ("overwrites", "ignored"), 'what "" does', "guess"),
    Switch("bulk_unknown_field", "ignore", ("ignore", "400"), "an unknown field id", "guess"),
    Switch("bulk_unknown_batch", 404, (404, 200), "status of /import/info, unknown batch", "guess"),
)
