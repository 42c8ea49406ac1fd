"""What one run without faults must make of the account: an independent model, in plain words.

Written from the documentation alone. Where a rule leaves a choice open (a bounce is dated by its
day only) several outcomes are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from properties.backoffice import CRM, DELETED, GRANTS, OWNED_PREFIX, WITHDRAWALS, Row, key_of
from properties.watch import ANY_LIST, KEY_FIELD, NEWS, Contacts, Watch, is_parked, short

#: A bounce's date is a day; it is over everywhere so much after its beginning.
BOUNCE_DAY = timedelta(hours=60)
SECOND = timedelta(seconds=1)
#: Causes of persons whose address another contact keeps, and of those whose own stays.
TAKEN, HELD = frozenset({"address_taken", "address_of_other_key"}), "email_change_held"


@dataclass
class Intended:
    """`watch` knows who left when, up to the state `before`."""

    watch: Watch
    rows: list[Row]
    before: Contacts

    def __post_init__(self) -> None:
        self.living = [row for row in self.rows if row.deleted_at is None]
        self.by_key = {
            c["fieldValues"][KEY_FIELD]: i
            for i, c in self.before.items()
            if c["fieldValues"].get(KEY_FIELD)
        }
        self.by_address = {key_of(c["email"]): i for i, c in self.before.items()}
        self.ended = dict(self.watch.ended)

    def found(self, row: Row) -> str | None:
        """The contact of a row: by key, else by address where no key is."""
        by_key = self.by_key.get(str(row.key))
        if by_key is not None:
            return by_key
        holder = self.by_address.get(key_of(row.email))
        if holder is None or self.before[holder]["fieldValues"].get(KEY_FIELD):
            return None
        return holder

    def held(self, row: Row) -> bool:
        """Whether the policy keeps the old address, since nobody proves the new one (S2-2)."""
        number = self.found(row)
        if number is None:
            return False
        old = self.before[number]["email"]
        return (
            not self.consents(row)
            and self.watch.setting.holds(old, row.email)
            and not is_parked(old)
        )

    def blocked(self, row: Row, waiting: tuple[int, ...] = ()) -> bool:
        """Whether another contact has the address of this row and will keep it; rings resolve."""
        holder = self.by_address.get(key_of(row.email))
        if holder is None or holder == self.found(row) or row.key in waiting:
            return False
        key = self.before[holder]["fieldValues"].get(KEY_FIELD)
        theirs = next((one for one in self.rows if str(one.key) == key), None)
        if theirs is None:
            return True
        if theirs.deleted_at is not None:
            return not (theirs.erase and self.watch.setting.on_delete == "delete")
        if key_of(theirs.email) == key_of(row.email) or self.held(theirs):
            return True
        return self.blocked(theirs, (*waiting, row.key))

    def assert_met(self, after: Contacts, rejects: dict[str, str]) -> None:
        """Compare with the state after the run; `rejects` are the open causes by key."""
        known = {c["fieldValues"].get(KEY_FIELD): (i, c) for i, c in after.items()}
        for row in self.rows:
            number = self.found(row)
            cause = rejects.get(str(row.key))
            if row.deleted_at is not None:
                assert cause is None, f"a deleted person is a reject: {cause}, {row}"
                self.is_gone(row, after)
                continue
            if self.held(row):
                assert cause == HELD, f"not held, {cause}: {row}"
            elif self.blocked(row):
                assert cause in TAKEN, f"not rejected, {cause}: {row}"
                continue
            else:
                assert cause is None, f"rejected for {cause}: {row}"
            assert str(row.key) in known, f"nowhere: {row}"
            now_number, now = known[str(row.key)]
            assert number in (None, now_number), f"{row} is now contact {now_number}, was {number}"
            self.agrees(row, self.before.get(number) if number else None, now)

    def is_gone(self, row: Row, after: Contacts) -> None:
        """A deleted person: erased, or nowhere active and tagged, as the policy says."""
        number = self.found(row)
        if number is None:
            return
        keyed = self.by_key.get(str(row.key)) is not None
        wanted = {key_of(one.email) for one in self.living}
        if not keyed and key_of(row.email) in wanted:
            return
        policy = self.watch.setting.on_delete
        if policy == "delete" and row.erase:
            assert number not in after, f"not erased: {row}"
            return
        now = after[number]
        assert DELETED in now["tags"], f"no tag: {row}"
        if policy != "tag":
            assert "1" not in now["lists"].values(), f"still active: {row}, {now['lists']}"

    def agrees(self, row: Row, old: Any, now: dict[str, Any]) -> None:
        """A living person: address, fields, tags and membership."""
        words = f"{row}\nwas {short(old)}\nis  {short(now)}"
        address = old["email"] if old and self.held(row) else row.email
        assert key_of(now["email"]) == key_of(address), f"address: {words}"
        for value, shown, was in (
            (row.name, now["firstName"], old["firstName"] if old else ""),
            (
                row.country,
                now["fieldValues"].get("LAND", ""),
                old["fieldValues"].get("LAND", "") if old else "",
            ),
        ):
            assert shown == (value or was), f"fields: {words}"
        assert CRM in now["tags"], f"tag: {words}"
        named = {tag for tag in now["tags"] if tag.startswith(OWNED_PREFIX)}
        kept = {tag for tag in old["tags"] if tag.startswith(OWNED_PREFIX)} if old else set()
        wanted = kept if row.interests is None else set(filter(None, row.interests.split(",")))
        assert named == wanted, f"owned tags: {words}"
        allowed = self.standings(row, old)
        if self.left_by_others(row, old):  # what they said of the address may be remembered
            allowed |= {"2", old["lists"].get(NEWS) if old else None}
        assert now["lists"].get(NEWS) in allowed, f"membership, not in {allowed}: {words}"

    def left_by_others(self, row: Row, old: Any) -> bool:
        """Whether somebody else ended a membership at this very address since the proof for it."""
        ends = [
            end
            for (number, address, _), end in self.watch.left.items()
            if number != (old["id"] if old else "") and address == key_of(row.email)
        ]
        return row.consent_at is not None and any(end >= row.consent_at for end in ends)

    def standings(self, row: Row, old: Any) -> set[str | None]:
        """The statuses on the list that are right afterwards: the table of the README."""
        status = old["lists"].get(NEWS) if old else None
        number = old["id"] if old else ""
        renamed = old is not None and key_of(old["email"]) != key_of(row.email)
        if self.held(row):
            stays = row.consent in GRANTS and row.consent_at and row.proof and row.wants != "false"
            return {"2"} if status == "1" and not stays else self.unmoved(row, status)
        if row.consent in WITHDRAWALS:
            return {"2"} if status in ("0", "1") else {status}
        if not self.consents(row):
            return {"2"} if status == "1" else {status}
        if row.wants == "false":
            return {"2"} if status == "1" else {status}
        assert row.consent_at is not None
        bounced, left = self.ended.get((number, ANY_LIST)), self.ended.get((number, NEWS))
        if status == "1" and renamed and (bounced or left):  # nobody knows under which address
            return self.renewed(row.consent_at, bounced, left, "2")
        if status == "1" or row.wants != "true":
            return {status}
        if bounced is None and status != "2":
            return {"1"}
        return self.renewed(row.consent_at, bounced, left if status == "2" else None, status)

    @staticmethod
    def unmoved(row: Row, status: str | None) -> set[str | None]:
        """Who is held is heard in what they take away, no more."""
        return {"2"} if row.consent in WITHDRAWALS and status == "0" else {status}

    def consents(self, row: Row) -> bool:
        """Whether there is proven consent for the address that the row names."""
        if row.consent not in GRANTS or row.consent_at is None or not row.proof:
            return False
        return row.consent_for is not None and key_of(row.consent_for) == key_of(row.email)

    @staticmethod
    def renewed(
        given: datetime, bounced: datetime | None, left: datetime | None, status: str | None
    ) -> set[str | None]:
        """Back only with evidence newer than every end; a bounce's day may count as a whole."""
        ends = [end for end in (bounced, left) if end is not None]
        if given <= max(ends):
            return {status}
        clear = bounced is None or given > bounced + BOUNCE_DAY
        if clear and (left is None or given > left + SECOND):
            return {"1"}
        return {"1", status}
