"""README, licence, versions and words."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from house_support import BIN, DISTRIBUTIONS, PLUGINS, ROOT, project_files
from target_kit import errors

README = (ROOT / "README.md").read_text(encoding="utf-8")
#: Spelled in pieces, so that this file may stand in the list of those that are searched.
FORBIDDEN = (
    " /wor" + "k/",
    '"/wor' + "k/",
    ".." + "/shared",
    "Claud" + "e",
    "Anthropi" + "c",
    "Copilo" + "t",
    "Chat" + "GPT",
    "co-authored" + "-by",
    "files.python" + "hosted",
    "pypi" + ".org",
)
BINARY_OR_GENERATED = {"uv.lock"}


def project_table(path: Path) -> dict[str, Any]:
    """The `[project]` table of a pyproject.toml."""
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    return table


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_each_distribution_introduces_itself(name: str) -> None:
    """README with more than a heading, licence, description, Python version."""
    table = project_table(ROOT / name / "pyproject.toml")
    assert table["license"] == "Apache-2.0"
    assert table["requires-python"] == ">=3.11"
    assert table["description"]
    readme = (ROOT / name / "README.md").read_text(encoding="utf-8")
    assert len(readme.split()) > 40


@pytest.mark.parametrize("name", PLUGINS)
def test_each_plugin_can_be_added_by_reference(name: str) -> None:
    """plugin.yaml names plugin, executable and how to install it."""
    loaded = yaml.safe_load((ROOT / name / "plugin.yaml").read_text(encoding="utf-8"))
    assert loaded["name"] == name
    assert loaded["executable"] in project_table(ROOT / name / "pyproject.toml")["scripts"]
    assert f"./{name}" in loaded["pip_url"]


def test_one_version_for_the_whole_house() -> None:
    """Root and distributions carry the same version."""
    paths = [ROOT / "pyproject.toml", *(ROOT / name / "pyproject.toml" for name in DISTRIBUTIONS)]
    assert len({project_table(path)["version"] for path in paths}) == 1


@pytest.mark.parametrize("name", PLUGINS)
def test_plugins_print_that_version(name: str) -> None:
    """`--version` says what pyproject.toml says."""
    printed = subprocess.check_output([BIN / name, "--version"], text=True)
    assert project_table(ROOT / "pyproject.toml")["version"] in printed


def test_the_changelog_has_a_place_for_the_next_change() -> None:
    """Keep-a-Changelog: Unreleased stands first."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)[0] == "Unreleased"


def test_the_licence_is_complete() -> None:
    """Apache 2.0 from its first line to its appendix."""
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_project_speaks_of_itself_alone() -> None:
    """No path of some machine, no registry host, no word about who typed it."""
    found = []
    for path in project_files():
        if path.name in BINARY_OR_GENERATED:
            continue
        text = path.read_text(encoding="utf-8", errors="replace").lower()
        found += [f"{path.relative_to(ROOT)}: {word}" for word in FORBIDDEN if word.lower() in text]
    assert found == []


def test_sample_addresses_belong_to_nobody() -> None:
    """Addresses in sources, samples and documents end in a domain reserved for examples."""
    address = re.compile(
        r"[\w.+-]+@((?:[a-z0-9-]+\.)+(?:com|org|net|de|io|eu|fr|at|ch))\b", re.IGNORECASE
    )
    reserved = re.compile(r"(^|\.)example\.(com|org|net)$", re.IGNORECASE)
    found = []
    for path in project_files():
        if path.name in BINARY_OR_GENERATED:
            continue
        text = re.sub(r"\w+://\S+", "", path.read_text(encoding="utf-8", errors="replace"))
        domains = address.findall(text)
        found += [f"{path.relative_to(ROOT)}: @{d}" for d in domains if not reserved.search(d)]
    assert found == []


def test_the_readme_lists_every_exit_code() -> None:
    """Each exit code that an error class carries has its line in the README."""
    classes = [c for c in vars(errors).values() if isinstance(c, type)]
    codes = {c.exit_code for c in classes if issubclass(c, errors.StopRun)}
    listed = {int(n) for n in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert codes <= listed


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_of_the_readme_lead_somewhere(link: str) -> None:
    """A relative link names a file of the project."""
    assert (ROOT / link).exists()


def test_plugin_environments_get_the_locked_versions() -> None:
    """constraints.txt is what uv.lock says; `make lock` writes both."""
    command = [
        BIN / "uv", "export", "--frozen", "--all-packages", "--no-emit-workspace", "--no-hashes",
        "--no-header", "--no-annotate", "--quiet",
    ]  # fmt: skip
    assert (ROOT / "constraints.txt").read_text() == subprocess.check_output(
        command, cwd=ROOT, text=True
    )


def test_ci_runs_exactly_make_check() -> None:
    """CI, pre-commit and a person at the keyboard run the same words."""
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("make check")
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    entries = [hook["entry"] for repo in hooks["repos"] for hook in repo["hooks"]]
    assert entries == ["make check"]
    printed = subprocess.check_output(["make", "--dry-run", "check"], cwd=ROOT, text=True)
    for word in ("ruff check", "ruff format --check", "mypy", "lint-imports", "pytest"):
        assert word in printed


def test_the_walk_through_the_house_names_what_exists() -> None:
    """Each file and function in docs/house.md is there."""
    text = (ROOT / "docs" / "house.md").read_text(encoding="utf-8")
    steps = re.findall(r"^\| [^|]+ \| `([^`]+\.py)` \| `(\w+)` \|", text, re.MULTILINE)
    assert len(steps) > 20
    missing = [
        f"{file}: {name}"
        for file, name in steps
        if not re.search(rf"\b(?:def|class) {name}\b", (ROOT / file).read_text(encoding="utf-8"))
    ]
    assert missing == []


def test_every_dependency_has_its_reason() -> None:
    """Each direct dependency of every distribution stands in the decision record."""
    reasons = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text(encoding="utf-8")
    loaded = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = list(loaded["dependency-groups"]["dev"])
    for name in DISTRIBUTIONS:
        table = project_table(ROOT / name / "pyproject.toml")
        wanted += table["dependencies"]
        for extra in table.get("optional-dependencies", {}).values():
            wanted += extra
    names = {re.split(r"[\[<>=~ ]", line)[0].lower() for line in wanted} - set(DISTRIBUTIONS)
    names -= {"api-simulators"} | {n for n in names if n.startswith("types-")}
    assert {n for n in names if n not in reasons.lower()} == set()


@pytest.mark.parametrize("vendor", ["activecampaign", "optimizely"])
def test_every_switch_of_the_vendors_document_exists(vendor: str) -> None:
    """docs/<vendor>.md names only switches that the simulator has."""
    text = (ROOT / "docs" / f"{vendor}.md").read_text(encoding="utf-8")
    folder = ROOT / "simulators" / "api_simulators" / vendor
    switches = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*switches.py"))
    named = re.findall(r"^\| [^|]+ \| `(\w+)` \| ", text, re.MULTILINE)
    assert len(named) > 10
    assert [name for name in named if f'"{name}"' not in switches] == []
