"""The values that the rooms hand on: a wanted recipient, a stored row, a list's intent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

#: The technical fields of the vendor's CRM guide, article 4413192163725 (S1-13).
TECHNICAL = ("opt-in-id", "description", "media-type", "entity-type", "entity-id")

#: Kept by the vendor; localized by the locale that is asked for (recorded traffic).
SYSTEM_COLUMNS = frozenset(
    {
        "Erstellt am", "Geändert am", "Opt-in-Quelle", "Opt-in-Datum",
        "Created", "Modified", "Opt-in Source", "Opt-in Date",
        "BROADMAIL_ID", "WELLE_ID",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recipient:
    """One wanted row of a list: `values` in the order of the list's `names`, None for no value."""

    recipient_id: str
    address: str
    address_key: str
    entity_type: str
    entity_id: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A recipient on disk: one to send, or one the list held before; `pos` is its place.

    `pattern` tells the columns without value: with `null_values: omit` they are not sent, and one
    call can only carry rows of one pattern. `values` are in the order of the intent's names.
    """

    pos: int
    recipient_id: str
    address: str
    pattern: str
    values: tuple[str | None, ...]


class Phase(StrEnum):
    """How far an intent has come; every step is on disk before the next one begins."""

    CLEARING = "clearing"  # the old content is safe; `clear` may or may not have happened
    FILLING = "filling"  # the list was seen empty; rows before `next_pos` have their outcome
    RECONCILING = "reconciling"  # differences are being written; the list is never empty
    RESTORING = "restoring"  # the new content can't be had: the old one is being put back
    DONE = "done"
    RESTORED = "restored"
    ABANDONED = "abandoned"  # nothing was changed


#: Phases in which the list may be incomplete.
OPEN_PHASES = (Phase.CLEARING, Phase.FILLING, Phase.RECONCILING, Phase.RESTORING)


@dataclass(frozen=True, slots=True)
class Intent:
    """What is being done to a list, as the journal has it.

    `names` and `snapshot_names` are the attributes of wanted and stored rows, `digest` and
    `snapshot_digest` prove that the rows on disk are those that were meant.
    """

    id: int
    phase: Phase
    opened_at: str
    consent: str
    names: tuple[str, ...]
    digest: str
    rows: int
    snapshot_names: tuple[str, ...]
    snapshot_digest: str
    snapshot_rows: int


class Kind(StrEnum):
    """Kinds of recipient lists as the vendor's user interface names them."""

    REGULAR = "regular"
    OPTIN = "optin"
    TRANSACTION = "transaction"


@dataclass(frozen=True, slots=True)
class Changes:
    """What makes a list what it should be: positions to add and to update, ids to remove."""

    add: Sequence[int]
    update: Sequence[int]
    remove: Sequence[str]
