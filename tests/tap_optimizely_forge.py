"""Runs tap-optimizely as real processes without paying for imports each time.

Started once per test session; each line on stdin is an order `{arguments, environment, output,
errors}`, answered on stdout with the exit code. A child is forked per order: it has descriptors,
signals, memory and exit code of its own, and runs the console script's `main`.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any, NoReturn

import tap_optimizely.tap


def serve() -> None:
    """Fork a child per order until stdin ends."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become_tap(json.loads(line))
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become_tap(order: dict[str, Any]) -> NoReturn:
    code = 70  # ours: the tap never ends like that
    try:
        for number, name in ((1, "output"), (2, "errors")):
            file = os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(file, number)
            os.close(file)
        os.environ.update(order["environment"])
        sys.argv = ["tap-optimizely", *order["arguments"]]
        try:
            tap_optimizely.tap.main()
        except SystemExit as end:
            code = int(end.code or 0)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 - whatever it is, it has to be seen
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve()
