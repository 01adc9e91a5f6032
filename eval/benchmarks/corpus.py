"""A temporary index of a public set's documents, and the rankings that are compared over it."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eval.benchmarks.options import Options
from index.embed import Embedder, Vectors
from index.news_index import Hit, NewsIndex
from index.scope import Filters
from rag.history import Turn
from rag.question import read_question
from rag.retrieve import retrieve

__all__ = [
    "RANKINGS",
    "Corpus",
    "Document",
    "Remembering",
    "chosen_embedder",
    "indexed",
    "ranked_documents",
    "ranked_hits",
]

RANKINGS: Mapping[str, float | None] = {"ours": None, "dense only": 1.0, "words only": 0.0}
"""The rankings compared in one run: what the bot retrieves, meaning alone, words alone."""

_PASSAGES_A_DOCUMENT = 2  # fetched, so that documents cut into several passages leave room for others


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Hold a document of a set as an article: its id in the set, its words and what is known of it."""

    id: str
    text: str
    title: str | None = None
    source: str | None = None
    published: str | None = None


class Remembering:
    """Embed with another embedder and keep the vectors of queries: each of them is ranked several times."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._vectors: dict[str, Vectors] = {}
        self.count_tokens = embedder.count_tokens
        self.embed_passages = embedder.embed_passages

    @property
    def model_id(self) -> str:
        """Return the other embedder's."""
        return self._embedder.model_id

    @property
    def fingerprint(self) -> str:
        """Return the other embedder's."""
        return self._embedder.fingerprint

    @property
    def dimension(self) -> int:
        """Return the other embedder's."""
        return self._embedder.dimension

    @property
    def max_tokens(self) -> int:
        """Return the other embedder's."""
        return self._embedder.max_tokens

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return shape ``(len(texts), dimension)``; each text is embedded once."""
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        self._vectors.update(zip(new, self._embedder.embed_queries(new), strict=True))
        if not texts:
            return self._embedder.embed_queries([])
        return np.stack([self._vectors[text] for text in texts])


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Hold the index of a set's documents.

    `ids` leads from the id of an article to every id of the set that it stands for: documents with the same words are
    one article. `left_out` counts the documents that could not be read, such as empty ones.
    """

    index: NewsIndex
    ids: Mapping[str, tuple[str, ...]]
    left_out: int

    def read_ahead(self, queries: Sequence[str]) -> None:
        """Embed queries that are going to be ranked, together, which is faster than one by one."""
        self.index.embedder.embed_queries([query.strip() for query in queries])

    def settings(self) -> dict[str, str | int | float | None]:
        """Return what stands beside every figure: how many documents and passages, how they are cut, by which model."""
        stats = self.index.stats()
        return {
            "documents": sum(len(ids) for ids in self.ids.values()), "articles": stats["articles"],
            "passages": stats["passages"], "chunking": stats["chunking"], "overlap": 0, "model": stats["model"],
            "documents left out": self.left_out,
        }  # fmt: skip


def chosen_embedder(options: Options) -> Embedder:
    """Return the embedder of the options, else the one that a new index takes."""
    if options.embedder:
        return options.embedder
    with tempfile.TemporaryDirectory() as folder, NewsIndex.open(folder, create=True) as index:
        return index.embedder


@contextmanager
def indexed(documents: Sequence[Document], options: Options) -> Iterator[Corpus]:
    """Index documents in a temporary folder for as long as the context lasts."""
    ids: dict[tuple[str, str | None], list[str]] = {}
    for document in documents:
        ids.setdefault((document.text.strip(), document.source), []).append(document.id)
    firsts = {same[0] for same in ids.values()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "documents.jsonl"
        path.write_text("".join(_line(d) for d in documents if d.id in firsts), encoding="utf-8")
        embedder = Remembering(chosen_embedder(options))
        with NewsIndex.open(Path(folder) / "index", create=True, embedder=embedder, chunking=options.chunking) as index:
            index.ingest(path)
            held = {article.id for article in index.articles()}
            known = {same[0]: tuple(same) for same in ids.values() if same[0] in held}
            yield Corpus(index=index, ids=known, left_out=len(documents) - sum(len(same) for same in known.values()))


def _line(document: Document) -> str:
    fields = {
        "id": document.id, "text": document.text, "title": document.title, "source": document.source,
        "published": document.published,
    }  # fmt: skip
    return json.dumps({name: value for name, value in fields.items() if value}) + "\n"


def ranked_hits(
    corpus: Corpus, query: str, k: int, *, dense_weight: float | None, history: Sequence[Turn] = ()
) -> list[Hit]:
    """Return the best `k` passages: of our own retrieval when `dense_weight` is None, else of one search alone."""
    if dense_weight is None:
        question = read_question(query, history=history, filters=Filters(), known_sources=corpus.index.sources())
        return list(retrieve(corpus.index, question, k=k).hits[:k])
    hits = corpus.index.find(query, k=k, filters=Filters(), dense_weight=dense_weight)
    found = [hit for hit in hits if dense_weight or hit.scores["lexical"] > 0]  # words find only what holds one
    return [replace(hit, rank=rank) for rank, hit in enumerate(found, start=1)]


def ranked_documents(
    corpus: Corpus, query: str, k: int, *, dense_weight: float | None, history: Sequence[Turn] = ()
) -> list[str]:
    """Return the set's ids of the best `k` articles by their best passage; those of the same words stand together."""
    wanted = min(1000, k * _PASSAGES_A_DOCUMENT)
    hits = ranked_hits(corpus, query, wanted, dense_weight=dense_weight, history=history)
    articles = list(dict.fromkeys(hit.article.id for hit in hits))[:k]
    return [name for article in articles for name in corpus.ids[article]]
