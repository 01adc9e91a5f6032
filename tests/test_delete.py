"""What is deleted is found no more and in no file of the index, even where the delete was cut off."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from index import ArticleNotFoundError, NewsIndex
from index.generation import published_seq
from index.store import Store
from tests.fakes import KYIV_LATER, NOW, FakeEmbedder, add, ids


def files_with(folder: Path, *words: str) -> list[str]:
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return [name for name, data in files.items() if any(word.encode() in data for word in words)]


def test_what_is_deleted_is_in_no_file_of_the_index(folder: Path, index: NewsIndex) -> None:
    add(index, {"id": "secret", "text": "The xylographer spoke.", "title": "Zymurgy", "author": "Qwertzuiop"})
    add(index, {"id": "secret", "text": "The xylographer was silent.", "title": "Zymurgy again"})
    index.delete("secret")
    assert files_with(folder, "xylograph", "ymurg", "Qwertz") == []


def test_what_is_deleted_was_in_the_truth_before(folder: Path, index: NewsIndex) -> None:
    add(index, {"id": "secret", "text": "The xylographer spoke."})
    assert files_with(folder, "xylograph") == ["articles.db"]  # Tantivy and FAISS keep no plain words


def test_a_delete_leaves_no_free_page_in_the_truth(folder: Path, index: NewsIndex) -> None:
    add(index, {"id": "secret", "text": "The xylographer spoke. " * 1000})
    index.delete("secret")
    with closing(sqlite3.connect(folder / "articles.db")) as connection:
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)


def test_no_generation_from_before_a_delete_is_left(folder: Path, index: NewsIndex) -> None:
    add(index, {"id": "secret", "text": "The xylographer spoke."})
    index.delete("secret")
    assert [path.name for path in folder.glob("*-*")] == ["gen-000003"]


def test_the_words_of_what_is_deleted_are_known_no_more(index: NewsIndex) -> None:
    add(index, {"id": "secret", "text": "The xylographer spoke."})
    index.delete("secret")
    assert index.document_frequency(["xylographer"]) == ([0], 2)


def test_what_is_deleted_is_found_no_more(index: NewsIndex) -> None:
    index.delete("kyiv")
    assert ids(index.search("killed in Kyiv")) == ["paris"]


@pytest.mark.parametrize("revision", [None, 1, 2])
def test_no_revision_of_what_is_deleted_can_be_read(index: NewsIndex, revision: int | None) -> None:
    add(index, KYIV_LATER)
    index.delete("kyiv")
    with pytest.raises(ArticleNotFoundError, match="no article 'kyiv'"):
        index.article("kyiv", revision)


def test_deleting_embeds_nothing(index: NewsIndex, embedder: FakeEmbedder) -> None:
    embedder.embedded.clear()
    index.delete("kyiv")
    assert embedder.embedded == []


def test_deleting_an_unknown_article_says_where_to_look(index: NewsIndex) -> None:
    with pytest.raises(ArticleNotFoundError, match=r"no article 'gone'; `groundwire list` shows what it holds"):
        index.delete("gone")


def test_what_is_deleted_can_be_ingested_again(tmp_path: Path, index: NewsIndex) -> None:
    index.delete("kyiv")
    assert index.ingest(tmp_path / "a.jsonl").totals["ingested"] == 1


def test_an_index_whose_last_article_is_deleted_is_empty_and_of_use(tmp_path: Path, index: NewsIndex) -> None:
    index.delete("kyiv")
    index.delete("paris")
    assert (index.search("Kyiv"), index.articles()) == ([], [])
    assert index.ingest(tmp_path / "a.jsonl").totals["ingested"] == 2


def test_a_delete_that_was_cut_off_is_ended_by_the_next_try(
    folder: Path, index: NewsIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.news_index.publish", interrupted)
    with pytest.raises(KeyboardInterrupt):
        index.delete("kyiv")
    monkeypatch.undo()
    with pytest.raises(ArticleNotFoundError):
        index.delete("kyiv")
    assert ([path.name for path in folder.glob("*-*")], published_seq(folder)) == (["gen-000002"], 2)


def test_a_delete_that_was_killed_after_its_commit_is_ended_by_the_next_open(
    folder: Path, index: NewsIndex, embedder: FakeEmbedder
) -> None:
    add(index, {"id": "secret", "text": "The xylographer spoke.", "title": "Zymurgy"})
    with closing(Store(folder)) as store:
        store.delete("secret", at=NOW)
        assert published_seq(folder) < store.commit_seq()
    NewsIndex.open(folder, embedder=embedder).close()
    with closing(Store(folder)) as store:
        assert published_seq(folder) == store.commit_seq()
    assert files_with(folder, "xylograph", "ymurg") == []


def interrupted(*_: object, **__: object) -> int:
    raise KeyboardInterrupt
