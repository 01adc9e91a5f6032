"""Commands that look things up: search, ask, chat; and the check of an answer that somebody else gave."""

import json
import sys
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

import click

from index.errors import GroundwireError, InputError
from ui.commands.options import REFUSED, as_json_option, json_text, width, with_filters, with_index, with_passages

if TYPE_CHECKING:
    from index.news_index import NewsIndex

__all__ = ["ask", "chat", "search", "verify_answer"]

_PASSAGES = "How many passages to retrieve at least: 3 times as many for a list or a table, twice for a toll."


@click.command(epilog="Example: groundwire search 'missiles for Kyiv' --since 2025-08-01 -k 5")
@click.argument("query")
@with_passages("How many passages to retrieve.")
@with_filters
@as_json_option
@with_index()
def search(index: "NewsIndex", query: str, as_json: bool, **filters: Any) -> int:  # noqa: ANN401 - those of with_filters
    """Find passages by meaning and by words."""
    from ui.show import show_hits

    hits = index.search(query, **filters)
    if as_json:
        click.echo(json_text({"query": query, "hits": [hit.to_json() for hit in hits]}))
    else:
        click.echo(show_hits(hits, width=width()) if hits else "Nothing found.")
    return 0 if hits else REFUSED


@click.command(epilog="Example: groundwire ask 'Who pledged what in Paris?' --as-of 2025-09-30")
@click.argument("question")
@with_passages(_PASSAGES)
@with_filters
@as_json_option
@with_index()
def ask(index: "NewsIndex", question: str, as_json: bool, **filters: Any) -> int:  # noqa: ANN401 - those of with_filters
    """Answer a question from the articles, or refuse and say why."""
    from rag.bot import NewsBot
    from ui.show import show_answer

    answer = NewsBot(index).ask(question, **filters)
    click.echo(json_text(answer.to_json()) if as_json else show_answer(answer, width=width()))
    return REFUSED if answer.refusal else 0


@click.command(epilog="Example: groundwire chat --source 'Paris Desk'")
@with_passages(_PASSAGES)
@with_filters
@as_json_option
@with_index()
def chat(index: "NewsIndex", as_json: bool, **filters: Any) -> int:  # noqa: ANN401 - those of with_filters
    """Ask question after question in the terminal; an empty line or Ctrl-D ends it. JSON is printed at the end."""
    from rag.bot import NewsBot
    from rag.history import Turn
    from ui.show import show_answer

    bot = NewsBot(index)
    turns: list[Turn] = []
    answers: list[dict[str, Any]] = []
    click.echo(f"{len(index.articles())} articles. Ask about them; an empty line ends the chat.", err=True)
    for question in _typed_questions():
        try:
            answer = bot.ask(question, history=turns, **filters)
        except GroundwireError as error:
            click.echo(f"groundwire: {error}", err=True)
            continue
        if as_json:
            answers.append(answer.to_json())
        else:
            click.echo(show_answer(answer, width=width()) + "\n")
        turns.append(Turn(question, answer.text))
    if as_json:
        click.echo(json_text({"answers": answers}))
    return 0


@click.command(epilog="Example: groundwire verify-answer answer.json")
@click.argument("file", type=click.File("rb"))
@as_json_option
def verify_answer(file: IO[bytes], as_json: bool) -> int:
    """Check an answer against the texts that it cites: FILE holds {"answer": ..., "texts": [...]}; - is stdin."""
    from rag.verify import verify_answer

    try:
        given = json.load(file)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file.name}: is not JSON ({error}); mend it") from error
    whole = isinstance(given, dict) and isinstance(given.get("answer"), dict) and isinstance(given.get("texts"), list)
    if not whole:
        raise InputError(f'{file.name}: write {{"answer": ..., "texts": [{{"article_id": ..., "text": ...}}]}}')
    checked = verify_answer(given["answer"], given["texts"])
    if as_json:
        click.echo(json_text(checked))
    else:
        for sentence in checked["sentences"]:
            click.echo(f"{sentence['support']}: {sentence['text']} ({'; '.join(sentence['reasons'])})")
        for rejected in checked["rejected"]:
            click.echo(f"rejected {rejected['mark']}: {rejected['reason']}")
    return REFUSED if checked["rejected"] or checked["status"] == "partial" else 0


def _typed_questions() -> Iterator[str]:
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    while True:
        try:
            question = input("> " if is_terminal else "").strip()
        except EOFError:
            return
        if not question:
            return
        yield question
