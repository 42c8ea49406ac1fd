"""A backoffice that uses everything: lists with consent, tags, fields of every type, deletions,
accounts, changes of address. What the account holds before, and what must come of it.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from simulators_api import Api
from simulators_support import Simulator
from target_support import record, schema, state

OLD, LEFT, NEW = ((datetime.now(UTC) - timedelta(days=days)).isoformat() for days in (200, 100, 30))
VERSION, DELETED, LATE = (f"2026-0{month}-01T00:00:00Z" for month in (3, 4, 2))
GONE_TAG = "backoffice-deleted"
ACCOUNTS = {"7": "Example AG", "8": "Sample Ltd"}
LISTS = ["News", "Events", {"name": "Foreign", "id": 70}]

OPTIONS = {
    "LAND": ["DE", "CH", "FR"],
    "KIND": ["company", "private"],
    "CHANNELS": ["mail", "phone", "post"],
    "TOPICS": ["golf", "chess", "sailing"],
}
TYPES = {"REMARK": "text", "STORY": "textarea", "SECRET": "hidden", "POINTS": "number",
         "DAY": "date", "SEEN": "datetime", "LAND": "dropdown", "KIND": "radio",
         "CHANNELS": "checkbox", "TOPICS": "listbox"}  # fmt: skip
COLUMNS = {perstag: perstag.lower() for perstag in TYPES}
CONSENT_COLUMNS = ("consent", "consent_at", "proof", "consent_for", "wants_news",
                   "events_consent", "events_at")  # fmt: skip
STREAM: dict[str, Any] = {
    "key": "ctt_id",
    "key_field": "BUBSCTTID",
    "fields": {"email": "email", "firstName": "given_name", "lastName": "family_name"},
    "custom_fields": {
        perstag: {"column": COLUMNS[perstag], "type": kind}
        | ({"options": OPTIONS[perstag]} if perstag in OPTIONS else {})
        for perstag, kind in TYPES.items()
    },
    "create_fields": True,
    "null_semantics": "clear",
    "version_column": "updated_at",
    "account": {"key": "org", "key_field": "BUBSACTID"},
    "consent": [
        {"column": "consent", "granted_at": "consent_at", "evidence": "proof",
         "purpose": "news", "address": "consent_for"},
        {"column": "events_consent", "granted_at": "events_at", "evidence": "proof",
         "purpose": "events"},
    ],
    "lists": {"News": {"when": "wants_news", "consent": "news"},
              "Events": {"when": True, "consent": "events"}},
    "tags": {"add": ["crm"], "remove": ["old"], "from": "interests", "owned_prefixes": ["int-"]},
    "on_delete": "delete",
    "erasure_column": "erase",
}  # fmt: skip

#: A value of every type as the source has it, and as ActiveCampaign keeps it.
EVERY_TYPE = {"remark": "Text", "story": "Long text", "secret": "Hidden", "points": "7.50",
              "day": "2001-02-03", "seen": "2026-02-03T10:00:00+01:00", "land": "ch",
              "kind": "company", "channels": "post, mail", "topics": "golf; chess"}  # fmt: skip
KEPT = {"REMARK": "Text", "STORY": "Long text", "SECRET": "Hidden", "POINTS": "7.50",
        "DAY": "2001-02-03", "SEEN": "2026-02-03T09:00:00+00:00", "LAND": "CH",
        "KIND": "company", "CHANNELS": "||post||mail||", "TOPICS": "||golf||chess||"}  # fmt: skip
#: The same in other words, as somebody else may have written it: no difference.
ALIKE = KEPT | {"POINTS": "7.5", "SEEN": "2026-02-03T03:00:00-06:00",
                "CHANNELS": "||mail||post||"}  # fmt: skip

#: Rows (by key) that can't be delivered as a whole, and why.
REJECTED = {122: "tag_not_owned", 123: "field_option", 124: "consent_unreadable",
            128: "address_taken"}  # fmt: skip


def address(key: int) -> str:
    """The address a person has on both sides, unless it changes."""
    return f"canarymail{key}@example.com"


def new_address(key: int) -> str:
    """The address a person changes to."""
    return f"canarymail{key}@moved.example.org"


EXCLUDED = "canarymail130@list.example.net"


def messages_schema() -> dict[str, Any]:
    """SCHEMA with every column."""
    text = {"type": ["string", "null"]}
    names = (*COLUMNS.values(), *CONSENT_COLUMNS, "interests", "erase")
    return schema(**dict.fromkeys(names, text), org={"type": ["integer", "null"]})


def person(key: int, email: str = "", **more: Any) -> dict[str, Any]:
    """A row with proven consent to News for its address."""
    email = email or address(key)
    columns = {
        "given_name": f"Canarygiven{key}",
        "updated_at": VERSION,
        "consent": "confirmed",
        "consent_at": NEW,
        "proof": "form 7",
        "consent_for": email,
        "wants_news": "true",
    }
    return record(key, email, **{**columns, **more})


def deleted(key: int, **more: Any) -> dict[str, Any]:
    """A row that was deleted in the source."""
    return person(key, _sdc_deleted_at=DELETED, **more)


def records() -> list[dict[str, Any]]:
    """The backoffice; withdrawals and deletions last, so that only the target's order helps."""
    return [
        person(101, interests="int-golf", org=7, **EVERY_TYPE),  # new
        person(102, **EVERY_TYPE),  # agrees
        person(104, consent_at=OLD),  # left there after that
        person(105),  # left there before that
        person(106),  # bounced there before that
        person(107, consent_at=OLD),
        person(109, new_address(109), consent_for=address(109)),
        person(110, new_address(110)),
        person(111, "Canarymail111@Example.com"),
        person(112, address(113)),
        person(113, new_address(113)),
        person(117, land="DE"),  # known by address only
        person(118),  # taken off by a call of version 1: nobody knows when
        person(120, wants_news=None),
        person(121, interests="int-golf"),
        person(122, interests="foreign-x", land="DE"),
        person(123, land="Atlantis", remark="Written"),
        person(124, consent="perhaps"),
        person(125, org=8),
        person(126, org=99),
        person(127, wants_news="false", events_consent="confirmed", events_at=NEW),
        person(128, "canarymail150@example.com", consent_for=address(128)),
        person(129, consent="none", land=None, remark=None),
        person(130, EXCLUDED),
        person(132, address(133)),  # these two change their addresses
        person(133, address(132)),
        person(103, consent="objected", events_consent="confirmed", events_at=NEW),
        person(108, proof=None),
        person(119, wants_news="false"),
        deleted(114),
        deleted(115, erase="true"),
        deleted(116),
    ]


def changed(proven_at: str) -> list[dict[str, Any]]:
    """The backoffice later; 109 has given new proof, the deleted come late, as they were before."""
    rows = {row["record"]["ctt_id"]: row for row in living()}
    rows |= {
        101: person(101, interests="int-golf", org=7, consent="unsubscribed", **EVERY_TYPE),
        102: person(102, **(EVERY_TYPE | {"remark": "Changed", "topics": "sailing"})),
        109: person(109, new_address(109), consent_at=proven_at),
        110: person(110),  # back to the address before
        117: person(117, land="FR", channels="phone"),
        121: person(121, interests=""),
        125: person(125, org=7),
        127: person(127, wants_news="false", events_consent="none"),
        131: person(131, land="DE"),
    }
    return [*rows.values(), *late()]


def wanted_then() -> dict[str, Person]:
    """The account after `changed`; 102 has left by themselves in between."""
    news, left, crm = {"News": "1"}, {"News": "2"}, ["crm"]
    model = wanted()
    del model[new_address(110)]
    people = [
        _person(101, lists=left, tags=["crm", "int-golf"], account="Example AG", values=KEPT),
        _person(102, lists={"News": "2", "Foreign": "1"}, tags=["crm", "vip"],
                values=KEPT | {"REMARK": "Changed", "TOPICS": "||sailing||"}),
        _person(109, new_address(109), lists=news, tags=crm),
        _person(110, lists=news, tags=crm),
        _person(117, lists=news, tags=crm, values={"LAND": "FR", "CHANNELS": "||phone||"}),
        _person(121, lists=news, tags=["crm", "vip"]),
        _person(125, lists=news, tags=crm, account="Example AG"),
        _person(127, lists={"Events": "2"}, tags=crm),
        _person(131, lists=news, tags=crm, values={"LAND": "DE"}),
    ]  # fmt: skip
    return model | {one["email"]: one for one in people}


#: Rows without an address, each suppressed by name; they spread a run over several batches, so
#: that several STATEs come out.
FILLERS = 1100
STATE_EVERY = 90


def stream_of_records() -> list[dict[str, Any]]:
    """The backoffice with fillers around each row."""
    rows, gap = records(), FILLERS // len(records())
    result: list[dict[str, Any]] = []
    for number in range(FILLERS):
        nobody = record(20_000 + number)
        nobody["record"]["email"] = None
        result.append(nobody)
        if number % gap == 0 and rows:
            result.append(rows.pop(0))
    return result + rows


def messages(*, after: int = 0) -> list[dict[str, Any]]:
    """SCHEMA, then the records after number `after` with a STATE (their number) in between."""
    rows = stream_of_records()
    result: list[dict[str, Any]] = [messages_schema()]
    for number, row in enumerate(rows, 1):
        if number > after:
            result.append(row)
            if number % STATE_EVERY == 0 or number == len(rows):
                result.append(state(number))
    return result


def late() -> list[dict[str, Any]]:
    """Records of the deleted from before their deletion, the last without key."""
    rows = [person(key, updated_at=LATE) for key in (114, 116, 115)]
    rows[-1]["record"]["ctt_id"] = None
    return rows


def living() -> list[dict[str, Any]]:
    """The backoffice without the deleted."""
    return [row for row in records() if "_sdc_deleted_at" not in row["record"]]


def seed(sim: Simulator) -> None:
    """What the account holds, made a hundred days ago, and what has happened to people since."""
    sim.clock(now=LEFT)
    fields = [{"perstag": "BUBSCTTID", "type": "hidden"}]
    fields += [
        {"perstag": perstag, "type": kind, "options": OPTIONS.get(perstag, [])[:2]}
        for perstag, kind in TYPES.items()  # the third option of each is missing there
    ]
    sim.seed({
        "fields": fields, "lists": LISTS, "tags": ["vip", "old", "int-chess", "crm"],
        "exclusions": [{"matchPhrase": EXCLUDED, "matchType": "exact"}],
    })  # fmt: skip
    _accounts(sim)
    sim.seed({"contacts": contacts()})
    sim.event("delete_contact", email=address(151))
    for key in (104, 105, 120):
        sim.event("unsubscribe", email=address(key))
    for key in (106, 107):
        sim.event("bounce", email=address(key))
    sim.clock(real=True)


def _accounts(sim: Simulator) -> None:
    api = Api(sim)
    with closing(api.session):
        meta = {"fieldLabel": "BUBSACTID", "fieldType": "text"}
        made = api.post("accountCustomFieldMeta", {"accountCustomFieldMetum": meta}).json()
        number = int(made["accountCustomFieldMetum"]["id"])
        for key, name in ACCOUNTS.items():
            fields = [{"customFieldId": number, "fieldValue": key}]
            answer = api.post("accounts", {"account": {"name": name, "fields": fields}})
            assert answer.status_code == 201, answer.text


def contacts() -> list[dict[str, Any]]:
    """Seeds of the contacts; 150 is nobody's row, 151 is deleted there before anything begins."""
    on_news = {"News": 1}
    return [
        _known(102, lists={"News": 1, "Foreign": 1}, tags=["vip", "crm"], values=ALIKE),
        _known(103, lists={"News": 1, "Events": 1}),
        *(_known(key, lists=on_news) for key in (104, 105, 106, 107, 108, 109)),
        *(_known(key, lists=on_news) for key in (110, 112, 113, 132, 133)),
        _known(111, lists=on_news),
        _known(114, lists={"News": 1, "Events": 1, "Foreign": 1}, tags=["vip"]),
        _known(115, lists=on_news),
        {"email": address(117), "firstName": "Canarygiven117", "lists": {"News": 0}},
        _known(118, lists={"News": 91}),
        *(_known(key, lists=on_news) for key in (119, 120, 124, 126, 128)),
        _known(121, tags=["old", "int-chess", "vip"]),
        _known(122),
        _known(123),
        _known(125, account="Example AG"),
        _known(129, values={"LAND": "FR", "REMARK": "Cleared", "STORY": "Stays"}),
        {"email": address(150), "firstName": "Canarygiven150", "tags": ["vip", "old"],
         "lists": {"News": 1, "Events": 2, "Foreign": 3}, "fieldValues": {"LAND": "FR"},
         "account": "Example AG", "bounced_soft": 1},
        {"email": address(151)},
    ]  # fmt: skip


def _known(key: int, values: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "email": address(key),
        "firstName": f"Canarygiven{key}",
        "fieldValues": {"BUBSCTTID": str(key), **(values or {})},
        "cdate": "2019-01-01",
        **more,
    }


Person = dict[str, Any]


def wanted() -> dict[str, Person]:
    """The account afterwards by address, written down without looking at the target's code."""
    news, left, crm = {"News": "1"}, {"News": "2"}, ["crm"]
    people = [
        _person(101, lists=news, tags=["crm", "int-golf"], account="Example AG", values=KEPT),
        _person(102, lists={"News": "1", "Foreign": "1"}, tags=["crm", "vip"], values=KEPT),
        _person(103, lists={"News": "2", "Events": "2"}, tags=crm),
        _person(104, lists=left, tags=crm),
        _person(105, lists=news, tags=crm),
        _person(106, lists=news, tags=crm),
        _person(107, lists={"News": "3"}, tags=crm),
        _person(108, lists=left, tags=crm),
        _person(109, new_address(109), lists=left, tags=crm),
        _person(110, new_address(110), lists=news, tags=crm),
        _person(111, lists=news, tags=crm),
        _person(112, address(113), lists=news, tags=crm),
        _person(113, new_address(113), lists=news, tags=crm),
        _person(114, lists={"News": "2", "Events": "2", "Foreign": "2"}, tags=[GONE_TAG, "vip"]),
        _person(117, lists=news, tags=crm, values={"LAND": "DE"}),
        _person(118, lists={"News": "91"}, tags=crm),
        _person(119, lists=left, tags=crm),
        _person(120, lists=left, tags=crm),
        _person(121, lists=news, tags=["crm", "int-golf", "vip"]),
        _person(122, lists=news, tags=crm, values={"LAND": "DE"}),
        _person(123, lists=news, tags=crm, values={"REMARK": "Written"}),
        _person(124, lists=news),
        _person(125, lists=news, tags=crm, account="Sample Ltd"),
        _person(126, lists=news, tags=crm),
        _person(127, lists={"Events": "1"}, tags=crm),
        _person(128, lists=news),
        _person(129, tags=crm, values={"STORY": "Stays"}),
        _person(130, EXCLUDED, lists=news, tags=crm),
        _person(132, address(133), lists=news, tags=crm),
        _person(133, address(132), lists=news, tags=crm),
        _person(150, key=False, lists={"News": "1", "Events": "2", "Foreign": "3"},
                tags=["old", "vip"], values={"LAND": "FR"}, account="Example AG"),
    ]  # fmt: skip
    return {one["email"]: one for one in people}


def _person(
    key_number: int,
    email: str = "",
    *,
    key: bool = True,
    lists: dict[str, str] | None = None,
    tags: list[str] | None = None,
    values: dict[str, str] | None = None,
    account: str | None = None,
) -> Person:
    return {
        "email": email or address(key_number),
        "firstName": f"Canarygiven{key_number}",
        "values": {**({"BUBSCTTID": str(key_number)} if key else {}), **(values or {})},
        "lists": dict(lists or {}),
        "tags": sorted(tags or []),
        "account": account,
    }


def found(state: dict[str, Any]) -> dict[str, Person]:
    """The simulator's state in the form of `wanted`."""
    names = {row["id"]: row["name"] for row in state["lists"]}
    people = [
        {
            "email": one["email"].lower(),
            "firstName": one["firstName"],
            "values": {
                perstag: _meant(perstag, value)
                for perstag, value in one["fieldValues"].items()
                if value
            },
            "lists": {names[number]: status for number, status in one["lists"].items()},
            "tags": one["tags"],
            "account": one["account"],
        }
        for one in state["contacts"]
    ]
    return {one["email"]: one for one in people}


def _meant(perstag: str, value: str) -> str:
    """What a stored value means, in the form of KEPT."""
    if TYPES.get(perstag) == "datetime":
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    if TYPES.get(perstag) == "number":
        return f"{float(value):.2f}"
    if TYPES.get(perstag) in ("checkbox", "listbox"):
        chosen = [text for text in OPTIONS[perstag] if text in value.split("||")]
        return _in_order(perstag, chosen)
    return value


def _in_order(perstag: str, chosen: list[str]) -> str:
    """In the order of KEPT, what is not in it last."""
    order = [text for text in KEPT[perstag].split("||") if text]
    chosen = sorted(chosen, key=[*order, *OPTIONS[perstag]].index)
    return f"||{'||'.join(chosen)}||"


def assert_durable(through: int, people: dict[str, Person], rejects: list[dict[str, Any]]) -> None:
    """Every record up to a STATE is at the destination or in the rejects file."""
    model = wanted()
    refused = {reject["record"]["ctt_id"]: reject["cause"] for reject in rejects}
    for row in stream_of_records()[:through]:
        key, email = row["record"]["ctt_id"], row["record"]["email"]
        if key in REJECTED:
            assert refused.get(key) == REJECTED[key]
        elif email is not None:
            same = people.get(email.lower()) == model.get(email.lower())
            assert same, f"record {key} before a STATE is not there"


# Who is active

Active = set[tuple[str, str]]


#: Where a contact steps aside to while two change their addresses: no mail can get there.
PARKED = "@address-change.invalid"


def active(contacts: list[dict[str, Any]]) -> Active:
    """(address, id of the list) of everybody who gets mail."""
    return {
        (one["email"].lower(), number)
        for one in contacts
        for number, status in one["lists"].items()
        if status == "1" and not one["email"].endswith(PARKED)
    }


NEWS, EVENTS, FOREIGN = "1", "2", "70"
#: Who may be active at some moment without having been so at the start.
MAY_ENTER: Active = {
    *((address(key), NEWS) for key in (101, 105, 106, 113, 117, 121, 122, 123, 125)),
    *((new_address(key), NEWS) for key in (110, 113)),
    (address(127), EVENTS),
    (EXCLUDED, NEWS),
}
#: Whoever has to be inactive before anybody else becomes active.
LEAVE_FIRST: Active = {
    *((address(103), number) for number in (NEWS, EVENTS)),
    *((address(114), number) for number in (NEWS, EVENTS, FOREIGN)),
    (address(108), NEWS),
    (address(115), NEWS),
}
#: Who is not active when a run has come to its end.
MUST_LEAVE: Active = LEAVE_FIRST | {(address(key), NEWS) for key in (109, 110, 112, 119)}


#: The same of `changed`.
MAY_ENTER_THEN: Active = MAY_ENTER - {(address(101), NEWS), (address(127), EVENTS)} | {
    *((address(key), NEWS) for key in (110, 131)),
    (new_address(109), NEWS),
}
LEAVE_FIRST_THEN: Active = {(address(101), NEWS), (address(127), EVENTS)}
MUST_LEAVE_THEN: Active = (MUST_LEAVE | LEAVE_FIRST_THEN) - {(address(110), NEWS)}


def assert_every_moment(
    before: dict[str, Any],
    journal: list[dict[str, Any]],
    may_enter: Active = MAY_ENTER,
    leave_first: Active = LEAVE_FIRST,
) -> int:
    """At no moment since the state `before` was anybody active who must not be: nobody enters but
    who may, not while somebody who must leave is there, and not after having left by themselves.
    Returns the number of moments.
    """
    contacts = {one["id"]: one for one in before["contacts"]}
    started = now = active(list(contacts.values()))
    may, left = started | may_enter, set[tuple[str, str]]()
    for entry in journal:
        for change in entry["changes"]:
            if change["table"] == "contacts":
                contacts.pop(change["id"], None)
                if change["after"]:
                    contacts[change["id"]] = change["after"]
        earlier, now = now, active(list(contacts.values()))
        if entry["by"] == "event":
            left |= earlier - now
        what = f"{entry['what']} (request {entry['request']})"
        assert now <= may, f"{what} made {sorted(now - may)} active"
        assert not now & left, f"{what} brought back {sorted(now & left)}"
        if entered(entry):
            assert not now & leave_first, f"{what}, while {sorted(now & leave_first)} are active"
        assert_unique(list(contacts.values()))
    return len(journal)


def entered(entry: dict[str, Any]) -> bool:
    """Whether this entry makes anybody active who was not; an address that changes does not."""
    pairs = ((c["before"], c["after"]) for c in entry["changes"] if c["table"] == "contacts")
    return any(new and _lists(new) - _lists(old) for old, new in pairs)


def _lists(contact: dict[str, Any] | None) -> set[str]:
    return {number for _, number in active([contact])} if contact else set()


def assert_unique(contacts: list[dict[str, Any]]) -> None:
    """Nobody is there twice, by address or by backoffice key."""
    addresses = Counter(one["email"].strip().lower() for one in contacts)
    keys = Counter(one["fieldValues"].get("BUBSCTTID", "") for one in contacts)
    del keys[""]
    assert [a for a, n in addresses.items() if n > 1] == []
    assert [k for k, n in keys.items() if n > 1] == []


def assert_foreign_untouched(before: dict[str, Any], after: dict[str, Any], *but: str) -> None:
    """Contact 150 is nobody's row: all of it is as it was, and so is what others own on our people;
    `but` are tables that others have changed meanwhile.
    """
    for name in {"contacts", "contactLists", "contactTags", "accountContacts"} - set(but):
        number = next(c["id"] for c in before["contacts"] if c["email"] == address(150))
        owner = "id" if name == "contacts" else "contact"
        pick = [[row for row in s[name] if row[owner] == number] for s in (before, after)]
        assert pick[0] == pick[1], name
    for name in {"lists", "accounts", "exclusions"} - set(but):
        assert after[name] == before[name]
    ours = {c["id"] for c in before["contacts"] if c["email"] != address(114)}
    for name, mine in (("contactLists", {"list": FOREIGN}), ("contactTags", {"tag": "1"})):
        pick = [
            [row for row in s[name] if row["contact"] in ours and mine.items() <= row.items()]
            for s in (before, after)
        ]
        assert pick[0] == pick[1], name
