"""Everything at DEBUG, faults on every database, a canary in every column: none of them sings."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from tap_support import Server
from target_backoffice_support import Importer, bounce, complete, fetch, unsubscribe

WORDS = ("canarymail", "canaryreason", "canarylist", "canary-word", "canaryentity")
APPLY = "UPDATE people SET remark = :reason WHERE id = :recipient_id"
DEBUG = {
    "LOGLEVEL": "DEBUG",
    "TARGET_BACKOFFICE_LOGLEVEL": "DEBUG",
    "TARGET_BACKOFFICE_DEBUG_TRACEBACK": "1",
}


@pytest.mark.parametrize("broken", [False, True])
def test_nothing_personal_is_said_at_debug(server: Server, tmp_path: Path, broken: bool) -> None:
    """X7: stdout, stderr, report and state directory name nobody and no password, whether rows are
    refused by the database, by their schema, or the run breaks; the rejects file keeps the records.
    """
    database = server.database()
    database.execute(
        "CREATE TABLE people (id varchar(40) PRIMARY KEY, remark varchar(40) "
        "CHECK (remark <> 'canaryreason2'))"
    )
    database.insert("people", [(f"canarymail{n}@example.com", "") for n in range(4)])
    rows = [
        unsubscribe(
            n, event_key=f"canarylist-{n}", recipient_id=f"canarymail{n}@example.com",
            reason=f"canaryreason{n}", entity_id=f"canaryentity{n}", list_id=f"canarylist{n}",
        )
        for n in range(5)
    ]  # fmt: skip
    rows[1]["record"]["event_time"] = "canaryreason or so"
    rows[3]["record"]["assigned"] = "canaryreason"
    url = make_url(database.url)
    if server.backend == "postgresql":  # it trusts this machine; any password will do
        url = url.set(password="canary-word")
    statement = APPLY.replace("people", "persons") if broken else APPLY
    importer = Importer(
        tmp_path, database, database_url=url.render_as_string(hide_password=False),
        streams={"unsubscribes": {"apply_sql": [statement]}, "bounces": {}},
    )  # fmt: skip
    run = importer.run(
        complete(rows, [bounce(1, recipient_id="canarymail@example.com")]), env=DEBUG
    )
    assert run.code == (2 if broken else 4), run.said
    if not broken:
        assert run.outcomes() == {"applied": 2, "rejected": 3}
        assert len(importer.rejects()) == 3
        remarks = fetch(database, "SELECT remark FROM people ORDER BY id")
        assert remarks == [("canaryreason0",), ("",), ("",), ("",)]
    texts = {"stderr": run.said, "report": str(run.report), "states": str(run.states)}
    for path in (tmp_path / "state").rglob("*"):
        if path.is_file() and path.parent.name != "rejects":
            texts[path.name] = path.read_bytes().decode("latin-1")
    for name, said in texts.items():
        for word in WORDS:
            assert word not in said, f"{word} in {name}: {said}"


def test_files_are_for_their_owner_only(on_sqlite: Importer) -> None:
    """State directory 0700, rejects 0600; the spool is gone."""
    on_sqlite.take(complete([unsubscribe(1, event_time="never")]))
    state = on_sqlite.home / "state"
    assert state.joinpath("rejects").stat().st_mode & 0o777 == 0o700
    rejects = state / "rejects" / "unsubscribes.jsonl"
    assert rejects.stat().st_mode & 0o777 == 0o600
    assert list(state.joinpath("spool").iterdir()) == []
