"""singer-sdk's standard tests for taps, against the simulated vendor."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tap_optimizely_support import LIST, Tap


@pytest.mark.slow
def test_the_standard_suite_passes(tap: Tap, tmp_path: Path) -> None:
    """Every standard test the SDK makes for this tap's streams and columns."""
    tap.simulator.seed({"recipients": [{"list": LIST, "id": "a@example.com"}]})
    tap.simulator.seed({"blocklist": ["b@example.com"]})
    order = {"list": LIST, "links": [{"name": "shop", "url": "https://shop.example.com/"}]}
    mailing = tap.simulator.event("send_mailing", **order)["mailing"]
    for kind in ("open", "click", "bounce", "mail_unsubscribe"):
        tap.simulator.event(kind, id="a@example.com", mailing=mailing)
    tap.simulator.clock(advance=60)
    config = {**tap.config, "deliver_without_campaign": True}
    suite = tmp_path / "test_suite.py"
    suite.write_text(f"""
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from tap_optimizely.tap import TapOptimizely

TestStandard = get_tap_test_class(
    TapOptimizely, config={config!r}, suite_config=SuiteConfig(max_records_limit=150)
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
    assert int(summary[1]) >= 60


def test_stream_maps_rename_and_filter(tap: Tap) -> None:
    """The marker counts what comes out, under the names it comes out with."""
    for name in ("a@example.com", "b@example.com"):
        tap.simulator.event("unsubscribe", id=name, list=LIST)
    maps = {
        "unsubscribes": {
            "__alias__": "marketing_unsubscribes",
            "__filter__": "recipient_id == 'a@example.com'",
        }
    }
    run = tap.run("unsubscribes", unsubscribes_source="rest", stream_maps=maps)
    assert run.code == 0, run.errors
    assert [r["recipient_id"] for r in run.records("marketing_unsubscribes")] == ["a@example.com"]
    assert run.markers[0]["counts"] == {"marketing_unsubscribes": 1}


def test_numbered_columns_pass_stream_maps_and_a_cached_catalogue(tap: Tap) -> None:
    """Columns learnt at the start of a run are in the SCHEMA all the same."""
    tap.simulator.event("add_export_file", stream="unsubscribes", rows=[["a@example.com", "1"]])
    tap.simulator.clock(advance=5)
    columns = {k: v for k, v in tap.config["columns"].items() if k != "unsubscribes"}
    maps = {"unsubscribes": {"who": "col_0"}}
    run = tap.run(
        "unsubscribes", unsubscribes_source="closed_loop", columns=columns, stream_maps=maps
    )
    assert run.code == 0, run.errors
    assert run.records("unsubscribes")[0]["who"] == "a@example.com"


def test_the_connection_test_reads_one_record_and_claims_nothing(tap: Tap) -> None:
    """`--test` writes neither a bookmark nor a marker."""
    for name in ("a@example.com", "b@example.com"):
        tap.simulator.event("unsubscribe", id=name, list=LIST)
    tap.simulator.clock(advance=5)
    run = tap.dry("unsubscribes")
    assert run.code == 0, run.errors
    assert run.markers == []
    assert len(run.records("unsubscribes")) == 1
    assert "exports" not in run.state["bookmarks"]["unsubscribes"]
