"""The numbers that decide for the `Quoter`: two linear models, and how far behind the best a sentence may lie.

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
from rag.reader import READINGS

__all__ = ["SIGNS", "LinearModel", "QuoterModel", "signs_of"]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Hold a linear model: a weight for each feature, and a bias."""

    weights: tuple[float, ...]
    bias: float

    def score(self, rows: Features) -> npt.NDArray[np.float64]:
        """Return shape ``(rows,)`` for features of shape ``(rows, features)``: log-odds against "none answers"."""
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

_FEWEST = -8.0  # the reading of a second candidate where there is none: about the least that is ever read


def signs_of(rows: Features, scores: npt.NDArray[np.float64]) -> Features:
    """Return shape ``(1, len(SIGNS))`` of at least one candidate, from features and scores."""
    evidence, span, answerable = (rows[:, FEATURES.index(name)] for name in READINGS)
    best, *others = np.sort(scores)[::-1]
    strong, *weaker = np.sort(evidence)[::-1]
    runner_up = others[0] - best if others else _FEWEST
    next_evidence = weaker[0] if weaker else _FEWEST
    together = np.logaddexp.reduce(scores)
    return np.array([[best, runner_up, together, strong, next_evidence, span.max(), answerable.max()]])


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoterModel:
    """Hold what decides: the weights of the choice, those of whether to answer, and how near further sentences come.

    Nothing is said where `answers`, over `SIGNS`, is below `threshold`. A further sentence must score `floor`, and may
    lie as far below the best one as `gaps` has for the kind of question; "toll" is how far a newer count of the dead
    may. `reach` is how far the search may rank a passage that is read below the best one.
    """

    choice: LinearModel
    answers: LinearModel
    threshold: float
    floor: float
    gaps: Mapping[str, float]
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
        threshold=float(data["threshold"]),
        floor=float(data["floor"]),
        gaps={kind: float(data["gaps"][kind]) for kind in (*KINDS, "toll")},
        reach=float(data["reach"]),
    )


def _linear(data: Mapping[str, float], names: Sequence[str]) -> LinearModel:
    return LinearModel(tuple(float(data[name]) for name in names), float(data["bias"]))
