"""Fit what the `Quoter` chooses by, on the development cases over seeds/: ``python -m eval.fit.quoter [--write]``.

Two logistic regressions. The first tells the sentences that meet a need of their case from the others of the same
question. The second tells, from the best sentence, whether the question is answered at all. Each is judged on questions
that it was not fitted to (leave one group of ten questions out). The threshold is the one that refuses least among those
that reach the wanted share of refusals. Nothing of the `test` cases or of `unseen/` is read.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from eval.cases import Case, EvidenceSpan, load_cases
from index.news_index import NewsIndex
from index.scope import Filters
from rag.bot import NewsBot
from rag.evidence import FEATURES, Candidate, Features
from rag.question import read_question
from rag.quoter import GROUP_FEATURES, LinearModel, Quoter, QuoterModel, Scored, group_features, score
from rag.retrieve import retrieve

CHECKOUT = Path(__file__).resolve().parent.parent.parent
MODEL_FILE = CHECKOUT / "rag" / "quoter.json"
FOLDS = 10
K = 8
WANTED_REFUSED = 0.8
STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)  # inverse of the L2 penalty
_UNFITTED = LinearModel(weights=(1.0,) + (0.0,) * (len(FEATURES) - 1), bias=0.0)


@dataclass(frozen=True, slots=True)
class Example:
    """Hold one part of a case's question: its scored candidates and which of them meet a need."""

    case: Case
    scored: Scored
    right: npt.NDArray[np.bool_]


def examples(cases: Sequence[Case], index: NewsIndex) -> list[Example]:
    """Return an example for each part of each case that found any candidate."""
    found = []
    for case in cases:
        filters = Filters.of(**case.filters)
        question = read_question(case.question, history=case.history, filters=filters, known_sources=index.sources())
        evidence = retrieve(index, question, k=K)
        for part in question.parts:
            scored = score(part, evidence, _UNFITTED)
            right = np.array([_meets(candidate, case) for candidate in scored.candidates], dtype=np.bool_)
            if len(right):
                found.append(Example(case, scored, right))
    return found


def _meets(candidate: Candidate, case: Case) -> bool:
    article = candidate.article
    span = EvidenceSpan(article.id, article.revision, candidate.span.start, candidate.span.end)
    return any(span.overlaps(gold) for need in case.evidence for gold in need)


def fit_choice(train: Sequence[Example], strength: float) -> LinearModel:
    """Fit which sentence to choose: each question weighs the same, its right sentences as much as its wrong ones."""
    used = [example for example in train if example.right.any()]
    rows = np.concatenate([example.scored.rows for example in used])
    right = np.concatenate([example.right for example in used])
    weights = np.concatenate([_balance(example.right) for example in used])
    return _fitted(rows, right, weights, strength)


def _balance(right: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    positive, negative = right.sum(), (~right).sum()
    return np.where(right, 1 / positive, 1 / max(1, negative)).astype(np.float64)


def fit_answerable(train: Sequence[Example], choice: LinearModel, strength: float) -> LinearModel:
    """Fit whether the best sentence answers: yes when it meets a need of its case."""
    rows, right = zip(*(best_row(example, choice) for example in train), strict=True)
    labels = np.array(right)
    weights = np.where(labels, 0.5 / max(1, labels.sum()), 0.5 / max(1, (~labels).sum())) * len(labels)
    return _fitted(np.array(rows), labels, weights, strength)


def _fitted(rows: Features, labels: npt.NDArray[np.bool_], weights: npt.NDArray[np.float64], strength: float) -> LinearModel:
    middle, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    model = LogisticRegression(C=strength, max_iter=2000)
    model.fit((rows - middle) / spread, labels, sample_weight=weights / weights.mean())
    raw = model.coef_[0] / spread
    return LinearModel(tuple(raw.tolist()), float(model.intercept_[0] - (raw * middle).sum()))


def rescored(example: Example, choice: LinearModel) -> tuple[Scored, npt.NDArray[np.bool_]]:
    """Return the example's candidates in the order of another model, and which of them meet a need."""
    scores = choice.probability(example.scored.rows)
    order = np.argsort(-scores, kind="stable")
    scored = Scored(
        part=example.scored.part, terms=example.scored.terms, rows=example.scored.rows[order], scores=scores[order],
        candidates=tuple(example.scored.candidates[i] for i in order),
    )  # fmt: skip
    return scored, example.right[order]


def best_row(example: Example, choice: LinearModel) -> tuple[Features, bool]:
    """Return the features of the best sentence among its rivals, and whether it meets a need."""
    scored, right = rescored(example, choice)
    return group_features(scored), bool(right[0])


@dataclass(frozen=True, slots=True)
class Judged:
    """Hold what models that never saw a question say of it."""

    example: Example
    first_is_right: bool
    probability: float


def cross_validated(data: Sequence[Example], choice_strength: float, answer_strength: float) -> list[Judged]:
    """Judge every example by models fitted without its case."""
    names = sorted({example.case.id for example in data})
    judged = []
    for fold in range(FOLDS):
        held_out = set(names[fold::FOLDS])
        train = [example for example in data if example.case.id not in held_out]
        choice = fit_choice(train, choice_strength)
        answerable = fit_answerable(train, choice, answer_strength)
        for example in data:
            if example.case.id in held_out:
                row, right = best_row(example, choice)
                judged.append(Judged(example, right, float(answerable.probability(row[np.newaxis])[0])))
    return judged


def threshold_for(judged: Sequence[Judged], wanted: float = WANTED_REFUSED) -> float:
    """Return the threshold with the fewest errors among those that refuse the wanted share of what is to be refused."""
    refuse = np.array([j.probability for j in judged if j.example.case.refuse])
    answer = np.array([j.probability for j in judged if not j.example.case.refuse])
    tries = np.linspace(0.02, 0.98, 97)
    reached = [t for t in tries if (refuse < t).mean() >= wanted] or [tries[-1]]
    return float(max(reached, key=lambda t: ((answer >= t).mean() + (refuse < t).mean(), -t)))


def shares(judged: Sequence[Judged], threshold: float) -> dict[str, float]:
    """Return the two error rates and what they are made of."""
    def refused(kinds: set[str]) -> float:
        some = [j.probability < threshold for j in judged if j.example.case.refuse and j.example.case.kind in kinds]
        return float(np.mean(some)) if some else float("nan")

    answerable = [j for j in judged if not j.example.case.refuse]
    return {
        "answered": float(np.mean([j.probability >= threshold for j in answerable])),
        "first_right": float(np.mean([j.first_is_right for j in answerable])),
        "answered_right": float(np.mean([j.probability >= threshold and j.first_is_right for j in answerable])),
        "refused_near": refused({"near-miss", "false-premise"}),
        "refused_far": refused({"far"}),
    }


def main() -> None:
    """Fit, print the table of tries and the two error rates, and with ``--write`` save the model."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--write", action="store_true", help=f"save the model to {MODEL_FILE.name}")
    write = parser.parse_args().write
    with tempfile.TemporaryDirectory() as folder, NewsIndex.open(folder, create=True) as index:
        index.ingest(CHECKOUT / "seeds" / "articles.jsonl")
        held = [index.article(a.id, r) for a in index.articles() for r in range(1, a.revision + 1)]
        cases = load_cases(CHECKOUT / "eval" / "cases" / "dev.jsonl", {(a.id, a.revision): a for a in held})
        data = examples(cases, index)
    report(cases, data)
    tries = {}
    print(f"{'choice C':>9}{'answer C':>9}  threshold  " + "".join(f"{c:>16}" for c in COLUMNS))
    for choice_strength in STRENGTHS:
        for answer_strength in STRENGTHS:
            judged = cross_validated(data, choice_strength, answer_strength)
            threshold = threshold_for(judged)
            row = shares(judged, threshold)
            tries[choice_strength, answer_strength] = (row["answered_right"] + row["refused_near"], threshold)
            print(f"{choice_strength:>9}{answer_strength:>9}{threshold:>11.2f}  " + "".join(f"{row[c]:>16.3f}" for c in COLUMNS))
    (choice_strength, answer_strength), (_, threshold) = max(tries.items(), key=lambda item: item[1][0])
    choice = fit_choice(data, choice_strength)
    answerable = fit_answerable(data, choice, answer_strength)
    print(f"\nchosen: choice C {choice_strength}, answer C {answer_strength}, threshold {threshold:.2f}")
    for name, weight in zip(FEATURES, choice.weights, strict=True):
        print(f"  choice      {name:16}{weight:8.2f}")
    for name, weight in zip(FEATURES + GROUP_FEATURES, answerable.weights, strict=True):
        print(f"  answerable  {name:16}{weight:8.2f}")
    if write:
        save(choice, answerable, threshold)


COLUMNS = ("answered", "first_right", "answered_right", "refused_near", "refused_far")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold what the whole `Quoter` did with a case."""

    case: Case
    refused: bool
    precision: float
    recall: float


def outcomes(cases: Sequence[Case], index: NewsIndex, model: QuoterModel) -> list[Outcome]:
    """Answer every case; precision counts citations that meet a need, recall the needs that a citation meets."""
    bot = NewsBot(index, writer=Quoter(model))
    found = []
    for case in cases:
        answer = bot.ask(case.question, history=case.history, k=K, **case.filters)
        cited = [EvidenceSpan(c.article_id, c.revision, c.start, c.end) for c in answer.citations]
        gold = [span for need in case.evidence for span in need]
        precise = [any(span.overlaps(right) for right in gold) for span in cited]
        met = [any(span.overlaps(right) for span in cited for right in need) for need in case.evidence]
        found.append(Outcome(case, not cited, float(np.mean(precise or [0])), float(np.mean(met or [0]))))
    return found


def summary(results: Sequence[Outcome]) -> dict[str, float]:
    """Return the mean figures over what is answerable, and the shares refused."""
    answerable = [r for r in results if not r.case.refuse]
    near = [r.refused for r in results if r.case.kind in ("near-miss", "false-premise")]
    return {
        "answered": float(np.mean([not r.refused for r in answerable])),
        "precision": float(np.mean([r.precision for r in answerable if not r.refused])),
        "all_needs": float(np.mean([r.recall == 1 for r in answerable])),
        "some_need": float(np.mean([r.recall > 0 for r in answerable])),
        "refused_near": float(np.mean(near)),
        "refused_far": float(np.mean([r.refused for r in results if r.case.kind == "far"])),
    }


def report(cases: Sequence[Case], data: Sequence[Example]) -> None:
    """Print how much of the evidence the retrieval found at all: what no choice can mend."""
    answerable = [example for example in data if not example.case.refuse]
    found = sum(example.right.any() for example in answerable)
    print(f"{len(cases)} cases, {len(data)} parts; evidence retrieved for {found} of {len(answerable)} answerable parts\n")


def save(choice: LinearModel, answerable: LinearModel, threshold: float) -> None:
    """Write the model that the package ships."""
    shape = {
        "made_by": "python -m eval.fit.quoter --write",
        "choice": _as_json(FEATURES, choice),
        "answerable": _as_json(FEATURES + GROUP_FEATURES, answerable),
        "threshold": round(threshold, 3), "listed_share": 0.5, "further_share": 0.85,
    }  # fmt: skip
    MODEL_FILE.write_text(json.dumps(shape, indent=1) + "\n", encoding="utf-8")


def _as_json(names: Sequence[str], model: LinearModel) -> dict[str, object]:
    weights = {name: round(weight, 4) for name, weight in zip(names, model.weights, strict=True)}
    return {"weights": weights, "bias": round(model.bias, 4)}


if __name__ == "__main__":
    main()
