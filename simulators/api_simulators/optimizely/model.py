"""What a client (mandator) of Optimizely Campaign holds. Times are seconds since 1970."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from api_simulators.optimizely.blocklist_store import Blocklist
from api_simulators.optimizely.response_data import ResponseData
from api_simulators.optimizely.unsubscribe_store import Unsubscribes
from api_simulators.switches import Switches

DEFAULT_CLIENT = 1234
KINDS = ("regular", "optin", "transaction", "test")
TEXT_TYPES = frozenset({"STRING", "TEXT"})
TYPES = TEXT_TYPES | {
    "LONG",
    "INTEGER",
    "SHORT",
    "FLOAT",
    "DECIMAL",
    "DATE",
    "TIMESTAMP",
    "BOOLEAN",
}
CATEGORIES = ("hardbounce", "softbounce")


@dataclass(slots=True)
class Attribute:
    """A field of a recipient list; `length` 0 means no limit."""

    name: str
    type: str = "STRING"
    required: bool = False
    length: int = 0


@dataclass(slots=True)
class Recipient:
    """One row of a list. `values` holds what was stored under attribute names, as text."""

    id: str
    address: str
    values: dict[str, str | None]
    created: float
    modified: float
    optin_process: int = 0
    optin_finished: bool = True
    optin_source: str | None = None
    optin_date: float | None = None


@dataclass(slots=True)
class PendingClear:
    """A clear that was accepted and not carried out yet, and whom it will remove."""

    rows: dict[str, Recipient]
    polls_left: int
    due: float | None


@dataclass(slots=True)
class RecipientList:
    """A list with its fields and its recipients in the order they were stored.

    `id_field` names the attribute that shows the recipient id, where it is not the address.
    """

    id: int
    name: str
    kind: str
    attributes: dict[str, Attribute]
    created: float
    modified: float
    description: str = ""
    id_field: str = ""
    recipients: dict[str, Recipient] = field(default_factory=dict)
    folded: dict[str, str] = field(default_factory=dict)
    pending: PendingClear | None = None

    def find(self, recipient_id: str, *, fold: bool) -> Recipient | None:
        """Return the recipient; with `fold` upper and lower case are the same."""
        if fold:
            recipient_id = self.folded.get(recipient_id.casefold(), recipient_id)
        return self.recipients.get(recipient_id)

    def store(self, recipient: Recipient) -> None:
        """Append a recipient whose id is not in the list yet."""
        self.recipients[recipient.id] = recipient
        self.folded.setdefault(recipient.id.casefold(), recipient.id)

    def remove(self, recipient: Recipient) -> None:
        """Take a recipient out."""
        del self.recipients[recipient.id]
        folded = recipient.id.casefold()
        if self.folded.get(folded) == recipient.id:
            del self.folded[folded]

    def empty(self) -> None:
        """Take everybody out."""
        self.recipients.clear()
        self.folded.clear()


@dataclass(slots=True)
class Mailing:
    """A mailing and the lists it goes to."""

    id: int
    name: str
    type: str
    status: str
    lists: list[int]
    created: float
    subject: str = ""
    scheduled: float | None = None
    started: float | None = None
    finished: float | None = None
    sent: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class OptinProcess:
    """A way of confirming an opt-in: single, confirmed or double."""

    id: int
    name: str
    description: str
    type: str
    confirmation_mailing_id: int = 0
    confirmation_url: str = ""


@dataclass(slots=True)
class User:
    """An API user; `operations` lists what it may call, None means everything."""

    name: str
    password: str
    operations: frozenset[str] | None = None


@dataclass(slots=True)
class Session:
    """A login: 16 hexadecimal characters, good for all services of its client."""

    id: str
    client_id: int
    user: str
    created: float
    used: float
    locale: str = "de"
    media_type: str = "EMAIL"


class Client:
    """One client (mandator): its lists, suppression stores, mailings, and who may log in.

    `responses` has response data and dispatches (closed loop, mail ids).
    """

    def __init__(self, number: int, world: World) -> None:
        self.id = number
        self.world = world
        self.switches = world.switches
        self.now = world.now
        self.users: dict[str, User] = {}
        self.lists: dict[int, RecipientList] = {}
        self.unsubscribes = Unsubscribes()
        self.blocklist = Blocklist()
        self.bounces: dict[str, dict[str, int]] = {}
        self.mailings: dict[int, Mailing] = {}
        self.optin_processes: dict[int, OptinProcess] = {}
        self.tracking_opt_outs: set[str] = set()
        self.responses = ResponseData()
        self._last_id = 120000000000

    def next_id(self, wanted: int | None = None) -> int:
        """Return `wanted`, or an unused number of twelve digits for a list, mailing or process."""
        if wanted is not None:
            self._last_id = max(self._last_id, wanted)
            return wanted
        self._last_id += 1
        return self._last_id

    def bounce_limit(self, category: str) -> int:
        """Return how many bounces of a category suspend a recipient."""
        return int(
            self.switches["hard_bounce_limit" if category == "hardbounce" else "soft_bounce_limit"]
        )

    def is_bounced_out(self, recipient_id: str) -> bool:
        """Say whether a bounce counter has reached (or, by switch, passed) its limit."""
        counters = self.bounces.get(recipient_id)
        if not counters:
            return False
        beyond = 0 if self.switches["bounce_overflow"] == "at_limit" else 1
        return any(
            counters.get(category, 0) >= self.bounce_limit(category) + beyond
            for category in CATEGORIES
        )

    def is_unsubscribed(self, recipient_id: str, list_id: int) -> bool:
        """Say whether a mailing to this list skips the recipient as unsubscribed."""
        if self.unsubscribes.contains(0, recipient_id):
            return True
        return self.switches["unsubscribe_store"] == "list" and self.unsubscribes.contains(
            list_id, recipient_id
        )

    def unsubscribe_scope(self, list_id: int) -> int:
        """Return the store an unsubscribe on a list goes to: 0 is the client's."""
        return list_id if self.switches["unsubscribe_store"] == "list" else 0

    def find_mail(self, mail_id: str) -> tuple[int, int, str] | None:
        """Return mailing, list and recipient id of a message, if there is one of this id."""
        mail = self.responses.mails.get(mail_id)
        return (mail.mailing_id, mail.list_id, mail.recipient_id) if mail else None

    def resubscribe(self, recipient_id: str, list_id: int) -> None:
        """Take back the unsubscribes that a list's mailings respect."""
        self.unsubscribes.remove(0, recipient_id)
        if self.switches["unsubscribe_store"] == "list":
            self.unsubscribes.remove(list_id, recipient_id)

    def is_active(self, in_list: RecipientList, recipient: Recipient) -> bool:
        """Say whether a mailing to the list would reach the recipient."""
        return (
            recipient.optin_finished
            and not self.is_unsubscribed(recipient.id, in_list.id)
            and not self.blocklist.matches(recipient.address)
            and not self.is_bounced_out(recipient.id)
        )


class World:
    """All clients and all sessions of the simulated vendor."""

    def __init__(self, switches: Switches, now: Callable[[], float]) -> None:
        self.switches = switches
        self.now = now
        self.clients: dict[int, Client] = {}
        self.sessions: dict[str, Session] = {}

    def client(self, number: int) -> Client:
        """Return a client, made without users or lists if it is new."""
        if number not in self.clients:
            self.clients[number] = Client(number, self)
        return self.clients[number]
