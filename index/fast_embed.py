"""The bundled model in int8 on the CPU: several times as fast as float32, and nearly the same vectors.

What it costs and gains is measured by `make bench-embed`; see docs/embedding.md.
"""

import json
import logging
import re
from collections.abc import Sequence
from functools import cached_property
from importlib import resources, util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from platformdirs import user_cache_path

from index.embed import (
    BUNDLED_MODEL,
    BUNDLED_SHA256,
    Embedder,
    SentenceTransformerEmbedder,
    Vectors,
    bundled_model_folder,
    check_bundled_model,
)
from index.encoder import Encoder
from index.errors import InputError
from index.prepare import Recipe, prepare

if TYPE_CHECKING:
    import torch

__all__ = [
    "PRECISIONS",
    "FastEmbedder",
    "bundled_recipe",
    "default_cache",
    "embedder_for",
    "embedder_of",
    "lacking_packages",
]

PRECISIONS = ("int8", "float32")
# The number changes with the recipe: vectors of before and after must not stand in one index. It does not change with
# the versions of OpenVINO and NNCF or the kind of CPU, which nobody can keep alike on every machine.
_ENGINE = "openvino-int8/3"
_DIMENSION = 384
_MAX_TOKENS = 256
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")

_log = logging.getLogger("groundwire.index")


class FastEmbedder:
    """Embed with the bundled model in int8, with OpenVINO, without torch.

    The first call that needs the model prepares it (about half a minute on two cores) and keeps it in `cache`, by
    default the user's cache folder. The vector of a text depends on the text, the prepared model and the kind of CPU
    alone: neither on the texts beside it nor on `threads`, which is by default the number of cores, at most 8.
    """

    model_id = BUNDLED_MODEL
    fingerprint = f"{BUNDLED_SHA256} {_ENGINE}"
    dimension = _DIMENSION
    max_tokens = _MAX_TOKENS

    def __init__(self, cache: Path | None = None, *, threads: int | None = None) -> None:
        self.cache = cache or default_cache()
        self._threads = threads

    @property
    def arithmetic(self) -> str:
        """Return what this CPU computes in, as "int8 and bfloat16"."""
        return self._encoder.arithmetic

    def prepare(self) -> Path:
        """Prepare the model unless the cache holds it; return the folder that holds it."""
        return prepare(bundled_recipe(), self.cache)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many word pieces each text has, special ones included."""
        return self._encoder.count_tokens(texts) if texts else []

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return shape ``(len(texts), 384)``, float32, rows of length 1."""
        if not texts:
            return np.zeros((0, _DIMENSION), dtype=np.float32)
        (vectors,) = self._encoder.run(self._encoder.word_pieces(texts))
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return shape ``(len(texts), 384)``, float32, rows of length 1: the model has no prompt for queries."""
        return self.embed_passages(texts)

    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder.open(bundled_recipe(), self.cache, threads=self._threads)


def default_cache() -> Path:
    """Return the folder in the user's cache that keeps prepared models."""
    return user_cache_path("groundwire")


def embedder_for(model: str, *, precision: str, cache: Path | None = None) -> Embedder:
    """Return the embedder of a model: the bundled one in a precision of `PRECISIONS`, any other in float32.

    Where OpenVINO is not installed, which has no package for some kinds of machine, float32 takes its place, and a line
    in the log says so.
    """
    if precision not in PRECISIONS:
        raise InputError(f"`precision` is {precision!r}; use one of {', '.join(PRECISIONS)}")
    if model != BUNDLED_MODEL or precision == "float32":
        return SentenceTransformerEmbedder(model)
    if lacking := lacking_packages():
        _log.warning("%s in float32: %s is not installed, which int8 needs", model, " and ".join(lacking))
        return SentenceTransformerEmbedder(model)
    return FastEmbedder(cache)


def lacking_packages() -> list[str]:
    """Return the packages that int8 needs and that are not installed."""
    return [name for name in ("openvino", "nncf") if util.find_spec(name) is None]


def embedder_of(model: str, fingerprint: str, cache: Path | None = None) -> Embedder:
    """Return the embedder that an index names, by what it recorded of it."""
    is_fast = model == BUNDLED_MODEL and "openvino" in fingerprint
    return FastEmbedder(cache) if is_fast else SentenceTransformerEmbedder(model)


def bundled_recipe() -> Recipe:
    """Return what the int8 form of the bundled model is made of."""
    return Recipe(
        name=BUNDLED_MODEL,
        weights_sha256=BUNDLED_SHA256,
        build=_network,
        tokenizer=bundled_model_folder() / "tokenizer.json",
        max_tokens=_MAX_TOKENS,
        calibration=_calibration(),
        together=True,
    )


def _network() -> "torch.nn.Module":
    """Return the model with what stands behind it: the mean of its tokens, at length 1."""
    check_bundled_model()
    import torch
    from transformers import AutoModel
    from transformers.utils.logging import disable_progress_bar, set_verbosity_error

    disable_progress_bar()  # type: ignore[no-untyped-call] # it has a progress of ours
    set_verbosity_error()  # type: ignore[no-untyped-call] # it warns of settings that this model does not use

    class MeanOfTokens(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = AutoModel.from_pretrained(
                str(bundled_model_folder()), local_files_only=True, trust_remote_code=False, attn_implementation="eager"
            )

        def output(self, tokens: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            weights = attention_mask.unsqueeze(-1).to(tokens.dtype)
            mean = (tokens * weights).sum(1) / weights.sum(1)
            return torch.nn.functional.normalize(mean, dim=1)

    return MeanOfTokens()


def _calibration() -> list[str]:
    """Return the titles, paragraphs and sentences of the sample articles, of every length that is indexed."""
    articles = resources.files("seeds").joinpath("articles.jsonl").read_text(encoding="utf-8").splitlines()
    texts: list[str] = []
    for article in map(json.loads, articles):
        texts += (article["title"], *article["text"].split("\n\n"))
        texts += _SENTENCE_END.split(article["text"])  # roughly; the index's own splitter may change, these should not
    return texts
