"""Answers of any system are read into one value: our JSON shape, OpenAI's, files of either."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.answers import GivenAnswer, read_answer, read_answers
from eval.cases import EvidenceSpan
from eval.citations import GivenCitation
from eval.metrics import CitedSentence
from index.article import Article
from index.errors import InputError

OSLO = Article(id="oslo", text="Oslo paid 5 million. It rained.", title="Oslo pays", url="https://news.example/oslo")
LATER = Article(id="oslo", text="On Monday Oslo paid 5 million. It rained.", title="Oslo pays", revision=2)
ARTICLES = {("oslo", 1): OSLO, ("oslo", 2): LATER}
QUOTE = "Oslo paid 5 million."


def test_a_text_and_a_quote_are_enough() -> None:
    given = read_answer({"text": "Oslo did.[1]", "citations": [{"article_id": "oslo", "quote": QUOTE}]}, ARTICLES)
    citation = GivenCitation(
        number=1, label="Oslo pays", quote=QUOTE, stored=QUOTE,
        spans=(EvidenceSpan("oslo", 1, 0, 20), EvidenceSpan("oslo", 2, 10, 30)),
    )  # fmt: skip
    assert given == GivenAnswer(
        text="Oslo did.[1]", refused=False, sentences=(CitedSentence("Oslo did.", (QUOTE,)),),
        citations=(citation,), hits=None, rows=(),
    )  # fmt: skip


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


FIELDS = (
    "text status citations hits sentences table rows cells article_id url title revision number quote start end "
    "choices message content type refusal groundwire"
).split()
REFUSALS = [
    "", "I don't know.", "I'm sorry, I cannot answer that from the articles.", "Insufficient information.",
    "The provided articles do not mention Oslo.", "There is no information about that in the context.",
    "None of the articles say who paid.", "The documents don't say.", "Not mentioned in the articles.",
    "I don't have enough information to answer this question.", "I don’t know.", "I do not know.",
    "Unfortunately, the articles do not mention who paid.", "Based on the provided articles, I cannot answer that.",
    "There's no mention of Lviv.", "There’s no mention of a toll in Lviv in these articles.",
    "I'm unable to find an answer.", "I am unable to answer this question based on the given context.",
    "Not enough information.", "It is not possible to determine who paid.", "It's impossible to say from the articles.",
    "The question cannot be answered from the articles.", "This question can't be answered.",
    "According to the documents, there is no information about Lviv.", "We could not find any mention of Oslo.",
    "I couldn't find any information on that.", "Sorry, but the articles you provided do not mention Oslo.",
    "I apologize, but I cannot find that in the documents.", "My apologies. The articles don't say.", "No answer.",
    "No answer found.", "No information available.", "No relevant information was found in the articles.",
    "No evidence of that is given in the articles.", "There is no evidence in the articles that Oslo paid.",
    "No information is available on who paid for the harbour.", "No information about that.",
    "No information about the harbour's funding is provided.", "No details were found regarding the toll.",
    "No relevant information on this topic is available.", "No data was given as to the cost.",
    "No information is available.", "The answer is not in the articles.", "The answer is not provided in the context.",
    "This is not mentioned in the articles.", "That information is not provided.", "It is not stated in the articles.",
    "The information provided does not say who paid.", "The provided information doesn't mention Oslo.",
    "No article mentions Oslo.", "Nothing in the articles says who paid.", "The articles are silent on that.",
    "The articles make no mention of Oslo.", "The context does not contain the answer.", "Unknown.", "N/A",
    "The available articles contain no information about Oslo.", "I'm not sure.", "Not specified.", "Cannot answer.",
    "**I don’t know.**", "As an AI language model, I cannot answer that.", "It seems the articles do not mention Oslo.",
    "Answer: I don't know.", "The articles do not mention what the minister said.", "I have no information about that.",
    "The articles do not mention Lviv, but Kyiv officials said 19 died.", "From the given context, I can't tell.",
    "In the provided articles, there is no mention of Oslo.", "There isn't enough information to answer.",
    "Based on the context, it is unclear.", "Given the information provided, I cannot determine the toll.",
    "There are no articles about Oslo.", "The articles do not say, according to the articles.",
    "Based on the articles provided, there isn't any information about Oslo's payment.",
    "No answer to that can be found in the documents.", "I did not find an answer in the articles.",
    "Sorry, I don't have that information.", "The text does not provide this information.",
    "There is not enough information in the articles to say.", "The provided context doesn't include this.",
    "Unanswerable", "Insufficient Information", "None of the provided documents answers this.", "I found nothing.",
    "I cannot find any reference to Lviv, and the articles do not say what officials there said.", "I can’t say.",
    "Information not available.", "Not found.", "No mention of Lviv in the articles.",
    "The sources provided don't cover this.", "I regret that I cannot answer.",
    "Based on the articles alone I cannot tell.", "Your articles don't say.",
    "The articles don't say who paid, and neither does the context.", "I was unable to find that.",
    "We do not have any details about that.", "It cannot be determined from the articles.",
    "Information about this is not available in the articles.", "I have not found any information on that.",
    "My sources don't cover that.", "There were no mentions of Lviv in the articles.",
]  # fmt: skip
ANSWERS = [
    "Oslo paid.", "No country paid more than Oslo.", "The articles say that Oslo paid.", "Oslo said it did not know.",
    "No answer came from Moscow on Friday.", "No evidence was found of sabotage, the police said.",
    "The documents do not mention Poland, Tusk said.", "“I don’t know,” Tusk said.",
    '"I do not know," said the minister.', "No information was released by the police on Friday.",
    "No evidence of sabotage was found.", "There is no evidence of sabotage.",
    "There is no evidence of sabotage, police say.", "No details were released on Friday.",
    "No mention of Poland was made by Trump.", "Unknown gunmen attacked the town.",
    "It is not possible to say who won, the commission said on Monday.",
    "We cannot tell how many died, said Mayor Klitschko.", "No, Oslo did not pay.", "None paid.", "No one paid.",
    "No information about the victims was given, according to the police.",
    "In the documents, Oslo promised 5 million.", "According to the articles, Oslo paid.",
    "Based on the articles, 19 people died.", "Unfortunately, 19 people died.", "Not in Oslo but in Rome.",
    "Not enough, Zelensky said.", "It is unclear who fired first.", "Insufficient evidence led to his release.",
    "The answer is 42.", "This is not the first attack.", "Nothing was paid.", "The question was answered by Tusk.",
    "Sadly, four children.", "I Corps did.", "We Are Wales did.", "The information came from Poland.",
    "No answers were given by Moscow.",
    "The sources of the leak are not known, officials, who asked not to be named, said.",
    "No evidence, the police said, was found of sabotage.", "That is not true, Tusk said.",
    "It is not known how many died.", "Sorry, the hit song by Justin Bieber.", "No Answer is an album by ELO.",
    "There are no details yet, Rutte told reporters.", "I don't know when it ends, Trump told reporters on Friday.",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_in_words_is_a_refusal(text: str) -> None:
    assert read_answer({"text": text}, ARTICLES).refused


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_in_words_is_no_refusal(text: str) -> None:
    assert not read_answer({"text": text}, ARTICLES).refused


def test_what_is_cited_is_an_answer_whatever_it_says() -> None:
    assert not read_answer(
        {"text": "No answer", "citations": [{"article_id": "oslo", "quote": QUOTE}]}, ARTICLES
    ).refused


def test_a_status_outweighs_the_words() -> None:
    assert read_answer({"text": "Oslo paid.", "status": "refused"}, ARTICLES).refused


def test_a_mark_after_the_full_stop_belongs_to_the_sentence_before_it() -> None:
    cited = [{"article_id": "oslo", "quote": quote} for quote in (QUOTE, "It rained.")]
    data = {"text": "Oslo paid.[1] It rained. [2]", "citations": cited}
    assert read_answer(data, ARTICLES).sentences == (
        CitedSentence("Oslo paid.", (QUOTE,)),
        CitedSentence("It rained.", ("It rained.",)),
    )


def test_marks_may_share_their_brackets_or_follow_upon_each_other() -> None:
    cited = [{"article_id": "oslo", "quote": quote} for quote in (QUOTE, "It rained.")]
    data = {"text": "Oslo paid. [1, 2] It rained [2,1]. It did.[1] [2]", "citations": cited}
    assert read_answer(data, ARTICLES).sentences == (
        CitedSentence("Oslo paid.", (QUOTE, "It rained.")),
        CitedSentence("It rained.", ("It rained.", QUOTE)),
        CitedSentence("It did.", (QUOTE, "It rained.")),
    )


def test_a_mark_after_a_quotation_belongs_to_its_sentence() -> None:
    cited = [{"article_id": "oslo", "quote": "It rained."}]
    data = {"text": "“It rained.” [1] Oslo paid.", "citations": cited}
    assert read_answer(data, ARTICLES).sentences == (
        CitedSentence("“It rained.”", ("It rained.",)),
        CitedSentence("Oslo paid.", ()),
    )


def test_a_completion_is_read_by_its_message() -> None:
    given = read_answer({"id": "1", "choices": [{"message": {"content": "Oslo paid."}}]}, ARTICLES)
    assert (given.text, given.refused, given.citations) == ("Oslo paid.", False, ())


def test_the_text_parts_of_a_completion_are_its_text() -> None:
    parts = [{"type": "text", "text": "Oslo "}, {"type": "text", "text": "paid."}]
    given = read_answer({"choices": [{"message": {"content": parts}}]}, ARTICLES)
    assert (given.text, given.refused) == ("Oslo paid.", False)


def test_a_completion_with_a_part_that_declines_is_a_refusal() -> None:
    parts = [{"type": "refusal", "refusal": "I can't help with that."}]
    assert read_answer({"choices": [{"message": {"content": parts}}]}, ARTICLES).refused


def test_a_completion_that_carries_our_answer_is_read_by_that() -> None:
    ours = {"text": "Oslo did.", "status": "answered", "citations": [{"article_id": "oslo", "quote": QUOTE}]}
    given = read_answer({"choices": [{"message": {"content": "x"}}], "groundwire": ours}, ARTICLES)
    assert (given.text, given.citations[0].faithful) == ("Oslo did.", True)


def test_a_completion_that_declines_is_a_refusal() -> None:
    message = {"content": None, "refusal": "I can't help with that."}
    assert read_answer({"choices": [{"message": message}]}, ARTICLES).refused


@pytest.mark.parametrize("data", [{"answer": "x"}, {"choices": []}, {"text": 5}])
def test_what_is_no_answer_is_refused(data: Mapping[str, Any]) -> None:
    with pytest.raises(InputError):
        read_answer(data, ARTICLES)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": 5}, "`text` is 5; write the answer in words"),
        ({"status": 200}, '`status` is 200; write "refused" or "answered"'),
        ({"citations": {"quote": QUOTE}}, "`citations` is {'quote': 'Oslo paid 5 million.'}; write a list of objects"),
        ({"citations": [["oslo"]]}, r"`citations` is \[\['oslo'\]\]; write a list of objects"),
        ({"citations": [{}, {"quote": 5}]}, r"`citations\[1\]\.quote` is 5; write the words that are cited"),
        ({"citations": [{"number": "one"}]}, r"`citations\[0\]\.number` is 'one'; write the number of its mark"),
        ({"citations": [{"revision": "1"}]}, r"`citations\[0\]\.revision` is '1'; write the number of a revision"),
        ({"citations": [{"start": "0"}]}, r"`citations\[0\]\.start` is '0'; write how many characters"),
        ({"citations": [{"end": 31.0}]}, r"`citations\[0\]\.end` is 31\.0; write how many characters"),
        ({"citations": [{"article_id": True}]}, r"`citations\[0\]\.article_id` is True; write what the article has"),
        ({"hits": [{"title": ["oslo"]}]}, r"`hits\[0\]\.title` is \['oslo'\]; write what the article has there"),
        ({"hits": "oslo"}, "`hits` is 'oslo'; write a list of objects"),
        ({"hits": ["oslo"]}, r"`hits` is \['oslo'\]; write a list of objects"),
        ({"hits": [{"text": QUOTE}]}, r"`hits\[0\]` names no article; write its `article_id`, `url` or `title`"),
        ({"hits": [{"article_id": "oslo", "start": 0}]}, r"`hits\[0\]` has no words; write them as `text`, or their"),
        ({"hits": [{"article_id": "oslo", "text": 5}]}, r"`hits\[0\]\.text` is 5; write the words that were found"),
        ({"sentences": 5}, "`sentences` is 5; write a list of objects"),
        ({"sentences": [{"citations": [1]}]}, r"`sentences\[0\]\.text` is None; write the sentence in words"),
        (
            {"sentences": [{"text": "x", "citations": ["one"]}]},
            r"`sentences\[0\]\.citations` is \['one'\]; write a list of",
        ),
        ({"table": [{"a": "b"}]}, r"`table` is .*; write an object with `rows`"),
        ({"table": {"rows": ["a"]}}, r"`table\.rows` is \['a'\]; write a list of objects"),
        ({"table": {"rows": [{"cells": "a"}]}}, r"`table\.rows\[0\]\.cells` is 'a'; write an object"),
    ],
)
def test_a_field_that_cannot_be_read_is_named_with_what_to_write(fields: Mapping[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_answer({"text": "Oslo paid.", **fields}, ARTICLES)


@pytest.mark.parametrize(
    ("completion", "said"),
    [
        ({"choices": "x"}, r"`choices` is 'x'; write whole chat completions, with choices\[0\]\.message"),
        ({"choices": [{"delta": {}}]}, r"`choices` is \[{'delta': {}}\]; write whole chat completions"),
        ({"choices": [{"message": None}]}, r"`choices` is \[{'message': None}\]; write whole chat completions"),
        ({"choices": [{"message": {"content": 5}}]}, r"`choices\[0\]\.message\.content` is 5; write a text"),
        ({"choices": [{"message": {"content": ["x"]}}]}, r"`choices\[0\]\.message\.content` is \['x'\]; write a text"),
        (
            {"choices": [{"message": {"content": [{"type": "text"}]}}]},
            r"`choices\[0\]\.message\.content` is \[{'type': 'text'}\]; write a text",
        ),
        (
            {"choices": [{"message": {"content": [{"type": "image_url", "image_url": {}}]}}]},
            r"`choices\[0\]\.message\.content` is .*; write a text, or parts of type \"text\"",
        ),
        ({"choices": [{"message": {"content": "x", "citations": 5}}]}, "`citations` is 5; write a list of objects"),
    ],
)
def test_a_completion_that_cannot_be_read_is_refused_by_its_field(completion: Mapping[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_answer(completion, ARTICLES)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 40) | st.floats() | st.sampled_from(["", "oslo", "text", QUOTE]),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), values, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_whatever_json_an_answer_is_it_is_read_or_refused(data: Mapping[str, Any]) -> None:
    with suppress(InputError):
        assert isinstance(read_answer({"text": "Oslo paid.[1]", **data}, ARTICLES), GivenAnswer)


NULLS = dict.fromkeys(("choices", "citations", "hits", "sentences", "status", "table"))


def test_a_field_that_is_null_is_one_that_is_not_given() -> None:
    assert read_answer({**NULLS, "text": "I don't know."}, ARTICLES) == read_answer({"text": "I don't know."}, ARTICLES)


def test_marks_are_counted_from_0_where_citations_are() -> None:
    cited = [{"number": 0, "article_id": "oslo", "quote": QUOTE}, {"number": 1, "title": "Oslo pays", "quote": "It"}]
    assert read_answer({"text": "Oslo paid.[0]", "citations": cited}, ARTICLES).sentences == (
        CitedSentence("Oslo paid.", (QUOTE,)),
    )


def lines(*answers: object) -> str:
    return "\n".join(json.dumps(answer) for answer in answers)


FILES = {
    "JSON lines": lines({"id": "a", "text": "A"}, {"id": "b", "text": "B"}),
    "a JSON array": json.dumps([{"id": "a", "text": "A"}, {"id": "b", "text": "B"}]),
    "our answers, as `ask --json` prints them": "".join(
        json.dumps({"case_id": case_id, "id": "9f", "text": text}, indent=2) + "\n" for case_id, text in ("aA", "bB")
    ),
    "our answers, which have an id of their own": lines(
        {"case_id": "a", "id": "9f", "text": "A"}, {"case_id": "b", "id": "9f", "text": "B"}
    ),
    "a batch of OpenAI's": lines(
        {"custom_id": "a", "id": "batch_1", "response": {"body": {"text": "A"}}},
        {"custom_id": "b", "id": "batch_2", "response": {"body": {"text": "B"}}},
    ),
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_a_file_of_answers_is_read_by_case(tmp_path: Path, text: str) -> None:
    (tmp_path / "answers.jsonl").write_text(text, encoding="utf-8")
    found = read_answers(tmp_path / "answers.jsonl")
    assert {name: answer["text"] for name, answer in found.items()} == {"a": "A", "b": "B"}


def test_a_case_may_be_called_0(tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").write_text('{"case_id": 0, "id": "9f", "text": "A"}', encoding="utf-8")
    assert list(read_answers(tmp_path / "answers.jsonl")) == ["0"]


def test_an_empty_id_is_one_that_is_not_given(tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").write_text('{"case_id": "", "custom_id": null, "id": "a"}', encoding="utf-8")
    assert list(read_answers(tmp_path / "answers.jsonl")) == ["a"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", r"answers\.jsonl:1: not JSON .*; write one JSON object a line"),
        ('{"text": "A"}', r"answers\.jsonl:1: no `case_id`"),
        ('{"case_id": ["a"], "id": "9f"}', r"answers\.jsonl:1: `case_id` is \['a'\]; write the `id` of a case"),
        ('{"custom_id": false, "id": "a"}', r"answers\.jsonl:1: `custom_id` is False; write the `id` of a case"),
        ('\n["a"]\n', "item 1: 'a' is no answer"),
        (lines({"id": "a", "text": "A"}, {"id": "a", "text": "B"}), r"answers\.jsonl:2: 'a' is answered twice"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "answers.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_answers(tmp_path / "answers.jsonl")
