"""The typed client against the simulated Campaign: each operation, and how it may go wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from fake_clock import FakeClock
from optimizely_soap.faults import FaultKind, SoapFault
from optimizely_soap.session import SoapSession
from simulators_support import Simulator
from target_kit.errors import CredentialsError, OutcomeUnknown, VendorUnavailable
from target_kit.limits import Deadline
from target_kit.signals import StopSignal
from target_optimizely.client import READING, Campaign
from target_optimizely.shapes import UnexpectedAnswer
from target_optimizely.soap_api import SoapApi

REGULAR, OPTIN = 120000000001, 120000000002
NAMES = ["email", "Vorname", "Nachname"]
ODD = "Jörg ]]> & <b> 😀 \t\"'"

Open = Callable[..., tuple[Campaign, SoapApi]]


@pytest.fixture
def open_campaign(sim: Simulator) -> Iterator[Open]:
    """Build a client; `clock` and the login can be given."""
    with ExitStack() as stack:

        def make(clock: FakeClock | None = None, **login: Any) -> tuple[Campaign, SoapApi]:
            clock = clock or FakeClock()
            api = SoapApi(
                f"{sim.url}/soap11",
                reading=READING,
                user_agent="tests",
                timeout_seconds=10,
                clock=clock,
                stop=StopSignal(),
                deadline=Deadline(None, clock),
                max_tries=3,
                rng=random.Random(7),
            )
            given = {"mandator_id": 1234, "username": "sim-user", "password": "sim-password"}
            session = SoapSession(api, clock.monotonic, session_seconds=900, **(given | login))
            stack.enter_context(api)
            stack.callback(session.close)
            return Campaign(session), api

        yield make


@pytest.fixture
def campaign(open_campaign: Open) -> Campaign:
    """A client of the default account."""
    return open_campaign()[0]


def seed(sim: Simulator, count: int, list_id: int = REGULAR) -> list[str]:
    ids = [f"p{i:04}@example.com" for i in range(count)]
    sim.seed(
        {
            "recipients": [
                {"list": list_id, "id": one, "attributes": {"Vorname": f"V{i}"}}
                for i, one in enumerate(ids)
            ]
        }
    )
    return ids


def stored(sim: Simulator, list_id: int = REGULAR) -> dict[str, dict[str, Any]]:
    lists = sim.state()["clients"]["1234"]["lists"]
    (wanted,) = (one for one in lists if one["id"] == list_id)
    return {one["id"]: one["attributes"] for one in wanted["recipients"]}


def test_lists_have_ids_names_attributes_and_a_data_set(campaign: Campaign) -> None:
    """What has to be known of a list before it is touched."""
    assert sorted(campaign.list_ids()) == [REGULAR, OPTIN]
    assert campaign.list_name(REGULAR) == "Newsletter"
    names = campaign.attribute_names(REGULAR)
    assert names[:3] == ["email", "Vorname", "Nachname"]
    assert {"Created", "Modified"} <= set(names)
    both = campaign.attribute_names_all_locales(REGULAR)
    assert set(names) | {"Erstellt am", "Geändert am"} <= set(both)
    assert len(both) == len(set(both))
    head, *rows = campaign.list_data_set()
    assert {str(REGULAR), str(OPTIN)} <= {value for row in rows for value in row}
    assert all(len(row) == len(head) for row in rows)


def test_version_is_told_without_a_login(sim: Simulator, open_campaign: Open) -> None:
    """The cheapest question to a service."""
    campaign, api = open_campaign(password="wrong")
    assert campaign.version()
    assert list(api.calls) == ["RpcSession.getVersion"]


def test_what_is_written_is_what_is_stored_and_read(sim: Simulator, campaign: Campaign) -> None:
    """Markup, emoji, empty and missing values come back as they were, codes in order."""
    ids = ["a@example.com", "b@example.com", "no address", "c@example.com"]
    values: list[list[str | None]] = [[one, ODD, None] for one in ids]
    values[1] = ["b@example.com", "", "Nachname"]
    codes = campaign.add_all3(REGULAR, 0, ids, ids, NAMES, values)
    assert codes == [0, 0, 1, 0]
    assert campaign.count(REGULAR) == 3
    assert campaign.contains(REGULAR, "a@example.com")
    assert not campaign.contains(REGULAR, "no address")
    kept = {row[0]: row for row in campaign.get_all(REGULAR, NAMES)}
    assert kept["a@example.com"] == ["a@example.com", ODD, None]
    assert kept["b@example.com"][2] == "Nachname"
    assert stored(sim)["a@example.com"]["Vorname"] == ODD
    assert campaign.add_all3(REGULAR, 0, ids[:1], ids[:1], NAMES, values[:1]) == [5]


def test_an_emoji_sent_in_two_halves_is_read(sim: Simulator, campaign: Campaign) -> None:
    """Axis may write what is no XML; the snapshot before a clear must not fail for it."""
    sim.switches(astral_references="surrogates")
    campaign.add_all3(REGULAR, 0, ["a@example.com"], ["a@example.com"], ["Vorname"], [[ODD]])
    assert campaign.get_all(REGULAR, ["Vorname"]) == [[ODD]]


def test_a_thousand_recipients_go_in_one_call(sim: Simulator, open_campaign: Open) -> None:
    """The cap of a batch, with scrambled codes, each found again by its id."""
    campaign, api = open_campaign()
    ids = [f"p{i}@example.com" if i % 7 else f"broken{i}" for i in range(1000)]
    codes = campaign.add_all3(REGULAR, 0, ids, ids, ["email"], [[one] for one in ids])
    assert codes == [0 if i % 7 else 1 for i in range(1000)]
    assert api.calls["RpcRecipient.addAll3"] == 1
    assert api.writes == 1


def test_clear_empties_one_list_only(sim: Simulator, campaign: Campaign) -> None:
    """The list of the id, nothing beside it."""
    seed(sim, 3)
    seed(sim, 2, OPTIN)
    campaign.clear(REGULAR)
    assert campaign.count(REGULAR) == 0
    assert campaign.count(OPTIN) == 2


def test_recipients_are_taken_out_and_changed_by_id(sim: Simulator, campaign: Campaign) -> None:
    """removeAll says who was not there; attributes change for those named."""
    ids = seed(sim, 3)
    assert campaign.remove_all(REGULAR, [ids[0], "gone@example.com"]) == [True, False]
    campaign.set_attributes_in_batch_flat(
        REGULAR, ids[1:], ["Vorname", "Nachname"], [["X", None], ["Y", ODD]]
    )
    assert [stored(sim)[one]["Vorname"] for one in ids[1:]] == ["X", "Y"]
    assert stored(sim)[ids[2]]["Nachname"] == ODD
    with pytest.raises(SoapFault) as caught:
        campaign.set_attributes_in_batch_flat(REGULAR, ["gone@example.com"], ["Vorname"], [["Z"]])
    assert caught.value.kind is FaultKind.NOT_FOUND


def test_pages_come_in_order_and_complete(sim: Simulator, campaign: Campaign) -> None:
    """Ascending by an attribute; None asks for no order and is sent as nil."""
    ids = seed(sim, 25)
    pages = [
        campaign.get_all_advanced(REGULAR, ["email"], "email", start, 10) for start in (0, 10, 20)
    ]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [row[0] for page in pages for row in page] == ids
    unordered = campaign.get_all_advanced(REGULAR, ["email"], None, 0, 100)
    assert sorted(row[0] or "" for row in unordered) == ids
    assert campaign.get_all_advanced(REGULAR, ["email"], "email", 100, 10) == []


def test_suppression_is_answered_by_place(sim: Simulator, campaign: Campaign) -> None:
    """Unsubscribed, blocklisted and bounced-out recipients, among others who are not."""
    ids = [f"p{i}@example.com" for i in range(4)]
    sim.seed(
        {
            "unsubscribes": [{"id": ids[1]}],
            "blocklist": ["p2@*"],
            "bounces": [{"id": ids[3], "kind": "hard", "count": 3}],
        }
    )
    assert campaign.unsubscribed(ids) == [False, True, False, False]
    assert campaign.unsubscribed_from(REGULAR, ids) == [False, True, False, False]
    assert campaign.blocklisted(ids) == [False, False, True, False]
    assert [campaign.bounced_out(one) for one in ids] == [False, False, False, True]
    assert (campaign.bounce_threshold("hardbounce"), campaign.bounce_threshold("softbounce")) == (
        3,
        5,
    )
    counts = campaign.response_counts("hardbounce", ids)
    assert len(counts) == 4
    assert all(type(one) is int for one in counts)


def test_a_mailing_being_sent_is_seen_with_its_lists(sim: Simulator, campaign: Campaign) -> None:
    """What has to be asked before a clear."""
    sim.seed(
        {
            "mailings": [
                {"id": 7, "status": "SENDING", "lists": [REGULAR]},
                {"id": 8, "status": "DONE", "lists": [OPTIN]},
            ]
        }
    )
    assert campaign.mailing_ids_in_status("regular", "SENDING") == [7]
    assert campaign.mailing_list_ids(7) == [REGULAR]
    assert campaign.mailing_ids_in_status("event", "SENDING") == []


def test_nothing_asked_is_nothing_sent(sim: Simulator, open_campaign: Open) -> None:
    """An empty set costs no call and can't be mistaken for all."""
    campaign, api = open_campaign()
    assert campaign.add_all3(REGULAR, 0, [], [], ["email"], []) == []
    assert campaign.remove_all(REGULAR, []) == []
    assert campaign.unsubscribed([]) == campaign.unsubscribed_from(REGULAR, []) == []
    assert campaign.blocklisted([]) == []
    assert campaign.response_counts("hardbounce", []) == []
    campaign.set_attributes_in_batch_flat(REGULAR, [], ["email"], [])
    assert sum(api.calls.values()) == 0


@pytest.mark.parametrize("way", ["shorter", "longer"])
def test_an_array_of_another_length_is_named_never_matched_by_place(
    sim: Simulator, campaign: Campaign, way: str
) -> None:
    """One answer too few or too many would suppress the wrong people."""
    ids = seed(sim, 3)
    sim.switches(result_array=way, result_array_for="containsAll,areBlacklisted,removeAll,addAll3")
    for ask, route in (
        (campaign.unsubscribed, "RpcUnsubscribe.containsAll"),
        (campaign.blocklisted, "RpcBlacklist.areBlacklisted"),
        (lambda some: campaign.remove_all(REGULAR, some), "RpcRecipient.removeAll"),
    ):
        with pytest.raises(UnexpectedAnswer, match=rf"{route} was answered with \d values for 3"):
            ask(ids)
    new = ["x@example.com", "y@example.com"]
    codes = campaign.add_all3(REGULAR, 0, new, new, ["email"], [[one] for one in new])
    assert len(codes) == (1 if way == "shorter" else 3)


def test_arguments_that_do_not_fit_together_are_never_sent(
    sim: Simulator, open_campaign: Open
) -> None:
    """A ragged call would store values under the wrong name."""
    campaign, api = open_campaign()
    for ids, addresses, rows in (
        (["a"], ["a"], []),
        (["a"], ["a"], [["1", "2"]]),
        (["a"], [], [["1"]]),
        (["a"], ["a"], [["\x00"]]),
        (["j\udcff"], ["a"], [["1"]]),
    ):
        with pytest.raises(ValueError, match=r"every recipient|can't hold"):
            campaign.add_all3(REGULAR, 0, ids, addresses, ["email"], rows)
    with pytest.raises(ValueError, match="every recipient"):
        campaign.set_attributes_in_batch_flat(REGULAR, ["a"], ["email"], [["1", "2"]])
    assert api.writes == 0


def test_a_wrong_password_is_a_credentials_error_without_it(
    sim: Simulator, open_campaign: Open
) -> None:
    """X7: names the operation and what to look at; one login only."""
    campaign, api = open_campaign(password="canary-secret")
    for _ in range(2):
        with pytest.raises(CredentialsError, match=r"RpcRecipient\.getCount: Invalid cred") as one:
            campaign.count(REGULAR)
        assert "canary" not in str(one.value)
        assert "sim-user" not in str(one.value)
    assert api.calls["RpcSession.login"] == 1


@pytest.mark.parametrize(
    "switches",
    [{"allowed_operations": "login,getVersion"}, {"ip_refused": "fault"}, {"ip_refused": "403"}],
)
def test_a_user_without_rights_is_a_credentials_error(
    sim: Simulator, campaign: Campaign, switches: dict[str, str]
) -> None:
    """An operation or address that is not on the user's list: code 3, for whatever wording."""
    sim.switches(**switches)
    with pytest.raises(CredentialsError) as caught:
        campaign.clear(REGULAR)
    assert caught.value.code == 3


def test_a_session_that_ends_in_between_is_not_noticed(sim: Simulator, open_campaign: Open) -> None:
    """S1-25: before each call all sessions are dropped; every call does its work once."""
    campaign, api = open_campaign()
    for number in range(3):
        sim.event("expire_sessions")
        ids = [f"p{number}@example.com"]
        assert campaign.add_all3(REGULAR, 0, ids, ids, ["email"], [ids]) == [0]
    assert campaign.count(REGULAR) == 3
    assert api.calls["RpcSession.login"] == 3


def test_a_session_is_renewed_ahead_of_its_end(sim: Simulator, open_campaign: Open) -> None:
    """S1-25: at 15 minutes by our clock, while the vendor would have taken it until 20."""
    clock = FakeClock()
    campaign, api = open_campaign(clock)
    campaign.count(REGULAR)
    clock.advance(899)
    campaign.count(REGULAR)
    assert api.calls["RpcSession.login"] == 1
    clock.advance(1)
    campaign.count(REGULAR)
    assert api.calls["RpcSession.login"] == 2


@pytest.mark.parametrize(
    "action",
    [
        {"type": "apply_then_reset"},
        {"type": "apply_then_status", "status": 502},
        {"type": "truncate", "bytes": 400},
        {"type": "truncate", "bytes": 400, "content_length": False},
    ],
)
def test_a_lost_answer_to_addall3_is_unknown_and_not_repeated(
    sim: Simulator, open_campaign: Open, action: dict[str, Any]
) -> None:
    """S1-26: the recipients are stored, nobody heard it; the caller has to look."""
    campaign, api = open_campaign()
    campaign.count(REGULAR)
    sim.faults([{"match": {"body": "addAll3"}, "nth": 1, "action": action}])
    ids = ["a@example.com"]
    with pytest.raises(OutcomeUnknown):
        campaign.add_all3(REGULAR, 0, ids, ids, ["email"], [ids])
    assert campaign.contains(REGULAR, "a@example.com")
    assert campaign.add_all3(REGULAR, 0, ids, ids, ["email"], [ids]) == [5]
    assert api.calls["RpcRecipient.addAll3"] == 2


@pytest.mark.parametrize("kind", ["html_200", "empty_200", "reset", "status"])
def test_reads_and_clear_survive_a_bad_moment(
    sim: Simulator, campaign: Campaign, kind: str
) -> None:
    """A page, nothing, a reset or 503, once: the call is repeated."""
    seed(sim, 3)
    assert campaign.count(REGULAR) == 3
    sim.faults([{"nth": 1, "action": {"type": kind}}])
    assert campaign.count(REGULAR) == 3
    sim.faults([{"nth": 1, "action": {"type": kind}}])
    campaign.clear(REGULAR)
    assert campaign.count(REGULAR) == 0


def test_a_web_page_for_ever_ends_the_run(sim: Simulator, campaign: Campaign) -> None:
    """S0-61: code 7, and nothing was cleared."""
    seed(sim, 3)
    campaign.count(REGULAR)
    sim.faults([{"action": {"type": "html_200"}}])
    with pytest.raises(VendorUnavailable) as caught:
        campaign.clear(REGULAR)
    assert caught.value.code == 7
    sim.faults([])
    assert campaign.count(REGULAR) == 3


def test_a_fault_keeps_the_vendors_words_to_itself(sim: Simulator, campaign: Campaign) -> None:
    """X7: a refused batch echoes session, user and all values; the error has none of them."""
    ids = ["canary.person@example.com"]
    with pytest.raises(SoapFault) as caught:
        campaign.add_all3(REGULAR, 0, ids, ids, ["no such attribute"], [["canary"]])
    assert "canary" not in f"{caught.value!s}{caught.value!r}"
    assert caught.value.__cause__ is None
