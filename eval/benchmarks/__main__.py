"""``python -m eval.benchmarks [SUITE...] --data FOLDER``: run public sets, all of them without a name.

Exit status: 0 done, also where the files of a set are missing (it says so); 2 a set could not run (the others do).
"""

import json
import sys
from pathlib import Path

import click

from eval.benchmarks import SUITES, Options, table
from eval.benchmarks.options import PARTS
from index.errors import GroundwireError


@click.command(epilog="Example: python -m eval.benchmarks squad clapnq --data ~/public-sets --limit 300")
@click.argument("suites", nargs=-1, type=click.Choice(list(SUITES)), metavar="[SUITE...]")
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Folder with the sets' folders, or one's.")
@click.option("--part", type=click.Choice(PARTS), default="test", show_default=True, help="Which half of each set.")
@click.option("--limit", type=click.IntRange(min=1), help="Answer this many questions of each kind at most.")
@click.option("--seed", default=0, show_default=True, help="Which ones, where there is a limit.")
@click.option(
    "--chunks", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Judge the chunks of other chunkers too: JSON Lines with chunker, corpus, start, end (chunking only).",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON document a line.")
def run(
    suites: tuple[str, ...], data: Path, part: str, limit: int | None, seed: int, *, chunks: Path | None, as_json: bool
) -> None:
    """Run public sets whose files lie in a folder, each by its own rule."""
    if chunks and suites and "chunking" not in suites:
        raise click.UsageError("--chunks is judged by the set chunking alone; name it too, or leave --chunks out")
    failed = False
    for name in suites or SUITES:
        try:
            report = SUITES[name](Options(folder=data, part=part, limit=limit, seed=seed, chunks=chunks))
        except GroundwireError as error:
            failed = True
            click.echo(f"eval.benchmarks: {name}: {error}", err=True)
        else:
            click.echo(json.dumps(report.to_json(), ensure_ascii=False) if as_json else table(report) + "\n")
    if failed:
        sys.exit(2)


def main() -> None:
    """Run the command and leave with its exit status."""
    try:
        run.main(prog_name="python -m eval.benchmarks", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)


if __name__ == "__main__":
    main()
