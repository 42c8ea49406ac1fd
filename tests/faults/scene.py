"""A small backoffice with all kinds of rows, what ActiveCampaign holds, what must come of it."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from target_support import record, schema, state

#: People who are the same on both sides.
STILL = 120
#: Rows without an address: skipped, but only in the last step. They spread that step over several
#: batches, so that several STATEs come out.
SKIPPED = 1100
STATE_EVERY = 90
FIELDS = [
    {"title": "BUBSCTTID", "type": "hidden", "perstag": "BUBSCTTID"},
    {"title": "LAND", "type": "text", "perstag": "LAND"},
    {"title": "SPRACHE", "type": "text", "perstag": "SPRACHE"},
    {"title": "MOBIL", "type": "text", "perstag": "MOBIL"},
]


def still(number: int) -> dict[str, Any]:
    """Seed of a contact that agrees with the backoffice."""
    return {
        "email": f"still{number}@example.com",
        "firstName": f"Still{number}",
        "fieldValues": {"BUBSCTTID": str(number), "LAND": "DE"},
    }


def seed() -> dict[str, Any]:
    """What the account holds before: still people, and those that changes happen to."""
    people = [still(number) for number in range(1, STILL + 1)]
    # Known by key, with another name and country in the backoffice.
    people += [keyed(n, f"known{n}@example.com", firstName="Before") for n in range(5001, 5011)]
    # Known by address only.
    people += [{"email": f"Adopt{n}@Example.com", "firstName": "Kept"} for n in range(5101, 5106)]
    # To be renamed.
    people += [keyed(n, f"old{n}@example.com") for n in range(5201, 5206)]
    # 5301 takes over the address that 5302 leaves; 5303 wants the address of a still person.
    people += [keyed(n, f"chain{n}@example.com") for n in (5301, 5302, 5303)]
    foreign = {"email": "foreign@example.com", "firstName": "Foreign"}
    people.append({**foreign, "fieldValues": {"LAND": "FR"}})
    return {"fields": FIELDS, "contacts": people}


def keyed(number: int, email: str, **more: Any) -> dict[str, Any]:
    """Seed of a contact that carries a backoffice key."""
    return {"email": email, "fieldValues": {"BUBSCTTID": str(number)}, **more}


def records() -> list[dict[str, Any]]:
    """The backoffice, in an order that spreads the changes over the whole input."""
    rows = [
        *(record(n, f"known{n}@example.com", given_name="After", org_country="AT")
          for n in range(5001, 5011)),
        *(record(n, f"adopt{n}@example.com", language_code="de") for n in range(5101, 5106)),
        *(record(n, f"new{n}@example.com", work_phone="+49 30 1") for n in range(5201, 5206)),
        record(5301, "chain5302@example.com"),
        record(5302, "chain-end@example.com"),
        record(5303, "still7@example.com"),  # taken: a named conflict
        record(5304, "no address"),  # no e-mail address: a named reject
        *(record(n, f"fresh{n}@example.com", given_name="Fresh", org_country="CH",
                 date_created="2020-02-29") for n in range(6001, 6013)),
        record(6013, given_name="Fresh", mobile_phone="+41 1"),
        *(record(n, f"still{n}@example.com", given_name=f"Still{n}", org_country="DE")
          for n in range(1, STILL + 1)),
    ]  # fmt: skip
    random.Random(1).shuffle(rows)
    gap = SKIPPED // len(rows)
    result: list[dict[str, Any]] = []
    for number in range(SKIPPED):
        nobody = record(20_000 + number)
        nobody["record"]["email"] = None
        result.append(nobody)
        if number % gap == 0 and rows:
            result.append(rows.pop())
    return result + rows


#: Rows (by key) that can't be delivered, with the cause that the rejects file names.
REJECTED = {5303: "address_taken", 5304: "email_syntax"}


def wanted() -> dict[str, dict[str, Any]]:
    """The account afterwards by address, written down without looking at the target's code."""
    result = {one["email"]: _person(**one) for one in seed()["contacts"]}
    for number in range(5001, 5011):
        address = f"known{number}@example.com"
        result[address] = _person(address, firstName="After", BUBSCTTID=str(number), LAND="AT")
    for number in range(5101, 5106):
        address = f"Adopt{number}@Example.com"
        result[address] = _person(address, firstName="Kept", BUBSCTTID=str(number), SPRACHE="de")
    for number in range(5201, 5206):
        del result[f"old{number}@example.com"]
        address = f"new{number}@example.com"
        result[address] = _person(address, phone="+49 30 1", BUBSCTTID=str(number))
    del result["chain5301@example.com"]
    result["chain5302@example.com"] = _person("chain5302@example.com", BUBSCTTID="5301")
    result["chain-end@example.com"] = _person("chain-end@example.com", BUBSCTTID="5302")
    for number in range(6001, 6013):
        address = f"fresh{number}@example.com"
        result[address] = _person(address, firstName="Fresh", BUBSCTTID=str(number), LAND="CH")
    address = "person6013@example.com"
    result[address] = _person(address, firstName="Fresh", BUBSCTTID="6013", MOBIL="+41 1")
    return result


def _person(email: str, **given: Any) -> dict[str, Any]:
    attributes = {name: given.pop(name, "") for name in ("firstName", "lastName", "phone")}
    values = given.pop("fieldValues", given)
    return {"email": email, **attributes, "values": {k: v for k, v in values.items() if v}}


def found(contacts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The simulator's contacts in the form of `wanted`."""
    names = ("email", "firstName", "lastName", "phone", "fieldValues")
    return {one["email"]: _person(**{name: one[name] for name in names}) for one in contacts}


def messages(*, after: int = 0) -> list[dict[str, Any]]:
    """SCHEMA, then the records after number `after` with a STATE (their number) in between."""
    rows = records()
    result: list[dict[str, Any]] = [schema()]
    for number, row in enumerate(rows, 1):
        if number > after:
            result.append(row)
            if number % STATE_EVERY == 0 or number == len(rows):
                result.append(state(number))
    return result


def assert_unique(contacts: list[dict[str, Any]]) -> None:
    """Nobody is there twice, by address or by backoffice key."""
    addresses = Counter(one["email"].strip().lower() for one in contacts)
    keys = Counter(one["fieldValues"].get("BUBSCTTID", "") for one in contacts)
    del keys[""]
    assert [a for a, n in addresses.items() if n > 1] == []
    assert [k for k, n in keys.items() if n > 1] == []


def assert_durable(
    through: int, contacts: list[dict[str, Any]], rejects: list[dict[str, Any]]
) -> None:
    """Every record up to a STATE is at the destination or in the rejects file."""
    model, held = wanted(), found(contacts)
    by_key = {one["values"].get("BUBSCTTID"): one for one in model.values()}
    refused = {reject["record"]["ctt_id"]: reject["cause"] for reject in rejects}
    for row in records()[:through]:
        key = row["record"]["ctt_id"]
        if key in REJECTED:
            assert refused.get(key) == REJECTED[key]
            continue
        if key >= 20_000:
            continue
        person = by_key[str(key)]
        assert held.get(person["email"]) == person, f"record {key} before a STATE is not there"
