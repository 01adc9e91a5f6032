"""Generations: whole or not used, and whatever happens to them, the store gives the same hits."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index.article import Article
from index.errors import IndexLockedError
from index.generation import Generation, current_generation, load, publish, published_seq, writer_lock
from index.passage import Passage
from index.store import Identity, Store
from tests.fakes import NOW, FakeEmbedder

IDENTITY = Identity(model_id="fake", fingerprint="f" * 64, dimension=64, chunking="sentences-2/128")
TEXTS = ["Leaders met in Paris.", "Missiles hit Kyiv.", "The bank raised rates.", "Leaders left Kyiv."]
Hits = tuple[list[int], list[float], list[int], list[float]]


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with closing(Store.create(folder)) as created:
        for number, text in enumerate(TEXTS):
            add(created, f"a{number}", text)
        yield created


@pytest.fixture
def published(folder: Path, store: Store) -> Path:
    """Return the folder of the generation that has been published."""
    publish(folder, store, IDENTITY, at=NOW)
    return folder / "gen-000001"


def add(store: Store, article_id: str, text: str) -> None:
    whole = Passage(article_id=article_id, revision=1, start=0, end=len(text), text=text)
    vectors = FakeEmbedder().embed_passages([text])
    store.add([(Article(id=article_id, text=text), "", [whole], vectors)], identity=IDENTITY, at=NOW)


def hits(generation: Generation) -> Hits:
    everything = np.ones(len(TEXTS), dtype=np.bool_)
    query = FakeEmbedder().embed_queries(["leaders in Kyiv"])[0]
    rows, cosines = generation.vectors.search(query, limit=4, allowed=everything)
    others, bm25 = generation.words.search("leaders in Kyiv", limit=4, allowed=everything)
    return rows.tolist(), cosines.tolist(), others.tolist(), bm25.tolist()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Publishing


def test_what_is_published_is_pointed_at(folder: Path, published: Path) -> None:
    assert (folder / "CURRENT").read_text(encoding="ascii") == "gen-000001\n"


def test_what_is_published_is_loaded_from_its_files(folder: Path, store: Store, published: Path) -> None:
    generation = load(folder, store, IDENTITY)
    assert (generation.number, generation.commit_seq) == (1, 4)


def test_the_store_and_what_is_published_give_the_same_hits(folder: Path, store: Store) -> None:
    from_store = hits(load(folder, store, IDENTITY))
    publish(folder, store, IDENTITY, at=NOW)
    assert hits(load(folder, store, IDENTITY)) == from_store


def test_the_next_generation_takes_the_place_of_the_earlier_one(folder: Path, store: Store, published: Path) -> None:
    add(store, "b", "Another text.")
    assert publish(folder, store, IDENTITY, at=NOW) == 2
    assert names(folder) == ["CURRENT", "articles.db", "gen-000002"]


def test_the_manifest_names_what_the_generation_is_made_of(published: Path) -> None:
    manifest = json.loads((published / "manifest.json").read_bytes())
    expected = {
        "generation": 1,
        "commit_seq": 4,
        "at": "2025-09-05T12:00:00+00:00",
        "passages": 4,
        "model_id": "fake",
        "fingerprint": "f" * 64,
        "dimension": 64,
        "chunking": "sentences-2/128",
    }
    assert {name: manifest[name] for name in expected} == expected


def test_the_manifest_holds_the_checksum_of_every_file_but_itself(published: Path) -> None:
    manifest = json.loads((published / "manifest.json").read_bytes())
    files = {
        str(path.relative_to(published)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in published.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert {name: file["sha256"] for name, file in manifest["files"].items()} == files


def test_an_emptied_store_is_published_and_loaded(folder: Path, store: Store) -> None:
    for number in range(4):
        store.delete(f"a{number}", at=NOW)
    publish(folder, store, IDENTITY, at=NOW)
    assert load(folder, store, IDENTITY).number == 1


@pytest.mark.parametrize("leftover", ["tmp-000001", "gen-000001"])
def test_what_a_crash_left_half_made_is_made_anew(folder: Path, store: Store, leftover: str) -> None:
    (folder / leftover / "words").mkdir(parents=True)
    publish(folder, store, IDENTITY, at=NOW)
    assert names(folder) == ["CURRENT", "articles.db", "gen-000001"]
    assert load(folder, store, IDENTITY).number == 1


def test_a_generation_without_a_pointer_is_not_used(folder: Path, store: Store, published: Path) -> None:
    (folder / "CURRENT").unlink()
    assert (load(folder, store, IDENTITY).number, published_seq(folder)) == (0, 0)


@pytest.mark.parametrize("pointer", ["", "gen-x", "gen-000009", "ärger", "../elsewhere"])
def test_a_pointer_to_nothing_leads_to_the_store(folder: Path, store: Store, published: Path, pointer: str) -> None:
    expected = hits(load(folder, store, IDENTITY))
    (folder / "CURRENT").write_text(pointer, encoding="utf-8")
    assert load(folder, store, IDENTITY).number == 0
    assert hits(load(folder, store, IDENTITY)) == expected


# Falling back to the store


def test_a_generation_that_is_behind_the_store_is_not_taken_for_its_state(
    folder: Path, store: Store, published: Path
) -> None:
    add(store, "b", "Another text.")
    generation = load(folder, store, IDENTITY)
    assert (generation.number, generation.commit_seq) == (0, 5)


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("files", ["vectors.faiss", "words/meta.json", "words/*.idx", "words/*.fast", "words/*.pos"])
@pytest.mark.parametrize("damage", [flip_a_bit, truncate, Path.unlink])
def test_a_damaged_file_leads_to_the_store_and_changes_no_hit(
    folder: Path, store: Store, published: Path, files: str, damage: Callable[[Path], None]
) -> None:
    expected = hits(load(folder, store, IDENTITY))
    [path] = published.glob(files)
    damage(path)
    assert load(folder, store, IDENTITY).number == 0
    assert hits(load(folder, store, IDENTITY)) == expected


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"rotten",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b"{}",
        b'{"commit_seq": 4}',
        b'{"commit_seq": 4, "passages": 4, "files": []}',
        b'{"commit_seq": 4, "passages": "many", "files": {}}',
        b'{"commit_seq": 4, "passages": 4, "files": {"vectors.faiss": null}}',
        b'{"commit_seq": 4, "passages": 3, "files": {}}',
        b'{"commit_seq": 4, "passages": 4, "files": {"missing": {"sha256": ""}}}',
    ],
)
def test_a_damaged_manifest_leads_to_the_store_and_changes_no_hit(
    folder: Path, store: Store, published: Path, manifest: bytes
) -> None:
    expected = hits(load(folder, store, IDENTITY))
    (published / "manifest.json").write_bytes(manifest)
    assert load(folder, store, IDENTITY).number == 0
    assert hits(load(folder, store, IDENTITY)) == expected


def test_a_missing_generation_leads_to_the_store_and_changes_no_hit(
    folder: Path, store: Store, published: Path
) -> None:
    expected = hits(load(folder, store, IDENTITY))
    shutil.rmtree(published)
    assert load(folder, store, IDENTITY).number == 0
    assert hits(load(folder, store, IDENTITY)) == expected


def test_a_damaged_generation_is_replaced_by_the_next_one(folder: Path, store: Store, published: Path) -> None:
    (published / "manifest.json").write_bytes(b"rotten")
    publish(folder, store, IDENTITY, at=NOW)
    assert (load(folder, store, IDENTITY).number, names(folder)) == (2, ["CURRENT", "articles.db", "gen-000002"])


# The writer's lock

HOLD = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from index.generation import writer_lock
with writer_lock(Path(sys.argv[1]), at=datetime(2025, 9, 5, 12, tzinfo=UTC)):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(folder: Path, checkout: Path) -> Iterator[subprocess.Popen[str]]:
    """Start another process that holds the lock of the folder."""
    folder.mkdir()
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_writer_is_told_who_holds_the_lock(
    folder: Path, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.generation._LOCK_TIMEOUT_S", 0.05)
    who = rf"process {holder.pid} \(since 2025-09-05 12:00:00 UTC\) is writing to it; wait until it is done"
    with pytest.raises(IndexLockedError, match=who), writer_lock(folder, at=NOW):
        pass


def test_the_lock_is_free_when_its_holder_has_been_killed(folder: Path, holder: subprocess.Popen[str]) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with writer_lock(folder, at=NOW):
        assert str(os.getpid()) in (folder / "lock.holder").read_text(encoding="utf-8")


def test_the_lock_is_free_after_an_error(folder: Path, store: Store) -> None:
    with pytest.raises(ZeroDivisionError), writer_lock(folder, at=NOW):
        _ = 1 / 0
    with writer_lock(folder, at=NOW):
        assert current_generation(folder) == 0
