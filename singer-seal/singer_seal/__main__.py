"""The console script: `singer-seal <arguments of the tap>`, the tap's name in SEAL_TAP."""

from __future__ import annotations

import os
import sys
import typing as t
from collections.abc import Mapping, Sequence

from singer_seal.seal import run_sealed

TAP_VARIABLE = "SEAL_TAP"
EXIT_SETTINGS = 2
EXIT_NOT_FOUND = 127

# What a tap answers without syncing: there is nothing to seal, so the tap takes over.
PASSED_THROUGH = ("--discover", "--about", "--help", "--version", "--test")


def main(
    arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None
) -> t.NoReturn:
    """Run the tap; exit with its code, or 128 + n when a signal n ended it."""
    arguments = sys.argv[1:] if arguments is None else arguments
    environment = os.environ if environment is None else environment
    tap = environment.get(TAP_VARIABLE)
    if not tap:
        _fail(f"{TAP_VARIABLE} must name the tap to run", EXIT_SETTINGS)
    try:
        if any(passes_through(argument) for argument in arguments):
            os.execvp(tap, [tap, *arguments])  # noqa: S606  # the user's own tap
        sys.exit(run_sealed([tap, *arguments]))
    except FileNotFoundError:
        _fail(f"{TAP_VARIABLE}: {tap!r} is not on the path", EXIT_NOT_FOUND)
    except PermissionError:
        _fail(f"{TAP_VARIABLE}: {tap!r} cannot be executed", EXIT_NOT_FOUND - 1)


def passes_through(argument: str) -> bool:
    """Say whether an argument makes the tap answer something else than a sync."""
    return argument.split("=", 1)[0] in PASSED_THROUGH


def _fail(line: str, code: int) -> t.NoReturn:
    sys.stderr.write(f"singer-seal: {line}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
