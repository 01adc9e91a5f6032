"""Answers of any system are read into one value: our JSON shape, OpenAI's, files of either."""

import json
from collections.abc import Mapping
from contextlib import suppress
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


FIELDS = (
    "text status citations hits sentences table rows cells article_id url title revision number quote start end "
    "choices message content type refusal groundwire"
).split()


@pytest.mark.parametrize("text", ["", " ", "Unfortunately, the articles do not say."])
def test_no_words_and_words_that_decline_are_a_refusal(text: str) -> None:
    assert read_answer({"text": text}, ARTICLES).refused


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
