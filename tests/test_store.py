"""The store: what a commit has returned from is there, what is deleted is nowhere, and damage is named."""

import random
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.article import Article
from index.embed import Vectors
from index.errors import (
    ArticleNotFoundError,
    IndexDamagedError,
    IndexFolderError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
)
from index.passage import Passage
from index.store import Identity, PassageKey, Store
from tests.fakes import NOW

IDENTITY = Identity(model_id="fake", fingerprint="f" * 64, dimension=2, chunking="sentences-2/128")
ARTICLE = Article(
    id="a",
    text="Leaders met 😀.\nThey left.",
    title="Title",
    source="Paris Desk",
    author="A. Writer",
    url="seed:a",
    published="2025-09-04",
    updated="2025-09-05T10:00:00+02:00",
    language="en",
    raw_sha256="0" * 64,
    metadata={"file": "a.txt", "note": "é"},
)
ONE = np.array([[1.0, 0.0]], dtype=np.float32)
Row = tuple[Article, str, Sequence[Passage], Vectors]


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with closing(Store.create(folder)) as created:
        yield created


def row(article: Article, *, vectors: Vectors = ONE) -> Row:
    text = article.text
    whole = Passage(article_id=article.id, revision=article.revision, start=0, end=len(text), text=text)
    return article, f"header of {article.id}", [whole], vectors


def add(store: Store, *articles: Article) -> int:
    return store.add([row(article) for article in articles], identity=IDENTITY, at=NOW)


def named(article_id: str, text: str = "Leaders met.") -> Article:
    return Article(id=article_id, text=text)


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def article_in(folder: Path) -> Article:
    with closing(Store(folder)) as opened:
        return opened.article("a")


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "articles.db", isolation_level=None)) as connection:
        connection.execute(statement)


# Commits


def test_an_article_comes_back_as_it_went_in(store: Store) -> None:
    add(store, ARTICLE)
    assert store.article("a") == ARTICLE


def test_a_commit_survives_reopening(folder: Path, store: Store) -> None:
    add(store, ARTICLE)
    store.close()
    assert article_in(folder) == ARTICLE


def test_commits_are_numbered_from_one(store: Store) -> None:
    assert [store.commit_seq(), add(store, named("a")), add(store, named("b")), store.commit_seq()] == [0, 1, 2, 2]


def test_the_number_of_a_commit_is_never_given_again(store: Store) -> None:
    add(store, named("a"))
    store.delete("a", at=NOW)
    assert add(store, named("a")) == 3


def test_a_commit_that_fails_leaves_nothing_behind(store: Store) -> None:
    rows = [row(named("good")), row(named("bad"), vectors=np.zeros((2, 2), dtype=np.float32))]
    with pytest.raises(ValueError, match="zip"):
        store.add(rows, identity=IDENTITY, at=NOW)
    assert (store.commit_seq(), store.identity(), store.outlines(), store.passage_keys()) == (0, None, [], [])


def test_an_article_can_be_added_after_a_commit_that_failed(store: Store) -> None:
    with pytest.raises(ValueError, match="zip"):
        store.add([row(named("a"), vectors=np.zeros((2, 2), dtype=np.float32))], identity=IDENTITY, at=NOW)
    add(store, ARTICLE)
    assert store.article("a") == ARTICLE


def test_the_first_commit_says_what_the_index_is_made_with(store: Store) -> None:
    add(store, ARTICLE)
    assert store.identity() == IDENTITY


def test_every_revision_can_be_read(store: Store) -> None:
    later = replace(ARTICLE, text="They stayed.", revision=2)
    add(store, ARTICLE)
    add(store, later)
    assert [store.article("a"), store.article("a", 1), store.article("a", 2)] == [later, ARTICLE, later]


@pytest.mark.parametrize(
    ("revision", "message"),
    [
        (None, r"^the index holds no article 'b'; `groundwire list` shows what it holds$"),
        (7, r"^the index holds no article 'b', revision 7; `groundwire list`"),
    ],
)
def test_an_article_that_is_not_held_is_named(store: Store, revision: int | None, message: str) -> None:
    with pytest.raises(ArticleNotFoundError, match=message):
        store.article("b", revision)


def test_outlines_are_articles_without_their_texts_by_id_and_revision(store: Store) -> None:
    add(store, named("b"), replace(named("a"), revision=2), named("a"))
    assert [(a.id, a.revision, a.text) for a in store.outlines()] == [("a", 1, ""), ("a", 2, ""), ("b", 1, "")]


@pytest.fixture
def turned(store: Store) -> Store:
    """Return a store whose commits added "c", then "b", then "a" with a second revision of "c"."""
    for vector, *articles in (([0, 1], named("c")), ([1, 0], named("b")), ([0, -1], named("a"), LATER_C)):
        vectors = np.array([vector], dtype=np.float32)
        store.add([row(article, vectors=vectors) for article in articles], identity=IDENTITY, at=NOW)
    return store


LATER_C = Article(id="c", text="They left.", revision=2)


def test_rows_are_in_one_order_whatever_the_order_of_commits(turned: Store) -> None:
    keys = [PassageKey("a", 1, 0, 12), PassageKey("b", 1, 0, 12), PassageKey("c", 1, 0, 12), PassageKey("c", 2, 0, 10)]
    assert turned.passage_keys() == keys


def test_slots_are_in_the_order_of_commits(turned: Store) -> None:
    words = [f"{header}: {text}" for header, text in turned.passage_words()]
    assert words == [
        f"header of {said}" for said in ("c: Leaders met.", "b: Leaders met.", "a: Leaders met.", "c: They left.")
    ]
    assert turned.vectors(2).tolist() == [[0, 1], [1, 0], [0, -1], [0, -1]]
    assert turned.row_of_slot().tolist() == [2, 1, 0, 3]


def test_what_later_commits_added_can_be_read_alone(turned: Store) -> None:
    assert [header for header, _ in turned.passage_words(after=2)] == ["header of a", "header of c"]
    assert (turned.vectors(2, after=1).tolist(), turned.passage_count(after=1)) == ([[1, 0], [0, -1], [0, -1]], 3)


def test_a_delete_closes_the_gap_between_slots(turned: Store) -> None:
    turned.delete("b", at=NOW)
    assert (turned.row_of_slot().tolist(), turned.passage_count()) == ([1, 0, 2], 3)


def test_the_order_of_passages_is_read_without_their_texts_and_vectors(turned: Store) -> None:
    asked: list[str] = []
    turned._connection.set_trace_callback(asked.append)
    for read in (turned.passage_keys, turned.row_of_slot, lambda: turned.passage_count(after=1)):
        read()
    turned._connection.set_trace_callback(None)
    plans = [step[3] for sql in asked if sql.startswith("SELECT") for step in turned._rows(f"EXPLAIN QUERY PLAN {sql}")]
    assert len(plans) >= 4
    assert [plan for plan in plans if "COVERING INDEX" not in plan] == []


def test_the_latest_revision_is_outlined_alone(turned: Store) -> None:
    assert (turned.latest_outline("c"), turned.latest_outline("x")) == (replace(LATER_C, text=""), None)


def test_a_revision_is_known_by_what_it_says(turned: Store) -> None:
    assert turned.revision_saying("c", LATER_C.fingerprint) == 2
    assert turned.revision_saying("b", LATER_C.fingerprint) is None


def test_the_words_of_a_passage_are_cut_at_code_points(store: Store) -> None:
    place = Passage(article_id="a", revision=1, start=12, end=14, text="😀.")
    store.add([(ARTICLE, "", [place], ONE)], identity=IDENTITY, at=NOW)
    assert list(store.passage_words()) == [("", "😀.")]


def test_the_same_text_is_known_by_its_checksum(store: Store) -> None:
    add(store, named("b"), replace(named("a"), source="Desk"), named("c", "Another text."))
    assert store.same_text(named("x").text_sha256) == [("a", "Desk"), ("b", None)]


def test_an_article_has_the_text_of_its_latest_revision_alone(store: Store) -> None:
    add(store, ARTICLE, replace(ARTICLE, text="They stayed.", revision=2, source="Daily"))
    assert (store.same_text(ARTICLE.text_sha256), store.same_text(named("x", "They stayed.").text_sha256)) == (
        [],
        [("a", "Daily")],
    )


def test_the_store_is_for_its_owner_alone(folder: Path, store: Store) -> None:
    assert (folder / "articles.db").stat().st_mode & 0o077 == 0


# Transactions that SQLite ends by itself


def test_a_full_disk_is_named_and_nothing_of_the_commit_is_kept(store: Store) -> None:
    store._rows(f"PRAGMA max_page_count = {store._rows('PRAGMA page_count')[0][0]}")
    with pytest.raises(IndexFolderError, match=r"articles\.db: database or disk is full; check the disk"):
        add(store, named("a", "Leaders met. " * 2000))
    assert (store.commit_seq(), store.outlines()) == (0, [])


def test_a_block_of_reads_ends_in_peace_where_sqlite_has_ended_its_transaction(store: Store) -> None:
    with store.reading():
        store._rows("ROLLBACK")
    assert store.commit_seq() == 0


# Deletes


def test_a_delete_removes_every_revision_passage_and_vector(store: Store) -> None:
    add(store, ARTICLE, replace(ARTICLE, revision=2), named("b"))
    store.delete("a", at=NOW)
    assert ([a.id for a in store.outlines()], len(store.passage_keys()), len(store.vectors(2))) == (["b"], 1, 1)


def test_deleting_what_is_not_held_commits_nothing(store: Store) -> None:
    with pytest.raises(ArticleNotFoundError, match="'a'"):
        store.delete("a", at=NOW)
    assert store.commit_seq() == 0


def test_an_emptied_store_has_no_vectors_and_takes_articles(store: Store) -> None:
    add(store, ARTICLE)
    store.delete("a", at=NOW)
    assert store.vectors(2).shape == (0, 2)
    assert add(store, ARTICLE) == 3


def test_what_is_deleted_is_overwritten_at_once(folder: Path, store: Store) -> None:
    add(store, named("a", "The xylographer spoke. " * 500))
    store.delete("a", at=NOW)
    assert b"xylograph" not in bytes_of(folder)


@pytest.mark.parametrize("seed", [0, 5, 11])
def test_what_is_purged_is_in_no_byte_of_the_folder(folder: Path, store: Store, seed: int) -> None:
    """Overwriting alone leaves copies in the gaps of pages: with each of these seeds, of an article in a hundred."""
    draw = random.Random(seed)
    numbers = draw.sample(range(100), 100)
    for n in numbers:
        add(store, named(f"art{n}", f"secret{n:03} " * draw.choice([1, 3, 10, 30, 60, 300])))
    gone = draw.sample(numbers, 50)
    for n in gone:
        store.delete(f"art{n}", at=NOW)
    store.purge(since=0)
    data = bytes_of(folder)
    assert [n for n in gone if f"secret{n:03}".encode() in data] == []


def test_a_purge_keeps_what_is_not_deleted(store: Store) -> None:
    add(store, ARTICLE, named("b"))
    store.delete("b", at=NOW)
    store.purge(since=0)
    assert (store.article("a"), store.commit_seq(), store.identity()) == (ARTICLE, 2, IDENTITY)


def test_without_a_delete_there_is_nothing_to_purge(folder: Path, store: Store) -> None:
    add(store, ARTICLE)
    before = (folder / "articles.db").read_bytes()
    store.purge(since=0)
    assert (folder / "articles.db").read_bytes() == before


# What cannot be opened


def test_a_folder_without_a_store_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match=rf"{tmp_path}: holds no index; make one with `groundwire ingest PATH"):
        Store(tmp_path)


def test_a_store_that_a_crash_left_empty_is_none(folder: Path) -> None:
    folder.mkdir()
    (folder / "articles.db").touch()
    with pytest.raises(IndexMissingError, match="holds no index"):
        Store(folder)


def test_a_store_that_a_crash_left_empty_can_be_made(folder: Path) -> None:
    folder.mkdir()
    (folder / "articles.db").touch()
    with closing(Store.create(folder)) as made:
        assert made.commit_seq() == 0


def test_making_a_store_where_there_is_one_keeps_its_articles(folder: Path, store: Store) -> None:
    add(store, ARTICLE)
    Store.create(folder).close()
    assert article_in(folder) == ARTICLE


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(IndexFolderError, match="file/index: Not a directory; name another folder with --index"):
        Store.create(tmp_path / "file/index")


def test_another_schema_is_refused_naming_both_and_the_cure(folder: Path, store: Store) -> None:
    store.close()
    change(folder, "PRAGMA user_version = 99")
    with pytest.raises(
        IndexMismatchError, match=r"schema 99, .* reads schema 1; .*`groundwire ingest PATH --index NEW"
    ):
        Store(folder)


def test_a_database_of_another_program_is_refused(folder: Path) -> None:
    folder.mkdir()
    change(folder, "CREATE TABLE theirs (x)")
    with pytest.raises(
        IndexDamagedError, match=r"articles\.db: is a database of another program; choose another folder"
    ):
        Store(folder)


def test_a_database_of_another_program_is_left_as_it_is(folder: Path) -> None:
    folder.mkdir()
    change(folder, "CREATE TABLE theirs (x)")
    before = bytes_of(folder)
    with pytest.raises(IndexDamagedError, match="another program"):
        Store.create(folder)
    assert bytes_of(folder) == before


def test_a_file_that_is_no_database_is_refused(folder: Path) -> None:
    folder.mkdir()
    (folder / "articles.db").write_bytes(b"not a database" * 100)
    with pytest.raises(IndexDamagedError, match=r"articles\.db: .*not a database.*; restore it from a backup"):
        Store(folder)


# Damage


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE revisions SET text = CAST(x'4c65ff' AS TEXT)",  # no UTF-8
        "UPDATE revisions SET text = 'Leaders left.'",
        "UPDATE revisions SET metadata = '{'",
        "DROP TABLE revisions",
    ],
)
def test_a_damaged_article_is_refused(folder: Path, store: Store, damage: str) -> None:
    add(store, ARTICLE)
    change(folder, damage)
    with pytest.raises(IndexDamagedError, match=r"articles\.db: .*; restore"):
        store.article("a")


def test_a_damaged_vector_is_refused(folder: Path, store: Store) -> None:
    add(store, ARTICLE)
    change(folder, "UPDATE passages SET vector = x'00'")
    with pytest.raises(IndexDamagedError, match="a vector of another length than 2; restore it from a backup"):
        store.vectors(2)


def test_the_message_about_a_damaged_text_holds_no_more_than_its_beginning(folder: Path, store: Store) -> None:
    add(store, ARTICLE)
    change(folder, "UPDATE revisions SET title = CAST(x'ff1b' || zeroblob(9999) AS TEXT)")
    with pytest.raises(IndexDamagedError) as caught:
        store.outlines()
    assert len(str(caught.value)) < 500
    assert str(caught.value).isprintable()


def test_a_truncated_file_is_refused(folder: Path, store: Store) -> None:
    add(store, named("a", "Leaders met. " * 2000))
    store.close()
    whole = (folder / "articles.db").read_bytes()
    (folder / "articles.db").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IndexDamagedError, match="restore it from a backup"):
        article_in(folder)


# Others at the same file


def test_a_commit_that_finds_the_file_taken_says_so(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.store._BUSY_TIMEOUT_S", 0.05)
    with closing(Store(folder)) as hurried, closing(sqlite3.connect(folder / "articles.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(IndexLockedError, match=r"articles\.db: another process is using it; try again"):
            add(hurried, ARTICLE)


def test_a_commit_that_readers_keep_waiting_too_long_is_taken_back(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.store._BUSY_TIMEOUT_S", 0.05)
    with closing(Store(folder)) as hurried:
        with store.reading():
            store.commit_seq()
            with pytest.raises(IndexLockedError, match=r"articles\.db: another process is using it; try again"):
                add(hurried, ARTICLE)
        assert (hurried.commit_seq(), add(hurried, ARTICLE), add(store, named("b"))) == (0, 1, 2)


def test_making_a_store_that_another_process_keeps_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.store._BUSY_TIMEOUT_S", 0.05)
    folder.mkdir()
    with closing(sqlite3.connect(folder / "articles.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(IndexLockedError, match=r"articles\.db: another process is using it; try again"):
            Store.create(folder)


def test_a_store_can_be_shared_between_threads(store: Store) -> None:
    threads = [threading.Thread(target=add, args=(store, named(f"a{n}"))) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.outlines()) == 20


def test_a_store_in_a_folder_that_was_moved_is_the_same(folder: Path, store: Store, tmp_path: Path) -> None:
    add(store, ARTICLE)
    store.close()
    shutil.move(folder, tmp_path / "elsewhere")
    assert article_in(tmp_path / "elsewhere") == ARTICLE
