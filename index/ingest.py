"""From paths to committed articles: read, compare with what is held, embed what is new, commit, report."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any, Self

import numpy as np

from index.article import Article
from index.dates import first_moment, last_moment
from index.embed import Embedder, Vectors
from index.passage import Chunking, Passage, header_of, split
from index.readers import Unread, find_files, read_articles
from index.readers.record import printable
from index.store import Identity, Store

__all__ = ["FileReport", "IngestReport", "Progress", "identity_of", "ingest"]

Progress = Callable[[str, int], None]
"""Called with what is counted ("articles" or "passages") and how many more of it are done."""

_BATCH_PASSAGES = 512  # by hand: the more, the fewer texts have no others of their length
_FIRST_PASSAGES = 64  # of the first batch: until it is there, nothing is embedded
_PART_PASSAGES = 1000  # of a batch, which is larger where an article is: about so many are embedded after Ctrl-C
_PUBLISH_PASSAGES = 4000  # what a reader has to add to the published generation itself is never more


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """Say what became of a file, or of some articles of it.

    `outcome` is "ingested", "duplicate", "skipped" or "failed"; `of` is the article that a duplicate repeats.
    """

    path: str
    outcome: str
    articles: tuple[str, ...] = ()
    of: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """Account for everything that was seen: nothing is dropped without a reason."""

    files: tuple[FileReport, ...]
    passages: int
    commit_seq: int

    @property
    def totals(self) -> dict[str, int]:
        """Return the number of articles by outcome; a file that gave no article counts as one."""
        totals = dict.fromkeys(("ingested", "duplicate", "skipped", "failed"), 0)
        for file in self.files:
            totals[file.outcome] += max(1, len(file.articles))
        return totals

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON form."""
        files = [
            {"path": f.path, "outcome": f.outcome, "articles": list(f.articles), "of": f.of, "reason": f.reason}
            for f in self.files
        ]
        return {"files": files, "totals": self.totals, "passages": self.passages, "commit_seq": self.commit_seq}


def ingest(
    paths: Sequence[str | Path],
    store: Store,
    embedder: Embedder,
    *,
    chunking: Chunking,
    meta: Mapping[str, str],
    at: datetime,
    progress: Progress,
    publish: Callable[[], None],
) -> IngestReport:
    """Ingest every article under the paths and return the account of it.

    Each batch is embedded while the next one is read, then committed. `publish` is called whenever some thousands of
    passages have been committed; the last ones are left to the caller.
    """
    one_alone = next((f"`{name}`" for name in ("id", "url") if meta.get(name)), None)
    with _Beside(embedder) as beside:
        run = _Run(
            store=store, embedder=embedder, chunking=chunking, at=at, progress=progress, publish=publish,
            one_alone=one_alone, beside=beside, held_before=store.commit_seq() > 0,
        )  # fmt: skip
        for path in find_files(paths):
            if isinstance(path, Unread):
                run.note(path)
                continue
            for found in read_articles(path, meta=meta):
                progress("articles", 1)
                run.note(found) if isinstance(found, Unread) else run.take(found, printable(path))
        run.end()
    return IngestReport(files=tuple(_grouped(run.reports)), passages=run.passages, commit_seq=store.commit_seq())


class _Beside:
    """Embed in a thread of its own, one batch after the other; whoever leaves early waits for a part of one alone."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="groundwire-embed")
        self._left = Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._left.set()
        self._thread.shutdown(cancel_futures=True)

    def embed(self, texts: Sequence[str]) -> "Future[Vectors]":
        """Begin to embed texts, and return what will have their vectors, or the error."""
        return self._thread.submit(self._embedded, texts)

    def _embedded(self, texts: Sequence[str]) -> Vectors:
        parts = []
        for start in range(0, max(1, len(texts)), _PART_PASSAGES):
            if self._left.is_set():
                break
            parts.append(self._embedder.embed_passages(texts[start : start + _PART_PASSAGES]))
        return np.concatenate(parts)


@dataclass(frozen=True, slots=True)
class _Cut:
    """Hold an article that was cut into passages, and the header that is matched with each of them."""

    article: Article
    header: str
    passages: list[Passage]

    @property
    def texts(self) -> Iterator[str]:
        """Yield what is embedded of each passage."""
        return (f"{self.header}\n{passage.text}" if self.header else passage.text for passage in self.passages)


@dataclass(slots=True, kw_only=True)
class _Run:
    """Hold the state of one ingest: what is known, what waits to be embedded, what is, what has been reported."""

    store: Store
    embedder: Embedder
    chunking: Chunking
    at: datetime
    progress: Progress
    publish: Callable[[], None]
    one_alone: str | None
    beside: _Beside
    held_before: bool  # else all that the store holds was taken in this run, and need not be looked up there
    reports: list[FileReport] = field(default_factory=list)
    passages: int = 0
    _unpublished: int = 0
    _waiting: list[_Cut] = field(default_factory=list)
    _passages_waiting: int = 0
    _embedding: tuple[Sequence[_Cut], Future[Vectors]] | None = None
    _taken: bool = False
    _new: set[tuple[str, str]] = field(default_factory=set)
    _latest: dict[str, Article] = field(default_factory=dict)
    _saying: dict[str, list[Article]] = field(default_factory=dict)  # what was taken, without its text, by its text

    def note(self, unread: Unread) -> None:
        self.reports.append(FileReport(path=unread.where, outcome=unread.outcome, reason=unread.reason))

    def take(self, article: Article, path: str) -> None:
        if self.one_alone and self._taken:
            why = f"the {self.one_alone} given for every article names one alone; ingest the others without it"
            self.reports.append(FileReport(path=path, outcome="failed", reason=why))
            return
        self._taken = True
        key, held = (article.id, article.fingerprint), self._held(article.id)
        of = article.id if key in self._new else None
        if held is None:
            of = self._repeats(article)
        if of:
            why = "the same text from the same source"
            self.reports.append(FileReport(path=path, outcome="duplicate", articles=(article.id,), of=of, reason=why))
            return
        reason = held and self._why_skipped(article, held)
        if reason:
            self.reports.append(FileReport(path=path, outcome="skipped", articles=(article.id,), reason=reason))
            return
        article = replace(article, revision=held.revision + 1 if held else 1)
        self._new.add(key)
        outline = self._latest[article.id] = replace(article, text="")
        self._saying.setdefault(article.text_sha256, []).append(outline)
        self._wait(article)
        self.reports.append(FileReport(path=path, outcome="ingested", articles=(article.id,)))

    def end(self) -> None:
        """Embed and commit what waits."""
        if self._waiting:
            self._embed()
        self._commit()

    def _wait(self, article: Article) -> None:
        header, passages = header_of(article, self.embedder), split(article, self.embedder, self.chunking)
        self._waiting.append(_Cut(article, header, passages))
        self._passages_waiting += len(passages)
        enough = _BATCH_PASSAGES if self._embedding else min(_FIRST_PASSAGES, _BATCH_PASSAGES)
        if self._passages_waiting >= enough:
            self._embed()

    def _embed(self) -> None:
        """Begin to embed what waits, and commit the batch before it."""
        batch = self._waiting
        embedded = self.beside.embed([text for cut in batch for text in cut.texts])
        self._waiting, self._passages_waiting = [], 0
        self._commit()
        self._embedding = (batch, embedded)

    def _commit(self) -> None:
        """Wait for the batch that is embedded, if one is, and commit it."""
        if self._embedding is None:
            return
        (batch, embedded), self._embedding = self._embedding, None
        vectors = embedded.result()
        rows, start = [], 0
        for cut in batch:
            end = start + len(cut.passages)
            rows.append((cut.article, cut.header, cut.passages, vectors[start:end]))
            start = end
        self.store.add(rows, identity=identity_of(self.embedder, self.chunking), at=self.at)
        self.passages += start
        self._unpublished += start
        self.progress("passages", start)
        if self._unpublished >= _PUBLISH_PASSAGES:
            self.publish()
            self._unpublished = 0

    def _why_skipped(self, article: Article, held: Article) -> str | None:
        revision = self.store.revision_saying(article.id, article.fingerprint)
        if revision:
            return "unchanged" if revision == held.revision else f"held already as revision {revision}"
        given = article.updated or article.published
        if held.updated and given and last_moment(given) < first_moment(held.updated):
            return f"older than revision {held.revision}, which was updated on {held.updated}"
        return None

    def _held(self, article_id: str) -> Article | None:
        """Return the latest revision of an article, committed or about to be, without its text."""
        held = self._latest.get(article_id)
        return self.store.latest_outline(article_id) if held is None and self.held_before else held

    def _repeats(self, article: Article) -> str | None:
        """Return the id of another article whose latest revision says the same, committed or about to be."""
        text = article.text_sha256
        before = self.store.same_text(text) if self.held_before else []
        committed = [(name, source) for name, source in before if name not in self._latest]
        taken = [(said.id, said.source) for said in self._saying.get(text, ()) if said is self._latest[said.id]]
        same = (*committed, *taken)
        return next((name for name, source in same if article.source is None or source in (None, article.source)), None)


def identity_of(embedder: Embedder, chunking: Chunking) -> Identity:
    """Return what an index records of the embedder and the chunker that make it."""
    return Identity(
        model_id=embedder.model_id,
        fingerprint=embedder.fingerprint,
        dimension=embedder.dimension,
        chunking=str(chunking),
    )


def _grouped(reports: Sequence[FileReport]) -> Iterator[FileReport]:
    """Merge the reports of one file that differ in nothing but the article."""
    groups: dict[FileReport, list[str]] = {}
    for report in reports:
        groups.setdefault(replace(report, articles=()), []).extend(report.articles)
    for report, articles in groups.items():
        yield replace(report, articles=tuple(articles))
