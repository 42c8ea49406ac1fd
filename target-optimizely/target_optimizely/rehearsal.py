"""Campaign as a rehearsal sees it: what would be written is counted and never sent.

While a plan is made, everything is read as in a run. Once `begin` was called, the questions that
the rest of the run would ask are counted too, and answered from what was read: nobody who may be in
the list now is taken to be unsubscribed in a minute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from optimizely_soap.codec import Row
from optimizely_soap.session import SoapSession

from target_optimizely.client import READING, Campaign


class RehearsedCampaign(Campaign):
    """`calls` counts by operation what a run would call besides what was really read."""

    def __init__(self, session: SoapSession) -> None:
        super().__init__(session)
        self.calls: Counter[str] = Counter()
        self._size: int | None = None
        self._responses: dict[tuple[str, str], int] = {}

    @property
    def writes(self) -> int:
        """Those of `calls` that would write."""
        return sum(number for route, number in self.calls.items() if route not in READING)

    def begin(self, size: int) -> None:
        """From here on nothing is asked; the list has `size` recipients."""
        self._size = size

    def end(self) -> None:
        """Ask the vendor again: the next list has its turn."""
        self._size = None

    # ---- what would be written

    def clear(self, list_id: int) -> None:
        """See Campaign."""
        del list_id
        self._count("RpcRecipient.clear")
        self._size = 0

    def add_all3(
        self,
        list_id: int,
        optin_process: int,
        ids: Sequence[str],
        addresses: Sequence[str],
        names: Sequence[str],
        values: Sequence[Row],
    ) -> list[int]:
        """See Campaign; everybody is taken."""
        del list_id, optin_process, addresses, names, values
        if ids:
            self._count("RpcRecipient.addAll3")
            self._size = (self._size or 0) + len(ids)
        return [0] * len(ids)

    def remove_all(self, list_id: int, ids: Sequence[str]) -> list[bool]:
        """See Campaign."""
        del list_id
        if ids:
            self._count("RpcRecipient.removeAll")
            self._size = (self._size or 0) - len(ids)
        return [True] * len(ids)

    def set_attributes_in_batch_flat(
        self, list_id: int, ids: Sequence[str], names: Sequence[str], values: Sequence[Row]
    ) -> None:
        """See Campaign."""
        del list_id, names, values
        if ids:
            self._count("RpcRecipient.setAttributesInBatchFlat")

    # ---- what would be asked

    def count(self, list_id: int) -> int:
        """See Campaign."""
        if self._size is None:
            return super().count(list_id)
        self._count("RpcRecipient.getCount")
        return self._size

    def unsubscribed(self, ids: Sequence[str]) -> list[bool]:
        """See Campaign."""
        if self._size is None:
            return super().unsubscribed(ids)
        return self._nobody("RpcUnsubscribe.containsAll", ids)

    def unsubscribed_from(self, list_id: int, ids: Sequence[str]) -> list[bool]:
        """See Campaign."""
        if self._size is None:
            return super().unsubscribed_from(list_id, ids)
        return self._nobody("RpcUnsubscribe.containsAllByRecipientList", ids)

    def blocklisted(self, addresses: Sequence[str]) -> list[bool]:
        """See Campaign."""
        if self._size is None:
            return super().blocklisted(addresses)
        return self._nobody("RpcBlacklist.areBlacklisted", addresses)

    def response_counts(self, category: str, ids: Sequence[str]) -> list[int]:
        """See Campaign; the few who bounced are remembered."""
        if self._size is None:
            counts = super().response_counts(category, ids)
            found = zip(ids, counts, strict=True)
            self._responses |= {(category, one): number for one, number in found if number}
            return counts
        self._nobody("RpcResponse.getAllRecipientResponseCounts2", ids)
        return [self._responses.get((category, one), 0) for one in ids]

    def bounced_out(self, recipient_id: str) -> bool:
        """See Campaign."""
        if self._size is None:
            return super().bounced_out(recipient_id)
        self._count("RpcResponse.isBounceCounterThresholdExeeded")
        return False

    def _nobody(self, route: str, asked: Sequence[str]) -> list[bool]:
        if asked:
            self._count(route)
        return [False] * len(asked)

    def _count(self, route: str) -> None:
        self.calls[route] += 1
