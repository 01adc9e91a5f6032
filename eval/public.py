"""Public sets, where this installation has them: `groundwire eval squad --data FOLDER`."""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from index.errors import InputError

__all__ = ["names", "run_public"]


def names() -> tuple[str, ...]:
    """Return the names of the public sets."""
    return tuple(_suites())


def run_public(name: str, folder: Path | None, *, limit: int | None) -> tuple[dict[str, Any], str]:
    """Run a public set over its files in a folder; return its JSON form and its table as text."""
    if folder is None:
        raise InputError(f"{name} is a public set; name the folder that holds its files with --data FOLDER")
    options = import_module("eval.benchmarks.options").Options(folder=folder, limit=limit)
    report = _suites()[name](options)
    return report.to_json(), import_module("eval.benchmarks.report").table(report)


def _suites() -> Mapping[str, Callable[[Any], Any]]:
    if find_spec("eval.benchmarks") is None:
        return {}
    return dict(import_module("eval.benchmarks").SUITES)
