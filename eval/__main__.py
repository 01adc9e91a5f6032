"""`python -m eval`: the same as `groundwire eval`."""

import sys

import click

from eval.command import evaluate
from index.errors import GroundwireError


def main() -> None:
    """Run the command and leave with its exit status."""
    try:
        status = evaluate.main(prog_name="python -m eval", standalone_mode=False)
    except click.exceptions.Exit as stop:
        status = stop.exit_code
    except click.ClickException as error:
        error.show()
        status = 2
    except GroundwireError as error:
        click.echo(f"eval: {error}", err=True)
        status = 2
    sys.exit(status or 0)


if __name__ == "__main__":
    main()
