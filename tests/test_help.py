"""Help comes without what makes starts slow, and every command shows an example that it would take."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.test_layers import HEAVY, modules_after
from ui.cli import groundwire


def example_of(*command: str) -> list[str]:
    """Return the words behind `groundwire` in the example that --help ends with."""
    shown = " ".join(CliRunner().invoke(groundwire, [*command, "--help"]).output.split())
    found = re.search(r"Example: groundwire (.+)$", shown)
    assert found, shown
    return shlex.split(found[1])


@pytest.mark.usefixtures("_in_an_empty_folder")
@pytest.mark.parametrize("name", sorted(groundwire.commands))
def test_every_command_shows_an_example_that_it_takes(name: str) -> None:
    Path("answer.json").touch()
    words = example_of(name)
    assert words[0] == name
    groundwire.commands[name].make_context(name, words[1:]).close()


def test_the_command_shows_an_example_of_itself() -> None:
    assert example_of()[0] in groundwire.commands


def test_help_loads_no_model_library_and_no_page(tmp_path: Path) -> None:
    helped = "import click; from ui.cli import groundwire; groundwire.get_help(click.Context(groundwire))"
    loaded = modules_after(helped, home=tmp_path)
    assert loaded & (HEAVY | {"faiss", "fastapi", "tantivy"}) == set()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("search", "How many passages to retrieve. [default: 8]"),
        ("ask", "at least: 3 times as many for a list or a table, twice for a toll. [default: 8]"),
        ("chat", "at least: 3 times as many for a list or a table, twice for a toll. [default: 8]"),
    ],
)
def test_help_says_how_many_passages_are_looked_at(name: str, told: str) -> None:
    assert told in " ".join(CliRunner().invoke(groundwire, [name, "--help"]).output.split())
