"""The whole way back: the simulated vendor, tap-optimizely, the backoffice, its selection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from backoffice import database as sample
from simulators_support import Simulator
from tap_optimizely_support import LIST, START, Forge, Tap
from target_backoffice_support import NEWSLETTER_SQL, SHIPPED, Importer, dump, fetch


@pytest.fixture
def tap(tmp_path: Path) -> Iterator[Tap]:
    forge = Forge()
    with Simulator("optimizely", export_jobs="instant", unsubscribe_store="list") as simulator:
        simulator.clock(now=START)
        yield Tap(simulator, tmp_path, forge)
    forge.close()


def selected(importer: Importer) -> list[str]:
    """Addresses of the newsletter's selection."""
    return [row[0] for row in fetch(importer.database, NEWSLETTER_SQL) if row[0]]


@pytest.mark.slow
def test_what_comes_back_from_the_vendor_leaves_the_selection(
    on_sqlite: Importer, tap: Tap
) -> None:
    """S1-29 S1-31 S1-33 S1-35: U unsubscribes and B bounces out at the vendor; after tap and import
    neither is selected, the feedback is confirmed, and the next run from the new STATE is silent.
    """
    engine = sample.connect(on_sqlite.database.url)
    sample.build(engine, count=200, seed=1)
    engine.dispose()
    on_sqlite.config["streams"] = SHIPPED
    before = selected(on_sqlite)
    once = [a for a in before if before.count(a) == 1 and a == a.lower() and a.count("@") == 1]
    gone, out = once[0], once[1]
    tap.simulator.seed({"recipients": [{"list": LIST, "id": gone}, {"list": LIST, "id": out}]})
    mailing = tap.simulator.event("send_mailing", list=LIST)["mailing"]
    tap.simulator.event("unsubscribe", id=gone, list=LIST)
    for _ in range(3):
        tap.simulator.event("bounce", id=out, mailing=mailing, kind="hard")
    told = tap.run("unsubscribes", "bounces")
    assert told.code == 0, told.errors
    run = on_sqlite.take([told.output])
    assert run.code == 0, run.said
    assert set(before) - set(selected(on_sqlite)) == {gone, out}
    assert run.matched().keys() == {"apply_sql[1]"}
    assert on_sqlite.feedback is not None
    assert on_sqlite.feedback["counts"] == told.markers[0]["counts"]
    tables = ("consents", "address_history", "marketing_unsubscribes", "marketing_bounces")
    there = dump(on_sqlite.database, *tables)
    again = on_sqlite.take([tap.run("unsubscribes", "bounces", state=run.states[-1]).output])
    assert again.code == 0, again.said
    assert again.report["writes"] == 0
    assert dump(on_sqlite.database, *tables) == there
