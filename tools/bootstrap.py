"""Makes `.venv` with the uv that `uv.lock` names: what `make` runs first, standard library only.

Written for older interpreters too, so that one of them can still print what is missing.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
OLDEST = (3, 11)
NOWHERE = subprocess.DEVNULL

TOO_OLD = """\
Python {}.{} or newer is needed, this one is {}.{}.
Name another one: make PYTHON=python3.12 setup"""
NO_VENV = """\
This Python cannot make virtual environments (module `ensurepip` is missing).
On Debian and Ubuntu: apt-get install python3-venv"""


def locked_uv_version() -> str:
    """Return the version of uv that `uv.lock` pins, for example "0.13.9"."""
    lock = (ROOT / "uv.lock").read_text()
    found = re.search(r'\[\[package\]\]\nname = "uv"\nversion = "([^"]+)"', lock)
    if found is None:
        sys.exit("uv.lock names no version of uv; run `uv lock`")
    return found.group(1)


def run(*command: object) -> None:
    """Run `command`, which must succeed."""
    subprocess.check_call([str(word) for word in command])  # noqa: S603  fixed commands only


def works(*command: object) -> bool:
    """Say whether `command` ends with 0; its output is dropped."""
    words = [str(word) for word in command]
    try:
        ended = subprocess.run(words, stdout=NOWHERE, stderr=NOWHERE, check=False)  # noqa: S603  fixed commands only
    except OSError:
        return False
    return ended.returncode == 0


def is_ready(version: str) -> bool:
    """Say whether the environment is alive and holds uv in `version`."""
    if not works(PYTHON, "-c", "import sys") or not works(UV, "--version"):
        return False
    printed = subprocess.check_output([str(UV), "--version"])  # noqa: S603  our own uv
    return printed.decode().split()[1] == version


def main() -> None:
    """Create the environment and put the locked uv into it; keep what is already right."""
    if sys.version_info < OLDEST:
        sys.exit(TOO_OLD.format(*(OLDEST + sys.version_info[:2])))
    version = locked_uv_version()
    if is_ready(version):
        return
    if works(sys.executable, "-c", "import ensurepip, venv"):
        run(sys.executable, "-m", "venv", VENV)
        pip = [str(PYTHON), "-m", "pip"]
    elif works(sys.executable, "-m", "venv", "--help") and works(sys.executable, "-m", "pip", "-V"):
        # Debian ships `venv` without `ensurepip`; where its pip is there, that pip will do.
        run(sys.executable, "-m", "venv", "--without-pip", VENV)
        pip = [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    else:
        sys.exit(NO_VENV)
    run(*pip, "install", "--quiet", f"uv=={version}")


if __name__ == "__main__":
    main()
