"""Search by words: BM25 over headers and texts, with Tantivy. The only file that imports it."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index.embed import Vectors
from index.errors import IndexDamagedError
from index.vectors import Mask, Rows

if TYPE_CHECKING:
    import tantivy

__all__ = ["WordIndex"]

_ANALYZER = "english"
_LONGEST_WORD = 60
_HEAP_BYTES = 256_000_000  # room for one segment, so that ties break by row


class WordIndex:
    """Find the rows whose header or text holds the words of a query, scored by BM25 (k1 = 1.2, b = 0.75)."""

    def __init__(self, index: "tantivy.Index") -> None:
        index.register_tokenizer(_ANALYZER, _analyzer())
        index.reload()
        self._searcher = index.searcher()
        self._schema = index.schema

    @classmethod
    def build(cls, passages: Iterable[tuple[str, str]], folder: Path | None = None) -> "WordIndex":
        """Index (header, text) pairs, one a row, in `folder` or in memory."""
        import tantivy

        if folder is not None:
            folder.mkdir(parents=True)
        index = tantivy.Index(_schema(), path=str(folder) if folder else None)
        index.register_tokenizer(_ANALYZER, _analyzer())
        writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)
        for row, (header, text) in enumerate(passages):
            writer.add_document(tantivy.Document(row=row, text=text, words=f"{header}\n{text}"))
        writer.commit()
        writer.wait_merging_threads()
        return cls(index)

    @classmethod
    def load(cls, folder: Path, *, rows: int) -> "WordIndex":
        """Open a saved index and check that it has the rows that its manifest names."""
        import tantivy

        try:
            words = cls(tantivy.Index.open(str(folder)))
        except ValueError as error:
            raise IndexDamagedError(
                f"{folder}: Tantivy cannot read it ({error}); the next write builds it anew"
            ) from error
        if words._searcher.num_docs != rows:
            raise IndexDamagedError(f"{folder}: {words._searcher.num_docs} rows, the manifest says {rows}")
        return words

    def search(self, text: str, *, limit: int, allowed: Mask) -> tuple[Rows, Vectors]:
        """Return the rows of the best hits and their BM25 scores, best first, equal ones by row.

        Only rows where `allowed` is True are returned; the search widens until `limit` of them are found or all that
        match have been seen.
        """
        query = self._query(_analyzer().analyze(text))
        fetch = limit
        while True:
            found = self._searcher.search(query, limit=fetch, count=False).hits
            addresses = [address for _, address in found]
            rows = np.array(self._searcher.fast_field_values("row", addresses), dtype=np.int64)
            keep = allowed[rows] if len(rows) else np.empty(0, dtype=np.bool_)
            if keep.sum() >= limit or len(found) < fetch:
                scores = np.array([score for score, _ in found], dtype=np.float32)[keep]
                rows = rows[keep]
                order = np.lexsort((rows, -scores))[:limit]
                return rows[order], scores[order]
            fetch *= 4

    def document_frequency(self, words: Sequence[str]) -> list[int]:
        """Return in how many rows each word occurs, in any of its inflections; a word of several takes its rarest."""
        counts = []
        for word in words:
            stems = _analyzer().analyze(word)
            counts.append(min((self._searcher.doc_freq("text", stem) for stem in stems), default=0))
        return counts

    def _query(self, stems: Sequence[str]) -> "tantivy.Query":
        from tantivy import Occur, Query

        clauses = [
            (Occur.Should, Query.term_query(self._schema, "words", stem, index_option="freq"))
            for stem in dict.fromkeys(stems)
        ]
        return Query.boolean_query(clauses) if clauses else Query.empty_query()


def _schema() -> "tantivy.Schema":
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("row", stored=True, fast=True)
    # Header and text are one field, which finds more than two with weights of their own (`eval/fit/fusion.py`); how
    # rare a word is, is counted in the texts alone.
    builder.add_text_field("words", tokenizer_name=_ANALYZER, index_option="freq")
    builder.add_text_field("text", tokenizer_name=_ANALYZER, index_option="basic")
    return builder.build()


@cache
def _analyzer() -> "tantivy.TextAnalyzer":
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    return (
        TextAnalyzerBuilder(Tokenizer.simple())
        .filter(Filter.remove_long(_LONGEST_WORD))
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
        .filter(Filter.stopword("english"))
        .filter(Filter.stemmer("english"))
        .build()
    )
