"""Fit what the `Quoter` makes of its features: ``python -m eval.fit.quoter --data FOLDER [--write]``.

Reads the development cases over seeds/, the stories held out from the reader, and questions of SQuAD's fitting half.
The weights are those of a softmax over the candidate sentences of a question and "none of them": its loss is the
negative logarithm of the share that falls to the sentences that answer, or to none where the question has no answer.
Prints the choice of several sets of features, each judged on questions that its weights did not see (by story or
article, in five parts); then, for the weights of all of them, what the answers to the development cases, and to
questions as people ask them (`plain_questions.jsonl`), are worth at each threshold, at the best one with each gap, and
then with other numbers of passages read.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import logsumexp

from eval.cases import Case, EvidenceSpan
from eval.fit.judged import Judged, RememberingReader, development_cases, judged, plain_cases, squad_cases, story_cases
from eval.fit.stories import load_stories, split_stories
from eval.metrics import evidence_recall, share_precise
from index.news_index import NewsIndex
from rag.bot import NewsBot
from rag.evidence import FEATURES
from rag.quoter import LinearModel, Quoter, QuoterModel
from rag.reader import READINGS, Reader, reader_beside

CHECKOUT = Path(__file__).resolve().parent.parent.parent
MODEL_FILE = CHECKOUT / "rag" / "quoter.json"
PENALTY = 0.01  # of the squared weights of standardized features
DEVELOPMENT_WEIGHT = 2.0  # of a development case; a question of a story has 1
FOLDS = 5
THRESHOLDS = (-4.0, -3.5, -3.25, -3.0, -2.75, -2.5, -2.25, -2.0, -1.5, -1.0)
LISTED_GAPS = (1.5, 2.0, 3.0)
FURTHER_GAPS = (0.0, 0.5, 1.0, 1.5)
PASSAGES = (4, 6, 8)
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
    shares = np.array([DEVELOPMENT_WEIGHT if part.case.id.startswith("dev") else 1.0 for part in usable])
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
    return part.case.id if part.case.id.startswith("dev") else part.case.id.rpartition("-")[0]


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


def outcome(case: Case, bot: NewsBot) -> Outcome:
    """Answer a case and compare what is cited with its evidence."""
    answer = bot.ask(case.question, history=case.history, **case.filters)
    cited = [EvidenceSpan(c.article_id, c.revision, c.start, c.end) for c in answer.citations]
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


def best_of(index: NewsIndex, cases: Sequence[Case], reader: Reader, models: Sequence[QuoterModel]) -> QuoterModel:
    """Print what the answers of each model are worth, and return the best.

    What is worth less by no more than `EQUAL` counts as equal, because a single case changes more: of those, the one
    that meets the needs of the most cases is taken.
    """
    print(
        f"\n{'threshold':>9}{'listed':>8}{'further':>8}{'passages':>9}"
        + "".join(f"{name:>20}" for name in (*COLUMNS, "worth"))
    )
    rows = []
    for model in models:
        bot = NewsBot(index, writer=Quoter(model, reader=reader))
        row = summary([outcome(case, bot) for case in cases])
        rows.append(row)
        line = "".join(f"{figure:>20.3f}" for figure in (*row, worth(row)))
        print(f"{model.threshold:>9}{model.listed_gap:>8}{model.further_gap:>8}{model.passages:>9}{line}", flush=True)
    return models[best_row(rows)]


def best_row(rows: Sequence[tuple[float, ...]]) -> int:
    """Return the place of the row of `summary` that is taken; see `best_of`."""
    least = max(map(worth, rows)) - EQUAL
    needs = COLUMNS.index("all needs")
    return max((place for place, row in enumerate(rows) if worth(row) >= least), key=lambda place: rows[place][needs])


def main() -> None:
    """Print the tables of tries; with ``--write`` save the weights, threshold and gaps that are best."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets, with SQuAD 2.0 dev")
    parser.add_argument("--write", action="store_true", help=f"save what is best to {MODEL_FILE.name}")
    options = parser.parse_args()
    _, held_out = split_stories(load_stories())
    with development_cases() as (index, cases), story_cases(held_out) as told, squad_cases(options.data) as squad:
        reader = RememberingReader(reader_beside(index))
        parts = {"dev": judged(index, cases, reader), "stories": judged(*told, reader), "SQuAD": judged(*squad, reader)}
        print(f"{len(cases)} development cases, {len(told[1])} questions of stories, {len(squad[1])} of SQuAD\n")
        print_choices(parts)
        choice = fit([part for group in parts.values() for part in group], range(len(FEATURES)))
        print()
        for name, weight in (*zip(FEATURES, choice.weights, strict=True), ("bias", choice.bias)):
            print(f"{name:<16}{weight:>8.3f}")
        cases += plain_cases(index)
        start = replace(QuoterModel.load(), choice=choice)
        best = best_of(index, cases, reader, [replace(start, threshold=threshold) for threshold in THRESHOLDS])
        gaps = product(LISTED_GAPS, FURTHER_GAPS)
        best = best_of(index, cases, reader, [replace(best, listed_gap=a, further_gap=b) for a, b in gaps])
        best = best_of(index, cases, reader, [replace(best, passages=passages) for passages in PASSAGES])
    print(
        f"\nchosen: threshold {best.threshold}, gaps {best.listed_gap} and {best.further_gap}, {best.passages} passages"
    )
    if options.write:
        save(best)


def save(model: QuoterModel) -> None:
    """Write a model to the file that the package ships."""
    shape = {
        "about": "Weights, bias, threshold and gaps: python -m eval.fit.quoter --write. See docs/fitting.md.",
        "weights": {name: round(weight, 4) for name, weight in zip(FEATURES, model.choice.weights, strict=True)},
        "bias": round(model.choice.bias, 4),
        "threshold": model.threshold,
        "listed_gap": model.listed_gap,
        "further_gap": model.further_gap,
        "passages": model.passages,
    }
    MODEL_FILE.write_text(json.dumps(shape, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
