"""Articles: the one clean-up of their text, their ids and what counts as a change."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.article import Article, article_id_for, clean_text

# Texts made of what the clean-up looks at: controls, joiners, selectors, and their neighbours in words and emoji.
DELICATE = (
    "\t\n\r\0\x1b\x85\u00ad\u061c\u200b\u200c\u200d\u2028\u202e\u2060\ufe0f\ufeff\U000e0041\ud800\u180b\u180e\u17b4"
    "a1 #بक❤🔥👩😀"
)
delicate_texts = st.text(st.sampled_from(DELICATE))

PLAIN = Article(id="a", text="Leaders met.")


@given(st.text() | delicate_texts)
@example("\u061c\u200d\u0628")
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)


@given(st.text() | delicate_texts)
def test_a_clean_text_is_utf8(text: str) -> None:
    assert clean_text(text).encode().decode() == clean_text(text)


@given(delicate_texts)
def test_cleaning_adds_nothing_but_newlines(text: str) -> None:
    remaining = iter(text)
    assert all(character in remaining for character in clean_text(text) if character != "\n")


UNTOUCHED = [
    "Leaders met\tin  Paris.\n\n“We act,” he said – £1.2 million…",
    "Ünïcödé, ﬁve, Å, ½, 東京、„ja“",  # also what normalisation would change
    "e\u0301",  # a letter and its accent
    "می\u200cشود",  # Persian needs the joiner that forbids
    "क\u094d\u200dष",  # Hindi the one that joins
    "❤\ufe0f\u200d🔥 👩\u200d🚀 👩🏽\u200d🚀 1\ufe0f\u20e3",
    "non\u00a0breaking\u3000ideographic",
]


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_a_reader_sees_stays(text: str) -> None:
    assert clean_text(text) == text


CLEANED = [
    ("a\r\nb\rc\u2028d\u2029e\x0bf\x0cg\x85h", "a\nb\nc\nd\ne\nf\ng\nh"),
    ("a\0b\x1b[2Jc\x7fd\x9b", "ab[2Jcd"),
    ("in\u00advi\u200bsi\ufeffble\u2060", "invisible"),
    ("\u202egnp.exe\u202c \u2066x\u2069 \u200fy", "gnp.exe x y"),
    ("hidden\U000e0068\U000e0069\ufe01\U000e0100", "hidden"),
    ("lone\ud800surrogate\udfff", "lonesurrogate"),
    ("a\u200db\u200c c", "ab c"),
    ("a\ufe0f", "a"),
]


@pytest.mark.parametrize(("text", "expected"), CLEANED)
def test_what_a_reader_does_not_see_goes(text: str, expected: str) -> None:
    assert clean_text(text) == expected


def test_an_id_comes_from_the_address_first() -> None:
    assert article_id_for(url="https://example.org/a", text="x") == "url-b5b10dd0429e69ac"


def test_an_id_comes_from_the_text_where_there_is_no_address() -> None:
    assert article_id_for(url=None, text="Leaders met.") == "text-582d9428b979b560"


def test_the_same_address_keeps_its_id_when_the_text_changes() -> None:
    assert article_id_for(url="seed:a", text="x") == article_id_for(url="seed:a", text="y")


def test_the_checksum_of_a_text_is_that_of_its_utf8() -> None:
    article = Article(id="a", text="£")
    assert article.text_sha256 == "b4fe151e413445357b1c0935e7cf04a429492ebd23dc62bfadb2f898c431c1fd"


SAID = [
    {"text": "Leaders meet."},
    {"title": "Paris"},
    {"source": "Paris Desk"},
    {"author": "Ann Lee"},
    {"url": "seed:a"},
    {"published": "2025-09-04"},
    {"updated": "2025-09-05"},
    {"language": "en"},
    {"metadata": {"desk": "World"}},
]


@pytest.mark.parametrize("change", SAID)
def test_a_change_of_what_the_article_says_changes_its_fingerprint(change: dict[str, object]) -> None:
    assert replace(PLAIN, **change).fingerprint != PLAIN.fingerprint  # type: ignore[arg-type] # one field each


NOT_SAID = [{"raw_sha256": "00"}, {"revision": 2}, {"metadata": {"file": "moved.txt"}}]


@pytest.mark.parametrize("change", NOT_SAID)
def test_where_the_article_was_read_is_no_part_of_its_fingerprint(change: dict[str, object]) -> None:
    assert replace(PLAIN, **change).fingerprint == PLAIN.fingerprint  # type: ignore[arg-type] # one field each


def test_the_order_of_metadata_is_no_part_of_the_fingerprint() -> None:
    one, other = ({"a": "1", "b": "2"}, {"b": "2", "a": "1"})
    assert replace(PLAIN, metadata=one).fingerprint == replace(PLAIN, metadata=other).fingerprint


@pytest.mark.parametrize(
    ("article", "label"),
    [
        (Article(id="a", text="x", title="Paris", metadata={"file": "a.txt"}), "Paris"),
        (Article(id="a", text="x", metadata={"file": "a.txt"}), "a.txt"),
        (Article(id="a", text="x"), "a"),
    ],
)
def test_an_article_is_called_by_its_title_else_its_file_else_its_id(article: Article, label: str) -> None:
    assert article.label == label


def test_articles_are_ordered_by_publication_then_id() -> None:
    undated = Article(id="z", text="x")
    day = Article(id="b", text="x", published="2025-09-04")
    same_moment = Article(id="a", text="x", published="2025-09-04T02:00:00+02:00")
    earlier = Article(id="c", text="x", published="2025-09-03T23:59:00+00:00")
    first_day = Article(id="d", text="x", published="0001-01-01T00:00:00+05:00")
    articles = [day, undated, same_moment, earlier, first_day]
    assert sorted(articles, key=Article.sort_key) == [undated, first_day, earlier, same_moment, day]
