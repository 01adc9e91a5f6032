"""The benchmark of speed and quality asks questions that its articles can judge, and counts what it saw."""

from dataclasses import replace
from pathlib import Path

import pytest

from index import NewsIndex
from index.readers import read_articles
from index.readers.record import Unread
from rag import NewsBot
from tests.bench.run import QUALITY, Row, is_exact, quality, questions_of

ASKED = "How many people were killed in Kyiv?"


def texts_of(path: Path) -> list[str]:
    return [article.text for article in read_articles(path, meta={}) if not isinstance(article, Unread)]


@pytest.mark.parametrize("name", ["seeds_questions.jsonl", "real_article_questions.jsonl"])
def test_there_are_enough_questions_of_each_kind_and_none_twice(name: str) -> None:
    questions = questions_of(name)
    far = [question for question in questions if question["kind"] == "far"]
    near = [question for question in questions if question["kind"] == "near-miss"]
    assert len({question["question"] for question in questions}) == len(questions) >= 30
    assert (len(far) >= 10, len(near) >= 8) == (True, True)
    assert [q for q in questions if q["refuse"] == bool(q["expect"]) or q["refuse"] != (q in far or q in near)] == []


def expected_and_not_held(name: str, texts: list[str]) -> list[str]:
    words = [words for question in questions_of(name) for words in question["expect"]]
    return [expected for expected in words if not any(expected in text for text in texts)]


def test_the_expected_words_stand_in_the_sample_articles(checkout: Path) -> None:
    assert expected_and_not_held("seeds_questions.jsonl", texts_of(checkout / "seeds" / "articles.jsonl")) == []


def test_the_expected_words_stand_in_the_real_article(shared_folder: Path) -> None:
    [article] = (shared_folder / "articles").glob("*.txt")
    assert expected_and_not_held("real_article_questions.jsonl", texts_of(article)) == []


def test_every_question_and_every_quote_is_counted(index: NewsIndex) -> None:
    far = {"question": "Who won the Wimbledon final?", "kind": "far", "expect": [], "refuse": True}
    near = {"question": ASKED, "kind": "near-miss", "expect": [], "refuse": True}
    right = {"question": ASKED, "kind": "count", "expect": ["19 people"], "refuse": False}
    rows, to_read = quality("x", index, [far, near, right, right | {"expect": ["20 people"]}])
    seen = ["1 of 2", "0 of 1", "1 of 1", "3 of 3"]
    assert rows == [Row(f"x: {name}", count, QUALITY[name]) for name, count in zip(QUALITY, seen, strict=True)]
    assert [line.partition(":")[0] for line in to_read] == ["x, not near misses refused", "x, not answered right"]


def test_a_quote_that_stands_elsewhere_is_not_exact(index: NewsIndex) -> None:
    citation = NewsBot(index).ask(ASKED).citations[0]
    others = [replace(citation, start=citation.start + 1), replace(citation, quote=""), replace(citation, end=-1)]
    others += [replace(citation, text_sha256="0" * 64)]
    assert [is_exact(each, index) for each in (citation, *others)] == [True, False, False, False, False]
