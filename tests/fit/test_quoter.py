"""How the weights, the threshold and the gaps of the `Quoter` are fitted."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from eval.fit.judged import Judged, asked, story_cases
from eval.fit.linear import Models, fit, fit_answers, unseen_scores
from eval.fit.quoter import (
    Outcome,
    best_row,
    outcome,
    summary,
    with_gap,
    worth,
)
from eval.fit.stories import Story
from rag.features import FEATURES
from rag.quoter_model import SIGNS, QuoterModel
from tests.fakes import FakeEmbedder, FakeReader
from tests.fit.told import case


def test_the_fit_finds_the_feature_that_tells_and_a_bias_that_refuses() -> None:
    draw = np.random.default_rng(0)
    telling = FEATURES.index("evidence")
    parts = []
    for number in range(60):
        rows, gold = draw.normal(size=(8, len(FEATURES))), np.zeros(8, dtype=bool)
        if number % 3:
            gold[number % 8] = True
            rows[number % 8, telling] += 6
        parts.append(Judged(case(f"dev-{number}", refuse=not number % 3), rows, gold))
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
        signs.append((Judged(case(f"dev-{number}", refuse=refuse), row, np.zeros(1, dtype=bool)), row))
    model = fit_answers(signs)
    assert int(np.argmax(model.weights)) == telling
    assert model.weights[turned] == 0
    assert min(model.weights) >= 0
    right = [(model.score(row)[0] > 0) != part.case.refuse for part, row in signs]
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
        Judged(replace(case(f"story-{number}-{place}"), split=split), np.full((2, 1), number), np.array([True, False]))
        for number in range(10)
        for place in range(3)
    ]
    scored = unseen_scores(parts, [0])
    assert sorted(part.case.id for part, _ in scored) == sorted(part.case.id for part in parts)
    assert not any(scores.any() for _, scores in scored)


def test_a_case_is_answered_with_weights_that_did_not_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eval.fit.linear.fit", Seen)
    parts = [
        Judged(
            replace(case(f"story-{number}-{place}", refuse=bool(place)), split="story"),
            np.full((2, len(FEATURES)), number), np.array([True, False]),
        )
        for number in range(10)
        for place in range(2)
    ]  # fmt: skip
    models = Models.fitted(parts, [])
    assert models.choice.score(parts[0].rows).all()
    blind = [models.beside(QuoterModel.load(), part.case).choice.score(part.rows) for part in parts]
    assert not np.array(blind).any()


def test_refusing_what_is_there_weighs_as_much_as_answering_both_kinds_of_what_is_not() -> None:
    good = Outcome(case("a"), False, 1.0, 1.0)
    refused = Outcome(case("b"), True, 0.0, 0.0)
    near = Outcome(case("c", refuse=True, kind="near-miss"), False, 0.0, 0.0)
    far = Outcome(case("d", refuse=True, kind="far"), False, 0.0, 0.0)
    assert summary([good, refused, near, far]) == (0.5, 1.0, 1.0, 1.0, 0.5, 0.5)
    assert worth((0.5, 0, 0, 1, 1, 1)) == worth((0, 0.5, 0.5, 1, 1, 1))


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


def test_a_gap_is_changed_for_its_kind_alone() -> None:
    model = QuoterModel.load()
    changed = with_gap(model, "list", 99.0)
    assert {kind: gap for kind, gap in changed.gaps.items() if model.gaps[kind] != gap} == {"list": 99.0}
