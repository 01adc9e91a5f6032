"""What a network takes: the tokens of texts, padded to one of few lengths."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["Encoding", "Inputs", "Text", "least_padded_length", "padded_inputs", "padded_length", "tokenizer_of"]

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


def padded_inputs(encodings: Sequence["Encoding"], length: int) -> Inputs:
    """Return what the network takes, each of shape ``(len(encodings), length)``, int64, padded."""
    arrays = np.zeros((3, len(encodings), length), dtype=np.int64)
    for row, encoding in enumerate(encodings):
        tokens = len(encoding.ids)
        arrays[:, row, :tokens] = encoding.ids, encoding.attention_mask, encoding.type_ids
    return dict(zip(("input_ids", "attention_mask", "token_type_ids"), arrays, strict=True))
