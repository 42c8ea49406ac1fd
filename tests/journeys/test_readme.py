"""The commands of the README are run as printed, in a copy of the project."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from house_support import BIN, ROOT, copy_project

pytestmark = [pytest.mark.xdist_group("readme"), pytest.mark.slow]

TESTED = re.compile(r"<!-- tested -->\n```console\n(.*?)```", re.DOTALL)
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ") for block in TESTED.findall(README) for line in block.splitlines()
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a clone would hold it, with this checkout's .venv."""
    return copy_project(tmp_path_factory.mktemp("readme"))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_readme_runs(copy: Path, command: str) -> None:
    """S0-34 S0-35 S2-2 S2-11 S2-12 S2-14 S2-16 X1 X3 X4: each ends with 0; `make demo` checks every
    number it promises, and who is active where after each kind of changed address by each policy.
    """
    ours = ("MELTANO_", "TAP_BACKOFFICE_", "TARGET_ACTIVECAMPAIGN_", "MAKE", "MFLAGS")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    ran = subprocess.run(
        ["bash", "-c", command], cwd=copy, env=clean, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_two_commands_of_the_first_screen_are_there() -> None:
    """What a newcomer types stands within the first screen."""
    screen = "\n".join(README.splitlines()[:40])
    assert "$ make demo" in screen
    assert "$ make test" in screen


def test_every_program_the_readme_calls_exists() -> None:
    """Commands in `.venv/bin` and words of make that the README names are there."""
    programs = set(re.findall(r"\.venv/bin/([a-z-]+)", README))
    assert {p for p in programs if not (BIN / p).exists()} == set()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    words = set(re.findall(r"(?:\$ |`)make ([a-z]+)", README))
    assert {w for w in words if not re.search(rf"^{w}:", makefile, re.MULTILINE)} == set()
