"""A temporary index of a public set's documents, and the rankings that are compared over it."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eval.benchmarks.data_files import WHICH_FILE
from eval.benchmarks.options import Options
from index.embed import BUNDLED_MODEL, Embedder, Vectors
from index.errors import InputError
from index.fast_embed import embedder_for
from index.news_index import Hit, NewsIndex
from index.scope import Filters
from rag.history import Turn
from rag.question import read_question
from rag.retrieve import Evidence, retrieve

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

_PASSAGES_A_DOCUMENT = 2  # fetched at first, and twice as many each time that they are of too few documents
_MOST_PASSAGES = 1000  # that a search returns


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Hold a document of a set as an article: its id in the set, its words and what is known of it."""

    id: str
    text: str
    title: str | None = None
    source: str | None = None
    published: str | None = None


class Remembering:
    """Embed each text once and keep its vector: queries are ranked several times, passages cut alike several ways."""

    def __init__(self, embed: Callable[[Sequence[str]], Vectors]) -> None:
        self._embed = embed
        self._vectors: dict[str, Vectors] = {}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return shape ``(len(texts), dimension)``, float32, rows of length 1."""
        if not texts:
            return self._embed([])
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        self._vectors.update(zip(new, self._embed(new), strict=True))
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
    return options.embedder or embedder_for(BUNDLED_MODEL, precision="int8")


def _remembering(embedder: Embedder) -> Embedder:
    """Return a copy that embeds each query once; of the same class, because by that the bot chooses its reader."""
    kept = copy(embedder)
    kept.embed_queries = Remembering(embedder.embed_queries)  # type: ignore[method-assign] # of the copy alone
    return kept


@contextmanager
def indexed(documents: Sequence[Document], options: Options) -> Iterator[Corpus]:
    """Index documents in a temporary folder for as long as the context lasts.

    Raises `InputError` where none of them has words: then there is nothing to search.
    """
    ids: dict[tuple[str, str | None], list[str]] = {}
    for document in documents:
        ids.setdefault((document.text.strip(), document.source), []).append(document.id)
    firsts = {same[0] for same in ids.values()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "documents.jsonl"
        path.write_text("".join(_line(d) for d in documents if d.id in firsts), encoding="utf-8")
        embedder = _remembering(chosen_embedder(options))
        with NewsIndex.open(Path(folder) / "index", create=True, embedder=embedder, chunking=options.chunking) as index:
            index.ingest(path)
            held = {article.id for article in index.articles()}
            if not held:
                raise InputError(f"{options.folder}: no document holds words to search; {WHICH_FILE}")
            # the index holds an id without the spaces around it
            known = {name: tuple(same) for same in ids.values() if (name := same[0].strip()) in held}
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
    """Return the best `k` passages: of our own retrieval when `dense_weight` is None, else of one search alone.

    Near-copies that our own retrieval puts aside are ranked directly behind what they copy.
    """
    if dense_weight is None:
        question = read_question(query, history=history, filters=Filters(), known_sources=corpus.index.sources())
        found = _with_copies(retrieve(corpus.index, question, k=k))[:k]
    else:
        hits = corpus.index.find(query, k=k, filters=Filters(), dense_weight=dense_weight)
        found = [hit for hit in hits if dense_weight or hit.scores["lexical"] > 0]  # words find only what holds one
    return [replace(hit, rank=rank) for rank, hit in enumerate(found, start=1)]


def _with_copies(evidence: Evidence) -> list[Hit]:
    copies: dict[int, list[Hit]] = {}
    for hit in evidence.copies:
        copies.setdefault(hit.rank, []).append(hit)
    return [one for hit in evidence.hits for one in (hit, *copies.get(hit.rank, ()))]


def ranked_documents(
    corpus: Corpus, query: str, k: int, *, dense_weight: float | None, history: Sequence[Turn] = ()
) -> list[str]:
    """Return the set's ids of the best `k` articles by their best passage; those of the same words stand together.

    They are fewer than `k` where no more are found, or among the best 1,000 passages.
    """
    wanted = min(_MOST_PASSAGES, k * _PASSAGES_A_DOCUMENT)
    while True:
        hits = ranked_hits(corpus, query, wanted, dense_weight=dense_weight, history=history)
        articles = list(dict.fromkeys(hit.article.id for hit in hits))[:k]
        if len(articles) == k or len(hits) < wanted or wanted == _MOST_PASSAGES:
            return [name for article in articles for name in corpus.ids[article]]
        wanted = min(_MOST_PASSAGES, 2 * wanted)
