"""Search by words: BM25 over headers and texts, with Tantivy. The only file that imports it."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index.embed import Vectors
from index.errors import IndexDamagedError
from index.vectors import SPARE_HITS, Mask, Rows

if TYPE_CHECKING:
    import tantivy

__all__ = ["WordIndex"]

_ANALYZER = "english"
_LONGEST_WORD = 60  # in bytes; so many are left out already, as an address or a row of data; by hand
_HEAP_BYTES = 256_000_000  # room for one segment, which is searched faster than several
_SMALL_HEAP_BYTES = 16_000_000  # for what is added to many; Tantivy takes no less than 15 million


class WordIndex:
    """Find the rows whose header or text holds the words of a query, scored by BM25 (k1 = 1.2, b = 0.75).

    A passage's score is the same in however many segments Tantivy keeps the passages.
    """

    def __init__(self, index: "tantivy.Index", row_of_slot: Rows | None = None) -> None:
        index.register_tokenizer(_ANALYZER, _analyzer())
        index.config_reader("manual")  # else a thread watches the folder, and reads its files once more
        index.reload()
        self._searcher = index.searcher()
        self._schema = index.schema
        slots = np.arange(self._searcher.num_docs, dtype=np.int64)
        self._row_of_slot = slots if row_of_slot is None else row_of_slot

    @classmethod
    def build(
        cls, passages: Iterable[tuple[str, str]], folder: Path | None = None, *, row_of_slot: Rows | None = None
    ) -> "WordIndex":
        """Index (header, text) pairs, in the order of slots, in `folder` or in memory."""
        import tantivy

        if folder is not None:
            folder.mkdir(parents=True)
        index = tantivy.Index(_schema(), path=str(folder) if folder else None)
        _write(index, passages, first=0, heap_bytes=_HEAP_BYTES)
        return cls(index, row_of_slot)

    @staticmethod
    def extend(folder: Path, passages: Iterable[tuple[str, str]], *, first: int) -> None:
        """Add pairs to a saved index, where `first` is the slot of the first of them.

        Files are added and taken away, none is changed: links to them elsewhere keep what they were.
        """
        import tantivy

        try:
            index = tantivy.Index.open(str(folder))
            _write(index, passages, first=first, heap_bytes=_SMALL_HEAP_BYTES)
        except ValueError as error:
            raise IndexDamagedError(
                f"{folder}: Tantivy cannot add to it ({error}); `groundwire compact` builds it anew"
            ) from error

    @classmethod
    def load(cls, folder: Path, *, rows: int, row_of_slot: Rows | None = None) -> "WordIndex":
        """Open a saved index and check that it has the rows that its manifest names."""
        import tantivy

        try:
            words = cls(tantivy.Index.open(str(folder)), row_of_slot)
        except ValueError as error:
            raise IndexDamagedError(
                f"{folder}: Tantivy cannot read it ({error}); the next write builds it anew"
            ) from error
        if words._searcher.num_docs != rows:
            raise IndexDamagedError(f"{folder}: {words._searcher.num_docs} rows, the manifest says {rows}")
        return words

    def search(self, text: str, *, limit: int, allowed: Mask) -> tuple[Rows, Vectors]:
        """Return the rows of the best hits and their BM25 scores, best first, equal ones by row.

        Only rows where `allowed` is True are returned; the search widens until `limit` of them are found, and every one
        that scores as much as the last, or all that match have been seen.
        """
        query = self._query(_analyzer().analyze(text))
        fetch = limit + SPARE_HITS
        while True:
            found = self._searcher.search(query, limit=fetch, count=False).hits
            slots = np.array(self._searcher.fast_field_values("slot", [place for _, place in found]), dtype=np.int64)
            scores = np.array([score for score, _ in found], dtype=np.float32)
            rows = self._row_of_slot[slots]
            keep = allowed[rows]
            order = np.lexsort((rows[keep], -scores[keep]))[:limit]
            best, best_scores = rows[keep][order], scores[keep][order]
            if len(found) < fetch or (len(best) == limit and scores[-1] < best_scores[-1]):
                return best, best_scores
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


def _write(index: "tantivy.Index", passages: Iterable[tuple[str, str]], *, first: int, heap_bytes: int) -> None:
    import tantivy

    index.register_tokenizer(_ANALYZER, _analyzer())
    writer = index.writer(heap_size=heap_bytes, num_threads=1)
    for slot, (header, text) in enumerate(passages, start=first):
        writer.add_document(tantivy.Document(slot=slot, text=text, words=f"{header}\n{text}"))
    writer.commit()
    writer.wait_merging_threads()


def _schema() -> "tantivy.Schema":
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("slot", stored=False, fast=True)
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
