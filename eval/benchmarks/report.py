"""What a public set gave: its figures with intervals, and beside them what others published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval.stats import Interval, bootstrap_interval

__all__ = ["BenchmarkReport", "MetricRow", "Published", "mean_rows", "table"]

_SEED = 1  # of the bootstrap: the same figures give the same interval
_WIDTH = 58


@dataclass(frozen=True, slots=True)
class Published:
    """Hold a figure that others published: whose it is, the figure on our scale, and where it stands.

    `source` ends with how it was come by: (R) read in the source, (S) read in a secondary source, (V) reported by its
    own vendor. Figures that could not be looked up are left out.
    """

    system: str
    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """Hold one figure from 0 to 1, over how many questions it is a mean, and the interval of that mean.

    `interval` is None for a figure that is no mean over questions.
    """

    metric: str
    value: float
    interval: Interval | None
    n: int
    published: tuple[Published, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkReport:
    """Hold what a public set gave. Without rows it was not measured, and `notes` say why."""

    name: str
    n: int
    rows: tuple[MetricRow, ...]
    settings: Mapping[str, str | int | float | None]
    notes: tuple[str, ...]

    @property
    def measured(self) -> bool:
        """Tell whether there was anything to measure."""
        return bool(self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form of an evaluated suite, with intervals, published figures and notes beside its fields."""
        return {
            "suite": self.name, "n": self.n, "metrics": {row.metric: row.value for row in self.rows},
            "intervals": {row.metric: [row.interval.low, row.interval.high] for row in self.rows if row.interval},
            "questions": {row.metric: row.n for row in self.rows},
            "published": {
                row.metric: [{"system": p.system, "value": p.value, "source": p.source} for p in row.published]
                for row in self.rows if row.published
            },
            "by_kind": {}, "failures": [], "settings": dict(self.settings), "notes": list(self.notes),
        }  # fmt: skip


def mean_rows(
    figures: Mapping[str, Sequence[float]], published: Mapping[str, Sequence[Published]] | None = None
) -> list[MetricRow]:
    """Return the mean of the values of each figure, one a question, with its interval; one without values is left out.

    >>> [(row.metric, row.value) for row in mean_rows({"found": [1.0, 0.0, 1.0, 1.0], "refused": []})]
    [('found', 0.75)]
    """
    return [
        MetricRow(
            metric=metric, value=round(float(np.mean(values)), 4), n=len(values),
            interval=bootstrap_interval(list(values), seed=_SEED), published=tuple((published or {}).get(metric, ())),
        )
        for metric, values in figures.items() if values
    ]  # fmt: skip


def table(report: BenchmarkReport) -> str:
    """Return a report as text: a line a figure, what others published indented below it, then settings and notes."""
    if not report.measured:
        return "\n".join((f"{report.name}: not measured", *(f"  {note}" for note in report.notes)))
    lines = [f"{report.name}: {report.n:,} questions", f"  {'':{_WIDTH}}{'ours':>7}  {'95 % interval':15}  questions"]
    for row in report.rows:
        between = f"{row.interval.low:.3f} to {row.interval.high:.3f}" if row.interval else ""
        lines.append(f"  {row.metric:{_WIDTH}}{row.value:>7.3f}  {between:15}  {row.n:>9,}")
        lines += [f"      {p.system:{_WIDTH - 4}}{p.value:>7.3f}  {p.source}" for p in row.published]
    lines.append("  " + ", ".join(f"{name}: {value}" for name, value in report.settings.items()))
    return "\n".join((*lines, *(f"  {note}" for note in report.notes)))
