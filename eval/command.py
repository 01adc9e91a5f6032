"""`groundwire eval`, and `python -m eval`: score cases, print the table, keep the run.

Exit status: 0 done; 1 below a gate; 2 could not run.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Protocol

import click
from click.core import ParameterSource

from index.errors import GroundwireError, InputError

if TYPE_CHECKING:
    from eval.gates import Gates, Miss
    from eval.run import Setup
    from eval.suites import Suite
    from index.embed import Embedder

__all__ = ["EmbedderOfSettings", "evaluate", "silence_stdout"]

_BELOW_A_GATE = 1
_COULD_NOT_RUN = 2

_FOR_PUBLIC_SETS = ("data", "limit")
_FOR_BOTH = ("suites", "as_json")
_FOR_OUR_BOT = ("k", "writer")
_FOR_A_SERVER = ("model", "token_file")

_WRITTEN = ParameterSource.COMMANDLINE
_PATH = click.Path(path_type=Path)


class EmbedderOfSettings(Protocol):
    """What makes the embedder that the user's settings name, where the command is run as `groundwire eval`."""

    def embedder(self) -> "Embedder":
        """Return the embedder of a new index."""


@click.command(
    "eval", epilog="Example: groundwire eval my-cases.jsonl --articles stories/ --answers answers.jsonl --html"
)
@click.argument("suites", nargs=-1, metavar="[FILE|SUITE...]")
@click.option("--articles", multiple=True, type=_PATH, help="Articles of a FILE of cases; repeatable.")
@click.option("--index", "index_folder", type=_PATH, help="Use this index in place of a fresh temporary one.")
@click.option("--answers", type=_PATH, help="Score the answers in this file: our JSON shape or OpenAI's.")
@click.option(
    "--url", help="Score the system at this address: http://HOST:PORT, or http://HOST:PORT/v1 for OpenAI's dialect."
)
@click.option("--token-file", type=_PATH, help="File with the token that --url wants.")
@click.option(
    "--writer", type=click.Choice(["quoter"]), default="quoter", show_default=True, help="Who writes our answers."
)
@click.option(
    "--model", help="Language model that --url is asked for, in OpenAI's dialect [default: the only one that it lists]."
)
@click.option("-k", default=8, show_default=True, metavar="N", help="How many passages to retrieve.")
@click.option("--gate", "gate", type=_PATH, help="TOML file with the least each metric may be; exit 1 below it.")
@click.option("--write-gates", type=_PATH, help="Write a file for --gate from today's numbers.")
@click.option("--compare", "compare", type=_PATH, help="An earlier run file to compare with, case by case.")
@click.option("--data", type=_PATH, help="Folder with the files of a public set.")
@click.option("--limit", type=click.IntRange(min=1), help="Of a public set, answer this many questions at most.")
@click.option("--runs", type=_PATH, help="Folder for the run file [default: the user's data folder].")
@click.option("--failures", default=20, show_default=True, metavar="N", help="How many failures to print.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--html", "as_html", is_flag=True, help="Write a report beside the run file.")
@click.pass_obj
def evaluate(
    environment: EmbedderOfSettings | None,
    /,
    suites: tuple[str, ...],
    data: Path | None,
    limit: int | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - those above
) -> int:
    """Score answers against cases: our own, yours, or a public set.

    Without arguments: our own cases over a fresh index of the sample articles. SUITE is dev, test or unseen, or the
    name of a public set with --data.
    """
    from eval.public import names

    public = [name for name in suites if name in names()]
    if not public:
        if unused := _given(lambda name: name in _FOR_PUBLIC_SETS):
            named = ", ".join(suites) or "our own suites"
            raise InputError(f"{unused} is for public sets; leave it out with {named}")
        return _cases(suites, as_json=as_json, environment=environment, **options)
    if len(public) < len(suites):
        raise InputError(f"{', '.join(public)} cannot be mixed with other suites; score them in a call of their own")
    if unused := _given(lambda name: name not in (*_FOR_PUBLIC_SETS, *_FOR_BOTH)):
        raise InputError(f"{unused} is for suites of cases; leave it out with {', '.join(public)}")
    embedder = environment.embedder() if environment else None
    return _public(public, data, limit=limit, embedder=embedder, as_json=as_json)


def _public(
    names: Sequence[str], data: Path | None, *, limit: int | None, embedder: "Embedder | None", as_json: bool
) -> int:
    """Run public sets. One that cannot run is said; one whose files are missing says so itself; the others run."""
    from eval.public import run_public

    if data is None:
        raise InputError(f"{', '.join(names)}: a public set needs its files; name their folder with --data FOLDER")
    found = []
    for name in names:
        try:
            found.append(run_public(name, data, limit=limit, embedder=embedder))
        except GroundwireError as error:
            click.echo(f"groundwire: {name}: {error}", err=True)
    documents = [document for document, _ in found]
    if as_json and len(names) > 1:
        _print(_json(documents))
    elif found:
        _print(_json(documents[0]) if as_json else "\n\n".join(text for _, text in found))
    return 0 if len(found) == len(names) else _COULD_NOT_RUN


def _given(chosen: Callable[[str], bool]) -> str | None:
    """Return the first option that is chosen by its name and stands on the command line, as it is written there."""
    context = click.get_current_context()
    written = (
        parameter.opts[0]
        for parameter in context.command.params
        if chosen(parameter.name or "") and context.get_parameter_source(parameter.name or "") is _WRITTEN
    )
    return next(written, None)


def _cases(suites: Sequence[str], *, as_json: bool, **options: Any) -> int:  # noqa: ANN401 - those of the command
    """Score suites of cases."""
    from eval.compare import compare_runs
    from eval.gates import misses, read_gates
    from eval.run import read_run, run
    from eval.suites import find_suites

    # What the user named is read and checked first: a typing error must not cost a whole run.
    _check_options(suites, options)
    earlier = read_run(options["compare"]) if options["compare"] else None
    gates = read_gates(options["gate"]) if options["gate"] else None
    chosen = find_suites(suites, articles=options["articles"], indexed=options["index_folder"] is not None)
    _check_fit(chosen, earlier=earlier, gates=gates)
    _check_targets(options["runs"], options["write_gates"])
    setup = _setup(options)
    with _progress() as progress, _index(options["index_folder"]) as index:
        document = run(chosen, setup, started=datetime.now(UTC), index=index, progress=progress)
    try:
        comparison = compare_runs(earlier, document) if earlier else None
        missed = misses(document, gates) if gates is not None else None
        _print(
            _run_json(document, comparison, missed) if as_json
            else _tables(document, comparison, failures=options["failures"])
        )  # fmt: skip
    finally:  # what was scored is kept whatever fails above, and was shown before, because keeping it may fail too
        kept = _keep(document, options["runs"])
    if options["as_html"]:
        _report(document, comparison, earlier, beside=kept)
    if options["write_gates"]:
        _write_gates(document, options["write_gates"])
    if options["runs"] is None:
        click.echo("`groundwire serve` lists it at /reports", err=True)
    for miss in missed or ():
        click.echo(f"below the gate: {miss}", err=True)
    if all(case["answer"] is None for case in document["cases"]):
        click.echo(f"no case was answered: {document['cases'][0]['error']}", err=True)
        return _COULD_NOT_RUN
    return _BELOW_A_GATE if missed else 0


def _print(text: str) -> None:
    """Print a text; a reader who has gone, as `head` does, changes nothing of what follows, nor of the status."""
    try:
        click.echo(text)
    except BrokenPipeError:
        silence_stdout()


def silence_stdout() -> None:
    """Let what is printed from here on go nowhere: its reader has gone, and Python would fail at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _check_options(suites: Sequence[str], options: Mapping[str, Any]) -> None:
    """Raise `InputError` for options of the command line that mean nothing beside the others."""
    from eval.suites import OWN

    if options["answers"] and options["url"]:
        raise InputError("--answers and --url name two systems; score one at a time, then use --compare")
    other = "--answers" if options["answers"] else "--url" if options["url"] else None
    if other and (unused := _given(lambda name: name in _FOR_OUR_BOT)):
        raise InputError(f"{unused} is for our own bot; leave it out with {other}")
    if not options["url"] and (unused := _given(lambda name: name in _FOR_A_SERVER)):
        raise InputError(f"{unused} is for a server at --url; leave it out with {other or 'our own bot'}")
    if options["articles"] and options["index_folder"]:
        raise InputError("--articles is for a fresh index; leave it out with --index")
    if options["articles"] and set(suites) <= set(OWN):
        raise InputError(
            f"--articles is for a FILE of cases; leave it out with {', '.join(suites) or 'our own suites'}"
        )


def _check_fit(suites: "Sequence[Suite]", *, earlier: Mapping[str, Any] | None, gates: "Gates | None") -> None:
    """Raise `InputError` where the suites share no case with the earlier run, or no suite with the gates."""
    from eval.cases import ids_of
    from eval.compare import check_shared
    from eval.gates import check_gates

    if earlier is not None:
        check_shared(earlier, [(suite.name, case_id) for suite in suites for case_id in ids_of(suite.cases)])
    if gates is not None:
        check_gates(gates, [suite.name for suite in suites])


def _check_targets(runs: Path | None, gates: Path | None) -> None:
    """Raise `InputError` where the run file or the gates cannot be written; the folder of runs is made if need be."""
    from eval.run import runs_folder

    folder = runs or runs_folder()
    with _writing(folder, named_by="--runs"):
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    if gates:
        with _writing(gates, named_by="--write-gates"):
            _probe(gates)


def _probe(path: Path) -> None:
    """Raise an `OSError` where a file cannot be written; what it holds stays, and none is made."""
    with path.open("ab") if path.exists() else TemporaryFile(dir=path.parent):
        pass


@contextmanager
def _writing(path: Path, *, named_by: str) -> Iterator[None]:
    """Raise an `OSError` as an `InputError` that names the path, and the option that names another."""
    try:
        yield
    except OSError as error:
        cure = f"make that possible, or name another place with {named_by}"
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); {cure}") from error


def _setup(options: Mapping[str, Any]) -> "Setup":
    from eval.suites import UnusedEmbedder

    if options["answers"]:
        from eval.run import from_file

        return from_file(options["answers"], embedder=UnusedEmbedder())
    if options["url"]:
        from eval.addresses import Address, from_address

        token = _token(options["token_file"]) if options["token_file"] else None
        return from_address(Address.of(options["url"], model=options["model"], token=token), embedder=UnusedEmbedder())
    from eval.run import our_bot

    environment: EmbedderOfSettings | None = options["environment"]
    embedder = environment.embedder() if environment and not options["index_folder"] else None
    return our_bot(k=options["k"], embedder=embedder)


def _token(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); name a file that holds the token alone") from error


def _index(folder: Path | None) -> Any:  # noqa: ANN401 - a context manager of an index or of None
    if folder is None:
        return nullcontext()
    from index.news_index import NewsIndex

    return NewsIndex.open(folder)


def _keep(document: Mapping[str, Any], folder: Path | None) -> Path:
    """Write the run file, into the user's data folder unless another is named, and say so; return its path."""
    from eval.run import runs_folder, write_run

    chosen = folder or runs_folder()
    with _writing(chosen, named_by="--runs"):
        path = write_run(document, chosen)
    click.echo(f"wrote {path}", err=True)
    return path


def _report(
    document: Mapping[str, Any],
    comparison: Mapping[str, Any] | None,
    earlier: Mapping[str, Any] | None,
    *,
    beside: Path,
) -> None:
    """Write the report beside the run file, and say so."""
    from eval.report import report

    path = beside.with_suffix(".html")
    text = report(document, earlier=earlier, comparison=comparison)
    with _writing(path, named_by="--runs"):
        path.write_text(text, encoding="utf-8")
    click.echo(f"wrote {path}", err=True)


def _write_gates(document: Mapping[str, Any], path: Path) -> None:
    from eval.gates import gates_of

    with _writing(path, named_by="--write-gates"):
        path.write_text(gates_of(document), encoding="utf-8")
    click.echo(f"wrote {path}", err=True)


def _run_json(
    document: Mapping[str, Any], comparison: Mapping[str, Any] | None, missed: "Sequence[Miss] | None"
) -> str:
    """Return the run without its cases, with the comparison and the gates that are missed where they were asked for."""
    gated = {"gates": [str(miss) for miss in missed]} if missed is not None else {}
    compared = {"comparison": comparison} if comparison else {}
    return _json({**{key: value for key, value in document.items() if key != "cases"}, **compared, **gated})


def _tables(document: Mapping[str, Any], comparison: Mapping[str, Any] | None, *, failures: int) -> str:
    """Return the failures, the tables of the run and those of the comparison, for the terminal."""
    from eval.show import show_comparison, show_failures, show_run

    blocks = [show_failures(document["failures"], most=failures, width=_width()), show_run(document)]
    blocks += [show_comparison(comparison)] if comparison else []
    return "\n\n".join(filter(None, blocks))


@contextmanager
def _progress() -> "Iterator[Callable[[int, int], None]]":
    """Show a bar on stderr; silent when that is no terminal."""
    from tqdm import tqdm

    with tqdm(desc="cases", unit="", leave=False, disable=None) as bar:

        def advance(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        yield advance


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _width() -> int:
    return min(100, shutil.get_terminal_size().columns)
