"""Console script of a target: exit codes, one line per failure, no values on stderr."""

from __future__ import annotations

import functools
import logging
import os
import sys
import traceback
from typing import NoReturn

import click

from target_kit.errors import ConfigurationError, StopRun
from target_kit.output import OutputClosed, silence_stdout
from target_kit.signals import StopSignal
from target_kit.singer import KitTarget

_NOISY = ("urllib3", "requests", "charset_normalizer")


def run(target_class: type[KitTarget]) -> NoReturn:
    """Run the command line of `target_class` and end the process with its exit code."""
    stop = StopSignal()
    stop.install()
    logging.raiseExceptions = False
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    command = target_class.cli
    command.callback = functools.partial(target_class.invoke, stop=stop)
    code = _call(command, target_class.name)
    sys.exit(code)


def _call(command: click.Command, name: str) -> int:
    try:
        result = command.main(prog_name=name, standalone_mode=False)
    except StopRun as error:
        if isinstance(error, OutputClosed):
            silence_stdout()
        _say(name, str(error))
        return error.code
    except click.ClickException as error:
        _say(name, error.format_message())
        return ConfigurationError.exit_code
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    except Exception as error:  # noqa: BLE001 - the last resort of the process
        _say(name, _unexpected(error, name))
        return StopRun.exit_code
    return result if isinstance(result, int) else 0


def _say(name: str, text: str) -> None:
    print(f"{name}: {' '.join(text.split())}", file=sys.stderr, flush=True)  # noqa: T201 - the one line


def _unexpected(error: BaseException, name: str) -> str:
    """Type and place; the message could hold a record's values."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    variable = f"{name.upper().replace('-', '_')}_DEBUG_TRACEBACK"
    return (
        f"unexpected {type(error).__name__} in {frame.name} "
        f"({os.path.basename(frame.filename)}:{frame.lineno}); "  # noqa: PTH119
        f"set {variable}=1 for the stack"
    )
