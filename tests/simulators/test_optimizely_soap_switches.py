"""Every switch of the simulated SOAP side makes a difference that a client can see."""

from __future__ import annotations

import gc
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from api_simulators.optimizely.response_switches import RESPONSE_TABLE
from optimizely_support import (
    OPTIN,
    REGULAR,
    Fault,
    Param,
    Soap,
    boolean,
    envelope,
    int_,
    long,
    raw,
    rows,
    text,
    texts,
)
from simulators_support import Simulator

Look = Callable[[Simulator, Soap], Any]
NOON = "2026-05-28T12:00:00+00:00"
ADA, BO, CY = "ada@example.com", "bo@example.com", "cy@example.com"
TYPED = 120000000007
LOOKS: dict[str, Look] = {}
EXPECTED: list[tuple[str, Any, Any]] = []


def look(name: str, **positions: Any) -> Callable[[Look], Look]:
    """Register what a client sees at each position of a switch; `_` stands before digits."""

    def register(seen: Look) -> Look:
        assert name not in LOOKS
        LOOKS[name] = seen
        for position, expected in positions.items():
            EXPECTED.append((name, position.removeprefix("_"), expected))
        return seen

    return register


def told(call: Callable[[], Any]) -> Any:
    """What a call returns, or the part of the fault's text that is the vendor's sentence."""
    try:
        return call()
    except Fault as fault:
        return re.sub(r".*\] | for call: .*", "", fault.text)


def post(soap: Soap, service: str, operation: str, *params: Param) -> Any:
    body = envelope(service, operation, [text(soap.session_id), *params])
    return soap.post(service, body)


def people(campaign: Simulator, list_id: int = REGULAR) -> dict[str, bool]:
    """Who is on a list, and whether a mailing would reach them."""
    lists = campaign.state()["clients"]["1234"]["lists"]
    found = next(row["recipients"] for row in lists if row["id"] == list_id)
    return {row["id"]: row["active"] for row in found}


DEAD = "Invalid sessionId"


@look("session_expiry", absolute=[0, True], sliding=[0, False])
def _(campaign: Simulator, soap: Soap) -> Any:
    campaign.clock(advance=15 * 60)
    first = soap.count()
    campaign.clock(advance=15 * 60)
    return [first, DEAD in str(told(soap.count))]


@look("session_minutes", _20=[False, True], _5=[True, True])
def _(campaign: Simulator, soap: Soap) -> Any:
    campaign.clock(advance=20 * 60 - 1)
    before = DEAD in str(told(soap.count))
    soap.login()
    campaign.clock(advance=20 * 60)
    return [before, DEAD in str(told(soap.count))]


NOT_PERMITTED = "User is not permitted to call this operation"


@look("allowed_operations", **{"getCount": 0, "RpcRecipientList.getCount": NOT_PERMITTED})
def _(campaign: Simulator, soap: Soap) -> Any:
    return told(soap.count)


@look("denied_text", **{"Access denied": "Access denied", NOT_PERMITTED: NOT_PERMITTED})
def _(campaign: Simulator, soap: Soap) -> Any:
    campaign.switches(allowed_operations="login")
    return told(soap.count)


@look("ip_refused", off=[200, True], fault=[500, True], _403=[403, False])
def _(campaign: Simulator, soap: Soap) -> Any:
    answer = post(soap, "RpcRecipient", "getCount", long(REGULAR), long(0))
    return [answer.status_code, answer.text.startswith("<?xml")]


def crowd(campaign: Simulator, soap: Soap) -> Any:
    """What the second of two open connections is told, once those of other tests are gone."""
    limit = campaign.switches()["connection_limit"]
    campaign.switches(connection_limit=1)
    deadline = time.monotonic() + 10
    while post(soap, "RpcSession", "getLocale").status_code != 200:
        assert time.monotonic() < deadline
        gc.collect()  # a session that nobody holds any more keeps its connection until then
        time.sleep(0.02)
    campaign.switches(connection_limit=limit)
    with Soap(soap.url.removesuffix("/soap11")) as other:
        other.session_id = soap.session_id
        answer = post(other, "RpcRecipient", "getCount", long(REGULAR), long(0))
    return answer.status_code


@look("connection_limit", _1=503, _2=200, _0=200)
def _(campaign: Simulator, soap: Soap) -> Any:
    return crowd(campaign, soap)


@look("over_connection_limit", _503=503, fault=500)
def _(campaign: Simulator, soap: Soap) -> Any:
    campaign.switches(connection_limit=1)
    return crowd(campaign, soap)


@look("reason_phrase", empty="", sent="OK")
def _(campaign: Simulator, soap: Soap) -> Any:
    return post(soap, "RpcRecipient", "getCount", long(REGULAR), long(0)).reason


@look("chunked_replies", true="chunked", false=None)
def _(campaign: Simulator, soap: Soap) -> Any:
    answer = post(soap, "RpcRecipient", "getCount", long(REGULAR), long(0))
    return answer.headers.get("Transfer-Encoding")


@look("fault_detail", hostname=["hostname"], stacktrace=["hostname", "stackTrace"])
def _(campaign: Simulator, soap: Soap) -> Any:
    with pytest.raises(Fault) as fault:
        soap.call("RpcRecipient", "remove", long(REGULAR), text(ADA))
    return sorted(set(fault.value.detail) & {"hostname", "stackTrace"})


def references(soap: Soap) -> list[str]:
    ids = [f"p{index}@example.com" for index in range(5)]
    params = (long(REGULAR), long(0), texts(ids), texts(ids), texts([]), rows([[]] * 5))
    answer = post(soap, "RpcRecipient", "addAll3", *params)
    return re.findall(r'<multiRef id="id(\d)"', answer.text)


@look("multiref_order", scrambled=False, document=True)
def _(campaign: Simulator, soap: Soap) -> Any:
    order = references(soap)
    assert len(order) == 5
    return order == sorted(order)


@look("int_arrays", multiref=5, inline=0)
def _(campaign: Simulator, soap: Soap) -> Any:
    return len(references(soap))


@look("astral_references", code_point="&#x1f389;", surrogates="&#xd83c;&#xdf89;")
def _(campaign: Simulator, soap: Soap) -> Any:
    soap.add(REGULAR, [ADA], ["Land"], [["🎉"]])
    answer = post(soap, "RpcRecipient", "getAll", long(REGULAR), texts(["Land"])).text
    return "".join(re.findall(r"&#x\w+;", answer))


@look("untyped_rows", fault=False, accepted=True)
def _(campaign: Simulator, soap: Soap) -> Any:
    table = raw("", "<i><x>CH</x></i>")
    params = (long(REGULAR), long(0), texts([ADA]), texts([ADA]), texts(["Land"]), table)
    return told(lambda: soap.call("RpcRecipient", "addAll3", *params)) == [0]


@look("wsdl_schema_location", true=True, false=False)
def _(campaign: Simulator, soap: Soap) -> Any:
    return "schemaLocation" in soap.http.get(f"{soap.url}/RpcSession?wsdl", timeout=10).text


@look(
    "addall3_order",
    already_first=[5, 3, 4, 2],
    blacklist_first=[3, 3, 4, 2],
    already_last=[3, 3, 4, 2],
    unsubscribed_first=[2, 2, 2, 2],
)
def _(campaign: Simulator, soap: Soap) -> Any:
    campaign.seed(
        {
            "recipients": [{"list": REGULAR, "id": "1", "address": ADA}],
            "unsubscribes": [{"id": name} for name in "1234"],
            "bounces": [{"id": name, "count": 3} for name in "123"],
            "blocklist": [ADA],
        }
    )
    params = (texts(list("1234")), texts([ADA, ADA, BO, BO]), texts([]), rows([[]] * 4))
    return soap.call("RpcRecipient", "addAll3", long(REGULAR), long(0), *params)


def test_already_may_come_before_or_after_bounces(campaign: Simulator, soap: Soap) -> None:
    """blacklist_first and already_last differ for who is there and has bounced out."""
    campaign.seed({"recipients": [{"list": REGULAR, "id": ADA}]})
    campaign.event("bounce", id=ADA, times=3)
    for position, code in (("blacklist_first", 5), ("already_last", 4)):
        campaign.switches(addall3_order=position)
        assert soap.add(REGULAR, [ADA]) == [code]


@look(
    "regular_list_unsubscribed",
    code2_not_stored=([2], {}),
    code2_stored=([2], {ADA: False}),
    code0_stored=([0], {ADA: False}),
)
def _(campaign: Simulator, soap: Soap) -> Any:
    campaign.event("unsubscribe", id=ADA)
    return soap.add(REGULAR, [ADA]), people(campaign)


@look("duplicate_in_batch", already=[0, 5], fault="Duplicate recipient ids")
def _(campaign: Simulator, soap: Soap) -> Any:
    return told(lambda: soap.add(REGULAR, [ADA, ADA]))


@look("id_case", exact=[[0, 0], False], folded=[[0, 5], True])
def _(campaign: Simulator, soap: Soap) -> Any:
    codes = soap.add(REGULAR, [ADA, ADA.upper()])
    return [codes, soap.call("RpcRecipient", "contains", long(REGULAR), text(ADA.title()))]


def typed(campaign: Simulator, **field: Any) -> None:
    campaign.seed({"lists": [{"id": TYPED, "attributes": ["email", {"name": "f", **field}]}]})


@look("fault_commit", none={}, rows_before={ADA: True})
def _(campaign: Simulator, soap: Soap) -> Any:
    typed(campaign, type="LONG")
    assert "Cannot convert" in told(lambda: soap.add(TYPED, [ADA, BO], ["f"], [["1"], ["x"]]))
    return people(campaign, TYPED)


@look("batch_limit", _1000=[0, 0, 0], _2="Too many elements: 3, maximum is 2", _0=[0, 0, 0])
def _(campaign: Simulator, soap: Soap) -> Any:
    return told(lambda: soap.add(REGULAR, [ADA, BO, CY]))


@look("over_limit", fault="Too many elements: 3, maximum is 2", accepted=[False] * 3)
def _(campaign: Simulator, soap: Soap) -> Any:
    campaign.switches(batch_limit=2)
    return told(lambda: soap.call("RpcUnsubscribe", "containsAll", texts([ADA, BO, CY])))


@look("address_validation", one_at=[0, 1], dotted=[1, 1], none=[0, 0])
def _(campaign: Simulator, soap: Soap) -> Any:
    return soap.add(REGULAR, ["ada@localhost", "nobody"])


@look("address_fills_email_field", true=[[ADA]], false=[[None]])
def _(campaign: Simulator, soap: Soap) -> Any:
    soap.add(REGULAR, [ADA])
    return soap.call("RpcRecipient", "getAll", long(REGULAR), texts(["email"]))


def coded(campaign: Simulator, soap: Soap) -> Any:
    return soap.add(REGULAR, [ADA, BO, CY]), sorted(people(campaign))


@look("filtered_ids", **{"^bo@": ([0, 6, 0], [ADA, CY])})
def _(campaign: Simulator, soap: Soap) -> Any:
    return coded(campaign, soap)


@look("code_override", **{"^bo@=7,^cy@=0": ([0, 7, 0], [ADA, CY])})
def _(campaign: Simulator, soap: Soap) -> Any:
    return coded(campaign, soap)


@look("unknown_result_code_for", **{"^(bo|cy)": ([0, 99, 99], [ADA])})
def _(campaign: Simulator, soap: Soap) -> Any:
    return coded(campaign, soap)


@look(
    "result_array",
    normal=[0, 1, 0, 5],
    shorter=[0, 1, 0],
    longer=[0, 1, 0, 5, 5],
)
def _(campaign: Simulator, soap: Soap) -> Any:
    return soap.add(REGULAR, [ADA, "bad", BO, ADA])


def test_a_shuffled_array_has_the_same_codes_elsewhere(campaign: Simulator, soap: Soap) -> None:
    """Nothing is missing, but the places lie."""
    campaign.switches(result_array="shuffled")
    ids = [ADA, "bad", BO, CY, "worse"]
    codes = soap.add(REGULAR, ids)
    assert sorted(codes) == [0, 0, 0, 1, 1]
    assert codes != [0, 1, 0, 0, 1]


@look("result_array_for", containsAll=[[0, 0], [False]], addAll3=[[0], [False, False]])
def _(campaign: Simulator, soap: Soap) -> Any:
    campaign.switches(result_array="shorter")
    pair = texts([ADA, BO])
    return [soap.add(REGULAR, [ADA, BO]), soap.call("RpcUnsubscribe", "containsAll", pair)]


def counts(campaign: Simulator, soap: Soap) -> list[Any]:
    """Clear a list of one; add it and another at once; count three times, 6 seconds apart."""
    soap.add(REGULAR, [ADA])
    soap.call("RpcRecipient", "clear", long(REGULAR))
    seen: list[Any] = [soap.add(REGULAR, [ADA, BO])]
    seen.append(soap.count())
    campaign.clock(advance=6)
    return [*seen, soap.count(), soap.count(), sorted(people(campaign))]


@look(
    "clear_mode",
    sync=[[0, 0], 2, 2, 2, [ADA, BO]],
    after_polls=[[5, 0], 2, 2, 1, [BO]],
    after_seconds=[[5, 0], 2, 1, 1, [BO]],
)
def _(campaign: Simulator, soap: Soap) -> Any:
    return counts(campaign, soap)


@look("clear_polls", _1=[[5, 0], 2, 1, 1, [BO]], _2=[[5, 0], 2, 2, 1, [BO]])
def _(campaign: Simulator, soap: Soap) -> Any:
    campaign.switches(clear_mode="after_polls")
    return counts(campaign, soap)


@look("clear_seconds", _5=[[5, 0], 2, 1, 1, [BO]], _50=[[5, 0], 2, 2, 2, [ADA, BO]])
def _(campaign: Simulator, soap: Soap) -> Any:
    campaign.switches(clear_mode="after_seconds")
    return counts(campaign, soap)


def page(soap: Soap, start: int, size: int) -> Any:
    params = (long(REGULAR), texts(["email"]), long(0), text(None), boolean(True))
    return told(
        lambda: soap.call("RpcRecipient", "getAllAdvanced", *params, int_(start), int_(size))
    )


@look("paging_base", _0=[[[ADA], [BO]], [[BO], [CY]]], _1=["Invalid page", [[ADA], [BO]]])
def _(campaign: Simulator, soap: Soap) -> Any:
    soap.add(REGULAR, [ADA, BO, CY])
    return [page(soap, 0, 2), page(soap, 1, 2)]


@look("page_cap", _0=[[ADA], [BO]], _1=[[ADA]])
def _(campaign: Simulator, soap: Soap) -> Any:
    soap.add(REGULAR, [ADA, BO, CY])
    return page(soap, 0, 2)


@look("unknown_attribute", fault="Attribute 'Nix' does not exist", ignored=[0])
def _(campaign: Simulator, soap: Soap) -> Any:
    return told(lambda: soap.add(REGULAR, [ADA], ["Nix"], [["x"]]))


@look("read_only_write", fault="Attribute 'Created' is read-only", ignored=[0])
def _(campaign: Simulator, soap: Soap) -> Any:
    return told(lambda: soap.add(REGULAR, [ADA], ["Created"], [["x"]]))


def one_value(campaign: Simulator, soap: Soap, value: str | None, **field: Any) -> Any:
    typed(campaign, **field)
    codes = told(lambda: soap.add(TYPED, [ADA], ["f"], [[value]]))
    return codes, soap.call("RpcRecipient", "getAll", long(TYPED), texts(["f"]))


@look("over_long", truncate=([0], [["Swit"]]), fault=("Value too long for attribute 'f'", []))
def _(campaign: Simulator, soap: Soap) -> Any:
    return one_value(campaign, soap, "Switzerland", length=4)


@look(
    "nil_on_number",
    accepted=([0], [[None]]),
    fault=("Cannot convert value 'null' of attribute 'f' to LONG", []),
)
def _(campaign: Simulator, soap: Soap) -> Any:
    return one_value(campaign, soap, None, type="LONG")


@look(
    "required_missing",
    validation_failed=([1], []),
    ignored=([0], [[None]]),
    fault=("Attribute 'f' is required", []),
)
def _(campaign: Simulator, soap: Soap) -> Any:
    return one_value(campaign, soap, None, required=True)


@look("boolean_literals", true_false=[True, False], one_zero=[False, True], any=[True, True])
def _(campaign: Simulator, soap: Soap) -> Any:
    typed(campaign, type="BOOLEAN")
    return [
        told(lambda value=value: soap.add(TYPED, [value + ADA], ["f"], [[value]])) == [0]
        for value in ("true", "1")
    ]


@look(
    "server_timezone",
    **{"Europe/Berlin": "2026-05-28T14:00:00+02:00", "UTC": "2026-05-28T12:00:00+00:00"},
)
def _(campaign: Simulator, soap: Soap) -> Any:
    soap.add(REGULAR, [ADA])
    return soap.call("RpcRecipient", "getAll", long(REGULAR), texts(["Created"]))[0][0]


@look("unsubscribe_store", client=[True, True, {ADA: False}], list=[False, True, {ADA: True}])
def _(campaign: Simulator, soap: Soap) -> Any:
    soap.call("RpcUnsubscribe", "add", long(REGULAR), text(ADA))
    campaign.seed({"recipients": [{"list": OPTIN, "id": ADA}]})
    return [
        soap.call("RpcUnsubscribe", "contains", text(ADA)),
        soap.call("RpcUnsubscribe", "containsByRecipientList", long(REGULAR), text(ADA)),
        people(campaign, OPTIN),
    ]


@look("contains_all_case", exact=[False, True], folded=[True, True])
def _(campaign: Simulator, soap: Soap) -> Any:
    campaign.event("unsubscribe", id=ADA)
    return soap.call("RpcUnsubscribe", "containsAll", texts([ADA.upper(), ADA]))


@look("hard_bounce_limit", _3=[0, 4], _2=[4, 4])
def _(campaign: Simulator, soap: Soap) -> Any:
    campaign.seed({"bounces": [{"id": ADA, "count": 2}, {"id": BO, "count": 3}]})
    return soap.add(REGULAR, [ADA, BO])


@look("soft_bounce_limit", _5=[0, 4], _6=[0, 0])
def _(campaign: Simulator, soap: Soap) -> Any:
    counts = (("soft", ADA, 4), ("soft", BO, 5))
    campaign.seed({"bounces": [{"id": name, "kind": k, "count": n} for k, name, n in counts]})
    return soap.add(REGULAR, [ADA, BO])


@look("bounce_overflow", at_limit=[4, 4], over_limit=[0, 4])
def _(campaign: Simulator, soap: Soap) -> Any:
    campaign.seed({"bounces": [{"id": ADA, "count": 3}, {"id": BO, "count": 4}]})
    return soap.add(REGULAR, [ADA, BO])


@look(
    "list_kind_shown",
    dataset=[["Default", "Opt-in"], 2, 2],
    optin_columns=[None, 0, 2],
    nowhere=[None, 2, 2],
)
def _(campaign: Simulator, soap: Soap) -> Any:
    head, *lists = soap.call("RpcRecipientList", "getDataSet")
    kinds = [row[head.index("Type")] for row in lists] if "Type" in head else None
    columns = [
        soap.call("RpcRecipientList", "getAttributeNames", long(number), text("en"))
        for number in (REGULAR, OPTIN)
    ]
    shown = [len({"Opt-in Source", "Opt-in Date"} & set(names)) for names in columns]
    return [kinds, *shown]


RESPONSE_SIDE = {switch.name for switch in RESPONSE_TABLE}


def test_every_switch_is_looked_at(campaign: Simulator) -> None:
    """The looks here and the switches of the SOAP side are the same set."""
    assert set(LOOKS) == set(campaign.switches()) - RESPONSE_SIDE


def test_every_position_is_looked_at(campaign: Simulator) -> None:
    """A switch with named positions has each of them in the table; any other has two or a value."""
    shown = {(name, position) for name, position, _ in EXPECTED}
    described = campaign.control("GET", "switches")["switches"]
    for switch in (row for row in described if row["name"] not in RESPONSE_SIDE):
        for position in switch["values"]:
            if (switch["name"], position) != ("result_array", "shuffled"):
                assert (switch["name"], str(position)) in shown, (switch["name"], position)


@pytest.mark.parametrize(("name", "position", "expected"), EXPECTED)
def test_a_position_does_what_its_name_says(
    campaign: Simulator, soap: Soap, name: str, position: str, expected: Any
) -> None:
    """A client sees exactly this at the position, from a fresh start at noon."""
    campaign.clock(now=NOON)
    soap.login()
    campaign.switches(**{name: position})
    assert LOOKS[name](campaign, soap) == expected


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_a_switch_makes_a_difference(campaign: Simulator, soap: Soap, name: str) -> None:
    """Some position is answered otherwise than the default."""
    campaign.clock(now=NOON)
    soap.login()
    default = LOOKS[name](campaign, soap)
    assert any(expected != default for known, _, expected in EXPECTED if known == name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code_override", "x"),
        ("code_override", "(=1"),
        ("filtered_ids", "("),
        ("server_timezone", "Mars"),
    ],
)
def test_a_position_that_makes_no_sense_is_refused(
    campaign: Simulator, name: str, value: str
) -> None:
    """A pattern that does not compile, a list without codes, an unknown zone."""
    with pytest.raises(ValueError, match=name):
        campaign.switches(**{name: value})
