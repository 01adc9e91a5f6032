"""What the fits share: how one ends, and lines of a Markdown table."""

import sys
from collections.abc import Callable, Sequence

from index.errors import GroundwireError

__all__ = ["run_fit", "table_head", "table_line"]


def run_fit(fit: Callable[[], None]) -> None:
    """Run a fit; where its data cannot be used, say why and leave with status 2, as after a wrong command line."""
    try:
        fit()
    except GroundwireError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def table_head(names: Sequence[str]) -> list[str]:
    """Return the two lines that a Markdown table begins with."""
    return [table_line(names), table_line(["---"] * len(names))]


def table_line(cells: Sequence[str]) -> str:
    """Return a row of a Markdown table."""
    return "| " + " | ".join(cells) + " |"
