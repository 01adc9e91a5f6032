"""The import names are plain words (index, rag, ui, eval, seeds): no other distribution may answer to them."""

from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

OURS = ("eval", "index", "rag", "seeds", "ui")


def folders_of(name: str) -> set[Path]:
    """Return every folder that `import name` would read from."""
    spec = find_spec(name)
    found = (spec and spec.submodule_search_locations) or ()
    # An editable install adds a marker that is no folder to the search path of a folder without __init__.py.
    return {Path(place).resolve() for place in found if Path(place).is_dir()}


@pytest.mark.parametrize("name", OURS)
def test_no_other_distribution_provides_the_name(name: str) -> None:
    providers = packages_distributions().get(name, [])
    assert {provider.lower() for provider in providers} <= {"groundwire"}


@pytest.mark.parametrize("name", OURS)
def test_the_name_stands_for_the_folder_of_this_checkout_alone(name: str, checkout: Path) -> None:
    assert folders_of(name) == {checkout / name}
