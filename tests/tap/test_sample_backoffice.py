"""The sample backoffice is the same on all three databases, and the tap reads it whole."""

from __future__ import annotations

from pathlib import Path

from backoffice.database import build, change, connect
from backoffice.people import invent
from house_support import ROOT
from tap_support import Database, run_command

QUERY = (ROOT / "examples" / "backoffice" / "contacts.sql").read_text(encoding="utf-8")


def test_the_sample_is_read_by_the_shipped_query(database: Database, tmp_path: Path) -> None:
    """S0-1 S0-64 S0-65: each living contact comes once, umlauts intact, on every database."""
    engine = connect(database.url)
    build(engine, count=400, seed=4)
    changed = change(engine, rows=5)
    engine.dispose()
    stream = {"name": "contacts", "query": QUERY, "primary_key": ["ctt_id"]}
    run = run_command({"database_url": database.url, "streams": [stream]}, tmp_path)
    assert run.code == 0, run.errors
    records = {r["ctt_id"]: r for r in run.records("contacts")}
    _, contacts = invent(400, 4)
    living = {c.ctt_id: c for c in contacts if c.deleted_at is None}
    assert records.keys() == living.keys()
    assert {k for k in living if records[k]["email"] != living[k].email} == {changed[0]}
    same = [k for k in living if k not in changed]
    assert all(records[k]["given_name"] == living[k].given_name for k in same)
