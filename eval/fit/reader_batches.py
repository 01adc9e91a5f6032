"""The examples of the reader as tensors: batches of items of like length, made ahead by other processes if wanted."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Encoding, Tokenizer
from torch.utils.data import DataLoader, Dataset

from eval.fit.reader_sets import Example, ExampleSet

__all__ = ["IGNORED", "Batch", "Item", "Loader", "batches", "encoded"]

IGNORED = -100  # the label of an answer whose place is not known
_LENGTHS = 8  # batches are padded to a multiple of it, in tokens: some kernels of GPUs ask for that
_AHEAD = 50  # batches whose items are sorted by length together


@dataclass(frozen=True, slots=True)
class Item:
    """Hold an example as numbers: its tokens, the sentence that each stands in (-1: none), and the labels."""

    ids: npt.NDArray[np.int64]
    types: npt.NDArray[np.int64]
    sentence_of: npt.NDArray[np.int64]
    gold: frozenset[int]
    start: int
    end: int


def encoded(examples: Sequence[Example], tokenizer: Tokenizer) -> list[Item]:
    """Return the examples as numbers."""
    encodings = tokenizer.encode_batch([(example.question, example.passage) for example in examples])
    return [_item(example, encoding) for example, encoding in zip(examples, encodings, strict=True)]


def _item(example: Example, encoding: Encoding) -> Item:
    offsets, types = np.array(encoding.offsets), np.array(encoding.type_ids)
    of_passage = (types == 1) & (offsets[:, 1] > offsets[:, 0])
    spans = np.array([(span.start, span.end) for span in example.sentences]).reshape(-1, 2)
    number = np.searchsorted(spans[:, 0], offsets[:, 0], side="right") - 1
    inside = of_passage & (number >= 0)
    inside[inside] = offsets[inside, 1] <= spans[number[inside], 1]
    start = end = 0 if not example.gold else IGNORED
    if example.answer:
        held = np.flatnonzero(
            of_passage & (offsets[:, 0] < example.answer.end) & (offsets[:, 1] > example.answer.start)
        )
        if held.size:
            start, end = int(held[0]), int(held[-1])
    return Item(np.array(encoding.ids), types, np.where(inside, number, -1), example.gold, start, end)


@dataclass(frozen=True, slots=True)
class Batch:
    """Hold the items of some sets side by side.

    `inputs` has shape ``(3, items, tokens)``, int64: what the network takes. `sentence_of`, ``(items, tokens)``, int64,
    is -1 outside of sentences; `gold`, ``(items, sentences)``, bool, is True where a sentence answers; `answers`,
    ``(items,)``, bool, where any does, also one that was cut off; `starts` and `ends`, ``(items,)``, int64, are the
    tokens of the short answer. `sets`, ``(sets, items)``, int64, has the rows of the items of each set, then -1;
    `several`, ``(sets,)``, bool.
    """

    inputs: torch.Tensor
    sentence_of: torch.Tensor
    gold: torch.Tensor
    answers: torch.Tensor
    starts: torch.Tensor
    ends: torch.Tensor
    sets: torch.Tensor
    several: torch.Tensor

    @classmethod
    def of(cls, sets: Sequence[Sequence[Item]], several: Sequence[bool]) -> "Batch":
        """Return the items of some sets, padded to the longest."""
        items = [item for each in sets for item in each]
        longest = -(-max(len(item.ids) for item in items) // _LENGTHS) * _LENGTHS
        sentences = 1 + max(max(item.sentence_of.max(), *item.gold, 0) for item in items)
        inputs = np.zeros((3, len(items), longest), dtype=np.int64)
        sentence_of = np.full((len(items), longest), -1)
        gold = np.zeros((len(items), sentences), dtype=bool)
        for row, item in enumerate(items):
            tokens = len(item.ids)
            inputs[0, row, :tokens], inputs[1, row, :tokens], inputs[2, row, :tokens] = item.ids, 1, item.types
            sentence_of[row, :tokens] = item.sentence_of
            gold[row, list(item.gold)] = True
        places = np.full((len(sets), max(map(len, sets))), -1)
        ends = np.cumsum([len(each) for each in sets])
        for row, (each, end) in enumerate(zip(sets, ends, strict=True)):
            places[row, : len(each)] = np.arange(end - len(each), end)
        return cls(
            inputs=torch.from_numpy(inputs),
            sentence_of=torch.from_numpy(sentence_of),
            gold=torch.from_numpy(gold),
            answers=torch.tensor([bool(item.gold) for item in items]),
            starts=torch.tensor([item.start for item in items]),
            ends=torch.tensor([item.end for item in items]),
            sets=torch.from_numpy(places),
            several=torch.tensor(list(several)),
        )

    def to(self, device: str) -> "Batch":
        """Return the batch on a device."""
        return Batch(*(getattr(self, field.name).to(device, non_blocking=True) for field in fields(self)))

    def pin_memory(self) -> "Batch":
        """Return the batch in memory from which a GPU takes it without being waited for; torch calls this."""
        return Batch(*(getattr(self, field.name).pin_memory() for field in fields(self)))


def batches(sets: Sequence[ExampleSet], size: int, draw: random.Random) -> list[list[ExampleSet]]:
    """Return the sets in batches of at most `size` items, of like length, in an order that is drawn."""
    order = draw.sample(range(len(sets)), len(sets))
    found: list[list[ExampleSet]] = []
    for at in range(0, len(order), _AHEAD * size):
        found.extend(_sorted_by_length([sets[place] for place in order[at : at + _AHEAD * size]], size))
    draw.shuffle(found)
    return found


def _sorted_by_length(sets: Sequence[ExampleSet], size: int) -> Iterator[list[ExampleSet]]:
    """Yield batches of like length, by characters: tokens are counted later."""
    batch: list[ExampleSet] = []
    filled = 0
    for each in sorted(sets, key=lambda each: max(len(e.question) + len(e.passage) for e in each.examples)):
        if batch and filled + len(each.examples) > size:
            yield batch
            batch, filled = [], 0
        batch.append(each)
        filled += len(each.examples)
    if batch:
        yield batch


class _Encoded(Dataset[Batch]):
    """Make a batch when it is asked for."""

    def __init__(self, planned: Sequence[Sequence[ExampleSet]], tokenizer: Tokenizer) -> None:
        self._planned = planned
        self._tokenizer = tokenizer

    def __len__(self) -> int:
        return len(self._planned)

    def __getitem__(self, place: int) -> Batch:
        sets = self._planned[place]
        items = iter(encoded([example for each in sets for example in each.examples], self._tokenizer))
        return Batch.of([[next(items) for _ in each.examples] for each in sets], [each.several for each in sets])


@dataclass(frozen=True, slots=True)
class Loader:
    """Make batches and bring them to a device; with `workers`, so many other processes make them ahead."""

    tokenizer: Tokenizer
    device: str
    workers: int

    def load(self, planned: Sequence[Sequence[ExampleSet]]) -> Iterator[Batch]:
        """Yield the batches that are planned."""
        made = _Encoded(planned, self.tokenizer)
        pinned = self.device != "cpu"
        loaded = DataLoader(made, batch_size=None, num_workers=self.workers, collate_fn=_as_it_is, pin_memory=pinned)
        for batch in loaded:
            yield batch.to(self.device)


def _as_it_is(batch: Any) -> Any:  # noqa: ANN401 - a batch, which torch would take apart
    return batch
