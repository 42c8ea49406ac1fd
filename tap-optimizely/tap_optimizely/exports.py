"""Which streams there are, from which exports each is read, and the words of settings. Pure data.

Names of operations: developer documentation, ClosedLoopWebservice.
"""

from __future__ import annotations

from dataclasses import dataclass

REST = "rest"
CLOSED_LOOP = "closed_loop"
CSV = "csv"
BOTH = "both"
SOURCES = (BOTH, REST, CLOSED_LOOP)

BY_LIST = "by_list"
CLIENT = "client"
SCOPES = (BY_LIST, CLIENT)

DEFAULT_API_URL = "https://api.campaign.episerver.net/soap11"
DAY_SECONDS = 86_400

UNSUBSCRIBES = "unsubscribes"
BOUNCES = "bounces"
BLOCKLIST = "blocklist"


@dataclass(frozen=True, slots=True)
class Export:
    """One export of the closed loop: its name in settings and the operation that reads it."""

    name: str
    operation: str


EXPORTS: dict[str, tuple[Export, ...]] = {
    UNSUBSCRIBES: (
        Export("unsubscribes", "getUnsubscribes"),
        Export("mailing_unsubscribes", "getMailingUnsubscribes"),
    ),
    BOUNCES: (Export("outbounces", "getOutBounces"), Export("responses", "getResponses")),
    "opens": (Export("opens", "getOpens"),),
    "clicks": (Export("clicks", "getClicks"),),
    "sent": (Export("sent", "getRecipients"),),
    "mailings": (Export("mailings", "getMailings"),),
    "links": (Export("links", "getLinks"),),
    BLOCKLIST: (),
}
STREAMS = tuple(EXPORTS)
EXPORT_NAMES = tuple(export.name for exports in EXPORTS.values() for export in exports)
CSV_STREAMS = (UNSUBSCRIBES, BOUNCES)
# S1-39, S1-40, S1-44: worth something only to a campaign of the CRM.
CAMPAIGN_STREAMS = frozenset({"opens", "clicks"})
