"""`NewsIndex`: the one class that most callers need."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Any, Self

import numpy as np

from index.article import Article
from index.dates import first_moment
from index.embed import BUNDLED_MODEL, Embedder
from index.errors import (
    ArticleNotFoundError,
    GroundwireError,
    IndexFolderError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
    InputError,
    QuestionError,
)
from index.fast_embed import FastEmbedder, default_cache, embedder_for, embedder_of
from index.fuse import DENSE_WEIGHT, fuse
from index.generation import Generation, load, publish, published_seq, writer_lock
from index.ingest import IngestReport, Progress, identity_of, ingest
from index.passage import Chunking, Passage
from index.scope import Catalog, Filters, Scope
from index.store import STORE_NAME, Identity, Store, holds_store

__all__ = ["MAX_QUESTION_CHARACTERS", "Hit", "NewsIndex", "checked_k", "checked_question"]

MAX_QUESTION_CHARACTERS = 2000
_MAX_K = 1000
_CANDIDATES = 200  # of each search, before fusion; more find next to nothing more (`eval/fit/fusion.py`)
_CACHED_ARTICLES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Hold a passage that was found, its article, its rank from 1 and its scores.

    `scores` has "dense" (cosine), "lexical" (BM25) and "fused" (0..1); `score` is the one that ranked it.
    """

    passage: Passage
    article: Article
    rank: int
    score: float
    scores: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON form."""
        return {
            "rank": self.rank, "article_id": self.article.id, "revision": self.article.revision,
            "passage_id": self.passage.id, "title": self.article.title, "source": self.article.source,
            "published": self.article.published, "text": self.passage.text, "start": self.passage.start,
            "end": self.passage.end, "score": round(self.score, 6),
            "scores": {name: round(score, 6) for name, score in self.scores.items()},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """Hold one state of the index: what a call sees from its beginning to its end."""

    generation: Generation
    catalog: Catalog
    articles: "OrderedDict[tuple[str, int], Article]"


class NewsIndex:
    """Hold an index folder: articles go in, passages come out.

    Open it with `NewsIndex.open`; use it as a context manager, from any number of threads. A call sees the newest
    committed state, also when another process wrote it.
    """

    def __init__(self, folder: Path, store: Store, embedder: Embedder, chunking: Chunking) -> None:
        self.folder = folder
        self.embedder = embedder
        self._store = store
        self._chunking = chunking
        self._lock = RLock()
        self._snapshot: _Snapshot | None = None
        self._loaded: Generation | None = None
        self._model_checked = False
        self.cache = default_cache()

    @classmethod
    def open(
        cls,
        folder: str | Path,
        *,
        create: bool = False,
        embedder: Embedder | None = None,
        chunking: Chunking | None = None,
        cache: Path | None = None,
    ) -> "NewsIndex":
        """Open an index folder; with `create`, make it when there is none.

        Without `embedder`, the model that made the index is used (for a new index, the bundled one in int8). A prepared
        model is kept in `cache`, by default the user's cache folder. Raises `IndexMissingError`, `IndexMismatchError`
        for another model, precision or chunker, `IndexDamagedError`.
        """
        folder = Path(folder)
        if create and not holds_store(folder):
            _refuse_foreign_folder(folder)
            store = Store.create(folder)
        else:
            store = Store(folder)
        try:
            index = cls(folder, store, *_fitting(folder, store.identity(), embedder, chunking, cache))
            index.cache = cache or _cache_of(index.embedder)
            index._end_cut_off_delete()
            return index
        except GroundwireError:
            store.close()
            raise

    def __enter__(self) -> Self:
        """Return the open index."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the index."""
        self.close()

    def close(self) -> None:
        """Close the files. A closed index cannot be used again."""
        self._store.close()
        self._snapshot = self._loaded = None

    def ingest(
        self,
        paths: Sequence[str | Path] | str | Path,
        *,
        meta: Mapping[str, str] | None = None,
        progress: Progress | None = None,
        now: datetime | None = None,
    ) -> IngestReport:
        """Ingest files and folders and return an account of every file seen.

        Unchanged articles are skipped without embedding; a changed one becomes the next revision; bad input is reported
        and the good files beside it are ingested. `meta` sets fields (title, source, published, ...) of every article.
        """
        at = now or datetime.now(UTC)
        several = [paths] if isinstance(paths, str | Path) else paths
        with writer_lock(self.folder, at=at):
            self._check_model()
            try:
                return ingest(
                    several, self._store, self.embedder,
                    chunking=self._chunking, meta=meta or {}, at=at, progress=progress or _silent,
                    publish=lambda: self._publish(at),
                )  # fmt: skip
            finally:  # what was committed before a failure is published too
                self._publish(at)

    def delete(self, article_id: str, *, now: datetime | None = None) -> None:
        """Delete every revision of an article from everything that the index holds; raise `ArticleNotFoundError`."""
        at = now or datetime.now(UTC)
        with writer_lock(self.folder, at=at):
            try:
                self._store.delete(article_id, at=at)
            finally:  # the second try of a delete that was cut off finds no article, and has to end what was begun
                self._publish(at)

    def compact(self, *, now: datetime | None = None) -> dict[str, int]:
        """Build what is derived from the articles anew, in as few files as can be; return what `state` does then.

        Nothing is embedded, and no result changes. Ingesting does it by itself where enough was added.
        """
        at = now or datetime.now(UTC)
        with writer_lock(self.folder, at=at):
            self._publish(at, whole=True)
        return self.state()

    def search(
        self,
        query: str,
        *,
        k: int = 8,
        since: object = None,
        until: object = None,
        sources: Sequence[str] = (),
        as_of: object = None,
    ) -> list[Hit]:
        """Return the best `k` passages by meaning and words, best first.

        `since` and `until` are inclusive days in UTC on the date of publication; `as_of` hides what appeared later.
        Raises `QuestionError` for an empty or too long query, `DateError` for a date that is not one.
        """
        filters = Filters.of(since=since, until=until, sources=sources, as_of=as_of)
        return self.find(query, k=k, filters=filters)

    def find(self, query: str, *, k: int, filters: Filters, dense_weight: float = DENSE_WEIGHT) -> list[Hit]:
        """Return the best `k` passages under filters that are checked already.

        `dense_weight` is how much meaning counts against words: at 1 meaning alone ranks, at 0 words alone.
        """
        query = checked_question(query)
        k = checked_k(k)
        state = self._current()
        rows_allowed = state.catalog.scope(filters).rows if state else np.zeros(0, dtype=np.bool_)
        if state is None or not rows_allowed.any():
            return []
        self._check_model()
        vector = self.embedder.embed_queries([query])[0]
        limit = max(_CANDIDATES, 2 * k)
        by_meaning, _ = state.generation.vectors.search(vector, limit=limit, allowed=rows_allowed)
        by_words, bm25 = state.generation.words.search(query, limit=limit, allowed=rows_allowed)
        rows = np.union1d(by_meaning, by_words)
        dense = state.generation.vectors.scores(vector, rows)
        lexical = np.zeros(len(rows), dtype=np.float32)
        lexical[np.searchsorted(rows, by_words)] = bm25
        fused = fuse(dense, lexical, dense_weight=dense_weight)
        best = np.lexsort((rows, -fused))[:k]
        scores = [{"dense": float(dense[i]), "lexical": float(lexical[i]), "fused": float(fused[i])} for i in best]
        try:
            return [self._hit(state, int(rows[i]), rank, scores[rank - 1]) for rank, i in enumerate(best, start=1)]
        except ArticleNotFoundError:
            if self._current() is state:
                raise
            return self.find(
                query, k=k, filters=filters, dense_weight=dense_weight
            )  # one of them was deleted since this call began

    def article(self, article_id: str, revision: int | None = None) -> Article:
        """Return an article, by default its latest revision; raise `ArticleNotFoundError`."""
        return self._store.article(article_id, revision)

    def articles(self) -> list[Article]:
        """Return the latest revision of every article without its text, newest first."""
        state = self._current()
        return list(state.catalog.latest) if state else []

    def sources(self) -> list[str]:
        """Return the sources of the articles held, most frequent first."""
        state = self._current()
        return [source for source, _ in state.catalog.sources.most_common()] if state else []

    def scope(self, filters: Filters) -> Scope:
        """Return which rows pass the filters, from how many articles."""
        state = self._current()
        if state is None:
            return Scope(rows=np.zeros(0, dtype=np.bool_), articles=0, undated=0)
        return state.catalog.scope(filters)

    def document_frequency(self, words: Sequence[str]) -> tuple[list[int], int]:
        """Return in how many passages each word occurs, in any inflection, and how many passages there are."""
        state = self._current()
        if state is None:
            return [0] * len(words), 0
        return state.generation.words.document_frequency(words), len(state.catalog.keys)

    def stats(self) -> dict[str, Any]:
        """Return counts, sources, the span of dates and what the index was made with, under stable names."""
        articles = self.articles()
        dated = sorted((a.published for a in articles if a.published), key=first_moment)
        state, identity = self._current(), self._store.identity()
        return {
            "folder": str(self.folder), "articles": len(articles),
            "revisions": len(state.catalog.outlines) if state else 0,
            "passages": len(state.catalog.keys) if state else 0,
            "sources": dict(state.catalog.sources.most_common()) if state else {},
            "published": {"first": dated[0] if dated else None, "last": dated[-1] if dated else None,
                          "unknown": len(articles) - len(dated)},
            "model": identity.model_id if identity else self.embedder.model_id,
            "fingerprint": identity.fingerprint if identity else None,
            "dimension": identity.dimension if identity else None,
            "chunking": str(self._chunking), **self.state(),
        }  # fmt: skip

    def state(self) -> dict[str, int]:
        """Return the generation and the commit that a call made now would see."""
        state = self._current()
        return {
            "generation": state.generation.number if state else 0,
            "commit_seq": state.generation.commit_seq if state else 0,
        }

    def _hit(self, state: _Snapshot, row: int, rank: int, scores: dict[str, float]) -> Hit:
        key = state.catalog.keys[row]
        article = self._held_article(state, key.article_id, key.revision)
        passage = Passage(
            article_id=key.article_id, revision=key.revision, start=key.start, end=key.end,
            text=article.text[key.start : key.end],
        )  # fmt: skip
        return Hit(passage=passage, article=article, rank=rank, score=scores["fused"], scores=scores)

    def _held_article(self, state: _Snapshot, article_id: str, revision: int) -> Article:
        """Return an article through a cache that dies with its snapshot, so that nothing deleted lives on in it."""
        key = (article_id, revision)
        with self._lock:
            if key not in state.articles:
                state.articles[key] = self._store.article(article_id, revision)
                if len(state.articles) > _CACHED_ARTICLES:
                    state.articles.popitem(last=False)
            state.articles.move_to_end(key)
            return state.articles[key]

    def _current(self) -> _Snapshot | None:
        """Return the newest state, loading it when the store has gone on; None before the first article."""
        with self._lock:
            identity = self._store.identity()
            if identity is None:
                return None
            while self._snapshot is None or self._snapshot.generation.commit_seq != self._store.commit_seq():
                with self._store.reading():  # a key whose revision came later would have no outline
                    seq, outlines, keys = self._store.commit_seq(), self._store.outlines(), self._store.passage_keys()
                catalog = Catalog(outlines, keys)
                generation = load(self.folder, self._store, identity, earlier=self._loaded)
                if seq == generation.commit_seq == self._store.commit_seq():  # no commit came in between
                    self._snapshot, self._loaded = _Snapshot(generation, catalog, OrderedDict()), generation
            return self._snapshot

    def _end_cut_off_delete(self) -> None:
        """Remove from disk what a delete left there that was killed after its commit.

        Whoever holds the writer's lock ends it itself; where nothing may be written, the next writer does.
        """
        if not self._store.deleted_since(published_seq(self.folder)):
            return
        at = datetime.now(UTC)
        with suppress(IndexLockedError, IndexFolderError, OSError), writer_lock(self.folder, at=at, timeout_s=0):
            self._publish(at)

    def _publish(self, at: datetime, *, whole: bool = False) -> None:
        identity = self._store.identity()
        if identity is None:
            return
        with self._lock:
            seq = published_seq(self.folder)
            if whole or seq != self._store.commit_seq():
                if whole or self._store.deleted_since(seq):
                    self._loaded = None  # what is deleted goes from memory too
                self._store.purge(since=seq)
                publish(self.folder, self._store, identity, at=at, whole=whole)
                self._snapshot = None

    def _check_model(self) -> None:
        """Refuse to mix vectors of different models, before the first one is computed."""
        identity = self._store.identity()
        if not self._model_checked and identity:
            made = identity_of(self.embedder, self._chunking)
            _compare(self.folder, identity, **asdict(made))
        self._model_checked = identity is not None


def checked_question(question: str) -> str:
    """Return a question or query without surrounding white space; raise `QuestionError` when it cannot be used."""
    stripped = question.strip()
    if not stripped:
        raise QuestionError("the question is empty; write what you want to know")
    if len(stripped) > MAX_QUESTION_CHARACTERS:
        raise QuestionError(
            f"the question has {len(stripped):,} characters, the limit is {MAX_QUESTION_CHARACTERS:,}; shorten it"
        )
    return stripped


def checked_k(k: int) -> int:
    """Return how many passages to retrieve; raise `InputError` when there cannot be so many."""
    if not 1 <= k <= _MAX_K:
        raise InputError(f"`k` is {k}; choose a number from 1 to {_MAX_K}")
    return k


def _silent(what: str, more: int) -> None:
    """Report no progress."""


def _refuse_foreign_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise IndexMissingError(f"{folder}: is a file; name a folder for the index with --index")
    if folder.is_dir() and any(path.name != STORE_NAME for path in folder.iterdir()):
        raise IndexMissingError(f"{folder}: holds other files and no index; name a new or an empty folder with --index")


def _fitting(
    folder: Path, identity: Identity | None, embedder: Embedder | None, chunking: Chunking | None, cache: Path | None
) -> tuple[Embedder, Chunking]:
    """Return what the index is made with, or will be; raise `IndexMismatchError` where something else is given."""
    if identity is None:
        return embedder or embedder_for(BUNDLED_MODEL, precision="int8", cache=cache), chunking or Chunking()
    if embedder:
        _compare(folder, identity, model_id=embedder.model_id, fingerprint=embedder.fingerprint)
    if chunking is None:
        try:
            chunking = Chunking.parse(identity.chunking)
        except ValueError:  # the comparison names it, and what it could be
            chunking = Chunking()
    _compare(folder, identity, chunking=str(chunking))
    return embedder or embedder_of(identity.model_id, identity.fingerprint, cache), chunking


def _cache_of(embedder: Embedder) -> Path:
    return embedder.cache if isinstance(embedder, FastEmbedder) else default_cache()


def _compare(folder: Path, identity: Identity, **given: object) -> None:
    for name, value in given.items():
        held = getattr(identity, name)
        if held != value:
            raise IndexMismatchError(
                f"{folder}: was made with {name} {held!r}, not with {value!r}; open it with the former, "
                "as is done where none is given, or make a new index with `groundwire ingest PATH --index NEW_FOLDER`"
            )
