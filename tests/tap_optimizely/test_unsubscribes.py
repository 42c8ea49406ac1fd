"""Unsubscribes come from the listing and from the exports, each once, with whom they hit."""

from __future__ import annotations

from tap_optimizely_support import CLIENT, LIST, Tap, by_recipient

ANNA, BERT, CARL = "anna@example.com", "bert@example.com", "carl@example.com"


def subscribe(tap: Tap, *recipients: str, **attributes: str) -> None:
    """Put recipients into the regular list."""
    tap.simulator.seed(
        {"recipients": [{"list": LIST, "id": one, "attributes": attributes} for one in recipients]}
    )


def test_unsubscribes_and_bounces_arrive_with_the_marker_of_completeness(tap: Tap) -> None:
    """The vendor guide's two inputs, end to end, and one marker that counts them (S1-30)."""
    subscribe(tap, ANNA, BERT)
    mailing = tap.simulator.event("send_mailing", list=LIST)["mailing"]
    tap.simulator.event("unsubscribe", id=ANNA, list=LIST)
    tap.simulator.event("bounce", id=BERT, mailing=mailing, kind="hard")
    tap.simulator.clock(advance=60)
    run = tap.run("unsubscribes", "bounces", unsubscribes_source="closed_loop")
    assert run.code == 0, run.errors
    assert by_recipient(run.records("unsubscribes")).keys() == {ANNA}
    assert by_recipient(run.records("bounces")).keys() == {BERT}
    assert [marker["counts"] for marker in run.markers] == [{"unsubscribes": 1, "bounces": 1}]
    assert run.messages[-1]["value"]["sync_complete"] == run.markers[0]


def test_an_unsubscribe_of_the_listing_is_delivered_however_old(tap: Tap) -> None:
    """The REST listing knows no lifetime, so a first run has all of it (S1-41)."""
    tap.simulator.seed({"unsubscribes": [{"id": ANNA, "created": "2019-01-01T00:00:00Z"}]})
    run = tap.run("unsubscribes", unsubscribes_source="rest")
    [record] = run.records("unsubscribes")
    assert record["event_time"] == "2019-01-01T00:00:00+00:00"
    assert (record["source"], record["client_id"]) == ("rest", str(CLIENT))
    assert all(seen["method"] == "GET" for seen in tap.simulator.requests())


def test_an_event_that_both_sources_tell_alike_comes_once(tap: Tap) -> None:
    """Listing and export agree in list, recipient and second: one record."""
    tap.simulator.switches(unsubscribe_store="list")
    tap.simulator.event("unsubscribe", id=ANNA, list=LIST)
    tap.simulator.clock(advance=60)
    run = tap.run("unsubscribes")
    assert [(r["source"], r["scope"]) for r in run.records("unsubscribes")] == [("rest", "list")]


def test_a_row_that_tells_more_than_the_listing_is_kept(tap: Tap) -> None:
    """The entity of the CRM comes only with the export's row, so that row stays (S1-41)."""
    subscribe(tap, ANNA, **{"entity-id": "c-17", "entity-type": "contact"})
    tap.simulator.switches(columns_unsubscribes="recipient_id,list_id,entity-type,entity-id,time")
    tap.simulator.event("unsubscribe", id=ANNA, list=LIST)
    tap.simulator.clock(advance=60)
    names = ["recipient_id", "list_id", "entity_type", "entity_id", "time"]
    columns = {**tap.config["columns"], "unsubscribes": names}
    records = tap.run("unsubscribes", columns=columns).records("unsubscribes")
    found = {(r["source"], r["entity_type"], r["entity_id"]) for r in records}
    assert found == {("rest", None, None), ("closed_loop", "contact", "c-17")}


def test_rows_of_two_exports_become_one_record(tap: Tap) -> None:
    """getUnsubscribes names the list, getMailingUnsubscribes the mailing of one event."""
    subscribe(tap, ANNA)
    mailing = tap.simulator.event("send_mailing", list=LIST)["mailing"]
    tap.simulator.event("mail_unsubscribe", id=ANNA, mailing=mailing)
    tap.simulator.clock(advance=60)
    records = tap.run("unsubscribes", unsubscribes_source="closed_loop").records("unsubscribes")
    assert [(r["list_id"], r["mailing_id"]) for r in records] == [(str(LIST), str(mailing))]


def test_the_scope_is_the_list_unless_it_is_the_client(tap: Tap) -> None:
    """A named list is hit alone, an unsubscribe without one hits the client (S1-47)."""
    tap.simulator.switches(unsubscribe_store="list")
    tap.simulator.event("unsubscribe", id=ANNA, list=LIST)
    tap.simulator.event("unsubscribe", id=BERT)
    tap.simulator.clock(advance=60)
    for source in ("rest", "closed_loop", "both"):
        columns = {**tap.config["columns"], "unsubscribes": ["recipient_id", "list_id", "time"]}
        run = tap.run("unsubscribes", unsubscribes_source=source, columns=columns)
        scopes = {r["recipient_id"]: r["scope"] for r in run.records("unsubscribes")}
        assert scopes[ANNA] == "list", source
        if source != "closed_loop":
            assert scopes[BERT] == "client", source


def test_the_scope_can_be_the_client_for_all(tap: Tap) -> None:
    """The rule is a setting, for clients whose unsubscribes count everywhere (S1-47)."""
    tap.simulator.switches(unsubscribe_store="list")
    tap.simulator.event("unsubscribe", id=ANNA, list=LIST)
    run = tap.run("unsubscribes", unsubscribes_source="rest", unsubscribe_scope="client")
    assert [r["scope"] for r in run.records("unsubscribes")] == ["client"]


def test_a_listing_longer_than_a_page_is_read_to_its_end(tap: Tap) -> None:
    """Pages overlap by a row; every element comes once."""
    tap.simulator.seed({"unsubscribes": [{"id": f"u{i}@example.com"} for i in range(57)]})
    run = tap.run("unsubscribes", unsubscribes_source="rest", page_size_rows=10)
    assert len(run.records("unsubscribes")) == 57
    assert len(by_recipient(run.records("unsubscribes"))) == 57


def test_keys_are_stable_over_runs(tap: Tap) -> None:
    """The same event has the same natural key whenever it is read."""
    tap.simulator.event("unsubscribe", id=ANNA, list=LIST)
    tap.simulator.event("unsubscribe", id=CARL, list=LIST)
    runs = [tap.run("unsubscribes", unsubscribes_source="rest") for _ in range(2)]
    first, second = ({r["event_key"] for r in run.records("unsubscribes")} for run in runs)
    assert first == second
    assert len(first) == 2
