"""Fault texts: what they mean, and that nothing of them gets out."""

from __future__ import annotations

import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optimizely_soap.faults import UNKNOWN, FaultKind, SoapFault, classify, fault_of, redact

IMPL = "broadmail.api.soap11.impl.WebserviceImplException: "
DEAD = (
    "optivo.core.util.DontLogMeException: "
    "broadmail.api.soap11.impl.InvalidWebserviceSessionException: "
)
CALL = "[0123456789abcdef,1234,sim-user] "

SEEN = [
    (f"{IMPL}Invalid credentials.", FaultKind.CREDENTIALS, "Invalid credentials"),
    (f"{DEAD}Invalid sessionId: 0123456789abcdef", FaultKind.SESSION, "Invalid sessionId"),
    (
        f"{IMPL}{CALL}Recipient does not exist for call: recipientId='a@example.com'",
        FaultKind.NOT_FOUND,
        "Recipient does not exist",
    ),
    (
        f"{IMPL}{CALL}Recipient does not exists for call: recipientId='a@example.com'",
        FaultKind.NOT_FOUND,
        "Recipient does not exist",
    ),
    (
        (
            f"{IMPL}{CALL}Error updating users in userlist #12 for call: recipientIds='a,b'"
            f"; caused by: {CALL}Recipients a,b do not exist for call: recipientIds='a,b'"
        ),
        FaultKind.NOT_FOUND,
        "Recipients do not exist",
    ),
    (
        f"{IMPL}{CALL}No unsubscribe found for call: recipientId='a@example.com'",
        FaultKind.NO_UNSUBSCRIBE,
        "No unsubscribe found",
    ),
    ("No such operation 'addAll9'", FaultKind.OTHER, "No such operation"),
    ("no SOAPAction header!", FaultKind.OTHER, "no SOAPAction header"),
    (
        'java.lang.NumberFormatException: For input string: "x"',
        FaultKind.OTHER,
        "a value that is no number",
    ),
    ("", FaultKind.OTHER, UNKNOWN),
    ("Something else entirely", FaultKind.OTHER, UNKNOWN),
]


@pytest.mark.parametrize(("told", "kind", "phrase"), SEEN)
def test_a_known_text_has_its_kind_and_its_phrase(told: str, kind: FaultKind, phrase: str) -> None:
    """The texts of recorded answers and of the engine's source."""
    assert (classify(told), redact(told)) == (kind, phrase)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (f"{IMPL}Session expired", FaultKind.SESSION),
        (f"{IMPL}Login failed", FaultKind.CREDENTIALS),
        (f"{IMPL}User sim-user is locked", FaultKind.CREDENTIALS),
        (f"{IMPL}{CALL}Access denied", FaultKind.PERMISSION),
        (f"{IMPL}User has no permission to call this", FaultKind.PERMISSION),
        (f"{IMPL}Missing privilege INTERFACE_WEBSERVICE", FaultKind.PERMISSION),
        (f"{IMPL}IP address 192.0.2.1 is not on the whitelist", FaultKind.PERMISSION),
        (f"{IMPL}Operation clear not allowed", FaultKind.PERMISSION),
    ],
)
def test_likely_texts_nobody_recorded_are_understood(told: str, kind: FaultKind) -> None:
    """Permission, address and lock-out: guesses, outside of quotes only."""
    assert classify(told) is kind


@pytest.mark.parametrize(
    ("told", "phrase"),
    [
        ("Recipient list does not exist", "the list does not exist"),
        ("Attribute 'x' does not exist", "an attribute does not exist"),
        ("Cannot convert value 'x' of attribute 'y' to LONG", "a value could not be converted"),
        ("Too many elements: 1001, maximum is 1000", "too many at once"),
        ("This character is not allowed in a name", UNKNOWN),
        ("Forbidden character in value", UNKNOWN),
        ("The e-mail address is not allowed", UNKNOWN),
        ("Value must not be empty, no right bracket", UNKNOWN),
    ],
)
def test_a_refused_value_or_list_is_no_matter_of_rights(told: str, phrase: str) -> None:
    """One bad row must not end the run as if the user lacked a permission."""
    told = f"{IMPL}{CALL}{told} for call: x='y'"
    assert (classify(told), redact(told)) == (FaultKind.OTHER, phrase)


def test_the_engines_own_codes_for_a_refused_user_count() -> None:
    """Axis says Server.Unauthorized where it has nothing else to say."""
    assert classify("x", "soapenv:Server.Unauthorized") is FaultKind.PERMISSION
    assert classify("x", "Server.Unauthenticated") is FaultKind.PERMISSION
    assert classify("x", "soapenv:Server.userException") is FaultKind.OTHER


@pytest.mark.parametrize(
    "value",
    [
        "Invalid credentials.",
        "Invalid sessionId: 1",
        "access denied",
        "x' for call: y='Invalid credentials",
        f"; caused by: {CALL}Invalid credentials.",
        f"; caused by: {DEAD}Invalid sessionId: 1",
        f"; caused by: {IMPL}access denied",
    ],
)
@pytest.mark.parametrize(
    "template",
    [
        IMPL + CALL + "Cannot convert '{}' for call: values='{}'",
        IMPL + CALL + "Some new text for call: flag={}, count=1",
        IMPL + CALL + "Some new text for call: recipientId='{}', values='a,{},b'",
        'java.lang.NumberFormatException: For input string: "{}"',
    ],
)
def test_a_value_cannot_pose_as_a_fault_that_ends_or_repeats(template: str, value: str) -> None:
    """A customer named "Invalid credentials" must not stop the transfer of all others."""
    told = template.replace("{}", value)
    assert classify(told) is FaultKind.OTHER


@given(st.text(max_size=60))
def test_no_phrase_is_ever_part_of_the_text(told: str) -> None:
    """X7: what comes out was written beforehand, whatever came in."""
    phrases = {redact(one) for one, _, _ in SEEN} | {
        redact("Session expired"), redact("Login failed"), redact("access denied"), "Bad types",
        "Error updating users", redact("list does not exist"), redact("unknown attribute"),
        redact("cannot parse"), redact("too many elements"),
    }  # fmt: skip
    for text in (told, f"{IMPL}{CALL}{told}", f"{IMPL}{told} do not exist"):
        assert redact(text) in phrases


def test_an_error_shows_kind_and_phrase_only() -> None:
    """Also after a trip through another process."""
    fault = fault_of(SEEN[1][0])
    assert (str(fault), fault.kind) == ("Invalid sessionId", FaultKind.SESSION)
    assert repr(fault) == "SoapFault('Invalid sessionId')"
    copy = pickle.loads(pickle.dumps(fault))
    assert isinstance(copy, SoapFault)
    assert (str(copy), copy.kind) == (str(fault), fault.kind)


def test_ids_by_the_thousand_do_not_hide_the_reason() -> None:
    """A fault lists every id and value of its call before it says why."""
    ids = ",".join(f"person{i}@example.com" for i in range(20_000))
    told = (
        f"{IMPL}{CALL}Error updating users in userlist #1 for call: ids='{ids}'"
        f"; caused by: {CALL}Recipients {ids} do not exist for call: ids='{ids}'"
    )
    assert classify(told) is FaultKind.NOT_FOUND


@pytest.mark.parametrize(
    "part", ["a.", "[", "'", '"', "[a,b,", "; caused by: ", "Recipients ", "a: "]
)
def test_a_text_made_to_be_slow_is_sorted_at_once(part: str) -> None:
    """No pattern runs away on a megabyte of the same."""
    began = time.thread_time()
    classify(part * (1_000_000 // len(part)))
    assert time.thread_time() - began < 2
