"""An index is made where nothing lies, opens as it was made, and refuses what it was not made with."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from index import Chunking, IndexDamagedError, IndexMismatchError, IndexMissingError, ModelError, NewsIndex
from tests.fakes import KYIV, PARIS, FakeEmbedder, add


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "articles.db", isolation_level=None)) as connection:
        connection.execute(statement)


# Opening


def test_a_missing_index_names_the_command_that_makes_one(folder: Path) -> None:
    with pytest.raises(IndexMissingError, match=rf"index: holds no index; .*`groundwire ingest PATH --index {folder}`"):
        NewsIndex.open(folder)


def test_a_missing_index_is_not_made_by_looking_for_it(folder: Path) -> None:
    with pytest.raises(IndexMissingError):
        NewsIndex.open(folder)
    assert not folder.exists()


@pytest.mark.parametrize("made", [False, True])
def test_an_index_is_made_in_a_new_or_an_empty_folder(tmp_path: Path, made: bool) -> None:
    folder = tmp_path / "deep" / "index"
    if made:
        folder.mkdir(parents=True)
    with NewsIndex.open(folder, create=True, embedder=FakeEmbedder()) as created:
        assert created.articles() == []


def test_an_index_is_made_where_a_crash_left_an_empty_file(folder: Path) -> None:
    folder.mkdir()
    (folder / "articles.db").touch()
    with NewsIndex.open(folder, create=True, embedder=FakeEmbedder()) as created:
        assert created.articles() == []


def test_creating_an_index_where_there_is_one_opens_it(folder: Path, index: NewsIndex) -> None:
    with NewsIndex.open(folder, create=True, embedder=FakeEmbedder()) as again:
        assert len(again.articles()) == 2


def test_a_folder_of_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(IndexMissingError, match=r"holds other files and no index; name a new or an empty folder"):
        NewsIndex.open(tmp_path, create=True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(("create", "message"), [(False, "holds no index"), (True, "is a file; name a folder")])
def test_a_file_is_no_index(tmp_path: Path, create: bool, message: str) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(IndexMissingError, match=rf"file: {message}"):
        NewsIndex.open(tmp_path / "file", create=create)


def test_a_damaged_truth_is_refused(folder: Path, index: NewsIndex) -> None:
    index.close()
    (folder / "articles.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(IndexDamagedError, match="restore it from a backup"):
        NewsIndex.open(folder)


def test_what_was_ingested_is_there_after_reopening(folder: Path, index: NewsIndex) -> None:
    index.close()
    with NewsIndex.open(folder, embedder=FakeEmbedder()) as reopened:
        assert [article.id for article in reopened.articles()] == ["paris", "kyiv"]


def test_an_index_remembers_its_model(folder: Path, index: NewsIndex) -> None:
    with NewsIndex.open(folder) as reopened, pytest.raises(ModelError, match="'fake' is neither"):
        reopened.search("Kyiv")


def test_a_context_closes_the_index(folder: Path, index: NewsIndex) -> None:
    with NewsIndex.open(folder, embedder=FakeEmbedder()) as opened:
        pass
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened.search("Kyiv")


# What an index was made with


@pytest.mark.parametrize(
    ("given_embedder", "message"),
    [
        (
            FakeEmbedder(model_id="new"),
            r"index: was made with model_id 'fake', not with 'new'; open it with the former",
        ),
        (FakeEmbedder(fingerprint="0" * 64), rf"was made with fingerprint '{'f' * 64}', not with '{'0' * 64}'"),
    ],
)
def test_another_model_is_refused_naming_both_sides(
    folder: Path, index: NewsIndex, given_embedder: FakeEmbedder, message: str
) -> None:
    with pytest.raises(IndexMismatchError, match=message):
        NewsIndex.open(folder, embedder=given_embedder)


def test_a_refusal_names_the_command_that_makes_a_new_index(folder: Path, index: NewsIndex) -> None:
    with pytest.raises(IndexMismatchError, match=r"make a new index with `groundwire ingest PATH --index NEW_FOLDER`"):
        NewsIndex.open(folder, embedder=FakeEmbedder(model_id="new"))


def test_another_dimension_is_refused_before_searching(folder: Path, index: NewsIndex) -> None:
    with (
        NewsIndex.open(folder, embedder=FakeEmbedder(dimension=32)) as opened,
        pytest.raises(IndexMismatchError, match="dimension 64, not with 32"),
    ):
        opened.search("Kyiv")


def test_another_budget_of_passages_is_refused(folder: Path, index: NewsIndex) -> None:
    with pytest.raises(IndexMismatchError, match="chunking 'sentences-2/128', not with 'sentences-2/64'"):
        NewsIndex.open(folder, embedder=FakeEmbedder(), chunking=Chunking(max_tokens=64))


def test_the_budget_that_made_an_index_is_taken_from_it(tmp_path: Path) -> None:
    made_with = Chunking(max_tokens=64)
    with NewsIndex.open(tmp_path / "i", create=True, embedder=FakeEmbedder(), chunking=made_with) as small:
        add(small, KYIV)
    with NewsIndex.open(tmp_path / "i", embedder=FakeEmbedder()) as again:
        assert again.stats()["chunking"] == "sentences-2/64"


@pytest.mark.parametrize("chunking", ["sentences-1/128", "paragraphs-2/128"])
def test_an_index_of_another_chunker_is_refused(folder: Path, index: NewsIndex, chunking: str) -> None:
    change(folder, f"UPDATE identity SET chunking = '{chunking}'")
    with pytest.raises(IndexMismatchError, match=rf"chunking '{chunking}', not with 'sentences-2/128'"):
        NewsIndex.open(folder, embedder=FakeEmbedder())


def test_another_schema_is_refused(folder: Path, index: NewsIndex) -> None:
    change(folder, "PRAGMA user_version = 2")
    with pytest.raises(IndexMismatchError, match="schema 2, this version of Groundwire reads schema 1"):
        NewsIndex.open(folder, embedder=FakeEmbedder())


@pytest.mark.parametrize(
    ("mine", "chunking", "message"),
    [
        (FakeEmbedder(model_id="mine"), Chunking(), "model_id 'fake', not with 'mine'"),
        (FakeEmbedder(fingerprint="0" * 64), Chunking(), "fingerprint"),
        (FakeEmbedder(dimension=32), Chunking(), "dimension 64, not with 32"),
        (FakeEmbedder(), Chunking(max_tokens=64), "chunking 'sentences-2/128', not with 'sentences-2/64'"),
    ],
)
def test_whoever_ingests_first_decides_what_an_index_is_made_with(
    folder: Path, empty: NewsIndex, mine: FakeEmbedder, chunking: Chunking, message: str
) -> None:
    with NewsIndex.open(folder, embedder=mine, chunking=chunking) as late:
        add(empty, KYIV)
        with pytest.raises(IndexMismatchError, match=message):
            add(late, PARIS)
    assert mine.embedded == []
