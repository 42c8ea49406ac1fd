"""A list, the selection that shall replace it, and what must come of it, in any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lists_support import OPTIN, REGULAR, recipients, row, selection
from simulators_support import Simulator

MAILING = 900001

Held = dict[str, tuple[str, dict[str, str | None]]]
"""A list: address and attributes by recipient id."""


def address(key: int) -> str:
    """Recipient id and address of a person."""
    return f"person{key}@example.com"


def values(key: int) -> dict[str, str | None]:
    """Attributes as `lists_support.row` and its list define them."""
    return {
        "email": address(key),
        "Vorname": f"Given{key}",
        "Nachname": f"Family{key}",
        "Land": "CH",
        "opt-in-id": f"optin-{key}",
        "description": "newsletter",
        "media-type": "email",
        "entity-type": "contact",
        "entity-id": str(key),
    }


def old_values(key: int) -> dict[str, str | None]:
    """Attributes before: another name than the selection has for three in four."""
    return {**values(key), "Vorname": f"Given{key}" if key % 4 == 0 else f"Before{key}"}


@dataclass(frozen=True)
class People:
    """`size` people are in the list; the selection has as many, four fifths of them the same.

    Of each kind of suppressed people one was in the list and one is new.
    """

    size: int

    @property
    def old(self) -> range:
        """Who is in the list before."""
        return range(1, self.size + 1)

    @property
    def wanted(self) -> range:
        """Whom the selection wants there."""
        return range(self.size // 5 + 1, self.size // 5 + self.size + 1)

    @property
    def batch(self) -> int:
        """Ten calls of addAll3."""
        return self.size // 10

    def _pair(self, number: int) -> tuple[int, int]:
        return self.wanted[self.size // 7 * number], self.wanted[-5 * number]

    @property
    def unsubscribed(self) -> tuple[int, ...]:
        """Unsubscribed from the client."""
        return self._pair(1)

    @property
    def blocked(self) -> tuple[int, ...]:
        """On the blocklist."""
        return self._pair(2)

    @property
    def bounced(self) -> tuple[int, ...]:
        """Over the limit of hard bounces."""
        return self._pair(3)

    @property
    def suppressed(self) -> set[int]:
        """Who must not get into the list."""
        return {*self.unsubscribed, *self.blocked, *self.bounced}

    def seed(self, sim: Simulator, held: Held | None = None) -> None:
        """Make the vendor hold it, with `held` in the list."""
        in_list = self.before() if held is None else held
        sim.seed({
            "recipients": [
                {"list": REGULAR, "id": key, "address": mail, "attributes": attributes}
                for key, (mail, attributes) in in_list.items()
            ] + [{"list": OPTIN, "id": address(key)} for key in self.bounced],
            "dispatches": [{"mailing": MAILING, "list": OPTIN}],
        })  # fmt: skip
        for key in self.bounced:
            sim.event("bounce", id=address(key), mailing=MAILING, kind="hard", times=3)
        sim.seed({
            "unsubscribes": [{"id": address(key)} for key in self.unsubscribed],
            "blocklist": [address(key) for key in self.blocked],
        })  # fmt: skip

    def messages(self) -> list[dict[str, Any]]:
        """The whole input."""
        return selection([row(key) for key in self.wanted])

    def before(self) -> Held:
        """The list as it is seeded."""
        return {address(key): (address(key), old_values(key)) for key in self.old}

    def after(self) -> Held:
        """The list as the selection wants it, without those who must not be there."""
        return {
            address(key): (address(key), values(key))
            for key in self.wanted
            if key not in self.suppressed
        }

    def restored(self) -> Held:
        """The list with its old content put back, without those who must not be there."""
        kept = {address(key) for key in self.old if key not in self.suppressed}
        return {key: one for key, one in self.before().items() if key in kept}


def held(sim: Simulator) -> Held:
    """The list as the vendor has it."""
    return {
        key: (one["address"], {k: v for k, v in one["attributes"].items() if v is not None})
        for key, one in recipients(sim).items()
    }
