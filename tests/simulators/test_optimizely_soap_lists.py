"""What the simulated vendor decides: who gets into a list, who is active, what a value becomes."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from optimizely_support import (
    OPTIN,
    REGULAR,
    Fault,
    Soap,
    boolean,
    int_,
    long,
    rows,
    text,
    texts,
)
from simulators_support import Simulator

ADA, BO, CY = "ada@example.com", "bo@example.com", "cy@example.com"
TYPED = 120000000007


def recipients(campaign: Simulator, list_id: int = REGULAR) -> dict[str, dict[str, Any]]:
    """The recipients of a list by id, as the simulator holds them."""
    lists = campaign.state()["clients"]["1234"]["lists"]
    found = next(row["recipients"] for row in lists if row["id"] == list_id)
    return {row["id"]: row for row in found}


def unsubscribed(campaign: Simulator) -> set[str]:
    return {row["id"] for row in campaign.state()["clients"]["1234"]["unsubscribes"]}


STATES = ("unsubscribed", "blocked", "bounced", "already")
CODES = {"unsubscribed": 2, "blocked": 3, "bounced": 4, "already": 5}


def make(campaign: Simulator, states: tuple[str, ...], list_id: int) -> None:
    """Put ADA into the given states."""
    if "already" in states:
        campaign.seed({"recipients": [{"list": list_id, "id": ADA, "attributes": {"Land": "CH"}}]})
    if "unsubscribed" in states:
        campaign.event("unsubscribe", id=ADA)
    if "blocked" in states:
        campaign.event("block", entry="ada@*")
    if "bounced" in states:
        campaign.event("bounce", id=ADA, kind="hard", times=3)


COMBINATIONS = [
    chosen for size in range(len(STATES) + 1) for chosen in itertools.combinations(STATES, size)
]


@pytest.mark.parametrize("states", COMBINATIONS, ids="+".join)
@pytest.mark.parametrize("method", ["addAll3", "addAll3Flat", "add2"])
def test_a_regular_list_never_gets_an_unsubscribed_recipient_active(
    campaign: Simulator, soap: Soap, states: tuple[str, ...], method: str
) -> None:
    """S1-28: by whatever method, already wins, then blocklist, bounces, unsubscribe."""
    make(campaign, states, REGULAR)
    code = add(soap, method, REGULAR)
    order = ("already", "blocked", "bounced", "unsubscribed")
    assert code == next((CODES[state] for state in order if state in states), 0)
    held = recipients(campaign)
    assert (ADA in held) == (code in {0, 5})
    harmed = set(states) - {"already"}
    assert all(row["active"] == (not harmed) for row in held.values())
    assert (ADA in unsubscribed(campaign)) == ("unsubscribed" in states)


@pytest.mark.parametrize("states", COMBINATIONS, ids="+".join)
def test_an_opt_in_list_takes_the_unsubscribe_back(
    campaign: Simulator, soap: Soap, states: tuple[str, ...]
) -> None:
    """S1-28: writing there re-subscribes whoever is let in, which makes such a list dangerous."""
    make(campaign, states, OPTIN)
    code = add(soap, "addAll3", OPTIN)
    order = ("already", "blocked", "bounced")
    assert code == next((CODES[state] for state in order if state in states), 0)
    kept = "unsubscribed" in states and code != 0
    assert (ADA in unsubscribed(campaign)) == kept
    if states == ("unsubscribed",):
        assert recipients(campaign, OPTIN)[ADA]["active"]


def add(soap: Soap, method: str, list_id: int, land: str = "DE", process: int = 0) -> int:
    """Add ADA by one of the methods; returns the code."""
    head = (long(list_id), long(process))
    if method == "add2":
        one: int = soap.call(
            "RpcRecipient", "add2", *head, text(ADA), text(ADA), texts(["Land"]), texts([land])
        )
        return one
    values = rows([[land]]) if method == "addAll3" else texts([land])
    codes: list[int] = soap.call(
        "RpcRecipient", method, *head, texts([ADA]), texts([ADA]), texts(["Land"]), values
    )
    return codes[0]


def test_already_there_is_not_updated(campaign: Simulator, soap: Soap) -> None:
    """Code 5 leaves the stored attributes as they are."""
    assert add(soap, "addAll3", REGULAR, "CH") == 0
    assert add(soap, "addAll3", REGULAR, "DE") == 5
    assert recipients(campaign)[ADA]["attributes"]["Land"] == "CH"


def test_clear_keeps_unsubscribes_blocklist_and_bounces(campaign: Simulator, soap: Soap) -> None:
    """They belong to the client, so a refill meets them again."""
    make(campaign, ("unsubscribed", "already"), REGULAR)
    soap.call("RpcRecipient", "clear", long(REGULAR))
    assert soap.count() == 0
    assert add(soap, "addAll3", REGULAR) == 2


def test_a_double_opt_in_waits_and_can_be_started_again(campaign: Simulator, soap: Soap) -> None:
    """Until it is confirmed the recipient is inactive, re-addable and stays unsubscribed."""
    campaign.seed({"optin_processes": [{"id": 7, "type": "double"}, {"id": 8, "type": "single"}]})
    campaign.event("unsubscribe", id=ADA)
    assert add(soap, "addAll3", OPTIN, process=7) == 0
    assert add(soap, "addAll3", OPTIN, process=7) == 0
    assert add(soap, "addAll3", OPTIN, process=8) == 5
    assert not recipients(campaign, OPTIN)[ADA]["active"]
    assert ADA in unsubscribed(campaign)
    campaign.event("confirm_optin", id=ADA, list=OPTIN)
    assert recipients(campaign, OPTIN)[ADA]["active"]
    assert ADA not in unsubscribed(campaign)
    with pytest.raises(Fault, match="Opt-in process does not exist"):
        add(soap, "addAll3", OPTIN, process=9)


@pytest.mark.parametrize("address", ["", "invalid", "a@b@example.com", "a b@example.com", "@x"])
def test_what_is_no_address_is_code_one(soap: Soap, address: str) -> None:
    """Validation fails for the one, and the others of the batch get in."""
    people, addresses = texts(["x", ADA]), texts([address, ADA])
    head = (long(REGULAR), long(0))
    codes = soap.call(
        "RpcRecipient", "addAll3", *head, people, addresses, texts([]), rows([[], []])
    )
    assert codes == [1, 0]


RAGGED = [
    (texts([ADA, BO]), texts([ADA]), texts(["Land"]), rows([["CH"], ["CH"]])),
    (texts([ADA]), texts([ADA]), texts(["Land"]), rows([["CH"], ["CH"]])),
    (texts([ADA]), texts([ADA]), texts(["Land"]), rows([["CH", "DE"]])),
    (texts([ADA]), texts([ADA]), texts(["Land"]), rows([[]])),
    (texts([None]), texts([ADA]), texts(["Land"]), rows([["CH"]])),
    (texts([ADA]), texts([ADA]), texts(["Land"]), text(None)),
]


@pytest.mark.parametrize("arrays", RAGGED)
def test_ragged_input_faults_and_stores_nothing(soap: Soap, arrays: tuple[Any, ...]) -> None:
    """Arrays of different lengths, rows of another width, nulls where ids belong."""
    with pytest.raises(Fault):
        soap.call("RpcRecipient", "addAll3", long(REGULAR), long(0), *arrays)
    assert soap.count() == 0


def typed_list(campaign: Simulator) -> None:
    kinds = ("LONG", "INTEGER", "SHORT", "FLOAT", "DECIMAL", "DATE", "TIMESTAMP", "BOOLEAN")
    fields = [{"name": kind.lower(), "type": kind} for kind in kinds]
    campaign.seed({"lists": [{"id": TYPED, "name": "Typed", "attributes": ["email", *fields]}]})


@pytest.mark.parametrize(
    ("kind", "sent", "read"),
    [
        ("long", "9223372036854775807", "9223372036854775807"),
        ("long", "+007", "7"),
        ("integer", "-2147483648", "-2147483648"),
        ("float", "1.50", "1.5"),
        ("decimal", "1.50", "1.50"),
        ("date", "2026-02-28", "2026-02-28"),
        ("date", "2026-02-28T23:59:59+01:00", "2026-02-28"),
        ("timestamp", "2026-02-02T08:36:31Z", "2026-02-02T09:36:31+01:00"),
        ("timestamp", "2026-07-02T09:36:31+02:00", "2026-07-02T09:36:31+02:00"),
        ("boolean", "true", "true"),
        ("long", None, None),
    ],
)
def test_a_value_that_fits_is_stored_in_the_fields_own_form(
    campaign: Simulator, soap: Soap, kind: str, sent: str | None, read: str | None
) -> None:
    """Numbers lose their zeros, times come back in the server's zone."""
    typed_list(campaign)
    assert soap.add(TYPED, [ADA], [kind], [[sent]]) == [0]
    assert soap.call("RpcRecipient", "getAll", long(TYPED), texts([kind])) == [[read]]


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("long", ""),
        ("long", "9223372036854775808"),
        ("integer", "2147483648"),
        ("short", "1.0"),
        ("float", "1,5"),
        ("float", "NaN"),
        ("decimal", "1e"),
        ("date", "28.02.2026"),
        ("date", "2026-02-30"),
        ("timestamp", "soon"),
        ("boolean", "yes"),
    ],
)
def test_a_value_that_does_not_convert_faults_the_whole_call(
    campaign: Simulator, soap: Soap, kind: str, sent: str
) -> None:
    """One bad value in the last row, and nothing of the batch is stored."""
    typed_list(campaign)
    with pytest.raises(Fault, match="Cannot convert value"):
        soap.add(TYPED, [ADA, BO], [kind], [[None], [sent]])
    assert soap.count(TYPED) == 0


def test_system_columns_cannot_be_written_but_read(campaign: Simulator, soap: Soap) -> None:
    """They stand at the end of getAttributeNames, in the language asked for."""
    campaign.clock(now="2026-02-02T08:36:31+00:00")
    names = soap.call("RpcRecipientList", "getAttributeNames", long(REGULAR), text("de"))
    assert names[-4:] == ["Erstellt am", "Geändert am", "Opt-in-Quelle", "Opt-in-Datum"]
    assert soap.add(REGULAR, [ADA]) == [0]
    read = soap.call("RpcRecipient", "getAttributes", long(REGULAR), text(ADA), texts(names[-4:]))
    assert read == ["2026-02-02T09:36:31+01:00"] * 2 + [None, None]
    change = (text(ADA), texts(["Created"]), texts(["2020-01-01"]))
    for name in ("Created", "Erstellt am"):
        with pytest.raises(Fault, match=f"Attribute '{name}' is read-only"):
            soap.add(REGULAR, [BO], [name], [["2020-01-01"]])
    with pytest.raises(Fault, match="read-only"):
        soap.call("RpcRecipient", "setAttributes", long(REGULAR), *change)


def test_the_address_is_read_back_as_email_unless_that_is_sent(soap: Soap) -> None:
    """A recipient id may be anything; the address is what mail goes to."""
    head = (long(REGULAR), long(0), texts(["7", "8"]), texts([ADA, BO]))
    values = rows([["x@example.org"], [None]])
    assert soap.call("RpcRecipient", "addAll3", *head, texts(["email"]), values) == [0, 0]
    assert (
        soap.call(
            "RpcRecipient", "add", long(REGULAR), long(0), text("9"), text(CY), texts([]), texts([])
        )
        is True
    )
    read = soap.call("RpcRecipient", "getAll", long(REGULAR), texts(["email"]))
    assert read == [["x@example.org"], [None], [CY]]


def test_a_list_can_show_ids_in_a_field_of_its_own(campaign: Simulator, soap: Soap) -> None:
    """Where the key field is not the address, the id fills it."""
    fields = ["email", "ID-Feld"]
    campaign.seed({"lists": [{"id": TYPED, "attributes": fields, "id_field": "ID-Feld"}]})
    head = (long(TYPED), long(0), texts(["7"]), texts([ADA]))
    assert soap.call("RpcRecipient", "addAll3", *head, texts([]), rows([[]])) == [0]
    assert soap.call("RpcRecipient", "getAll", long(TYPED), texts(fields)) == [[ADA, "7"]]


def test_a_batch_of_changes_names_all_unknown_ids(soap: Soap) -> None:
    """One unknown id faults the call; the message nests and nothing is changed."""
    soap.add(REGULAR, [ADA], ["Land"], [["CH"]])
    arguments = (texts([ADA, BO, CY]), rows([["Land"]] * 3), rows([["DE"]] * 3))
    with pytest.raises(Fault) as fault:
        soap.call("RpcRecipient", "setAttributesInBatch", long(REGULAR), *arguments)
    assert f"Error updating users in userlist #{REGULAR} for call:" in fault.value.text
    assert "; caused by: [" in fault.value.text
    assert f"Recipients {BO},{CY} do not exist for call:" in fault.value.text
    assert soap.call("RpcRecipient", "getAll", long(REGULAR), texts(["Land"])) == [["CH"]]
    for operation, arguments in (
        ("setAttributes", (text(BO), texts(["Land"]), texts(["DE"]))),
        ("getAttributes", (text(BO), texts(["Land"]))),
    ):
        with pytest.raises(Fault, match="Recipient does not exists"):
            soap.call("RpcRecipient", operation, long(REGULAR), *arguments)


def test_each_row_of_a_batch_may_change_other_attributes(soap: Soap) -> None:
    """setAttributesInBatch has names per row, addAll the same codes as truth."""
    soap.add(REGULAR, [ADA, BO])
    names, values = rows([["Land"], ["Vorname", "Land"]]), rows([["CH"], ["Bo", None]])
    soap.call(
        "RpcRecipient", "setAttributesInBatch", long(REGULAR), texts([ADA, BO]), names, values
    )
    read = soap.call("RpcRecipient", "getAll", long(REGULAR), texts(["Vorname", "Land"]))
    assert read == [[None, "CH"], ["Bo", None]]
    people = (texts([ADA, CY]), texts([ADA, CY]), texts([]), rows([[], []]))
    assert soap.call("RpcRecipient", "addAll", long(REGULAR), long(0), *people) == [False, True]
    codes = soap.call("RpcRecipient", "addAll2", long(REGULAR), long(0), *people)
    assert codes == [5, 5]


def test_a_transaction_list_takes_no_changes(campaign: Simulator, soap: Soap) -> None:
    """setAttributes is not for transactional lists."""
    campaign.seed({"lists": [{"id": TYPED, "kind": "transaction"}]})
    assert soap.add(TYPED, [ADA]) == [0]
    with pytest.raises(Fault, match="transactional"):
        soap.call(
            "RpcRecipient",
            "setAttributes",
            long(TYPED),
            text(ADA),
            texts(["Land"]),
            texts(["CH"]),
        )


def test_what_is_suppressed_can_be_removed_from_a_list(campaign: Simulator, soap: Soap) -> None:
    """removeUnsubscribed, removeBlacklisted and removeBounced count whom they removed."""
    people = [f"p{index}@example.com" for index in range(4)]
    soap.add(REGULAR, people)
    campaign.event("unsubscribe", id=people[0])
    campaign.event("block", entry=people[1])
    campaign.event("bounce", id=people[2], kind="soft", times=5)
    for operation in ("removeUnsubscribed", "removeBlacklisted", "removeBounced"):
        assert soap.call("RpcRecipient", operation, long(REGULAR)) == 1
    assert list(recipients(campaign)) == people[3:]


def test_a_changed_id_keeps_its_history_and_place(campaign: Simulator, soap: Soap) -> None:
    """changeRecipientId2 works in all lists and takes the unsubscribe along."""
    soap.add(REGULAR, [ADA, BO])
    campaign.event("unsubscribe", id=ADA)
    soap.call("RpcRecipient", "changeRecipientId2", text(ADA), text(CY))
    assert list(recipients(campaign)) == [CY, BO]
    assert unsubscribed(campaign) == {CY}
    with pytest.raises(Fault, match="Recipient already exists"):
        soap.call("RpcRecipient", "changeRecipientId2", text(CY), text(BO))


def test_unknown_things_fault(soap: Soap) -> None:
    """A list, a filter, an attribute, an unsubscribe, an entry that are not there."""
    no_such: list[tuple[str, str, tuple[Any, ...], str]] = [
        ("RpcRecipient", "getCount", (long(1), long(0)), "Recipient list does not exist"),
        ("RpcRecipient", "getCount", (long(REGULAR), long(5)), "filter does not exist"),
        ("RpcRecipient", "getAll", (long(REGULAR), texts(["Nix"])), "'Nix' does not exist"),
        ("RpcRecipient", "remove", (long(REGULAR), text(ADA)), "Recipient does not exist for"),
        ("RpcUnsubscribe", "remove", (text(ADA),), "No unsubscribe found"),
        ("RpcBlacklist", "getReason", (text(ADA),), "does not exist"),
        ("RpcMailing", "getStatus", (long(1),), "Mailing does not exist"),
        ("RpcMailing", "getIdsInStatus", (text("regular"), text("ASLEEP")), "Unknown status"),
    ]
    for service, operation, arguments, words in no_such:
        with pytest.raises(Fault, match=words):
            soap.call(service, operation, *arguments)


def test_a_null_order_pages_in_stored_order(soap: Soap) -> None:
    """getAllAdvanced with orderByAttribute nil does not sort."""
    people = [CY, ADA, BO]
    soap.add(REGULAR, people)
    pages = [
        soap.call(
            "RpcRecipient",
            "getAllAdvanced",
            *(long(REGULAR), texts(["email"]), long(0), text(None), boolean(True)),
            *(int_(start), int_(2)),
        )
        for start in (0, 2, 4)
    ]
    assert pages == [[[CY], [ADA]], [[BO]], []]


def test_sessions_are_sixteen_hex_digits_and_live_side_by_side(soap: Soap) -> None:
    """Each login has a new session; leaving one leaves the others."""
    first, second = soap.session_id, soap.login().session_id
    assert first != second
    assert all(len(known) == 16 and int(known, 16) >= 0 for known in (first, second))
    soap.call("RpcSession", "logout")
    with pytest.raises(Fault) as fault:
        soap.count()
    assert fault.value.text == (
        "optivo.core.util.DontLogMeException: broadmail.api.soap11.impl."
        f"InvalidWebserviceSessionException: Invalid sessionId: {second}"
    )
    soap.session_id = first
    assert soap.count() == 0


def test_a_client_sees_only_its_own(campaign: Simulator, soap: Soap) -> None:
    """Another client has its own users and lists."""
    campaign.seed({"clients": [{"id": 99, "users": [{"name": "u", "password": "p"}]}]})
    campaign.seed({"client": 99, "lists": [{"id": TYPED, "name": "Theirs"}]})
    with Soap(campaign.url) as other:
        other.login("u", "p", 99)
        assert other.call("RpcRecipientList", "getAllIds") == [TYPED]
        with pytest.raises(Fault, match="Invalid credentials"):
            other.login("u", "p")
    assert soap.call("RpcRecipientList", "getAllIds") == [REGULAR, OPTIN]
    with pytest.raises(Fault, match="list does not exist"):
        soap.count(TYPED)


def test_a_user_may_be_allowed_some_operations_only(campaign: Simulator) -> None:
    """The whitelist names operations, alone or with their service."""
    user = {"name": "u", "password": "p", "operations": ["getCount", "RpcRecipient.clear"]}
    campaign.seed({"clients": [{"id": 1234, "users": [user]}]})
    with Soap(campaign.url) as limited:
        limited.login("u", "p")
        assert limited.count() == 0
        limited.call("RpcRecipient", "clear", long(REGULAR))
        with pytest.raises(Fault, match="not permitted"):
            limited.call("RpcRecipientList", "getAllIds")
