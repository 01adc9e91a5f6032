"""Word pieces looked up word by word are those of the tokenizer for the whole text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.embed import bundled_model_folder
from index.network_inputs import padded_inputs, tokenizer_of
from index.word_pieces import _LONGEST_KEPT, _WORDS_KEPT, WordPieces

FILE = (bundled_model_folder() / "tokenizer.json").read_bytes()
WHOLE = tokenizer_of(FILE, max_tokens=None)
CUT = tokenizer_of(FILE, max_tokens=16)

# What news is made of, and what BERT's rules treat by itself: accents apart from their letter, characters that vanish,
# other kinds of white space, special tokens, Chinese, punctuation of every sort.
_PIECES = (
    "Kyiv", "Zelenskyy’s", "U.S.", "don't", "€1,500.50", "naïve", "e\u0301", "\u0301", "İ", "ﬁ", "北京", "。", "“", "—",
    "_", "😀", "[SEP]", "[MASK]", "##ing", "[", "]", "\x00", "\x1c", "\x85", "\u200b", "\ufffd", "\xa0", "\u2028", "\t",
    "\r", "\n", " ", ".", ",", ";", ":", "(", ")", "'", '"', "-",
)  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(_PIECES)).map("".join))


@pytest.fixture
def words() -> WordPieces:
    return WordPieces(WHOLE)


@given(text=TEXTS)
@example(text="a\x1cb c\u0301. ,\u0301d [SEP].")
@example(text="x" * 101 + " " + "x" * 100)
def test_the_pieces_are_those_of_the_whole_text(text: str) -> None:
    looked_up = WordPieces(WHOLE)
    for tokenizer, most in ((WHOLE, 1000), (CUT, 16)):
        expected, found = tokenizer.encode(text), looked_up.encode(text, most)
        assert (found.ids, found.attention_mask, found.type_ids) == (
            expected.ids, expected.attention_mask, expected.type_ids,
        )  # fmt: skip
    assert looked_up.count(text) == len(WHOLE.encode(text).ids) - 2


def test_a_word_is_tokenized_once(words: WordPieces, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Counted:
        def encode(self, word: str, *, add_special_tokens: bool) -> object:
            asked.append(word)
            return WHOLE.encode(word, add_special_tokens=add_special_tokens)

    monkeypatch.setattr(words, "_tokenizer", Counted())
    for text in ("Leaders met.", "Leaders, who met, left."):
        words.encode(text, 100)
    assert sorted(asked) == ["", ",", ".", "Leaders", "left", "met", "who"]


def test_what_is_kept_is_bounded_in_words_and_in_their_length(words: WordPieces) -> None:
    words.count(" ".join(f"word{number}" for number in range(_WORDS_KEPT + 10)))
    assert words._known.cache_info().currsize == _WORDS_KEPT
    before = words._known.cache_info().misses
    words.count("x" * (_LONGEST_KEPT + 1))
    assert words._known.cache_info().misses == before


def test_a_network_takes_them_as_it_takes_encodings(words: WordPieces) -> None:
    text = "Leaders met in Paris."
    [ours, theirs] = [padded_inputs([each]) for each in (words.encode(text, 256), WHOLE.encode(text))]
    assert {name: array.tolist() for name, array in ours.items()} == {
        name: array.tolist() for name, array in theirs.items()
    }
