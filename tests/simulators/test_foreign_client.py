"""The PyPI client activecampaign-python, written by others, works against the simulator."""

from __future__ import annotations

import pytest
from activecampaign.client import Client
from simulators_support import Simulator

LIST = {
    "list": {
        "name": "News",
        "stringid": "news",
        "sender_url": "https://example.com",
        "sender_reminder": "You signed up.",
    }
}


@pytest.fixture
def client(simulator: Simulator) -> Client:
    return Client(simulator.url, "sim-key")


def test_it_learns_whose_key_it_has(client: Client) -> None:
    """Users are read by me, by id, by address and by name."""
    me = client.users.retrieve_logged_in_user()["user"]
    assert me["id"] == "1"
    assert client.users.retrieve_a_user("1")["user"] == me
    assert client.users.retrieve_a_user_by_email(me["email"])["user"]["id"] == "1"
    assert client.users.retrieve_a_user_by_username(me["username"])["user"]["id"] == "1"
    assert client.users.list_all_users()["meta"]["total"] == "1"


def test_it_takes_a_contact_through_its_life(client: Client) -> None:
    """A contact is created, read, listed, synced, renamed and deleted."""
    contact = {"email": "ada@example.com", "firstName": "Ada"}
    number = client.contacts.create_a_contact({"contact": contact})["contact"]["id"]
    assert client.contacts.retrieve_a_contact(number)["contact"]["firstName"] == "Ada"
    synced = {"contact": {"email": "ada@example.com", "phone": "+41 44 000 00 00"}}
    assert client.contacts.create_or_update_contact(synced)["contact"]["id"] == number
    renamed = client.contacts.update_a_contact(number, {"contact": {"email": "b@example.com"}})
    assert renamed["contact"]["email"] == "b@example.com"
    listed = client.contacts.list_all_contacts(email="b@example.com")["contacts"]
    assert [found["phone"] for found in listed] == ["+41 44 000 00 00"]
    assert client.contacts.delete_a_contact(number) == {}
    assert client.contacts.list_all_contacts()["contacts"] == []


def test_it_defines_fields_and_writes_values(client: Client) -> None:
    """Custom fields, options, relations and values go through every call the client has."""
    contacts = client.contacts
    field = contacts.create_a_custom_field({"field": {"title": "Land", "type": "dropdown"}})
    number = field["field"]["id"]
    contacts.create_a_custom_field_relationship_to_list({"fieldRel": {"field": number, "relid": 0}})
    option = {"orderid": 1, "value": "CH", "label": "Switzerland", "field": number}
    contacts.create_custom_field_options({"fieldOptions": [option]})
    assert contacts.retrieve_field_options(number)["fieldOptions"][0]["label"] == "Switzerland"
    assert contacts.retrieve_a_custom_field(number)["field"]["relations"] == ["1"]
    contacts.update_a_custom_field(number, {"field": {"title": "Country"}})
    assert contacts.list_all_custom_fields()["fields"][0]["title"] == "Country"

    person = contacts.create_a_contact({"contact": {"email": "ada@example.com"}})["contact"]["id"]
    value = {"fieldValue": {"contact": person, "field": number, "value": "CH"}}
    row = contacts.create_a_custom_field_value(value)["fieldValue"]["id"]
    value["fieldValue"]["value"] = "DE"
    contacts.update_a_custom_field_value_for_contact(value, row)
    assert contacts.retrieve_a_custom_field_value(row)["fieldValue"]["value"] == "DE"
    assert len(contacts.list_all_custom_field_values()["fieldValues"]) == 1
    assert len(contacts.retrieve_a_contacts_field_values(person)["fieldValues"]) == 1
    assert contacts.delete_a_custom_field_value(row) == {}
    assert contacts.delete_a_custom_field(number) == {}


def test_it_subscribes_and_tags(client: Client) -> None:
    """Lists and tags are made, put on a contact, and taken away."""
    person = client.contacts.create_a_contact({"contact": {"email": "a@example.com"}})
    number = person["contact"]["id"]
    news = client.lists.create_a_list(LIST)["list"]["id"]
    client.lists.create_a_list_group_permission({"listGroup": {"listid": news, "groupid": 1}})
    standing = {"contactList": {"list": news, "contact": number, "status": 1}}
    client.contacts.update_list_status_for_a_contact(standing)
    assert client.lists.retrieve_a_list(news)["list"]["active_subscribers"] == "1"
    assert client.lists.retrieve_all_lists()["meta"]["total"] == "1"

    tag = client.tags.create_a_tag({"tag": {"tag": "vip", "tagType": "contact"}})["tag"]["id"]
    row = client.contacts.add_a_tag_to_contact({"contactTag": {"contact": number, "tag": tag}})
    assert client.tags.retrieve_a_tag(tag)["tag"]["subscriber_count"] == "1"
    client.tags.update_a_tag(tag, {"tag": {"description": "Very important"}})
    assert client.tags.list_all_tags(search="VI")["tags"][0]["description"] == "Very important"
    assert len(client.contacts.retrieve_contact_tags(number)["contactTags"]) == 1
    client.contacts.remove_a_tag_from_a_contact(row["contactTag"]["id"])
    assert client.contacts.retrieve_contact_tags(number)["contactTags"] == []
    assert client.tags.delete_a_tag(tag) == {}
    assert client.lists.delete_a_list(news) == {}


def test_it_reads_what_hangs_on_a_contact(simulator: Simulator, client: Client) -> None:
    """Every sub-resource the client knows answers with its own key."""
    simulator.seed(
        {
            "accounts": ["Example AG"],
            "automations": ["Welcome"],
            "contacts": [{"email": "a@example.com", "account": "Example AG"}],
        }
    )
    simulator.event("bounce", email="a@example.com")
    c = client.contacts
    enrolment = {"contactAutomation": {"contact": "1", "automation": "1"}}
    row = c.add_a_contact_to_an_automation(enrolment)["contactAutomation"]["id"]
    assert c.retrieve_an_automation_a_contact_is_in(row)["contactAutomation"]["contact"] == "1"
    assert len(c.list_all_automations_the_contacts_is_in("1")["contactAutomations"]) == 1
    assert c.list_all_automations_a_contact_is_in()["meta"]["total"] == "1"
    assert client.automations.list_all_automations()["automations"][0]["entered"] == "1"
    assert c.remove_a_contact_from_an_automation(row) == {}
    assert len(c.retrieve_a_contacts_bounce_logs("1")["bounceLogs"]) == 1
    assert c.retrieve_a_contacts_organization("1")["organization"]["name"] == "Example AG"
    assert len(c.retrieve_a_contacts_account_contacts("1")["accountContacts"]) == 1
    assert c.retrieve_a_contacts_data("1")["contactDatum"]["contact"] == "1"
    assert c.retrieve_a_contacts_score_value("1")["scoreValues"] == []
    assert c.retrieve_a_contacts_tracking_logs("1")["trackingLogs"] == []
    assert c.retrieve_a_contacts_geo_ips("1")["geoIps"] == []
    assert c.retrieve_a_contacts_automation_entry_counts("1")["automationEntryCounts"] == []
    assert client.activities.list_all_activities("1")["activities"] == []


def test_it_keeps_notes_and_webhooks(client: Client) -> None:
    """Notes and webhooks are created, changed, listed and deleted."""
    client.contacts.create_a_contact({"contact": {"email": "a@example.com"}})
    note = {"note": {"note": "Called", "relid": 1, "reltype": "Subscriber"}}
    number = client.notes.create_a_note(note)["note"]["id"]
    client.notes.update_a_note(number, {"note": {"note": "Wrote"}})
    assert client.notes.retrieve_a_note(number)["note"]["note"] == "Wrote"
    assert client.notes.list_all_notes()["meta"]["total"] == "1"
    assert client.notes.delete_a_note(number) == {}

    hook = {"name": "h", "url": "https://example.com", "events": ["update"], "sources": ["api"]}
    number = client.webhooks.create_a_webhook({"webhook": hook})["webhook"]["id"]
    client.webhooks.update_a_webhook(number, {"webhook": {"name": "renamed"}})
    assert client.webhooks.retrieve_a_webhook(number)["webhook"]["name"] == "renamed"
    assert client.webhooks.list_all_webhooks()["meta"]["total"] == "1"
    assert "update" in client.webhooks.list_all_webhook_events()["webhookEvents"]
    assert client.webhooks.delete_a_webhook(number) == {}


def test_it_is_refused_with_a_wrong_key(simulator: Simulator) -> None:
    """A key the account does not know is 403 for this client, too."""
    stranger = Client(simulator.url, "another-key")
    assert stranger.contacts.list_all_contacts() == {"message": "Forbidden"}
