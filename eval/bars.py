"""Bars: what the project sets itself on its own cases; by how much a run falls short of one, and on which kinds."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from eval.suites import Suite, find_suites

__all__ = ["BARS", "bars_of"]

BARS: Mapping[str, float] = MappingProxyType(
    {
        "quote_fidelity": 1.0,
        "citation_precision": 0.85,
        "evidence_complete": 0.75,
        "answered": 0.9,
        "refused_far": 0.95,
        "refused_near": 0.6,
    }
)
_JUDGED = ("test", "unseen")  # no weight is fitted to them


def bars_of(suites: Sequence[Suite], by_suite: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return each bar beside what was seen, for the own suites that no weight is fitted to; other suites have none.

    `seen` is None, and all of the bar is missing, where not one case has the metric. `kinds` are those below a bar that
    is missed, worst first.
    """
    judged = [suite.name for suite in suites if suite.name in _JUDGED and [suite] == find_suites([suite.name])]
    return {name: [_bar(metric, least, by_suite[name]) for metric, least in BARS.items()] for name in judged}


def _bar(metric: str, least: float, summary: Mapping[str, Any]) -> dict[str, Any]:
    seen = summary["metrics"].get(metric)
    short = max(0.0, round(least - (seen or 0.0), 4))
    found = [
        {"kind": kind, "seen": of["metrics"][metric], "n": of["counted"][metric]}
        for kind, of in summary["by_kind"].items()
        if short and of["metrics"].get(metric, least) < least
    ]
    return {
        "metric": metric, "least": least, "seen": seen, "short": short,
        "kinds": sorted(found, key=lambda below: (below["seen"], -below["n"])),
    }  # fmt: skip
