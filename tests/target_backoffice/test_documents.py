"""What the README shows is what runs; and what Meltano's connection test does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml
from tap_support import PostgresServer
from target_backoffice.model import CONTROL_COLUMNS
from target_backoffice.settings import read_settings
from target_backoffice_support import ROOT, Importer, complete, fetch, record, unsubscribe

README = (ROOT / "target-backoffice" / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The first code block of that language."""
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_settings_of_the_readme_are_taken() -> None:
    """Its example is a configuration without a fault."""
    plugins = yaml.safe_load(block("yaml"))["plugins"]["loaders"]
    settings = read_settings({**plugins[0]["config"], "database_url": "sqlite:///x"})
    (statement,) = settings.streams["unsubscribes"].statements
    assert statement.parameters == {"event_time", "entity_type", "entity_id"}


def test_the_sql_for_other_loaders_does_the_same(
    postgresql: PostgresServer, tmp_path: Path
) -> None:
    """Run on a loader's tables it withdraws what an unsubscribe says, and no newer consent; the
    setting schema puts the tables where that loader would.
    """
    database = postgresql.database()
    database.execute(
        "CREATE TABLE consents (entity_type varchar(20), entity_id varchar(20), "
        "granted_at timestamp, withdrawn_at timestamp)",
        "INSERT INTO consents VALUES ('contact', '1', '2026-01-01'), ('lead', '2', '2026-12-01')",
    )
    streams = {"unsubscribes": {"table": "unsubscribes"}, "bounces": {}}
    importer = Importer(tmp_path, database, schema="marketing", streams=streams)
    rows = [
        unsubscribe(1, entity_type="contact", entity_id="1"),
        unsubscribe(2, entity_type="lead", entity_id="2"),
    ]
    missing = importer.take(complete(rows))
    assert (missing.code, "there is no such schema" in missing.said) == (2, True)
    database.execute("CREATE SCHEMA marketing")
    assert importer.take(complete(rows)).code == 0
    database.execute(block("sql"))
    query = "SELECT entity_type FROM consents WHERE withdrawn_at IS NOT NULL"
    assert fetch(database, query) == [("contact",)]


def test_the_file_of_the_readme_is_the_file_that_is_written(on_sqlite: Importer) -> None:
    """Same keys."""
    on_sqlite.take(complete())
    assert on_sqlite.feedback is not None
    assert on_sqlite.feedback.keys() == json.loads(block("json")).keys()
    assert all(f"`{name}`" in README for name in CONTROL_COLUMNS)


def test_the_connection_test_of_meltano_writes_nothing(importer: Importer) -> None:
    """`meltano config test` sends one record of a stream of its own: no table, no feedback file."""
    properties = {"id": {"type": "integer"}}
    stream = "meltano_test_stream"
    schema = {"type": "SCHEMA", "stream": stream, "key_properties": ["id"],
              "schema": {"type": "object", "properties": properties}}  # fmt: skip
    run = importer.take([schema, record(stream, id=1)])
    assert (run.code, importer.feedback) == (0, None), run.said
    listed = "SELECT table_name FROM information_schema.tables WHERE table_schema = "
    query = importer.database.type(
        "SELECT name FROM sqlite_master", f"{listed} 'public'", f"{listed} DATABASE()"
    )
    assert fetch(importer.database, query) == []
    elsewhere = importer.take([schema], database_url="postgresql://u:p@127.0.0.1:9/d")
    assert elsewhere.code == 7
