"""Compare two runs of the same cases, metric by metric and case by case."""

from collections.abc import Mapping
from typing import Any

from eval.run import SEED
from eval.score import METRICS
from eval.stats import compare
from index.errors import InputError

__all__ = ["compare_runs"]


def compare_runs(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return, by suite and metric, how the second run differs from the first, and which verdicts changed.

    Only cases that both runs have are compared, and a metric only over the cases where both have it. Raises
    `InputError` when there is no such case.
    """
    held = {(case["suite"], case["id"]): case for case in first["cases"]}
    pairs = [(held[key], case) for case in second["cases"] if (key := (case["suite"], case["id"])) in held]
    if not pairs:
        raise InputError("the two runs have no case in common; compare runs of the same suites")
    suites = dict.fromkeys(later["suite"] for _, later in pairs)
    before, now = first["settings"]["corpora"], second["settings"]["corpora"]
    return {
        "n": len(pairs),
        "only_in_first": len(held) - len(pairs), "only_in_second": len(second["cases"]) - len(pairs),
        "same_articles": all(before.get(suite) == now.get(suite) for suite in suites),
        "started": [first["started"], second["started"]],
        "by_suite": {name: _by_metric([pair for pair in pairs if pair[1]["suite"] == name]) for name in suites},
        "changed": [
            {"id": later["id"], "suite": later["suite"], "kind": later["kind"], "question": later["question"],
             "before": earlier["verdict"], "after": later["verdict"]}
            for earlier, later in pairs if earlier["verdict"] != later["verdict"]
        ],
    }  # fmt: skip


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
