"""Makes `.venv` with the uv that `uv.lock` names: the first thing `make` runs, standard library only.

Written for old interpreters too, so that one of them can still print what is missing.
"""

from __future__ import print_function

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
OLDEST = (3, 11)


def locked_uv_version():
    """Return the version of uv that `uv.lock` pins, for example "0.13.9"."""
    with open(os.path.join(ROOT, "uv.lock")) as lock:
        found = re.search(r'\[\[package\]\]\nname = "uv"\nversion = "([^"]+)"', lock.read())
    if found is None:
        sys.exit("uv.lock names no version of uv; run `uv lock`")
    return found.group(1)


def works(*command):
    """Say whether `command` ends with 0; its output is dropped."""
    with open(os.devnull, "w") as nowhere:
        try:
            return subprocess.call(command, stdout=nowhere, stderr=nowhere) == 0  # noqa: S603  fixed commands
        except OSError:
            return False


def main():
    """Create the environment and put the locked uv into it; keep what is already right."""
    if sys.version_info < OLDEST:
        sys.exit(
            "Python %d.%d or newer is needed, this one is %d.%d.\n"
            "Name another one: make PYTHON=python3.12 setup" % (OLDEST + sys.version_info[:2])
        )
    uv = os.path.join(VENV, "bin", "uv")
    python = os.path.join(VENV, "bin", "python")
    wanted = locked_uv_version()
    if os.path.exists(uv) and works(python, "-c", "import sys"):
        have = subprocess.check_output([uv, "--version"]).decode().split()[1]  # noqa: S603  our own uv
        if have == wanted:
            return
    if works(sys.executable, "-c", "import ensurepip, venv"):
        subprocess.check_call([sys.executable, "-m", "venv", VENV])  # noqa: S603  fixed command
        pip = [python, "-m", "pip"]
    elif works(sys.executable, "-c", "import venv") and works(sys.executable, "-m", "pip", "--version"):
        # Debian ships `venv` without `ensurepip` unless python3-venv is installed; its pip will do.
        subprocess.check_call([sys.executable, "-m", "venv", "--without-pip", VENV])  # noqa: S603
        pip = [sys.executable, "-m", "pip", "--python", python]
    else:
        sys.exit(
            "This Python cannot make virtual environments (module `ensurepip` is missing).\n"
            "On Debian and Ubuntu: apt-get install python3-venv"
        )
    subprocess.check_call(pip + ["install", "--quiet", "uv==" + wanted])  # noqa: S603  version from the lock


if __name__ == "__main__":
    main()
