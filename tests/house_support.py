"""Where the project's files are, for tests that read them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
#: Distributions of the workspace, by folder.
DISTRIBUTIONS = tuple(sorted(path.parent.name for path in ROOT.glob("*/pyproject.toml")))
#: Distributions that Meltano installs as plugins.
PLUGINS = tuple(
    name for name in DISTRIBUTIONS if name.startswith(("tap-", "target-")) and name != "target-kit"
)
_NOT_COPIED = (
    *(".git", ".venv", ".airflow", ".demo", ".meltano", "state", "plugins", ".env", "__pycache__"),
    *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache"),
)


def load_tool(name: str) -> ModuleType:
    """Import one script of `tools/` as a module."""
    spec = importlib.util.spec_from_file_location(f"tools_{name}", ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def copy_project(folder: Path) -> Path:
    """Copy the project as a clone would hold it, with this checkout's `.venv` linked in."""
    copied = folder / "project"
    shutil.copytree(ROOT, copied, ignore=shutil.ignore_patterns(*_NOT_COPIED), symlinks=True)
    (copied / ".venv").symlink_to(BIN.parent)
    for file in (copied / "uv.lock", copied / "tools" / "bootstrap.py", *copied.glob("**/*.toml")):
        os.utime(file, (0, 0))  # older than make's stamps: it must not sync .venv to the copy
    return copied


def project_files() -> list[Path]:
    """Every file that a clone would hold: tracked ones, and new ones that are not ignored."""
    listed = subprocess.check_output(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT
    )
    paths = [ROOT / name for name in listed.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]
