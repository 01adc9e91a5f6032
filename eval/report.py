"""A run as one HTML page that needs nothing else: plots, every case with its answer and evidence, two runs compared.

Everything that a case, an answer or an article says is escaped. The page forbids itself to load anything, and to run
any script but its own.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from eval.compare import cautions
from eval.plots import Estimate, difference_plot, histogram, interval_plot, stacked_bars
from eval.score import METRICS
from rag.cite import MARK

__all__ = ["page", "policy", "report"]

_SERIES = ("one", "two", "three")
_VERDICTS = ("right", "imprecise", "partial", "wrong", "refused", "answered", "missing", "crashed")
_MEANING = {
    "right": "every need cited and nothing else, or rightly refused", "imprecise": "every need cited, and more",
    "partial": "some needs cited", "wrong": "answered, no need cited",
    "refused": "refused, though the articles answer it", "answered": "answered, though the articles do not",
    "missing": "no answer in the file", "crashed": "the system raised an error",
}  # fmt: skip
_TILES = ("quote_fidelity", "citation_precision", "evidence_complete", "answered", "refused_near", "refused_far")
_BY_KIND = ("score", "citation_precision", "evidence_complete", "answered", "refused")
_PLOTTED = (*_TILES, "span_precision", "answer_found", "hit@1", "hit@5", "ndcg@10")


@cache
def policy() -> str:
    """Return the Content-Security-Policy of a report: nothing is loaded, and only its own style and script count."""
    style, script = (
        base64.b64encode(hashlib.sha256(_inlined(name).encode()).digest()).decode() for name in ("css", "js")
    )
    own = f"style-src 'sha256-{style}'; script-src 'sha256-{script}'"
    return f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"


def report(
    run: Mapping[str, Any], *, earlier: Mapping[str, Any] | None = None, comparison: Mapping[str, Any] | None = None
) -> str:
    """Return the page of a run; with `comparison` (of `earlier` with it), also what has changed."""
    sections = [
        _header(run), _tiles(run), _bars(run), _intervals(run),
        _compared(comparison, earlier) if comparison and earlier else "",
        *(_kinds(name, run) for name in run["by_suite"]), _figures(run), _latency(run), _cases(run), _settings(run),
    ]  # fmt: skip
    return page(f"Groundwire evaluation: {run['suite']}", "".join(sections))


def page(title: str, body: str) -> str:
    """Return a whole page around markup that is safe already; the title is not, and is escaped."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy())}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_inlined('css')}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n<script>{_inlined('js')}</script>\n</body>\n</html>\n"
    )


@cache
def _inlined(kind: str) -> str:
    return (Path(__file__).parent / f"report.{kind}").read_text(encoding="utf-8")


def _header(run: Mapping[str, Any]) -> str:
    settings = run["settings"]
    who = settings.get("answers") or settings.get("url") or settings.get("system")
    details = [settings.get("writer"), settings.get("model"), settings.get("embedder")]
    named = ", ".join(str(detail) for detail in details if detail)
    return (
        f"<header><h1>Is it true?</h1>\n<p class='lead'>{escape(str(who))}{f' ({escape(named)})' if named else ''}, "
        f"{run['n']} cases of {escape(run['suite'])}, {escape(run['started'][:16].replace('T', ' '))} UTC. "
        f"An answer is right when the evidence of every need is cited, or when it rightly refuses.</p></header>"
    )


def _tiles(run: Mapping[str, Any]) -> str:
    parts = []
    for name, summary in run["by_suite"].items():
        tiles = "".join(
            f"<li><b>{summary['metrics'][metric]:.3f}</b><span>{_named(metric)}</span>"
            f"<span>{_between(summary, metric)}, {summary['counted'][metric]} cases</span></li>"
            for metric in _TILES if metric in summary["metrics"]
        )  # fmt: skip
        parts.append(f"<h3>{escape(name)}, {summary['n']} cases</h3><ul class='tiles'>{tiles}</ul>")
    return "".join(parts)


def _bars(run: Mapping[str, Any]) -> str:
    """Return a table of the bars of each own suite; nothing for a run that has none."""
    heads = "".join(f"<th scope='col'>{head}</th>" for head in ("bar", "least", "seen", "short by", "kinds below it"))
    tables = "".join(
        f"<h3>{escape(suite)}</h3><div class='scroll'><table><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(map(_bar, bars))}</tbody></table></div>"
        for suite, bars in run.get("bars", {}).items()
    )
    return f"<h2>What is aimed at, and what is missing</h2>{tables}" if tables else ""


def _bar(bar: Mapping[str, Any]) -> str:
    seen = "none" if bar["seen"] is None else f"{bar['seen']:.4f}"
    met = f"<span class='short'>{bar['short']:.4f}</span>" if bar["short"] else "reached"
    kinds = ", ".join(
        f"{escape(below['kind'])} <small>{below['seen']:.3f}, n {below['n']}</small>" for below in bar["kinds"]
    )
    return (
        f"<tr><th scope='row'>{_named(bar['metric'])}</th><td>{bar['least']:.4f}</td><td>{seen}</td>"
        f"<td>{met}</td><td>{kinds}</td></tr>"
    )


def _intervals(run: Mapping[str, Any]) -> str:
    suites = list(run["by_suite"].items())
    rows: dict[str, list[Estimate]] = {}
    for metric in _PLOTTED:
        for number, (name, summary) in enumerate(suites):
            if metric in summary["metrics"]:
                low, high = summary["intervals"][metric]
                estimate = Estimate(
                    label=f"{name}, {_named(metric)}", value=summary["metrics"][metric], low=low, high=high,
                    series=_SERIES[number % len(_SERIES)],
                )  # fmt: skip
                rows.setdefault(_named(metric), []).append(estimate)
    legend = "".join(
        f"<li class='dot {_SERIES[number % len(_SERIES)]}'>{escape(name)}</li>"
        for number, (name, _) in enumerate(suites)
    )
    return (
        "<h2>How good, and how sure</h2><figure><figcaption>Means with 95 % bootstrap intervals. "
        "Where those of two suites overlap widely, the cases are too few to tell the suites apart.</figcaption>"
        f"<ul class='legend'>{legend}</ul>"
        f"{interval_plot(rows, title='Metrics with intervals, by suite')}</figure>"
    )


def _kinds(suite: str, run: Mapping[str, Any]) -> str:
    cases = [case for case in run["cases"] if case["suite"] == suite]
    seen = [verdict for verdict in _VERDICTS if any(case["verdict"] == verdict for case in cases)]
    rows = {
        kind: {v: sum(case["kind"] == kind and case["verdict"] == v for case in cases) for v in seen}
        for kind in run["by_suite"][suite]["by_kind"]
    }
    legend = "".join(f"<li class='{verdict}'>{verdict}: {_MEANING[verdict]}</li>" for verdict in seen)
    return (
        f"<h2>By kind of question: {escape(suite)}</h2><figure><ul class='legend'>{legend}</ul>"
        f"{stacked_bars(rows, title=f'Verdicts by kind of question, {suite}')}</figure>"
        f"{_figures_by_kind(run['by_suite'][suite]['by_kind'])}"
    )


def _figures_by_kind(kinds: Mapping[str, Mapping[str, Any]]) -> str:
    heads = "".join(f"<th scope='col'>{_named(metric)}</th>" for metric in _BY_KIND)
    rows = "".join(
        f"<tr><th scope='row'>{escape(kind)}</th>"
        + "".join(f"<td>{_figure(summary, metric, otherwise='')}</td>" for metric in _BY_KIND)
        + "</tr>"
        for kind, summary in kinds.items()
    )
    return (
        f"<div class='scroll'><table><thead><tr><th scope='col'>kind</th>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _figures(run: Mapping[str, Any]) -> str:
    suites = run["by_suite"]
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in suites)
    rows = []
    for metric, meaning in METRICS.items():
        if any(metric in summary["metrics"] for summary in suites.values()):
            cells = "".join(f"<td>{_figure(summary, metric)}</td>" for summary in suites.values())
            rows.append(f"<tr><th scope='row'>{metric}<br><small>{escape(meaning)}</small></th>{cells}</tr>")
    return (
        "<h2>Every metric</h2><div class='scroll'><table><thead><tr><th scope='col'>share of</th>"
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _figure(summary: Mapping[str, Any], metric: str, *, otherwise: str = "<small>does not apply</small>") -> str:
    if metric not in summary["metrics"]:
        return otherwise
    return (
        f"{summary['metrics'][metric]:.3f} <small>{_between(summary, metric)}, n {summary['counted'][metric]}</small>"
    )


def _latency(run: Mapping[str, Any]) -> str:
    taken = [case["ms"] for case in run["cases"] if case["error"] is None]
    if not any(taken):
        return ""
    p50, p95 = run["timings_ms"]["p50"], run["timings_ms"]["p95"]
    return (
        f"<h2>How fast</h2><figure><figcaption>Half of the answers took at most {p50:.0f} ms, 95 of 100 "
        f"at most {p95:.0f} ms.</figcaption>{histogram(taken, title='Milliseconds an answer', unit='ms')}</figure>"
    )


def _compared(comparison: Mapping[str, Any], earlier: Mapping[str, Any]) -> str:
    plots = []
    for suite, metrics in comparison["by_suite"].items():
        estimates = [
            Estimate(
                label=_named(name), value=row["difference"], low=row["interval"][0], high=row["interval"][1],
                series=row["verdict"] if row["verdict"] in ("better", "worse") else "unsure",
            )
            for name, row in metrics.items()
        ]  # fmt: skip
        rows = "".join(
            f"<tr><th scope='row'>{name}</th><td>{row['first']:.3f}</td><td>{row['second']:.3f}</td>"
            f"<td>{row['difference']:+.3f} <small>{row['interval'][0]:+.3f} to {row['interval'][1]:+.3f}</small></td>"
            f"<td>{row['p']:.3f}</td><td>{row['n']}</td><td>{row['verdict']}</td></tr>"
            for name, row in metrics.items()
        )
        plots.append(
            f"<h3>{escape(suite)}</h3><figure>{difference_plot(estimates, title=f'Change by metric, {suite}')}</figure>"
            "<div class='scroll'><table><thead><tr><th scope='col'>metric</th><th scope='col'>before</th>"
            "<th scope='col'>now</th><th scope='col'>change</th><th scope='col'>p</th><th scope='col'>n</th>"
            f"<th scope='col'>so it is</th></tr></thead><tbody>{rows}</tbody></table></div>"
        )
    said = "".join(f"<p>{escape(caution)}</p>" for caution in cautions(comparison))
    return (
        f"<h2>Compared with the run of {escape(earlier['started'][:16].replace('T', ' '))} UTC</h2><p>Case by case; "
        f"cases that both runs have: {comparison['n']}; p from a paired permutation test.</p>{said}{''.join(plots)}"
        f"{_changed(comparison['changed'])}"
    )


def _changed(changed: Sequence[Mapping[str, Any]]) -> str:
    if not changed:
        return "<p>No verdict has changed.</p>"
    items = "".join(
        f"<tr><td><a href='#{_anchor(case)}'>{escape(case['id'])}</a></td><td>{_verdict(case['before'])}</td>"
        f"<td>{_verdict(case['after'])}</td><td>{escape(case['question'])}</td></tr>"
        for case in changed
    )
    return (
        "<h3>Cases with another verdict</h3><div class='scroll'><table><thead><tr><th scope='col'>case</th>"
        "<th scope='col'>before</th><th scope='col'>now</th><th scope='col'>question</th></tr></thead>"
        f"<tbody>{items}</tbody></table></div>"
    )


def _cases(run: Mapping[str, Any]) -> str:
    choices = {
        "suite": list(run["by_suite"]), "kind": list(run["by_kind"]),
        "verdict": ["failed", *(v for v in _VERDICTS if any(case["verdict"] == v for case in run["cases"]))],
    }  # fmt: skip
    selects = "".join(
        f"<label>{name}<select name='{name}'><option value=''>all</option>"
        + "".join(f"<option>{escape(value)}</option>" for value in values) + "</select></label>"
        for name, values in choices.items()
    )  # fmt: skip
    return (
        f"<h2>Every case</h2><form class='filters' hidden>{selects}<label class='wide'>words<input name='words' "
        f"type='search' placeholder='in the question, the answer or the evidence'></label></form>"
        f"<p id='shown' role='status'></p>{''.join(_case(case) for case in run['cases'])}"
    )


def _case(case: Mapping[str, Any]) -> str:
    suite, kind, verdict = escape(case["suite"]), escape(case["kind"]), escape(case["verdict"])
    return (
        f"<details class='case' id='{_anchor(case)}' data-suite='{suite}' data-kind='{kind}' data-verdict='{verdict}'>"
        f"<summary>{_verdict(verdict)}<span class='asked'>{escape(case['question'])}</span>"
        f"<span class='where'>{kind}, {escape(case['id'])}</span></summary><div class='inside'>"
        f"<div>{_asked(case)}{_answer(case)}</div><div>{_evidence(case)}{_metrics(case)}</div></div></details>"
    )


def _asked(case: Mapping[str, Any]) -> str:
    turns = "".join(
        f"<p class='quiet'>{escape(turn['question'])}<br>{escape(turn['answer'])}</p>" for turn in case["history"]
    )
    filters = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in case["filters"].items())
    return (f"<h4>Asked before</h4>{turns}" if turns else "") + (
        f"<p class='quiet'>{escape(filters)}</p>" if filters else ""
    )


def _chips(case: Mapping[str, Any], citations: Mapping[int, Mapping[str, Any]], mark: re.Match[str]) -> str:
    numbers = [int(number) for number in mark[1].split(",")]
    if not all(number in citations for number in numbers):
        return mark[0]
    return "".join(_chip(case, citations[number]) for number in numbers)


def _answer(case: Mapping[str, Any]) -> str:
    answer = case["answer"]
    if answer is None:
        return f"<h4>No answer</h4><p class='said'>{escape(case['error'] or '')}</p>"
    citations = {citation["number"]: citation for citation in answer["citations"]}
    text = MARK.sub(lambda mark: _chips(case, citations, mark), escape(answer["text"]))
    quotes = "".join(_quote(case, citation) for citation in answer["citations"])
    kind = "Refused" if answer["status"] == "refused" else "Answered"
    return f"<h4>{kind}</h4><p class='said'>{text}</p>{quotes and f'<h4>Cited</h4>{quotes}'}"


def _chip(case: Mapping[str, Any], citation: Mapping[str, Any]) -> str:
    number = citation["number"]
    return f"<a class='gw-chip {_colour(case, citation)}' href='#{_anchor(case)}-{number}'>{number}</a>"


def _quote(case: Mapping[str, Any], citation: Mapping[str, Any]) -> str:
    place = f", {citation['start']} to {citation['end']}" if citation["start"] is not None else ""
    judged = "evidence" if citation["right"] else "not the evidence"
    judged += "" if citation["faithful"] else "; the article does not say these words there"
    number = citation["number"]
    return (
        f"<blockquote class='{_colour(case, citation)}' id='{_anchor(case)}-{number}'>{escape(citation['quote'])}"
        f"<footer>[{number}] {escape(citation['title'])}{place}: {judged}</footer></blockquote>"
    )


def _colour(case: Mapping[str, Any], citation: Mapping[str, Any]) -> str:
    return "right" if citation["right"] and citation["faithful"] else "answered" if case["refuse"] else "wrong"


def _evidence(case: Mapping[str, Any]) -> str:
    if case["refuse"]:
        return "<h4>Due</h4><p>A refusal: the articles do not answer this.</p>"
    parts = []
    for need in case["evidence"]:
        first, *others = need["alternatives"]
        also = f", or {len(others)} other place{'s' if len(others) > 1 else ''}" if others else ""
        met = "cited" if need["met"] else "not cited"
        parts.append(
            f"<blockquote class='{'right' if need['met'] else 'wrong'}'>{escape(first['quote'])}<footer>"
            f"{escape(first['title'])}, {first['start']} to {first['end']}{also}: {met}</footer></blockquote>"
        )
    accepted = " / ".join(case["accepted"])
    return (
        f"<h4>Accepted</h4><p>{escape(accepted)}</p>" if accepted else ""
    ) + f"<h4>Evidence due</h4>{''.join(parts)}"


def _metrics(case: Mapping[str, Any]) -> str:
    items = "".join(f"<dt>{escape(name)}</dt><dd>{value:.2f}</dd>" for name, value in case["metrics"].items())
    return f"<details><summary class='quiet'>Metrics of this case</summary><dl>{items}</dl></details>"


def _settings(run: Mapping[str, Any]) -> str:
    rows = {**run["settings"], "total time": f"{run['timings_ms']['total'] / 1000:.1f} s"}
    items = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(_flat(value))}</dd>" for name, value in rows.items() if value is not None
    )
    return f"<h2>What was run</h2><dl>{items}</dl>"


def _flat(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_flat(item)}" for name, item in value.items())
    return str(value)


def _verdict(verdict: str) -> str:
    return f"<span class='verdict {verdict}'>{verdict}</span>"


def _between(summary: Mapping[str, Any], metric: str) -> str:
    low, high = summary["intervals"][metric]
    return f"{low:.2f} to {high:.2f}"


def _named(metric: str) -> str:
    return metric.replace("_", " ")


def _anchor(case: Mapping[str, Any]) -> str:
    """Return an id that is unique on the page and safe in it, whatever a case is called."""
    return "case-" + hashlib.sha256(f"{case['suite']}/{case['id']}".encode()).hexdigest()[:12]
