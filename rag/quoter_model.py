"""The numbers that decide for the `Quoter`: three linear models, and the log-odds from which each counts.

``python -m eval.fit.quoter --data FOLDER`` fits what is in ``quoter.json``. See docs/fitting.md.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from rag.features import FEATURES, Features
from rag.parts import KINDS
from rag.reader import LEAST_EVIDENCE, READINGS

__all__ = ["FURTHER", "SIGNS", "LinearModel", "QuoterModel", "further_signs", "signs_of"]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Hold a linear model: a weight for each feature, and a bias."""

    weights: tuple[float, ...]
    bias: float

    def score(self, rows: Features) -> npt.NDArray[np.float64]:
        """Return shape ``(rows,)`` for features of shape ``(rows, features)``: log-odds."""
        return np.asarray(rows @ np.array(self.weights) + self.bias, dtype=np.float64)


SIGNS = (
    "score",          # of the best candidate
    "runner_up",      # how far the second is below it, 0 or less
    "together",       # log-odds that one of all candidates answers, as the scores have it
    "evidence",       # the highest of the readings
    "next_evidence",  # the second highest
    "span",           # the highest
    "answerable",     # the highest
)  # fmt: skip
"""What tells whether a part of a question is answered at all."""


def signs_of(rows: Features, scores: npt.NDArray[np.float64]) -> Features:
    """Return shape ``(1, len(SIGNS))`` of at least one candidate, from features and scores.

    A second candidate that is not there is as far below the best, and reads as low, as the least that is ever read.
    """
    evidence, span, answerable = (rows[:, FEATURES.index(name)] for name in READINGS)
    best, *others = np.sort(scores)[::-1]
    strong, *weaker = np.sort(evidence)[::-1]
    runner_up = others[0] - best if others else LEAST_EVIDENCE
    next_evidence = weaker[0] if weaker else LEAST_EVIDENCE
    together = np.logaddexp.reduce(scores)
    return np.array([[best, runner_up, together, strong, next_evidence, span.max(), answerable.max()]])


FURTHER = (
    "score",         # of the sentence
    "below_best",    # how far it is below the best one, 0 or more
    "evidence",      # what the reader says of it
    "rank",          # logarithm of its place behind the best: 0 for the second
    "same_article",  # the best one stands in the same article
    "beside_best",   # and right before or behind it
)  # fmt: skip
"""What tells whether a sentence is quoted too, beside the best one."""


def further_signs(rows: Features, scores: npt.NDArray[np.float64], where: npt.NDArray[np.int64]) -> Features:
    """Return shape ``(len(rows), len(FURTHER))`` of at least one candidate, best first, from features and scores.

    `where` has shape ``(len(rows), 2)``: the number of each one's article, and its place in it.
    """
    same = where[:, 0] == where[0, 0]
    beside = same & (np.abs(where[:, 1] - where[0, 1]) == 1)
    rank = np.log(np.maximum(np.arange(len(rows)), 1))
    evidence = rows[:, FEATURES.index("evidence")]
    return np.column_stack([scores, scores[0] - scores, evidence, rank, same, beside])


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoterModel:
    """Hold what decides: the weights of the choice, of whether to answer, and of whether a further sentence is quoted.

    Nothing is said where `answers`, over `SIGNS`, is below `threshold`, or some way below it where the best sentence is
    in another language. A further sentence is quoted where `further`, over `FURTHER`, is not below the log-odds that
    `least` has for the kind of question; the other side of a comparison may be so much less sure as `side_gap` says.
    `toll_gap` is how far below the best score a newer count of the dead may lie, and `reach` how far below the best one
    the search may rank a passage that is read.
    """

    choice: LinearModel
    answers: LinearModel
    further: LinearModel
    threshold: float
    least: Mapping[str, float]
    toll_gap: float
    side_gap: float
    reach: float

    @classmethod
    def load(cls) -> "QuoterModel":
        """Read what the package ships."""
        return _shipped()


@cache
def _shipped() -> QuoterModel:
    data = json.loads(files("rag").joinpath("quoter.json").read_text(encoding="utf-8"))
    return QuoterModel(
        choice=_linear(data["choice"], FEATURES),
        answers=_linear(data["answers"], SIGNS),
        further=_linear(data["further"], FURTHER),
        threshold=float(data["threshold"]),
        least={kind: float(data["least"][kind]) for kind in KINDS},
        toll_gap=float(data["toll_gap"]),
        side_gap=float(data["side_gap"]),
        reach=float(data["reach"]),
    )


def _linear(data: Mapping[str, float], names: Sequence[str]) -> LinearModel:
    return LinearModel(tuple(float(data[name]) for name in names), float(data["bias"]))
