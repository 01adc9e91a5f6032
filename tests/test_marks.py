"""The marks of a writer become citations of exact words, or are rejected and told."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from index import NewsIndex
from rag import Draft, NewsBot
from rag.answer import Rejected
from rag.cite import DraftSentence, Source
from rag.question import Question
from rag.retrieve import Evidence
from tests.fakes import KYIV, PARIS, FakeEmbedder, write_articles
from tests.lawful import assert_lawful


class Says:
    """Write a fixed text with marks."""

    name = "says"
    model = None

    def __init__(self, text: str) -> None:
        self.text = text

    def write(self, question: Question, evidence: Evidence) -> Draft:
        return Draft.of_text(self.text, [hit.passage for hit in evidence.hits])


@dataclass(frozen=True, kw_only=True)
class Points:
    """Write a sentence that points at a source of the writer's own making."""

    at: Source
    name: str = "points"
    model: None = None

    def write(self, question: Question, evidence: Evidence) -> Draft:
        return Draft(sentences=(DraftSentence("It ended.", (1,)),), sources=(self.at,))


@pytest.fixture
def index(tmp_path: Path) -> NewsIndex:
    opened = NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder())
    opened.ingest(write_articles(tmp_path / "a.jsonl", KYIV, PARIS))
    return opened


def test_invented_marks_are_reported_not_hidden(index: NewsIndex) -> None:
    answer = NewsBot(index, writer=Says("It ended. [9] It began. [0]")).ask("Kyiv?")
    assert [rejected.mark for rejected in answer.rejected] == ["[9]", "[0]"]
    assert "[" not in answer.text


@pytest.mark.parametrize(
    ("written", "marks"),
    [("[1] [9] It ended. [1]", ["[1]", "[9]"]), (" [1]It ended.[1]", ["[1]"]), ("[1]. It ended.[1]", ["[1]"])],
)
def test_a_mark_before_the_first_sentence_is_rejected(written: str, marks: list[str], index: NewsIndex) -> None:
    answer = NewsBot(index, writer=Says(written)).ask("Killed in Kyiv?")
    assert answer.text == "It ended.[1]"
    assert answer.rejected == tuple(
        Rejected(mark=mark, sentence="", reason="no sentence stands before it") for mark in marks
    )


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("It ended [1]. It began [2].", "It ended.[1] It began.[2]"),
        ('He said "stop [1]." It began [1][2]!', 'He said "stop."[1] It began![1][2]'),
        ("A plan [1] of Oslo [2] was made.", "A plan of Oslo was made.[1][2]"),
        ("It ended…[1] It began.[2]", "It ended…[1] It began.[2]"),
        ("It ended.[1]It began.[2]", "It ended.[1] It began.[2]"),
        ("It was made in the U.S. [1].", "It was made in the U.S.[1]"),
        ('He said: "It ended.[1]" It began.[2]', 'He said: "It ended."[1] It began.[2]'),
        ("Oslo paid.[1][2]. Rome paid.", "Oslo paid.[1][2] Rome paid."),
    ],
)
def test_a_mark_belongs_to_the_sentence_that_it_stands_in_or_behind(written: str, text: str, index: NewsIndex) -> None:
    answer = NewsBot(index, writer=Says(written)).ask("Killed in Kyiv?")
    assert answer.text == text
    assert answer.rejected == ()


def test_marks_alone_are_a_refusal_and_rejected(index: NewsIndex) -> None:
    answer = NewsBot(index, writer=Says("[1, 9]")).ask("Killed in Kyiv?")
    assert (answer.status, answer.sentences, answer.citations) == ("refused", (), ())
    assert [rejected.mark for rejected in answer.rejected] == ["[1]", "[9]"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (Source("kyiv", 1, 5, 5, "kyiv@1:0-100"), r"no such words: 5 to 5 of a text of \d+ characters"),
        (Source("kyiv", 1, -9, -1, "kyiv@1:0-100"), "no such words"),
        (Source("kyiv", 1, 0, 100_000, "kyiv@1:0-100"), "no such words"),
        (Source("oslo", 1, 0, 5, "oslo@1:0-5"), "no such article: 'oslo', revision 1"),
        (Source("kyiv", 7, 0, 5, "kyiv@7:0-5"), "no such article: 'kyiv', revision 7"),
    ],
)
def test_a_mark_whose_source_holds_no_words_is_rejected(index: NewsIndex, source: Source, reason: str) -> None:
    answer = NewsBot(index, writer=Points(at=source)).ask("Killed in Kyiv?")
    assert (answer.text, answer.citations, answer.status) == ("It ended.", (), "partial")
    [rejected] = answer.rejected
    assert (rejected.mark, rejected.sentence) == ("[1]", "It ended.")
    assert re.match(reason, rejected.reason)


def test_a_writer_s_mark_cites_its_passage_exactly(index: NewsIndex) -> None:
    answer = NewsBot(index, writer=Says("Nineteen died there. [1] And more came.")).ask("Killed in Kyiv?")
    assert [sentence.support for sentence in answer.sentences] == ["unchecked", "unchecked"]
    assert answer.status == "partial"
    assert_lawful(answer, index)
