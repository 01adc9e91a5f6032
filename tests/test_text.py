"""Sentences and passages keep their offsets, whatever the text."""

import doctest
import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.article import Article, clean_text
from index.duplicates import is_near_copy
from index.fuse import fuse
from index.passage import Chunking, header_of, split
from index.sentences import split_sentences
from index.tokens import count_tokens
from tests.fakes import FakeEmbedder

PROSE = st.text(st.sampled_from("aB. \n!?“”\"'é漢。1,-–😀"), max_size=200) | st.text(max_size=200)


def sentences(text: str) -> list[str]:
    return [span.of(text) for span in split_sentences(text)]


@given(PROSE)
def test_sentences_cover_what_is_no_white_space_once_and_in_order(text: str) -> None:
    joined = "".join(sentences(text))
    assert "".join(joined.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr. Rutte left. He won.", ["Mr. Rutte left.", "He won."]),
        ("Trump urged the U.S. He said no.", ["Trump urged the U.S.", "He said no."]),
        ("The U.S. President left.", ["The U.S. President left."]),
        ("It rose 3.5 percent. Done.", ["It rose 3.5 percent.", "Done."]),
        ("“Stop!” he said. It ended.", ["“Stop!” he said.", "It ended."]),
        ("Heading here\nThe text begins.", ["Heading here", "The text begins."]),
        ("- one\n- two", ["- one", "- two"]),
        ("彼は言った。終わり。", ["彼は言った。", "終わり。"]),
        ("J. K. Rowling met No. 5.", ["J. K. Rowling met No. 5."]),
    ],
)
def test_abbreviations_quotations_headings_and_lists_are_known(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(PROSE, st.integers(1, 20))
def test_a_passage_is_the_text_at_its_place_and_within_its_budget(text: str, max_tokens: int) -> None:
    article = Article(id="a", text=clean_text(text), title="A title")
    passages = split(article, FakeEmbedder(max_tokens=24), Chunking(max_tokens=max_tokens))
    assert [article.text[p.start : p.end] for p in passages] == [p.text for p in passages]
    assert all(count_tokens([p.text])[0] <= max_tokens or len(p.text) == 1 for p in passages)


@given(PROSE)
def test_the_passages_hold_the_whole_text(text: str) -> None:
    article = Article(id="a", text=clean_text(text))
    joined = "".join(p.text for p in split(article, FakeEmbedder(), Chunking(max_tokens=8)))
    assert "".join(joined.split()) == "".join(article.text.split())


def test_a_long_title_leaves_room_for_the_passage() -> None:
    article = Article(id="a", text="x", title="word " * 500)
    assert FakeEmbedder().count_tokens([header_of(article, FakeEmbedder())])[0] <= 64


def test_a_token_that_means_the_end_of_text_counts_as_text() -> None:
    assert count_tokens(["<|endoftext|>"])[0] > 1


def test_reports_with_different_numbers_are_no_copies() -> None:
    assert not is_near_copy("At least 18 people died in Kyiv.", "At least 19 people died in Kyiv.")


def test_a_reprint_with_small_edits_is_a_copy() -> None:
    one = "Twenty-six countries pledged troops for Ukraine in Paris on Thursday."
    assert is_near_copy(one, one.replace("troops", "soldiers"))


def test_fusion_without_any_score_is_zero() -> None:
    assert fuse(np.array([-1.0], dtype=np.float32), np.array([0.0], dtype=np.float32)).tolist() == [0.0]


@pytest.mark.parametrize(
    "name",
    ["index.article", "index.dates", "index.duplicates", "index.fuse", "index.sentences", "index.tokens", "rag.terms"],
)
def test_the_examples_of_a_module_hold(name: str) -> None:
    module = importlib.import_module(name)
    assert doctest.testmod(module, extraglobs={"np": np}).failed == 0
