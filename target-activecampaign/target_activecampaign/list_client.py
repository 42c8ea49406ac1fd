"""Lists, memberships and tags of ActiveCampaign's v3 API: a method an endpoint, typed answers.

Sources: https://developers.activecampaign.com/reference (slug in each docstring).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from target_kit.consent import Method
from target_kit.errors import CallRefused
from target_kit.http import Safety

from target_activecampaign.endpoints import Endpoints, rows_of, text_of
from target_activecampaign.model import Membership
from target_activecampaign.planning import PAGE
from target_activecampaign.states import membership_of

DEFAULT_PAGE = 20  # rows a server that ignores `limit` was seen to send
_API_SOURCE = 4  # what the vendor asks for in re-subscriptions


@dataclass(frozen=True, slots=True)
class MailingList:
    """A list; `channel` is email or sms."""

    id: str
    name: str
    channel: str


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """What a write of a membership tells: None where the answer does not say it, as when nothing
    was changed.
    """

    membership: Membership
    bounces: int | None


class ListEndpoints(Endpoints):
    """Who is on which list, and who carries which tag."""

    def lists(self) -> list[MailingList]:
        """Every list of the account (retrieve-all-lists)."""
        return [
            MailingList(
                text_of(row.get("id")),
                text_of(row.get("name")),
                text_of(row.get("channel")) or "email",
            )
            for body in self.pages("/api/3/lists", "lists", "lists")
            for row in rows_of(body, "lists")
        ]

    def set_status(self, contact_id: str, list_id: str, method: Method) -> StatusAnswer:
        """Subscribe or unsubscribe (update-list-status-for-contact).

        The vendor re-subscribes whoever is named, people who left by themselves too, so that a
        subscription is never repeated blindly; an unsubscription may be.
        """
        leaving = method is Method.UNSUBSCRIBE
        wanted: dict[str, Any] = {
            "list": int(list_id),
            "contact": int(contact_id),
            "status": 2 if leaving else 1,
        }
        if not leaving:
            wanted["sourceid"] = _API_SOURCE
        safety = Safety.CONVERGENT if leaving else Safety.UNSAFE
        payload = {"contactList": wanted}
        body = self.write("POST", "/api/3/contactLists", "contactLists", payload, safety)
        contacts = rows_of(body, "contacts")
        bounces = bounces_of(contacts[0]) if contacts else None
        return StatusAnswer(_membership(body["contactList"]), bounces)

    def tags(self) -> dict[str, str]:
        """Every contact tag's name by its id (retrieve-all-tags)."""
        return {
            text_of(row.get("id")): text_of(row.get("tag"))
            for body in self.pages("/api/3/tags", "tags", "tags")
            for row in rows_of(body, "tags")
            if row.get("tagType", "contact") == "contact"
        }

    def create_tag(self, name: str) -> str:
        """Create a tag and return its id (create-a-new-tag); a taken name is refused."""
        tag = {"tag": name, "tagType": "contact", "description": ""}
        body = self.write("POST", "/api/3/tags", "tags", {"tag": tag}, Safety.UNSAFE)
        return text_of(body["tag"]["id"])

    def tags_of(self, contact_id: str) -> dict[str, str]:
        """A contact's tags: ids of the relations by tag id (contacts/{id}/contactTags).

        Whether this page is ever cut is not documented: a full one is followed by the next.
        """
        found: dict[str, str] = {}
        path, offset = f"/api/3/contacts/{contact_id}/contactTags", 0
        while True:
            params = [("limit", str(PAGE)), ("offset", str(offset))]
            try:
                body = self.get(path, route="contacts/{id}/contactTags", params=params)
            except CallRefused as refused:
                if refused.status == 404:  # the contact is gone, its tags with it
                    return {}
                raise
            page = relations_of(body).get(contact_id, {})
            news = page.keys() - found.keys()
            found.update(page)
            offset += len(page)
            if not news or len(page) < DEFAULT_PAGE:
                return found

    def add_tag(self, contact_id: str, tag_id: str) -> str:
        """Tag a contact and return the relation's id (create-contact-tag); may be repeated."""
        payload = {"contactTag": {"contact": int(contact_id), "tag": int(tag_id)}}
        body = self.write("POST", "/api/3/contactTags", "contactTags", payload, Safety.CONVERGENT)
        return text_of(body["contactTag"]["id"])

    def remove_tag(self, relation_id: str) -> None:
        """Take a tag from a contact, by the relation's id (remove-a-contacts-tag)."""
        path = f"/api/3/contactTags/{relation_id}"
        self.write("DELETE", path, "contactTags/{id}", None, Safety.SAFE)


def memberships_in(body: Mapping[str, Any]) -> dict[str, dict[str, Membership]]:
    """The memberships that came along with contacts, by contact and list."""
    found: dict[str, dict[str, Membership]] = {}
    for row in rows_of(body, "contactLists"):
        of_contact = found.setdefault(text_of(row.get("contact")), {})
        of_contact[text_of(row.get("list"))] = _membership(row)
    return found


def relations_of(body: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The tag relations in an answer, by contact and tag."""
    found: dict[str, dict[str, str]] = {}
    for row in rows_of(body, "contactTags"):
        of_contact = found.setdefault(text_of(row.get("contact")), {})
        of_contact[text_of(row.get("tag"))] = text_of(row.get("id"))
    return found


def bounces_of(contact: Mapping[str, Any]) -> int:
    """Hard bounces of a contact; a count that can't be read counts as one."""
    text = text_of(contact.get("bounced_hard")) or "0"
    return int(text) if text.isdecimal() else 1


def _membership(row: Mapping[str, Any]) -> Membership:
    return membership_of(text_of(row.get("status")), text_of(row.get("udate")))
