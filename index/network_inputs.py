"""What a prepared network takes: the tokens of texts, side by side or end to end."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = [
    "Encoding",
    "Inputs",
    "Text",
    "least_padded_length",
    "packed_inputs",
    "padded_inputs",
    "padded_length",
    "tokenizer_of",
]

Text = str | tuple[str, str]
Inputs = dict[str, npt.NDArray[np.int64]]

_STEP, _LONG, _LONG_STEP = 16, 192, 32
"""Texts are padded to a multiple of 16 tokens, above 192 of 32: every new shape costs about 10 ms and 6 MB, once. By
hand; lengths between multiples of 16 take more time a token, and OpenVINO computes some of them with other bits."""
_CALIBRATION_STEP = 8


class Encoding(Protocol):
    """What a network reads of a text, of one length each; the `Encoding` of tokenizers is one."""

    @property
    def ids(self) -> list[int]:
        """Return the tokens' numbers, special ones included."""

    @property
    def attention_mask(self) -> list[int]:
        """Return 1 for each token that is read."""

    @property
    def type_ids(self) -> list[int]:
        """Return 0 for each token of the first text, 1 for each of the second."""


def tokenizer_of(file: bytes, *, max_tokens: int | None) -> "Tokenizer":
    """Return the tokenizer of a `tokenizer.json`, which pads nothing and cuts to `max_tokens`, if not None."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_buffer(file)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if max_tokens is not None:
        tokenizer.enable_truncation(max_tokens)
    return tokenizer


def padded_length(tokens: int) -> int:
    """Return the length to which a text of so many tokens is padded."""
    return _rounded_up(tokens, _LONG_STEP if tokens > _LONG else _STEP)


def least_padded_length(tokens: int) -> int:
    """Return the length of a text to calibrate on: the less padding, the less of it is in the ranges that are found."""
    return _rounded_up(tokens, _CALIBRATION_STEP)


def _rounded_up(tokens: int, step: int) -> int:
    return -(-tokens // step) * step


def padded_inputs(encodings: Sequence["Encoding"], rounded: Callable[[int], int] = padded_length) -> Inputs:
    """Return what a network takes that computes texts side by side, each of shape ``(texts, length)``, int64."""
    length = rounded(max(len(encoding.ids) for encoding in encodings))
    arrays = np.zeros((3, len(encodings), length), dtype=np.int64)
    for row, encoding in enumerate(encodings):
        tokens = len(encoding.ids)
        arrays[:, row, :tokens] = encoding.ids, encoding.attention_mask, encoding.type_ids
    return dict(zip(("input_ids", "attention_mask", "token_type_ids"), arrays, strict=True))


def packed_inputs(encodings: Sequence["Encoding"], rounded: Callable[[int], int] = padded_length) -> Inputs:
    """Return what a network takes that computes texts end to end, all int64 (`index/packing.py`).

    `tokens`, shape ``(3, tokens)``, has number, segment and position of every token. For attention each text has a row:
    `attention_mask`, 1 where it has a token, and `rows`, which token that is, have shape ``(texts, length)``; `places`,
    shape ``(tokens,)``, is the place of each token in the rows, counted through. `rounded` gives the number of tokens,
    and the length of a row, for the least that there have to be; what fills up the tokens follows the last text.
    """
    lengths = np.array([len(encoding.ids) for encoding in encodings])
    starts, total = np.cumsum(lengths) - lengths, int(lengths.sum())
    numbers, length = np.arange(rounded(total)), np.arange(rounded(int(lengths.max())))
    texts = np.searchsorted(starts, numbers, side="right") - 1
    positions = numbers - starts[texts]
    tokens = np.stack((np.zeros_like(numbers), np.zeros_like(numbers), positions))
    tokens[0, :total] = list(chain.from_iterable(encoding.ids for encoding in encodings))
    tokens[1, :total] = list(chain.from_iterable(encoding.type_ids for encoding in encodings))
    return {
        "tokens": tokens,
        "places": texts * len(length) + np.minimum(positions, length[-1]),
        "rows": np.minimum(starts[:, None] + length, numbers[-1]),
        "attention_mask": (length < lengths[:, None]).astype(np.int64),
    }
