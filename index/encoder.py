"""Run prepared networks of the BERT kind on the CPU, without torch or transformers.

    encoder = Encoder.open(recipe, cache)  # a `Recipe` of index/prepare.py; the first time, this prepares the network
    encodings = encoder.tokenize([("Who met?", "Leaders met in Paris.")])   # .ids .type_ids .offsets .sequence_ids ...
    starts, ends = encoder.run(encodings)  # as many arrays as the network's forward returns

Where the second axis of an output is the token, `run` pads with zeros up to the longest encoding.

As many texts are computed at once as the encoder has threads, or as many groups of texts where the recipe has them
computed together. In int8 the result of a text has been the same, bit for bit, whatever it was computed with
(docs/embedding.md).
"""

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from index.errors import ModelError
from index.network_inputs import Encoding, Text, packed_inputs, padded_inputs, tokenizer_of
from index.prepare import MODEL, TOKENIZER, WEIGHTS, Precision, Recipe, kept_core, prepared_files, quiet_import
from index.threads import cores
from index.word_pieces import WordPieces

if TYPE_CHECKING:
    import openvino
    import tokenizers

__all__ = ["Encoder"]

_TOKENS_TOGETHER = 1024  # about; by hand: with 512, 1,536 and 2,048 all of them took longer (docs/embedding.md)
_REQUESTS_A_THREAD = 2  # by hand: a thread that is done has its next texts at once, whichever of them is done first
_NAMES = {"bf16": "bfloat16", "f16": "float16", "f32": "float32"}

_FIRST_LOOK = threading.Lock()  # two threads that see the data of a tensor first, at once, hold each other up for good


class Encoder:
    """Run a prepared network, from any number of threads. Make it with `Encoder.open`.

    `arithmetic` says what this CPU computes in: "int8 and bfloat16", "int8 and float32", "bfloat16" or "float32".
    """

    def __init__(self, files: dict[str, bytes], recipe: Recipe, *, threads: int) -> None:
        self._compiled = _compiled(files, recipe.precision, threads)
        self._tokenizer = tokenizer_of(files[TOKENIZER], max_tokens=recipe.max_tokens)
        self._max_tokens = recipe.max_tokens
        self._words = WordPieces(tokenizer_of(files[TOKENIZER], max_tokens=None))
        self._threads = threads
        self._texts_together = recipe.together
        # Requests for the next call: never more than were used at once. Making one takes time.
        self._idle: deque[openvino.InferRequest] = deque()
        others = _NAMES.get(self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name(), "float32")
        self.arithmetic = f"int8 and {others}" if recipe.precision == "int8" else others

    @classmethod
    def open(cls, recipe: Recipe, cache: Path, *, threads: int | None = None) -> "Encoder":
        """Load a network from the cache, and prepare it first where that does not hold it, or holds it damaged.

        It runs on as many threads as this process may use cores, at most 8, unless `threads` says otherwise. Raises
        `ModelError` when it cannot be prepared or kept.
        """
        return cls(prepared_files(recipe, cache), recipe, threads=threads or cores())

    def tokenize(self, texts: Sequence[Text]) -> list["tokenizers.Encoding"]:
        """Return the tokens of each text or pair, special ones included, cut to the recipe's `max_tokens`."""
        return self._tokenizer.encode_batch(list(texts))

    def word_pieces(self, texts: Sequence[str]) -> list[Encoding]:
        """Return the same tokens as `tokenize`, without their offsets, and sooner."""
        return [self._words.encode(text, self._max_tokens) for text in texts]

    def count_tokens(self, texts: Sequence[Text]) -> list[int]:
        """Return how many tokens each text or pair has before it is cut, special ones included."""
        pairs = [(text,) if isinstance(text, str) else text for text in texts]
        return [1 + sum(self._words.count(half) + 1 for half in pair) for pair in pairs]

    def run(self, encodings: Sequence[Encoding]) -> tuple[npt.NDArray[np.float32], ...]:
        """Return the network's outputs, each of shape ``(len(encodings), ...)``, float32, in the order given."""
        longest = max((len(encoding.ids) for encoding in encodings), default=0)
        results = [_empty(output, len(encodings), longest) for output in self._compiled.outputs]
        # No AsyncInferQueue: its callbacks can hold up the interpreter for good when the model is let go.
        waiting: deque[tuple[openvino.InferRequest, Sequence[int]]] = deque()
        free = [self._request() for _ in range(min(_REQUESTS_A_THREAD * self._threads, len(encodings)))]
        inputs = packed_inputs if self._texts_together else padded_inputs
        for rows in self._groups([len(encoding.ids) for encoding in encodings]):
            if not free:
                free.append(_finish(*waiting.popleft(), encodings, results))
            request = free.pop()
            request.start_async(inputs([encodings[row] for row in rows]))
            waiting.append((request, rows))
        free += [_finish(request, rows, encodings, results) for request, rows in waiting]
        self._idle.extend(free)
        return tuple(array for array, _ in results)

    def _groups(self, lengths: Sequence[int]) -> Iterable[Sequence[int]]:
        """Return the texts that are computed as one, by their places, the longest first."""
        order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
        return _together(order, lengths, self._threads) if self._texts_together else ([place] for place in order)

    def _request(self) -> "openvino.InferRequest":
        with suppress(IndexError):
            return self._idle.pop()
        return self._compiled.create_infer_request()


def _compiled(files: dict[str, bytes], precision: Precision, threads: int) -> "openvino.CompiledModel":
    openvino = quiet_import("openvino")
    core = kept_core()
    settings: dict[str, object] = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": threads,  # one text or group a thread: faster than several on one
        "PERFORMANCE_HINT": "THROUGHPUT",
        "ENABLE_CPU_PINNING": False,  # else a thread waits for whatever else runs on its core, while another is free
    }
    if precision == "float32":  # else OpenVINO takes what the CPU has: bfloat16, or float32
        settings["INFERENCE_PRECISION_HINT"] = "f32"
    with _FIRST_LOOK:
        _ = openvino.Tensor(np.zeros(1, dtype=np.int64)).data
    try:
        model = core.read_model(files[MODEL], files[WEIGHTS])
        return core.compile_model(model, "CPU", settings)
    except RuntimeError as error:
        raise ModelError(f"OpenVINO cannot run the prepared model on this CPU ({error})") from error


def _together(order: Iterable[int], lengths: Sequence[int], threads: int) -> Iterator[Sequence[int]]:
    """Yield groups of about equally many tokens, as many groups as keep every thread at work."""
    total = sum(lengths)
    groups = threads * -(-total // (threads * _TOKENS_TOGETHER))
    group: list[int] = []
    tokens = 0
    for place in order:
        group.append(place)
        tokens += lengths[place]
        if groups * tokens >= total:
            yield group
            group, tokens = [], 0
    if group:
        yield group


def _finish(
    request: "openvino.InferRequest",
    rows: Sequence[int],
    encodings: Sequence[Encoding],
    results: Sequence[tuple[npt.NDArray[np.float32], bool]],
) -> "openvino.InferRequest":
    """Wait for the outputs of some texts, copy them to their rows, and return the request for the next ones."""
    request.wait()
    for at, (array, by_token) in enumerate(results):
        for row, data in zip(rows, request.get_output_tensor(at).data, strict=True):
            if by_token:
                length = len(encodings[row].ids)
                array[row, :length] = data[:length]
            else:
                array[row] = data
    return request


def _empty(output: "openvino.ConstOutput", count: int, longest: int) -> tuple[npt.NDArray[np.float32], bool]:
    """Return the array that takes an output of every text, and whether its second axis is the token."""
    shape = list(output.get_partial_shape())[1:]
    by_token = bool(shape) and shape[0].is_dynamic
    sizes = [longest if size.is_dynamic else size.get_length() for size in shape]
    return np.zeros((count, *sizes), dtype=np.float32), by_token
