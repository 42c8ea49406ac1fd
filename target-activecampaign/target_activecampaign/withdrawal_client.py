"""What taking a contact out of mailings needs beside lists and tags: a method an endpoint.

Sources: https://developers.activecampaign.com/reference (slug in each docstring).
"""

from __future__ import annotations

from target_kit.consent import Method
from target_kit.errors import RowError
from target_kit.http import Safety

from target_activecampaign.list_client import DEFAULT_PAGE, ListEndpoints, memberships_in
from target_activecampaign.planning import PAGE

ACTIVE = "1"


class WithdrawalEndpoints(ListEndpoints):
    """Memberships and tags of one contact, and its end."""

    def active_lists(self, contact_id: str) -> list[str]:
        """Ids of the lists this contact is active on (retrieve-contact-list-memberships).

        Whether this page is ever cut is not documented: it is followed by the next while that
        brings news.
        """
        path, found = f"/api/3/contacts/{contact_id}/contactLists", dict[str, str]()
        while True:
            params = [("limit", str(PAGE)), ("offset", str(len(found)))]
            body = self.get(path, route="contacts/{id}/contactLists", params=params)
            page = memberships_in(body).get(contact_id, {})
            news = page.keys() - found.keys()
            found |= {list_id: row.status for list_id, row in page.items()}
            if not news or len(page) < DEFAULT_PAGE:
                return [list_id for list_id, status in found.items() if status == ACTIVE]

    def sign_off(self, contact_id: str) -> list[str]:
        """Unsubscribe the contact wherever it is active, and read back that it is so.

        Returns the ids of the lists it was active on. Raises RowError `still_subscribed`.
        """
        lists = self.active_lists(contact_id)
        for list_id in lists:
            self.set_status(contact_id, list_id, Method.UNSUBSCRIBE)
        if lists and self.active_lists(contact_id):
            raise RowError("still_subscribed", "ActiveCampaign keeps the contact active on a list")
        return lists

    def delete_contact(self, contact_id: str) -> None:
        """Delete a contact for good (delete-a-contact); the caller reads back that it is gone."""
        path = f"/api/3/contacts/{contact_id}"
        self.api.call("DELETE", path, route="DELETE contacts/{id}", safety=Safety.SAFE)
