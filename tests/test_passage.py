"""Passages: whole sentences at their exact places, within the budgets of both tokenizers, the whole text covered."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.article import Article, clean_text
from index.passage import Chunking, Passage, header_of, split
from index.sentences import split_sentences
from index.tokens import count_tokens
from tests.fakes import FakeEmbedder

TITLED = Article(id="a", text="", title="A title of five words", source="Paris Desk", published="2025-09-04")

prose = st.lists(st.sampled_from("Leaders met. It ended! one two, three; four\n\n “We act.” 漢字。 😀 é".split(" ")))
texts = (
    st.text()
    | prose.map(" ".join)
    | st.text(st.sampled_from("aB. \n!?“”é漢。1,-–😀"), max_size=200)
    | st.builds(str.__mul__, st.sampled_from(["x", "😀", "漢", "1,"]), st.integers(0, 300))
)


class LetterRuler:
    """Count every character as a token, and two for the ends: the strictest embedder there could be."""

    max_tokens = 60

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) + 2 for text in texts]


def article(text: str) -> Article:
    return replace(TITLED, text=clean_text(text))


def pieces(text: str, max_tokens: int) -> list[str]:
    plain = Article(id="a", text=text)
    return [passage.text for passage in split(plain, FakeEmbedder(), Chunking(max_tokens=max_tokens))]


@given(texts, st.integers(1, 20))
def test_a_passage_is_the_text_at_its_place(text: str, max_tokens: int) -> None:
    held = article(text)
    passages = split(held, FakeEmbedder(), Chunking(max_tokens=max_tokens))
    assert [held.text[p.start : p.end] for p in passages] == [p.text for p in passages]


@given(texts, st.integers(1, 20))
def test_no_passage_is_over_the_token_budget_but_a_single_character(text: str, max_tokens: int) -> None:
    passages = split(article(text), FakeEmbedder(), Chunking(max_tokens=max_tokens))
    assert all(len(p.text) == 1 or count_tokens([p.text])[0] <= max_tokens for p in passages)


@given(texts)
@example("word " * 200)
@example("x" * 200)
def test_header_and_passage_together_fit_what_the_embedder_reads(text: str) -> None:
    held, ruler = article(text), LetterRuler()
    header = header_of(held, ruler)
    together = [f"{header}\n{p.text}" for p in split(held, ruler, Chunking())]
    assert all(count <= ruler.max_tokens for count in ruler.count_tokens(together))


@given(texts, st.integers(1, 20))
def test_a_sentence_that_fits_is_never_cut(text: str, max_tokens: int) -> None:
    held = article(text)
    passages = split(held, FakeEmbedder(), Chunking(max_tokens=max_tokens))
    whole = [s for s in split_sentences(held.text) if count_tokens([s.of(held.text)])[0] <= max_tokens]
    assert all(any(p.start <= s.start and s.end <= p.end for p in passages) for s in whole)


@given(texts, st.integers(1, 20))
def test_the_passages_cover_every_character_but_white_space_once_and_in_order(text: str, max_tokens: int) -> None:
    held = article(text)
    covered = [i for p in split(held, FakeEmbedder(), Chunking(max_tokens=max_tokens)) for i in range(p.start, p.end)]
    visible = [i for i, character in enumerate(held.text) if not character.isspace()]
    assert [i for i in covered if not held.text[i].isspace()] == visible


def test_a_passage_says_where_it_stands() -> None:
    held = Article(id="a", revision=3, text=" Leaders met.\n\n")
    passages = split(held, FakeEmbedder(), Chunking())
    assert passages == [Passage(article_id="a", revision=3, start=1, end=13, text="Leaders met.")]


def test_the_id_of_a_passage_names_article_revision_and_place() -> None:
    assert Passage(article_id="a", revision=3, start=1, end=13, text="Leaders met.").id == "a@3:1-13"


def test_neighbouring_sentences_share_a_passage_until_its_budget_is_spent() -> None:
    assert pieces("One two. Three four. Five six. Seven.", 7) == ["One two. Three four.", "Five six. Seven."]


def test_line_breaks_count_so_that_passages_are_filled_and_stay_whole() -> None:
    """Ten paragraphs of five tokens, and one for each break: three have 5 + 1 + 5 + 1 + 5 = 17, four have 23."""
    text = " \n\n".join(["Leaders met in Paris."] * 10)
    assert [count_tokens([piece])[0] for piece in pieces(text, 20)] == [17, 17, 17, 5]


def test_sentences_that_fit_only_by_their_sum_are_halved_not_scattered() -> None:
    class Joining(FakeEmbedder):
        def count_tokens(self, texts: Sequence[str]) -> list[int]:
            return [2 + len(text.split()) + (100 if text.count(".") > 4 else 0) for text in texts]

    plain = Article(id="a", text="One. Two. Three. Four. Five. Six. Seven. Eight.")
    held = split(plain, Joining(max_tokens=64), Chunking())
    assert [p.text for p in held] == ["One. Two. Three. Four.", "Five. Six. Seven. Eight."]


def test_a_sentence_over_the_budget_is_cut_behind_a_clause() -> None:
    assert pieces("The leaders met, as they had said, in the city.", 10) == [
        "The leaders met,",
        "as they had said, in the city.",
    ]


def test_a_sentence_without_clauses_is_cut_between_words() -> None:
    assert pieces("one two three four five six seven eight", 4) == ["one two three four", "five six seven eight"]


def test_a_word_over_the_budget_is_cut_anywhere() -> None:
    assert pieces("é" * 12, 6) == ["é" * 6, "é" * 6]


def test_an_emoji_of_more_tokens_than_the_budget_stands_alone() -> None:
    assert pieces("🫠🫠", 1) == ["🫠", "🫠"]


def test_an_article_without_words_has_no_passage() -> None:
    assert split(Article(id="a", text=" \n"), FakeEmbedder(), Chunking()) == []


def test_a_mark_that_ends_texts_for_models_is_text_like_any_other() -> None:
    assert pieces("It said <|endoftext|> and went on.", 128) == ["It said <|endoftext|> and went on."]


def test_a_mark_that_ends_texts_for_models_is_counted_as_the_characters_it_is() -> None:
    assert count_tokens(["<|endoftext|>"])[0] > 1


@pytest.mark.timeout(60)  # what grows with the square of the length takes hours here
@pytest.mark.parametrize("unit", ["x", "word ", "Leaders met. ", "漢"])
def test_a_very_long_text_is_split_in_time(unit: str) -> None:
    passages = split(Article(id="a", text=unit * 60_000), FakeEmbedder(), Chunking())
    assert sum(len("".join(p.text.split())) for p in passages) == 60_000 * len("".join(unit.split()))


@pytest.mark.parametrize(
    ("held", "header"),
    [
        (TITLED, "A title of five words | Paris Desk | 2025-09-04"),
        (replace(TITLED, published="2025-09-04T01:00:00+02:00"), "A title of five words | Paris Desk | 2025-09-03"),
        (replace(TITLED, title="Two\nlines", source=None, published=None), "Two lines"),
        (Article(id="a", text="x"), ""),
    ],
)
def test_the_header_names_what_is_known_on_one_line(held: Article, header: str) -> None:
    assert header_of(held, FakeEmbedder()) == header


def test_a_header_leaves_three_fourths_of_the_embedder_to_the_passage() -> None:
    ruler = FakeEmbedder(max_tokens=40)
    assert ruler.count_tokens([header_of(replace(TITLED, title="word " * 500), ruler)])[0] <= 10


def test_a_header_is_cut_between_words() -> None:
    header = header_of(replace(TITLED, title="word " * 500), FakeEmbedder(max_tokens=40))
    assert set(header.split(" ")) == {"word"}


@given(st.text(), st.integers(1, 300))
def test_a_header_always_comes_to_an_end(title: str, max_tokens: int) -> None:
    ruler = FakeEmbedder(max_tokens=max_tokens)
    header = header_of(replace(TITLED, title=title), ruler)
    assert not header or ruler.count_tokens([header])[0] <= max_tokens // 4


def test_a_header_is_no_part_of_the_passage() -> None:
    held = replace(TITLED, text="Leaders met.")
    assert [p.text for p in split(held, FakeEmbedder(), Chunking())] == ["Leaders met."]


def test_a_chunking_is_read_back_from_its_name() -> None:
    assert Chunking.parse(str(Chunking(max_tokens=99))) == Chunking(max_tokens=99)


@pytest.mark.parametrize("name", ["sentences-1/128", "words-2/128", "sentences-2", "", "sentences-2/ 128"])
def test_the_name_of_another_chunker_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"another chunker|invalid literal"):
        Chunking.parse(name)
