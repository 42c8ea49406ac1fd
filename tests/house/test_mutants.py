"""`make mutants`: finds what tests don't notice, and touches no file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from house_support import ROOT

MODULE = '''"""A module that decides."""

from enum import StrEnum


class Grade(StrEnum):
    """Lowest first."""

    LOW = "low"
    HIGH = "high"


TABLE = {True: Grade.HIGH, False: Grade.LOW}


def grade(points: int, bonus: bool) -> Grade:
    """From ten points on, or with a bonus."""
    points = max(points, 0)
    return TABLE[points >= 10 or bonus]
'''
STRONG = """import pytest
from shop.grades import Grade, grade


@pytest.mark.parametrize(("points", "bonus", "word"), [
    (9, False, "low"), (10, False, "high"), (11, False, "high"), (9, True, "high"),
])
def test_grade(points, bonus, word):
    assert grade(points, bonus) == word
    assert grade(points, bonus) in Grade


def test_order():
    assert list(Grade) == ["low", "high"]
"""
WEAK = """from shop.grades import grade


def test_grade():
    assert grade(11, False) == "high"
"""
CONFIG = """libraries = []
[modules]
"shop-dist/shop/grades.py" = ["tests/test_grades.py"]
"""
PRICES = """from shop.grades import Grade

PRICE = {Grade.HIGH: 2}
"""
PRICED = """from till.prices import PRICE


def test_price():
    assert sum(PRICE.values()) == 2
    assert len(PRICE) == 1
"""
#: What changes nothing in that module: who has less than no points has a low grade anyway.
HARMLESS = """
[[equivalent]]
module = "shop.grades"
mutation = "grade: points = max(points, 0) => points = max(points, *1)"
because = "less than ten is less than ten"
[[equivalent]]
module = "shop.grades"
mutation = "grade: points = max(points, 0) => points = points"
because = "less than ten is less than ten"
"""
ENDLESS = """
[[by_hand]]
module = "shop.grades"
says = "goes on for ever"
before = "    points = max(points, 0)"
after = "    while True: pass"
"""


def project(folder: Path, tests: str, config: str) -> Path:
    """A project of one module and its tests."""
    for name, text in {
        "shop-dist/shop/__init__.py": "",
        "shop-dist/shop/grades.py": MODULE,
        "tests/test_grades.py": tests,
        "tools/mutants.toml": config,
        "pyproject.toml": '[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib"]\n',
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def mutants(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the tool as `make mutants` does."""
    command = [sys.executable, "-m", "tools.mutants", *options]
    return subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file below a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_tests_that_state_the_behaviour_notice_every_change(tmp_path: Path) -> None:
    """Comparisons, tables, words, order: all killed; what can't matter is counted apart, and no
    file is touched.
    """
    root = project(tmp_path, STRONG, CONFIG + HARMLESS)
    before = contents(root)
    run = mutants("--root", str(root))
    assert run.returncode == 0, run.stdout
    assert contents(root) == before
    line = next(line for line in run.stdout.splitlines() if line.startswith("shop.grades"))
    _, total, killed, survived, timed_out, equivalent, share = line.split()
    assert (survived, timed_out, equivalent, share) == ("0", "0", "3", "100.0%")
    assert int(killed) + 3 == int(total) > 15


def test_a_change_that_goes_on_for_ever_is_ended_and_not_counted_as_killed(tmp_path: Path) -> None:
    """It is named, as nobody knows what the tests would have said."""
    root = project(tmp_path, STRONG, CONFIG + ENDLESS)
    run = mutants("--root", str(root), "--share", "0", "--patience", "2")
    assert run.returncode == 1
    assert "timed out: shop.grades: goes on for ever" in run.stdout


def test_a_change_that_no_test_notices_is_told(tmp_path: Path) -> None:
    """With its place and what it would be instead, and the run fails."""
    run = mutants("--root", str(project(tmp_path, WEAK, CONFIG + HARMLESS)))
    assert run.returncode == 1
    for change in (
        "module: …e: Grade.HIGH, False: Grade.LOW} => …e: Grade.HIGH, False: Grade.HIGH}",
        "grade: return TABLE[points >= 10 or bonus] => return TABLE[points > 10 or bonus]",
        "grade: return TABLE[points >= 10 or bonus] => return TABLE[points >= 10]",
        "Grade: LOW = 'low', HIGH = 'high' => HIGH = 'high', LOW = 'low'",
    ):
        assert f"survived: shop.grades: {change}" in run.stdout
    assert "less than 90% killed: shop.grades" in run.stdout


@pytest.mark.parametrize(
    ("mutation", "words"),
    [
        ("grade: nothing like this", "listed as equivalent, but no mutant"),
        ("grade: return * => return None", "listed as equivalent, but killed"),
    ],
)
def test_the_list_of_equivalent_changes_holds_nothing_else(
    tmp_path: Path, mutation: str, words: str
) -> None:
    """An entry that outlived its code, or hides what a test does notice, fails the run."""
    entry = f'[[equivalent]]\nmodule = "shop.grades"\nmutation = "{mutation}"\nbecause = "x"\n'
    root = project(tmp_path, STRONG, CONFIG + HARMLESS + entry)
    run = mutants("--root", str(root))
    assert run.returncode == 1
    assert f"{words}: shop.grades: {mutation}" in run.stdout


def test_tests_that_fail_anyway_prove_nothing(tmp_path: Path) -> None:
    """Otherwise every mutant would count as killed."""
    failing = "def test_grade():\n    assert False\n"
    run = mutants("--root", str(project(tmp_path, failing, CONFIG)))
    assert run.returncode == 1
    assert "shop.grades: its tests fail unchanged" in run.stdout


def test_what_is_chosen_is_changed_in_the_same_places(tmp_path: Path) -> None:
    """Words of another module's enumerations change places whether that one is chosen or not."""
    config = CONFIG + '"till-dist/till/prices.py" = ["tests/test_prices.py"]\n'
    root = project(tmp_path, STRONG, config)
    for name, text in {
        "till-dist/till/__init__.py": "",
        "till-dist/till/prices.py": PRICES,
        "tests/test_prices.py": PRICED,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    run = mutants("--root", str(root), "--only", "prices")
    assert run.returncode == 1
    change = "PRICE = {Grade.HIGH: 2} => PRICE = {Grade.LOW: 2}"
    assert f"survived: till.prices: module: {change}" in run.stdout
    assert "shop.grades" not in run.stdout


def test_the_firewall_and_todays_share_of_all_decisions_are_guarded() -> None:
    """X2: decide what was wished, leave out the join, take any evidence, any age, any list: some
    test fails each time, as for sixty changes anywhere, other ones each day; `make mutants` takes
    all.
    """
    run = mutants("--share", "60", "--workers", "2")
    print(run.stdout)
    assert run.returncode == 0, run.stdout
    line = next(line for line in run.stdout.splitlines() if line.startswith("all"))
    _, total, killed, survived, timed_out, equivalent, _ = line.split()
    assert (total, survived, timed_out) == ("65", "0", "0")
    assert int(killed) + int(equivalent) == 65
