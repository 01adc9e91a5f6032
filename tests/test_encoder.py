"""The encoder: a network is prepared once, kept whole, and gives the same result in any company."""

import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
from filelock import FileLock

from index.encoder import Encoder, Recipe, _batches, prepare
from index.errors import ModelError
from tests.tiny_network import builds, recipe


@pytest.fixture
def tiny(tmp_path: Path) -> Recipe:
    return recipe(tmp_path / "source")


@pytest.fixture(scope="session")
def _prepared_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare the tiny network once for all tests that only use it."""
    folder = tmp_path_factory.mktemp("tiny")
    prepare(recipe(folder / "source"), folder / "cache")
    return folder / "cache"


@pytest.fixture
def cache(_prepared_once: Path, tmp_path: Path) -> Path:
    """Return a cache that holds the tiny network."""
    return Path(shutil.copytree(_prepared_once, tmp_path / "cache"))


@pytest.fixture
def encoder(tiny: Recipe, cache: Path) -> Encoder:
    return Encoder.open(tiny, cache)


def folder_of(cache: Path) -> Path:
    [folder] = (path for path in cache.iterdir() if path.is_dir())
    return folder


# What it computes


def test_outputs_by_token_are_padded_with_zeros_and_outputs_by_text_are_not(encoder: Encoder) -> None:
    by_token, by_text = encoder.run(encoder.tokenize(["ended", "it has ended"]))
    assert by_token.tolist() == [[1, 6, 2, 0, 0], [1, 4, 5, 6, 2]]
    assert by_text.tolist() == [[9], [18]]


def test_the_second_text_of_a_pair_is_told_from_the_first(encoder: Encoder) -> None:
    by_token, _ = encoder.run(encoder.tokenize([("it", "ended")]))
    assert by_token.tolist() == [[1, 4, 2, 16, 12]]


def test_offsets_point_into_each_text_of_a_pair(encoder: Encoder) -> None:
    [encoding] = encoder.tokenize([("it", "has ended")])
    assert encoding.offsets == [(0, 0), (0, 2), (0, 0), (0, 3), (4, 9), (0, 0)]
    assert encoding.sequence_ids == [None, 0, None, 1, 1, None]


def test_no_texts_have_no_outputs(encoder: Encoder) -> None:
    assert [output.shape for output in encoder.run(encoder.tokenize([]))] == [(0, 0), (0, 1)]


def test_the_order_of_the_texts_is_kept(encoder: Encoder) -> None:
    texts = ["it " * (n % 10) for n in range(40)]
    assert encoder.run(encoder.tokenize(texts))[1].ravel().tolist() == [3 + 4 * (n % 10) for n in range(40)]


def test_what_is_too_long_is_cut_and_counted_whole(encoder: Encoder) -> None:
    assert [len(encoding.ids) for encoding in encoder.tokenize(["it " * 30])] == [12]
    assert encoder.count_tokens(["it " * 30, "it", ("it", "it")]) == [32, 3, 5]


@pytest.mark.parametrize(("ended", "it", "kept"), [(5, 30, (4, 5)), (2, 30, (2, 7)), (30, 30, (4, 5)), (30, 2, (7, 2))])
def test_of_a_pair_the_longer_half_is_cut(encoder: Encoder, ended: int, it: int, kept: tuple[int, int]) -> None:
    [encoding] = encoder.tokenize([("ended " * ended, "it " * it)])
    assert encoding.ids == [1, *[6] * kept[0], 2, *[4] * kept[1], 2]


# Once


def test_the_network_is_built_at_the_first_opening_only(tiny: Recipe, tmp_path: Path) -> None:
    Encoder.open(tiny, tmp_path / "new")
    Encoder.open(tiny, tmp_path / "new")
    assert builds(tiny) == 1


def test_preparing_says_so_in_one_line(tiny: Recipe, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Encoder.open(tiny, tmp_path / "new")
        Encoder.open(tiny, tmp_path / "new")
    assert [record.getMessage() for record in caplog.records if record.name.startswith("groundwire")] == [
        f"Preparing the model tiny for this machine, once; it is kept in {tmp_path / 'new'}"
    ]


def test_preparing_writes_nothing_on_stdout_or_where_stderr_is_no_terminal(
    tiny: Recipe, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    prepare(replace(tiny, precision="float32"), tmp_path / "new")
    out, err = capfd.readouterr()
    assert (
        out,
        err.replace(f"Preparing the model tiny for this machine, once; it is kept in {tmp_path}/new\n", ""),
    ) == (
        "",
        "",
    )


OTHERS: dict[str, Callable[[Recipe], Recipe]] = {
    "weights": lambda tiny: replace(tiny, weights_sha256="1" * 64),
    "precision": lambda tiny: replace(tiny, precision="int8"),
    "calibration": lambda tiny: replace(tiny, calibration=["it ended"]),
    "length": lambda tiny: replace(tiny, max_tokens=11),
}


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_another_recipe_has_another_key(tiny: Recipe, change: Callable[[Recipe], Recipe]) -> None:
    assert change(tiny).key() != tiny.key()


def test_another_tokenizer_has_another_key(tiny: Recipe) -> None:
    before = tiny.key()
    tiny.tokenizer.write_text(tiny.tokenizer.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert tiny.key() != before


@pytest.mark.parametrize("package", ["openvino", "nncf", "torch", "transformers", "tokenizers"])
def test_another_version_of_what_makes_it_has_another_key(
    package: str, tiny: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tiny.key()
    monkeypatch.setattr("index.encoder.metadata.version", lambda name: "1.0" if name == package else "2.0")
    once = tiny.key()
    monkeypatch.setattr("index.encoder.metadata.version", lambda name: "2.0")
    assert len({before, once, tiny.key()}) == 3


def test_a_sound_cache_is_read_without_a_lock(tiny: Recipe, cache: Path) -> None:
    with FileLock(f"{folder_of(cache)}.lock"):
        assert Encoder.open(tiny, cache).run([])[0].shape == (0, 0)


# Damage


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def alter(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("damage", [truncate, alter, Path.unlink])
@pytest.mark.parametrize("name", ["model.xml", "model.bin", "tokenizer.json", "manifest.json"])
def test_a_damaged_network_is_prepared_anew(
    tiny: Recipe, cache: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damaged = folder_of(cache) / name
    if name == "manifest.json" and damage is alter:
        damaged.write_text(damaged.read_text(encoding="utf-8").replace('"model.xml": "', '"model.xml": "0'))
    else:
        damage(damaged)
    _, by_text = (encoder := Encoder.open(tiny, cache)).run(encoder.tokenize(["it has ended"]))
    assert (by_text.tolist(), builds(tiny)) == ([[18]], 1)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": null}', '{"files": []}', "\x00", "1"])
def test_a_manifest_that_says_nothing_is_written_anew(tiny: Recipe, cache: Path, text: str) -> None:
    (folder_of(cache) / "manifest.json").write_text(text, encoding="utf-8")
    Encoder.open(tiny, cache)
    assert json.loads((folder_of(cache) / "manifest.json").read_text(encoding="utf-8"))["name"] == "tiny"


def test_what_a_killed_process_left_behind_is_replaced(tiny: Recipe, cache: Path) -> None:
    folder = folder_of(cache)
    folder.rename(folder.with_name(f"{folder.name}.making"))
    (folder.with_name(f"{folder.name}.making") / "model.bin").write_bytes(b"half")
    Encoder.open(tiny, cache)
    assert sorted(path.name for path in cache.iterdir()) == [folder.name, f"{folder.name}.lock"]


# Where it cannot be kept


def test_a_cache_that_cannot_be_made_is_named_with_the_cure(tiny: Recipe, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match=r"file/cache: the prepared model cannot be kept there \(.+\); name another"):
        Encoder.open(tiny, tmp_path / "file" / "cache")


class Usage(NamedTuple):
    free: int


def test_a_full_disk_is_named_before_the_work_begins(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.encoder.shutil.disk_usage", lambda path: Usage(free=5 * 2**20))
    with pytest.raises(
        ModelError, match=r"\(5 MB free, and preparing a model takes 200\); name another folder in GROUND"
    ):
        Encoder.open(tiny, tmp_path / "cache")
    assert builds(tiny) == 0


def test_a_disk_that_fills_up_leaves_no_half_of_a_network(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import openvino

    def write_half(model: object, path: Path, **settings: object) -> None:
        path.write_text("<net", encoding="utf-8")

    monkeypatch.setattr(openvino, "save_model", write_half)
    with pytest.raises(
        ModelError, match=r"cache: the prepared model cannot be kept there \(the prepared model could not"
    ):
        Encoder.open(tiny, tmp_path / "cache")
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]


def test_a_package_that_is_missing_is_named(tiny: Recipe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ModelError, match=r"the package openvino is not installed.*; pip install openvino$"):
        Encoder.open(tiny, tmp_path / "cache")


# Beside others


def opening(tiny: Recipe, cache: Path, checkout: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.tiny_network", str(tiny.tokenizer.parent), str(cache)]
    return subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_processes_that_prepare_at_once_build_one_network(tiny: Recipe, tmp_path: Path, checkout: Path) -> None:
    started = [opening(tiny, tmp_path / "cache", checkout) for _ in range(3)]
    results = [process.communicate() for process in started]
    assert ([out for out, _ in results], builds(tiny)) == (["[[18.0]]"] * 3, 1), [err for _, err in results]


def test_encoders_can_be_let_go_one_after_the_other(tiny: Recipe, cache: Path) -> None:
    ran = [(encoder := Encoder.open(tiny, cache)).run(encoder.tokenize(["it"] * 9))[1].shape for _ in range(5)]
    assert ran == [(9, 1)] * 5  # with openvino's own queue, this hung


def test_telemetry_never_loads(encoder: Encoder) -> None:
    assert sys.modules["openvino_telemetry"] is None


def test_nothing_is_prepared_where_telemetry_is_loaded_already(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino_telemetry", ModuleType("openvino_telemetry"))
    with pytest.raises(ModelError, match=r"openvino_telemetry is loaded.*; run `groundwire prepare` once"):
        Encoder.open(tiny, tmp_path / "cache")
    assert builds(tiny) == 0


def test_later_runs_load_neither_torch_nor_what_prepared_the_network(tiny: Recipe, cache: Path, checkout: Path) -> None:
    code = (
        "import sys, pathlib; from tests.tiny_network import Encoder, recipe;"
        f"e = Encoder.open(recipe(pathlib.Path({str(tiny.tokenizer.parent)!r})), pathlib.Path({str(cache)!r}));"
        "e.run(e.tokenize(['it'])); print({'torch', 'transformers', 'nncf'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_result_does_not_depend_on_company_or_threads(tiny: Recipe, cache: Path) -> None:
    texts = ["it " * (n % 7) for n in range(20)]
    several = (encoder := Encoder.open(tiny, cache, threads=3)).run(encoder.tokenize(texts))[1]
    alone = [(one := Encoder.open(tiny, cache, threads=1)).run(one.tokenize([text]))[1][0] for text in texts[:7]]
    assert np.array_equal(several[:7], np.stack(alone))


RUN_AT_ONCE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from index.encoder import Encoder
from tests.tiny_network import recipe
sys.setswitchinterval(1e-6)
encoder = Encoder.open(recipe(Path(sys.argv[1])), Path(sys.argv[2]))
with ThreadPoolExecutor(8) as threads:
    print(len(list(threads.map(lambda n: encoder.run(encoder.tokenize(["it " * n])), range(32)))))
"""


def test_threads_may_run_an_encoder_at_once_from_the_first_text_on(tiny: Recipe, cache: Path, checkout: Path) -> None:
    command = [sys.executable, "-c", RUN_AT_ONCE, str(tiny.tokenizer.parent), str(cache)]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "32"


def test_of_a_length_that_many_have_some_are_computed_together_and_of_a_rare_one_none() -> None:
    batches = list(_batches([100] * 16 + [8] * 3))
    assert [(length, len(places)) for length, places in batches] == [(112, 4)] * 4 + [(8, 1)] * 3
    assert sorted(place for _, places in batches for place in places) == list(range(19))


def test_what_does_not_fill_the_last_batch_is_computed_alone() -> None:
    assert [len(places) for _, places in _batches([200] * 7)] == [2, 2, 2, 1]
