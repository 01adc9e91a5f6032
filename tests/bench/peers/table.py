"""From outcomes to the table: medians over rounds, ratios against Groundwire within each round, and who does better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from eval.metrics import latency_percentile
from eval.stats import bootstrap_interval, compare
from tests.bench.peers.job import Outcome
from tests.bench.peers.judge import MEASURES

__all__ = ["OURS", "Entry", "Spread", "better_than_ours", "cost_table", "ingest_bar", "quality_table"]

OURS = "Groundwire"
BAR = 4.0  # how many times as fast as each peer our ingest has to be, at equal chunks
COSTS = {
    "start": "s",
    "ingest": "s",
    "query p50": "ms",
    "query p95": "ms",
    "peak memory": "MB",
}
_SEED = 0


@dataclass(frozen=True, slots=True)
class Spread:
    """Hold the median of some rounds, and the least and the most seen."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of values.

        >>> Spread.of([3.0, 1.0, 8.0])
        Spread(middle=3.0, low=1.0, high=8.0)
        """
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold a system's outcomes, round by round, and its scores for every question (of the first round)."""

    name: str
    rounds: tuple[Outcome, ...]
    scores: Mapping[str, Sequence[float]]

    def costs(self, name: str) -> list[float]:
        """Return one of `COSTS`, for every round."""
        return [_cost(outcome, name) for outcome in self.rounds]


def _cost(outcome: Outcome, name: str) -> float:
    if name.startswith("query"):
        return latency_percentile(outcome.query_ms, float(name.removeprefix("query p")))
    return {"start": outcome.start_s, "ingest": outcome.ingest_s, "peak memory": outcome.peak_mb}[name]


def ratio(entry: Entry, ours: Entry, cost: str) -> Spread:
    """Return how many times ours another system's cost is; each round is compared with our own of the same round."""
    return Spread.of([theirs / mine for theirs, mine in zip(entry.costs(cost), ours.costs(cost), strict=True)])


def cost_table(entries: Sequence[Entry]) -> list[str]:
    """Return a Markdown table: each cost, its spread over the rounds, and its ratio to ours."""
    ours = _ours(entries)
    lines = [_row(["system", "chunks", *(f"{name}, {unit}" for name, unit in COSTS.items())]), "|---" * 7 + "|"]
    for entry in entries:
        cells = [f"{_spread(Spread.of(entry.costs(c)))}{_times(entry, ours, c)}" for c in COSTS]
        lines.append(_row([entry.name, f"{entry.rounds[0].chunks:,}", *cells]))
    return lines


def quality_table(entries: Sequence[Entry]) -> list[str]:
    """Return a Markdown table: each measure with, for recall@5 and MRR@10, its 95 % interval."""
    lines = [_row(["system", *MEASURES]), "|---" * (1 + len(MEASURES)) + "|"]
    return lines + [_row([e.name, *(_score(e, m) for m in MEASURES)]) for e in entries]


def ingest_bar(entries: Sequence[Entry]) -> list[str]:
    """Return for each peer whether our ingest is as many times as fast as the bar asks."""
    ours = _ours(entries)
    lines = []
    for entry in _peers(entries):
        times = ratio(entry, ours, "ingest")
        lines.append(
            f"ingest against {entry.name}: {times.middle:.1f} times as fast ({times.low:.1f} to {times.high:.1f}), "
            f"bar {BAR:.0f}: {'kept' if times.middle >= BAR else 'MISSED'}"
        )
    return lines


def better_than_ours(entries: Sequence[Entry]) -> list[str]:
    """Return what peers do better: a cost lower in every round, a measure whose figure is higher.

    A measure that is not better by the paired test of `compare` is marked "not significant".
    """
    ours = _ours(entries)
    lines = []
    for entry in _peers(entries):
        for cost in COSTS:
            times = ratio(entry, ours, cost)
            if times.high < 1:
                lines.append(f"{entry.name}: {cost} is {times.middle:.2f} times ours")
        for measure in MEASURES:
            seen = compare(ours.scores[measure], entry.scores[measure], seed=_SEED)
            if seen.second > seen.first:
                chance = "" if seen.verdict == "better" else ", not significant"
                figures = f"{seen.second:.3f}, ours {seen.first:.3f}"
                lines.append(f"{entry.name}: {measure} is {figures} (p {seen.p:.3f}{chance})")
    return lines


def _ours(entries: Sequence[Entry]) -> Entry:
    return next(entry for entry in entries if entry.name == OURS)


def _peers(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if not entry.name.startswith(OURS)]


def _times(entry: Entry, ours: Entry, cost: str) -> str:
    return "" if entry is ours else f" = {ratio(entry, ours, cost).middle:.1f}×"


def _spread(spread: Spread) -> str:
    if spread.low == spread.high:
        return _figure(spread.middle)
    return f"{_figure(spread.middle)} ({_figure(spread.low)}–{_figure(spread.high)})"


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def _score(entry: Entry, measure: str) -> str:
    values = entry.scores[measure]
    mean = f"{sum(values) / len(values):.3f}"
    if measure not in ("recall@5", "MRR@10"):
        return mean
    interval = bootstrap_interval(values, seed=_SEED)
    return f"{mean} [{interval.low:.3f}, {interval.high:.3f}]"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
