"""Taking records in: our intake beside singer-sdk's own BatchSink, both doing nothing afterwards.

    python benchmarks/target_intake.py [--records 100000] [--rounds 3]

Each run is a process of its own, the two alternate. Timed is the whole input phase, from the first
byte read to the end of input: parsing, validation with the same verdicts and, for ours only,
writing every record to the spool on disk. Imports are not timed. Peak RSS is of the whole process.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any, ClassVar, cast

COLUMNS: dict[str, Any] = {
    "ctt_id": {"type": "integer"},
    "email": {"type": ["null", "string"], "maxLength": 254},
    "given_name": {"type": ["null", "string"]},
    "family_name": {"type": ["null", "string"]},
    "work_phone": {"type": ["null", "string"]},
    "mobile_phone": {"type": ["null", "string"]},
    "org_country": {"type": ["null", "string"], "maxLength": 2},
    "language_code": {"type": ["null", "string"]},
    "city": {"type": ["null", "string"]},
    "street": {"type": ["null", "string"]},
    "active": {"type": ["null", "boolean"]},
    "orders": {"type": ["null", "integer"], "minimum": 0, "maximum": 2147483647},
    "turnover": {"type": ["null", "number"]},
    "date_created": {"type": ["null", "string"], "format": "date-time"},
    "updated_at": {"type": ["null", "string"], "format": "date-time"},
}
SCHEMA = {"type": "object", "properties": COLUMNS, "required": ["ctt_id"]}


def write_input(path: Path, records: int) -> None:
    """A tap's output: one stream of contacts, a STATE every 10,000 records."""
    with path.open("w") as out:
        head = {"type": "SCHEMA", "stream": "contacts", "schema": SCHEMA}
        out.write(json.dumps({**head, "key_properties": ["ctt_id"]}) + "\n")
        for number in range(1, records + 1):
            record = {
                "ctt_id": number,
                "email": f"person.{number}@example.com" if number % 50 else None,
                "given_name": ("Jürgen", "Zoë", "Max", "Łucja")[number % 4],
                "family_name": f"Müller-{number % 997}",
                "work_phone": f"+49 30 {number:07d}",
                "mobile_phone": None,
                "org_country": ("DE", "AT", "CH")[number % 3],
                "language_code": "de",
                "city": "Köln",
                "street": f"Hauptstraße {number % 200}",
                "active": number % 7 != 0,
                "orders": number % 40,
                "turnover": number / 100,
                "date_created": "2024-03-01T10:00:00+00:00",
                "updated_at": f"2025-05-{number % 28 + 1:02d}T10:00:00+00:00",
            }
            out.write(json.dumps({"type": "RECORD", "stream": "contacts", "record": record}) + "\n")
            if number % 10_000 == 0:
                value = {"bookmarks": {"contacts": {"replication_key_value": number}}}
                out.write(json.dumps({"type": "STATE", "value": value}) + "\n")


def run_stock(source: Path) -> float:
    from singer_sdk import BatchSink, Target

    class NothingSink(BatchSink):
        def process_batch(self, context: dict[str, Any]) -> None:
            pass

    class StockTarget(Target):
        name = "target-stock"
        config_jsonschema: ClassVar[dict[str, Any]] = {"type": "object", "properties": {}}
        default_sink_class = NothingSink

    target = StockTarget(config={})
    with source.open() as lines:
        started = time.perf_counter()
        target.listen(lines)
        return time.perf_counter() - started


def run_ours(source: Path, folder: str) -> float:
    from target_kit.singer import Intake, KitTarget, StreamInfo

    class OurTarget(KitTarget):
        name = "target-ours"
        ended = 0.0

        @property
        def spool_dir(self) -> Path:
            return Path(folder) / "spool"

        def check_stream(self, info: StreamInfo) -> bool:  # noqa: ARG002 - takes all
            return True

        def connection_check(self) -> None:
            raise NotImplementedError

        def consume(self, intake: Intake) -> None:
            self.ended = time.perf_counter()
            assert intake.input_error is None
            assert intake.spool.count("contacts") == intake.received["contacts"]
            print(intake.spool.count("contacts"), "spooled", file=sys.stderr)

    target = OurTarget(config={})
    with source.open("rb") as lines:
        started = time.perf_counter()
        target.listen(cast("IO[str]", lines))
        return target.ended - started


def child(which: str, source: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        seconds = run_stock(source) if which == "stock" else run_ours(source, folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "rss_mb": peak}))


def measure(which: str, source: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--child", which, "--source", str(source)],
        capture_output=True,
        check=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(records: int, rounds: int) -> float:
    """Print both medians; the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "input.singer"
        write_input(source, records)
        runs: dict[str, list[dict[str, float]]] = {"stock": [], "ours": []}
        for _ in range(rounds):
            for which, found in runs.items():
                found.append(measure(which, source))
    seconds = {
        which: statistics.median(r["seconds"] for r in found) for which, found in runs.items()
    }
    for which, found in runs.items():
        rss = max(run["rss_mb"] for run in found)
        rate = records / seconds[which]
        each = ", ".join(f"{run['seconds']:.2f}" for run in found)
        print(f"{records:>9,} records  {which:5}  {rate:>9,.0f}/s  {rss:4.0f} MB peak  ({each} s)")
    ratio = seconds["stock"] / seconds["ours"]
    print(f"{records:>9,} records  ratio {ratio:.1f} (spool written and validation included)")
    return ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, nargs="*", default=[100_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", choices=["stock", "ours"])
    parser.add_argument("--source", type=Path)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.source)
        return
    for records in options.records:
        compare(records, options.rounds)


if __name__ == "__main__":
    main()
