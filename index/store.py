"""The store: articles, revisions, passages and vectors in one SQLite file. The truth; all else derives from it.

A commit is one transaction. What `Store.add` or `Store.delete` has returned from survives a crash: the journal is
`DELETE` and `synchronous` is `EXTRA`, because the write-ahead log of SQLite before 3.51.3 can corrupt a database.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index.article import Article
from index.embed import Vectors
from index.errors import (
    ArticleNotFoundError,
    GroundwireError,
    IndexDamagedError,
    IndexFolderError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
)
from index.passage import Passage

__all__ = ["STORE_NAME", "Identity", "PassageKey", "Store", "holds_store"]

STORE_NAME = "articles.db"
SCHEMA = 1
_APPLICATION_ID = 0x47574952  # "GWIR"
_BUSY_TIMEOUT_S = 10.0
_DISK_TROUBLES = {
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY,
}  # fmt: skip
_TABLES = """
CREATE TABLE commits (seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, what TEXT NOT NULL);
CREATE TABLE identity (only INTEGER PRIMARY KEY CHECK (only = 1), model_id TEXT NOT NULL, fingerprint TEXT NOT NULL,
  dimension INTEGER NOT NULL, chunking TEXT NOT NULL);
CREATE TABLE revisions (article_id TEXT NOT NULL, revision INTEGER NOT NULL, text TEXT NOT NULL, title TEXT,
  source TEXT, author TEXT, url TEXT, published TEXT, updated TEXT, language TEXT, raw_sha256 TEXT,
  metadata TEXT NOT NULL, text_sha256 TEXT NOT NULL, fingerprint TEXT NOT NULL,
  added INTEGER NOT NULL REFERENCES commits (seq), PRIMARY KEY (article_id, revision)) WITHOUT ROWID;
CREATE INDEX revisions_by_text ON revisions (text_sha256);
CREATE INDEX revisions_by_commit ON revisions (added);
CREATE TABLE passages (article_id TEXT NOT NULL, revision INTEGER NOT NULL, start INTEGER NOT NULL,
  end INTEGER NOT NULL, header TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (article_id, revision, start),
  FOREIGN KEY (article_id, revision) REFERENCES revisions (article_id, revision) ON DELETE CASCADE);
CREATE INDEX passages_in_order ON passages (article_id, revision, start, end);
"""
# CROSS JOIN: in this order of tables the rows come sorted, and no text is read.
_PASSAGES_AFTER = (
    "FROM revisions r CROSS JOIN passages p ON p.article_id = r.article_id AND p.revision = r.revision "
    "WHERE r.added > ?"
)
_ARTICLE_COLUMNS = (
    "article_id, revision, text, title, source, author, url, published, updated, language, raw_sha256, metadata"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Say what an index was made with; two indexes with different identities cannot be searched as one."""

    model_id: str
    fingerprint: str
    dimension: int
    chunking: str


@dataclass(frozen=True, slots=True)
class PassageKey:
    """Name a passage without its words."""

    article_id: str
    revision: int
    start: int
    end: int


class Store:
    """Hold the open SQLite file of an index. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / STORE_NAME
        if not holds_store(folder):
            raise IndexMissingError(
                f"{folder}: holds no index; make one with `groundwire ingest PATH --index {folder}`"
            )
        self._lock = threading.RLock()
        self._connection = _connect(self.path)

    @classmethod
    def create(cls, folder: Path) -> "Store":
        """Make an empty store in a folder that has none, and open it.

        One transaction makes it, so that a crash leaves no half of one, and two processes make one store together.
        """
        path = folder / STORE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        except OSError as error:
            raise IndexFolderError(f"{folder}: {error.strerror}; name another folder with --index") from error
        with (
            _damage_named(path),
            closing(sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)) as connection,
        ):
            connection.execute("BEGIN IMMEDIATE")
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA}")
                for statement in filter(str.strip, _TABLES.split(";")):
                    connection.execute(statement)
            connection.execute("COMMIT")
        return cls(folder)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def commit_seq(self) -> int:
        """Return the number of the last commit; 0 when there is none."""
        return int(self._rows("SELECT coalesce(max(seq), 0) FROM commits")[0][0])

    def identity(self) -> Identity | None:
        """Return what the index was made with; None before its first article."""
        rows = self._rows("SELECT model_id, fingerprint, dimension, chunking FROM identity")
        if not rows:
            return None
        model_id, fingerprint, dimension, chunking = rows[0]
        return Identity(model_id=model_id, fingerprint=fingerprint, dimension=dimension, chunking=chunking)

    def add(
        self,
        articles: Iterable[tuple[Article, str, Sequence[Passage], Vectors]],
        *,
        identity: Identity,
        at: datetime,
    ) -> int:
        """Commit revisions, each with its header, its passages and their vectors; return the commit's number."""
        with self._transaction() as connection:
            seq = _begin_commit(connection, at, "add")
            values = tuple(asdict(identity).values())
            connection.execute("INSERT OR IGNORE INTO identity VALUES (1, ?, ?, ?, ?)", values)
            for article, header, passages, vectors in articles:
                connection.execute(f"INSERT INTO revisions VALUES ({', '.join('?' * 15)})", _revision_row(article, seq))
                connection.executemany(
                    "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?)",
                    [
                        (p.article_id, p.revision, p.start, p.end, header, vector.astype("<f4").tobytes())
                        for p, vector in zip(passages, vectors, strict=True)
                    ],
                )
        return seq

    def delete(self, article_id: str, *, at: datetime) -> int:
        """Commit the removal of every revision, passage and vector of an article; return the commit's number."""
        with self._transaction() as connection:
            seq = _begin_commit(connection, at, "delete")
            gone = connection.execute("DELETE FROM revisions WHERE article_id = ?", (article_id,)).rowcount
            if not gone:
                raise _not_found(article_id, None)
        return seq

    def purge(self, *, since: int) -> None:
        """Write the file anew where a commit after `since` deleted something.

        `secure_delete` overwrites what is deleted, but not the copies of it that SQLite left behind in the gaps of
        pages when it moved rows from one to another.
        """
        if self.deleted_since(since):
            self._rows("VACUUM")

    def deleted_since(self, seq: int) -> bool:
        """Tell whether a commit after `seq` deleted something."""
        return bool(self._rows("SELECT 1 FROM commits WHERE what = 'delete' AND seq > ? LIMIT 1", (seq,)))

    def article(self, article_id: str, revision: int | None = None) -> Article:
        """Return a revision of an article, by default the latest; raise `ArticleNotFoundError`."""
        rows = self._rows(
            f"SELECT text_sha256, {_ARTICLE_COLUMNS} FROM revisions "
            "WHERE article_id = ?1 AND (?2 IS NULL OR revision = ?2) ORDER BY revision DESC LIMIT 1",
            (article_id, revision),
        )
        if not rows:
            raise _not_found(article_id, revision)
        text_sha256, *columns = rows[0]
        [article] = self._articles([columns])
        if article.text_sha256 != text_sha256:
            raise IndexDamagedError(
                f"{self.path}: the text of article {article_id!r}, revision {article.revision}, differs from its "
                "checksum; restore the file from a backup, or delete the article and ingest it again"
            )
        return article

    def outlines(self) -> list[Article]:
        """Return every revision without its text, ordered by id and revision."""
        columns = _ARTICLE_COLUMNS.replace(" text,", " '',")
        return self._articles(self._rows(f"SELECT {columns} FROM revisions ORDER BY article_id, revision"))

    def latest_outline(self, article_id: str) -> Article | None:
        """Return the latest revision of an article without its text; None where none is held."""
        columns = _ARTICLE_COLUMNS.replace(" text,", " '',")
        rows = self._rows(
            f"SELECT {columns} FROM revisions WHERE article_id = ? ORDER BY revision DESC LIMIT 1", (article_id,)
        )
        return next(iter(self._articles(rows)), None)

    def revision_saying(self, article_id: str, fingerprint: str) -> int | None:
        """Return the number of the last revision of an article that has a fingerprint; None where none has."""
        sql = "SELECT max(revision) FROM revisions WHERE article_id = ? AND fingerprint = ?"
        number: int | None = self._rows(sql, (article_id, fingerprint))[0][0]
        return number

    def passage_keys(self) -> list[PassageKey]:
        """Return the key of every passage by article, revision and place: the order of the rows of an index."""
        rows = self._rows("SELECT article_id, revision, start, end FROM passages ORDER BY article_id, revision, start")
        return [PassageKey(*row) for row in rows]

    def row_of_slot(self) -> npt.NDArray[np.int64]:
        """Return the row of each slot.

        Passages have two orders. A row is a passage's place in the order of `passage_keys`; a slot is its place in the
        order of commits, within one commit that of rows. What is added changes no slot that was given before.
        """
        with self.reading():
            added = dict(self._rows_by_revision("SELECT article_id, revision, added FROM revisions"))
            passages = self._rows_by_revision(
                "SELECT article_id, revision, count(*) FROM passages GROUP BY article_id, revision "
                "ORDER BY article_id, revision"
            )
        commits = np.array([added[revision] for revision, _ in passages], dtype=np.int64)
        counts = np.array([count for _, count in passages], dtype=np.int64)
        return np.argsort(np.repeat(commits, counts), kind="stable")

    def passage_count(self, *, after: int = 0) -> int:
        """Return how many passages the commits after `after` added, of those that are there."""
        if not after:
            return int(self._rows("SELECT count(*) FROM passages")[0][0])
        return int(self._rows(f"SELECT count(*) {_PASSAGES_AFTER}", (after,))[0][0])

    def passage_words(self, *, after: int = 0) -> Iterator[tuple[str, str]]:
        """Yield header and text of every passage that a commit after `after` added, in the order of slots."""
        revisions = self._rows(
            "SELECT article_id, revision FROM revisions WHERE added > ? ORDER BY added, article_id, revision", (after,)
        )
        for revision in revisions:
            texts = self._rows("SELECT text FROM revisions WHERE article_id = ? AND revision = ?", revision)
            passages = self._rows(
                "SELECT header, start, end FROM passages WHERE article_id = ? AND revision = ? ORDER BY start", revision
            )
            for (text,) in texts:
                yield from ((header, text[start:end]) for header, start, end in passages)

    def vectors(self, dimension: int, *, after: int = 0) -> Vectors:
        """Return the vectors of the passages that commits after `after` added, in the order of slots.

        Their shape is ``(passages, dimension)``.
        """
        with self.reading():
            vectors = np.empty((self.passage_count(after=after), dimension), dtype=np.float32)
            found = self._connection.execute(
                f"SELECT p.vector {_PASSAGES_AFTER} ORDER BY r.added, r.article_id, r.revision, p.start", (after,)
            )
            for slot, (vector,) in enumerate(found):
                if len(vector) != 4 * dimension:
                    raise IndexDamagedError(
                        f"{self.path}: a vector of another length than {dimension}; restore it from a backup, or "
                        "ingest into a new folder"
                    )
                vectors[slot] = np.frombuffer(vector, dtype="<f4")
        return vectors

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Show one state of the file to all reads of a block. Keep it short: it makes the commits of others wait."""
        with self._lock, _damage_named(self.path):
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._roll_back()

    def same_text(self, text_sha256: str) -> list[tuple[str, str | None]]:
        """Return id and source of the articles whose latest revision has exactly this text, ordered by id."""
        return self._rows(
            "SELECT article_id, source FROM revisions r WHERE text_sha256 = ? AND revision = "
            "(SELECT max(revision) FROM revisions WHERE article_id = r.article_id) ORDER BY article_id",
            (text_sha256,),
        )

    def _rows_by_revision(self, sql: str) -> list[tuple[tuple[str, int], int]]:
        return [((article_id, revision), value) for article_id, revision, value in self._rows(sql)]

    def _articles(self, rows: Iterable[Sequence[object]]) -> list[Article]:
        with _damage_named(self.path):
            return [_article(row) for row in rows]

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple]:  # type: ignore[type-arg] # columns vary
        with self._lock, _damage_named(self.path):
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _damage_named(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")  # fails where readers stay longer than it waits for them
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:  # SQLite has ended it by itself where the disk is full or fails
            self._connection.execute("ROLLBACK")


def holds_store(folder: Path) -> bool:
    """Tell whether a folder holds a store; one that a crash left empty is none."""
    path = folder / STORE_NAME
    return path.is_file() and path.stat().st_size > 0


def _connect(path: Path) -> sqlite3.Connection:
    with _damage_named(path):
        connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            _check_kind(path, connection)
            for pragma in (
                "journal_mode=DELETE", "synchronous=EXTRA", "foreign_keys=ON", "secure_delete=ON",
                "trusted_schema=OFF", "cell_size_check=ON",
            ):  # fmt: skip
                connection.execute(f"PRAGMA {pragma}")
        except (GroundwireError, sqlite3.Error):
            connection.close()
            raise
    return connection


def _check_kind(path: Path, connection: sqlite3.Connection) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    schema = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != _APPLICATION_ID:
        raise IndexDamagedError(f"{path}: is a database of another program; choose another folder with --index")
    if schema != SCHEMA:
        raise IndexMismatchError(
            f"{path}: has schema {schema}, this version of Groundwire reads schema {SCHEMA}; "
            "ingest the articles again into a new folder (`groundwire ingest PATH --index NEW_FOLDER`)"
        )


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):  # a mistake of ours
        raise
    except (sqlite3.DatabaseError, json.JSONDecodeError) as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the lower byte is the kind, the upper one details
        if code == sqlite3.SQLITE_BUSY:
            raise IndexLockedError(f"{path}: another process is using it; try again") from error
        if code in _DISK_TROUBLES:
            raise IndexFolderError(f"{path}: {error}; check the disk and the permissions") from error
        what = str(error)[:200]  # it may quote a whole text, with the bytes that are none
        raise IndexDamagedError(f"{path}: {what!a}; restore it from a backup, or ingest into a new folder") from error


def _begin_commit(connection: sqlite3.Connection, at: datetime, what: str) -> int:
    cursor = connection.execute("INSERT INTO commits (at, what) VALUES (?, ?)", (at.isoformat(), what))
    return int(cursor.lastrowid or 0)


def _revision_row(article: Article, seq: int) -> tuple[object, ...]:
    return (
        article.id, article.revision, article.text, article.title, article.source, article.author, article.url,
        article.published, article.updated, article.language, article.raw_sha256,
        json.dumps(dict(article.metadata), ensure_ascii=False, sort_keys=True), article.text_sha256,
        article.fingerprint, seq,
    )  # fmt: skip


_NAMES = [column.strip() for column in _ARTICLE_COLUMNS.replace("article_id", "id").split(",")]
assert {field.name for field in fields(Article)} == set(_NAMES), "a field of Article has no column"


def _article(row: Sequence[object]) -> Article:
    values = dict(zip(_NAMES, row, strict=True))
    values["metadata"] = json.loads(str(values["metadata"]))
    return Article(**values)  # type: ignore[arg-type] # the columns are the fields


def _not_found(article_id: str, revision: int | None) -> ArticleNotFoundError:
    which = f"article {article_id!r}" + (f", revision {revision}" if revision is not None else "")
    return ArticleNotFoundError(f"the index holds no {which}; `groundwire list` shows what it holds")
