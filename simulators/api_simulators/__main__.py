from __future__ import annotations

import argparse
import asyncio
import gc
import sys

from api_simulators.server import serve, stations
from api_simulators.vendor import Station
from api_simulators.wire import ControlError


def main(argv: list[str] | None = None) -> None:
    """Read the command line and serve until told to stop."""
    parser = argparse.ArgumentParser(
        prog="api-simulators",
        description="Local stand-ins for marketing vendors' APIs, one path prefix each.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8800, help="0 picks a free port")
    parser.add_argument(
        "--switch",
        action="append",
        default=[],
        metavar="VENDOR.NAME=VALUE",
        help="start with a switch turned, e.g. activecampaign.rate_limit=off; repeatable",
    )
    parser.add_argument(
        "--describe",
        metavar="VENDOR",
        help="print the vendor's switches as a Markdown table and leave",
    )
    options = parser.parse_args(argv)
    by_prefix = stations()
    if options.describe is not None:
        if options.describe not in by_prefix:
            parser.error(f"vendors are {sorted(by_prefix)}")
        sys.stdout.write(by_prefix[options.describe].vendor.switches.table())
        return
    try:
        for order in options.switch:
            turn(by_prefix, order)
    except ControlError as error:
        parser.error(str(error))
    # A large account is millions of objects that live on; collecting often only walks them.
    gc.set_threshold(200_000, 50, 50)
    asyncio.run(serve(options.host, options.port, by_prefix))


def turn(by_prefix: dict[str, Station], order: str) -> None:
    """Turn one switch named on the command line; raises ControlError."""
    target, separator, value = order.partition("=")
    vendor, dot, name = target.partition(".")
    if not separator or not dot or vendor not in by_prefix:
        raise ControlError(f"not VENDOR.NAME=VALUE with a vendor of {sorted(by_prefix)}: {order!r}")
    switches = by_prefix[vendor].vendor.switches
    switches.turn({name: value})
    switches.keep_as_start()


if __name__ == "__main__":
    main()
