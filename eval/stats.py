"""How sure a number is: intervals for one run, and a paired test for two. The seed is an argument: no run differs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Comparison", "Interval", "bootstrap_interval", "compare", "paired_permutation"]

NOT_ENOUGH = "not enough cases to tell"
_RESAMPLES = 2000  # of the bootstrap
_ROUNDS = 10_000  # of the permutation test
_MARGIN = 0.05  # a difference that a reader would care about


@dataclass(frozen=True, slots=True)
class Interval:
    """Hold the range in which a mean lies, with a confidence of 95 %."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Hold what two runs of the same cases differ by; `difference` is the second less the first.

    `verdict` is "better", "worse", "no difference" (one of 5 points or more is ruled out), or "not enough cases to
    tell". `p` is two-sided.
    """

    n: int
    first: float
    second: float
    difference: float
    interval: Interval
    p: float
    verdict: str


def bootstrap_interval(values: Sequence[float], *, seed: int, lowest: float = 0.0) -> Interval:
    """Return the 95 % percentile interval of the mean of values from `lowest` to 1.

    Efron, Tibshirani: An Introduction to the Bootstrap (1993), chapter 13. Raises `ValueError` without values. Values
    that are all the same have no spread to resample: then it reaches as far as Wilson's (1927) interval of none in `n`.

    >>> bootstrap_interval([0, 1, 1, 1, 0, 1, 1, 0, 1, 1], seed=1)
    Interval(low=0.4, high=1.0)
    >>> bootstrap_interval([1, 1, 1, 1], seed=1)
    Interval(low=0.5101, high=1.0)
    """
    if not values:
        raise ValueError("an interval needs values; leave out a metric that applies to no case")
    array = np.asarray(values, dtype=np.float64)
    if array.min() == array.max():
        value, far = float(array[0]), 1.96**2 / (len(array) + 1.96**2)
        return Interval(round(max(lowest, value - far), 4), round(min(1.0, value + far), 4))
    rows = np.random.default_rng(seed).integers(len(array), size=(_RESAMPLES, len(array)))
    low, high = np.quantile(array[rows].mean(axis=1), [0.025, 0.975])
    return Interval(round(float(low), 4), round(float(high), 4))


def paired_permutation(first: Sequence[float], second: Sequence[float], *, seed: int) -> float:
    """Return the two-sided p-value of the mean difference when the two runs could be swapped case by case.

    Fisher (1935); for retrieval Smucker, Allan, Carterette: A Comparison of Statistical Significance Tests (2007).
    Up to 12 cases that differ are counted out, more are sampled.

    >>> paired_permutation([0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1], seed=1)
    0.03125
    """
    differences = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    differing = differences[differences != 0]
    if not len(differing):
        return 1.0
    seen = abs(differing.sum()) - 1e-12
    if len(differing) <= 12:
        signs = (np.arange(2 ** len(differing))[:, None] >> np.arange(len(differing)) & 1) * 2 - 1
        return float(np.mean(abs(signs @ differing) >= seen))
    signs = np.random.default_rng(seed).integers(2, size=(_ROUNDS, len(differing))) * 2 - 1
    return float((np.sum(abs(signs @ differing) >= seen) + 1) / (_ROUNDS + 1))


def compare(first: Sequence[float], second: Sequence[float], *, seed: int) -> Comparison:
    """Compare two runs of the same cases in the same order.

    >>> compare([0, 1, 0], [1, 1, 1], seed=1).verdict
    'not enough cases to tell'
    >>> compare([0.0] * 20, [1.0] * 20, seed=1).verdict
    'better'
    """
    if not first:
        raise ValueError("a comparison needs cases; leave out a metric that applies to none in both runs")
    differences = [b - a for a, b in zip(first, second, strict=True)]
    interval = bootstrap_interval(differences, seed=seed, lowest=-1.0)
    difference, p = float(np.mean(differences)), paired_permutation(first, second, seed=seed)
    if p < 0.05:
        verdict = "better" if difference > 0 else "worse"
    elif len(first) > 20 and interval.low > -_MARGIN and interval.high < _MARGIN:
        verdict = "no difference"
    else:
        verdict = NOT_ENOUGH
    return Comparison(
        n=len(first), first=float(np.mean(first)), second=float(np.mean(second)),
        difference=difference, interval=interval, p=p, verdict=verdict,
    )  # fmt: skip
