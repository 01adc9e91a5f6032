"""Plots as SVG, without a library: pure functions from numbers to markup. Colours are classes that report.css sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Estimate", "difference_plot", "histogram", "interval_plot", "stacked_bars"]

_LABEL = 190
_PLOT = 470
_VALUES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Hold a number with its interval, and the class of its colour."""

    label: str
    value: float
    low: float
    high: float
    series: str


def interval_plot(rows: Mapping[str, Sequence[Estimate]], *, title: str) -> str:
    """Return a dot with its interval for each estimate, on a scale from 0 to 1, grouped by row."""
    parts, top = [], 8
    for name, estimates in rows.items():
        height = 16 * len(estimates) + 8
        middle = top + height / 2
        parts.append(_text(_LABEL - 12, middle, name, anchor="end"))
        for number, estimate in enumerate(estimates):
            parts.append(_dot(estimate, top + 4 + 16 * number + 8, low=0, high=1))
        top += height
        parts.append(f'<line class="rule" x1="0" x2="{_width()}" y1="{top:g}" y2="{top:g}"/>')
    return _svg(_axis(0, 1, (0, 0.25, 0.5, 0.75, 1), top) + "".join(parts), height=top + 24, title=title)


def difference_plot(estimates: Sequence[Estimate], *, title: str) -> str:
    """Return a dot with its interval for each difference, around a line at 0."""
    reach = max((abs(end) for e in estimates for end in (e.low, e.high)), default=0) or 0.1
    reach = min(1.0, 0.05 * (int(reach / 0.05) + 1))
    parts, top = [], 8
    for estimate in estimates:
        parts += [
            _text(_LABEL - 12, top + 12, estimate.label, anchor="end"),
            _dot(estimate, top + 12, low=-reach, high=reach, signed=True),
        ]
        top += 24
    axis = _axis(-reach, reach, (-reach, 0, reach), top, signed=True)
    return _svg(axis + "".join(parts), height=top + 24, title=title)


def stacked_bars(rows: Mapping[str, Mapping[str, int]], *, title: str) -> str:
    """Return a bar of equal length for each row, cut by its counts; the number of cases stands at its end."""
    parts, top = [], 4
    for name, counts in rows.items():
        total = sum(counts.values()) or 1
        at = float(_LABEL)
        parts.append(_text(_LABEL - 12, top + 10, name, anchor="end"))
        for kind, count in counts.items():
            wide = _PLOT * count / total
            if count:
                label = f"{name}: {count} of {total} {kind}"
                parts.append(
                    f'<rect class="bar {escape(kind)}" x="{at:.1f}" y="{top}" width="{max(1.0, wide - 2):.1f}" '
                    f'height="20" rx="2"><title>{escape(label)}</title></rect>'
                )
                if wide > 22:
                    parts.append(f'<text class="on-bar" x="{at + wide / 2 - 1:.1f}" y="{top + 14}">{count}</text>')
            at += wide
        parts.append(_text(_LABEL + _PLOT + 10, top + 10, str(total), css="quiet"))
        top += 26
    return _svg("".join(parts), height=top + 4, title=title)


def histogram(values: Sequence[float], *, title: str, unit: str, bins: int = 24) -> str:
    """Return how often values fall into equal bins from 0 to the greatest."""
    most = max(values, default=0) or 1
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int(bins * value / most))] += 1
    step, tallest = (_LABEL + _PLOT) / bins, max(counts)
    bars = "".join(
        f'<rect class="bar plain" x="{number * step:.1f}" y="{100 - 90 * count / tallest:.1f}" width="{step - 2:.1f}" '
        f'height="{90 * count / tallest:.1f}"><title>{count} between {most * number / bins:.0f} and '
        f"{most * (number + 1) / bins:.0f} {escape(unit)}</title></rect>"
        for number, count in enumerate(counts) if count
    )  # fmt: skip
    ends = _text(0, 114, f"0 {unit}", css="quiet")
    ends += _text(_LABEL + _PLOT, 114, f"{most:.0f} {unit}", anchor="end", css="quiet")
    line = f'<line class="axis" x1="0" x2="{_LABEL + _PLOT}" y1="100.5" y2="100.5"/>'
    return _svg(bars + line + ends, height=122, title=title)


def _dot(estimate: Estimate, y: float, *, low: float, high: float, signed: bool = False) -> str:
    def place(value: float) -> float:
        return _LABEL + _PLOT * (min(high, max(low, value)) - low) / (high - low)

    shown = f"{estimate.value:+.3f}" if signed else f"{estimate.value:.3f}"
    said = f"{estimate.label}: {shown}, between {estimate.low:.3f} and {estimate.high:.3f}"
    return (
        f'<g class="{escape(estimate.series)}"><title>{escape(said)}</title>'
        f'<line class="range" x1="{place(estimate.low):.1f}" x2="{place(estimate.high):.1f}" y1="{y:g}" y2="{y:g}"/>'
        f'<circle cx="{place(estimate.value):.1f}" cy="{y:g}" r="4.5"/></g>'
        + _text(_LABEL + _PLOT + 10, y, f"{estimate.value:+.2f}" if signed else f"{estimate.value:.3f}")
    )


def _axis(low: float, high: float, ticks: Sequence[float], bottom: float, *, signed: bool = False) -> str:
    parts = []
    for tick in ticks:
        x = _LABEL + _PLOT * (tick - low) / (high - low)
        css = "axis" if tick == 0 else "grid"
        label = f"{tick:+.2f}" if signed and tick else f"{tick:g}"
        parts.append(f'<line class="{css}" x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{bottom:g}"/>')
        parts.append(_text(x, bottom + 12, label, anchor="middle", css="quiet"))
    return "".join(parts)


def _text(x: float, y: float, text: str, *, anchor: str = "start", css: str = "label") -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y + 4:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _width() -> int:
    return _LABEL + _PLOT + _VALUES


def _svg(content: str, *, height: float, title: str) -> str:
    return f'<svg viewBox="0 0 {_width()} {height:g}" role="img" aria-label="{escape(title)}">{content}</svg>'
