"""Console script of a target: exit codes, one line per failure, no values on stderr."""

from __future__ import annotations

import functools
import logging
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

import click

from target_kit.errors import ConfigurationError, StopRun
from target_kit.output import OutputClosed, silence_stdout
from target_kit.redact import escape, guard_logs
from target_kit.signals import StopSignal
from target_kit.singer import KitTarget

if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from threading import ExceptHookArgs


def run(target_class: type[KitTarget]) -> NoReturn:
    """Run the command line of `target_class` and end the process with its exit code.

    Codes: see `target_kit.errors`; a wrong command line is a configuration error (2), what nobody
    foresaw is 1. A first argument that names one of the target's `commands` runs that instead of
    the message loop. A failure is one line on stderr; `<PLUGIN>_DEBUG_TRACEBACK=1` adds the places
    it passed, without any values.
    """
    stop = StopSignal()
    stop.install()
    name = target_class.name
    _guard_process(name)
    operator = target_class.commands.get(sys.argv[1]) if len(sys.argv) > 1 else None
    if operator is not None:
        command = operator(stop)
        sys.exit(_call(command, f"{name} {sys.argv[1]}", sys.argv[2:]))
    command = target_class.cli
    command.callback = functools.partial(target_class.invoke, stop=stop)
    sys.exit(_call(command, name, sys.argv[1:]))


def _call(command: click.Command, name: str, arguments: list[str]) -> int:
    try:
        result = command.main(arguments, prog_name=name, standalone_mode=False)
    except StopRun as error:
        if isinstance(error, OutputClosed):
            silence_stdout()
        _say(name, str(error))
        _debug(name, error)
        return error.code
    except click.ClickException as error:
        _say(name, error.format_message())
        return ConfigurationError.exit_code
    except click.Abort:
        return StopRun.exit_code
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except Exception as error:  # noqa: BLE001 - the last resort of the process
        _say(name, _unexpected(name, type(error), error.__traceback__))
        _debug(name, error)
        return StopRun.exit_code
    return result if isinstance(result, int) else 0


def _guard_process(name: str) -> None:
    """Whatever prints on its own — logging, threads, finalizers — prints no values."""
    guard_logs()
    logging.raiseExceptions = False

    def thread_failed(args: ExceptHookArgs) -> None:
        _say(name, _unexpected(name, args.exc_type, args.exc_traceback))

    def finalizer_failed(args: UnraisableHookArgs) -> None:
        _say(name, _unexpected(name, args.exc_type, args.exc_traceback))

    threading.excepthook = thread_failed
    sys.unraisablehook = finalizer_failed


def _say(name: str, text: str) -> None:
    print(f"{name}: {escape(' '.join(text.split()))}", file=sys.stderr, flush=True)  # noqa: T201 - the one line


def _variable(name: str) -> str:
    plugin = name.split()[0]
    return f"{plugin.upper().replace('-', '_')}_DEBUG_TRACEBACK"


def _unexpected(name: str, kind: type[BaseException], trace: TracebackType | None) -> str:
    """Type and place; the exception's own text could hold a record's values."""
    places = list(_places(trace))
    where = f" at {places[-1]}" if places else ""
    return f"unexpected {kind.__name__}{where}; set {_variable(name)}=1 for the way there"


def _debug(name: str, error: BaseException) -> None:
    """The stack in places only: file, line, function of every link of the chain."""
    if os.environ.get(_variable(name)) != "1":
        return
    link: BaseException | None = error
    while link is not None:
        _say(name, f"| {type(link).__name__}")
        for place in _places(link.__traceback__):
            _say(name, f"|   {place}")
        link = link.__cause__ or link.__context__


def _places(trace: TracebackType | None) -> Iterator[str]:
    for frame in traceback.extract_tb(trace):
        yield f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
