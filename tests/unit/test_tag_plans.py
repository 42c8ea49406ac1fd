"""Which tags are added and removed, and which never."""

from __future__ import annotations

import pytest
from target_activecampaign.list_settings import TagRule
from target_activecampaign.memberships import plan_tags
from target_activecampaign.model import Contact, Existing, FieldProblem, TagChange

ACCOUNT = {"1": "CRM-Gold", "2": "crm-silver", "3": "Newsletter", "4": "Old", "5": "older"}
COLUMN = TagRule(column="t", owned_prefixes=("Crm-",))


def planned(
    rule: TagRule, listed: tuple[str, ...] | None, *held: str
) -> tuple[TagChange, tuple[FieldProblem, ...]]:
    """For a row that lists tags and a contact that has those with these ids."""
    contact = Contact("key:1", "1", "1", None, {}, {}, tags=listed)
    existing = Existing("10", "a@example.com", {}, {}, tags={i: f"row{i}" for i in held})
    return plan_tags(contact, existing, rule, ACCOUNT)


def test_a_new_contact_gets_what_is_named_and_listed() -> None:
    """S4-22: in that order, each once."""
    contact = Contact("key:1", "1", "1", None, {}, {}, tags=("crm-Gold", "CRM-gold"))
    rule = TagRule(add=("Customer",), column="t", owned_prefixes=("crm-",))
    change, problems = plan_tags(contact, None, rule, ACCOUNT)
    assert (change.add, change.remove, problems) == (("Customer", "CRM-gold"), (), ())


def test_an_owned_tag_that_is_no_longer_listed_is_removed() -> None:
    """S4-22: and one that is listed added; others of the contact stay."""
    change, problems = planned(COLUMN, ("crm-silver",), "1", "3")
    assert (change.add, change.remove, problems) == (("crm-silver",), ("1",), ())


def test_a_row_that_says_nothing_of_tags_removes_none() -> None:
    """S4-22: an absent column is not an empty one."""
    assert planned(COLUMN, None, "1", "2")[0] == TagChange((), ())
    assert planned(COLUMN, (), "1", "2")[0] == TagChange((), ("1", "2"))


def test_letter_case_makes_no_other_tag() -> None:
    """S4-22, X3: as the vendor compares; what agrees needs no call."""
    assert planned(COLUMN, ("crm-GOLD",), "1")[0] == TagChange((), ())
    assert planned(TagRule(add=("NEWSLETTER",)), None, "3")[0] == TagChange((), ())
    assert planned(TagRule(remove=("OLD",)), None, "4", "5")[0] == TagChange((), ("4",))


def test_a_tag_to_remove_is_not_added_by_the_column() -> None:
    """S4-22: or each run would undo the other half."""
    rule = TagRule(remove=("CRM-GOLD", "older"), column="t", owned_prefixes=("crm-",))
    change, _ = planned(rule, ("Crm-Gold", "crm-silver"), "5", "1")
    assert change == TagChange(("crm-silver",), ("1", "5"))
    assert planned(rule, ("Crm-Gold",))[0] == TagChange((), ())


@pytest.mark.parametrize("listed", [("Newsletter",), ("VIP", "Newsletter"), ("VIP", "crm-silver")])
def test_a_tag_that_nobody_owns_is_named_once_and_left(listed: tuple[str, ...]) -> None:
    """S4-22: the column may not take over what somebody else set."""
    change, problems = planned(COLUMN, listed, "3")
    assert "VIP" not in change.add
    assert change.remove == ()
    assert [(one.perstag, one.cause) for one in problems] == [("tags", "tag_not_owned")]


def test_a_tag_that_the_account_does_not_know_is_left_alone() -> None:
    """S4-22: such as one made since the tags were read."""
    assert planned(COLUMN, (), "99")[0] == TagChange((), ())


def test_tags_are_removed_in_the_order_of_their_names() -> None:
    """X3: two runs that find the same do the same."""
    rule = TagRule(remove=("older", "old", "newsletter", "crm-silver", "crm-gold"))
    change, _ = planned(rule, None, "5", "4", "3", "2", "1")
    assert change.remove == ("1", "2", "3", "4", "5")


def test_a_contact_whose_tags_are_unknown_only_gains() -> None:
    """S4-22: nothing is removed on a guess."""
    contact = Contact("key:1", "1", "1", None, {}, {}, tags=())
    existing = Existing("10", "a@example.com", {}, {})
    rule = TagRule(add=("Customer",), remove=("old",), column="t", owned_prefixes=("crm-",))
    assert plan_tags(contact, existing, rule, ACCOUNT)[0] == TagChange(("Customer",), ())
