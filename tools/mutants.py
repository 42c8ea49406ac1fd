"""Changes deciding modules at one place at a time and sees whether a test fails: `make mutants`.

`tools/mutants.toml` names the modules, the tests that guard each, changes made by hand, and the
mutations that a reader found to change nothing. Prints a line a module and each mutant that no
test noticed.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import sys
import tempfile
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import CodeType
from typing import Any

from tools.mutant_runs import (
    KILLED,
    SURVIVED,
    TIMED_OUT,
    Guarded,
    Mutant,
    check_unchanged,
    keep_bytecode,
    load_libraries,
    take_copy,
    verdicts,
)
from tools.mutations import Mutation, enumerations, mutations

ROOT = Path(__file__).resolve().parent.parent
ENOUGH = 0.9  # of a module's mutants that is to be killed
EQUIVALENT = "equivalent"


def guarded(config: Mapping[str, Any], root: Path) -> list[Guarded]:
    """The modules of the configuration, below `root`."""
    return [
        Guarded(".".join(Path(path).with_suffix("").parts[1:]), root / path, tuple(tests))
        for path, tests in config["modules"].items()
    ]


def mutants(config: Mapping[str, Any], root: Path, only: str = "") -> list[Mutant]:
    """All mutants of the modules whose name holds `only`, module by module, those made by hand
    first.
    """
    enums: dict[str, tuple[str, ...]] = {}
    modules = guarded(config, root)
    for folder in {module.path.parent for module in modules}:
        for path in folder.glob("*.py"):
            enums |= enumerations(ast.parse(path.read_text(encoding="utf-8")))
    found: list[Mutant] = []
    for module in modules:
        if only not in module.name:
            continue
        source = module.path.read_text(encoding="utf-8")
        hand = [one for one in config.get("by_hand", ()) if one["module"] == module.name]
        found += [_made_by_hand(module, source, one) for one in hand]
        tree = ast.parse(source)
        found += [_mutated(module, tree, mutation) for mutation in mutations(tree, enums)]
    return found


def _made_by_hand(module: Guarded, source: str, one: Mapping[str, str]) -> Mutant:
    if source.count(one["before"]) != 1:
        sys.exit(f"{one['says']}: `before` is not there, or more than once")
    text = source.replace(one["before"], one["after"])
    return Mutant(module, one["says"], lambda: compile(text, module.path, "exec"), by_hand=True)


def _mutated(module: Guarded, tree: ast.Module, mutation: Mutation) -> Mutant:
    def code() -> CodeType:
        setattr(mutation.parent, mutation.field, mutation.value)
        return compile(ast.fix_missing_locations(tree), module.path, "exec")

    return Mutant(module, str(mutation), code)


def table(modules: Iterable[Guarded], counts: Mapping[str, Counter[str]]) -> str:
    """One line a module; the share leaves out what is equivalent."""
    lines = [f"{'module':40} mutants  killed  survived  timed out  equivalent   share"]
    lines += [
        f"{name:40} {one.total():7}  {one[KILLED]:6}  {one[SURVIVED]:8}  "
        f"{one[TIMED_OUT]:9}  {one[EQUIVALENT]:10}  {_share(one):6.1%}"
        for name in (*(module.name for module in modules), "all")
        if (one := counts[name]).total()
    ]
    return "\n".join(lines)


def _share(one: Counter[str]) -> float:
    return one[KILLED] / max(1, one.total() - one[EQUIVALENT])


def chosen_of(every: Sequence[Mutant], share: int | None, seed: str) -> list[Mutant]:
    """All, or a share drawn by the seed, and then still all that were made by hand."""
    if share is None:
        return list(every)
    drawn = [one for one in every if not one.by_hand]
    random.Random(seed).shuffle(drawn)  # noqa: S311 - nothing secret
    return [one for one in every if one.by_hand] + drawn[:share]


def judge(
    results: Iterable[tuple[Mutant, str]], reviewed: Sequence[str], every: Sequence[Mutant]
) -> tuple[defaultdict[str, Counter[str]], list[str]]:
    """Counts by module (and "all"), and what is wrong with single mutants or with `reviewed`: the
    texts of mutants that are equivalent, where `*` stands for anything.
    """
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    killed: set[str] = set()
    alive: set[str] = set()
    wrong: list[str] = []
    for mutant, verdict in results:
        (killed if verdict == KILLED else alive).add(str(mutant))
        known = verdict == SURVIVED and any(_fits(str(mutant), one) for one in reviewed)
        for name in (mutant.module.name, "all"):
            counts[name][EQUIVALENT if known else verdict] += 1
        if verdict != KILLED and not known:
            wrong.append(f"{verdict}: {mutant}")
    for one in reviewed:
        if not any(_fits(str(mutant), one) for mutant in every):
            wrong.append(f"listed as equivalent, but no mutant: {one}")
        elif not any(_fits(text, one) for text in alive) and any(_fits(t, one) for t in killed):
            wrong.append(f"listed as equivalent, but killed: {one}")
    return counts, sorted(wrong)


def _fits(text: str, pattern: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


def main() -> None:
    """Print the table and what is wrong; the exit code is 1 if anything is."""
    parser = argparse.ArgumentParser(prog="mutants")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of tools/mutants.toml")
    parser.add_argument("--only", default="", help="modules whose name holds this")
    parser.add_argument("--share", type=int, help="only so many, and all made by hand")
    parser.add_argument("--seed", default=f"{datetime.now(UTC):%Y-%m-%d}", help="which of them")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--patience", type=float, default=30, help="seconds until one hangs")
    args = parser.parse_args()
    config = tomllib.loads((args.root / "tools" / "mutants.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        take_copy(args.root, config["modules"], folder)
        load_libraries(config["libraries"])
        keep_bytecode(folder)
        modules = [one for one in guarded(config, folder) if args.only in one.name]
        every = mutants(config, folder, args.only)
        if args.share is not None:
            print(f"{args.share} of {len(every)} mutants, --seed {args.seed}", flush=True)
        check_unchanged(modules, folder)
        reviewed = [f"{one['module']}: {one['mutation']}" for one in config.get("equivalent", ())]
        reviewed = [one for one in reviewed if one.split(":")[0] in {m.name for m in modules}]
        chosen = chosen_of(every, args.share, args.seed)
        counts, wrong = judge(
            verdicts(chosen, args.workers, args.patience, folder), reviewed, every
        )
    print(table(modules, counts), flush=True)
    if args.share is None:
        low = (m.name for m in modules if _share(counts[m.name]) < ENOUGH)
        wrong += [f"less than {ENOUGH:.0%} killed: {name}" for name in low]
    if wrong:
        sys.exit("\n".join(["", *wrong]))


if __name__ == "__main__":
    main()
