"""singer-sdk's standard tests for taps, on all three databases."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tap_support import Server


def prepared(server: Server) -> dict[str, Any]:
    database = server.database()
    database.execute(
        "CREATE TABLE people (ctt_id integer NOT NULL PRIMARY KEY, email varchar(50) NOT NULL,"
        f" balance decimal(12,2), active boolean, born date, changed {database.timestamp})",
        "INSERT INTO people VALUES"
        " (1, 'a@example.com', 1.10, true, '1980-02-29', '2024-01-01 10:00:00')",
        "INSERT INTO people VALUES"
        " (2, 'b@example.com', 0, false, '1990-01-01', '2024-01-01 10:00:00')",
    )
    contacts = {"name": "contacts", "table": "people", "replication_key": "changed"}
    everyone = {"name": "everyone", "query": "SELECT ctt_id, email FROM people"}
    return {
        "database_url": database.url,
        "streams": [contacts, {**everyone, "primary_key": "ctt_id"}],
    }


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite", "postgresql", "mariadb"])
def test_the_standard_suite_passes(
    backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Every standard test the SDK makes for this tap's streams and columns."""
    config = prepared(request.getfixturevalue(backend))
    suite = tmp_path / "test_suite.py"
    suite.write_text(f"""
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_backoffice.tap import TapBackoffice

TestStandard = get_tap_test_class(
    TapBackoffice, config={config!r}, suite_config=SuiteConfig(max_records_limit=150)
)
""")
    options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(suite)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    summary = re.search(r"(\d+) passed", done.stdout)
    assert summary is not None
    assert int(summary[1]) >= 25
