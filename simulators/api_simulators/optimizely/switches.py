"""Every guess about Optimizely Campaign's SOAP side, with its default and what flips.

Basis: *docs* is the vendor's documentation, *recorded* a published recording of the real server,
*Axis* the source of the SOAP engine (Apache Axis 1.4), *clients* are programs in production.
"""

from __future__ import annotations

from api_simulators.optimizely.recipient_switches import RECIPIENTS, VALUES
from api_simulators.optimizely.response_switches import RESPONSE_TABLE
from api_simulators.switches import Switch

SESSIONS: tuple[Switch, ...] = (
    Switch(
        "session_expiry",
        "absolute",
        ("absolute", "sliding"),
        "whether a session's age counts from the login or from its last call",
        "docs, ambiguous",
    ),
    Switch("session_minutes", 20, (), "how long a session lives", "docs"),
    Switch(
        "allowed_operations",
        "",
        (),
        "comma list of operations users may call, as operation or Service.operation; empty allows "
        "all",
        "docs",
    ),
    Switch(
        "denied_text",
        "User is not permitted to call this operation",
        (),
        "fault text of an operation the user may not call",
        "guess",
    ),
    Switch(
        "ip_refused",
        "off",
        ("off", "fault", "403"),
        "every call comes from an address that is not on the user's list: a fault, or HTTP 403",
        "docs; answer is a guess",
    ),
    Switch("connection_limit", 40, (), "connections open at the same time; 0 is no limit", "docs"),
    Switch(
        "over_connection_limit",
        "503",
        ("503", "fault"),
        "answer on a connection over the limit",
        "guess",
    ),
)

WIRE: tuple[Switch, ...] = (
    Switch(
        "reason_phrase",
        "empty",
        ("empty", "sent"),
        "whether status lines carry a reason phrase",
        "docs",
    ),
    Switch("chunked_replies", True, (), "SOAP answers come in chunks", "recorded"),
    Switch(
        "fault_detail",
        "hostname",
        ("hostname", "stacktrace"),
        "what the detail of a fault holds; stacktrace adds to the hostname",
        "recorded",
    ),
    Switch(
        "multiref_order",
        "scrambled",
        ("scrambled", "document"),
        "order of the multiRef elements after the answer",
        "recorded",
    ),
    Switch(
        "int_arrays",
        "multiref",
        ("multiref", "inline"),
        "items of long[], int[] and boolean[]: references, or values in place",
        "recorded until 2019",
    ),
    Switch(
        "astral_references",
        "code_point",
        ("code_point", "surrogates"),
        "emoji in answers: one character reference, or two surrogates, which is no XML",
        "guess",
    ),
    Switch(
        "untyped_rows",
        "fault",
        ("fault", "accepted"),
        "a string[][] without arrayType or xsi:type on its rows",
        "guess",
    ),
    Switch(
        "wsdl_schema_location",
        False,
        (),
        "the WSDL's import of the SOAP encoding schema says where to find it",
        "false is recorded",
    ),
)

SUPPRESSION: tuple[Switch, ...] = (
    Switch(
        "unsubscribe_store",
        "client",
        ("client", "list"),
        "unsubscribes count for all lists, or for the list they were made on",
        "docs",
    ),
    Switch(
        "contains_all_case",
        "exact",
        ("exact", "folded"),
        "whether Unsubscribe.contains and containsAll see ids that differ by case",
        "guess",
    ),
    Switch("hard_bounce_limit", 3, (), "hard bounces that suspend a recipient", "docs"),
    Switch("soft_bounce_limit", 5, (), "soft bounces that suspend a recipient", "docs"),
    Switch(
        "bounce_overflow",
        "at_limit",
        ("at_limit", "over_limit"),
        "suspended with the bounce that reaches the limit, or with the one after",
        "guess",
    ),
)

LISTS: tuple[Switch, ...] = (
    Switch(
        "list_kind_shown",
        "dataset",
        ("dataset", "optin_columns", "nowhere"),
        "where a list's kind can be seen: RecipientList.getDataSet has a column Type, or only "
        "opt-in lists have the columns Opt-in Source and Opt-in Date, or nowhere",
        "guess",
    ),
)

TABLE: tuple[Switch, ...] = (
    *SESSIONS,
    *WIRE,
    *RECIPIENTS,
    *VALUES,
    *SUPPRESSION,
    *LISTS,
    *RESPONSE_TABLE,
)
