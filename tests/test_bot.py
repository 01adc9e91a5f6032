"""An answer points at exact words, or it is a refusal; whatever the writer writes."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from inspect import signature
from pathlib import Path
from typing import Any, cast

import pytest

from index import DateError, InputError, NewsIndex, QuestionError
from index.duplicates import numerals, shingles
from index.scope import Filters
from rag import Answer, Draft, Event, NewsBot, candidates
from rag.history import Turn
from rag.question import Question, read_question
from rag.retrieve import Evidence, retrieve
from rag.terms import read_terms
from tests.fakes import KYIV, PARIS, FakeEmbedder, write_articles
from tests.lawful import assert_lawful
from ui.show import show_answer


@dataclass(frozen=True, kw_only=True)
class Deletes:
    """Delete an article while it answers a question; another question has emptied the caches by then."""

    article_id: str
    name: str = "deletes"
    model: None = None

    def write(self, question: Question, evidence: Evidence) -> Draft:
        evidence.index.delete(self.article_id)
        NewsBot(evidence.index).ask("Who pledged troops?")
        return Draft.of_text("It ended. [1]", [hit.passage for hit in evidence.hits])


@pytest.fixture
def index(tmp_path: Path) -> NewsIndex:
    opened = NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder())
    opened.ingest(write_articles(tmp_path / "a.jsonl", KYIV, PARIS))
    return opened


@pytest.fixture
def bot(index: NewsIndex) -> NewsBot:
    return NewsBot(index)


def test_an_answer_quotes_the_sentence_that_answers(bot: NewsBot, index: NewsIndex) -> None:
    answer = bot.ask("How many people were killed in Kyiv?")
    assert answer.citations[0].quote == "At least 19 people were killed in Kyiv on Thursday."
    assert_lawful(answer, index)


def test_offsets_count_characters_beyond_the_basic_plane_as_one(tmp_path: Path, index: NewsIndex, bot: NewsBot) -> None:
    quote = "At least 7 people were hurt in Bergen 🎉, said A\u030asa 𠮷 of the 🏒 club."
    text = f"🎉🎉 A fair of 🏮 stands began on Friday. {quote} It goes on 😀."
    index.ingest(write_articles(tmp_path / "b.jsonl", {"id": "fair", "text": text, "published": "2025-09-01"}))
    answer = bot.ask("How many people were hurt in Bergen?")
    [citation] = answer.citations
    assert (citation.quote, citation.start) == (quote, text.index(quote))
    assert_lawful(answer, index)


@pytest.fixture(scope="module")
def seeds(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewsIndex]:
    with NewsIndex.open(tmp_path_factory.mktemp("seeds") / "index", create=True) as opened:
        opened.ingest(checkout / "seeds" / "articles.jsonl")
        yield opened


@pytest.mark.model
@pytest.mark.parametrize(
    "question",
    [
        "Who pledged what to PURL?",
        "How many people were killed in Kyiv on 28 August?",
        "What did Macron say in Paris, and who came for the United States?",
        "How much did the Nordic countries give?",
        "Which regions did Lambrinidis name?",
        "How much is needed to rebuild Ukraine?",
    ],
)
def test_every_answer_over_the_sample_articles_is_lawful(seeds: NewsIndex, question: str) -> None:
    answer = NewsBot(seeds).ask(question)
    assert answer.citations
    assert_lawful(answer, seeds)


def test_every_sentence_of_the_quoter_is_supported(bot: NewsBot) -> None:
    answer = bot.ask("How many people were killed in Kyiv?")
    assert {sentence.support for sentence in answer.sentences} == {"supported"}


def test_a_quotation_over_two_sentences_is_kept_whole(bot: NewsBot) -> None:
    answer = bot.ask("What did Macron say in Paris?")
    assert answer.citations[0].quote == "“We act. We do not wait,” Macron said in Paris."


def test_a_name_that_no_article_holds_is_refused_by_name(bot: NewsBot) -> None:
    answer = bot.ask("How many people were killed in Kharkiv?")
    assert answer.refusal is not None
    assert (answer.status, answer.refusal.reason) == ("refused", "not_in_articles")
    assert "Kharkiv is not in what was found" in answer.text


def test_a_year_that_no_article_holds_is_refused(bot: NewsBot) -> None:
    assert bot.ask("How many people were killed in Kyiv in 2019?").status == "refused"


def test_a_refusal_says_what_was_searched_and_what_came_nearest(bot: NewsBot) -> None:
    refusal = bot.ask("Who won the Wimbledon final?").refusal
    assert refusal is not None
    assert (refusal.searched.articles, len(refusal.nearest) > 0) == (2, True)


def test_an_empty_window_is_its_own_reason(bot: NewsBot) -> None:
    refusal = bot.ask("How many people were killed in Kyiv?", since="2030-01-01").refusal
    assert refusal is not None
    assert refusal.reason == "nothing_in_window"


@pytest.mark.parametrize(
    ("filters", "named"),
    [
        ({"since": "2030-01-01"}, "from 2030-01-01"),
        ({"as_of": "2020-01-01"}, "as of 2020-01-01"),
        ({"until": "2020-01-01", "sources": ["A", "B"]}, "until 2020-01-01 by A and B"),
    ],
)
def test_a_refusal_names_the_filters_that_leave_nothing(bot: NewsBot, filters: dict[str, Any], named: str) -> None:
    answer = bot.ask("How many people were killed in Kyiv?", **filters)
    assert answer.text == f"No article passes the filters ({named}). Widen or clear them."


def test_an_empty_index_is_its_own_reason(tmp_path: Path) -> None:
    empty = NewsIndex.open(tmp_path / "empty", create=True, embedder=FakeEmbedder())
    refusal = NewsBot(empty).ask("Who pledged what?").refusal
    assert refusal is not None
    assert refusal.reason == "empty_index"


def test_a_source_that_the_question_names_becomes_a_filter(bot: NewsBot) -> None:
    answer = bot.ask("According to the Kyiv Desk, how many people were killed?")
    assert answer.understood.sources == ("Kyiv Desk",)


@pytest.mark.parametrize(
    ("question", "sources"),
    [
        ("What did Time report of the fortune?", ("Time",)),
        ("What time was it when the fortune was found?", ()),
        ("what did the kyiv desk report?", ("Kyiv Desk",)),
    ],
)
def test_a_source_with_a_name_like_a_word_is_named_only_as_it_is_written(
    question: str, sources: tuple[str, ...]
) -> None:
    known = ("Fortune", "Kyiv Desk", "Time")
    assert read_question(question, filters=Filters(), known_sources=known).filters.sources == sources


def test_a_question_of_two_parts_gets_both(bot: NewsBot) -> None:
    answer = bot.ask("How many people were killed in Kyiv, and how many countries pledged troops for Ukraine?")
    assert {citation.article_id for citation in answer.citations} == {"kyiv", "paris"}


def test_the_same_question_gets_the_same_answer(bot: NewsBot) -> None:
    first, second = (bot.ask("How many people were killed in Kyiv?").to_json() for _ in range(2))
    del first["timings_ms"], second["timings_ms"]
    assert first == second


def test_answers_that_differ_have_ids_that_differ(tmp_path: Path, bot: NewsBot) -> None:
    other = NewsIndex.open(tmp_path / "other", create=True, embedder=FakeEmbedder())
    other.ingest(write_articles(tmp_path / "b.jsonl", KYIV | {"source": "Oslo Desk"}, PARIS))
    question = "What was hit in Kyiv?"
    answers = [bot.ask(question, k=1), bot.ask(question, k=2), NewsBot(other).ask(question, k=2)]
    assert len({answer.id for answer in answers}) == 3


def test_a_copy_in_another_source_is_named_and_not_repeated(tmp_path: Path, index: NewsIndex, bot: NewsBot) -> None:
    index.ingest(write_articles(tmp_path / "b.jsonl", KYIV | {"id": "copy", "source": "London Desk"}))
    answer = bot.ask("How many people were killed in Kyiv?")
    assert len(answer.citations) == 1
    assert len(answer.citations[0].also_in) == 1


def test_a_stream_ends_with_the_whole_answer(bot: NewsBot) -> None:
    events = list(bot.stream("How many people were killed in Kyiv?"))
    assert [event.name for event in events] == ["understood", "hits", "sentence", "answer"]
    assert events[-1].answer is not None


def test_a_stream_raises_at_once_what_cannot_be_used(bot: NewsBot) -> None:
    with pytest.raises(QuestionError):
        bot.stream("")
    with pytest.raises(DateError):
        bot.stream("Who?", since="1st May")
    with pytest.raises(InputError):
        bot.stream("Who?", k=0)


def test_no_cache_keeps_the_words_of_a_deleted_article(index: NewsIndex, bot: NewsBot) -> None:
    bot.ask("How many people were killed in Kyiv?")
    index.delete("kyiv")
    index.delete("paris")
    bot.ask("How many people were killed in Kyiv?")
    assert candidates.whole_quotations.cache_info().currsize == 0


def test_no_cache_keeps_the_words_of_an_article_that_was_deleted_while_they_were_read(index: NewsIndex) -> None:
    NewsBot(index, writer=Deletes(article_id="kyiv")).ask("How many people were killed in Kyiv?")
    kept = (candidates.whole_quotations, candidates.article_terms, read_terms, shingles, numerals)
    assert [cached.cache_info().currsize for cached in kept] == [0] * len(kept)


def test_no_cache_keeps_them_where_nobody_waits_for_the_answer(index: NewsIndex, bot: NewsBot) -> None:
    events = bot.stream("How many people were killed in Kyiv?")
    assert [next(events).name, next(events).name] == ["understood", "hits"]
    read_terms("Nineteen people were killed in Kyiv.")
    index.delete("kyiv")
    index.close()  # as where the program ends before the answer does
    cast(Any, events).close()
    assert read_terms.cache_info().currsize == 0


def test_an_answer_names_the_commit_that_was_searched_and_not_a_later_one(index: NewsIndex) -> None:
    before = index.state()
    answer = NewsBot(index, writer=Deletes(article_id="paris")).ask("How many people were killed in Kyiv?")
    assert answer.index == before
    assert index.state() != before


def test_an_article_without_a_title_is_shown_by_its_file_s_name(tmp_path: Path, index: NewsIndex, bot: NewsBot) -> None:
    story = tmp_path / "harbour.txt"
    story.write_text("Oslo opened a harbour for nine ferries.", encoding="utf-8")
    index.ingest(story)
    assert "[1] harbour.txt" in show_answer(bot.ask("How many ferries in Oslo?"))


def untimed(answer: Answer | None) -> Answer:
    assert answer is not None
    return replace(answer, timings_ms={})


SETTINGS: Any = {
    "history": [Turn("Where did the missiles fall?", "In Kyiv.")], "k": 1, "since": "2025-08-01", "until": "2025-08-31",
    "sources": ["Kyiv Desk"], "as_of": "2025-09-30",
}  # fmt: skip


def test_the_asynchronous_calls_give_the_same(bot: NewsBot) -> None:
    async def streamed() -> list[Event]:
        return [event async for event in bot.stream_async("How many people were killed?", **SETTINGS)]

    answer = bot.ask("How many people were killed?", **SETTINGS)
    asked = asyncio.run(bot.ask_async("How many people were killed?", **SETTINGS))
    events = asyncio.run(streamed())
    assert untimed(asked) == untimed(events[-1].answer) == untimed(answer)
    assert [event.name for event in events] == ["understood", "hits", "sentence", "answer"]


@pytest.mark.parametrize("call", [NewsBot.stream, NewsBot.ask_async, NewsBot.stream_async])
def test_every_way_to_ask_names_and_types_what_it_takes(call: Callable[..., object]) -> None:
    assert signature(call).parameters == signature(NewsBot.ask).parameters


def test_a_stream_does_not_block_the_event_loop(bot: NewsBot) -> None:
    async def turns_of_the_loop() -> int:
        turns = 0
        events = bot.stream_async("How many people were killed in Kyiv?")
        waiting = asyncio.ensure_future(anext(events))
        while not waiting.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert asyncio.run(turns_of_the_loop()) > 1


def test_a_question_in_another_language_says_that_meaning_is_matched_in_english(bot: NewsBot) -> None:
    answer = bot.ask("Combien de personnes sont mortes dans le quartier ?")
    assert [notice.code for notice in answer.notices] == ["not_english"]


def test_an_article_in_another_language_is_found_by_its_words(tmp_path: Path, index: NewsIndex) -> None:
    index.ingest(write_articles(tmp_path / "b.jsonl", {"id": "fr", "text": "Le sommet a réuni trente pays à Lyon."}))
    assert index.search("sommet Lyon")[0].article.id == "fr"


@pytest.mark.parametrize(
    ("asked", "codes"), [("Who opened the harbour in Bergen?", []), ("Hvem åpnet havnen i Bergen?", ["not_english"])]
)
def test_an_article_in_another_language_is_quoted_as_it_stands(
    asked: str, codes: list[str], tmp_path: Path, index: NewsIndex
) -> None:
    text = "Kari Lund åpnet havnen i Bergen på mandag. Oslo betaler 40 millioner kroner."
    index.ingest(write_articles(tmp_path / "b.jsonl", {"id": "no", "text": text}))
    answer = NewsBot(index).ask(asked)
    [citation] = answer.citations
    assert (citation.article_id, citation.quote) == ("no", "Kari Lund åpnet havnen i Bergen på mandag.")
    assert text[citation.start : citation.end] == citation.quote
    assert [notice.code for notice in answer.notices] == codes


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("What happened?", 1),
        ("Which countries paid?", 3),
        ("How many people died?", 2),
        ("Which countries paid, and how many people died?", 3),
    ],
)
def test_a_list_and_a_toll_get_more_hits_than_are_asked_for(
    asked: str, wanted: int, tmp_path: Path, index: NewsIndex
) -> None:
    towns = ("Oslo", "Rome", "Bonn", "Lyon", "Gent")
    index.ingest(
        write_articles(tmp_path / "b.jsonl", *({"id": town, "text": f"In {town} {town} was {town}."} for town in towns))
    )
    assert len(retrieve(index, read_question(asked, filters=Filters()), k=1).hits) == wanted


def test_a_history_of_another_shape_is_refused(bot: NewsBot) -> None:
    with pytest.raises(InputError, match="each turn needs"):
        bot.ask("And why?", history=[{"q": "x"}])


def test_what_two_did_each_for_themselves_is_two_questions() -> None:
    both = read_question("How much did the Netherlands and Canada pay into the fund?", filters=Filters())
    assert [part.text for part in both.parts] == [
        "How much did the Netherlands pay into the fund?",
        "How much did Canada pay into the fund?",
    ]
    assert len(read_question("Where did Trump and Putin meet?", filters=Filters()).parts) == 1


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("How many people died?", "number"),
        ("How much did Canada pay?", "money"),
        ("When did they meet?", "time"),
        ("Where did the plane land?", "place"),
        ("Who chaired it?", "name"),
        ("What did Macron say?", "speech"),
        ("Why did it end?", "reason"),
        ("Did it end?", "any"),
    ],
)
def test_a_question_tells_what_it_asks_for(question: str, asks: str) -> None:
    assert read_question(question, filters=Filters()).parts[0].asks == asks
