"""When the vendor's side forbids it: credentials, permissions, mailings on their way, kinds."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lists_support import OPTIN, REGULAR, ListTarget, ids, recipients, row
from simulators_support import Simulator
from target_support import Run
from warm_lists import content, operations, said, written

MakeTarget = Callable[..., ListTarget]
TRANSACTION = 120000000013


@pytest.fixture
def before(sim: Simulator) -> list[dict[str, Any]]:
    """The list with somebody in it."""
    sim.seed({"recipients": [{"list": REGULAR, "id": "old@example.com"}]})
    return content(sim)


def assert_untouched(
    sim: Simulator, run: Run, before: list[dict[str, Any]], code: int, words: str
) -> None:
    assert run.code == code, run.stderr
    assert words in said(run)
    assert run.states == []
    assert content(sim) == before
    assert not written(sim)


@pytest.mark.parametrize("wrong", ["username", "password", "mandator_id"])
def test_wrong_credentials_end_with_3(
    sim: Simulator, make_target: MakeTarget, before: list[dict[str, Any]], wrong: str
) -> None:
    """S1-6 X7: user, password or client is wrong; neither of them is repeated."""
    given = {"mandator_id": 4711} if wrong == "mandator_id" else {wrong: "not-the-right-one"}
    run = make_target(**given).transfer([row(1)])
    assert_untouched(sim, run, before, 3, "check user, password and its permissions")
    assert "not-the-right-one" not in run.stderr
    assert operations(sim)["login"] == 1


SERVICES = {
    "RpcRecipientList.getAllIds": 3,
    "RpcRecipientList.getAttributeNames": 3,
    "RpcRecipient.getCount": 3,
    "RpcRecipient.getAllAdvanced": 3,
    "RpcRecipient.clear": 3,
    "RpcUnsubscribe.containsAll": 3,
    "RpcUnsubscribe.containsAllByRecipientList": 3,
    "RpcBlacklist.areBlacklisted": 3,
    "RpcResponse.getBounceCounterThreshold": 3,
    "RpcResponse.getAllRecipientResponseCounts2": 3,
    "RpcMailing.getIdsInStatus": 3,
}


@pytest.mark.parametrize("denied", SERVICES)
def test_a_user_who_may_not_call_an_operation_ends_with_3(
    sim: Simulator, target: ListTarget, before: list[dict[str, Any]], denied: str
) -> None:
    """S1-21 S1-31 X6: nothing is guessed in its place: the list is not touched."""
    allowed = {
        "RpcSession.login", "RpcSession.logout", "RpcRecipientList.getDataSet", *SERVICES,
        "RpcRecipient.addAll3", "RpcRecipient.getAll", "RpcMailing.getRecipientListIds",
    } - {denied}  # fmt: skip
    sim.switches(allowed_operations=",".join(sorted(allowed)))
    run = target.transfer([row(1)])
    assert run.code == SERVICES[denied], run.stderr
    assert denied in said(run)
    assert content(sim) == before
    assert run.states == []
    assert not {"addAll3"} & set(written(sim))
    # Once the permission is there, the next run finds nothing in its way.
    sim.switches(allowed_operations="")
    assert target.transfer([row(1)]).code == 0
    assert set(recipients(sim)) == ids([1])


def test_a_user_who_may_clear_but_not_add_loses_nobody(
    sim: Simulator, target: ListTarget, before: list[dict[str, Any]]
) -> None:
    """S1-23: found out only after the clear: the intent stays open, the next run fills the list."""
    allowed = {
        "RpcSession", "RpcMailing.getRecipientListIds", "RpcRecipientList.getDataSet",
        "RpcRecipient.getAll", *SERVICES, "RpcSession.login", "RpcSession.logout",
    }  # fmt: skip
    sim.switches(allowed_operations=",".join(sorted(allowed)))
    run = target.transfer([row(1)])
    assert run.code == 3
    assert run.states == []
    sim.switches(allowed_operations="")
    healed = target.recover()  # type: ignore[attr-defined]
    assert healed.code == 0, healed.stderr
    assert set(recipients(sim)) == ids([1])
    assert healed.report["recovered"][0]["list_id"] == REGULAR


# ---- mailings


@pytest.mark.parametrize("status", ["SENDING", "PAUSED"])
@pytest.mark.parametrize("kind", ["regular", "event", "campaign", "split"])
def test_no_clear_while_a_mailing_to_the_list_is_on_its_way(
    sim: Simulator, target: ListTarget, before: list[dict[str, Any]], status: str, kind: str
) -> None:
    """S1-27: exit 5, nothing written; a paused one goes on with what it finds then."""
    sim.seed({"mailings": [{"type": kind, "status": status, "lists": [REGULAR]}]})
    run = target.transfer([row(1)])
    assert_untouched(sim, run, before, 5, "1 mailing(s) to it are being sent or paused")


def test_other_mailings_are_not_in_the_way(sim: Simulator, target: ListTarget) -> None:
    """S1-27: to another list, done, new or cancelled."""
    sim.seed({"mailings": [
        {"status": "SENDING", "lists": [OPTIN]},
        *({"status": s, "lists": [REGULAR]} for s in ("DONE", "NEW", "CANCELED")),
    ]})  # fmt: skip
    assert target.transfer([row(1)]).code == 0


def test_where_mailings_cannot_be_asked_for_the_operator_decides(
    sim: Simulator, make_target: MakeTarget, before: list[dict[str, Any]]
) -> None:
    """S1-27: a fault is no "no": refused with 4; `check_mailings: false` takes the risk."""
    sim.switches(denied_text="Something went wrong")
    allowed = {*SERVICES, "RpcSession.login", "RpcSession.logout", "RpcRecipientList.getDataSet",
               "RpcRecipient.addAll3", "RpcMailing.getRecipientListIds"}  # fmt: skip
    sim.switches(allowed_operations=",".join(sorted(allowed - {"RpcMailing.getIdsInStatus"})))
    run = make_target().transfer([row(1)])
    assert_untouched(sim, run, before, 4, "check_mailings: false")
    assert make_target("told", check_mailings=False).transfer([row(1)]).code == 0
    assert set(recipients(sim)) == ids([1])


# ---- overlapping runs


def test_two_runs_never_work_on_one_list(
    sim: Simulator, target: ListTarget, before: list[dict[str, Any]]
) -> None:
    """S1-27: the lock belongs to (account, list); it is not the file but the hold that counts."""
    assert target.transfer([row(n) for n in range(3)]).code == 0
    held = content(sim)
    sim.forget_requests()
    (lock,) = (target.home / "state" / "locks").glob(f"recipient list-{'?' * 16}.lock")
    with Path(lock).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        run = target.transfer([row(n) for n in range(4)])
        assert_untouched(sim, run, held, 5, "another run")
    assert target.transfer([row(n) for n in range(4)]).code == 0


# ---- kinds of lists


def test_an_optin_list_is_refused(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-28: the vendor would re-subscribe whoever is written to it."""
    sim.seed({"recipients": [{"list": OPTIN, "id": "old@example.com"}]})
    run = make_target(list={"list_id": OPTIN}).transfer([row(1)])
    assert run.code == 2
    assert "is an opt-in list" in said(run)
    assert set(recipients(sim, OPTIN)) == {"old@example.com"}


def test_an_optin_list_is_filled_where_that_is_really_meant(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-28 X2: with allow_optin_list; who unsubscribed before is still left out."""
    sim.seed({"unsubscribes": [{"id": "person2@example.com"}]})
    target = make_target(list={"list_id": OPTIN, "allow_optin_list": True})
    run = target.transfer([row(1), row(2), row(3)])
    assert run.code == 0, run.stderr
    assert set(recipients(sim, OPTIN)) == ids([1, 3])
    assert [one["id"] for one in sim.state()["clients"]["1234"]["unsubscribes"]] == [
        "person2@example.com"
    ]


@pytest.mark.parametrize("suppression", ["off", "column"])
def test_an_optin_list_without_asking_the_vendor_is_never_allowed(
    sim: Simulator, make_target: MakeTarget, suppression: str
) -> None:
    """S1-28 X2: allow_optin_list needs suppression: api."""
    one = {"list_id": OPTIN, "allow_optin_list": True, "suppression": suppression,
           "suppression_column": "description"}  # fmt: skip
    run = make_target(list=one).transfer([row(1)])
    assert run.code == 2
    assert "allow_optin_list needs suppression: api" in said(run)


@pytest.mark.parametrize("allowed", [True, False])
def test_a_transaction_list_is_never_filled(
    sim: Simulator, make_target: MakeTarget, allowed: bool
) -> None:
    """S1-28: no option changes that."""
    sim.seed({"lists": [{"id": TRANSACTION, "kind": "transaction"}]})
    run = make_target(list={"list_id": TRANSACTION, "allow_optin_list": allowed}).transfer([row(1)])
    assert run.code == 2
    assert "is a transaction list" in said(run)
    assert not written(sim)


@pytest.mark.parametrize("shown", ["dataset", "optin_columns", "nowhere"])
@pytest.mark.parametrize("list_id", [REGULAR, OPTIN], ids=["regular", "optin"])
@pytest.mark.parametrize("word", [None, "regular"], ids=["untold", "told"])
def test_a_kind_that_cannot_be_seen_needs_the_operators_word(
    sim: Simulator, make_target: MakeTarget, shown: str, list_id: int, word: str | None
) -> None:
    """S1-28: evidence of an opt-in list outweighs the word; without evidence the word is needed.

    Names of columns are no evidence: recorded traffic shows opt-in columns and no kind.
    """
    sim.switches(list_kind_shown=shown)
    options: dict[str, Any] = {"list_id": list_id} | ({"list_kind": word} if word else {})
    run = make_target(list=options).transfer([row(1)])
    goes = list_id == REGULAR if shown == "dataset" else word is not None
    assert run.code == (0 if goes else 2), run.stderr
    assert bool(written(sim)) == goes
    if not goes:
        assert "opt-in list" in said(run)


# ---- looking only


@pytest.mark.parametrize("list_id", [REGULAR, 120000009999], ids=["right", "unknown list"])
def test_the_connection_check_writes_nothing(
    sim: Simulator, make_target: MakeTarget, before: list[dict[str, Any]], list_id: int
) -> None:
    """S1-12: `meltano config test` proves user, list and fields by reading alone."""
    target = make_target(list={"list_id": list_id})
    stream = "meltano_test_stream"
    asked = {"type": "SCHEMA", "stream": stream, "schema": {"properties": {}}, "key_properties": []}
    run = target.run([asked])
    assert run.code == (0 if list_id == REGULAR else 2), run.stderr
    assert content(sim) == before
    assert not written(sim)
    assert operations(sim)["getAllIds"] == 1


def test_the_connection_check_tells_wrong_credentials(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-6: exit 3, one line, nothing else called."""
    stream = "meltano_test_stream"
    asked = {"type": "SCHEMA", "stream": stream, "schema": {"properties": {}}, "key_properties": []}
    run = make_target(password="not-the-right-one").run([asked])
    assert run.code == 3
    assert set(operations(sim)) == {"login"}
