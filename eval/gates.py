"""Gates: what a run has to reach. A TOML file with a table a suite, and in it the least that each metric may be."""

import math
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.score import METRICS
from index.errors import InputError

__all__ = ["GATED", "Gates", "Miss", "check_gates", "gates_of", "misses", "read_gates"]

GATED = (
    "quote_fidelity", "citation_precision", "span_precision", "evidence_recall", "evidence_complete", "answered",
    "answer_found", "refused_near", "refused_far", "refused_false_premise", "hit@5",
)  # fmt: skip

Gates = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """Hold a metric that is below its gate; `seen` is None when the run does not have it."""

    suite: str
    metric: str
    least: float
    seen: float | None

    def __str__(self) -> str:
        """Return the miss in words."""
        seen = "missing" if self.seen is None else f"{self.seen:.4f}"
        return f"{self.suite}: {self.metric} is {seen}, the gate is {self.least:.4f}"


def read_gates(path: Path) -> Gates:
    """Read a file of gates; raise `InputError` for what is no TOML, no metric or no number."""
    try:
        gates = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: cannot be read as gates ({error}); write one with --write-gates") from error
    for suite, table in gates.items():
        if not isinstance(table, dict):
            raise InputError(f"{path}: {suite!r} stands outside a table; write it under [suite]")
        for metric, least in table.items():
            if metric not in METRICS:
                raise InputError(f"{path}: [{suite}] {metric!r} is no metric; use one of {', '.join(METRICS)}")
            if isinstance(least, bool) or not isinstance(least, int | float):
                raise InputError(f"{path}: [{suite}] {metric} is {least!r}; write a number from 0 to 1")
    return gates


def check_gates(gates: Gates, suites: Collection[str]) -> None:
    """Raise `InputError` when no gate is for one of the suites: a check that checks nothing would always pass."""
    if not any(gates.get(suite) for suite in suites):
        raise InputError(f"no gate for {', '.join(suites)}; the file has gates for {', '.join(gates) or 'none'}")


def misses(run: Mapping[str, Any], gates: Gates) -> list[Miss]:
    """Return what is below its gate among the suites that were run.

    A gate of a suite that was not run is passed over; a metric that a suite that was run does not have is a miss.
    Raises `InputError` when no gate fits the run.
    """
    check_gates(gates, run["by_suite"])
    found = []
    for suite in run["by_suite"]:
        for metric, least in gates.get(suite, {}).items():
            seen = run["by_suite"][suite]["metrics"].get(metric)
            if seen is None or seen < least - 1e-9:
                found.append(Miss(suite=suite, metric=metric, least=least, seen=seen))
    return found


def gates_of(run: Mapping[str, Any], *, metrics: Sequence[str] = GATED) -> str:
    """Return a file of gates that today's numbers pass by one case: the kernels of another CPU may turn one over.

    A bar (see `eval.bars`) that is reached today is the least that its gate may be.
    """
    lines = [
        "# The least that each figure may be, by suite: those of the day it was written, less one case, because the",
        "# kernels of another CPU may turn one over. No bar that is reached may be lost, so a gate at its bar may have",
        "# no case to spare. Quotes are exact or wrong.",
        "# Written by `groundwire eval --write-gates FILE`.",
    ]
    for suite, summary in run["by_suite"].items():
        lines += ["", f"[{suite}]"]
        reached = {bar["metric"]: bar["least"] for bar in run["bars"].get(suite, ()) if not bar["short"]}
        for metric in (name for name in metrics if name in summary["metrics"]):
            slack = 0.0 if metric == "quote_fidelity" else 1 / summary["counted"][metric]
            least = max(reached.get(metric, 0.0), math.floor(1000 * (summary["metrics"][metric] - slack)) / 1000)
            key = metric if metric.replace("_", "").isalnum() else f'"{metric}"'
            lines.append(f"{key} = {least}")
    return "\n".join(lines) + "\n"
