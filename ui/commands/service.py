"""Commands for who runs a service: serve, prepare the models, and read what was said of answers."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui.commands.options import Environment, as_json_option, index_option, json_text, open_index

if TYPE_CHECKING:
    from socket import socket

    from fastapi import FastAPI

    from ui.settings import Settings

__all__ = ["feedback", "prepare", "serve"]


@click.command(epilog="Example: groundwire serve --port 8080 --allow-writes")
@index_option
@click.option("--host", help="Address to listen on; any but this machine's own needs a token.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port; without it 7860, or the next free one.")
@click.option("--token", help="What a caller has to show; better set as GROUNDWIRE_TOKEN, which `ps` does not list.")
@click.option("--no-page", is_flag=True, help="Serve the HTTP API alone, without the chat page.")
@click.option("--allow-writes", is_flag=True, help="Let callers add and delete articles.")
@click.pass_obj
def serve(
    environment: Environment, /, folder: Path | None, no_page: bool, allow_writes: bool,
    **given: Any,  # noqa: ANN401 - its options
) -> int:  # fmt: skip
    """Serve the chat page and the HTTP API until Ctrl-C."""
    from tempfile import TemporaryDirectory

    from ui.serving import bind, checked

    settings = environment.settings(folder)
    chosen = {name: value for name, value in given.items() if value is not None}
    chosen |= {"page": settings.serve.page and not no_page, "allow_writes": settings.serve.allow_writes or allow_writes}
    serve_settings = checked(replace(settings.serve, **chosen))
    with TemporaryDirectory(prefix="groundwire-serve-") as private, bind(serve_settings) as listening:
        environment.serve_offline(private)
        _serve(replace(settings, index=settings.index.absolute(), serve=serve_settings), listening)
    click.echo("Stopped.", err=True)
    return 0


def _serve(settings: "Settings", listening: "socket") -> None:
    from ui.engine import Engine
    from ui.service import create_app
    from ui.serving import address_of, run

    serve = settings.serve
    index = open_index(settings, create=serve.allow_writes)
    engine = Engine(lambda: index, settings=serve)
    app: FastAPI = create_app(engine)
    if serve.page:
        from eval.run import runs_folder
        from ui.page import mount_page

        app = mount_page(app, engine, runs=runs_folder())
    click.echo(f"Groundwire answers at {address_of(listening, serve)} (Ctrl-C stops it)")
    run(app, listening, serve)


@click.command(epilog="Example: groundwire prepare")
@click.pass_obj
def prepare(environment: Environment) -> None:
    """Prepare the models for this machine now; else the first command that needs them does."""
    from index.embed import check_bundled_model
    from index.fast_embed import FastEmbedder
    from rag.reader import TrainedReader

    check_bundled_model()
    embedder = environment.embedder()
    if isinstance(embedder, FastEmbedder):
        click.echo(embedder.prepare())
        click.echo(TrainedReader(environment.settings().cache).prepare())
    else:
        click.echo("Nothing to prepare: float32 runs as it is.", err=True)


@click.command(epilog="Example: groundwire feedback --to-cases my-cases.jsonl")
@index_option
@click.option("--to-cases", type=click.Path(path_type=Path), help="Append a draft case for each to this file.")
@as_json_option
@click.pass_obj
def feedback(environment: Environment, folder: Path | None, to_cases: Path | None, as_json: bool) -> int:
    """List what readers said of answers, and make draft cases for `groundwire eval` of it."""
    from eval.feedback import feedback_json, read_feedback, show_feedback, write_drafts
    from ui.feedback import FEEDBACK_NAME

    found, unread = read_feedback(environment.settings(folder).index / FEEDBACK_NAME)
    click.echo(json_text(feedback_json(found, unread)) if as_json else show_feedback(found))
    for line in unread:
        click.echo(f"left out: {line}", err=True)
    if to_cases:
        added = write_drafts(found, to_cases)
        click.echo(f"{added} new draft cases in {to_cases}; fill them in and remove `draft` from each", err=True)
    return 0
