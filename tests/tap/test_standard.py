"""singer-sdk's standard tests for taps, on all three databases."""

from __future__ import annotations

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


@pytest.mark.parametrize("backend", ["sqlite", "postgresql", "mariadb"])
def test_the_standard_suite_passes(
    backend: str, request: pytest.FixtureRequest, pytester: pytest.Pytester
) -> None:
    """Every standard test the SDK makes for this tap's streams and columns."""
    config = prepared(request.getfixturevalue(backend))
    pytester.makepyfile(
        test_suite=f"""
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_backoffice.tap import TapBackoffice

TestStandard = get_tap_test_class(
    TapBackoffice, config={config!r}, suite_config=SuiteConfig(max_records_limit=150)
)
"""
    )
    result = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider")
    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) == 0
    assert outcomes.get("errors", 0) == 0
    assert outcomes["passed"] >= 25
