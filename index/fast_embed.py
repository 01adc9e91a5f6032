"""The fast CPU embedder for the bundled model: int8, no torch, nothing to calibrate.

`prepare` writes the model once as an ONNX graph of our own. Its weights are 8-bit integers with one scale per output
channel; what flows into them is rounded to 8 bits with one scale per token, found as it passes. So no text takes part in
making the model, and the same weights give the same file everywhere. ONNX Runtime runs it; on a CPU with int8 dot
products (VNNI) OpenVINO, where it is installed, runs the same file. Figures: tests/bench/embedding.py.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from importlib import util
from os import cpu_count
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from index.embed import BUNDLED_MODEL, Vectors, bundled_model_folder, check_bundled_model, sha256_of
from index.errors import ModelError

__all__ = ["Engine", "FastEmbedder", "best_engine", "is_prepared", "prepare"]

Engine = Literal["onnxruntime", "openvino"]
Progress = Callable[[int, int], None]
_Run = Callable[[npt.NDArray[np.int64]], Vectors]

# Names how vectors are computed. A change that alters them takes a new name, and indexes of the old one are refused.
_RECIPE = "int8-per-token-1"
_WEIGHTS = "model.safetensors"
_GRAPH, _TOKENIZER, _MANIFEST = "model.onnx", "tokenizer.json", "manifest.json"

_LAYERS, _HEADS, _WIDTH, _MAX_TOKENS = 6, 12, 384, 256
_EPSILON = 1e-12  # of the layer norms, from the model's config.json
_OPSET, _IR_VERSION = 23, 10  # 23 is the first with Attention


class FastEmbedder:
    """Embed with the bundled model in int8 on the CPU, from what `prepare` left in `cache_folder`.

    Texts are computed one by one, `threads` at a time (default: one per core), so a text's vector does not depend on
    its neighbours. `engine` is chosen by the CPU unless given. Loads at the first call that needs it.
    """

    model_id = BUNDLED_MODEL
    dimension = _WIDTH
    max_tokens = _MAX_TOKENS

    def __init__(self, cache_folder: Path, threads: int | None = None, *, engine: Engine | None = None) -> None:
        self._folder = _artefact(cache_folder)
        self._threads = threads or cpu_count() or 1
        self._engine = engine

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the weights that the graph was made from, and the name of the recipe."""
        return f"{self._manifest['weights_sha256']}/{_RECIPE}"

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many word pieces each text has, special ones included."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return shape ``(len(texts), dimension)``, float32, rows of length 1."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        pieces = [_cut(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]
        run = self._run

        def embed(row: int) -> None:
            vectors[row] = run(np.array([pieces[row]], dtype=np.int64))[0]

        # Long ones first, so that no thread is left alone with a long text at the end.
        rows = sorted(range(len(texts)), key=lambda row: -len(pieces[row]))
        if len(rows) < 2:
            list(map(embed, rows))
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(embed, rows))
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return shape ``(len(texts), dimension)``, float32, rows of length 1; the model knows no query prompt."""
        return self.embed_passages(texts)

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        return _checked_manifest(self._folder)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        _ = self._manifest  # refuses altered files before any of them is read
        tokenizer = Tokenizer.from_file(str(self._folder / _TOKENIZER))
        tokenizer.no_padding()  # the file asks for 128 pieces, cut or filled up
        tokenizer.no_truncation()
        return tokenizer

    @cached_property
    def _run(self) -> _Run:
        _ = self._manifest
        load = {"onnxruntime": _onnxruntime, "openvino": _openvino}[self._engine or best_engine()]
        return load(self._folder / _GRAPH, self._threads)


def best_engine() -> Engine:
    """Return the engine that is faster on this CPU.

    Without VNNI, OpenVINO's int8 products are slower than its float32 ones, and ONNX Runtime's twice as fast.
    """
    cpu = Path("/proc/cpuinfo")
    has_vnni = cpu.is_file() and "vnni" in cpu.read_text(encoding="utf-8", errors="replace")
    return "openvino" if has_vnni and util.find_spec("openvino") is not None else "onnxruntime"


def is_prepared(cache_folder: Path) -> bool:
    """Tell whether `FastEmbedder` can load from there: all files are present and match their checksums."""
    try:
        _checked_manifest(_artefact(cache_folder))
    except ModelError:
        return False
    return True


def prepare(cache_folder: Path, progress: Progress | None = None) -> Path:
    """Make the int8 model unless it is there, and return its folder.

    `progress` is called with the steps done and their number. Several processes may prepare at once: each works in a
    folder of its own, and the first to finish is kept.
    """
    target = _artefact(cache_folder)
    if is_prepared(cache_folder):
        return target
    check_bundled_model()
    cache_folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_folder, prefix=".preparing-", ignore_cleanup_errors=True) as scratch:
        made = Path(scratch) / target.name
        made.mkdir()
        _write_graph(made / _GRAPH, progress or (lambda done, total: None))
        shutil.copyfile(bundled_model_folder() / _TOKENIZER, made / _TOKENIZER)
        manifest = {
            "model": BUNDLED_MODEL,
            "recipe": _RECIPE,
            "weights_sha256": sha256_of(bundled_model_folder() / _WEIGHTS),
            "files": {name: sha256_of(made / name) for name in (_GRAPH, _TOKENIZER)},
        }
        (made / _MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
        _put_in_place(made, target, Path(scratch) / "damaged")
    return target


def _artefact(cache_folder: Path) -> Path:
    return cache_folder / f"{BUNDLED_MODEL}-{_RECIPE}"


def _put_in_place(made: Path, target: Path, aside: Path) -> None:
    for _ in range(2):
        try:
            made.rename(target)
        except OSError as error:
            if is_prepared(target.parent):  # another process was first
                return
            if not target.exists():
                raise ModelError(f"{target}: the prepared model cannot be written; is the folder writable?") from error
            target.rename(aside)  # what stands there is damaged
        else:
            return
    raise ModelError(f"{target}: other processes keep replacing the prepared model; stop them and prepare again")


def _checked_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        altered = [name for name, digest in manifest["files"].items() if sha256_of(folder / name) != digest]
        complete = {_GRAPH, _TOKENIZER} <= manifest["files"].keys() and "weights_sha256" in manifest
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder}: there is no prepared embedding model ({error!r}); prepare it") from error
    if altered or not complete:
        raise ModelError(f"{folder}: the prepared embedding model is damaged ({altered!r}); delete the folder and prepare it")
    return manifest


def _cut(pieces: list[int]) -> list[int]:
    """Keep what the model reads; the last piece is the mark of the end."""
    return pieces if len(pieces) <= _MAX_TOKENS else [*pieces[: _MAX_TOKENS - 1], pieces[-1]]


def _onnxruntime(graph: Path, threads: int) -> _Run:
    del threads  # the callers are the threads; a second pool inside each call would fight them
    runtime = _needed("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = runtime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def run(pieces: npt.NDArray[np.int64]) -> Vectors:
        return np.asarray(session.run(["vector"], {"pieces": pieces})[0], dtype=np.float32)

    return run


def _openvino(graph: Path, threads: int) -> _Run:
    with _without_telemetry():
        openvino = _needed("openvino")
    # f32: where the CPU has bfloat16, OpenVINO would round everything else to it.
    settings = {"NUM_STREAMS": threads, "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    model = openvino.Core().compile_model(str(graph), "CPU", settings)
    idle: SimpleQueue[Any] = SimpleQueue()
    for _ in range(threads):
        idle.put(model.create_infer_request())

    def run(pieces: npt.NDArray[np.int64]) -> Vectors:
        request = idle.get()
        try:
            return np.array(request.infer([pieces])[0], dtype=np.float32)
        finally:
            idle.put(request)

    return run


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """Keep `import openvino` from sending usage events: it falls back to a silent stub when their sender is missing."""
    name = "openvino_telemetry"
    before = {key: sys.modules.pop(key) for key in list(sys.modules) if key.partition(".")[0] == name}
    sys.modules[name] = None  # type: ignore[assignment]  # documented: an import of it then fails
    try:
        yield
    finally:
        del sys.modules[name]
        sys.modules.update(before)


def _needed(package: str) -> Any:
    try:
        return __import__(package)
    except ImportError as error:
        raise ModelError(f"{package!r} is needed for the fast embedder and cannot be loaded; pip install {package}") from error


def _write_graph(path: Path, progress: Progress) -> None:
    """Write the model: word pieces of one text, shape ``(1, n)``, to its vector, shape ``(1, dimension)``."""
    from safetensors.numpy import load_file

    onnx = _needed("onnx")
    weights = load_file(bundled_model_folder() / _WEIGHTS)
    graph = _Graph(weights)
    state = graph.embeddings()
    for layer in range(_LAYERS):
        progress(layer, _LAYERS + 1)
        state = graph.layer(state, f"encoder.layer.{layer}.")
    progress(_LAYERS, _LAYERS + 1)
    mean = graph.add("ReduceMean", state, graph.constant(np.array([1])), keepdims=0)
    graph.add("LpNormalization", mean, axis=1, p=2, output="vector")
    helper, kinds = onnx.helper, onnx.TensorProto
    inputs = [helper.make_tensor_value_info("pieces", kinds.INT64, [1, "n"])]
    outputs = [helper.make_tensor_value_info("vector", kinds.FLOAT, [1, _WIDTH])]
    body = helper.make_graph(graph.nodes, BUNDLED_MODEL, inputs, outputs, graph.constants)
    imports = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(body, opset_imports=imports, ir_version=_IR_VERSION, producer_name="groundwire")
    path.write_bytes(model.SerializeToString(deterministic=True))
    progress(_LAYERS + 1, _LAYERS + 1)


class _Graph:
    """Collect the nodes of the BERT encoder (Devlin et al. 2019) as ONNX, its dense layers in int8."""

    def __init__(self, weights: dict[str, npt.NDArray[np.float32]]) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._onnx = _needed("onnx")

    def constant(self, values: npt.NDArray[Any]) -> str:
        """Add a constant and return its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        output = output or f"{operator}_{len(self.nodes)}"
        self.nodes.append(self._onnx.helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def embeddings(self) -> str:
        """Add the sum of word, position and type, normalised; words as float16, which halves the file."""
        name = "embeddings.{}_embeddings.weight".format
        words = self.constant(self.weights[name("word")].astype(np.float16))
        places = self.weights[name("position")][:_MAX_TOKENS] + self.weights[name("token_type")][0]
        zero = self.constant(np.array([0]))
        length = self.add("Shape", "pieces", start=1, end=2)
        word = self.add("Cast", self.add("Gather", words, "pieces"), to=self._onnx.TensorProto.FLOAT)
        place = self.add("Slice", self.constant(places), zero, length, zero)
        return self.norm(self.add("Add", word, place), "embeddings.LayerNorm")

    def layer(self, state: str, prefix: str) -> str:
        """Add one layer: attention, then two dense layers, each with its residual and norm."""
        names = [f"{prefix}attention.self.{part}" for part in ("query", "key", "value")]
        matrix = np.concatenate([self.weights[f"{name}.weight"] for name in names])
        bias = np.concatenate([self.weights[f"{name}.bias"] for name in names])
        parts = [f"{prefix}{part}" for part in ("query", "key", "value")]
        split = self._onnx.helper.make_node(
            "Split", [self.dense(state, matrix, bias), self.constant(np.array([_WIDTH] * 3))], parts, axis=2
        )
        self.nodes.append(split)
        seen = self.add("Attention", *parts, q_num_heads=_HEADS, kv_num_heads=_HEADS)
        seen = self.add("Add", self.named(seen, f"{prefix}attention.output.dense"), state)
        state = self.norm(seen, f"{prefix}attention.output.LayerNorm")
        # tanh for erf: a third of the time, and the vectors stay equal to 6 digits.
        inner = self.add("Gelu", self.named(state, f"{prefix}intermediate.dense"), approximate="tanh")
        outer = self.add("Add", self.named(inner, f"{prefix}output.dense", gelu=True), state)
        return self.norm(outer, f"{prefix}output.LayerNorm")

    def norm(self, state: str, name: str) -> str:
        """Add a layer norm."""
        scale, shift = (self.constant(self.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.add("LayerNormalization", state, scale, shift, axis=-1, epsilon=_EPSILON)

    def named(self, state: str, name: str, *, gelu: bool = False) -> str:
        """Add the dense layer of that name."""
        return self.dense(state, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], gelu=gelu)

    def dense(
        self, state: str, matrix: npt.NDArray[np.float32], bias: npt.NDArray[np.float32], *, gelu: bool = False
    ) -> str:
        """Add ``state @ matrix.T + bias`` in int8; `gelu` says that no value of the state is below -0.17."""
        size = state if gelu else self.add("Abs", state)
        zero, steps, least = (8, 247, 0.17005 / 8) if gelu else (128, 127, 1e-9)
        peak = self.add("ReduceMax", size, self.constant(np.array([-1])), keepdims=1)
        step = self.add("Mul", peak, self.constant(np.array(1 / steps, np.float32)))
        step = self.add("Max", step, self.constant(np.array(least, np.float32)))
        one, middle = self.constant(np.array(1, np.float32)), self.constant(np.array(zero, np.uint8))
        whole = self.add("QuantizeLinear", self.add("Div", state, step), one, middle)
        integers, scales = _quantized(matrix)
        left = self.add("DequantizeLinear", whole, one, middle)
        none = self.constant(np.zeros(len(scales), np.int8))
        right = self.add("DequantizeLinear", self.constant(integers.T), self.constant(scales), none, axis=1)
        product = self.add("Mul", self.add("MatMul", left, right), step)
        return self.add("Add", product, self.constant(bias))


def _quantized(matrix: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Return a dense layer's weights as integers, and the scale of each row.

    Without VNNI a CPU adds two neighbouring products of uint8 and int8 in 16 bits and cuts what does not fit. The scale
    is the finest at which no two weights of one sign among four neighbours exceed 128 together: 255 * 128 < 2**15.
    """
    fours = matrix.reshape(len(matrix), -1, 4)
    pairs = [np.sort(np.maximum(side, 0), axis=-1)[..., 2:].sum(axis=-1).max(axis=-1) for side in (fours, -fours)]
    # Rounding adds at most one half to each of the two, so 127 before it is 128 after it.
    scales = np.maximum(np.maximum(*pairs), np.finfo(np.float32).tiny).astype(np.float32) / np.float32(127)
    return np.rint(matrix / scales[:, None]).astype(np.int8), scales
