from __future__ import annotations

from tap_support import Database, sync


def test_a_configured_table_is_sent_whole_under_its_configured_name(database: Database) -> None:
    """SCHEMA, each row once, the marker with the count."""
    database.execute("CREATE TABLE kunden (ctt_id integer PRIMARY KEY, email varchar(100))")
    database.insert("kunden", [(i, f"p{i}@example.com") for i in range(25)])
    run = sync(
        {
            "database_url": database.url,
            "fetch_size_rows": 10,
            "streams": [{"name": "contacts", "table": "kunden"}],
        }
    )
    assert run.messages[0]["type"] == "SCHEMA"
    assert run.messages[0]["key_properties"] == ["ctt_id"]
    assert sorted(r["ctt_id"] for r in run.records()) == list(range(25))
    assert run.records()[0] == {"ctt_id": 0, "email": "p0@example.com"}
    assert [m["counts"] for m in run.markers] == [{"contacts": 25}]
