"""`python -m examples.backoffice build` and `… change`: the sample backoffice from a shell."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from .database import build, change, connect
from .people import Faults

DEFAULT_URL = "sqlite:///.demo/backoffice.db"


def main(arguments: list[str] | None = None) -> None:
    """Build or change the sample backoffice; print one line of JSON with what was done."""
    parser = argparse.ArgumentParser(prog="python -m examples.backoffice", description=__doc__)
    parser.add_argument("command", choices=["build", "change"])
    parser.add_argument("--database-url", default=DEFAULT_URL, help="SQLAlchemy URL")
    parser.add_argument("--count", type=int, default=2000, help="contacts to build")
    parser.add_argument("--rows", type=int, default=25, help="contacts to change")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same people")
    options = parser.parse_args(arguments)
    engine = connect(options.database_url)
    if options.command == "build":
        build(engine, count=options.count, seed=options.seed)
        faults = Faults().scaled(options.count)
        summary = {"contacts": options.count, "reachable": faults.reachable(options.count)}
        print(json.dumps(summary | asdict(faults)))
    else:
        print(json.dumps({"changed": change(engine, rows=options.rows, seed=options.seed)}))


if __name__ == "__main__":
    main()
