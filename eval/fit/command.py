"""What the fits share: how one ends, the sets that the command line names, and lines of a Markdown table."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from eval.fit.retrieval_sets import RetrievalSet, load_sets
from index.embed import BUNDLED_MODEL, Embedder
from index.errors import GroundwireError
from index.fast_embed import embedder_for

__all__ = ["chosen_sets", "run_fit", "table_head", "table_line"]


def run_fit(fit: Callable[[], None]) -> None:
    """Run a fit; where its data cannot be used, say why and leave with status 2, as after a wrong command line."""
    try:
        fit()
    except GroundwireError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def chosen_sets(purpose: str | None, names: Sequence[str]) -> tuple[list[RetrievalSet], Embedder]:
    """Return the own cases and the named sets of the folder that ``--data`` names; print what is missing of them."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--data", required=True, type=Path, help="folder with the public sets' folders")
    folder = parser.parse_args().data
    embedder = embedder_for(BUNDLED_MODEL, precision="int8")
    sets = []
    for data in load_sets(folder, embedder, names):
        if isinstance(data, RetrievalSet):
            sets.append(data)
        else:
            print(data)
    return sets, embedder


def table_head(names: Sequence[str]) -> list[str]:
    """Return the two lines that a Markdown table begins with."""
    return [table_line(names), table_line(["---"] * len(names))]


def table_line(cells: Sequence[str]) -> str:
    """Return a row of a Markdown table."""
    return "| " + " | ".join(cells) + " |"
