"""Pages that list the runs of `groundwire eval` in a folder, and show one, or two side by side."""

from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse

from eval.compare import compare_runs
from eval.report import page, policy, report
from eval.run import read_run
from index.errors import InputError

__all__ = ["add_report_page"]

_HEAD = "<p><a href='/'>← Ask a question</a></p><h1>Evaluations</h1>"
_FIGURES = ("quote_fidelity", "citation_precision", "evidence_complete", "answered", "refused_near", "refused_far")


def add_report_page(app: FastAPI, runs: Path) -> None:
    """Add `/reports`, which lists the run files of a folder, and `/reports/NAME?compare=EARLIER`, which shows one.

    The folder is read at each call. A name is looked up among its files and never becomes a path.
    """

    @app.get("/reports", response_class=HTMLResponse, include_in_schema=False)
    def reports() -> HTMLResponse:
        return _response(page("Groundwire evaluations", _listed(_held(runs))))

    @app.get("/reports/{name}", response_class=HTMLResponse, include_in_schema=False)
    def one_report(name: str, compare: str | None = None) -> HTMLResponse:
        held = _held(runs)
        if name not in held or (compare is not None and compare not in held):
            raise HTTPException(404, "there is no such run; /reports lists them")
        earlier = held[compare] if compare else None
        try:
            comparison = compare_runs(earlier, held[name]) if earlier else None
        except InputError as error:
            raise HTTPException(422, str(error)) from error
        return _response(report(held[name], earlier=earlier, comparison=comparison))


def _response(text: str) -> HTMLResponse:
    return HTMLResponse(text, headers={"Content-Security-Policy": policy(), "X-Content-Type-Options": "nosniff"})


def _held(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the runs of a folder by the stem of their files, newest first; files that are no runs are left out."""
    found = {}
    for path in folder.glob("*.json"):
        try:
            found[path.stem] = read_run(path)
        except InputError:  # another program's file
            continue
    return dict(sorted(found.items(), key=lambda item: (item[1]["started"], item[0]), reverse=True))


def _listed(held: dict[str, dict[str, Any]]) -> str:
    if not held:
        return f"{_HEAD}<p>No runs yet. <code>groundwire eval</code> makes one.</p>"
    names = list(held)
    rows = "".join(_rows(name, held[name], _before(name, names, held)) for name in names)
    heads = "".join(f"<th scope='col'>{figure.replace('_', ' ')}</th>" for figure in _FIGURES)
    return (
        f"{_HEAD}<p class='lead'>The runs of <code>groundwire eval</code>, newest first.</p>"
        "<div class='scroll'><table><thead><tr><th scope='col'>run</th><th scope='col'>suite</th>"
        f"<th scope='col'>cases</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _rows(name: str, run: dict[str, Any], before: str | None) -> str:
    shown, settings = quote(name, safe=""), run["settings"]
    who = escape(str(settings.get("answers") or settings.get("url") or settings.get("system")))
    versus = (
        f" <a href='/reports/{shown}?compare={quote(before, safe='')}'>compare with the one before</a>"
        if before
        else ""
    )
    rows = []
    for number, (suite, summary) in enumerate(run["by_suite"].items()):
        first = f"<a href='/reports/{shown}'>{escape(run['started'][:16].replace('T', ' '))}</a>, {who}{versus}"
        figures = "".join(f"<td>{_figure(summary['metrics'].get(figure))}</td>" for figure in _FIGURES)
        rows.append(
            f"<tr><td>{'' if number else first}</td><td>{escape(suite)}</td><td>{summary['n']}</td>{figures}</tr>"
        )
    return "".join(rows)


def _before(name: str, names: list[str], held: dict[str, dict[str, Any]]) -> str | None:
    """Return the newest earlier run that shares a suite."""
    earlier = names[names.index(name) + 1 :]
    return next((other for other in earlier if set(held[other]["by_suite"]) & set(held[name]["by_suite"])), None)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
