"""How the weights, the threshold and the odds of the `Quoter` are fitted."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from eval.cases import Case
from eval.fit.judged import Judged, asked, story_cases
from eval.fit.linear import NEXT_BEST, Models, behind_best, fit, fit_answers, fit_further, unseen_scores
from eval.fit.quoter import (
    Outcome,
    balanced,
    best_row,
    outcome,
    summary,
    with_least,
    worth,
)
from eval.fit.stories import Story
from rag.features import FEATURES, Features
from rag.quoter_model import SIGNS, QuoterModel
from tests.fakes import FakeEmbedder, FakeReader
from tests.fit.told import case


def part_of(asked: Case, rows: Features, gold: npt.NDArray[np.bool_]) -> Judged:
    """Return a part whose candidates each stand in an article of their own."""
    return Judged(asked, rows, gold, np.column_stack([np.arange(len(rows)), np.zeros(len(rows), dtype=int)]))


def test_the_fit_finds_the_feature_that_tells_and_a_bias_that_refuses() -> None:
    draw = np.random.default_rng(0)
    telling = FEATURES.index("evidence")
    parts = []
    for number in range(60):
        rows, gold = draw.normal(size=(8, len(FEATURES))), np.zeros(8, dtype=bool)
        if number % 3:
            gold[number % 8] = True
            rows[number % 8, telling] += 6
        parts.append(part_of(case(f"dev-{number}", refuse=not number % 3), rows, gold))
    model = fit(parts, range(len(FEATURES)))
    assert int(np.argmax(np.abs(model.weights))) == telling
    right = [(model.score(part.rows).max() > 0) != part.case.refuse for part in parts]
    assert np.mean(right) > 0.95


def test_a_sign_of_an_answer_never_counts_against_one() -> None:
    draw = np.random.default_rng(0)
    telling, turned = SIGNS.index("together"), SIGNS.index("span")
    signs = []
    for number in range(200):
        refuse = bool(number % 2)
        row = draw.normal(size=(1, len(SIGNS)))
        row[0, telling] += -3 if refuse else 3
        row[0, turned] += 1 if refuse else -1
        signs.append((part_of(case(f"dev-{number}", refuse=refuse), row, np.zeros(1, dtype=bool)), row))
    model = fit_answers(signs)
    assert int(np.argmax(model.weights)) == telling
    assert model.weights[turned] == 0
    assert min(model.weights) >= 0
    right = [(model.score(row)[0] > 0) != part.case.refuse for part, row in signs]
    assert np.mean(right) > 0.95


def test_further_evidence_is_told_from_what_stands_behind_the_best_and_is_none() -> None:
    draw = np.random.default_rng(0)
    telling = FEATURES.index("evidence")
    known = []
    for number in range(80):
        rows, gold = draw.normal(size=(6, len(FEATURES))), np.arange(6) < 1 + number % 3
        rows[gold, telling] += 6
        known.append(behind_best(part_of(case(f"dev-{number}"), rows, gold), rows[:, telling]))
    model = fit_further(known)
    many = behind_best(part_of(case("dev-0"), np.zeros((40, len(FEATURES))), np.zeros(40, dtype=bool)), np.arange(40.0))
    assert len(many[1]) == len(many[2]) == NEXT_BEST
    assert {len(signs) for _, signs, _ in known} == {5}
    right = [(model.score(signs) > 0) == gold for _, signs, gold in known]
    assert np.mean(right) > 0.95


class Seen:
    """Stand for weights by the stories that they were fitted on; a row holds the number of its story."""

    def __init__(self, parts: Sequence[Judged], columns: Sequence[int]) -> None:
        self._stories = {part.rows[0, 0] for part in parts}

    def score(self, rows: np.ndarray) -> np.ndarray:
        """Return 1 for a row of a story that was seen."""
        return np.isin(rows[:, 0], list(self._stories)).astype(float)


@pytest.mark.parametrize("split", ["story", "squad"])
def test_weights_that_judge_a_question_did_not_see_its_story(split: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eval.fit.linear.fit", Seen)
    parts = [
        part_of(replace(case(f"story-{number}-{place}"), split=split), np.full((2, 1), number), np.array([True, False]))
        for number in range(10)
        for place in range(3)
    ]
    scored = unseen_scores(parts, [0])
    assert sorted(part.case.id for part, _ in scored) == sorted(part.case.id for part in parts)
    assert not any(scores.any() for _, scores in scored)


def test_a_case_is_answered_with_weights_that_did_not_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eval.fit.linear.fit", Seen)
    parts = [
        part_of(
            replace(case(f"story-{number}-{place}", refuse=bool(place)), split="story"),
            np.full((3, len(FEATURES)), number), np.array([True, True, False]),
        )
        for number in range(10)
        for place in range(2)
    ]  # fmt: skip
    models = Models.fitted(parts, [])
    assert models.whole.choice.score(parts[0].rows).all()
    blind = [models.beside(QuoterModel.load(), part.case).choice.score(part.rows) for part in parts]
    assert not np.array(blind).any()


def test_refusing_what_is_there_weighs_as_much_as_answering_both_kinds_of_what_is_not() -> None:
    good = Outcome(case("a"), False, 1.0, 1.0)
    refused = Outcome(case("b"), True, 0.0, 0.0)
    near = Outcome(case("c", refuse=True, kind="near-miss"), False, 0.0, 0.0)
    far = Outcome(case("d", refuse=True, kind="far"), False, 0.0, 0.0)
    assert summary([good, refused, near, far]) == (0.5, 1.0, 1.0, 1.0, 0.5, 0.5)
    assert worth((0.5, 0, 0, 1, 1, 1)) == worth((0, 0.5, 0.5, 1, 1, 1))


def test_the_cases_over_seeds_count_as_much_as_the_many_questions_of_stories() -> None:
    good = Outcome(case("a"), False, 1.0, 1.0)
    poor = Outcome(replace(case("story-1-1"), split="stories"), False, 0.5, 0.0)
    assert balanced([good, poor, poor, poor]) == (0.0, 0.0, 0.0, 0.75, 0.5, 0.5)
    assert balanced([good]) == summary([good])


def test_of_settings_that_are_worth_as_much_the_most_precise_is_taken() -> None:
    precise, complete, poor = (0, 0, 0, 0.75, 0.70, 1), (0, 0, 0, 0.73, 0.725, 1), (0, 0, 0, 0.9, 0.4, 1)
    assert best_row([precise, complete, poor]) == 0
    assert best_row([complete, precise]) == 1
    assert best_row([(0, 0, 0, 0.7, 0.9, 1), precise]) == 0


def test_an_outcome_compares_what_is_cited_with_what_is_needed(
    stories: list[Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.news_index.embedder_for", lambda *_, **__: FakeEmbedder())
    with story_cases(stories[:1]) as (index, cases):
        (found, *_) = asked(index, cases, FakeReader(), 1.0)
    least = QuoterModel.load()
    answered = outcome(found, replace(least, threshold=-1e9))
    assert (answered.refused, answered.recall > 0) == (False, answered.precision > 0)
    assert outcome(found, replace(least, threshold=1e9)) == Outcome(found.case, True, 0.0, 0.0)


def test_the_odds_are_changed_for_their_kind_alone() -> None:
    model = QuoterModel.load()
    changed = with_least(model, "list", 99.0)
    assert {kind: odds for kind, odds in changed.least.items() if model.least[kind] != odds} == {"list": 99.0}
