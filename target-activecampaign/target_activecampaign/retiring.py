"""Giving a contact up for another address: signed off, then marked as the person's former one.

Restrictive before permissive: wherever a run ends, the old address is no longer active when the new
one begins to be (S2-17). The contact itself stays, since with it the unsubscriptions would go
(S2-20).
"""

from __future__ import annotations

from collections.abc import Iterable

from target_kit.consent import WITHDRAWALS
from target_kit.errors import RowError

from target_activecampaign.client import ActiveCampaign
from target_activecampaign.look import Look
from target_activecampaign.memory import Memory
from target_activecampaign.model import FORMER, Contact, Field
from target_activecampaign.past import ended
from target_activecampaign.withdrawal_client import WithdrawalEndpoints


class Retiring:
    """Gives contacts of one stream up; `key_field` keeps the backoffice key."""

    def __init__(
        self,
        client: ActiveCampaign,
        endpoints: WithdrawalEndpoints,
        look: Look,
        memory: Memory,
        key_field: Field,
    ) -> None:
        self._client = client
        self._withdrawals = endpoints
        self._look = look
        self._memory = memory
        self._key_field = key_field

    def note_move(self, contact: Contact, contact_id: str, lists: Iterable[str]) -> None:
        """Memberships that ended because the address changes, and for no word of the person's: who
        has the old address next may still be on these lists.
        """
        said = {consent.status for consent in contact.consents.values()}
        live = self._look.existing(contact_id)
        if live and not said & WITHDRAWALS:
            self._memory.carry(contact.identity, (ended(live, list_id) for list_id in lists))

    def give_up(self, contact: Contact, contact_id: str) -> None:
        """Sign the contact off wherever it is active, and mark its key as a former one.

        About 5 calls and 1 for each membership. Raises RowError `still_subscribed`,
        `key_not_given_up`, and what calls raise.
        """
        lists = self._withdrawals.sign_off(contact_id)
        live = self._look.refresh(contact_id)
        if live and lists:
            self._memory.carry(contact.identity, (ended(live, list_id) for list_id in lists))
        marked = FORMER + (contact.key_text or "")
        self._client.put_field_value(contact_id, self._key_field.id, marked)
        live = self._look.refresh(contact_id)
        if live and live.values.get(self._key_field.id, "").strip() != marked:
            raise RowError(
                "key_not_given_up", "ActiveCampaign kept the key of a contact that was signed off"
            )
