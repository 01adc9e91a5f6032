"""Fit what the `Quoter` makes of its features: ``python -m eval.fit.quoter --data FOLDER [--write]``.

Reads the development cases over seeds/ and those of `plain_questions.jsonl` that nothing there answers, the stories
held out from the reader (some of the pairs in one index, some of the sagas each in its own), and questions of SQuAD's
fitting half.
The weights are those of `eval.fit.linear`. Prints the choice of several sets of features, each judged on questions that
its weights did not see (by story or article, in five parts), and how well whether to answer is told. Then what the
answers to the development cases, and to questions as people ask them (`plain_questions.jsonl`), are worth at each
threshold; what the answers to each kind of question, those of the stories too, are worth at each least log-odds of a
further sentence; what those to tolls and comparisons are worth with each gap; and with other reaches, and where fewer
of the passages are read. Each is answered with weights that did not see it.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from eval.cases import Case, EvidenceSpan
from eval.fit.command import run_fit
from eval.fit.judged import (
    Asked,
    Judged,
    RememberingReader,
    asked,
    asked_of,
    development_cases,
    judged,
    plain_cases,
    squad_cases,
    story_cases,
)  # fmt: skip
from eval.fit.linear import Models, group_of, unseen_scores
from eval.fit.stories import Story, load_stories, split_stories
from eval.metrics import evidence_recall, share_precise
from index.news_index import NewsIndex
from rag.features import FEATURES
from rag.parts import KINDS
from rag.quoter import drafted
from rag.quoter_model import FURTHER, SIGNS, LinearModel, QuoterModel, signs_of
from rag.reader import READINGS, Reader, reader_beside

CHECKOUT = Path(__file__).resolve().parent.parent.parent
MODEL_FILE = CHECKOUT / "rag" / "quoter.json"
STORIES_STEP = 8  # of the stories held out, every eighth: enough for the weights, and an eighth of the time
SAGAS_STEP = 2  # every second saga, because sagas have most of the questions with several answers
THRESHOLDS = (-1.5, -1.25, -1.0, -0.8, -0.7, -0.6, -0.5, -0.45, -0.4, -0.3, -0.2, -0.1, 0.0, 0.25, 0.5, 1.0)
LEAST = (-1.6, -1.3, -1.0, -0.8, -0.6, -0.4, -0.2, 0.0, 0.3, 0.6, 1.0, 1.5)  # -0.4 is a probability of 0.4
THRESHOLD = -0.45
"""By hand, beside its tries: docs/fitting.md, "What ships"."""
BY_HAND = {"fact": -0.8, "table": -2.0}
"""Least log-odds that the tries do not decide either."""
TOLL_GAPS = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 9.0)
SIDE_GAPS = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0)
REACHES = (0.1, 0.125, 0.15, 0.2, 0.25)
UNREADS = (0.0, 0.125, 0.25, 0.375)  # 0, 1, 2 and 3 of 8 passages
EQUAL = 0.01
MOST_REFUSED = 0.06  # of the answerable cases
COLUMNS = ("answerable refused", "near answered", "far answered", "precision", "all needs", "some need")
Array = npt.NDArray[np.float64]


# --- what the weights choose -------------------------------------------------------------------------------------


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


def print_answers(models: Models, groups: Mapping[str, Sequence[Judged]]) -> None:
    """Print how well the best score alone, and all signs, tell what has an answer, by weights that did not see it."""
    print(f"\n{'whether to answer':<22}{'best score: AUC':>20}{'all signs: AUC':>20}")
    for name, group in groups.items():
        cases = {part.case.id for part in group}
        own = [(part, row) for part, row in models.signs if part.case.id in cases]
        truth = [not part.case.refuse for part, _ in own]
        by_signs = [models.blind[models.fold_of[group_of(part.case)]].answers.score(row)[0] for part, row in own]
        best = [row[0, SIGNS.index("score")] for _, row in own]
        print(f"{name:<22}{roc_auc_score(truth, best):>20.3f}{roc_auc_score(truth, by_signs):>20.3f}")


def print_test_half(folder: Path, reader: Reader, model: QuoterModel) -> None:
    """Print how a model chooses and tells what has an answer over SQuAD's test half, and what less than it does."""
    with squad_cases(folder, "test") as (index, cases):
        parts = [part for part in judged(asked(index, cases, reader, model.reach)) if len(part.rows)]
    evidence = [part.rows[:, FEATURES.index("evidence")] for part in parts]
    scores = [model.choice.score(part.rows) for part in parts]
    signs = [model.answers.score(signs_of(part.rows, own)) for part, own in zip(parts, scores, strict=True)]
    truth = [not part.case.refuse for part in parts]
    print(f"\n{len(parts)} parts of questions\n{'SQuAD, test half':<22}{'best answers':>20}{'answerable: AUC':>20}")
    for name, chosen, told in (
        ("reader alone", evidence, evidence), ("best score", scores, scores), ("all signs", scores, signs)
    ):  # fmt: skip
        pairs = [(part.gold, own) for part, own in zip(parts, chosen, strict=True) if part.gold.any()]
        right = np.mean([gold[own.argmax()] for gold, own in pairs])
        print(f"{name:<22}{right:>20.3f}{roc_auc_score(truth, [each.max() for each in told]):>20.3f}")


# --- threshold, least odds and reach ------------------------------------------------------------------------------


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


def balanced(results: Sequence[Outcome]) -> tuple[float, ...]:
    """Return the mean of the summary over seeds/ and that of the stories, of which there are many more questions."""
    stories = [result for result in results if result.case.split == "stories"]
    seeds = [result for result in results if result.case.split != "stories"]
    return tuple(np.mean([summary(group) for group in (seeds, stories) if group], axis=0).tolist())


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


Tries = Mapping[float, tuple[QuoterModel, Sequence[Asked]]]


def best_of(name: str, tries: Tries, models: Models) -> QuoterModel:
    """Print what the answers of each model to its cases are worth, by the value tried; return the best model.

    Each case is answered with the weights that did not see it.
    """
    print(f"\n{name:>16}" + "".join(f"{column:>20}" for column in (*COLUMNS, "worth")))
    rows = []
    for value, (model, cases) in tries.items():
        row = balanced([outcome(asked, models.beside(model, asked.case)) for asked in cases])
        rows.append(row)
        print(f"{value:>16}" + "".join(f"{figure:>20.3f}" for figure in (*row, worth(row))), flush=True)
    return list(tries.values())[best_row(rows)][0]


def with_least(model: QuoterModel, kind: str, odds: float) -> QuoterModel:
    """Return the model with other log-odds that a further sentence needs, for a kind of question."""
    return replace(model, least={**model.least, kind: odds})


def main() -> None:
    """Print the tables of tries; with ``--write`` save what is best, and what is chosen by hand."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets, with SQuAD 2.0 dev")
    parser.add_argument("--write", action="store_true", help=f"save what is best to {MODEL_FILE.name}")
    options = parser.parse_args()
    pairs, sagas = held_out()
    best = QuoterModel.load()
    with development_cases() as (index, cases), story_cases(pairs) as told, squad_cases(options.data) as squad:
        reader = RememberingReader(reader_beside(index))
        plain = plain_cases(index)
        sure = [*cases, *(case for case in plain if case.refuse)]
        development = asked(index, sure, reader, best.reach)
        stories = asked(*told, reader, best.reach) + [a for saga in sagas for a in asked_of(saga, reader, best.reach)]
        others = asked(*squad, reader, best.reach)
        unsure = asked(index, [case for case in plain if not case.refuse], reader, best.reach)
        parts = {"dev": judged(development), "stories": judged(stories), "SQuAD": judged(others)}
        print(f"{len(sure)} development cases, {len(stories)} questions of stories, {len(squad[1])} of SQuAD\n")
        models = fitted_models(parts, judged(unsure))
        best = replace(models.whole.within(best), threshold=THRESHOLD)
        development += unsure
        tries = {t: (replace(best, threshold=t), development) for t in THRESHOLDS}
        best_of("threshold", tries, models)  # chosen by hand
        for kind in KINDS:
            alike = of_kind(kind, [*development, *stories])
            print(f"\n{kind}: {len(alike)} questions of the kind")
            best = best_of("least odds", {odds: (with_least(best, kind, odds), alike) for odds in LEAST}, models)
        best = replace(best, least={**best.least, **BY_HAND})
        tolls = of_kind("count", development)  # of a story, the earlier count is right too
        best = best_of("toll gap", {gap: (replace(best, toll_gap=gap), tolls) for gap in TOLL_GAPS}, models)
        compared = of_kind("compare", [*development, *stories])
        best = best_of("side gap", {gap: (replace(best, side_gap=gap), compared) for gap in SIDE_GAPS}, models)
        tries = {reach: (replace(best, reach=reach), asked(index, cases + plain, reader, reach)) for reach in REACHES}
        best = best_of("reach", tries, models)
        read = {u: partly_read(index, cases + plain, sagas[::3], reader, best.reach, unread=u) for u in UNREADS}
        best_of("unread", {unread: (best, found) for unread, found in read.items()}, models)  # chosen by hand
        print_test_half(options.data, reader, best)
    gaps = f"toll gap {best.toll_gap}, side gap {best.side_gap}"
    print(f"\nchosen: threshold {best.threshold}, least {dict(best.least)}, {gaps}, reach {best.reach}")
    if options.write:
        save(best)


def held_out() -> tuple[list[Story], list[Story]]:
    """Return pairs of articles, and sagas, that the reader was not trained on."""
    _, stories = split_stories(load_stories())
    pairs = [story for story in stories if len(story.articles) == 2]
    return pairs[::STORIES_STEP], [story for story in stories if len(story.articles) > 2][::SAGAS_STEP]


def partly_read(
    index: NewsIndex, cases: Sequence[Case], sagas: Sequence[Story], reader: Reader, reach: float, *, unread: float
) -> list[Asked]:
    """Ask cases, and the questions of sagas, of which a share of the passages found is not read."""
    told = (asked_of(saga, reader, reach, unread=unread) for saga in sagas)
    return [*asked(index, cases, reader, reach, unread=unread), *(each for saga in told for each in saga)]


def of_kind(kind: str, cases: Sequence[Asked]) -> list[Asked]:
    """Return the cases that have an answer and ask for that kind."""
    return [each for each in cases if each.question.kind == kind and not each.case.refuse]


def fitted_models(parts: Mapping[str, Sequence[Judged]], unsure: Sequence[Judged]) -> Models:
    """Print and return the linear models."""
    print_choices(parts)
    models = Models.fitted([part for group in parts.values() for part in group], unsure)
    print()
    choice = models.whole.choice
    for name, weight in (*zip(FEATURES, choice.weights, strict=True), ("bias", choice.bias)):
        print(f"{name:<16}{weight:>8.3f}")
    print_answers(models, {**parts, "dev": [*parts["dev"], *unsure]})
    for signs, fitted in ((SIGNS, models.whole.answers), (FURTHER, models.whole.further)):
        print("\n" + "\n".join(f"{name:<16}{w:>8.3f}" for name, w in zip(signs, fitted.weights, strict=True)))
    return models


def save(model: QuoterModel) -> None:
    """Write a model to the file that the package ships."""
    shape = {
        "about": "Fitted by: python -m eval.fit.quoter --data FOLDER --write. "
        f"By hand: the threshold, and the least odds of {' and '.join(BY_HAND)}. See docs/fitting.md.",
        "choice": _named(FEATURES, model.choice),
        "answers": _named(SIGNS, model.answers),
        "further": _named(FURTHER, model.further),
        "threshold": model.threshold,
        "least": dict(model.least),
        "toll_gap": model.toll_gap,
        "side_gap": model.side_gap,
        "reach": model.reach,
    }
    MODEL_FILE.write_text(json.dumps(shape, indent=1) + "\n", encoding="utf-8")


def _named(names: Sequence[str], model: LinearModel) -> dict[str, float]:
    weights = {name: round(weight, 4) for name, weight in zip(names, model.weights, strict=True)}
    return {**weights, "bias": round(model.bias, 4)}


if __name__ == "__main__":
    run_fit(main)
