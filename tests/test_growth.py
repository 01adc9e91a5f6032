"""An index that grew article by article is the same as one that was built at once, and growing costs what is added."""

import json
import os
import shutil
import weakref
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from index import NewsIndex
from index.article import Article
from index.generation import Generation, current_generation, load, publish, published_seq, writer_lock
from index.manifest import Manifest
from index.passage import Passage
from index.store import Identity, Store
from index.vectors import VectorIndex
from tests.fakes import KYIV, NOW, PARIS, FakeEmbedder, write_articles
from ui.cli import groundwire

IDENTITY = Identity(model_id="fake", fingerprint="f" * 64, dimension=64, chunking="sentences-1/128")
WORDS = "leaders missiles kyiv paris bank troops pledged money north river council minister vote harbour".split()
QUERIES = ("leaders in Kyiv", "missiles troops money vote", "the bank pledged money to Paris", "harbour")
Hits = list[tuple[list[int], list[float]]]

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
commits = st.lists(st.lists(st.tuples(st.integers(0, 30), texts), min_size=1, max_size=6), min_size=1, max_size=8)


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    """Return a store of 20 articles, of which a generation has been published."""
    with closing(Store.create(folder)) as created:
        commit(created, [(number, f"{WORDS[number % 14]} {WORDS[number % 5]}") for number in range(20)])
        publish(folder, created, IDENTITY, at=NOW)
        yield created


def commit(store: Store, named_texts: Sequence[tuple[int, str]]) -> None:
    """Add a revision of each article, its title as the header, its text as one passage."""
    rows = []
    revisions: dict[str, int] = {}
    for number, text in named_texts:
        name = f"a{number}"
        held = store.latest_outline(name)
        revision = revisions[name] = revisions.get(name, held.revision if held else 0) + 1
        article = Article(id=name, text=text, revision=revision)
        whole = Passage(article_id=name, revision=revision, start=0, end=len(text), text=text)
        rows.append((article, f"title {WORDS[number % 14]}", [whole], FakeEmbedder().embed_passages([text])))
    store.add(rows, identity=IDENTITY, at=NOW)


def hits(generation: Generation, count: int, *, limit: int = 7) -> Hits:
    """Return all that both searches find, whole and under a filter, with every score."""
    found: Hits = []
    for allowed in (np.ones(count, dtype=np.bool_), np.arange(count) % 3 != 1):
        for query in QUERIES:
            vector = FakeEmbedder().embed_queries([query])[0]
            for rows, scores in (
                generation.vectors.search(vector, limit=limit, allowed=allowed),
                generation.words.search(query, limit=limit, allowed=allowed),
            ):
                found.append((rows.tolist(), scores.tolist()))
            found.append(([], generation.vectors.scores(vector, np.arange(count)).tolist()))
    return found


def loaded_hits(folder: Path, store: Store) -> Hits:
    return hits(load(folder, store, IDENTITY), store.passage_count())


def rebuilt_hits(folder: Path, store: Store) -> Hits:
    """Return the hits of a generation that is built from the store alone, and leave the folder as it is."""
    elsewhere = folder.with_name("rebuilt")
    shutil.copytree(folder, elsewhere, ignore=shutil.ignore_patterns("gen-*", "CURRENT"))
    with closing(Store(elsewhere)) as copied:
        publish(elsewhere, copied, IDENTITY, at=NOW, whole=True)
        found = loaded_hits(elsewhere, copied)
    shutil.rmtree(elsewhere)
    return found


def files(folder: Path) -> dict[str, int]:
    """Return the files of the current generation by name, with what identifies each on the disk."""
    generation = folder / f"gen-{current_generation(folder):06d}"
    return {str(path.relative_to(generation)): path.stat().st_ino for path in generation.rglob("*") if path.is_file()}


# The same as a rebuild


@settings(max_examples=12)
@given(batches=commits, deleted=st.sets(st.integers(0, 11), max_size=2), unpublished=st.booleans())
def test_an_index_that_grew_finds_what_a_rebuilt_one_finds(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[int, str]]], deleted: set[int], unpublished: bool
) -> None:
    """Some articles are deleted on the way; the last commit is searched before it is published, or after."""
    folder = tmp_path_factory.mktemp("grown")
    with closing(Store.create(folder)) as store:
        for number, batch in enumerate(batches):
            commit(store, batch)
            if number in deleted:
                store.delete(f"a{batch[0][0]}", at=NOW)
            if not (unpublished and number == len(batches) - 1):
                publish(folder, store, IDENTITY, at=NOW)
        assert loaded_hits(folder, store) == rebuilt_hits(folder, store)


def test_six_hundred_passages_in_many_segments_score_as_in_one(folder: Path, store: Store) -> None:
    chance = np.random.default_rng(7)
    for start in range(0, 600, 100):
        commit(store, [(start + n, " ".join(chance.choice(WORDS, size=8))) for n in range(100)])
        publish(folder, store, IDENTITY, at=NOW)
    assert len(list(folder.glob("gen-*/words/*.idx"))) > 1
    assert loaded_hits(folder, store) == rebuilt_hits(folder, store)


def test_equal_passages_come_in_the_order_of_their_articles_whenever_they_were_added(
    folder: Path, store: Store
) -> None:
    for first in (23, 20, 24, 21, 22):  # each commit holds every fifth of what is equal
        commit(store, [(number, "harbour") for number in range(first, 100, 5)])
        publish(folder, store, IDENTITY, at=NOW)
    allowed = np.ones(store.passage_count(), dtype=np.bool_)
    found = {}
    for limit in (9, 90):
        generation = load(folder, store, IDENTITY)
        vector = FakeEmbedder().embed_queries(["harbour"])[0]
        found[limit] = [
            generation.vectors.search(vector, limit=limit, allowed=allowed)[0].tolist(),
            generation.words.search("harbour", limit=limit, allowed=allowed)[0].tolist(),
        ]
    assert found[9] == [rows[:9] for rows in found[90]]
    assert found[9][0] == sorted(found[9][0])


# What growing costs


def test_adding_keeps_the_files_of_the_generation_before(folder: Path, store: Store) -> None:
    before = files(folder)
    commit(store, [(50, "the harbour froze")])
    publish(folder, store, IDENTITY, at=NOW)
    after = files(folder)
    assert after["vectors.faiss"] == before["vectors.faiss"]
    assert [name for name in before if name.endswith(".idx") and after.get(name) != before[name]] == []
    assert "vectors-000002.faiss" in after


def test_the_files_of_vectors_halve_at_least_from_one_to_the_next(folder: Path, store: Store) -> None:
    for number in range(30, 62):
        commit(store, [(number, "harbour")])
        publish(folder, store, IDENTITY, at=NOW)
    rows = [file.rows for file in Manifest.read(folder / f"gen-{current_generation(folder):06d}").vectors]
    assert sum(rows) == 52
    assert all(larger >= 2 * smaller for larger, smaller in pairwise(rows))


def test_a_commit_without_a_passage_writes_no_vectors(folder: Path, store: Store) -> None:
    store.add([(Article(id="empty", text="."), "", [], np.zeros((0, 64), dtype=np.float32))], identity=IDENTITY, at=NOW)
    publish(folder, store, IDENTITY, at=NOW)
    assert [name for name in files(folder) if name.startswith("vectors")] == ["vectors.faiss"]
    assert (load(folder, store, IDENTITY).number, published_seq(folder)) == (2, 2)


def test_where_the_disk_has_no_links_files_are_copied(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(os, "link", no_links)
    commit(store, [(50, "the harbour froze")])
    publish(folder, store, IDENTITY, at=NOW)
    assert load(folder, store, IDENTITY).number == 2
    assert loaded_hits(folder, store) == rebuilt_hits(folder, store)


def test_what_is_added_is_on_the_disk_before_it_is_pointed_at(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr("index.generation._sync", lambda path: synced.append(path.name))
    before = {Path(name).name for name in files(folder)}
    commit(store, [(50, "the harbour froze")])
    publish(folder, store, IDENTITY, at=NOW)
    written = {Path(name).name for name in files(folder)} - before
    assert written | {"meta.json", ".managed.json", "manifest.json", "words", "tmp-000002", "CURRENT.tmp"} <= set(
        synced
    )
    assert "vectors.faiss" not in synced


def test_what_was_loaded_before_is_not_read_again(folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = load(folder, store, IDENTITY)
    commit(store, [(50, "the harbour froze")])
    publish(folder, store, IDENTITY, at=NOW)
    read: list[str] = []
    load_file = VectorIndex.load

    def noted(path: Path, *, rows: int, dimension: int) -> VectorIndex:
        read.append(path.name)
        return load_file(path, rows=rows, dimension=dimension)

    monkeypatch.setattr("index.generation.VectorIndex.load", noted)
    later = load(folder, store, IDENTITY, earlier=earlier)
    assert (later.number, read) == (2, ["vectors-000002.faiss"])
    assert hits(later, 21) == rebuilt_hits(folder, store)


def test_a_generation_that_is_replaced_while_it_is_read_is_read_again(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_file = VectorIndex.load

    def too_late(path: Path, *, rows: int, dimension: int) -> VectorIndex:
        monkeypatch.undo()
        publish(folder, store, IDENTITY, at=NOW, whole=True)
        return load_file(path, rows=rows, dimension=dimension)

    monkeypatch.setattr("index.generation.VectorIndex.load", too_late)
    assert load(folder, store, IDENTITY).number == 2


# When nothing can be added to


@pytest.mark.parametrize("damaged", ["vectors.faiss", "words/meta.json", "words/*.idx", "manifest.json"])
def test_nothing_is_added_to_a_damaged_generation(folder: Path, store: Store, damaged: str) -> None:
    [path] = folder.glob(f"gen-000001/{damaged}")
    path.write_bytes(b"rotten")
    commit(store, [(50, "the harbour froze")])
    publish(folder, store, IDENTITY, at=NOW)
    assert load(folder, store, IDENTITY).number == 2
    assert loaded_hits(folder, store) == rebuilt_hits(folder, store)


def test_after_a_delete_no_file_of_before_is_kept(folder: Path, store: Store) -> None:
    before = files(folder)
    store.delete("a7", at=NOW)
    publish(folder, store, IDENTITY, at=NOW)
    assert set(before.values()) & set(files(folder).values()) == set()


def test_a_generation_made_with_something_else_is_not_added_to(folder: Path, store: Store) -> None:
    before = files(folder)
    other = Identity(model_id="other", fingerprint="f" * 64, dimension=64, chunking="sentences-1/128")
    publish(folder, store, other, at=NOW)
    assert files(folder)["vectors.faiss"] != before["vectors.faiss"]


def test_nothing_is_added_to_what_another_version_wrote(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(folder)
    monkeypatch.setattr("index.generation.installed_versions", lambda: {"tantivy": "99"})
    commit(store, [(50, "the harbour froze")])
    publish(folder, store, IDENTITY, at=NOW)
    assert set(before.values()) & set(files(folder).values()) == set()


def test_words_that_tantivy_cannot_add_to_lead_to_the_store(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise ValueError("of another version")

    commit(store, [(50, "the harbour froze")])
    with monkeypatch.context() as patch:
        patch.setattr("tantivy.Index.open", refuses)
        found = loaded_hits(folder, store)
    assert found == rebuilt_hits(folder, store)


# Crashes


class Killed(BaseException):
    """Stand for the end of the process: nothing of ours catches it."""


def killed(*_: object, **__: object) -> None:
    raise Killed


STEPS = [
    "os.link", "index.generation.VectorIndex.save", "index.generation.WordIndex.extend", "index.generation._sum",
    "index.generation._sync", "index.generation.Manifest.write", "index.generation._point_at",
    "index.generation._remove_others",
]  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_of_adding_loses_nothing(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    commit(store, [(50, "the harbour froze"), (3, "missiles at the harbour")])
    with monkeypatch.context() as patch:
        patch.setattr(step, killed)
        with pytest.raises(Killed):
            publish(folder, store, IDENTITY, at=NOW)
    expected = rebuilt_hits(folder, store)
    assert loaded_hits(folder, store) == expected
    publish(folder, store, IDENTITY, at=NOW)
    assert loaded_hits(folder, store) == expected
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == [f"gen-{current_generation(folder):06d}"]


@pytest.mark.parametrize("step", ["index.generation._sync", "index.generation._point_at"])
def test_a_crash_while_adding_leaves_the_generation_before_sound(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    commit(store, [(number, "the harbour froze") for number in range(30, 90)])
    monkeypatch.setattr(step, killed)
    with pytest.raises(Killed):
        publish(folder, store, IDENTITY, at=NOW)
    before = folder / "gen-000001"
    Manifest.read(before).check(before)
    assert current_generation(folder) == 1


# Through NewsIndex


@pytest.fixture
def index(tmp_path: Path, folder: Path) -> Iterator[NewsIndex]:
    with NewsIndex.open(folder, create=True, embedder=FakeEmbedder()) as opened:
        for number, article in enumerate((KYIV, PARIS)):
            opened.ingest(write_articles(tmp_path / f"{number}.jsonl", article))
        yield opened


def places(index: NewsIndex) -> list[tuple[str, float]]:
    return [(hit.passage.id, hit.score) for hit in index.search("troops killed in Kyiv")]


def test_compacting_changes_no_result_and_embeds_nothing(folder: Path, index: NewsIndex) -> None:
    expected = places(index)
    embedded = list(index.embedder.embedded)  # type: ignore[attr-defined] # the fake counts
    assert index.compact(now=NOW) == {"generation": 3, "commit_seq": 2}
    assert index.embedder.embedded == embedded  # type: ignore[attr-defined] # as above
    assert places(index) == expected


def test_compacting_leaves_one_file_of_vectors_and_one_segment(folder: Path, index: NewsIndex) -> None:
    assert len(list(folder.glob("gen-*/words/*.idx"))) == 2
    index.compact(now=NOW)
    assert [len(list(folder.glob(f"gen-000003/{kind}"))) for kind in ("vectors*", "words/*.idx")] == [1, 1]


def test_the_command_compacts(folder: Path, index: NewsIndex) -> None:
    done = CliRunner().invoke(groundwire, ["compact", "--index", str(folder), "--json"])
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"generation": 3, "commit_seq": 2})


def test_compacting_an_empty_index_does_nothing(folder: Path) -> None:
    with NewsIndex.open(folder, create=True, embedder=FakeEmbedder()) as empty:
        assert empty.compact(now=NOW) == {"generation": 0, "commit_seq": 0}


def test_a_long_ingest_publishes_on_its_way(
    tmp_path: Path, index: NewsIndex, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.ingest._BATCH_PASSAGES", 1)
    monkeypatch.setattr("index.ingest._PUBLISH_PASSAGES", 3)
    published: list[int] = []
    rows = [{"id": f"n{number}", "text": f"Missile {number} fell."} for number in range(7)]

    def look(what: str, more: int) -> None:
        published.append(published_seq(folder))

    index.ingest(write_articles(tmp_path / "many.jsonl", *rows), progress=look)
    assert sorted(set(published)) == [2, 5, 8]
    assert published_seq(folder) == index.state()["commit_seq"] == 9


def test_a_delete_lets_go_of_what_was_in_memory(index: NewsIndex) -> None:
    held = weakref.ref(index._current().generation.words)  # type: ignore[union-attr] # it holds articles
    index.delete("kyiv")
    assert held() is None


def test_opening_while_another_writes_does_not_wait_to_end_its_delete(
    folder: Path, index: NewsIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.generation._LOCK_TIMEOUT_S", 3600)
    with closing(Store(folder)) as store, writer_lock(folder, at=NOW):
        store.delete("kyiv", at=NOW)
        with NewsIndex.open(folder, embedder=FakeEmbedder()) as opened:
            assert [hit.article.id for hit in opened.search("killed in Kyiv")] == ["paris"]
