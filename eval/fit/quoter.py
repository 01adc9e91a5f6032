"""Fit what the `Quoter` makes of its features: ``python -m eval.fit.quoter --data FOLDER [--write]``.

Reads the development cases over seeds/ and those of `plain_questions.jsonl` that nothing there answers, the stories
held out from the reader, and questions of SQuAD's fitting half.
The weights are those of a softmax over the candidate sentences of a question and "none of them": its loss is the
negative logarithm of the share that falls to the sentences that answer, or to none where the question has no answer.
Prints the choice of several sets of features, each judged on questions that its weights did not see (by story or
article, in five parts); then, for the weights of all of them, what the answers to the development cases, and to
questions as people ask them (`plain_questions.jsonl`), are worth at each threshold; what the answers to each kind of
question, those of the stories too, are worth with each gap (but for tolls: of a story, the earlier count is right too);
and then with other reaches.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import logsumexp

from eval.cases import Case, EvidenceSpan
from eval.fit.judged import (
    Asked,
    Judged,
    RememberingReader,
    asked,
    development_cases,
    judged,
    plain_cases,
    squad_cases,
    story_cases,
)  # fmt: skip
from eval.fit.stories import load_stories, split_stories
from eval.metrics import evidence_recall, share_precise
from rag.evidence import FEATURES
from rag.question import KINDS
from rag.quoter import LinearModel, QuoterModel, drafted
from rag.reader import READINGS, reader_beside

CHECKOUT = Path(__file__).resolve().parent.parent.parent
MODEL_FILE = CHECKOUT / "rag" / "quoter.json"
PENALTY = 0.01  # of the squared weights of standardized features
DEVELOPMENT_WEIGHT = 2.0  # of a case over seeds/; a question of a story or of SQuAD has 1
FOLDS = 5
STORIES_STEP = 5  # of the stories held out, every fifth: enough for the weights, and a fifth of the time
THRESHOLDS = (-4.0, -3.5, -3.25, -3.0, -2.75, -2.5, -2.25, -2.0, -1.5, -1.0)
GAPS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
REACHES = (0.1, 0.125, 0.15, 0.2, 0.25)
EQUAL = 0.01
COLUMNS = ("answerable refused", "near answered", "far answered", "precision", "all needs", "some need")
Array = npt.NDArray[np.float64]


# --- weights ------------------------------------------------------------------------------------------------------


def fit(parts: Sequence[Judged], columns: Sequence[int]) -> LinearModel:
    """Return weights for the features in `columns`, 0 for the others, that make the loss of the parts smallest."""
    usable = [part for part in parts if len(part.rows) and (part.case.refuse or part.gold.any())]
    every = np.vstack([part.rows[:, columns] for part in usable])
    mean, deviation = every.mean(axis=0), every.std(axis=0) + 1e-6
    rows = [(part.rows[:, columns] - mean) / deviation for part in usable]
    shares = np.array([DEVELOPMENT_WEIGHT if _over_seeds(part) else 1.0 for part in usable])
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


def unseen_scores(parts: Sequence[Judged], columns: Sequence[int]) -> list[tuple[Judged, Array]]:
    """Return every part with the scores of its candidates by weights that did not see its case or story."""
    groups = sorted({_group(part) for part in parts})
    fold_of = {group: place % FOLDS for place, group in enumerate(np.random.default_rng(0).permutation(groups))}
    scored = []
    for fold in range(FOLDS):
        model = fit([part for part in parts if fold_of[_group(part)] != fold], columns)
        scored += [(part, model.score(part.rows)) for part in parts if fold_of[_group(part)] == fold]
    return scored


def _group(part: Judged) -> str:
    """Return the story or the SQuAD article of a question, or the case."""
    return part.case.id if _over_seeds(part) else part.case.id.rpartition("-")[0]


def _over_seeds(part: Judged) -> bool:
    return part.case.split in ("dev", "fit")


def choice_figures(scored: Sequence[tuple[Judged, Array]]) -> tuple[float, float]:
    """Return how often the best sentence answers, and how well near misses are told from answerable parts (AUC)."""
    tops = [(part, scores.max(), bool(part.gold[scores.argmax()])) for part, scores in scored if len(scores)]
    reached = [right for part, _, right in tops if part.gold.any()]
    answerable = np.array([top for part, top, _ in tops if part.gold.any()])
    near = np.array([top for part, top, _ in tops if part.case.kind in ("near-miss", "false-premise")])
    return float(np.mean(reached)), float((answerable[:, None] > near[None]).mean())


def print_choices(parts: Mapping[str, Sequence[Judged]]) -> None:
    """Print how well several sets of features choose."""
    read = [FEATURES.index(name) for name in READINGS]
    others = [place for place in range(len(FEATURES)) if place not in read]
    print(f"{'features':<22}" + "".join(f"{name + ': best answers':>24}{'AUC near':>10}" for name in parts))
    for name, columns in (("reader alone", read), ("without the reader", others), ("all", range(len(FEATURES)))):
        scored = unseen_scores([part for group in parts.values() for part in group], list(columns))
        line = f"{name:<22}"
        for group in parts.values():
            cases = {part.case.id for part in group}
            right, area = choice_figures([pair for pair in scored if pair[0].case.id in cases])
            line += f"{right:>24.3f}{area:>10.3f}"
        print(line)


# --- threshold and gaps -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold what was done with a case: shares of its citations that meet a need, and of its needs that are met."""

    case: Case
    refused: bool
    precision: float
    recall: float


def outcome(asked: Asked, model: QuoterModel) -> Outcome:
    """Answer a case and compare what is cited with its evidence."""
    case = asked.case
    draft = drafted(asked.question, [part.under(model.choice) for part in asked.parts], model)
    cited = [EvidenceSpan(s.article_id, s.revision, s.start, s.end) for s in draft.sources]
    precision = share_precise([[span] for span in cited], case.evidence) if cited else 0.0
    return Outcome(case, not cited, precision, evidence_recall(cited, case.evidence) if case.evidence else 0.0)


def summary(results: Sequence[Outcome]) -> tuple[float, ...]:
    """Return the figures of `COLUMNS`."""
    answerable = [result for result in results if not result.case.refuse]
    near = [result for result in results if result.case.kind in ("near-miss", "false-premise")]
    far = [result for result in results if result.case.kind == "far"]
    return (
        _mean([result.refused for result in answerable]),
        _mean([not result.refused for result in near]),
        _mean([not result.refused for result in far]),
        _mean([result.precision for result in answerable if not result.refused]),
        _mean([result.recall == 1 for result in answerable]),
        _mean([result.recall > 0 for result in answerable]),
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def worth(figures: tuple[float, ...]) -> float:
    """Return one number for a row of `summary`: what is answered and right counts, what is answered and wrong costs.

    Refusing what the articles answer weighs twice as much as answering what they do not, for each of both kinds.
    """
    refused, near, far, precision, needs, _ = figures
    return precision + needs - 2 * refused - near - far


def best_row(rows: Sequence[tuple[float, ...]]) -> int:
    """Return the place of the row of `summary` that is taken.

    What is worth less than the best by no more than `EQUAL` counts as equal, because a single case changes more: of
    those, the most precise is taken.
    """
    least = max(map(worth, rows)) - EQUAL
    precision = COLUMNS.index("precision")
    equal = (place for place, row in enumerate(rows) if worth(row) >= least)
    return max(equal, key=lambda place: rows[place][precision])


def best_of(name: str, tries: Mapping[float, tuple[QuoterModel, Sequence[Asked]]]) -> QuoterModel:
    """Print what the answers of each model to its cases are worth, by the value tried; return the best model."""
    print(f"\n{name:>16}" + "".join(f"{column:>20}" for column in (*COLUMNS, "worth")))
    rows = []
    for value, (model, cases) in tries.items():
        row = summary([outcome(asked, model) for asked in cases])
        rows.append(row)
        print(f"{value:>16}" + "".join(f"{figure:>20.3f}" for figure in (*row, worth(row))), flush=True)
    return list(tries.values())[best_row(rows)][0]


def with_gap(model: QuoterModel, kind: str, gap: float) -> QuoterModel:
    """Return the model with another gap for a kind of question."""
    return replace(model, gaps={**model.gaps, kind: gap})


def main() -> None:
    """Print the tables of tries; with ``--write`` save the weights, threshold, gaps and reach that are best."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets, with SQuAD 2.0 dev")
    parser.add_argument("--write", action="store_true", help=f"save what is best to {MODEL_FILE.name}")
    options = parser.parse_args()
    _, held_out = split_stories(load_stories())
    held_out = held_out[::STORIES_STEP]
    best = QuoterModel.load()
    with development_cases() as (index, cases), story_cases(held_out) as told, squad_cases(options.data) as squad:
        reader = RememberingReader(reader_beside(index))
        plain = plain_cases(index)
        sure = [*cases, *(case for case in plain if case.refuse)]
        development = asked(index, sure, reader, best.reach)
        stories = asked(*told, reader, best.reach)
        others = asked(*squad, reader, best.reach)
        parts = {"dev": judged(development), "stories": judged(stories), "SQuAD": judged(others)}
        print(f"{len(sure)} development cases, {len(told[1])} questions of stories, {len(squad[1])} of SQuAD\n")
        print_choices(parts)
        best = replace(best, choice=fit([part for group in parts.values() for part in group], range(len(FEATURES))))
        print()
        for name, weight in (*zip(FEATURES, best.choice.weights, strict=True), ("bias", best.choice.bias)):
            print(f"{name:<16}{weight:>8.3f}")
        development += asked(index, [case for case in plain if not case.refuse], reader, best.reach)
        best = best_of("threshold", {t: (replace(best, threshold=t), development) for t in THRESHOLDS})
        for kind in (*KINDS, "toll"):
            asked_for, cases_of = ("count", development) if kind == "toll" else (kind, (*development, *stories))
            alike = [each for each in cases_of if each.question.kind == asked_for and not each.case.refuse]
            print(f"\n{kind}: {len(alike)} questions of the kind {asked_for}")
            best = best_of("gap", {gap: (with_gap(best, kind, gap), alike) for gap in GAPS})
        read = {reach: asked(index, cases + plain, reader, reach) for reach in REACHES}
        best = best_of("reach", {reach: (replace(best, reach=reach), found) for reach, found in read.items()})
    print(f"\nchosen: threshold {best.threshold}, gaps {dict(best.gaps)}, reach {best.reach}")
    if options.write:
        save(best)


def save(model: QuoterModel) -> None:
    """Write a model to the file that the package ships."""
    shape = {
        "about": "Weights, bias, threshold and gaps: python -m eval.fit.quoter --write. See docs/fitting.md.",
        "weights": {name: round(weight, 4) for name, weight in zip(FEATURES, model.choice.weights, strict=True)},
        "bias": round(model.choice.bias, 4),
        "threshold": model.threshold,
        "gaps": dict(model.gaps),
        "reach": model.reach,
    }
    MODEL_FILE.write_text(json.dumps(shape, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
