"""The `groundwire` command. Results go to stdout, talk to stderr, the exit status to machines.

Exit status: 0 done, answered, partly answered or ingested; 1 refused, nothing found, unknown id or below a gate; 2
could not run.
"""

import os
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eval.command import evaluate, silence_stdout
from index.errors import ArticleNotFoundError, GroundwireError
from ui.commands.articles import compact, delete, ingest, list_articles, show, stats
from ui.commands.options import COULD_NOT_RUN, REFUSED
from ui.commands.questions import ask, chat, search, verify_answer
from ui.commands.service import feedback, prepare, serve

if TYPE_CHECKING:
    from index.embed import Embedder
    from ui.settings import Settings

__all__ = ["main"]

_OFFLINE = {
    "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1",
}  # fmt: skip
_QUIET = {"TOKENIZERS_PARALLELISM": "false", "TRANSFORMERS_VERBOSITY": "error"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit status."""
    for name, value in {**_OFFLINE, **_QUIET}.items():  # libraries read these when they are imported, which is later
        os.environ.setdefault(name, value)
    try:
        status = groundwire.main(args=arguments, prog_name="groundwire", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = COULD_NOT_RUN
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. What was reported as ingested is kept.", err=True)
        status = COULD_NOT_RUN
    except ArticleNotFoundError as error:
        click.echo(f"groundwire: {error}", err=True)
        status = REFUSED
    except GroundwireError as error:
        click.echo(f"groundwire: {error}", err=True)
        status = COULD_NOT_RUN
    except Exception:  # the edge: the user gets the traceback and the status that says so
        traceback.print_exc()
        click.echo("groundwire: this is an error of the program; please report what stands above", err=True)
        status = COULD_NOT_RUN
    raise SystemExit(status or 0)


class _Groundwire(click.Group):
    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what the command returns
        """Run a command; it has done enough when the reader of its output has gone, as `head` does."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            silence_stdout()
            return 0


@click.group(
    cls=_Groundwire,
    commands=[
        ingest, list_articles, show, delete, compact, stats, search, ask, chat, verify_answer, serve, prepare, feedback,
        evaluate,
    ],
    context_settings={"help_option_names": ["-h", "--help"]}, epilog='Example: groundwire ask "Who pledged what?"',
)  # fmt: skip
@click.version_option(package_name="groundwire", prog_name="groundwire")
@click.pass_context
def groundwire(context: click.Context) -> None:
    """Ask about news articles: every sentence of an answer points at the exact words it rests on."""
    context.obj = _Environment()


class _Environment:
    """Read and set the environment for the commands: see `ui.commands.options.Environment`."""

    def settings(self, index: Path | None = None) -> "Settings":
        from ui.settings import load_settings

        return load_settings(os.environ, index=index)

    def embedder(self) -> "Embedder":
        from index.fast_embed import embedder_for

        settings = self.settings()
        return embedder_for(settings.model, precision=settings.precision, cache=settings.cache)

    def serve_offline(self, private: str) -> None:
        # Whatever the user's environment says: a server connects to nothing.
        os.environ.update(_OFFLINE, GRADIO_ANALYTICS_ENABLED="False", GRADIO_TEMP_DIR=private)
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # the questions share the cores; FAISS's threads wait in a loop


if __name__ == "__main__":
    main()
