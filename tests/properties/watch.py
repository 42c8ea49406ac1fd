"""Looks at every state the account went through, and says which promise a call broke.

Independent of the target's code: it knows what the backoffice said (`given`), what people did (the
events of the journal), and compares the rows before and after each call.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from properties.backoffice import (
    CRM,
    DELETED,
    GRANTS,
    OWNED_PREFIX,
    Row,
    Setting,
    key_of,
)

NEWS, FOREIGN_LIST = "1", "70"
KEY_FIELD, FOREIGN_FIELD = "BUBSCTTID", "SCORE"
ANY_LIST = "*"
STAMPS = ("id", "udate", "cdate")
Contacts = dict[str, dict[str, Any]]
Entry = dict[str, Any]


def is_parked(email: str) -> bool:
    """Whether a contact waits for an address that is being handed on; `.invalid` never delivers."""
    return email.endswith(".invalid")


def owned(tag: str) -> bool:
    """Whether the configuration says that a tag is ours."""
    return tag in (CRM, DELETED) or tag.startswith(OWNED_PREFIX)


@dataclass
class Watch:
    """`given` is the row of each key as a run was last given it, `gone` the version of a deletion
    that a whole run was given. `ended` is when a contact last left a list, `left` when that was at
    one address. `owed` are contacts who left between a look and a write: to be taken off at once.
    """

    setting: Setting
    contacts: Contacts
    given: dict[str, Row] = field(default_factory=dict)
    gone: dict[str, datetime] = field(default_factory=dict)
    ended: dict[tuple[str, str], datetime] = field(default_factory=dict)
    left: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    owed: set[tuple[str, str]] = field(default_factory=set)
    run_began: datetime | None = None
    seen: Counter[str] = field(default_factory=Counter)

    def look(self, what: str) -> None:
        """Count what histories came by, so that a test can tell whether they show anything."""
        self.seen[what] += 1

    def follow(self, entries: list[Entry]) -> list[str]:
        """Check each state in turn; returns what was written, in words."""
        said = []
        for entry in entries:
            before, after = self.contacts, dict(self.contacts)
            for change in entry["changes"]:
                if change["table"] == "contacts":
                    after[change["id"]] = change["after"]
                    if change["after"] is None:
                        del after[change["id"]]
            said.append(in_words(entry))
            try:
                if entry["by"] == "call":
                    self.check(before, after, entry)
            except AssertionError as broken:
                history = "\n".join(said)
                raise AssertionError(f"{broken}\nat the last of these:\n{history}") from None
            self.remember(before, after, entry)
            self.contacts = after
        return said

    def check(self, before: Contacts, after: Contacts, entry: Entry) -> None:
        """Everything that holds at every call."""
        changed = [i for i in {**before, **after} if before.get(i) != after.get(i)]
        self.one_contact_each(after)
        imports = entry["what"].endswith("/import/bulk_import")
        assert len(changed) <= 1 or imports, "X5: one call changed several contacts"
        for number in changed:
            old, new = before.get(number), after.get(number)
            if new is None:
                self.erased(number, old or {}, entry)
                continue
            if old and key_of(old["email"]) != key_of(new["email"]):
                self.look("renamed")
            self.nobody_returns(number, old, new, entry)
            self.only_ours(old, new)
        self.tables_untouched(entry)

    def one_contact_each(self, contacts: Contacts) -> None:
        """X1: a backoffice key is on one contact at most, so at most one of a person is active."""
        keys = Counter(c["fieldValues"].get(KEY_FIELD) for c in contacts.values())
        double = [key for key, n in keys.items() if key and n > 1]
        assert not double, f"X1: two contacts of person {double}"
        addresses = Counter(key_of(c["email"]) for c in contacts.values())
        assert max(addresses.values(), default=1) == 1, "X1: one address on two contacts"

    def nobody_returns(self, number: str, old: Any, new: dict[str, Any], entry: Entry) -> None:
        """X2: whoever becomes active by a call, or gets another address while active, has evidence
        for that very address: newer than whatever ended the contact's membership (S2-19), or, for
        who is active and moves, than whatever ended it at the address moved to (S2-27).
        """
        if is_parked(new["email"]):  # nobody reads there; whom it is for is asked when it moves on
            return
        moved = old is not None and key_of(old["email"]) != key_of(new["email"])
        for mailing_list, status in new["lists"].items():
            was = old["lists"].get(mailing_list) if old else None
            if status != "1":
                self.owed.discard((number, mailing_list))
            if status != "1" or (was == "1" and not moved):
                continue
            if mailing_list == FOREIGN_LIST:
                assert was == "1", "X5: somebody was put on a foreign list"
                continue
            how = "moved" if was == "1" else "returned" if was else "entered"
            self.look(how)
            self.has_evidence(number, old, new, mailing_list, how)

    def has_evidence(
        self, number: str, old: Any, new: dict[str, Any], mailing_list: str, how: str
    ) -> None:
        """See `nobody_returns`."""
        row = self.row_of(new)
        address = key_of(new["email"])
        words = (
            f"X2: contact {number} {how} list {mailing_list} as {address}; the source says {row}"
        )
        assert row is not None, words
        assert row.deleted_at is None, words
        assert row.consent in GRANTS, words
        assert row.consent_at is not None, words
        assert row.proof, words
        assert row.wants != "false", words
        assert row.consent_for is not None, words
        assert key_of(row.consent_for) == address, words
        lists = (mailing_list, ANY_LIST)
        at_all = [self.ended.get((number, one)) for one in lists]
        there = [self.left.get((number, address, one)) for one in lists]
        for end in there if how == "moved" else at_all:
            if end is None or row.consent_at > end:
                continue
            if self.run_began is not None and end >= self.run_began and how != "moved":
                self.owed.add((number, mailing_list))  # between its look and its write
                continue
            raise AssertionError(f"{words}; left on {end}")

    def row_of(self, contact: dict[str, Any]) -> Row | None:
        """Whom a contact stands for: by key, else by address."""
        key = contact["fieldValues"].get(KEY_FIELD)
        if key:
            return self.given.get(key)
        address = key_of(contact["email"])
        rows = [row for row in self.given.values() if key_of(row.email) == address]
        return rows[0] if rows else None

    def erased(self, number: str, old: dict[str, Any], entry: Entry) -> None:
        """X6: contacts are deleted only by the call for it, for rows with the erasure flag."""
        assert entry["what"].startswith("DELETE /api/3/contacts/"), f"X6: contact {number} is gone"
        row = self.row_of(old)
        self.look("erased")
        words = f"X6: contact {number} was deleted; the source says {row}"
        assert self.setting.on_delete == "delete", words
        assert row is not None, words
        assert row.deleted_at is not None, words
        assert row.erase, words

    def only_ours(self, old: Any, new: dict[str, Any]) -> None:
        """X5: audit data, foreign fields, lists and tags are as they were; a key is never replaced;
        a new contact is a living person's whose deletion is not known.
        """
        if old is None:
            self.look("made")
            self.may_be_made(new)
            return
        for name in ("cdate", "lastName", "phone", "bounced_hard", "bounced_soft", "account"):
            assert new[name] == old[name], f"X5: {name} of a contact changed"
        values = {side: c["fieldValues"].get(FOREIGN_FIELD) for side, c in (("o", old), ("n", new))}
        assert values["o"] == values["n"], "X5: a foreign field changed"
        key, was = new["fieldValues"].get(KEY_FIELD), old["fieldValues"].get(KEY_FIELD)
        assert was in (key, None, ""), f"X5: key {was} was replaced by {key}"
        foreign = [[tag for tag in c["tags"] if not owned(tag)] for c in (old, new)]
        assert foreign[0] == foreign[1], "X5: a foreign tag was touched"
        standing, now = old["lists"].get(FOREIGN_LIST), new["lists"].get(FOREIGN_LIST)
        row = self.row_of(new)
        leaves = self.setting.on_delete != "tag" and row is not None and row.deleted_at is not None
        assert standing == now or (leaves and (standing, now) == ("1", "2")), (
            f"X5: a foreign list was touched, {standing} to {now}; the source says {row}"
        )

    def may_be_made(self, new: dict[str, Any]) -> None:
        """A contact that a call made: of a living person, and not of one whose deletion stands."""
        key = new["fieldValues"].get(KEY_FIELD, "")
        row = self.row_of(new)
        assert row is not None, f"X5: a contact of nobody was made, key {key!r}"
        assert row.deleted_at is None, f"X5: a deleted person was made: {row}"
        gone = self.gone.get(key)
        assert gone is None or row.version > gone, f"a late record brought back {row}, {gone}"
        assert all(map(owned, new["tags"])), "X5: a new contact has tags that are not ours"

    def tables_untouched(self, entry: Entry) -> None:
        """X5: lists and fields are not written; tags are only made, and only our own."""
        for change in entry["changes"]:
            table = change["table"]
            assert table not in ("lists", "fields", "accounts", "accountContacts"), f"X5: {table}"
            if table == "tags":
                assert change["before"] is None, "X5: a tag was changed"
                assert owned(change["after"]["tag"]), "X5: a foreign tag was made"

    def remember(self, before: Contacts, after: Contacts, entry: Entry) -> None:
        """Note who left or bounced, and when."""
        time = datetime.fromtimestamp(entry["time"], UTC)
        for number, new in after.items():
            old = before.get(number)
            if new == old:
                continue
            address = key_of(new["email"])
            for mailing_list, status in new["lists"].items():
                was = old["lists"].get(mailing_list) if old else None
                if status in ("2", "3") and status != was:
                    self.ended[number, mailing_list] = time
                    self.left[number, address, mailing_list] = time
            if new["bounced_hard"] > (old["bounced_hard"] if old else 0):
                self.ended[number, ANY_LIST] = self.left[number, address, ANY_LIST] = time


def in_words(entry: Entry) -> str:
    """One journal entry on one line: who did what, and what became of which contact."""
    parts = []
    for change in entry["changes"]:
        if change["table"] == "contacts":
            old, new = change["before"] or {}, change["after"] or {}
            names = [n for n in {**old, **new} if old.get(n) != new.get(n) and n not in STAMPS]
            shown = [f"{n}: {short(old.get(n))} -> {short(new.get(n))}" for n in names
                     if old.get(n) or new.get(n)]  # fmt: skip
            what = f"({', '.join(shown)})" if new else "is gone"
            parts.append(f"contact {change['id']} {what}")
    number = f"#{entry['request']} " if entry["request"] else ""
    day = datetime.fromtimestamp(entry["time"], UTC).date()
    return f"    {day} {entry['by']} {number}{entry['what']}: {'; '.join(parts) or 'other tables'}"


def short(value: Any) -> str:
    """A value as small as can be."""
    return json.dumps(value, separators=(",", ":")) if value else "-"
