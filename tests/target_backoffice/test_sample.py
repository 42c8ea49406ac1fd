"""The sample's leads, consents and dated addresses: the same for the same seed."""

from __future__ import annotations

from collections import Counter

from backoffice import database as sample
from backoffice.people import invent
from backoffice.recipients import (
    entities,
    invent_addresses,
    invent_consents,
    invent_leads,
    with_addresses,
)
from tap_support import Database
from target_backoffice_support import SHIPPED, Importer, complete, dump, fetch, unsubscribe


def test_the_sample_holds_every_case_that_feedback_meets() -> None:
    """S1-3 S1-14 S1-18: three types, shared and missing addresses, consents given and withdrawn."""
    organisations, contacts = invent(2000, 1)
    organisations = with_addresses(organisations, 1)
    leads = invent_leads(contacts, 1)
    everybody = entities(organisations, contacts, leads)
    consents, addresses = invent_consents(everybody, 1), invent_addresses(everybody, 1)
    assert leads == invent_leads(contacts, 1)
    assert consents == invent_consents(everybody, 1)
    assert addresses == invent_addresses(everybody, 1)
    of_contacts = {c.email for c in contacts}
    assert sum(lead.email in of_contacts for lead in leads) == len(leads) // 10 == 20
    assert 0 < sum(o.email is None for o in organisations) < len(organisations)
    assert Counter(c.purpose for c in consents).keys() == {"newsletter", "events"}
    assert {c.entity_type for c in consents} == {"contact", "lead", "account"}
    assert 0 < sum(c.withdrawn_at is not None for c in consents) < len(consents) // 10
    assert sum(a.valid_until is not None for a in addresses) > 20
    assert 0 < sum(a.bounced_at is not None for a in addresses) < 60
    domains = {a.email.rpartition("@")[2] for a in addresses if a.email.count("@") == 1}
    well_formed = {d for d in domains if " " not in d and ".." not in d and d}
    assert all(d.lower().endswith(("example.com", "example.org", "example.net"))
               for d in well_formed)  # fmt: skip


def test_a_changed_address_begins_a_new_line_of_its_history(database: Database) -> None:
    """S2-14: from when until when a person had an address stays known."""
    engine = sample.connect(database.url)
    sample.build(engine, count=200, seed=1)
    query = "SELECT email FROM contacts WHERE ctt_id = {0}"
    before = fetch(database, "SELECT ctt_id, email FROM contacts")
    changed = sample.change(engine, rows=5)[0]
    engine.dispose()
    old = dict(before)[changed]
    ((new,),) = fetch(database, query.format(changed))
    history = fetch(database, "SELECT email, valid_until IS NULL FROM address_history WHERE "
                              f"entity_type = 'contact' AND entity_id = '{changed}' "
                              "ORDER BY address_id DESC")  # fmt: skip
    assert [(email, bool(current)) for email, current in history[:2]] == [(new, True), (old, False)]


def test_the_sample_is_built_anew_after_an_import(importer: Importer) -> None:
    """Columns that the target has added are no obstacle, and what came back is gone."""
    engine = sample.connect(importer.database.url)
    sample.build(engine, count=100, seed=1)
    consents = dump(importer.database, "consents", "address_history")
    importer.config["streams"] = SHIPPED
    rows = [unsubscribe(n, entity_type="contact", entity_id=str(10000 + n)) for n in range(1, 30)]
    assert importer.take(complete(rows)).code == 0
    assert dump(importer.database, "consents", "address_history") != consents
    sample.build(engine, count=100, seed=1)
    engine.dispose()
    assert dump(importer.database, "consents", "address_history") == consents
    assert fetch(importer.database, "SELECT count(*) FROM marketing_unsubscribes") == [(0,)]
