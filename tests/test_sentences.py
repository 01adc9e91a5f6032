"""Sentences: every character that is no white space in exactly one of them, whatever the text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.sentences import Span, split_sentences

# What the rules look at: ends, closers, openers, list markers, line breaks, letters of both cases, other scripts.
DELICATE = "aB. \n\t!?…“”\"'»«()é漢。」1,-–•😀\u00a0\u202f"
texts = st.text(st.sampled_from(DELICATE)) | st.text()


def sentences(text: str) -> list[str]:
    return [span.of(text) for span in split_sentences(text)]


@given(texts)
def test_every_character_but_white_space_is_covered_once_and_in_order(text: str) -> None:
    covered = [place for span in split_sentences(text) for place in range(span.start, span.end)]
    visible = [place for place, character in enumerate(text) if not character.isspace()]
    assert [place for place in covered if not text[place].isspace()] == visible


@given(texts)
def test_sentences_are_in_order_and_never_overlap(text: str) -> None:
    spans = split_sentences(text)
    assert all(one.end <= other.start for one, other in pairwise(spans))


@given(texts)
def test_no_sentence_is_empty_or_begins_or_ends_in_white_space(text: str) -> None:
    assert all(sentence and sentence == sentence.strip() for sentence in sentences(text))


def test_spans_count_code_points_of_the_text() -> None:
    assert split_sentences(" 😀 Yes.  No. ") == [Span(1, 7), Span(9, 12)]


@pytest.mark.parametrize("text", ["", " ", "\n\n \t\u00a0\n"])
def test_a_text_without_words_has_no_sentence(text: str) -> None:
    assert split_sentences(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr. Rutte left. He won.", ["Mr. Rutte left.", "He won."]),
        ("Mr.\nSmith left. Yes.", ["Mr.\nSmith left.", "Yes."]),
        ("Prof. Dr. Maier came. He spoke.", ["Prof. Dr. Maier came.", "He spoke."]),
        ("They saw St. Petersburg. It rained.", ["They saw St. Petersburg.", "It rained."]),
        ("Trump urged the U.S. He said no.", ["Trump urged the U.S.", "He said no."]),
        ("The U.S. President left. Done.", ["The U.S. President left.", "Done."]),
        ("The U.N. Security Council met. It voted.", ["The U.N. Security Council met.", "It voted."]),
        ("It closed at 5 p.m. The bank said so.", ["It closed at 5 p.m.", "The bank said so."]),
        ("At 5 p.m. Tuesday he left. Good.", ["At 5 p.m. Tuesday he left.", "Good."]),
        ("Smith v. Jones was decided. It held.", ["Smith v. Jones was decided.", "It held."]),
        ("He works at Apple Inc. The firm is big.", ["He works at Apple Inc.", "The firm is big."]),
        ("It was right, e.g. there. And i.e. here.", ["It was right, e.g. there.", "And i.e. here."]),
        ("She said no. The vote failed.", ["She said no.", "The vote failed."]),
        ("He was born on Jan. 5, 1990. It rained.", ["He was born on Jan. 5, 1990.", "It rained."]),
    ],
)
def test_an_abbreviation_ends_no_sentence_that_goes_on(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rose 3.5 percent. Done.", ["It rose 3.5 percent.", "Done."]),
        ("They paid 1,000.25 euros. 26 did not.", ["They paid 1,000.25 euros.", "26 did not."]),
        ("J. K. Rowling met No. 5. She left.", ["J. K. Rowling met No. 5.", "She left."]),
        ("George W. Bush stayed. He left.", ["George W. Bush stayed.", "He left."]),
        ("Visit example.com. It works.", ["Visit example.com.", "It works."]),
        ("Wait... what? No… He left.", ["Wait... what?", "No…", "He left."]),
    ],
)
def test_numbers_initials_and_dots_that_run_on_end_no_sentence(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“Stop!” he said. It ended.", ["“Stop!” he said.", "It ended."]),
        ('"Really?" she asked. "Yes."', ['"Really?" she asked.', '"Yes."']),
        ("He said: “We act.” Then he left.", ["He said: “We act.”", "Then he left."]),
        ("“We act. We wait,” he said. Fine.", ["“We act.", "We wait,” he said.", "Fine."]),
        ("« Nous agissons. » Il part.", ["« Nous agissons. »", "Il part."]),
        ("Er ging. »Ja«, sagte er.", ["Er ging.", "»Ja«, sagte er."]),
        ("(He left.) She stayed.", ["(He left.)", "She stayed."]),
        ("¿Qué pasa? ¡Nada! Fin.", ["¿Qué pasa?", "¡Nada!", "Fin."]),
    ],
)
def test_what_closes_stays_with_what_it_closes(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Heading here\nThe text begins.", ["Heading here", "The text begins."]),
        (
            "One paragraph, which ends in a comma,\n \nanother one",
            ["One paragraph, which ends in a comma,", "another one"],
        ),
        ("- one\n- two", ["- one", "- two"]),
        ("1. First point. More.\n2. Second point", ["1. First point.", "More.", "2. Second point"]),
        ("(1) One thing.\n(2) Another", ["(1) One thing.", "(2) Another"]),
        (
            "A line that an old editor wrapped at eighty characters goes on in the\nnext one. Done.",
            ["A line that an old editor wrapped at eighty characters goes on in the\nnext one.", "Done."],
        ),
    ],
)
def test_headings_and_list_items_are_sentences_and_wrapped_lines_are_not(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("彼は言った。終わり。", ["彼は言った。", "終わり。"]),
        ("今天天气很好！真的吗？是的。", ["今天天气很好！", "真的吗？", "是的。"]),
        ("「行こう。」次。", ["「行こう。」", "次。"]),
    ],
)
def test_chinese_and_japanese_need_no_space(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.timeout(20)  # what grows with the square of the length takes minutes here
@pytest.mark.parametrize("text", ["." * 300_000 + "x", "This is it. " * 60_000, ".)" * 150_000])
def test_a_long_row_of_marks_or_words_does_not_hang(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())
