"""Public sets by name: `groundwire eval squad --data FOLDER`."""

from pathlib import Path
from typing import Any

from eval.benchmarks import SUITES, Options, table
from index.embed import Embedder

__all__ = ["names", "run_public"]


def names() -> tuple[str, ...]:
    """Return the names of the public sets."""
    return tuple(SUITES)


def run_public(name: str, folder: Path, *, limit: int | None, embedder: Embedder | None) -> tuple[dict[str, Any], str]:
    """Run a public set over its files in a folder; return its JSON form and its table as text.

    Without `embedder`, the one that a new index takes.
    """
    report = SUITES[name](Options(folder=folder, limit=limit, embedder=embedder))
    return report.to_json(), table(report)
