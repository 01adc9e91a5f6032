"""The check of an answer against its texts: what stands is kept, what does not is named."""

from dataclasses import replace
from typing import Any

import pytest

from index.article import Article
from index.errors import InputError
from rag.cite import Draft, Source, cite
from rag.verify import verify_answer

from .fakes import refused

TEXT = "At least 19 people were killed in Kyiv on Thursday. Four of the victims were children."
ARTICLE = Article(id="kyiv", text=TEXT, title="Toll in Kyiv")
TEXTS = [{"article_id": "kyiv", "text": TEXT}]


def answered(written: str = "At least 19 people were killed in Kyiv on Thursday.[1]") -> dict[str, Any]:
    """Return the JSON of an answer whose draft reads so; [1] is the article's first sentence."""
    first = Source("kyiv", 1, 0, 51, "kyiv@1:0-86")
    draft = replace(Draft.of_text(written, ()), sources=(first,))
    cited = cite(draft, lambda article_id, revision: ARTICLE)
    answer = replace(
        refused(),
        status="answered",
        text=cited.text,
        sentences=cited.sentences,
        citations=cited.citations,
        refusal=None,
    )
    return answer.to_json()


def test_an_answer_that_stands_comes_back_unchanged() -> None:
    assert verify_answer(answered(), TEXTS) == answered()


def test_a_refusal_has_nothing_to_check() -> None:
    assert verify_answer(refused().to_json(), []) == refused().to_json()


def test_words_of_its_own_are_unchecked_until_there_are_verdicts() -> None:
    checked = verify_answer(answered("19 died.[1]"), TEXTS)
    assert checked["status"] == "partial"
    assert (checked["sentences"][0]["support"], checked["sentences"][0]["reasons"]) == ("unchecked", ["not verbatim"])


def test_a_sentence_without_a_citation_is_unsupported() -> None:
    checked = verify_answer(answered("Nobody knows. At least 19 people were killed in Kyiv on Thursday.[1]"), TEXTS)
    assert [s["support"] for s in checked["sentences"]] == ["unsupported", "supported"]
    assert checked["sentences"][0]["reasons"] == ["no citation"]


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"quote": "At least 20 people were killed in Kyiv on Thursday."}, "the text has 'At least 19"),
    ({"start": 1}, "the text has 't least 19"),
    ({"end": 9999}, "the text has 86 characters, and the citation is of 0 to 9999"),
    ({"start": -5}, "the text has 86 characters, and the citation is of -5 to 51"),
    ({"text_sha256": "0" * 64}, "the text differs from the one that was cited"),
    ({"article_id": "lviv"}, "no text of article 'lviv' was given"),
]


@pytest.mark.parametrize(("change", "reason"), CHANGES)
def test_a_citation_that_does_not_stand_is_rejected_with_its_reason(change: dict[str, Any], reason: str) -> None:
    answer = answered()
    answer["citations"][0].update(change)
    checked = verify_answer(answer, TEXTS)
    assert checked["status"] == "partial"
    assert checked["sentences"][0]["support"] == "unsupported"
    assert checked["sentences"][0]["reasons"][0].startswith(f"citation 1: {reason}")
    [rejected] = checked["rejected"]
    assert (rejected["mark"], rejected["sentence"]) == ("[1]", answer["sentences"][0]["text"])
    assert rejected["reason"].startswith(reason)


def test_a_mark_of_nothing_is_rejected() -> None:
    answer = answered()
    answer["text"] += "[9]"
    answer["sentences"][0]["citations"] = [1, 9]
    checked = verify_answer(answer, TEXTS)
    assert checked["rejected"] == [{"mark": "[9]", "sentence": TEXT[:51], "reason": "no such citation"}]
    assert checked["sentences"][0]["reasons"] == ["citation 9: no such citation"]


def test_a_mark_that_the_sentence_does_not_name_is_found() -> None:
    answer = answered()
    answer["text"] = answer["text"].replace("[1]", "")
    assert verify_answer(answer, TEXTS)["sentences"][0]["reasons"] == [
        "marks: the answer's text has [] behind this sentence"
    ]


def test_wrong_offsets_of_a_sentence_are_found() -> None:
    answer = answered()
    answer["sentences"][0]["start"] = 3
    assert verify_answer(answer, TEXTS)["sentences"][0]["reasons"] == [
        "offsets: the answer's text has other words at this place"
    ]


@pytest.mark.parametrize(("start", "end"), [(-6, 3), (3, 3), (4, 3), (0, 99), (10**30, 10**31), (-(10**31), -(10**30))])
def test_a_sentence_of_no_words_of_the_answer_s_text_is_unsupported(start: int, end: int) -> None:
    answer = answered()
    answer["text"] = "Hi.[1]"
    answer["sentences"][0] |= {"text": answer["text"][start:end], "start": start, "end": end}
    (sentence,) = verify_answer(answer, TEXTS)["sentences"]
    assert sentence["support"] == "unsupported"
    assert sentence["reasons"] == [
        f"offsets: the answer's text has 6 characters, and the sentence is of {start} to {end}"
    ]


def test_blanks_are_verbatim_nowhere() -> None:
    answer = answered()
    answer["text"] = " [1]"
    answer["sentences"][0] |= {"text": " ", "start": 0, "end": 1}
    (sentence,) = verify_answer(answer, TEXTS)["sentences"]
    assert (sentence["support"], sentence["reasons"]) == ("unchecked", ["not verbatim"])


def test_each_revision_is_checked_against_its_own_text() -> None:
    texts = [{"article_id": "kyiv", "revision": 2, "text": "Another text."}, {**TEXTS[0], "revision": 1}]
    assert verify_answer(answered(), texts) == answered()


def changed(field: str, **to: object) -> dict[str, Any]:
    """Return the answer with other values in the first of its sentences or citations."""
    answer = answered()
    answer[field][0] |= to
    return answer


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in answered().items() if key != name}


@pytest.mark.parametrize(
    ("answer", "texts", "message"),
    [
        (without("citations"), TEXTS, "answer: has no `citations`"),
        ({**answered(), "sentences": 3}, TEXTS, "answer: `sentences` is 3; give a list"),
        ({**answered(), "citations": [3]}, TEXTS, r"answer.citations\[0\] is 3; give an object"),
        ({**answered(), "citations": answered()["citations"] * 2}, TEXTS, "there is a citation 1 already"),
        (answered(), [{"text": "x"}], r"texts\[0\]: has no `article_id`"),
        (answered(), [{**TEXTS[0], "revision": [1]}], r"texts\[0\]: `revision` is \[1\]; give a whole number"),
        (answered(), [{**TEXTS[0], "revision": True}], r"texts\[0\]: `revision` is True"),
        (changed("citations", revision=[1]), TEXTS, r"answer.citations\[0\]: `revision` is \[1\]"),
        (changed("citations", text_sha256=5), TEXTS, r"answer.citations\[0\]: `text_sha256` is 5; give a text"),
        (changed("sentences", citations=[True]), TEXTS, r"answer.sentences\[0\]: `citations` holds True"),
        (answered(), [*TEXTS, {"article_id": "kyiv", "text": "x"}], "article 'kyiv' has another text above"),
    ],
)
def test_what_is_no_answer_is_named(answer: dict[str, Any], texts: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        verify_answer(answer, texts)
