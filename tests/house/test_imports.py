"""Imports point one way, and a module without a place is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from house_support import BIN, ROOT


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter with the packages found in `folder` before all others."""
    environment = os.environ | {"PYTHONPATH": str(folder)}
    command = [str(BIN / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A copy of all packages and of the contracts."""
    shutil.copy(ROOT / ".importlinter", tmp_path)
    for package in ("tap_backoffice", "singer_seal", "target_kit", "target_activecampaign"):
        shutil.copytree(ROOT / package.replace("_", "-") / package, tmp_path / package)
    shutil.copytree(ROOT / "simulators" / "api_simulators", tmp_path / "api_simulators")
    return tmp_path


def test_contracts_hold(packages: Path) -> None:
    """Every contract of `.importlinter` is kept by the code as it is."""
    checked = lint_imports(packages)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("package", ["target_activecampaign", "target_kit"])
def test_a_module_without_a_place_fails(packages: Path, package: str) -> None:
    """A stray helpers.py is refused until somebody says where it belongs."""
    (packages / package / "helpers.py").write_text('"""Stray."""\n')
    checked = lint_imports(packages)
    assert checked.returncode == 1
    assert "helpers" in checked.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("api_simulators/clock.py", "from target_kit import errors"),
        ("tap_backoffice/errors.py", "from target_kit import errors"),
        ("target_kit/clock.py", "import singer_sdk"),
        ("target_activecampaign/model.py", "import requests"),
        ("target_activecampaign/planning.py", "from target_activecampaign import client"),
    ],
)
def test_an_import_against_the_direction_fails(packages: Path, module: str, line: str) -> None:
    """No simulator or tap shares our code, no deciding module does I/O, one door to the SDK."""
    file = packages / module
    file.write_text(f"{file.read_text()}\n{line}  # noqa\n")
    checked = lint_imports(packages)
    assert checked.returncode == 1, checked.stdout
    assert "BROKEN" in checked.stdout
