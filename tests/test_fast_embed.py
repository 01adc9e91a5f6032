import json
import os
import re
import shutil
import subprocess
import sys
from importlib import util
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from index.embed import BUNDLED_MODEL, SentenceTransformerEmbedder
from index.errors import ModelError
from index.fast_embed import _RECIPE, Engine, FastEmbedder, _quantized, is_prepared, prepare

pytestmark = pytest.mark.model

TEXTS = [
    "Britain will let Kyiv draw on £1.6 billion of export finance to order more than 5,000 missiles.",
    "A cat sat on the mat.",
    "",
    "Seventeen leaders from Europe joined the talks, along with Justin Trudeau of Canada. " * 40,
    "Норвегия выделит деньги; 日本は支援を表明した。",
]
ENGINES: list[Engine] = ["onnxruntime"]
if util.find_spec("openvino") is not None:
    ENGINES.append("openvino")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared-model")
    prepare(folder)
    return folder


@pytest.fixture
def copied_cache(cache: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(cache, tmp_path / "cache"))


@pytest.fixture(params=ENGINES)
def embedder(request: pytest.FixtureRequest, cache: Path) -> FastEmbedder:
    return FastEmbedder(cache, threads=2, engine=request.param)


def test_a_row_is_made_for_each_text_with_length_1(embedder: FastEmbedder) -> None:
    vectors = embedder.embed_passages(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((len(TEXTS), 384), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_no_text_makes_no_row(embedder: FastEmbedder) -> None:
    assert embedder.embed_passages([]).shape == (0, 384)


def test_a_text_has_the_same_vector_alone_and_among_others(embedder: FastEmbedder) -> None:
    together = embedder.embed_passages(TEXTS)
    alone = np.concatenate([embedder.embed_queries([text]) for text in TEXTS])
    assert np.array_equal(together, alone)


def test_the_same_texts_give_the_same_vectors_after_another_load(embedder: FastEmbedder, cache: Path) -> None:
    other = FastEmbedder(cache, threads=1, engine=embedder._engine)
    assert np.array_equal(embedder.embed_passages(TEXTS), other.embed_passages(TEXTS))


def test_vectors_stay_close_to_those_of_float32(embedder: FastEmbedder) -> None:
    exact = SentenceTransformerEmbedder().embed_passages(TEXTS)
    assert (embedder.embed_passages(TEXTS) * exact).sum(axis=1).min() > 0.99


def test_word_pieces_are_counted_as_the_float32_model_counts_them(cache: Path) -> None:
    exact = SentenceTransformerEmbedder()
    assert FastEmbedder(cache).count_tokens(TEXTS) == exact.count_tokens(TEXTS)
    assert FastEmbedder(cache).max_tokens == exact.max_tokens


def test_what_lies_beyond_the_limit_changes_nothing(embedder: FastEmbedder) -> None:
    long, longer = embedder.embed_passages(["word " * 254, "word " * 300])
    assert np.array_equal(long, longer)


def test_the_fingerprint_names_the_weights_and_the_recipe(cache: Path) -> None:
    embedder = FastEmbedder(cache)
    assert embedder.fingerprint == f"{SentenceTransformerEmbedder().fingerprint}/{_RECIPE}"
    assert embedder.model_id == BUNDLED_MODEL


def test_preparing_again_makes_the_same_bytes(cache: Path, tmp_path: Path) -> None:
    again = prepare(tmp_path / "again") / "manifest.json"
    assert json.loads(again.read_text()) == json.loads(next(cache.rglob("manifest.json")).read_text())


def test_preparing_says_how_far_it_is(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    prepare(tmp_path, lambda done, total: steps.append((done, total)))
    assert steps == [(done, 7) for done in range(8)]


def test_what_is_prepared_is_kept(copied_cache: Path) -> None:
    steps: list[int] = []
    prepare(copied_cache, lambda done, total: steps.append(done))
    assert steps == []


def test_a_folder_without_a_prepared_model_is_refused(tmp_path: Path) -> None:
    assert not is_prepared(tmp_path)
    with pytest.raises(ModelError, match="there is no prepared embedding model"):
        FastEmbedder(tmp_path).embed_queries(["Who?"])


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_an_altered_file_is_refused_and_made_anew(copied_cache: Path, name: str) -> None:
    file = next(copied_cache.rglob(name))
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert not is_prepared(copied_cache)
    with pytest.raises(ModelError, match=re.escape(name)):
        FastEmbedder(copied_cache).count_tokens(["Who?"])
    prepare(copied_cache)
    assert is_prepared(copied_cache)


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"files": {}}', '{"files": {"../x": "1"}}'])
def test_a_manifest_that_says_nothing_is_refused(copied_cache: Path, manifest: str) -> None:
    next(copied_cache.rglob("manifest.json")).write_text(manifest)
    assert not is_prepared(copied_cache)


def test_two_processes_may_prepare_at_once(tmp_path: Path) -> None:
    context = get_context("spawn")
    others = [context.Process(target=prepare, args=(tmp_path,)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert [other.exitcode for other in others] == [0, 0]
    assert [path.name for path in tmp_path.iterdir()] == [f"{BUNDLED_MODEL}-{_RECIPE}"]
    assert is_prepared(tmp_path)


def test_integer_weights_cannot_overflow_16_bits() -> None:
    matrix = np.random.default_rng(0).normal(size=(64, 384)).astype(np.float32)
    matrix[:, 7] *= 40
    integers, scales = _quantized(matrix)
    fours = integers.astype(int).reshape(64, -1, 4)
    worst = max(np.sort(np.maximum(side, 0), axis=-1)[..., 2:].sum(axis=-1).max() for side in (fours, -fours))
    assert worst * 255 < 2**15
    assert np.abs(integers * scales[:, None] - matrix).max(axis=1) == pytest.approx(scales / 2, rel=0.2)


def test_a_row_of_zeros_stays_zero() -> None:
    integers, scales = _quantized(np.zeros((1, 8), dtype=np.float32))
    assert not integers.any()
    assert np.isfinite(scales).all()


LOAD = "from index.fast_embed import FastEmbedder; FastEmbedder(cache, engine={!r}).embed_passages(['a', 'b c'])"
PREPARE = "from index.fast_embed import prepare; prepare(cache)"
HEAVY = {"nncf", "onnx", "openvino_telemetry", "sentence_transformers", "torch", "transformers"}


def program(statement: str, cache: Path) -> list[str]:
    code = f"import json, sys, pathlib; cache = pathlib.Path({str(cache)!r}); {statement}; print(json.dumps([*sys.modules]))"
    return [sys.executable, "-c", code]


def stranger(home: Path, checkout: Path) -> dict[str, str]:
    """Return an environment with an empty home in which nothing says that this is CI."""
    silent = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("NNCF")}
    return {**silent, "HOME": str(home), "PYTHONPATH": str(checkout)}


@pytest.mark.parametrize("engine", ENGINES)
def test_embedding_loads_no_model_library(engine: str, cache: Path, tmp_path: Path, checkout: Path) -> None:
    command = program(LOAD.format(engine), cache)
    done = subprocess.run(
        command, env=stranger(tmp_path, checkout), check=True, capture_output=True, text=True, timeout=60
    )
    assert {name.partition(".")[0] for name in json.loads(done.stdout)} & HEAVY == set()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.trace
@pytest.mark.parametrize("statement", [PREPARE, *(LOAD.format(engine) for engine in ENGINES)])
def test_nothing_is_sent_anywhere(statement: str, copied_cache: Path, tmp_path: Path, checkout: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("needs strace: apt-get install strace")
    home, log = tmp_path / "home", tmp_path / "calls"
    home.mkdir()
    cache = tmp_path / "fresh" if statement == PREPARE else copied_cache
    watch = ["strace", "-f", "-e", "trace=connect,sendto,sendmsg", "-o", str(log)]
    command = [*watch, *program(statement, cache)]
    subprocess.run(command, env=stranger(home, checkout), check=True, capture_output=True, timeout=120)
    assert re.findall(r".*AF_INET.*", log.read_text()) == []
