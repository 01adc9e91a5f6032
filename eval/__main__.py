"""`python -m eval`: the same as `groundwire eval`, with the same exit statuses, whatever happens."""

import sys
import traceback

import click

from eval.command import evaluate, silence_stdout
from index.errors import GroundwireError

_COULD_NOT_RUN = 2  # also for what nobody foresaw: Python's own 1 would say that a figure is below its gate


def main() -> None:
    """Run the command and leave with its exit status."""
    try:
        status = _status()
    except click.ClickException as error:
        error.show()
        status = _COULD_NOT_RUN
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. A run that was not finished is not kept.", err=True)
        status = _COULD_NOT_RUN
    except GroundwireError as error:
        click.echo(f"eval: {error}", err=True)
        status = _COULD_NOT_RUN
    except Exception:  # the edge, as in ui/cli.py, which nothing here may import
        traceback.print_exc()
        click.echo("eval: this is an error of the program; please report what stands above", err=True)
        status = _COULD_NOT_RUN
    sys.exit(status)


def _status() -> int:
    """Run the command; it has done enough when the reader of its output has gone, as `head` does.

    Not by `evaluate.main`, which would leave with status 1 where that reader has gone.
    """
    try:
        with evaluate.make_context("python -m eval", sys.argv[1:]) as context:
            return int(evaluate.invoke(context))
    except click.exceptions.Exit as stop:  # --help
        return stop.exit_code
    except BrokenPipeError:
        silence_stdout()
        return 0


if __name__ == "__main__":
    main()
