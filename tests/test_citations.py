"""What an answer cites, and what was found for it, is looked up in the articles, however it is named."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from eval.answers import read_answer
from eval.cases import EvidenceSpan
from eval.citations import GivenCitation
from eval.metrics import CitedSentence
from index.article import Article

OSLO = Article(id="oslo", text="Oslo paid 5 million. It rained.", title="Oslo pays", url="https://news.example/oslo")
LATER = Article(id="oslo", text="On Monday Oslo paid 5 million. It rained.", title="Oslo pays", revision=2)
ARTICLES = {("oslo", 1): OSLO, ("oslo", 2): LATER}
QUOTE = "Oslo paid 5 million."


@pytest.mark.parametrize("named", [{"url": "https://news.example/oslo"}, {"title": "Oslo pays", "revision": 1}])
def test_an_article_is_found_by_its_address_or_title(named: Mapping[str, Any]) -> None:
    given = read_answer({"text": "x", "citations": [{**named, "quote": QUOTE}]}, ARTICLES)
    assert given.citations[0].spans == (EvidenceSpan("oslo", 1, 0, 20),)


@pytest.mark.parametrize("named", [{"url": "https://news.example/oslo"}, {"url": "x", "title": "Oslo pays"}])
def test_an_id_of_another_system_does_not_hide_the_address_or_the_title(named: Mapping[str, Any]) -> None:
    given = read_answer(
        {"text": "x", "citations": [{"article_id": "chunk-7", **named, "revision": 1, "quote": QUOTE}]}, ARTICLES
    )
    assert given.citations[0].spans == (EvidenceSpan("oslo", 1, 0, 20),)


def test_an_id_of_ours_outweighs_a_title() -> None:
    rome = Article(id="rome", text="Rome paid.", title="Rome pays")
    citation = {"article_id": "rome", "title": "Oslo pays", "quote": QUOTE}
    given = read_answer({"text": "x", "citations": [citation]}, {**ARTICLES, ("rome", 1): rome})
    assert given.citations[0].spans == ()


@pytest.mark.parametrize(
    "citation",
    [
        {"article_id": "oslo", "quote": "Oslo paid 6 million."},
        {"article_id": "rome", "quote": QUOTE},
        {"article_id": "oslo", "revision": 1, "quote": QUOTE, "start": 1, "end": 21},
        {"article_id": "oslo", "quote": ""},
        {"quote": QUOTE},
    ],
)
def test_words_that_do_not_stand_there_are_no_faithful_quote(citation: Mapping[str, Any]) -> None:
    assert not read_answer({"text": "x", "citations": [citation]}, ARTICLES).citations[0].faithful


@pytest.mark.parametrize("named", ["oslo", "https://news.example/oslo", "Oslo pays"])
def test_a_citation_may_be_an_address_a_title_or_an_id_alone(named: str) -> None:
    given = read_answer({"text": "Oslo did.[1]", "citations": [named]}, ARTICLES)
    assert given.citations == (GivenCitation(number=1, label="Oslo pays", quote="", spans=(), stored=""),)


def test_an_address_of_no_article_is_called_what_it_is() -> None:
    given = read_answer({"text": "Oslo did.[1]", "citations": ["https://x.example"]}, ARTICLES)
    assert given.citations[0].label == "https://x.example"


def test_words_without_a_place_are_cited_wherever_the_article_has_them() -> None:
    twice = Article(id="oslo", text="It rained. Oslo paid. It rained.", title="Oslo pays")
    given = read_answer(
        {"text": "x", "citations": [{"article_id": "oslo", "quote": "It rained."}]}, {("oslo", 1): twice}
    )
    assert given.citations[0].spans == (EvidenceSpan("oslo", 1, 0, 10), EvidenceSpan("oslo", 1, 22, 32))


def test_an_article_may_be_named_by_a_number_that_its_id_is() -> None:
    articles = {("7", 1): replace(OSLO, id="7")}
    citation = {"article_id": 7, "quote": "Oslo"}
    given = read_answer({"text": "x", "citations": [citation]}, articles).citations[0]
    assert (given.faithful, given.spans[0].article_id) == (True, "7")


@pytest.mark.parametrize("number", ["2", 2.0, 2])
def test_a_mark_may_be_written_as_a_text_or_with_a_point(number: object) -> None:
    cited = {"article_id": "oslo", "number": number, "quote": QUOTE}
    said = {"text": "Oslo did.", "citations": [number]}
    given = read_answer({"text": "Oslo did.", "citations": [cited], "sentences": [said]}, ARTICLES)
    assert given.citations[0].number == 2
    assert given.sentences == (CitedSentence("Oslo did.", (QUOTE,)),)


def test_the_place_that_is_named_is_the_place_that_counts() -> None:
    citation = {"article_id": "oslo", "revision": 2, "quote": QUOTE, "start": 10, "end": 30}
    given = read_answer({"text": "x", "citations": [citation]}, ARTICLES)
    assert given.citations[0].spans == (EvidenceSpan("oslo", 2, 10, 30),)


@pytest.mark.parametrize("place", [(0, 10**12), (0, 32), (-31, 31), (31, 31)])
def test_a_place_that_the_article_does_not_have_marks_nothing(place: tuple[Any, Any]) -> None:
    start, end = place
    citation = {"article_id": "oslo", "revision": 1, "quote": OSLO.text, "start": start, "end": end}
    given = read_answer({"text": "x", "citations": [citation]}, ARTICLES).citations[0]
    assert (given.faithful, given.spans, given.stored) == (False, (), "")


def test_a_place_counts_in_each_revision_that_has_the_words_there() -> None:
    citation = {"article_id": "oslo", "quote": QUOTE, "start": 10, "end": 30}
    given = read_answer({"text": "x", "citations": [citation]}, ARTICLES).citations[0]
    assert (given.faithful, given.spans) == (True, (EvidenceSpan("oslo", 2, 10, 30),))


@pytest.mark.parametrize(
    "hit",
    [
        {"article_id": "oslo", "revision": 1, "start": 0, "end": 20},
        {"article_id": "oslo", "revision": 1, "start": 0, "end": 20, "text": "Oslo, in other words"},
        {"article_id": "oslo", "revision": 1, "text": QUOTE},
        {"url": "https://news.example/oslo", "text": QUOTE},
        {"article_id": "chunk-7", "title": "Oslo pays", "revision": 1, "text": QUOTE, "start": None},
    ],
)
def test_a_hit_is_found_as_a_citation_is(hit: Mapping[str, Any]) -> None:
    assert read_answer({"text": "x", "hits": [hit]}, ARTICLES).hits == ((EvidenceSpan("oslo", 1, 0, 20),),)


def test_a_hit_that_stands_nowhere_keeps_its_rank() -> None:
    hits = [{"article_id": "rome", "text": QUOTE}, {"article_id": "oslo", "text": QUOTE}, {"url": "x", "text": "Rome."}]
    places = (EvidenceSpan("oslo", 1, 0, 20), EvidenceSpan("oslo", 2, 10, 30))
    assert read_answer({"text": "x", "hits": hits}, ARTICLES).hits == ((), places, ())
