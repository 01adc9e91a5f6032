"""Prepare networks of the BERT kind for the CPU at hand, once, and keep them in a cache folder.

A `Recipe` says what a network is made of. `prepare` converts it to OpenVINO, quantizes it to int8 with NNCF on the
recipe's calibration texts, and writes the result with its checksums into a folder of the cache. From then on
`prepared_files` reads it from there, after comparing the checksums, and loads neither torch nor transformers nor NNCF.

    recipe = Recipe(
        name="minilm",
        weights_sha256=sha256_of(weights),
        build=build_network,              # () -> torch.nn.Module, called only when the cache lacks the result
        tokenizer=folder / "tokenizer.json",
        max_tokens=256,
        calibration=["A text.", "Another."],  # or pairs, as ("A question?", "A passage.")
    )
    folder = prepare(recipe, cache)       # fills the cache, and leaves running to index/encoder.py

The network's `forward(input_ids, attention_mask, token_type_ids)` takes int64 tensors of shape ``(texts, tokens)`` and
returns a tensor, or a tuple of tensors, whose first axis is the text. One that is to compute texts together has the two
parts that `index/packing.py` asks for.
"""

import hashlib
import importlib
import json
import logging
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from filelock import FileLock

from index.errors import ModelError
from index.network_inputs import Inputs, Text, least_padded_length, packed_inputs, padded_inputs, tokenizer_of
from index.packing import packed_network

if TYPE_CHECKING:
    import openvino
    import torch

__all__ = [
    "MODEL",
    "TOKENIZER",
    "WEIGHTS",
    "Precision",
    "Recipe",
    "kept_core",
    "prepare",
    "prepared_files",
    "quiet_import",
]

Precision = Literal["int8", "bfloat16", "float32"]

MODEL, WEIGHTS, TOKENIZER = "model.xml", "model.bin", "tokenizer.json"
_MANIFEST = "manifest.json"
_FORMAT = 1  # of the prepared folder, and of how it is made; another number prepares anew
_MADE_BY = ("openvino", "nncf", "torch", "transformers", "tokenizers")
_MOST_CALIBRATION_TEXTS = 300  # more take longer, and come hardly nearer to float32
_FREE_MB_NEEDED = 200

_log = logging.getLogger("groundwire.index")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Say what a network is made of; see the module's docstring.

    `name` is a short word for folder names and messages. Of a pair that is longer than `max_tokens`, the longer half is
    cut. `smooth` is SmoothQuant's alpha, how much of the activations' range the weights take over
    (https://arxiv.org/abs/2211.10438): 0.7 is the best of the five that `python -m eval.fit.precision` tries for the
    bundled model. Texts are computed `together` or one by one: many short ones take less time together, a few
    long ones one by one.
    """

    name: str
    weights_sha256: str
    build: Callable[[], "torch.nn.Module"]
    tokenizer: Path
    max_tokens: int
    calibration: Sequence[Text]
    precision: Precision = "int8"
    smooth: float = 0.7
    together: bool = False

    def parts(self) -> dict[str, str | int | float]:
        """Return what the prepared network depends on, besides the versions of the packages that make it."""
        return {
            "format": _FORMAT,
            "weights": self.weights_sha256,
            "tokenizer": hashlib.sha256(self.tokenizer.read_bytes()).hexdigest(),
            "max_tokens": self.max_tokens,
            "precision": self.precision,
            "smooth": self.smooth,
            "together": self.together,
            "calibration": hashlib.sha256(json.dumps(list(self.calibration)).encode()).hexdigest(),
        }

    def key(self) -> str:
        """Return what the prepared network depends on, as a short hash."""
        parts = {**self.parts(), "versions": _versions()}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def prepared_files(recipe: Recipe, cache: Path) -> dict[str, bytes]:
    """Return a network's files by name: `MODEL`, `WEIGHTS` and `TOKENIZER`.

    They are read from the cache, and prepared first where that does not hold them, or holds them damaged. Raises
    `ModelError` when they cannot be prepared or kept.
    """
    files = _sound_files(_folder(recipe, cache))
    if files is None:
        files = _sound_files(prepare(recipe, cache))
    if files is None:
        raise ModelError(f"{cache}: what was just written there reads back altered; check the disk")
    return files


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
    shutil.copyfile(recipe.tokenizer, folder / TOKENIZER)
    openvino, core = quiet_import("openvino"), kept_core()
    model = _converted(recipe)
    try:
        openvino.save_model(model, folder / MODEL, compress_to_fp16=recipe.precision == "int8")
        core.read_model(folder / MODEL)  # a full disk may cut a file off without an error
    except RuntimeError as error:
        raise _unwritable(folder.parent, "the prepared model could not be written whole") from error
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
    manifest = {"name": recipe.name, "precision": recipe.precision, "versions": _versions(), "files": digests}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _converted(recipe: Recipe) -> "openvino.Model":
    """Return the network as OpenVINO's, quantized where the recipe says so."""
    from tqdm import tqdm

    tokenizer = tokenizer_of(recipe.tokenizer.read_bytes(), max_tokens=recipe.max_tokens)
    texts = _spread(recipe.calibration, _MOST_CALIBRATION_TEXTS)
    encodings = tokenizer.encode_batch(list(texts))
    inputs = packed_inputs if recipe.together else padded_inputs
    samples = [inputs([encoding], least_padded_length) for encoding in encodings]
    passes = 2 * len(samples) if recipe.precision == "int8" else 0  # NNCF reads the samples twice
    steps = tqdm(total=passes + 2, desc=f"preparing {recipe.name}", unit="", leave=False, disable=None)
    with steps, _silence():
        openvino, torch = quiet_import("openvino"), quiet_import("torch")
        built = recipe.build()
        network = (packed_network(built) if recipe.together else built).eval()
        steps.update()
        example = {name: torch.from_numpy(array) for name, array in inputs(encodings[:1] * 2).items()}
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
    nncf = quiet_import("nncf")
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


def _spread(texts: Sequence[Text], most: int) -> list[Text]:
    """Return at most so many of the texts, evenly spread over them."""
    count = min(most, len(texts))
    return [texts[i * len(texts) // count] for i in range(count)]


def _folder(recipe: Recipe, cache: Path) -> Path:
    return cache / f"{recipe.name}-{recipe.precision}-{recipe.key()}"


def _sound_files(folder: Path) -> dict[str, bytes] | None:
    """Return the files of a prepared network, checked; None when there is none, or one that contradicts its checksums.

    The bytes that were checked are the ones that are loaded.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        digests = {name: manifest["files"][name] for name in (MODEL, WEIGHTS, TOKENIZER)}
        files = {name: (folder / name).read_bytes() for name in digests}
    except (OSError, ValueError, TypeError, KeyError):
        return None
    sound = all(hashlib.sha256(data).hexdigest() == digests[name] for name, data in files.items())
    return files if sound else None


def _versions() -> dict[str, str]:
    try:
        return {name: metadata.version(name) for name in _MADE_BY}
    except metadata.PackageNotFoundError as error:
        raise _missing(str(error.name)) from error


def quiet_import(name: str) -> Any:  # noqa: ANN401 - a module
    """Import a package, and never the telemetry of OpenVINO with it, which sends its makers what was done.

    Both openvino and nncf do without where its import fails, which an entry None in `sys.modules` makes it do.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # None is how Python marks "not to be found"
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise _missing(name) from error


@cache
def kept_core() -> "openvino.Core":
    """Return the one core of OpenVINO in this process, which is never let go, with what it needs for the CPU loaded.

    Each core gives the thread that loads it a stack for signals, and where it goes that of the core before comes back,
    which may be gone too: the next signal that Python handles, as that of Ctrl-C, would end the process.
    """
    core: openvino.Core = quiet_import("openvino").Core()
    core.get_property("CPU", "FULL_DEVICE_NAME")
    return core


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
