"""What the commands share: their options, the index that they work on, exit statuses, and how JSON is printed."""

import json
import shutil
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from eval.command import EmbedderOfSettings

if TYPE_CHECKING:
    from index.news_index import NewsIndex
    from ui.settings import Settings

__all__ = [
    "COULD_NOT_RUN",
    "REFUSED",
    "Environment",
    "as_json_option",
    "index_option",
    "json_text",
    "open_index",
    "width",
    "with_filters",
    "with_index",
    "with_passages",
]

REFUSED = 1
COULD_NOT_RUN = 2

Command = Callable[..., int | None]


class Environment(EmbedderOfSettings, Protocol):
    """What commands know of where they run; `ui.cli` alone reads and sets the environment, and hands this on."""

    def settings(self, index: Path | None = None) -> "Settings":
        """Return the settings that hold for an index folder, by default the user's."""

    def serve_offline(self, private: str) -> None:
        """Let nothing that a server loads connect anywhere; its files go to a folder."""


as_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
index_option = click.option(
    "--index", "folder", type=click.Path(path_type=Path), help="Index folder (GROUNDWIRE_INDEX)."
)


def with_index(create: bool = False) -> Callable[[Command], Callable[..., int | None]]:
    """Add `--index` and open that index around a command."""

    def decorate(command: Command) -> Callable[..., int | None]:
        @index_option
        @wraps(command)
        def run(folder: Path | None, *args: Any, **kwargs: Any) -> int | None:  # noqa: ANN401 - the command's own
            environment: Environment = click.get_current_context().obj
            with open_index(environment.settings(folder), create=create, model=kwargs.pop("model", None)) as index:
                return command(index, *args, **kwargs)

        return run

    return decorate


def open_index(settings: "Settings", *, create: bool, model: str | None = None) -> "NewsIndex":
    """Open the index of the settings; a new one is made with their model, an old one keeps what made it."""
    from index.fast_embed import embedder_for
    from index.news_index import NewsIndex
    from index.store import holds_store

    is_new = create and not holds_store(settings.index)
    chosen = model or (settings.model if is_new else None)
    embedder = embedder_for(chosen, precision=settings.precision, cache=settings.cache) if chosen else None
    return NewsIndex.open(settings.index, create=create, embedder=embedder, cache=settings.cache)


def with_filters(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """Add the filters that `ask`, `chat` and `search` share."""
    for option in (
        click.option("--as-of", metavar="DATE", help="Answer as if it were then: hide what appeared later."),
        click.option("--source", "sources", multiple=True, metavar="NAME", help="Only this source; repeatable."),
        click.option("--until", metavar="DATE", help="Only articles published on this day (UTC) or before."),
        click.option("--since", metavar="DATE", help="Only articles published on this day (UTC) or later."),
    ):
        command = option(command)
    return command


def with_passages(meaning: str) -> Callable[[Command], Command]:
    """Add `-k`, how many passages are retrieved, with what that means for a command."""
    return click.option("-k", default=8, show_default=True, metavar="N", help=meaning)


def json_text(value: object) -> str:
    """Return a value as JSON, indented."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def width() -> int:
    """Return how many columns an answer may take."""
    return min(100, shutil.get_terminal_size().columns)
