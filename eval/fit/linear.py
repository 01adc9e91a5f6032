"""The three linear models of the `Quoter`, fitted: which sentence answers, whether any does, and which others do too.

The weights of the choice are those of a softmax over the candidate sentences of a question and "none of them": its loss
is the negative logarithm of the share that falls to the sentences that answer, or to none where the question has no
answer. Whether to answer at all is a logistic regression over `SIGNS`, from scores by weights that did not see the
question, and of those that are not refused for a name that is missing. Which others do too is a logistic regression
over `FURTHER`, of the candidates behind the best one by such scores, in questions whose evidence is known whole. The
penalties and the weights of cases are by hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, logsumexp
from sklearn.linear_model import LogisticRegression

from eval.cases import Case
from eval.fit.judged import Judged
from rag.features import FEATURES
from rag.quoter_model import SIGNS, LinearModel, QuoterModel, further_signs, signs_of

__all__ = [
    "FOLDS",
    "NEXT_BEST",
    "Models",
    "behind_best",
    "fit",
    "fit_answers",
    "fit_further",
    "folds_of",
    "group_of",
    "unseen_scores",
]

PENALTY = 0.01  # of the squared weights of standardized features
DEVELOPMENT_WEIGHT = 12.0  # of a case over seeds/; a question of a story or of SQuAD has 1 (tries: docs/fitting.md)
ANSWERS_WEIGHT = 6.0  # the same, where whether to answer is fitted: no question of a story or of SQuAD is far
FOLDS = 5
SIGNS_PENALTY = 5.0  # of the squared weights of standardized signs, beside the summed loss of the questions
FURTHER_PENALTY = 1.0  # of half the squared weights of standardized signs, beside the summed loss of the candidates
NEXT_BEST = 15  # how many candidates behind the best one are looked at

Array = npt.NDArray[np.float64]
Sign = tuple[Judged, Array]
Further = tuple[Judged, Array, npt.NDArray[np.bool_]]  # as `behind_best` returns it


def fit(parts: Sequence[Judged], columns: Sequence[int]) -> LinearModel:
    """Return weights for the features in `columns`, 0 for the others, that make the loss of the parts smallest."""
    usable = [part for part in parts if len(part.rows) and (part.case.refuse or part.gold.any())]
    whole = np.vstack([part.rows[:, columns] for part in usable])
    mean, deviation = whole.mean(axis=0), whole.std(axis=0) + 1e-6
    rows = [(part.rows[:, columns] - mean) / deviation for part in usable]
    shares = np.array([DEVELOPMENT_WEIGHT if _over_seeds(part.case) else 1.0 for part in usable])
    shares /= shares.sum()

    def loss(point: Array) -> tuple[float, Array]:
        value, slope = PENALTY * float((point[:-1] ** 2).sum()), np.append(2 * PENALTY * point[:-1], 0.0)
        for part, own, share in zip(usable, rows, shares, strict=True):
            scores = np.append(own @ point[:-1], point[-1])
            right = np.append(part.gold, False) if not part.case.refuse else np.arange(len(scores)) == len(own)
            every, among = logsumexp(scores), logsumexp(scores[right])
            value += share * (every - among)
            change = share * (np.exp(scores - every) - np.where(right, np.exp(scores - among), 0.0))
            slope += np.append(own.T @ change[:-1], change[-1])
        return value, slope

    found = minimize(loss, np.zeros(len(columns) + 1), jac=True, method="L-BFGS-B").x
    weights = np.zeros(len(FEATURES))
    weights[list(columns)] = found[:-1] / deviation
    bias = -float(found[-1] + (found[:-1] / deviation * mean).sum())
    return LinearModel(tuple(float(weight) for weight in weights), bias)


def folds_of(parts: Sequence[Judged]) -> dict[str, int]:
    """Return which of the `FOLDS` every case or story is judged in."""
    groups = sorted({group_of(part.case) for part in parts})
    return {group: place % FOLDS for place, group in enumerate(np.random.default_rng(0).permutation(groups))}


def blind_choices(parts: Sequence[Judged], columns: Sequence[int], fold_of: Mapping[str, int]) -> list[LinearModel]:
    """Return for each fold the weights that are fitted to the parts of the others."""
    return [fit([part for part in parts if fold_of[group_of(part.case)] != fold], columns) for fold in range(FOLDS)]


def unseen_scores(parts: Sequence[Judged], columns: Sequence[int]) -> list[tuple[Judged, Array]]:
    """Return every part with the scores of its candidates by weights that did not see its case or story."""
    fold_of = folds_of(parts)
    choices = blind_choices(parts, columns, fold_of)
    return [(part, choices[fold_of[group_of(part.case)]].score(part.rows)) for part in parts]


def group_of(case: Case) -> str:
    """Return the story or the SQuAD article of a question, or the case."""
    return case.id if _over_seeds(case) else case.id.rpartition("-")[0]


def _over_seeds(case: Case) -> bool:
    return case.split in ("dev", "fit")


def fit_answers(signs: Sequence[Sign]) -> LinearModel:
    """Return weights over `SIGNS` that tell the parts with an answer from the others.

    None is below 0: each sign is higher the likelier an answer is, and a fit that turns one around follows an accident.
    """
    rows = np.vstack([row for _, row in signs])
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    scaled = (rows - mean) / deviation
    shares = np.array([ANSWERS_WEIGHT if _over_seeds(part.case) else 1.0 for part, _ in signs])
    side = np.array([-1.0 if part.case.refuse else 1.0 for part, _ in signs])

    def loss(point: Array) -> tuple[float, Array]:
        margin = side * (scaled @ point[:-1] + point[-1])
        change = -shares * side * expit(-margin)
        value = SIGNS_PENALTY * float((point[:-1] ** 2).sum()) + float(shares @ np.logaddexp(0.0, -margin))
        return value, np.append(2 * SIGNS_PENALTY * point[:-1] + change @ scaled, change.sum())

    bounds = [(0.0, None)] * len(SIGNS) + [(None, None)]
    found = minimize(loss, np.zeros(len(SIGNS) + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = found[:-1] / deviation
    return LinearModel(tuple(float(weight) for weight in weights), float(found[-1] - weights @ mean))


def behind_best(part: Judged, scores: Array) -> Further:
    """Return a part with the signs of the next best candidates, at most `NEXT_BEST`, and which of them are evidence."""
    order = np.argsort(-scores, kind="stable")
    signs = further_signs(part.rows[order], scores[order], part.where[order])
    return part, signs[1 : 1 + NEXT_BEST], part.gold[order][1 : 1 + NEXT_BEST]


def fit_further(known: Sequence[Further]) -> LinearModel:
    """Return weights over `FURTHER` that tell evidence from the other candidates behind the best one."""
    rows = np.vstack([signs for _, signs, _ in known])
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    shares = [DEVELOPMENT_WEIGHT if _over_seeds(part.case) else 1.0 for part, _, gold in known for _ in gold]
    truth = np.concatenate([gold for _, _, gold in known])
    regression = LogisticRegression(C=1 / FURTHER_PENALTY, max_iter=1000)
    found = regression.fit((rows - mean) / deviation, truth, sample_weight=shares)
    weights = found.coef_[0] / deviation
    return LinearModel(tuple(float(weight) for weight in weights), float(found.intercept_[0] - weights @ mean))


@dataclass(frozen=True, slots=True)
class Fitted:
    """Hold the three linear models, each fitted to those of some questions that tell something of it."""

    choice: LinearModel
    answers: LinearModel
    further: LinearModel

    def within(self, model: QuoterModel) -> QuoterModel:
        """Return a model with these in place of its own."""
        return replace(model, choice=self.choice, answers=self.answers, further=self.further)


@dataclass(frozen=True, slots=True)
class Models:
    """Hold the linear models: `whole` has those that are fitted to every question.

    `blind` has for each fold those that are fitted to the other folds alone; `fold_of` the fold of each case or story,
    `signs` the signs of each part, from scores by weights that did not see it.
    """

    whole: Fitted
    blind: tuple[Fitted, ...]
    fold_of: Mapping[str, int]
    signs: tuple[Sign, ...]

    @classmethod
    def fitted(cls, known: Sequence[Judged], unsure: Sequence[Judged]) -> "Models":
        """Fit them; the `unsure` parts have an answer, but which sentence it is is not known."""
        fold_of, every = folds_of([*known, *unsure]), range(len(FEATURES))
        choices = blind_choices(known, every, fold_of)
        held = [part for part in (*known, *unsure) if len(part.rows)]
        scored = [(part, choices[fold_of[group_of(part.case)]].score(part.rows)) for part in held]
        signs = tuple((part, signs_of(part.rows, scores)) for part, scores in scored if not part.refused)
        # SQuAD marks one place, where others may answer too; of the unsure no place is known.
        sure = {part.case.id for part in known if part.gold.any() and part.case.split != "squad"}
        further = [behind_best(part, scores) for part, scores in scored if part.case.id in sure]
        blind = tuple(
            Fitted(
                choices[fold],
                fit_answers([sign for sign in signs if fold_of[group_of(sign[0].case)] != fold]),
                fit_further([each for each in further if fold_of[group_of(each[0].case)] != fold]),
            )
            for fold in range(FOLDS)
        )
        return cls(Fitted(fit(known, every), fit_answers(signs), fit_further(further)), blind, fold_of, signs)

    def beside(self, model: QuoterModel, case: Case) -> QuoterModel:
        """Return a model with the weights that did not see a case in place of its own."""
        return self.blind[self.fold_of[group_of(case)]].within(model)
