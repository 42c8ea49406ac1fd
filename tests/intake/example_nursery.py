"""Forks ready-imported example targets: a real process a run, without two seconds of imports.

Started with the descriptor of a Unix socket; a request carries stdin, stdout and stderr.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sys
from typing import Any, NoReturn

from example_target import ExampleTarget
from target_kit.cli import run


def serve(server: socket.socket) -> None:
    while True:
        data, descriptors, _, _ = socket.recv_fds(server, 65536, 3)
        if not data:
            return
        request = json.loads(data)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            server.send(str(os.waitstatus_to_exitcode(status)).encode())
            continue
        pid = os.fork()
        if pid == 0:
            server.close()
            become(request, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        server.send(str(pid).encode())


def become(request: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """What exec and the interpreter's start and end would do."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = os.fdopen(0)
    sys.stdout = os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w", buffering=1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if request["limit"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["limit"],) * 2)
    os.environ.update(request["env"])
    sys.argv = ["example_target.py", *request["arguments"]]
    code: Any = 1
    try:
        run(ExampleTarget)
    except SystemExit as end:
        code = end.code
        try:
            sys.stdout.flush()
        except OSError:
            sys.stderr.write("Exception ignored at the end: stdout\n")
            code = 120
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
