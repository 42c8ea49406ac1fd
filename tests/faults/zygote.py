"""Runs a target as real processes without paying for imports each time.

`python -m faults.zygote SOCKET [MODULE]` imports the target's module once (target-activecampaign
if none is named), then forks a child per request that runs the module's `main`. The child
is a process of its own in every way that matters here: it has its own descriptors, signals, memory
and exit code, and runs the console script's `main`. The tests that need a process from its very
start (environment, logging set-up) use `target_support.Target` instead.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import socket
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

DEFAULT = "target_activecampaign.target"
#: Modules that a target imports late: imported here, they cost no run anything.
LATE = {DEFAULT: ("target_activecampaign.accounts",)}


def serve(path: str, name: str = DEFAULT) -> None:
    """Fork a keeper per connection until the process is ended; prints one line when ready."""
    module = importlib.import_module(name)
    for late in LATE.get(name, ()):
        importlib.import_module(late)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(16)
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _keep(connection, module)
            connection.close()


def _keep(connection: socket.socket, module: ModuleType) -> NoReturn:
    """Fork the target, tell its pid, wait for it, tell how it ended."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        order, descriptors, _, _ = socket.recv_fds(connection, 65536, 3)
        pid = os.fork()
        if pid == 0:
            connection.close()
            _become_target(json.loads(order), descriptors, module)
        for descriptor in descriptors:
            os.close(descriptor)
        connection.sendall(f"{pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        code = 0
    finally:
        os._exit(code)


def _become_target(order: dict[str, Any], descriptors: list[int], module: ModuleType) -> NoReturn:
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    code = 70  # ours: the target never ends like that
    try:
        os.chdir(order["folder"])
        os.environ.update(order["environment"])
        if order.get("file_bytes"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_bytes"],) * 2)
        sys.argv = order["arguments"]
        try:
            module.main()
        except SystemExit as end:
            code = int(end.code or 0)
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        pass
    except BaseException:  # noqa: BLE001 - whatever it is, the keeper has to hear of it
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve(str(Path(sys.argv[1])), *sys.argv[2:])
