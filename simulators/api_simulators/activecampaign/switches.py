"""Every guess about ActiveCampaign, with the default this simulator takes and what flips."""

from __future__ import annotations

from api_simulators.activecampaign.import_switches import IMPORTS
from api_simulators.activecampaign.stamps import is_zone
from api_simulators.activecampaign.untrue_answers import UNTRUE
from api_simulators.switches import Switch

TABLE: tuple[Switch, ...] = (
    # Transport
    Switch("bad_token_status", 403, (403, 401), "status of a missing or wrong Api-Token", "guess"),
    Switch(
        "bad_token_body",
        "json",
        ("json", "html", "empty"),
        "body of the answer to a missing or wrong Api-Token",
        "guess",
    ),
    Switch("account_lapsed", False, (), "true: every call answers 402", "errors page"),
    Switch("forbidden", "", (), "comma list of resources the key may not use", "errors page"),
    Switch("rate_limit", True, (), "requests over the limit are refused", "rate-limits page"),
    Switch(
        "rate_limit_per_second", 5, (), "the limit, over one sliding second", "rate-limits page"
    ),
    Switch("rate_limit_status", 429, (429, 503), "status over the limit; 503 before 2022", "seen"),
    Switch(
        "ratelimit_headers",
        "all",
        ("all", "only_429", "never"),
        "which answers carry RateLimit-Limit and RateLimit-Remaining",
        "guess",
    ),
    Switch(
        "too_many_requests_body",
        "json",
        ("json", "empty", "html"),
        "body of an answer over the limit",
        "guess",
    ),
    Switch("retry_after", "1", (), "Retry-After over the limit; empty sends none", "seen"),
    Switch("unknown_path", "json", ("json", "html"), "body of the 404 of an unknown path", "guess"),
    Switch(
        "patch_supported", True, (), "PATCH works like PUT on contacts, accounts, lists", "seen"
    ),
    Switch(
        "account_timezone",
        "America/Chicago",
        (),
        "the zone all times are written in",
        "seen",
        check=is_zone,
    ),
    Switch(
        "null_date",
        "null",
        ("null", "0000-00-00", "0000-00-00 00:00:00"),
        "how a moment that never was is written",
        "seen, conflicting",
    ),
    Switch("echo_types", True, (), "create answers repeat the JSON type that was sent", "seen"),
    # Contacts
    Switch(
        "contacts_sync_plural",
        "404",
        ("404", "create"),
        "what POST /contacts/sync is: no such path, or a plain create",
        "seen, conflicting",
    ),
    Switch("sync_created_status", 201, (201, 200), "status of contact/sync on create", "reference"),
    Switch(
        "put_email_conflict",
        "nothing_applied",
        ("nothing_applied", "others_applied", "email_ignored"),
        "PUT with an address of another contact: 422 and nothing applied, 422 with the other "
        "attributes applied, or 200 without the address",
        "guess",
    ),
    Switch("email_case", "preserve", ("preserve", "lower"), "how an address is stored", "guess"),
    Switch(
        "put_email_case_only",
        "applied",
        ("applied", "kept"),
        "PUT with the contact's own address in other letters: stored, or 200 with the old spelling",
        "guess",
    ),
    Switch("email_trim", True, (), "blanks around an address are cut off", "guess"),
    Switch(
        "email_validation",
        "at_sign",
        ("at_sign", "strict", "none"),
        "what counts as an address: text@text, or also ASCII, one @ and a dotted domain",
        "guess",
    ),
    Switch(
        "email_reserved_domains",
        True,
        (),
        "addresses under .invalid, .test, .example and .localhost are taken; false refuses them",
        "guess",
    ),
    Switch(
        "excluded_address",
        "accepted",
        ("accepted", "422"),
        "a contact is given an address of the exclusion list",
        "guess",
    ),
    Switch("email_unique_ignores_case", True, (), "A@x and a@x are one address", "guess"),
    Switch("email_filter_ignores_case", True, (), "GET /contacts?email= finds any case", "guess"),
    Switch(
        "archived_email_reserved",
        False,
        (),
        "the address of a deleted contact stays taken",
        "guess",
    ),
    Switch(
        "deleted_contact_readable",
        False,
        (),
        "GET /contacts/{id} of a deleted contact: 404, or true: the archived contact",
        "guess",
    ),
    Switch("delete_quota", 0, (), "most contacts that can be deleted; 0 is no limit", "guess"),
    Switch("delete_quota_status", 403, (403, 422), "status of a delete over the quota", "guess"),
    Switch(
        "null_attribute",
        "clears",
        ("clears", "ignored", "422"),
        "null for firstName, lastName or phone",
        "guess",
    ),
    Switch(
        "cdate_writable",
        "on_create",
        ("on_create", "always", "never"),
        "when a cdate sent with a contact is stored",
        "guess",
    ),
    Switch("idle_update_bumps_udate", True, (), "an update without a change moves udate", "guess"),
    Switch(
        "related_writes_bump_udate",
        True,
        (),
        "writes of values, lists, tags and notes move the contact's udate",
        "seen",
    ),
    Switch("contact_limit", 0, (), "most contacts the plan allows; 0 is no limit", "guess"),
    Switch("contact_limit_status", 403, (403, 422), "status of a create over the limit", "guess"),
    # Reading
    Switch("include_supported", True, (), "include= on GET /contacts sideloads", "seen"),
    Switch(
        "id_greater_supported", True, (), "id_greater and id_less page GET /contacts", "reference"
    ),
    Switch("ids_filter_max", 0, (), "ids[] beyond so many are ignored; 0 is no limit", "guess"),
    Switch(
        "fields_default_limit", 20, (20, 100), "page size of /fields without limit", "conflicting"
    ),
    Switch(
        "filters_val_match",
        "equals",
        ("equals", "contains"),
        "how filters[val] on /fieldValues compares",
        "guess",
    ),
    Switch("filters_val_ignores_case", True, (), "filters[val] ignores case", "guess"),
    Switch(
        "date_filter_inclusive",
        False,
        (),
        "filters[updated_after] and [created_after] also find what changed in that very second",
        "guess",
    ),
    Switch(
        "date_filter_offset",
        "heeded",
        ("heeded", "ignored"),
        "the offset of a moment in filters[..._after]: heeded, or taken for account time",
        "guess",
    ),
    Switch(
        "search_lag_seconds",
        0.0,
        (),
        "a write is visible by id at once, in lists and searches so much later",
        "guess",
    ),
    # Custom fields
    Switch(
        "field_value_validation",
        "none",
        ("none", "strict"),
        "strict: numbers, dates and options of custom fields are checked, 422",
        "guess",
    ),
    Switch(
        "datetime_storage",
        "account_zone",
        ("account_zone", "as_sent"),
        "a moment in a custom field is kept in the zone of the account, or as it came",
        "custom fields page",
    ),
    Switch(
        "unknown_inline_field",
        "ignore",
        ("ignore", "422", "403"),
        "a fieldValues entry whose field does not exist",
        "guess",
    ),
    Switch(
        "inline_field_values_on_put",
        "works",
        ("works", "ignored"),
        "whether PUT /contacts/{id} applies fieldValues",
        "seen",
    ),
    Switch(
        "cleared_value",
        "empty_row",
        ("empty_row", "row_removed"),
        'what "" makes of a field value',
        "guess",
    ),
    Switch(
        "field_options_path",
        "both",
        ("both", "fieldOption", "fieldOptions"),
        "where options of fields are created: fieldOption/bulk, fieldOptions/bulk, or both",
        "conflicting",
    ),
    Switch("max_value_length", 0, (), "longest field value, longer is 422; 0 is no limit", "guess"),
    # Lists and tags
    Switch(
        "contactlists_new_row_status", 201, (201, 200), "POST /contactLists, new row", "conflicting"
    ),
    Switch(
        "contactlists_unknown_list", 404, (404, 422), "POST /contactLists, no such list", "guess"
    ),
    Switch(
        "resubscribe_requires_sourceid",
        False,
        (),
        "2 to 1 is silently ignored unless sourceid is 4",
        "guess",
    ),
    Switch("bounced_resubscribe", True, (), "3 to 1 is applied; false ignores it", "guess"),
    Switch(
        "api_subscription",
        "active",
        ("active", "unconfirmed"),
        "what writing 1 makes of somebody who was never active: active, or unconfirmed until they "
        "confirm",
        "guess",
    ),
    Switch(
        "membership_udate",
        "unsubscribed",
        ("unsubscribed", "never", "any_change"),
        "udate of a membership: when it was unsubscribed, never told, or its last change of any "
        "kind",
        "guess",
    ),
    Switch(
        "repeated_unsubscribe",
        "no_change",
        ("no_change", "moves_udate"),
        "writing 2 where it is 2 already",
        "seen",
    ),
    Switch(
        "contactlists_contacts",
        "on_change",
        ("on_change", "always", "never"),
        "whether POST /contactLists answers with the contact beside the membership",
        "seen",
    ),
    Switch(
        "contact_parts_paged",
        False,
        (),
        "GET /contacts/{id}/contactLists and the like come in pages of 20, at most 100",
        "guess",
    ),
    Switch("tag_duplicate_status", 422, (422, 409, 200), "POST /tags of a taken name", "guess"),
    # Accounts
    Switch("plan_accounts", True, (), "accounts are in the plan; false answers 403", "seen"),
    Switch("account_name_ignores_case", True, (), "Acme and ACME are one account", "guess"),
    Switch(
        "account_search",
        "contains",
        ("contains", "equals", "ignored"),
        "how search= on GET /accounts compares names; ignored answers with all",
        "guess",
    ),
    Switch(
        "account_url",
        "as_sent",
        ("as_sent", "completed"),
        "an accountUrl is kept as it came, or with a scheme put before it",
        "guess",
    ),
    Switch(
        "account_inline_fields",
        "works",
        ("works", "ignored"),
        "whether POST and PUT of an account apply its fields",
        "reference",
    ),
    Switch(
        "account_value_twice",
        "overwrites",
        ("overwrites", "422"),
        "POST /accountCustomFieldData where the account has a value",
        "guess",
    ),
    Switch(
        "account_choices",
        "array",
        ("array", "json_text"),
        "several choices are answered as an array, or as the text of one",
        "guess",
    ),
    Switch(
        "account_currency_shown",
        True,
        (),
        "values of currency fields are answered with their fieldCurrency",
        "guess",
    ),
    *IMPORTS,
    *UNTRUE,
)
