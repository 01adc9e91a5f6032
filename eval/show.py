"""Runs and comparisons as plain text for a terminal. Pure: values in, text out."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from eval.compare import cautions
from eval.score import METRICS

__all__ = ["show_comparison", "show_failures", "show_run"]

_COLUMN = 24
_MAIN = (
    "score", "quote_fidelity", "citation_precision", "evidence_recall", "evidence_complete", "answered",
    "refused", "refused_near", "refused_far", "refused_false_premise", "refusal_precision", "sentence_recall",
    "sentence_precision", "span_precision", "span_recall", "answer_found", "nugget_recall", "token_f1", "recall@5",
    "recall@8", "hit@1", "hit@5", "mrr", "ndcg@10", "table_precision", "table_recall",
)  # fmt: skip
_BY_KIND = ("citation_precision", "evidence_complete", "answered", "refused")
_VERDICTS = ("right", "imprecise", "partial", "wrong", "refused", "answered", "missing", "crashed")
_UNANSWERED = ("crashed", "missing")


def show_run(run: Mapping[str, Any]) -> str:
    """Return a table of metrics with a column a suite, one of kinds for each suite, the bars, and what answered."""
    blocks = [_metrics(run["by_suite"])]
    blocks += [block for name in run["by_suite"] for block in (_kinds(name, run), _figures_by_kind(name, run))]
    blocks += [_bars(name, bars) for name, bars in run.get("bars", {}).items()]
    settings, timings = run["settings"], run["timings_ms"]
    named = ", ".join(
        f"{key} {_plain(settings[key])}"
        for key in ("system", "url", "answers", "writer", "model", "embedder", "k")
        if settings.get(key)
    )
    p50, p95 = timings["p50"], timings["p95"]
    latency = f"An answer takes {p50:.0f} ms (median), {p95:.0f} ms (95 of 100). " if p95 else ""
    total = f"{run['n']} cases in {timings['total'] / 1000:.1f} s."
    blocks.append(f"{named}\n{total} {latency}In brackets: 95 % bootstrap intervals.")
    return "\n\n".join(blocks)


def show_failures(failures: Sequence[Mapping[str, Any]], *, most: int, width: int = 100) -> str:
    """Return the first failures, each with its question, what was answered and the evidence that was due.

    Those without an answer come before the others, behind a line that counts them, also where none is listed.
    """
    unanswered = [case["verdict"] for case in failures if case["verdict"] in _UNANSWERED]
    counts = [f"{unanswered.count(verdict)} {verdict}" for verdict in _UNANSWERED if verdict in unanswered]
    blocks = [f"Cases without an answer, which score 0: {', '.join(counts)}."] if counts else []
    ordered = sorted(failures, key=lambda case: case["verdict"] not in _UNANSWERED)
    blocks += [_failure(case, width) for case in ordered[:most]]
    if len(failures) > most:
        blocks.append(f"{len(failures) - most} more failures are in the run file.")
    return "\n\n".join(blocks)


def show_comparison(comparison: Mapping[str, Any]) -> str:
    """Return a table a suite: both means, the difference with its interval, and what can be said of it."""
    lines = []
    for suite, metrics in comparison["by_suite"].items():
        lines.append(
            f"{suite + ': before and now':26}{'before':>8}{'now':>8}{'change':>9}  {'95 % interval':18}{'p':>7}  n"
        )
        for name, row in metrics.items():
            low, high = row["interval"]
            lines.append(
                f"  {name:24}{row['first']:8.3f}{row['second']:8.3f}{row['difference']:+9.3f}  "
                f"{f'{low:+.3f} to {high:+.3f}':18}{row['p']:7.3f}  {row['n']:<4} {row['verdict']}"
            )
    lines += cautions(comparison)
    lines += [f"  {c['id']:12} {c['before']} -> {c['after']}: {_plain(c['question'])}" for c in comparison["changed"]]
    return "\n".join(lines)


def _metrics(suites: Mapping[str, Mapping[str, Any]]) -> str:
    heads = [f"{name} ({summary['n']})" for name, summary in suites.items()]
    lines = ["metric".ljust(_COLUMN) + "".join(_plain(head).ljust(_COLUMN) for head in heads)]
    for name in (*_MAIN, *(name for name in METRICS if name not in _MAIN)):
        if any(name in summary["metrics"] for summary in suites.values()):
            lines.append((name.ljust(_COLUMN) + "".join(_cell(summary, name) for summary in suites.values())).rstrip())
    return "\n".join(lines)


def _cell(summary: Mapping[str, Any], name: str) -> str:
    if name not in summary["metrics"]:
        return "-".ljust(_COLUMN)
    low, high = summary["intervals"][name]
    return f"{summary['metrics'][name]:.3f} [{low:.2f} {high:.2f}]".ljust(_COLUMN)


def _kinds(suite: str, run: Mapping[str, Any]) -> str:
    verdicts = {kind: [c["verdict"] for c in run["cases"] if c["suite"] == suite and c["kind"] == kind]
                for kind in run["by_suite"][suite]["by_kind"]}  # fmt: skip
    seen = [v for v in _VERDICTS if any(v in found for found in verdicts.values())]
    lines = [f"{_plain(suite) + ': kind':18}{'n':>4}  {'score':20}" + "".join(f"{verdict:>10}" for verdict in seen)]
    for kind, summary in run["by_suite"][suite]["by_kind"].items():
        counts = "".join(f"{verdicts[kind].count(verdict) or '':>10}" for verdict in seen)
        lines.append(f"{kind:18}{summary['n']:>4}  {_cell(summary, 'score'):20.20}{counts}".rstrip())
    return "\n".join(lines)


def _figures_by_kind(suite: str, run: Mapping[str, Any]) -> str:
    heads = "".join(name.ljust(20) for name in _BY_KIND)
    lines = [f"{_plain(suite) + ': kind':22}{heads}".rstrip()]
    for kind, summary in run["by_suite"][suite]["by_kind"].items():
        cells = "".join(f"{_cell(summary, name):20.20}" for name in _BY_KIND)
        lines.append(f"{kind:22}{cells}".rstrip())
    return "\n".join(lines)


def _bars(suite: str, bars: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"{suite + ': bar':{_COLUMN}}{'least':>8}{'seen':>8}{'short by':>10}"]  # 4 digits: as exact as the run
    for bar in bars:
        seen = "none" if bar["seen"] is None else f"{bar['seen']:.4f}"
        short = f"{bar['short']:.4f}" if bar["short"] else "reached"
        lines.append(f"{bar['metric']:{_COLUMN}}{bar['least']:8.4f}{seen:>8}{short:>10}")
        kinds = ", ".join(f"{below['kind']} {below['seen']:.3f} of {below['n']}" for below in bar["kinds"])
        lines += [_wrapped(f"below it: {kinds}", 100, "  ")] if kinds else []
    return "\n".join(lines)


def _failure(case: Mapping[str, Any], width: int) -> str:
    lines = [_wrapped(f"{case['id']} ({case['suite']}, {case['kind']}): {case['verdict']}", width)]
    lines += [_wrapped(f"earlier:  {turn['question']}", width, "  ") for turn in case["history"]]
    lines.append(_wrapped(f"question: {case['question']}", width, "  "))
    answer = case["answer"]
    if case["error"] or answer is None:
        lines.append(_wrapped(f"error:    {case['error']}", width, "  "))
    else:
        lines.append(_wrapped(f"answer:   {answer['text']}", width, "  "))
        for c in answer["citations"]:
            lines.append(_wrapped(f"[{c['number']}] {c['title']}: “{c['quote']}”", width, "    "))
    for need in case["evidence"]:
        first, others = need["alternatives"][0], len(need["alternatives"]) - 1
        also = f" (or {others} other places)" if others else ""
        met = "cited" if need["met"] else "not cited"
        lines.append(_wrapped(f"{met}: {first['title']}: “{first['quote']}”{also}", width, "  "))
    if case["refuse"]:
        lines.append("  due:      a refusal")
    return "\n".join(lines)


def _wrapped(text: str, width: int, indent: str = "") -> str:
    return textwrap.fill(_plain(text), width, initial_indent=indent, subsequent_indent=indent + "  ")


def _plain(text: object) -> str:
    """Return text that is safe to print: an answer may carry escape sequences that drive a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in str(text))
