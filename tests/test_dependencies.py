"""What the code imports is declared, and what is declared is explained and pinned."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

OURS = ("index", "rag", "ui", "eval")


@pytest.fixture(scope="module")
def project(checkout: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def normal(name: str) -> str:
    """Return the name of a distribution in the one form that counts (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirement: str) -> str:
    """Return the name that a requirement, or a line of constraints.txt, begins with."""
    found = re.match(r"[\w.-]+", requirement)
    assert found, requirement
    return normal(found[0])


def imported(path: Path) -> set[str]:
    """Return the top-level names that a file imports anywhere, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def declared(project: dict[str, Any]) -> set[str]:
    return {named(line) for line in project["dependencies"]}


def test_every_package_that_we_import_is_declared(project: dict[str, Any], checkout: Path) -> None:
    files = [path for folder in OURS for path in (checkout / folder).rglob("*.py")]
    shipped = [path for path in files if path.parent != checkout / "eval" / "fit"]  # a checkout alone has the fits
    names = set[str]().union(*map(imported, shipped)) - sys.stdlib_module_names - {*OURS}
    provided = packages_distributions()
    providers = {name: {normal(each) for each in provided.get(name, [name])} for name in names}
    assert {"numpy", "yaml"} <= names
    assert {name for name, by in providers.items() if not by & declared(project)} == set()


def test_every_declared_package_has_a_row_that_says_why(project: dict[str, Any], checkout: Path) -> None:
    text = (checkout / "docs" / "dependencies.md").read_text(encoding="utf-8")
    to_run, to_work = (
        {normal(name) for cell in re.findall(r"^\| ([\w., -]+?) \|", part, re.MULTILINE) for name in cell.split(", ")}
        - {"package"}
        for part in text.split("## To work on it")
    )
    assert to_run == declared(project)
    assert to_work == {named(line) for line in project["optional-dependencies"]["dev"]}


def test_every_declared_package_is_pinned(project: dict[str, Any], checkout: Path) -> None:
    lines = (checkout / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {named(line) for line in lines if line and not line.startswith("#")}
    wanted = declared(project) | {named(line) for line in project["optional-dependencies"]["dev"]}
    assert wanted - pinned == set()


def test_whoever_installs_us_as_a_guide_shows_gets_the_pinned_versions(checkout: Path) -> None:
    guides = [checkout / "README.md", checkout / "Dockerfile", *(checkout / "docs").glob("*.md")]
    lines = [line for path in guides for line in path.read_text(encoding="utf-8").splitlines() if "pip install" in line]
    ours = [line for line in lines if re.search(r"groundwire-\S*\.whl| \.( |$)", line)]
    assert len(ours) == 2
    assert [line for line in ours if "-c constraints.txt" not in line] == []
