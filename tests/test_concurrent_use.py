"""Others at the same index: what they commit is seen, never half of it, and one alone writes at a time."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from index import IndexLockedError, NewsIndex
from index.embed import Vectors
from index.generation import Generation, load, writer_lock
from index.store import Identity, PassageKey, Store
from tests.fakes import NOW, ROME, FakeEmbedder, add, ids, places


@pytest.fixture
def other(folder: Path, index: NewsIndex) -> Iterator[NewsIndex]:
    """Return the same index, opened a second time as another process would."""
    with NewsIndex.open(folder, embedder=FakeEmbedder()) as opened:
        yield opened


def test_an_open_index_sees_what_another_one_ingested(index: NewsIndex, other: NewsIndex) -> None:
    assert "rome" not in ids(index.search("Rome"))
    add(other, ROME)
    assert ids(index.search("Rome", k=1)) == ["rome"]


def test_an_open_index_sees_what_another_one_deleted(index: NewsIndex, other: NewsIndex) -> None:
    assert "kyiv" in ids(index.search("Kyiv"))
    other.delete("kyiv")
    assert ids(index.search("Kyiv")) == ["paris"]


def test_a_second_writer_is_refused_and_a_reader_is_not(
    folder: Path, index: NewsIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.generation._LOCK_TIMEOUT_S", 0.05)
    with writer_lock(folder, at=NOW):
        with pytest.raises(
            IndexLockedError, match=rf"process {os.getpid()} .* is writing to it; wait until it is done"
        ):
            index.delete("kyiv")
        assert ids(index.search("Kyiv", k=1)) == ["kyiv"]


def test_a_commit_in_the_middle_of_loading_is_not_mixed_with_what_was_loaded(
    index: NewsIndex, other: NewsIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_late(folder: Path, store: Store, identity: Identity, *, earlier: Generation | None) -> Generation:
        monkeypatch.undo()
        add(other, ROME | {"id": "a-first-row"})
        return load(folder, store, identity)

    monkeypatch.setattr("index.news_index.load", load_late)
    assert ids(index.search("killed in Kyiv", k=1)) == ["kyiv"]
    assert len(index.search("Rome Kyiv Paris")) == 3


def test_a_commit_between_two_reads_of_what_is_held_breaks_no_search(
    folder: Path, index: NewsIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.store._BUSY_TIMEOUT_S", 0.05)
    keys = Store.passage_keys
    with NewsIndex.open(folder, embedder=FakeEmbedder()) as hurried:

        def keys_late(store: Store) -> list[PassageKey]:
            monkeypatch.undo()
            with suppress(IndexLockedError):
                add(hurried, ROME | {"id": "a-first-row"})
            return keys(store)

        monkeypatch.setattr(Store, "passage_keys", keys_late)
        assert ids(index.search("killed in Kyiv", k=1)) == ["kyiv"]


def test_an_article_deleted_in_the_middle_of_a_search_is_left_out_of_it(folder: Path, other: NewsIndex) -> None:
    class DeletesMeanwhile(FakeEmbedder):
        def embed_queries(self, texts: Sequence[str]) -> Vectors:
            if "kyiv" in ids_held(other):
                other.delete("kyiv")
            return super().embed_queries(texts)

    with NewsIndex.open(folder, embedder=DeletesMeanwhile()) as opened:
        assert ids(opened.search("killed in Kyiv")) == ["paris"]


def ids_held(index: NewsIndex) -> list[str]:
    return [article.id for article in index.articles()]


def test_an_index_is_searched_from_several_threads(index: NewsIndex) -> None:
    expected = places(index.search("killed in Kyiv"))
    found: list[list[tuple[str, float]]] = []

    def search() -> None:
        found.extend(places(index.search("killed in Kyiv")) for _ in range(20))

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 80
