"""Runs a target as real processes without paying for imports each time.

`python -m faults.zygote SOCKET MODULE...` imports the modules once, then forks a child per request;
the first of them has the console script's `main`. The child is a process of its own in every way
that matters here: it has its own descriptors, signals, memory and exit code. The tests that need a
process from its very start (environment, logging set-up) use `target_support.Target` instead.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

Main = Callable[[], NoReturn]


def serve(path: str, main: Main) -> None:
    """Fork a keeper per connection until the process is ended; prints one line when ready."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(16)
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _keep(connection, main)
            connection.close()


def _keep(connection: socket.socket, main: Main) -> NoReturn:
    """Fork the target, tell its pid, wait for it, tell how it ended."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        order, descriptors, _, _ = socket.recv_fds(connection, 65536, 3)
        pid = os.fork()
        if pid == 0:
            connection.close()
            _become_target(json.loads(order), descriptors, main)
        for descriptor in descriptors:
            os.close(descriptor)
        connection.sendall(f"{pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        code = 0
    finally:
        os._exit(code)


def _become_target(order: dict[str, Any], descriptors: list[int], main: Main) -> NoReturn:
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    code = 70  # ours: the target never ends like that
    crash = order.get("crash")
    try:
        os.chdir(order["folder"])
        os.environ.update(order["environment"])
        if order.get("file_bytes"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_bytes"],) * 2)
        sys.argv = order["arguments"]
        if crash:  # see crash_point.c, which is preloaded then
            ctypes.CDLL(None).crash_arm(*crash)
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        sys.stdout.flush()
        sys.stderr.flush()
        if crash:
            Path("writes").write_text(str(ctypes.CDLL(None).crash_disarm()))
    except OSError:
        pass
    except BaseException:  # noqa: BLE001 - whatever it is, the keeper has to hear of it
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    modules = [importlib.import_module(name) for name in sys.argv[2:]]
    gc.freeze()  # a collection in a child must not touch, hence copy, every page it inherited
    serve(str(Path(sys.argv[1])), modules[0].main)
