"""The `groundwire` command. Results go to stdout, talk to stderr, the exit status to machines.

Exit status: 0 done, answered, partly answered or ingested; 1 refused, nothing found, unknown id or below a gate; 2
could not run.
"""

import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from eval.command import evaluate
from index.errors import ArticleNotFoundError, GroundwireError, InputError

if TYPE_CHECKING:
    from socket import socket

    from fastapi import FastAPI

    from index.embed import Embedder
    from index.ingest import Progress
    from index.news_index import NewsIndex
    from ui.settings import Settings

__all__ = ["main"]

_REFUSED = 1
_COULD_NOT_RUN = 2
_OFFLINE = {
    "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false", "TRANSFORMERS_VERBOSITY": "error",
}  # fmt: skip

_SERVE_OFFLINE = {  # whatever the user's environment says: a server connects to nothing
    "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1",
}  # fmt: skip

Command = Callable[..., int | None]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit status."""
    for name, value in _OFFLINE.items():  # libraries read these when they are imported, which is later
        os.environ.setdefault(name, value)
    try:
        status = groundwire.main(
            args=arguments, prog_name="groundwire", standalone_mode=False, obj=_embedder_of_settings
        )
    except click.exceptions.Exit as stop:
        status = stop.exit_code
    except click.ClickException as error:
        error.show()
        status = _COULD_NOT_RUN
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. What was reported as done is kept.", err=True)
        status = _COULD_NOT_RUN
    except ArticleNotFoundError as error:
        click.echo(f"groundwire: {error}", err=True)
        status = _REFUSED
    except GroundwireError as error:
        click.echo(f"groundwire: {error}", err=True)
        status = _COULD_NOT_RUN
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except Exception:  # the edge: the user gets the traceback and the status that says so
        traceback.print_exc()
        click.echo("groundwire: this is an error of the program; please report what stands above", err=True)
        status = _COULD_NOT_RUN
    raise SystemExit(status or 0)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]}, epilog='Example: groundwire ask "Who pledged what?"'
)
@click.version_option(package_name="groundwire", prog_name="groundwire")
def groundwire() -> None:
    """Ask about news articles: every sentence of an answer points at the exact words it rests on."""


def _with_index(create: bool = False) -> Callable[[Command], Callable[..., int | None]]:
    """Add `--index` and open that index around a command."""

    def decorate(command: Command) -> Callable[..., int | None]:
        @click.option("--index", "folder", type=click.Path(path_type=Path), help="Index folder (GROUNDWIRE_INDEX).")
        @wraps(command)
        def run(folder: Path | None, *args: Any, **kwargs: Any) -> int | None:  # noqa: ANN401 - the command's own
            with _opened(folder, create=create, model=kwargs.pop("model", None)) as index:
                return command(index, *args, **kwargs)

        return run

    return decorate


@contextmanager
def _opened(folder: Path | None, *, create: bool, model: str | None = None) -> Iterator["NewsIndex"]:
    from ui.settings import load_settings

    with _open(load_settings(os.environ, index=folder), create=create, model=model) as index:
        yield index


def _open(settings: "Settings", *, create: bool, model: str | None = None) -> "NewsIndex":
    """Open the index of the settings; a new one is made with their model, an old one keeps what made it."""
    from index.fast_embed import embedder_for
    from index.news_index import NewsIndex
    from index.store import holds_store

    is_new = create and not holds_store(settings.index)
    chosen = model or (settings.model if is_new else None)
    embedder = embedder_for(chosen, precision=settings.precision, cache=settings.cache) if chosen else None
    return NewsIndex.open(settings.index, create=create, embedder=embedder, cache=settings.cache)


def _with_filters(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """Add the filters that `ask`, `chat` and `search` share."""
    for option in (
        click.option("--as-of", metavar="DATE", help="Answer as if it were then: hide what appeared later."),
        click.option("--source", "sources", multiple=True, metavar="NAME", help="Only this source; repeatable."),
        click.option("--until", metavar="DATE", help="Only articles published on this day (UTC) or before."),
        click.option("--since", metavar="DATE", help="Only articles published on this day (UTC) or later."),
        click.option("-k", default=8, show_default=True, metavar="N", help="How many passages to retrieve."),
    ):
        command = option(command)
    return command


def _embedder_of_settings() -> "Embedder":
    """Return the embedder of a new index, for commands from below `ui` that make one."""
    from index.fast_embed import embedder_for
    from ui.settings import load_settings

    settings = load_settings(os.environ)
    return embedder_for(settings.model, precision=settings.precision, cache=settings.cache)


_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


@groundwire.command(epilog="Example: groundwire ingest seeds/ story.md --meta source='Paris Desk'")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--meta", multiple=True, metavar="NAME=VALUE", help="Set a field of every article; repeatable.")
@click.option("--model", help="Model of a new index, of sentence-transformers: a folder, or a downloaded name.")
@_as_json
@_with_index(create=True)
def ingest(index: "NewsIndex", paths: tuple[Path, ...], meta: tuple[str, ...], as_json: bool) -> int:
    """Read articles from files and folders: plain text, Markdown, JSON, JSON Lines, CSV."""
    from ui.show import show_report

    fields_of_all = dict(_name_and_value(item) for item in meta)
    with _progress() as progress:
        report = index.ingest(list(paths), meta=fields_of_all, progress=progress)
    click.echo(_json(report.to_json()) if as_json else show_report(report))
    return 0 if len(report.files) > report.totals["failed"] or not report.files else _COULD_NOT_RUN


@groundwire.command("list", epilog="Example: groundwire list --json")
@_as_json
@_with_index()
def list_articles(index: "NewsIndex", as_json: bool) -> int:
    """List the articles, newest first."""
    from ui.article_json import article_json
    from ui.show import show_articles

    articles = index.articles()
    if as_json:
        click.echo(_json({"articles": [article_json(article, text=False) for article in articles]}))
    else:
        click.echo(show_articles(articles) if articles else "No articles yet; add some with `groundwire ingest PATH`.")
    return 0


@groundwire.command(epilog="Example: groundwire show paris-coalition-summit")
@click.argument("article_id", metavar="ID")
@click.option("--revision", type=int, help="An earlier revision.")
@_as_json
@_with_index()
def show(index: "NewsIndex", article_id: str, revision: int | None, as_json: bool) -> int:
    """Show an article."""
    from ui.article_json import article_json
    from ui.show import show_article

    article = index.article(article_id, revision)
    click.echo(_json(article_json(article, text=True)) if as_json else show_article(article))
    return 0


@groundwire.command(epilog="Example: groundwire delete paris-coalition-summit")
@click.argument("article_id", metavar="ID")
@_as_json
@_with_index()
def delete(index: "NewsIndex", article_id: str, as_json: bool) -> int:
    """Delete an article with all its revisions, everywhere in the index."""
    from ui.feedback import Feedback

    index.delete(article_id)
    Feedback(index.folder).forget(article_id)
    click.echo(_json({"deleted": article_id, **index.state()}) if as_json else f"Deleted {article_id}.")
    return 0


@groundwire.command(epilog="Example: groundwire compact")
@_as_json
@_with_index()
def compact(index: "NewsIndex", as_json: bool) -> int:
    """Build the search files anew from the articles, in as few as can be; no result changes."""
    state = index.compact()
    click.echo(_json(state) if as_json else f"Compacted: generation {state['generation']}.")
    return 0


@groundwire.command(epilog="Example: groundwire search 'missiles for Kyiv' --since 2025-08-01 -k 5")
@click.argument("query")
@_with_filters
@_as_json
@_with_index()
def search(index: "NewsIndex", query: str, as_json: bool, **filters: Any) -> int:  # noqa: ANN401 - those of _with_filters
    """Find passages by meaning and by words."""
    from ui.show import show_hits

    hits = index.search(query, **filters)
    if as_json:
        click.echo(_json({"query": query, "hits": [hit.to_json() for hit in hits]}))
    else:
        click.echo(show_hits(hits, width=_width()) if hits else "Nothing found.")
    return 0 if hits else _REFUSED


@groundwire.command(epilog="Example: groundwire ask 'Who pledged what in Paris?' --as-of 2025-09-30")
@click.argument("question")
@_with_filters
@_as_json
@_with_index()
def ask(index: "NewsIndex", question: str, as_json: bool, **filters: Any) -> int:  # noqa: ANN401 - those of _with_filters
    """Answer a question from the articles, or refuse and say why."""
    from rag.bot import NewsBot
    from ui.show import show_answer

    answer = NewsBot(index).ask(question, **filters)
    click.echo(_json(answer.to_json()) if as_json else show_answer(answer, width=_width()))
    return _REFUSED if answer.refusal else 0


@groundwire.command(epilog="Example: groundwire chat --source 'Paris Desk'")
@_with_filters
@_as_json
@_with_index()
def chat(index: "NewsIndex", as_json: bool, **filters: Any) -> int:  # noqa: ANN401 - those of _with_filters
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
            click.echo(show_answer(answer, width=_width()) + "\n")
        turns.append(Turn(question, answer.text))
    if as_json:
        click.echo(_json({"answers": answers}))
    return 0


@groundwire.command(epilog="Example: groundwire serve --port 8080 --allow-writes")
@click.option("--index", "folder", type=click.Path(path_type=Path), help="Index folder (GROUNDWIRE_INDEX).")
@click.option("--host", help="Address to listen on; any but this machine's own needs a token.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port; without it 7860, or the next free one.")
@click.option("--token", help="What a caller has to show; better set as GROUNDWIRE_TOKEN, which `ps` does not list.")
@click.option("--no-page", is_flag=True, help="Serve the HTTP API alone, without the chat page.")
@click.option("--allow-writes", is_flag=True, help="Let callers add and delete articles.")
def serve(folder: Path | None, no_page: bool, allow_writes: bool, **given: Any) -> int:  # noqa: ANN401 - its options
    """Serve the chat page and the HTTP API until Ctrl-C."""
    from tempfile import TemporaryDirectory

    from ui.serving import bind, checked
    from ui.settings import load_settings

    settings = load_settings(os.environ, index=folder)
    chosen = {name: value for name, value in given.items() if value is not None}
    chosen |= {"page": settings.serve.page and not no_page, "allow_writes": settings.serve.allow_writes or allow_writes}
    serve_settings = checked(replace(settings.serve, **chosen))
    with TemporaryDirectory(prefix="groundwire-serve-") as private, bind(serve_settings) as listening:
        os.environ.update(_SERVE_OFFLINE, GRADIO_TEMP_DIR=private)
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # the questions share the cores; FAISS's threads wait in a loop
        _serve(replace(settings, index=settings.index.absolute(), serve=serve_settings), listening)
    click.echo("Stopped.", err=True)
    return 0


def _serve(settings: "Settings", listening: "socket") -> None:
    from ui.engine import Engine
    from ui.service import create_app
    from ui.serving import address_of, run

    serve = settings.serve
    index = _open(settings, create=serve.allow_writes)
    engine = Engine(lambda: index, settings=serve)
    app: FastAPI = create_app(engine)
    if serve.page:
        from eval.run import runs_folder
        from ui.page import mount_page
        from ui.report_page import add_report_page

        add_report_page(app, runs_folder())
        app = mount_page(app, engine)
    click.echo(f"Groundwire answers at {address_of(listening, serve)} (Ctrl-C stops it)")
    run(app, listening, serve)


@groundwire.command(epilog="Example: groundwire verify-answer answer.json")
@click.argument("file", type=click.File("rb"))
@_as_json
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
        click.echo(_json(checked))
    else:
        for sentence in checked["sentences"]:
            click.echo(f"{sentence['support']}: {sentence['text']} ({'; '.join(sentence['reasons'])})")
        for rejected in checked["rejected"]:
            click.echo(f"rejected {rejected['mark']}: {rejected['reason']}")
    return _REFUSED if checked["rejected"] or checked["status"] == "partial" else 0


@groundwire.command(epilog="Example: groundwire stats --json")
@_as_json
@_with_index()
def stats(index: "NewsIndex", as_json: bool) -> int:
    """Say what the index holds and what it was made with."""
    from ui.show import show_stats

    figures = index.stats()
    click.echo(_json(figures) if as_json else show_stats(figures))
    return 0


@groundwire.command(epilog="Example: groundwire prepare")
def prepare() -> None:
    """Prepare the models for this machine now; else the first command that needs them does."""
    from index.embed import check_bundled_model
    from index.fast_embed import FastEmbedder, embedder_for
    from rag.reader import TrainedReader
    from ui.settings import load_settings

    settings = load_settings(os.environ)
    check_bundled_model()
    embedder = embedder_for(settings.model, precision=settings.precision, cache=settings.cache)
    if isinstance(embedder, FastEmbedder):
        click.echo(embedder.prepare())
        click.echo(TrainedReader(settings.cache).prepare())
    else:
        click.echo("Nothing to prepare: float32 runs as it is.", err=True)


groundwire.add_command(evaluate)


@groundwire.command(epilog="Example: groundwire feedback --to-cases my-cases.jsonl")
@click.option("--index", "folder", type=click.Path(path_type=Path), help="Index folder (GROUNDWIRE_INDEX).")
@click.option("--to-cases", type=click.Path(path_type=Path), help="Append a draft case for each to this file.")
@_as_json
def feedback(folder: Path | None, to_cases: Path | None, as_json: bool) -> int:
    """List what readers said of answers, and make draft cases for `groundwire eval` of it."""
    from eval.feedback import feedback_json, read_feedback, show_feedback, write_drafts
    from ui.settings import load_settings

    found, unread = read_feedback(load_settings(os.environ, index=folder).index / "feedback.jsonl")
    click.echo(_json(feedback_json(found, unread)) if as_json else show_feedback(found))
    for line in unread:
        click.echo(f"left out: {line}", err=True)
    if to_cases:
        added = write_drafts(found, to_cases)
        click.echo(f"{added} new draft cases in {to_cases}; fill them in and remove `draft` from each", err=True)
    return 0


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


def _name_and_value(item: str) -> tuple[str, str]:
    name, sign, value = item.partition("=")
    if not sign or not name.strip():
        raise click.BadParameter(f"{item!r} is not NAME=VALUE, as in source='Paris Desk'", param_hint="--meta")
    return name.strip(), value


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _width() -> int:
    return min(100, shutil.get_terminal_size().columns)


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


if __name__ == "__main__":
    main()
