"""Prints which requirement of `docs/requirements.md` is proven by which test: `make requirements`.

A test covers a number when its docstring names it (`S0-24`). Only docstrings of test functions
and test classes count: a number in a comment, a helper or a module proves nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LISTED = re.compile(r"^- \*\*(S\d-(?:SR|LC)?\d+|X\d)\*\* (.+)$", re.MULTILINE)
NAMED = re.compile(r"(?<![\w-])(S\d-(?:SR|LC)?\d+|X\d)(?![\w-])")
IN_FORCE = ("S0-", "S1-", "S2-", "S4-", "X")
OPEN_ROW = re.compile(r"^\| ((?:S\d-\d+|X\d)(?:, (?:S\d-\d+|X\d))*) \| (.+) \|$", re.MULTILINE)


def listed(text: str) -> dict[str, str]:
    """Return number → wording from the text of `docs/requirements.md`, in its order."""
    return dict(LISTED.findall(text))


def admitted(text: str) -> dict[str, str]:
    """Return number → reason of what the document says is open."""
    return {n: why for numbers, why in OPEN_ROW.findall(text) for n in numbers.split(", ")}


def named_by_tests(folder: Path) -> dict[str, list[str]]:
    """Return number → tests (`file::name`) whose docstring names it, from all of `folder`."""
    covered: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name, docstring in _tests(tree):
            for number in sorted(set(NAMED.findall(docstring))):
                test = f"{path.relative_to(folder.parent).as_posix()}::{name}"
                covered.setdefault(number, []).append(test)
    return covered


def _tests(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield name and docstring of every test, in classes too."""
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    for node in tree.body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for test in inside:
            if isinstance(test, functions) and test.name.startswith("test"):
                yield prefix + test.name, ast.get_docstring(test) or ""


def open_numbers(wording: Mapping[str, str], covered: Mapping[str, list[str]]) -> list[str]:
    """Numbers in force that no test names, in the order of the document."""
    return [n for n in wording if n.startswith(IN_FORCE) and n not in covered]


def _print(
    wording: Mapping[str, str], covered: Mapping[str, list[str]], why: Mapping[str, str]
) -> None:
    for number, text in wording.items():
        if not number.startswith(IN_FORCE) and number not in covered:
            continue
        print(f"{number:6} {'covered' if number in covered else 'OPEN   '}  {text}")
        for test in covered.get(number, []):
            print(f"       - {test}")
    in_force = [n for n in wording if n.startswith(IN_FORCE)]
    missing = open_numbers(wording, covered)
    print(
        f"\n{len(in_force) - len(missing)} of {len(in_force)} requirements in force are covered",
        end="",
    )
    print(f" ({len(wording) - len(in_force)} more are planned).")
    for number in missing:
        print(f"open: {number:6} {why.get(number, 'NOBODY SAID WHY')}")
    if unknown := sorted(set(covered) - set(wording)):
        print("named by tests, but not in docs/requirements.md: " + " ".join(unknown))


def main() -> None:
    """Print the table; the tests in `tests/house` say which numbers must be covered."""
    text = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
    _print(listed(text), named_by_tests(ROOT / "tests"), admitted(text))


if __name__ == "__main__":
    main()
