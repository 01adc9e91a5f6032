"""Preparing: a network is made once, kept whole, made anew where it is damaged, and nobody else is told of it."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from filelock import FileLock

from index.encoder import Encoder
from index.errors import ModelError
from index.prepare import Recipe, prepare
from tests.tiny_network import builds


def folder_of(cache: Path) -> Path:
    [folder] = (path for path in cache.iterdir() if path.is_dir())
    return folder


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
    monkeypatch.setattr("index.prepare.metadata.version", lambda name: "1.0" if name == package else "2.0")
    once = tiny.key()
    monkeypatch.setattr("index.prepare.metadata.version", lambda name: "2.0")
    assert len({before, once, tiny.key()}) == 3


def test_a_sound_cache_is_read_without_a_lock(tiny: Recipe, tiny_cache: Path) -> None:
    with FileLock(f"{folder_of(tiny_cache)}.lock"):
        assert Encoder.open(tiny, tiny_cache).run([])[0].shape == (0, 0)


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
    tiny: Recipe, tiny_cache: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damaged = folder_of(tiny_cache) / name
    if name == "manifest.json" and damage is alter:
        damaged.write_text(damaged.read_text(encoding="utf-8").replace('"model.xml": "', '"model.xml": "0'))
    else:
        damage(damaged)
    _, by_text = (encoder := Encoder.open(tiny, tiny_cache)).run(encoder.tokenize(["it has ended"]))
    assert (by_text.tolist(), builds(tiny)) == ([[18]], 1)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": null}', '{"files": []}', "\x00", "1"])
def test_a_manifest_that_says_nothing_is_written_anew(tiny: Recipe, tiny_cache: Path, text: str) -> None:
    (folder_of(tiny_cache) / "manifest.json").write_text(text, encoding="utf-8")
    Encoder.open(tiny, tiny_cache)
    assert json.loads((folder_of(tiny_cache) / "manifest.json").read_text(encoding="utf-8"))["name"] == "tiny"


def test_what_a_killed_process_left_behind_is_replaced(tiny: Recipe, tiny_cache: Path) -> None:
    folder = folder_of(tiny_cache)
    folder.rename(folder.with_name(f"{folder.name}.making"))
    (folder.with_name(f"{folder.name}.making") / "model.bin").write_bytes(b"half")
    Encoder.open(tiny, tiny_cache)
    assert sorted(path.name for path in tiny_cache.iterdir()) == [folder.name, f"{folder.name}.lock"]


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
    monkeypatch.setattr("index.prepare.shutil.disk_usage", lambda path: Usage(free=5 * 2**20))
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


# Telemetry


def test_telemetry_never_loads(tiny: Recipe, tiny_cache: Path) -> None:
    Encoder.open(tiny, tiny_cache)
    assert sys.modules["openvino_telemetry"] is None


def test_nothing_is_prepared_where_telemetry_is_loaded_already(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino_telemetry", ModuleType("openvino_telemetry"))
    with pytest.raises(ModelError, match=r"openvino_telemetry is loaded.*; run `groundwire prepare` once"):
        Encoder.open(tiny, tmp_path / "cache")
    assert builds(tiny) == 0
