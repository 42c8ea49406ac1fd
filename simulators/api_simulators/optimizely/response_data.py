"""What came back from mailings, and what is still to be told: the response side of one client.

Times are seconds since 1970. Nothing here decides anything; `dispatch` fills it, `export_jobs`
turns what is waiting into files, and the services and REST endpoints read it.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field

from api_simulators.optimizely.export_columns import Happening
from api_simulators.optimizely.export_files import ExportFiles

RESPONSE_CATEGORIES = ("hardbounce", "softbounce", "autoresponder", "unknown")


@dataclass(slots=True, frozen=True)
class Mail:
    """One message to one recipient; its id is what `{bmMailId}` stands for in a mailing."""

    id: str
    mailing_id: int
    list_id: int
    recipient_id: str
    sent: float


@dataclass(slots=True, frozen=True)
class Response:
    """One mail that came back: a bounce, an autoresponder or a reply."""

    mail_id: str
    mailing_id: int
    list_id: int
    recipient_id: str
    category: str
    subject: str
    rule_name: str
    created: float
    media_type: str = "EMAIL"


@dataclass(slots=True)
class Wave:
    """A closed-loop import: a list of the pool, filled and then sent once."""

    id: int
    template_id: int
    list_id: int
    due: float | None = None
    mailing_id: int = 0


@dataclass(slots=True)
class Link:
    """A tracking link of a mailing."""

    id: int
    mailing_id: int
    name: str
    url: str


@dataclass(slots=True)
class ResponseData:
    """Mails, responses, waves, links, export files, and what waits for the next export job.

    `waiting` has what happened with the time the vendor learnt of it, `first_noted` the earliest
    of these; `unsubscribes_told` counts the unsubscribes already taken over; `bounced_out` are the
    recipients already reported.
    """

    files: ExportFiles = field(default_factory=ExportFiles)
    waiting: list[tuple[float, Happening]] = field(default_factory=list)
    first_noted: float = math.inf
    mails: dict[str, Mail] = field(default_factory=dict)
    responses: list[Response] = field(default_factory=list)
    campaigns: dict[int, str] = field(default_factory=dict)
    links: dict[int, Link] = field(default_factory=dict)
    waves: dict[int, Wave] = field(default_factory=dict)
    unsubscribes_told: int = 0
    bounced_out: set[str] = field(default_factory=set)

    def tell(self, noted: float, happening: Happening) -> None:
        """Put something on the way to the export files."""
        self.waiting.append((noted, happening))
        self.first_noted = min(noted, self.first_noted)

    def keep_waiting(self, left: list[tuple[float, Happening]]) -> None:
        """Let only these wait on."""
        self.waiting = left
        self.first_noted = min((noted for noted, _ in left), default=math.inf)


def mail_id(mailing_id: int, list_id: int, recipient_id: str) -> str:
    """Return the id of a message: opaque, and the same for the same message."""
    told = f"{mailing_id}/{list_id}/{recipient_id}".encode()
    return hashlib.sha256(told).hexdigest()[:20].upper()
