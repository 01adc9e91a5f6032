"""Word pieces of single texts, each word looked up once: a corpus repeats its words.

The ids are those of the tokenizer for the whole text: no rule of BERT's looks across a space, a line break, or a mark
that it always makes a piece of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["PieceIds", "WordPieces"]

_WORDS_KEPT = 2**15  # some 8 MB; by hand
_MARKS = "\n,.;:\"()-'"  # a bracket, which begins "[SEP]", must not be among them
_LONGEST_KEPT = 100  # in characters: longer ones are no words, and BERT's tokenizer knows none of them


@dataclass(frozen=True)
class PieceIds:
    """Hold the ids of a text as a network reads it; an `index.network_inputs.Encoding`."""

    ids: list[int]

    @cached_property
    def attention_mask(self) -> list[int]:
        """Return 1 for every piece."""
        return [1] * len(self.ids)

    @cached_property
    def type_ids(self) -> list[int]:
        """Return 0 for every piece: they are all of the first text."""
        return [0] * len(self.ids)


class WordPieces:
    """Look up the word pieces of texts, from any number of threads.

    `tokenizer` is one of BERT's kind, which cuts and pads nothing and puts one token before a text and one behind it.
    """

    def __init__(self, tokenizer: "Tokenizer") -> None:
        self._tokenizer = tokenizer
        self._known = lru_cache(_WORDS_KEPT)(self._pieces_of_word)
        self._first, self._last = tokenizer.encode("").ids

    def encode(self, text: str, max_tokens: int) -> PieceIds:
        """Return the pieces of a text between the tokens before and behind it, cut to `max_tokens` with them."""
        pieces = list(chain.from_iterable(self._pieces(text)))
        return PieceIds([self._first, *pieces[: max_tokens - 2], self._last])

    def count(self, text: str) -> int:
        """Return how many pieces a text has, without the tokens before and behind it."""
        return sum(map(len, self._pieces(text)))

    def _pieces(self, text: str) -> Iterator[tuple[int, ...]]:
        """Yield the pieces of each word."""
        for mark in _MARKS:
            text = text.replace(mark, f" {mark} ")
        words = text.split(" ")  # not at all white space: some of it is control characters, which join words
        return map(self._known if max(map(len, words)) <= _LONGEST_KEPT else self._pieces_of_word, words)

    def _pieces_of_word(self, word: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(word, add_special_tokens=False).ids)
