"""The reference for `index.encoder`: the same network in float32, with torch, as its makers published it."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from index.network_inputs import Text, tokenizer_of
from index.prepare import Recipe

if TYPE_CHECKING:
    import torch
    from tokenizers import Encoding

__all__ = ["ReferenceEncoder"]


class ReferenceEncoder:
    """Run the network of a recipe in float32; it prepares and keeps nothing, loads torch, and takes its time.

    The methods are those of `index.encoder.Encoder`.
    """

    arithmetic = "float32"

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._tokenizer = tokenizer_of(recipe.tokenizer.read_bytes(), max_tokens=recipe.max_tokens)

    def tokenize(self, texts: Sequence[Text]) -> list["Encoding"]:
        """Return the tokens of each text or pair, special ones included, cut to the recipe's `max_tokens`."""
        return self._tokenizer.encode_batch(list(texts))

    def run(self, encodings: Sequence["Encoding"]) -> tuple[npt.NDArray[np.float32], ...]:
        """Return the network's outputs, each of shape ``(len(encodings), ...)``, float32, in the order given."""
        import torch

        with torch.inference_mode():
            rows = [self._network(*(torch.tensor([values]) for values in _inputs(each))) for each in encodings]
        columns = zip(*(row if isinstance(row, tuple) else (row,) for row in rows), strict=True)
        return tuple(_stacked([output[0].numpy() for output in column]) for column in columns)

    @cached_property
    def _network(self) -> "torch.nn.Module":
        return self._recipe.build().eval()


def _inputs(encoding: "Encoding") -> tuple[list[int], list[int], list[int]]:
    return encoding.ids, encoding.attention_mask, encoding.type_ids


def _stacked(arrays: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """Return the arrays as one, those that are shorter filled up with zeros."""
    longest = [max(sizes) for sizes in zip(*(array.shape for array in arrays), strict=True)]
    stacked = np.zeros((len(arrays), *longest), dtype=np.float32)
    for row, array in zip(stacked, arrays, strict=True):
        row[tuple(slice(size) for size in array.shape)] = array
    return stacked
