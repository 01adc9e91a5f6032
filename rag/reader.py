"""The reader: a small network that reads a question beside a passage, and says of each sentence how well it answers.

It is the bundled model with three more outputs for each token, trained by ``python -m eval.fit.reader`` on public
questions and on stories written for it (`eval/fit/stories.jsonl`). ``reader.safetensors`` holds what training changed;
the word vectors are those of the bundled model. Like the embedder it is prepared once, and runs in int8 with OpenVINO.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from index.embed import (
    BUNDLED_MODEL,
    SentenceTransformerEmbedder,
    bundled_model_folder,
    check_bundled_model,
    sha256_of,
)
from index.encoder import Encoder
from index.fast_embed import lacking_packages
from index.news_index import NewsIndex
from index.prepare import Recipe, prepare
from index.reference_encoder import ReferenceEncoder
from index.sentences import Span

if TYPE_CHECKING:
    import torch
    from tokenizers import Encoding

__all__ = [
    "LEAST_EVIDENCE",
    "MAX_TOKENS",
    "READINGS",
    "Extract",
    "Reader",
    "Readings",
    "TrainedReader",
    "reader_beside",
    "reader_network",
    "reader_recipe",
]

READINGS = ("evidence", "span", "answerable")
"""What is read of each sentence: the mean of its tokens' evidence; the best short answer that begins and ends in it,
above that of none; and whether the extract answers at all. All are logits: 0 is even odds."""

Readings = npt.NDArray[np.float32]

WEIGHTS = "reader.safetensors"
MAX_TOKENS = 320
"""What is read of a question and an extract together, in tokens; the rest is cut off."""
_LONGEST_ANSWER = 20  # in tokens
LEAST_EVIDENCE = -8.0
"""About the least evidence that is ever read: of a sentence that was cut off, or of one that is not there."""
_UNREAD = (LEAST_EVIDENCE, -24.0, -8.0)  # about the least that is ever read of each


@dataclass(frozen=True, slots=True)
class Extract:
    """Hold a piece of an article as it is read: what stands above it, its text, and the sentences in that text."""

    head: str
    text: str
    spans: tuple[Span, ...]


class Reader(Protocol):
    """Read sentences. The `Quoter` takes anything with this member."""

    def read(self, question: str, extracts: Sequence[Extract]) -> list[Readings]:
        """Return for each extract shape ``(len(extract.spans), 3)``, float32; columns in the order of `READINGS`."""


class TrainedReader:
    """Read with the network that the package ships. The first call that needs it prepares it and keeps it in `cache`.

    With `reference` it runs in float32 with torch, and prepares nothing. May be used from any number of threads.
    """

    def __init__(self, cache: Path, *, reference: bool = False) -> None:
        self._cache = cache
        self._reference = reference

    def prepare(self) -> Path:
        """Prepare the network unless the cache holds it; return the folder that holds it."""
        return prepare(reader_recipe(), self._cache)

    def read(self, question: str, extracts: Sequence[Extract]) -> list[Readings]:
        """Return for each extract shape ``(len(extract.spans), 3)``, float32; columns in the order of `READINGS`."""
        if not extracts:
            return []
        encodings = self._encoder.tokenize([(question, extract.head + extract.text) for extract in extracts])
        (logits,) = self._encoder.run(encodings)
        return [
            _readings(extract, encoding, rows[: len(encoding.ids)])
            for extract, encoding, rows in zip(extracts, encodings, logits, strict=True)
        ]

    @cached_property
    def _encoder(self) -> Encoder | ReferenceEncoder:
        recipe = reader_recipe()
        return ReferenceEncoder(recipe) if self._reference else Encoder.open(recipe, self._cache)


def reader_beside(index: NewsIndex) -> Reader:
    """Return the reader that goes with an index: kept in the same cache, in int8 unless the index is in float32.

    Where a package that int8 needs is not installed, it is the reference too.
    """
    exact = isinstance(index.embedder, SentenceTransformerEmbedder) and index.embedder.model_id == BUNDLED_MODEL
    return _reader(index.cache, exact or bool(lacking_packages()))


@cache
def _reader(folder: Path, reference: bool) -> TrainedReader:
    return TrainedReader(folder, reference=reference)


def _readings(extract: Extract, encoding: "Encoding", logits: npt.NDArray[np.float32]) -> Readings:
    """Return the readings of the sentences of an extract from the logits of its tokens, shape ``(tokens, 3)``."""
    offsets = np.array(encoding.offsets)
    starts, ends, evidence = logits.T
    none = starts[0] + ends[0]
    of_text = np.array(encoding.type_ids) == 1
    rows = np.full((len(extract.spans), 3), _UNREAD, dtype=np.float32)
    for row, span in zip(rows, extract.spans, strict=True):
        first, last = len(extract.head) + span.start, len(extract.head) + span.end
        held = np.flatnonzero(of_text & (offsets[:, 0] >= first) & (offsets[:, 1] <= last) & (offsets[:, 1] > first))
        if held.size:
            spans = starts[held, None] + ends[None, held]
            best = spans[np.tri(held.size, dtype=bool).T & np.tri(held.size, k=_LONGEST_ANSWER - 1, dtype=bool)].max()
            row[:] = evidence[held].mean(), best - none, evidence[0]
    return rows


def reader_recipe() -> Recipe:
    """Return what the int8 form of the reader is made of."""
    return Recipe(
        name="groundwire-reader",
        weights_sha256=_weights_sha256(),
        build=_shipped_network,
        tokenizer=bundled_model_folder() / "tokenizer.json",
        max_tokens=MAX_TOKENS,
        calibration=_calibration(),
    )


def _shipped_network() -> "torch.nn.Module":
    with as_file(files("rag").joinpath(WEIGHTS)) as path:
        return reader_network(path)


def reader_network(weights: Path | None, *, attention: str = "eager") -> "torch.nn.Module":
    """Return the network: `(input_ids, attention_mask, token_type_ids)` to logits of shape ``(texts, tokens, 3)``.

    Without `weights` it is as it is before training. `attention` is how transformers computes it: OpenVINO converts
    "eager"; it is trained without dropout there, which would take as long as all the rest.
    """
    check_bundled_model()
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModel
    from transformers.utils.logging import disable_progress_bar, set_verbosity_error

    disable_progress_bar()  # type: ignore[no-untyped-call] # it has a progress of ours
    set_verbosity_error()  # type: ignore[no-untyped-call] # it warns of the pooler, which is not used

    class ReaderNetwork(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = AutoModel.from_pretrained(
                str(bundled_model_folder()), local_files_only=True, trust_remote_code=False,
                attn_implementation=attention, add_pooling_layer=False, attention_probs_dropout_prob=0.0,
            )  # fmt: skip
            self.head = torch.nn.Linear(self.bert.config.hidden_size, len(READINGS))

        def forward(
            self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
        ) -> torch.Tensor:
            tokens = self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state
            logits: torch.Tensor = self.head(tokens)
            return logits

    network = ReaderNetwork()
    if weights:
        network.load_state_dict({name: value.float() for name, value in load_file(weights).items()}, strict=False)
    return network


@cache
def _weights_sha256() -> str:
    with as_file(files("rag").joinpath(WEIGHTS)) as path:
        return sha256_of(path)


def _calibration() -> list[tuple[str, str]]:
    """Return pairs of question and passage, of every length that is read."""
    lines = files("rag").joinpath("reader_calibration.jsonl").read_text(encoding="utf-8").splitlines()
    return [(pair["question"], pair["passage"]) for pair in map(json.loads, lines)]
