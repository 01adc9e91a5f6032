"""Every example in a docstring is true."""

import doctest
import importlib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
MODULES = sorted(
    ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")
    for package in ("index", "rag", "eval")
    for path in (CHECKOUT / package).rglob("*.py")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0


def test_there_are_examples() -> None:
    tests = doctest.DocTestFinder().find(importlib.import_module("index.fuse"))
    assert any(test.examples for test in tests)
