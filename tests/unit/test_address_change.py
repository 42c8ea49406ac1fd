"""`target_kit.address_change`: kinds of changes, policies, swaps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES
from hypothesis import given
from hypothesis import strategies as st
from target_kit.address import address_key, parse_address
from target_kit.address_change import (
    DEFAULT_POLICIES,
    ROLES,
    ChangeClass,
    ChangePolicy,
    classify,
    cycles,
    is_parked,
    is_role,
    parked,
    read_policies,
)

CASE, LOCAL, DOMAIN, ROLE = ChangeClass
RENAME, RESUBSCRIBE, HOLD = ChangePolicy
#: Mailboxes that several people read, as companies name them, besides those of RFC 2142.
ENGLISH = """
    accounting accounts admin administrator billing booking compliance contact finance hello help
    helpdesk hr invoice invoices it jobs legal mail mailbox media newsletter no-reply noreply
    office order orders personal post press privacy purchasing reception reservation service shop
    team welcome
"""
GERMAN = """
    anfrage anfragen bestellung bestellungen bewerbung buchhaltung buchung buero büro datenschutz
    dispo einkauf empfang hallo infos kanzlei karriere kontakt kundenservice praxis presse rechnung
    rechnungen sekretariat versand vertrieb verwaltung zentrale
"""


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("max.muster@example.com", "m.muster@example.com", LOCAL),
        ("max@one.example.com", "max@two.example.com", DOMAIN),
        ("max@one.example.com", "moritz@two.example.com", DOMAIN),
        ("info@example.com", "max@example.com", ROLE),
        ("info@one.example.com", "max@two.example.com", ROLE),
        ("INFO@example.com", "max@example.com", ROLE),
        ("info@example.com", "office@example.com", LOCAL),
        ("max@example.com", "info@example.com", LOCAL),
        ("Max@Example.com", "max@example.com", CASE),
        (" max@example.com ", "max@example.com", None),
        ("max@example.com", "max@example.com", None),
        ("max@bücher.example", "max@xn--bcher-kva.example", CASE),
        ("no address at all", "max@example.com", DOMAIN),
        ("", "max@example.com", DOMAIN),
    ],
)
def test_each_kind_of_change_is_known(old: str, new: str, kind: ChangeClass | None) -> None:
    """S2-2: case only, local part, domain, role to personal; the same text is no change."""
    assert classify(old, parse_address(new)) is kind


@pytest.mark.parametrize("local", ["info", "info2", "info+web", "no-reply", "büro", "vertrieb"])
def test_a_mailbox_of_several_people_is_told_from_a_persons(local: str) -> None:
    """A role mailbox is known with numbers and tags too."""
    assert is_role(f"{local}@example.com")


@pytest.mark.parametrize("words", [CASE_INSENSITIVE_MAILBOX_NAMES, ENGLISH.split(), GERMAN.split()])
def test_the_usual_mailboxes_of_companies_are_known(words: list[str]) -> None:
    """S2-11: one that went missing would hand its consent on to whoever gets its contact."""
    assert [word for word in words if not is_role(f"{word}@example.com")] == []


@pytest.mark.parametrize("local", ["inform", "max.info", "salesman", "2", "", "teamleiter"])
def test_a_name_that_only_looks_like_a_role_is_a_persons(local: str) -> None:
    """A part of a word makes no role."""
    assert not is_role(f"{local}@example.com")


def test_roles_are_written_as_they_are_compared() -> None:
    """Keys are lower case, so are the words."""
    assert all(role == role.lower() and "@" not in role for role in ROLES)


def test_by_default_addresses_are_renamed_and_roles_held() -> None:
    """S0-35, S2-11: in place, but nobody inherits the consent of a mailbox of several people."""
    faults: list[str] = []
    assert read_policies(None, "x", faults) == dict(DEFAULT_POLICIES)
    assert faults == []
    assert dict(DEFAULT_POLICIES) == {CASE: RENAME, LOCAL: RENAME, DOMAIN: RENAME, ROLE: HOLD}


def test_one_word_is_meant_for_every_kind() -> None:
    """S2-13: a policy is an explicit word; one mailbox can only be renamed or held."""
    faults: list[str] = []
    every = dict.fromkeys(ChangeClass, RESUBSCRIBE) | {CASE: RENAME}
    assert read_policies("resubscribe", "x", faults) == every
    assert read_policies("hold", "x", faults) == dict.fromkeys(ChangeClass, HOLD)
    assert read_policies("rename", "x", faults) == dict.fromkeys(ChangeClass, RENAME)
    assert faults == []


def test_kinds_that_are_not_named_stay_as_by_default() -> None:
    """S2-15: a policy for each kind."""
    policies = read_policies({"domain": "hold", "local_part": "resubscribe"}, "x", [])
    assert policies == {CASE: RENAME, LOCAL: RESUBSCRIBE, DOMAIN: HOLD, ROLE: HOLD}
    renames = {"role_to_personal": "rename", "case_only": "hold"}
    policies = read_policies(renames, "x", [])
    assert policies == {CASE: HOLD, LOCAL: RENAME, DOMAIN: RENAME, ROLE: RENAME}
    assert read_policies({}, "x", []) == {CASE: RENAME, LOCAL: RENAME, DOMAIN: RENAME, ROLE: HOLD}


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        ("move", "x: one of rename, resubscribe, hold"),
        ({"domain": "move"}, "x: one of rename, resubscribe, hold"),
        ({"company": "hold"}, "x.company: no such kind of change"),
        ({"case_only": "resubscribe"}, "x.case_only: one mailbox"),
        (7, "x: one of rename"),
    ],
)
def test_what_is_no_policy_is_a_fault(raw: object, fault: str) -> None:
    """One fault a mistake, with where it is and what would do."""
    faults: list[str] = []
    assert read_policies(raw, "x", faults) == dict(DEFAULT_POLICIES)
    assert len(faults) == 1
    assert faults[0].startswith(fault)


class Asked(dict[str, str]):
    """Who waits for whom; asked too often, it fails."""

    asked = 0

    def _count(self) -> None:
        self.asked += 1
        assert self.asked <= 5 * len(self)

    def __contains__(self, name: object) -> bool:
        self._count()
        return super().__contains__(name)

    def __getitem__(self, name: str) -> str:
        self._count()
        return super().__getitem__(name)


@pytest.mark.parametrize(
    "waiting", [{"1": "2", "2": "1", "3": "1"}, {"1": "2", "2": "3"}, {"1": "1"}]
)
def test_looking_for_rings_comes_to_an_end(waiting: dict[str, str]) -> None:
    """S2-28: each contact is asked a few times, however they wait for one another."""
    assert len(list(cycles(Asked(waiting)))) <= 1


def test_a_swap_is_a_ring_and_a_chain_is_none() -> None:
    """S2-28: A and B want each other's addresses; C waits for A and is in no ring."""
    assert list(cycles({"1": "2", "2": "1", "3": "1", "7": "9"})) == [["1", "2"]]
    assert list(cycles({"3": "1", "2": "3", "1": "2"})) == [["1", "2", "3"]]
    assert list(cycles({"1": "2", "2": "3"})) == []
    two = {"4": "3", "3": "4", "2": "1", "1": "2"}
    assert list(cycles(two)) == [["1", "2"], ["3", "4"]]
    assert list(cycles({"4": "4"})) == [["4"]]
    assert list(cycles({})) == []


@given(st.permutations(range(6)))
def test_every_ring_of_a_permutation_is_found_once(order: list[int]) -> None:
    """S2-28: whatever way the addresses were handed round, each contact is in one ring."""
    waiting = {str(i): str(j) for i, j in enumerate(order)}
    rings = list(cycles(waiting))
    assert sorted(i for ring in rings for i in ring) == sorted(waiting)
    for ring in rings:
        assert [waiting[i] for i in ring] == [*ring[1:], ring[0]]
        assert ring[0] == min(ring)


def test_two_parked_contacts_never_share_an_address() -> None:
    """S2-17: a contact waits at an address of its own that nobody can receive mail at."""
    assert parked("1").key != parked("2").key
    assert parked("1").key.endswith(".invalid")
    there = parked("A1")
    assert (there.display.lower(), address_key(there.display)) == (there.key, there.key)


@pytest.mark.parametrize("spelled", [str, str.upper, " {} ".format])
def test_a_parked_contact_is_known_however_the_vendor_spells_its_address(
    spelled: Callable[[str], str],
) -> None:
    """S2-28: whoever was left there by a run cut short is taken on from there."""
    assert is_parked(spelled(parked("1").display))


@pytest.mark.parametrize("text", ["", "parked-1@example.com", "a@x.address-change.invalid"])
def test_nobody_else_is_taken_for_parked(text: str) -> None:
    """S2-15: for a parked contact no policy counts."""
    assert not is_parked(text)
