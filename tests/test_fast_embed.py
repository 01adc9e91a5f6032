"""The int8 embedder: near to float32, never in one index with it, prepared once and without torch thereafter."""

import hashlib
import inspect
import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import util
from pathlib import Path

import numpy as np
import pytest

from index.embed import BUNDLED_MODEL, BUNDLED_SHA256, Embedder, SentenceTransformerEmbedder, Vectors
from index.errors import IndexMismatchError, InputError, ModelError
from index.fast_embed import FastEmbedder, _network, bundled_recipe, embedder_for, embedder_of
from index.network_inputs import least_padded_length, packed_inputs, padded_length
from index.news_index import NewsIndex
from index.packing import _attend, _taken, packed_network
from index.prepare import _MOST_CALIBRATION_TEXTS, _quantized, _spread
from tests.fakes import KYIV, NOW, write_articles

TEXTS = ["Leaders met in Paris.", "", "word " * 1000, "The strike killed nineteen residents."]


# Which embedder


def test_the_bundled_model_is_embedded_in_int8() -> None:
    assert isinstance(embedder_for(BUNDLED_MODEL, precision="int8"), FastEmbedder)


@pytest.mark.parametrize(("model", "precision"), [(BUNDLED_MODEL, "float32"), ("other", "int8"), ("other", "float32")])
def test_float32_is_for_reference_and_for_every_other_model(model: str, precision: str) -> None:
    embedder = embedder_for(model, precision=precision)
    assert (type(embedder), embedder.model_id) == (SentenceTransformerEmbedder, model)


def test_an_unknown_precision_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match=r"`precision` is 'int4'; use one of int8, float32"):
        embedder_for(BUNDLED_MODEL, precision="int4")


def test_where_openvino_is_not_installed_float32_takes_its_place_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "openvino" else object())
    with caplog.at_level(logging.WARNING):
        assert isinstance(embedder_for(BUNDLED_MODEL, precision="int8"), SentenceTransformerEmbedder)
    assert caplog.messages == [f"{BUNDLED_MODEL} in float32: openvino is not installed, which int8 needs"]


def test_making_an_embedder_loads_and_writes_nothing(tmp_path: Path) -> None:
    embedder = FastEmbedder(tmp_path / "cache")
    assert (embedder.model_id, embedder.dimension, embedder.max_tokens) == (BUNDLED_MODEL, 384, 256)
    assert list(tmp_path.iterdir()) == []


def test_the_fingerprint_names_the_weights_and_what_computed_with_them() -> None:
    assert FastEmbedder.fingerprint == f"{BUNDLED_SHA256} openvino-int8/3"


def test_another_recipe_of_the_bundled_model_has_another_engine() -> None:
    """Where this fails, put down the hash of the new recipe; and unless all vectors stay as they were, bit for bit, as
    they did when texts came to be computed together, raise the number of `_ENGINE`.
    """
    made_by = (_network, packed_network, _attend, _taken, _quantized, packed_inputs, _spread)
    code = [inspect.getsource(part) for part in made_by]
    lengths = [(padded_length(tokens), least_padded_length(tokens)) for tokens in range(1, 257)]
    made_of = json.dumps([bundled_recipe().parts(), code, _MOST_CALIBRATION_TEXTS, lengths], sort_keys=True)
    engine = FastEmbedder.fingerprint.removeprefix(f"{BUNDLED_SHA256} ")
    assert {engine: hashlib.sha256(made_of.encode()).hexdigest()[:16]} == {"openvino-int8/3": "99380459086068b3"}


def test_long_texts_are_padded_to_fewer_lengths() -> None:
    assert [padded_length(tokens) for tokens in (1, 16, 17, 192, 193, 225)] == [16, 16, 32, 192, 224, 256]


def test_the_calibration_holds_texts_of_every_length() -> None:
    words = [len(str(text).split()) for text in bundled_recipe().calibration]
    assert (len(words) > 300, min(words) < 6, max(words) > 60) == (True, True, True)


def test_altered_weights_are_refused_before_they_are_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "modules.json").write_text("[]", encoding="utf-8")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"altered")
    (tmp_path / "model" / "tokenizer.json").write_bytes((bundled_recipe().tokenizer).read_bytes())
    monkeypatch.setattr("index.embed.bundled_model_folder", lambda: tmp_path / "model")
    monkeypatch.setattr("index.fast_embed.bundled_model_folder", lambda: tmp_path / "model")
    with pytest.raises(ModelError, match=r"model\.safetensors: sha256 [0-9a-f]{64}, expected 53aa5117.*were altered"):
        FastEmbedder(tmp_path / "cache").embed_queries(["Kyiv"])


# One index, one embedder


class Pretending:
    """Stand for an embedder by its name and fingerprint, and embed every text alike."""

    model_id = BUNDLED_MODEL
    dimension = 384
    max_tokens = 256

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return np.full((len(texts), 384), 384**-0.5, dtype=np.float32)

    embed_queries = embed_passages


def index_made_with(fingerprint: str, folder: Path) -> Path:
    with NewsIndex.open(folder / "index", create=True, embedder=Pretending(fingerprint)) as index:
        index.ingest(write_articles(folder / "kyiv.jsonl", KYIV), now=NOW)
    return folder / "index"


@pytest.mark.parametrize(
    ("made_with", "other"),
    [(BUNDLED_SHA256, FastEmbedder()), (FastEmbedder.fingerprint, SentenceTransformerEmbedder())],
    ids=["an index of float32, and int8", "an index of int8, and float32"],
)
def test_vectors_of_two_precisions_are_never_mixed(made_with: str, other: Embedder, tmp_path: Path) -> None:
    folder = index_made_with(made_with, tmp_path)
    with pytest.raises(IndexMismatchError) as refused:
        NewsIndex.open(folder, embedder=other)
    assert str(refused.value) == (
        f"{folder}: was made with fingerprint {made_with!r}, not with {other.fingerprint!r}; open it with the former, "
        "as is done where none is given, or make a new index with `groundwire ingest PATH --index NEW_FOLDER`"
    )


@pytest.mark.parametrize(
    ("made_with", "kind"), [(BUNDLED_SHA256, SentenceTransformerEmbedder), (FastEmbedder.fingerprint, FastEmbedder)]
)
def test_an_index_opens_with_the_precision_that_made_it(made_with: str, kind: type, tmp_path: Path) -> None:
    with NewsIndex.open(index_made_with(made_with, tmp_path)) as index:
        assert type(index.embedder) is kind


def test_an_index_of_an_earlier_int8_is_refused_before_a_vector_is_compared(tmp_path: Path) -> None:
    folder = index_made_with(f"{BUNDLED_SHA256} openvino-int8/0", tmp_path)
    with (
        NewsIndex.open(folder) as index,
        pytest.raises(IndexMismatchError, match=r"openvino-int8/0', not with '.* openvino-int8/3'; open"),
    ):
        index.search("Kyiv")


def test_an_index_says_what_built_it(tmp_path: Path) -> None:
    folder = index_made_with(FastEmbedder.fingerprint, tmp_path)
    with NewsIndex.open(folder) as index:
        assert index.stats()["fingerprint"] == FastEmbedder.fingerprint
    generation = (folder / "CURRENT").read_text(encoding="utf-8").strip()
    manifest = json.loads((folder / generation / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["fingerprint"] == FastEmbedder.fingerprint


def test_a_new_index_is_made_with_int8(tmp_path: Path) -> None:
    with NewsIndex.open(tmp_path / "index", create=True, cache=tmp_path / "cache") as index:
        assert index.embedder.fingerprint == FastEmbedder.fingerprint


def test_the_embedder_that_an_index_names_is_the_one_that_it_recorded() -> None:
    assert isinstance(embedder_of("other", f"{BUNDLED_SHA256} openvino-int8/3"), SentenceTransformerEmbedder)


# Vectors of the real model


@pytest.fixture(scope="module")
def fast() -> FastEmbedder:
    return FastEmbedder()


@pytest.mark.model
def test_vectors_have_384_numbers_and_length_one(fast: FastEmbedder) -> None:
    vectors = fast.embed_passages(TEXTS)
    assert (vectors.shape, str(vectors.dtype)) == ((4, 384), "float32")
    assert np.linalg.norm(vectors, axis=1).tolist() == pytest.approx([1] * 4, abs=1e-5)


@pytest.mark.model
def test_no_texts_have_no_vectors(fast: FastEmbedder) -> None:
    assert (fast.embed_passages([]).shape, fast.embed_queries([]).shape) == ((0, 384), (0, 384))


@pytest.mark.model
def test_vectors_are_near_to_those_of_float32(fast: FastEmbedder) -> None:
    texts = ["Leaders met in Paris.", "Who pledged what?", str(KYIV["text"])]
    cosines = np.sum(fast.embed_passages(texts) * SentenceTransformerEmbedder().embed_passages(texts), axis=1)
    assert cosines.min() > 0.99


@pytest.mark.model
@pytest.mark.parametrize("step", [16, 32, 64])
def test_a_vector_does_not_depend_on_the_multiple_of_16_to_which_its_text_is_padded(
    step: int, fast: FastEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [str(text) for text in bundled_recipe().calibration[:600]]  # some have other bits at multiples of 8
    vectors = fast.embed_passages(texts)
    monkeypatch.setattr(
        "index.encoder.packed_inputs", lambda some: packed_inputs(some, lambda tokens: -(-tokens // step) * step)
    )
    np.testing.assert_array_equal(fast.embed_passages(texts), vectors)


@pytest.mark.model
def test_a_vector_depends_neither_on_company_nor_on_threads(fast: FastEmbedder) -> None:
    texts = [*TEXTS, "Leaders met in Paris. " * 20, "They pledged a force of 20,000 for Kyiv. " * 12]
    alone = [FastEmbedder(threads=1).embed_queries([text])[0] for text in texts]
    for copies in (1, 5, 250):  # of so many texts of a length some are computed together
        assert np.array_equal(fast.embed_passages(texts * copies), np.stack(alone * copies))


@pytest.mark.model
def test_tokens_are_counted_as_in_float32(fast: FastEmbedder) -> None:
    assert fast.count_tokens(TEXTS) == SentenceTransformerEmbedder().count_tokens(TEXTS)
    assert fast.count_tokens([]) == []


@pytest.mark.model
def test_the_arithmetic_is_said(fast: FastEmbedder) -> None:
    assert fast.arithmetic in {"int8 and bfloat16", "int8 and float16", "int8 and float32"}


# The command


def groundwire(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "ui.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)


@pytest.mark.model
def test_neither_ingesting_nor_answering_loads_torch_or_transformers(tmp_path: Path, checkout: Path) -> None:
    index = str(tmp_path / "index")
    assert groundwire("prepare").returncode == 0
    ingest = ["ingest", str(checkout / "seeds"), "--index", index]
    for arguments in (ingest, ["ask", "Who chaired the Paris summit?", "--index", index]):
        code = (
            "import sys, ui.cli\n"
            f"try: ui.cli.main({arguments!r})\n"
            "finally: print(sorted({'torch', 'transformers', 'sentence_transformers', 'nncf'} & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True)
        assert len(done.stdout.splitlines()) > 1
        assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.model
def test_a_setting_gives_the_reference_and_an_index_of_it_is_no_place_for_int8(tmp_path: Path, checkout: Path) -> None:
    ingest = ("ingest", str(checkout / "seeds"), "--index", str(tmp_path))
    assert groundwire(*ingest, GROUNDWIRE_PRECISION="float32").returncode == 0
    assert json.loads(groundwire("stats", "--json", "--index", str(tmp_path)).stdout)["fingerprint"] == BUNDLED_SHA256
    refused = groundwire(*ingest, "--model", BUNDLED_MODEL)
    assert (refused.returncode, "openvino-int8/3" in refused.stderr) == (2, True)


@pytest.mark.model
def test_an_unknown_precision_in_the_environment_is_refused(tmp_path: Path) -> None:
    done = groundwire("ingest", str(tmp_path), "--index", str(tmp_path / "index"), GROUNDWIRE_PRECISION="int3")
    assert (done.returncode, "'int3'; use one of int8, float32" in done.stderr) == (2, True)


@pytest.mark.model
def test_preparing_prints_the_folders_that_hold_the_models() -> None:
    folders = groundwire("prepare").stdout.splitlines()
    assert len(folders) == 2
    assert all((Path(folder) / "manifest.json").is_file() for folder in folders)


@pytest.mark.model
def test_a_cache_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = groundwire("prepare", GROUNDWIRE_CACHE=str(tmp_path / "file"))
    assert (done.returncode, "name another folder in GROUNDWIRE_CACHE" in done.stderr) == (2, True)
