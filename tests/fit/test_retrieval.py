"""The scripts that fit retrieval: what a need is met by, how a ranking is judged, and that the best try is named."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.cases import Case
from eval.fit.fusion import ALONE, Rule, Scores, best_rule, held_out_lines, judged, scored
from eval.fit.judged import development_cases
from eval.fit.passages import TRIES, Try, answers_table, fitting_half, overlapping, table, windows
from eval.fit.recency import ages_days, distances_days
from eval.fit.recency import table as recency_table
from eval.fit.retrieval_sets import LOADERS, Need, Places, RetrievalQuestion, RetrievalSet, Stretch, gain, load_sets
from index.article import Article
from index.embed import Embedder
from index.news_index import NewsIndex
from index.passage import Chunking, Passage, split
from tests.fakes import FakeEmbedder

OWLS = Article(id="owls", title="Owls", text="Owls hunt mice at night. They sleep by day.")
BEES = Article(id="bees", title="Bees", text="Bees dance to name a meadow. They sleep in winter.")
OF_OWLS, OF_BEES = Need(documents=frozenset({"owls"})), Need(documents=frozenset({"bees"}))
NATURE = RetrievalSet(
    name="Nature", articles=(OWLS, BEES), by_document=True,
    questions=(
        RetrievalQuestion(text="Who hunts mice at night?", fits=True, needs=(OF_OWLS,)),
        RetrievalQuestion(text="Who dances to name a meadow?", fits=False, needs=(OF_BEES,)),
    ),
)  # fmt: skip


def passage(article_id: str, start: int, text: str) -> Passage:
    return Passage(article_id=article_id, revision=1, start=start, end=start + len(text), text=text)


def sentences(article: Article, embedder: Embedder) -> list[Passage]:
    return split(article, embedder, Chunking(max_tokens=8))


@pytest.mark.parametrize(
    ("need", "met"),
    [
        (OF_OWLS, True),
        (OF_BEES, False),
        (Need(fact="mice\nat night"), True),
        (Need(fact="Mice at night"), False),
        (Need(stretches=(Stretch(document="owls", start=14, end=34),)), True),
        (Need(stretches=(Stretch(document="owls", start=15, end=35),)), False),
        (Need(stretches=(Stretch(document="bees", start=0, end=24),)), False),
    ],
)
def test_a_need_is_met_by_its_document_its_words_or_half_of_its_stretch(need: Need, met: bool) -> None:
    assert need.met_by(passage("owls", 0, "Owls hunt mice at night.")) is met


def test_places_are_documents_or_passages_as_the_set_ranks() -> None:
    passages = [passage("owls", 0, "Owls"), passage("owls", 5, "hunt"), passage("bees", 0, "Bees")]
    assert Places.of(NATURE, NATURE.questions, passages).met == ({0: frozenset({0})}, {1: frozenset({0})})
    by_passage = RetrievalSet(name="", articles=(), questions=NATURE.questions, by_document=False)
    assert Places.of(by_passage, NATURE.questions[:1], passages).met == ({0: frozenset({0}), 1: frozenset({0})},)


def test_a_document_is_ranked_by_its_best_passage() -> None:
    places = Places(np.array([0, 0, 1]), (), ())
    assert places.ranked(np.array([0.1, 0.9, 0.5], dtype=np.float32), 2) == [0, 1]


def test_a_need_that_is_met_again_gains_nothing() -> None:
    """Two needs, met at ranks 1 and 4: (1 / log2(2) + 1 / log2(5)) / (1 / log2(2) + 1 / log2(3))."""
    met = {1: frozenset({0}), 2: frozenset({0}), 3: frozenset({1})}
    assert gain([1, 2, 9, 3], met, 2) == pytest.approx((1 + 0.430677) / (1 + 0.63093), abs=1e-5)


def scores_of(*rows: tuple[Sequence[float], Sequence[float]], fits: tuple[bool, ...]) -> Scores:
    """Return scores of two documents for questions that all want the first."""
    met = tuple({0: frozenset({0})} for _ in rows)
    words = np.array([words for _, words in rows], dtype=np.float32)
    return Scores(
        name="Two", articles=("new", "old"), dense=np.array([dense for dense, _ in rows], dtype=np.float32),
        words={"one field": words, "texts alone": words, "two fields": words},
        places=Places(np.array([0, 1]), met, tuple(1 for _ in rows)), fits=fits,
    )  # fmt: skip


def test_the_rule_that_ranks_the_fitting_half_best_is_named_with_the_table() -> None:
    scores = scores_of(([0.1, 0.9], [5, 1]), ([0.9, 0.1], [1, 5]), fits=(True, False))
    best, lines = best_rule([scores], ALONE)
    assert best == "words only"
    assert lines[2:] == ["| dense only | 0.631 | 0.6309 |", "| words only | 1.000 | 1.0000 |"]


def test_the_other_half_is_judged_apart() -> None:
    scores = scores_of(([0.1, 0.9], [5, 1]), ([0.9, 0.1], [1, 5]), fits=(True, False))
    assert held_out_lines([scores], ALONE)[2:] == [
        "| Two | dense only | 1 | 1.000 | 1.000 | 1.000 | 1.000 |",
        "| Two | words only | 1 | 0.631 | 0.000 | 1.000 | 1.000 |",
    ]


def test_what_neither_search_found_within_its_depth_is_not_ranked_first() -> None:
    scores = scores_of(([0.1, 0.9], [1, 5]), fits=(True,))
    rule = Rule(fused=lambda dense, words: -dense, depth=1)  # the first, which no search finds
    assert judged(scores, rule, fits=True).hits[0] == 0


def test_scores_are_those_of_the_passages_that_the_index_would_hold() -> None:
    scores = scored(NATURE, FakeEmbedder(), Chunking())
    assert scores.dense.shape == scores.words["one field"].shape == (2, 2)
    assert scores.words["one field"][0].argmax() == 0
    assert scores.words["texts alone"][1].argmax() == 1
    assert scores.fits == (True, False)


def test_an_overlap_begins_with_the_last_sentence_before() -> None:
    held = overlapping(sentences)(OWLS, FakeEmbedder())
    assert [p.text for p in held] == ["Owls hunt mice at night.", "Owls hunt mice at night. They sleep by day."]
    assert [OWLS.text[p.start : p.end] for p in held] == [p.text for p in held]


def test_windows_cut_every_so_many_tokens_and_leave_nothing_out() -> None:
    held = windows(3)(OWLS, FakeEmbedder())
    assert "".join(p.text for p in held) == OWLS.text
    assert len(held) > len(sentences(OWLS, FakeEmbedder()))


def test_a_fitting_half_keeps_its_questions_and_the_articles_that_they_need() -> None:
    assert fitting_half(NATURE) == RetrievalSet(
        name="Nature", articles=(OWLS,), by_document=True, questions=NATURE.questions[:1]
    )


def test_the_table_of_passages_has_a_line_for_each_try() -> None:
    lines = table([NATURE], {"sentences": Try(sentences), "whole": TRIES["128 tokens"]}, FakeEmbedder())
    assert lines[2:] == [
        "| sentences | 1.000 / 1.000 | 1.0000 / 1.0000 | 5 | 5 |",
        "| whole | 1.000 / 1.000 | 1.0000 / 1.0000 | 2 | 14 |",
    ]


@pytest.mark.model
def test_the_table_of_answers_is_of_an_index_with_passages_of_each_size(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    @contextmanager
    def three(chunking: Chunking | None = None) -> Iterator[tuple[NewsIndex, list[Case]]]:
        with development_cases(chunking) as (index, cases):
            seen.append((str(index.stats()["chunking"]), index.stats()["passages"]))
            yield index, cases[:3]

    monkeypatch.setattr("eval.fit.passages.development_cases", three)
    lines = answers_table((64, 128))
    assert [name for name, _ in seen] == ["sentences-2/64", "sentences-2/128"]
    assert seen[0][1] > seen[1][1]
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| 64 tokens", "| 128 tokens"]
    assert all(line.endswith(" | 1.000 |") for line in lines[2:])


def test_ages_are_days_to_the_newest_article() -> None:
    dated = [replace(OWLS, published="2025-09-01"), replace(BEES, published="2025-09-04T10:00:00+00:00")]
    assert ages_days(replace(NATURE, articles=(*dated, Article(id="x", text="x")))) == {"owls": 3.0, "bees": 0.0}
    assert ages_days(NATURE) == {}


def test_days_are_counted_from_the_nearest_date_named_and_else_from_the_newest_article() -> None:
    dated = [replace(OWLS, published="2025-09-01"), replace(BEES, published="2025-09-10")]
    asked = [
        replace(NATURE.questions[0], text="Did it rain on 3 September 2025 or on September 9, 2025?"),
        replace(NATURE.questions[0], text="Did it rain in September 2025?"),
        replace(NATURE.questions[1], text="Of the other half, on 3 September 2025."),
    ]
    data = replace(NATURE, articles=(*dated, Article(id="x", text="x")), questions=tuple(asked))
    distances = distances_days(data, ["owls", "owls", "bees", "x"])
    np.testing.assert_array_equal(distances, [[2, 2, 1, np.nan], [9, 9, 0, np.nan]])


def test_a_bonus_goes_to_the_articles_of_the_day_that_each_question_names() -> None:
    scores = scores_of(([0.50, 0.51], [0, 0]), ([0.50, 0.51], [0, 0]), fits=(True, True))
    near_first_and_second = np.array([[0, 900], [900, 0]], dtype=np.float32)
    lines = recency_table([(scores, near_first_and_second)])
    assert {line.split(" | ")[-1] for line in lines[3:]} == {"0.8155 |"}


def test_a_bonus_lifts_the_newer_article_and_the_undated_get_none() -> None:
    scores = scores_of(([0.50, 0.51], [0, 0]), fits=(True,))
    lines = recency_table([(scores, np.array([0, np.nan], dtype=np.float32))])
    assert lines[2] == "| 0.0 |  | 0.631 | 0.6309 |"
    assert {line.split(" | ")[-1] for line in lines[3:]} == {"1.0000 |"}


def test_a_set_whose_files_are_missing_is_said_and_the_own_cases_are_still_fitted(tmp_path: Path) -> None:
    own, *missing = load_sets(tmp_path / "none", FakeEmbedder(), list(LOADERS))
    assert isinstance(own, RetrievalSet)
    assert len(own.questions) > 50
    assert [isinstance(line, str) for line in missing] == [True] * len(LOADERS)
