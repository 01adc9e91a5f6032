"""Fit what the `Quoter` makes of its features: ``python -m eval.fit.quoter --data FOLDER [--write]``.

Reads the development cases over seeds/ and those of `plain_questions.jsonl` that nothing there answers, the stories
held out from the reader, and questions of SQuAD's fitting half.
The weights are those of a softmax over the candidate sentences of a question and "none of them": its loss is the
negative logarithm of the share that falls to the sentences that answer, or to none where the question has no answer.
Prints the choice of several sets of features, each judged on questions that its weights did not see (by story or
article, in five parts). Whether to answer at all is a logistic regression over `SIGNS`, from scores by weights that did
not see the question, and of those that are not refused for a name that is missing. Then what the answers to the
development cases, and to questions as people ask them (`plain_questions.jsonl`), are worth at each threshold and floor;
what the answers to each kind of question, those of the stories too, are worth with each gap (but for tolls: of a story,
the earlier count is right too); and with other reaches.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, logsumexp
from sklearn.metrics import roc_auc_score

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
from rag.features import FEATURES
from rag.parts import KINDS
from rag.quoter import drafted
from rag.quoter_model import SIGNS, LinearModel, QuoterModel, signs_of
from rag.reader import READINGS, reader_beside

CHECKOUT = Path(__file__).resolve().parent.parent.parent
MODEL_FILE = CHECKOUT / "rag" / "quoter.json"
PENALTY = 0.01  # of the squared weights of standardized features
DEVELOPMENT_WEIGHT = 2.0  # of a case over seeds/; a question of a story or of SQuAD has 1
ANSWERS_WEIGHT = 6.0  # the same, where whether to answer is fitted: no question of a story or of SQuAD is far
FOLDS = 5
STORIES_STEP = 8  # of the stories held out, every eighth: enough for the weights, and an eighth of the time
SIGNS_PENALTY = 5.0  # of the squared weights of standardized signs, beside the summed loss of the questions
THRESHOLDS = (-1.5, -1.25, -1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0)
FLOORS = (-4.0, -3.5, -3.0, -2.5, -2.0, -1.5)
GAPS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
REACHES = (0.1, 0.125, 0.15, 0.2, 0.25)
EQUAL = 0.01
MOST_REFUSED = 0.08  # of the answerable cases: the bar is 0.1, and other questions are harder than these
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


def folds_of(parts: Sequence[Judged]) -> dict[str, int]:
    """Return which of the `FOLDS` every case or story is judged in."""
    groups = sorted({_group(part) for part in parts})
    return {group: place % FOLDS for place, group in enumerate(np.random.default_rng(0).permutation(groups))}


def unseen_scores(parts: Sequence[Judged], columns: Sequence[int]) -> list[tuple[Judged, Array]]:
    """Return every part with the scores of its candidates by weights that did not see its case or story."""
    fold_of = folds_of(parts)
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


# --- whether to answer --------------------------------------------------------------------------------------------

Sign = tuple[Judged, Array]


def fit_answers(signs: Sequence[Sign]) -> LinearModel:
    """Return weights over `SIGNS` that tell the parts with an answer from the others.

    None is below 0: each sign is higher the likelier an answer is, and a fit that turns one around follows an accident.
    """
    rows = np.vstack([row for _, row in signs])
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    scaled = (rows - mean) / deviation
    shares = np.array([ANSWERS_WEIGHT if _over_seeds(part) else 1.0 for part, _ in signs])
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


def print_answers(signs: Sequence[Sign], groups: Mapping[str, Sequence[Judged]]) -> None:
    """Print how well the best score alone, and all signs, tell what has an answer, by weights that did not see it."""
    fold_of = folds_of([part for part, _ in signs])
    models = [fit_answers([s for s in signs if fold_of[_group(s[0])] != fold]) for fold in range(FOLDS)]
    print(f"\n{'whether to answer':<22}{'best score: AUC':>20}{'all signs: AUC':>20}")
    for name, group in groups.items():
        cases = {part.case.id for part in group}
        own = [(part, row) for part, row in signs if part.case.id in cases]
        truth = [not part.case.refuse for part, _ in own]
        by_signs = [models[fold_of[_group(part)]].score(row)[0] for part, row in own]
        best = [row[0, SIGNS.index("score")] for _, row in own]
        print(f"{name:<22}{roc_auc_score(truth, best):>20.3f}{roc_auc_score(truth, by_signs):>20.3f}")


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
    those, the most precise is taken. What refuses more than `MOST_REFUSED` is left out, unless all do.
    """
    refused, precision = COLUMNS.index("answerable refused"), COLUMNS.index("precision")
    usable = [place for place, row in enumerate(rows) if row[refused] <= MOST_REFUSED] or range(len(rows))
    least = max(worth(rows[place]) for place in usable) - EQUAL
    equal = (place for place in usable if worth(rows[place]) >= least)
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
        unsure = asked(index, [case for case in plain if not case.refuse], reader, best.reach)
        parts = {"dev": judged(development), "stories": judged(stories), "SQuAD": judged(others)}
        print(f"{len(sure)} development cases, {len(told[1])} questions of stories, {len(squad[1])} of SQuAD\n")
        best = with_models(best, parts, judged(unsure))
        development += unsure
        best = best_of("threshold", {t: (replace(best, threshold=t), development) for t in THRESHOLDS})
        best = best_of("floor", {f: (replace(best, floor=f), development) for f in FLOORS})
        for kind in (*KINDS, "toll"):
            asked_for, cases_of = ("count", development) if kind == "toll" else (kind, (*development, *stories))
            alike = [each for each in cases_of if each.question.kind == asked_for and not each.case.refuse]
            print(f"\n{kind}: {len(alike)} questions of the kind {asked_for}")
            best = best_of("gap", {gap: (with_gap(best, kind, gap), alike) for gap in GAPS})
        read = {reach: asked(index, cases + plain, reader, reach) for reach in REACHES}
        best = best_of("reach", {reach: (replace(best, reach=reach), found) for reach, found in read.items()})
    print(f"\nchosen: threshold {best.threshold}, floor {best.floor}, gaps {dict(best.gaps)}, reach {best.reach}")
    if options.write:
        save(best)


def with_models(model: QuoterModel, parts: Mapping[str, Sequence[Judged]], unsure: Sequence[Judged]) -> QuoterModel:
    """Print and return both linear models; the `unsure` parts have an answer, but which sentence it is is not known."""
    print_choices(parts)
    known = [part for group in parts.values() for part in group]
    every = range(len(FEATURES))
    choice = fit(known, every)
    print()
    for name, weight in (*zip(FEATURES, choice.weights, strict=True), ("bias", choice.bias)):
        print(f"{name:<16}{weight:>8.3f}")
    scored = [*unseen_scores(known, every), *((part, choice.score(part.rows)) for part in unsure)]
    signs = [(part, signs_of(part.rows, scores)) for part, scores in scored if len(scores) and not part.refused]
    print_answers(signs, {**parts, "dev": [*parts["dev"], *unsure]})
    answers = fit_answers(signs)
    print("\n" + "\n".join(f"{name:<16}{weight:>8.3f}" for name, weight in zip(SIGNS, answers.weights, strict=True)))
    return replace(model, choice=choice, answers=answers)


def save(model: QuoterModel) -> None:
    """Write a model to the file that the package ships."""
    shape = {
        "about": "Fitted by: python -m eval.fit.quoter --data FOLDER --write. See docs/fitting.md.",
        "choice": _named(FEATURES, model.choice),
        "answers": _named(SIGNS, model.answers),
        "threshold": model.threshold,
        "floor": model.floor,
        "gaps": dict(model.gaps),
        "reach": model.reach,
    }
    MODEL_FILE.write_text(json.dumps(shape, indent=1) + "\n", encoding="utf-8")


def _named(names: Sequence[str], model: LinearModel) -> dict[str, float]:
    weights = {name: round(weight, 4) for name, weight in zip(names, model.weights, strict=True)}
    return {**weights, "bias": round(model.bias, 4)}


if __name__ == "__main__":
    main()
