"""Commands on the articles of an index: read them, list them, show one, delete one, and say what the index holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui.commands.options import COULD_NOT_RUN, as_json_option, json_text, with_index

if TYPE_CHECKING:
    from index.ingest import Progress
    from index.news_index import NewsIndex

__all__ = ["compact", "delete", "ingest", "list_articles", "show", "stats"]


@click.command(epilog="Example: groundwire ingest seeds/ story.md --meta source='Paris Desk'")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--meta", multiple=True, metavar="NAME=VALUE", help="Set a field of every article; repeatable.")
@click.option("--model", help="Model of a new index, of sentence-transformers: a folder, or a downloaded name.")
@as_json_option
@with_index(create=True)
def ingest(index: "NewsIndex", paths: tuple[Path, ...], meta: tuple[str, ...], as_json: bool) -> int:
    """Read articles from files and folders: plain text, Markdown, JSON, JSON Lines, CSV."""
    from ui.show import show_report

    fields_of_all = dict(_name_and_value(item) for item in meta)
    with _progress() as progress:
        report = index.ingest(list(paths), meta=fields_of_all, progress=progress)
    click.echo(json_text(report.to_json()) if as_json else show_report(report))
    return 0 if len(report.files) > report.totals["failed"] or not report.files else COULD_NOT_RUN


@click.command("list", epilog="Example: groundwire list --json")
@as_json_option
@with_index()
def list_articles(index: "NewsIndex", as_json: bool) -> int:
    """List the articles, newest first."""
    from ui.article_json import article_json
    from ui.show import show_articles

    articles = index.articles()
    if as_json:
        click.echo(json_text({"articles": [article_json(article, text=False) for article in articles]}))
    else:
        click.echo(show_articles(articles) if articles else "No articles yet; add some with `groundwire ingest PATH`.")
    return 0


@click.command(epilog="Example: groundwire show paris-coalition-summit")
@click.argument("article_id", metavar="ID")
@click.option("--revision", type=int, help="An earlier revision.")
@as_json_option
@with_index()
def show(index: "NewsIndex", article_id: str, revision: int | None, as_json: bool) -> int:
    """Show an article."""
    from ui.article_json import article_json
    from ui.show import show_article

    article = index.article(article_id, revision)
    click.echo(json_text(article_json(article, text=True)) if as_json else show_article(article))
    return 0


@click.command(epilog="Example: groundwire delete paris-coalition-summit")
@click.argument("article_id", metavar="ID")
@as_json_option
@with_index()
def delete(index: "NewsIndex", article_id: str, as_json: bool) -> int:
    """Delete an article with all its revisions, everywhere in the index."""
    from ui.feedback import Feedback

    index.delete(article_id)
    Feedback(index.folder).forget(article_id)
    click.echo(json_text({"deleted": article_id, **index.state()}) if as_json else f"Deleted {article_id}.")
    return 0


@click.command(epilog="Example: groundwire compact")
@as_json_option
@with_index()
def compact(index: "NewsIndex", as_json: bool) -> int:
    """Build the search files anew from the articles, in as few as can be; no result changes."""
    state = index.compact()
    click.echo(json_text(state) if as_json else f"Compacted: generation {state['generation']}.")
    return 0


@click.command(epilog="Example: groundwire stats --json")
@as_json_option
@with_index()
def stats(index: "NewsIndex", as_json: bool) -> int:
    """Say what the index holds and what it was made with."""
    from ui.show import show_stats

    figures = index.stats()
    click.echo(json_text(figures) if as_json else show_stats(figures))
    return 0


def _name_and_value(item: str) -> tuple[str, str]:
    name, sign, value = item.partition("=")
    if not sign or not name.strip():
        raise click.BadParameter(f"{item!r} is not NAME=VALUE, as in source='Paris Desk'", param_hint="--meta")
    return name.strip(), value


@contextmanager
def _progress() -> Iterator["Progress"]:
    """Count articles and passages on stderr; silent when that is no terminal."""
    from tqdm import tqdm

    bars: dict[str, tqdm[Any]] = {}

    def advance(what: str, more: int) -> None:
        if what not in bars:
            bars[what] = tqdm(desc=what, unit="", position=len(bars), leave=False, disable=None)
        bars[what].update(more)

    try:
        yield advance
    finally:
        for bar in bars.values():
            bar.close()
