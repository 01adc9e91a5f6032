"""Follow-up questions: made from what was found and not cited, and answered when they are asked."""

import json
from pathlib import Path

import pytest

from index.fast_embed import FastEmbedder
from index.news_index import NewsIndex
from index.scope import Filters
from rag.bot import NewsBot
from rag.cite import Draft, cite
from rag.follow_ups import follow_ups
from rag.question import read_question

from .fakes import NOW, FakeEmbedder, write_articles

QUESTION = "When did the bridge in Lyon open?"
OPENED = "The bridge in Lyon opened on Monday 1 September."


def next_questions(tmp_path: Path, *sentences: str, question: str = QUESTION) -> list[str]:
    """Return what may be asked next when an article says these sentences."""
    index = NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder())
    article = {"id": "a", "title": "New bridge", "text": " ".join((OPENED, *sentences)), "published": "2025-09-02"}
    index.ingest([write_articles(tmp_path / "a.jsonl", article)], now=NOW)
    with index:
        return [*NewsBot(index).ask(question).follow_ups]


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        ("The work was worth it, Mary Rees said.", "What did Mary Rees say?"),
        ("Mary Rees said that it had cost USD 3 million.", "What did Mary Rees say?"),
        ("Mary Rees, the mayor, told Radio Sud that it pays.", "What did Mary Rees say about Radio Sud?"),
        ("The European Union paid 3 million euros.", "How much did the European Union pay?"),
        ("Last spring 12 people were injured in Rouen.", "How many people were injured in Rouen?"),
    ],
)
def test_a_sentence_that_is_not_cited_becomes_a_question(tmp_path: Path, sentence: str, asked: str) -> None:
    assert next_questions(tmp_path, sentence) == [asked]


@pytest.mark.parametrize(
    "sentence",
    [
        "Nor has Mary Rees said what it cost.",
        "On Thursday, it rained.",
        "The mayor said that it pays.",
        "The envoy in Geneva said that it pays.",
        "Berlin said that it pays.",
    ],
)
def test_what_names_nobody_becomes_no_question(tmp_path: Path, sentence: str) -> None:
    assert next_questions(tmp_path, sentence) == []


def test_what_was_asked_is_not_asked_again(tmp_path: Path) -> None:
    said = "The work was worth it, Mary Rees said."
    assert next_questions(tmp_path, said, question="What did Mary Rees say about the bridge in Lyon?") == []


def test_a_sentence_that_is_cited_is_not_asked_for(tmp_path: Path) -> None:
    text = f"{OPENED} The work was worth it, Mary Rees said."
    with NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder()) as index:
        index.ingest([write_articles(tmp_path / "a.jsonl", {"id": "a", "title": "New bridge", "text": text})], now=NOW)
        question = read_question("Was the work worth it?", filters=Filters())
        hits = index.search("work", k=1)
        draft = Draft.of_text("The work was worth it, Mary Rees said. [1]", [hits[0].passage])
        citations = cite(draft, index.article).citations
    assert follow_ups(question, hits, ()) == ("What did Mary Rees say?",)
    assert follow_ups(question, hits, citations) == ()


def test_what_several_gave_together_raises_no_question_about_one_of_them(tmp_path: Path) -> None:
    together = (
        "Oslo, Lima and Rome gave 5 million euros.",
        "Oslo and New York gave 4 million euros.",
        "Norway will jointly contribute 3 million euros with Spain.",
    )
    assert next_questions(tmp_path, *together, "Chad gave 2 million euros.") == ["How much did Chad give?"]


def test_one_person_is_asked_about_once_and_no_more_than_three_questions_come(tmp_path: Path) -> None:
    sentences = [f"It pays, {name} said." for name in ("Mary Rees", "Rees", "John Hale", "Ann Moor")]
    asked = next_questions(tmp_path, *sentences, "Norway gave 3 million euros.", "Spain gave 2 million euros.")
    assert asked == ["What did Mary Rees say?", "What did John Hale say?", "How much did Norway give?"]


@pytest.mark.model
def test_every_follow_up_over_the_sample_articles_is_answered(tmp_path: Path, checkout: Path) -> None:
    lines = (checkout / "eval" / "cases" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    with NewsIndex.open(tmp_path / "index", create=True, embedder=FastEmbedder()) as index:
        index.ingest(checkout / "seeds", now=NOW)
        bot = NewsBot(index)
        asked = {text for line in lines[::4] for text in bot.ask(json.loads(line)["question"]).follow_ups}
        refused = [text for text in asked if bot.ask(text).status == "refused"]
    assert len(asked) >= 8
    assert refused == []
