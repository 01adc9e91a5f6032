"""Compare two runs of the same cases, metric by metric and case by case."""

from collections.abc import Collection, Mapping
from typing import Any

from eval.run import SEED
from eval.score import METRICS
from eval.stats import compare
from index.errors import InputError

__all__ = ["cautions", "check_shared", "compare_runs"]


def compare_runs(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return, by suite and metric, how the second run differs from the first, and which verdicts changed.

    Only cases that both runs have are compared, and a metric only over the cases where both have it. Raises
    `InputError` when there is no such case.
    """
    check_shared(first, [(case["suite"], case["id"]) for case in second["cases"]])
    held = {(case["suite"], case["id"]): case for case in first["cases"]}
    pairs = [(held[key], case) for case in second["cases"] if (key := (case["suite"], case["id"])) in held]
    suites = dict.fromkeys(later["suite"] for _, later in pairs)
    return {
        "n": len(pairs),
        "only_in_first": len(held) - len(pairs), "only_in_second": len(second["cases"]) - len(pairs),
        "same_articles": all(_same("corpora", suite, first, second) for suite in suites),
        "same_cases": all(_same("cases_sha256", suite, first, second) for suite in suites),
        "started": [first["started"], second["started"]],
        "by_suite": {name: _by_metric([pair for pair in pairs if pair[1]["suite"] == name]) for name in suites},
        "changed": [
            {"id": later["id"], "suite": later["suite"], "kind": later["kind"], "question": later["question"],
             "before": earlier["verdict"], "after": later["verdict"]}
            for earlier, later in pairs if earlier["verdict"] != later["verdict"]
        ],
    }  # fmt: skip


def check_shared(earlier: Mapping[str, Any], cases: Collection[tuple[str, str]]) -> None:
    """Raise `InputError` when an earlier run has none of the cases, which are named by suite and id."""
    if {(case["suite"], case["id"]) for case in earlier["cases"]}.isdisjoint(cases):
        suites = ", ".join(dict.fromkeys(case["suite"] for case in earlier["cases"])) or "none"
        raise InputError(f"the two runs have no case in common; the earlier one has the suites {suites}: score those")


def cautions(comparison: Mapping[str, Any]) -> list[str]:
    """Return what else than the system may be behind a difference, and what was left out, a sentence each."""
    found = []
    if not comparison["same_articles"]:
        found.append("The two runs had different articles: the difference is not of the system alone.")
    if not comparison["same_cases"]:
        found.append(
            "By the checksums of their files the cases are not those of the earlier run: where one that both have was "
            "changed, the difference is not of the system alone."
        )
    for key, where in (("only_in_first", "the earlier run"), ("only_in_second", "this run")):
        if comparison[key]:
            found.append(f"Cases that only {where} has, and that were left out: {comparison[key]}.")
    return found


def _same(setting: str, suite: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Tell whether two runs name the same for a suite; one that names nothing, as older run files do, does not."""
    named = [run["settings"].get(setting, {}).get(suite) for run in (first, second)]
    return named[0] is not None and named[0] == named[1]


def _by_metric(pairs: list[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> dict[str, Any]:
    found = {}
    for name in METRICS:
        both = [
            (a["metrics"][name], b["metrics"][name]) for a, b in pairs if name in a["metrics"] and name in b["metrics"]
        ]
        if both:
            result = compare([a for a, _ in both], [b for _, b in both], seed=SEED)
            found[name] = {
                "n": result.n, "first": round(result.first, 4), "second": round(result.second, 4),
                "difference": round(result.difference, 4), "p": round(result.p, 4),
                "interval": [result.interval.low, result.interval.high], "verdict": result.verdict,
            }  # fmt: skip
    return found
