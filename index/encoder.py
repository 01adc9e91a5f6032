"""Encoders: networks of the BERT kind, prepared once for the CPU at hand, then run without torch or transformers.

A `Recipe` says what a network is made of. The first `Encoder.open` converts it to OpenVINO, quantizes it to int8 with
NNCF on the recipe's calibration texts, and keeps the result in a cache folder; later ones load it from there, after
comparing its checksums, and load neither torch nor transformers nor NNCF.

    recipe = Recipe(
        name="minilm",
        weights_sha256=sha256_of(weights),
        build=build_network,              # () -> torch.nn.Module, called only when the cache lacks the result
        tokenizer=folder / "tokenizer.json",
        max_tokens=256,
        calibration=["A text.", "Another."],  # or pairs, as ("A question?", "A passage.")
    )
    encoder = Encoder.open(recipe, cache)
    encodings = encoder.tokenize([("Who met?", "Leaders met in Paris.")])   # .ids .type_ids .offsets .sequence_ids ...
    starts, ends = encoder.run(encodings)  # as many arrays as the network's forward returns

The network's `forward(input_ids, attention_mask, token_type_ids)` takes int64 tensors of shape ``(texts, tokens)`` and
returns a tensor, or a tuple of tensors, whose first axis is the text. Where the second axis is the token, `run` pads
with zeros up to the longest encoding.

Each text is padded to a multiple of 8 tokens, above 64 of 16, and is computed alone or, where many have that length,
with some of them: in int8 its result is the same, bit for bit, whatever stands beside it.
As many are computed at once as the encoder has threads. `prepare` fills the cache and loads nothing.
"""

import hashlib
import importlib
import json
import logging
import shutil
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from importlib import metadata
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from index.errors import ModelError

if TYPE_CHECKING:
    import openvino
    import torch
    from tokenizers import Encoding, Tokenizer

__all__ = ["Encoder", "Precision", "Recipe", "Text", "prepare", "tokenizer_of"]

Text = str | tuple[str, str]
Precision = Literal["int8", "bfloat16", "float32"]
Inputs = dict[str, npt.NDArray[np.int64]]

_FORMAT = 1  # of the prepared folder, and of how it is made; another number prepares anew
_MADE_BY = ("openvino", "nncf", "torch", "transformers", "tokenizers")
_MOST_CALIBRATION_TEXTS = 300  # more take longer, and come hardly nearer to float32
_LENGTH_STEP = 8  # in tokens; every new length costs about 10 ms and 6 MB, once: so lengths are few
_LONG_TOKENS, _LONG_STEP = 64, 16  # above so many tokens lengths are fewer: a few more to compute are not felt
_TOKENS_TOGETHER = 512  # by hand: texts of one length that are so long together take a fifth less time than alone
_WORTHWHILE = 3  # by hand: so many times the texts that are computed together must have that length
_MANIFEST = "manifest.json"
_MODEL, _WEIGHTS, _TOKENIZER = "model.xml", "model.bin", "tokenizer.json"
_FREE_MB_NEEDED = 200
_NAMES = {"bf16": "bfloat16", "f16": "float16", "f32": "float32"}

_FIRST_LOOK = threading.Lock()  # two threads that see the data of a tensor first, at once, hold each other up for good

_log = logging.getLogger("groundwire.index")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Say what a network is made of; see the module's docstring.

    `name` is a short word for folder names and messages. Of a pair that is longer than `max_tokens`, the longer half is
    cut. `smooth` is SmoothQuant's alpha, how much of the activations' range the weights take over
    (https://arxiv.org/abs/2211.10438): 0.7 is the best of the five that `python -m eval.fit.precision` tries for the
    bundled model.
    """

    name: str
    weights_sha256: str
    build: Callable[[], "torch.nn.Module"]
    tokenizer: Path
    max_tokens: int
    calibration: Sequence[Text]
    precision: Precision = "int8"
    smooth: float = 0.7

    def parts(self) -> dict[str, str | int | float]:
        """Return what the prepared network depends on, besides the versions of the packages that make it."""
        return {
            "format": _FORMAT,
            "weights": self.weights_sha256,
            "tokenizer": hashlib.sha256(self.tokenizer.read_bytes()).hexdigest(),
            "max_tokens": self.max_tokens,
            "precision": self.precision,
            "smooth": self.smooth,
            "calibration": hashlib.sha256(json.dumps(list(self.calibration)).encode()).hexdigest(),
        }

    def key(self) -> str:
        """Return what the prepared network depends on, as a short hash."""
        parts = {**self.parts(), "versions": _versions()}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


class Encoder:
    """Run a prepared network, from any number of threads. Make it with `Encoder.open`.

    `arithmetic` says what this CPU computes in: "int8 and bfloat16", "int8 and float32", "bfloat16" or "float32".
    """

    def __init__(self, files: dict[str, bytes], recipe: Recipe, *, threads: int) -> None:
        self._compiled = _compiled(files, recipe.precision, threads)
        self._tokenizer = tokenizer_of(files[_TOKENIZER], recipe)
        self._untruncated: Tokenizer | None = None
        self._tokenizer_file = files[_TOKENIZER]
        self._threads = threads
        self._idle: deque[openvino.InferRequest] = deque()  # made once: making one for each call takes longer
        others = _NAMES.get(self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name(), "float32")
        self.arithmetic = f"int8 and {others}" if recipe.precision == "int8" else others

    @classmethod
    def open(cls, recipe: Recipe, cache: Path, *, threads: int = 2) -> "Encoder":
        """Load a network from the cache, and prepare it first where that does not hold it, or holds it damaged.

        Raises `ModelError` when it cannot be prepared or kept.
        """
        files = _sound_files(_folder(recipe, cache))
        if files is None:
            files = _sound_files(prepare(recipe, cache))
        if files is None:
            raise ModelError(f"{cache}: what was just written there reads back altered; check the disk")
        return cls(files, recipe, threads=threads)

    def tokenize(self, texts: Sequence[Text]) -> list["Encoding"]:
        """Return the tokens of each text or pair, special ones included, cut to the recipe's `max_tokens`."""
        return self._tokenizer.encode_batch(list(texts))

    def count_tokens(self, texts: Sequence[Text]) -> list[int]:
        """Return how many tokens each text or pair has before it is cut, special ones included."""
        if self._untruncated is None:
            self._untruncated = tokenizer_of(self._tokenizer_file, None)
        return [len(encoding.ids) for encoding in self._untruncated.encode_batch_fast(list(texts))]

    def run(self, encodings: Sequence["Encoding"]) -> tuple[npt.NDArray[np.float32], ...]:
        """Return the network's outputs, each of shape ``(len(encodings), ...)``, float32, in the order given."""
        longest = max((len(encoding.ids) for encoding in encodings), default=0)
        results = [_empty(output, len(encodings), longest) for output in self._compiled.outputs]
        # No AsyncInferQueue: its callbacks can hold up the interpreter for good when the model is let go.
        waiting: deque[tuple[openvino.InferRequest, Sequence[int]]] = deque()
        free = [self._request() for _ in range(min(self._threads, len(encodings)))]
        for length, rows in _batches([len(encoding.ids) for encoding in encodings]):
            if not free:
                free.append(_finish(*waiting.popleft(), encodings, results))
            request = free.pop()
            request.start_async(_inputs([encodings[row] for row in rows], length))
            waiting.append((request, rows))
        free += [_finish(request, rows, encodings, results) for request, rows in waiting]
        self._idle.extend(free)
        return tuple(array for array, _ in results)

    def _request(self) -> "openvino.InferRequest":
        with suppress(IndexError):
            return self._idle.pop()
        return self._compiled.create_infer_request()


def prepare(recipe: Recipe, cache: Path) -> Path:
    """Make the prepared network unless the cache holds it, sound; return its folder.

    Draws its progress on stderr, where that is a terminal. Processes that prepare the same network at once wait for the
    first. Raises `ModelError` where the folder cannot be written, or a package is missing.
    """
    folder = _folder(recipe, cache)
    if _sound_files(folder) is not None:
        return folder
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(cache / f"{folder.name}.lock"):
            if _sound_files(folder) is None:
                _make(recipe, folder)
    except OSError as error:
        raise _unwritable(cache, error.strerror or str(error)) from error
    return folder


def _make(recipe: Recipe, folder: Path) -> None:
    """Write a prepared network beside its place, then move it there; the lock is held."""
    if (free := shutil.disk_usage(folder.parent).free // 2**20) < _FREE_MB_NEEDED:
        raise _unwritable(folder.parent, f"{free} MB free, and preparing a model takes {_FREE_MB_NEEDED}")
    _refuse_telemetry()
    _log.warning("Preparing the model %s for this machine, once; it is kept in %s", recipe.name, folder.parent)
    making = folder.with_name(f"{folder.name}.making")
    for leftover in (making, folder):  # of a process that was killed; of what was damaged
        shutil.rmtree(leftover, ignore_errors=True)
    making.mkdir(mode=0o700)
    try:
        _write(recipe, making)
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _write(recipe: Recipe, folder: Path) -> None:
    shutil.copyfile(recipe.tokenizer, folder / _TOKENIZER)
    openvino = _quiet_import("openvino")
    model = _converted(recipe)
    try:
        openvino.save_model(model, folder / _MODEL, compress_to_fp16=recipe.precision == "int8")
        openvino.Core().read_model(folder / _MODEL)  # a full disk may cut a file off without an error
    except RuntimeError as error:
        raise _unwritable(folder.parent, "the prepared model could not be written whole") from error
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
    manifest = {"name": recipe.name, "precision": recipe.precision, "versions": _versions(), "files": digests}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _converted(recipe: Recipe) -> "openvino.Model":
    """Return the network as OpenVINO's, quantized where the recipe says so."""
    from tqdm import tqdm

    tokenizer = tokenizer_of(recipe.tokenizer.read_bytes(), recipe)
    texts = _spread(recipe.calibration, _MOST_CALIBRATION_TEXTS)
    encodings = tokenizer.encode_batch(list(texts))
    samples = [_inputs([encoding], _least_padded(len(encoding.ids))) for encoding in encodings]
    passes = 2 * len(samples) if recipe.precision == "int8" else 0  # NNCF reads the samples twice
    steps = tqdm(total=passes + 2, desc=f"preparing {recipe.name}", unit="", leave=False, disable=None)
    with steps, _silence():
        openvino, torch = _quiet_import("openvino"), _quiet_import("torch")
        network = recipe.build().eval()
        steps.update()
        example = {name: torch.from_numpy(np.repeat(array, 2, axis=0)) for name, array in samples[0].items()}
        with torch.no_grad():
            model = openvino.convert_model(network, example_input=example)
        steps.update()
        if recipe.precision == "int8":
            model = _quantized(model, samples, recipe.smooth, steps.update)
    return model


def _quantized(
    model: "openvino.Model", samples: Sequence[Inputs], smooth: float, advance: Callable[[], Any]
) -> "openvino.Model":
    """Quantize to int8: symmetric weights per channel, asymmetric activations, both smoothed (SmoothQuant)."""
    nncf = _quiet_import("nncf")
    nncf.set_log_level(logging.ERROR)

    def counted(sample: Inputs) -> Inputs:
        advance()
        return sample

    return nncf.quantize(
        model,
        nncf.Dataset(samples, counted),
        preset=nncf.QuantizationPreset.MIXED,
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(samples),
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            smooth_quant_alphas=nncf.AdvancedSmoothQuantParameters(matmul=smooth)
        ),
    )


def _compiled(files: dict[str, bytes], precision: Precision, threads: int) -> "openvino.CompiledModel":
    openvino = _quiet_import("openvino")
    core = openvino.Core()
    settings: dict[str, object] = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": threads,  # one text a thread: faster than several threads on one text
        "PERFORMANCE_HINT": "THROUGHPUT",
    }
    if precision == "float32":  # else OpenVINO takes what the CPU has: bfloat16, or float32
        settings["INFERENCE_PRECISION_HINT"] = "f32"
    with _FIRST_LOOK:
        _ = openvino.Tensor(np.zeros(1, dtype=np.int64)).data
    try:
        model = core.read_model(files[_MODEL], files[_WEIGHTS])
        return core.compile_model(model, "CPU", settings)
    except RuntimeError as error:
        raise ModelError(f"OpenVINO cannot run the prepared model on this CPU ({error})") from error


def _padded(tokens: int) -> int:
    """Return the length to which a text of so many tokens is padded."""
    return _least_padded(tokens) if tokens <= _LONG_TOKENS else -(-tokens // _LONG_STEP) * _LONG_STEP


def _least_padded(tokens: int) -> int:
    """Return the length of a text to calibrate on: the less padding, the less of it is in the ranges that are found."""
    return -(-tokens // _LENGTH_STEP) * _LENGTH_STEP


def _batches(lengths: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield a padded length and the texts that are computed together with it, by their places; the longest come first.

    A length that few texts have is computed text by text, because every new shape costs some time, once.
    """
    by_length: dict[int, list[int]] = {}
    for place, tokens in enumerate(lengths):
        by_length.setdefault(_padded(tokens), []).append(place)
    for length, places in sorted(by_length.items(), reverse=True):
        together = max(1, _TOKENS_TOGETHER // length)
        together = together if len(places) >= _WORTHWHILE * together else 1
        whole = len(places) - len(places) % together
        yield from ((length, places[at : at + together]) for at in range(0, whole, together))
        yield from ((length, [place]) for place in places[whole:])


def _inputs(encodings: Sequence["Encoding"], length: int) -> Inputs:
    """Return what the network takes, each of shape ``(len(encodings), length)``, int64, padded."""
    arrays = np.zeros((3, len(encodings), length), dtype=np.int64)
    for row, encoding in enumerate(encodings):
        tokens = len(encoding.ids)
        arrays[:, row, :tokens] = encoding.ids, encoding.attention_mask, encoding.type_ids
    return dict(zip(("input_ids", "attention_mask", "token_type_ids"), arrays, strict=True))


def _finish(
    request: "openvino.InferRequest",
    rows: Sequence[int],
    encodings: Sequence["Encoding"],
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


def tokenizer_of(file: bytes, recipe: Recipe | None) -> "Tokenizer":
    """Return the tokenizer of a `tokenizer.json`, which pads nothing and cuts where a recipe says."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_buffer(file)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if recipe:
        tokenizer.enable_truncation(recipe.max_tokens)
    return tokenizer


def _folder(recipe: Recipe, cache: Path) -> Path:
    return cache / f"{recipe.name}-{recipe.precision}-{recipe.key()}"


def _sound_files(folder: Path) -> dict[str, bytes] | None:
    """Return the files of a prepared network, checked; None when there is none, or one that contradicts its checksums.

    The bytes that were checked are the ones that are loaded.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        digests = {name: manifest["files"][name] for name in (_MODEL, _WEIGHTS, _TOKENIZER)}
        files = {name: (folder / name).read_bytes() for name in digests}
    except (OSError, ValueError, TypeError, KeyError):
        return None
    sound = all(hashlib.sha256(data).hexdigest() == digests[name] for name, data in files.items())
    return files if sound else None


def _spread(texts: Sequence[Text], most: int) -> list[Text]:
    """Return at most so many of the texts, evenly spread over them."""
    count = min(most, len(texts))
    return [texts[i * len(texts) // count] for i in range(count)]


def _versions() -> dict[str, str]:
    try:
        return {name: metadata.version(name) for name in _MADE_BY}
    except metadata.PackageNotFoundError as error:
        raise _missing(str(error.name)) from error


def _quiet_import(name: str) -> Any:  # noqa: ANN401 - a module
    """Import a package, and never the telemetry of OpenVINO with it, which sends its makers what was done.

    Both openvino and nncf do without where its import fails, which an entry None in `sys.modules` makes it do.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # None is how Python marks "not to be found"
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise _missing(name) from error


def _refuse_telemetry() -> None:
    """Raise `ModelError` where someone else has loaded the telemetry already: it would tell of the preparing."""
    if sys.modules.get("openvino_telemetry") is not None:
        raise ModelError(
            "openvino_telemetry is loaded, which would send its makers that a model is prepared here; "
            "run `groundwire prepare` once, or import `index` before openvino and nncf, or uninstall openvino-telemetry"
        )


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what the libraries tell their own developers, on stdout and in warnings, from the user."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        yield


def _missing(package: str) -> ModelError:
    return ModelError(
        f"the package {package} is not installed, which prepares and runs the model; pip install {package}"
    )


def _unwritable(cache: Path, why: str) -> ModelError:
    return ModelError(
        f"{cache}: the prepared model cannot be kept there ({why}); "
        "name another folder in GROUNDWIRE_CACHE, or set GROUNDWIRE_PRECISION=float32 to do without"
    )
