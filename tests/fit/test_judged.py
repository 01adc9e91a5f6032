"""The questions that the `Quoter` is fitted on, and what of the articles counts as their evidence."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from eval.cases import load_cases
from eval.fit.judged import (
    SAMPLE_CASES,
    RememberingReader,
    asked,
    development_cases,
    judged,
    plain_cases,
    squad_cases,
    story_cases,
)
from eval.fit.stories import Story
from eval.suites import articles_of
from index import NewsIndex
from index.sentences import Span
from rag.reader import Extract, Readings
from tests.fakes import FakeEmbedder, FakeReader


def test_a_story_s_questions_are_judged_against_its_own_articles(
    stories: list[Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.news_index.embedder_for", lambda *_, **__: FakeEmbedder())
    with story_cases(stories[:1]) as (index, cases):
        parts = judged(asked(index, cases, FakeReader(), 1.0))
    assert [part.case.refuse for part in parts] == [False, True, False]
    assert [int(part.gold.sum()) for part in parts] == [1, 0, 2]
    assert [len(case.evidence) for case in cases] == [1, 0, 2]


def test_the_quoter_is_fitted_to_development_and_sample_cases_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.news_index.embedder_for", lambda *_, **__: FakeEmbedder())
    with development_cases() as (_, cases):
        assert {case.split for case in cases} == {"dev", "fit"}


def test_no_script_of_the_fits_names_the_cases_that_judge(checkout: Path) -> None:
    named = [
        path.name for path in (checkout / "eval" / "fit").glob("*.py")
        if re.search(r"test\.jsonl|[\"']unseen[\"'/]", path.read_text(encoding="utf-8"))
    ]  # fmt: skip
    assert named == []


def test_every_fitting_case_rests_on_words_of_the_sample_articles(checkout: Path, tmp_path: Path) -> None:
    with NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder()) as index:
        index.ingest(checkout / "seeds" / "articles.jsonl")
        cases = load_cases(SAMPLE_CASES, articles_of(index))
    assert {case.split for case in cases} == {"fit"}
    assert len(cases) > 140


def test_questions_of_squad_s_fitting_half_have_their_answers_as_evidence(
    public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.news_index.embedder_for", lambda *_, **__: FakeEmbedder())
    with squad_cases(public) as (index, cases):
        asked = {(case.question, case.id.split("-")[1]): case for case in cases}
        assert {title for _, title in asked} == {"Alpha", "Gamma"}
        lie = asked["Where does Oslo lie?", "Alpha"]
        ((span,),) = lie.evidence
        assert index.article(span.article_id).text[span.start : span.end] == "Norway"
        assert asked["Who bombed Oslo in 1999?", "Alpha"].refuse


def test_every_answer_that_a_plain_question_expects_stands_in_the_sample_articles(
    checkout: Path, tmp_path: Path
) -> None:
    with NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder()) as index:
        index.ingest(checkout / "seeds" / "articles.jsonl")
        cases = plain_cases(index)
    assert [case.refuse for case in cases] == [not case.evidence for case in cases]
    assert all(need for case in cases for need in case.evidence)


class CountingReader(FakeReader):
    """Count how often it reads."""

    def __init__(self) -> None:
        self.count = 0

    def read(self, question: str, extracts: Sequence[Extract]) -> list[Readings]:
        self.count += 1
        return super().read(question, extracts)


def test_a_remembering_reader_reads_each_question_beside_each_passage_once() -> None:
    counting = CountingReader()
    reader = RememberingReader(counting)
    extract = Extract("", "It rained.", (Span(0, 10),))
    assert np.array_equal(reader.read("Did it rain?", [extract])[0], reader.read("Did it rain?", [extract])[0])
    assert counting.count == 1
    reader.read("Did it snow?", [extract])
    assert counting.count == 2
