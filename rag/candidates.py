"""Candidate sentences: those of the retrieved passages, each with what stands around it.

A candidate is widened to the whole quotation when it opens or closes inside one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from index.article import Article
from index.duplicates import numerals, shingles
from index.news_index import Hit
from index.sentences import Span, split_sentences
from rag.lexicon import fold
from rag.terms import Terms, read_terms, read_word, stem

__all__ = ["MAX_WORDS", "Candidate", "article_terms", "candidates", "forget_texts", "whereabouts", "whole_quotations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Hold a sentence that may answer, and those around it. `span` is in the article's text."""

    hit: Hit
    span: Span
    text: str
    before: str
    after: str
    place: int

    @property
    def article(self) -> Article:
        """Return the article that the sentence stands in."""
        return self.hit.article


def candidates(hits: Sequence[Hit]) -> list[Candidate]:
    """Return the sentences of the hits' passages, best hit first, each once."""
    seen: set[tuple[str, int, int]] = set()
    found = []
    for hit in hits:
        spans = whole_quotations(hit.article.text)
        for place, span in enumerate(spans):
            key = (hit.article.id, hit.article.revision, span.start)
            if span.end <= hit.passage.start or span.start >= hit.passage.end or key in seen:
                continue
            seen.add(key)
            found.append(_candidate(hit, spans, place))
    return found


def whereabouts(found: Sequence[Candidate]) -> npt.NDArray[np.int64]:
    """Return shape ``(len(found), 2)``: a number for each one's article, and its place in it."""
    numbers: dict[str, int] = {}
    rows = [(numbers.setdefault(one.article.id, len(numbers)), one.place) for one in found]
    return np.array(rows, dtype=np.int64).reshape(len(found), 2)


def _candidate(hit: Hit, spans: Sequence[Span], place: int) -> Candidate:
    text, span = hit.article.text, spans[place]
    before = spans[place - 1].of(text) if place else ""
    after = spans[place + 1].of(text) if place + 1 < len(spans) else ""
    return Candidate(hit=hit, span=span, text=span.of(text), before=before, after=after, place=place)


@lru_cache(maxsize=1024)
def whole_quotations(text: str) -> tuple[Span, ...]:
    """Return the sentences of a text; those that share one quotation are one span.

    Quotation marks that open and do not close, or an odd number of straight ones, show that a quotation runs on. One
    that runs on for more than four sentences or `MAX_WORDS`, or over a paragraph's end, is left cut: its mark was
    probably forgotten.
    """
    spans: list[Span] = []
    for span in split_sentences(text):
        joined = Span(spans[-1].start, span.end) if spans else span
        if spans and _is_open(spans[-1].of(text)) and _is_short(joined.of(text)):
            gap = text[spans[-1].end : span.start]
            if "\n\n" not in gap:
                spans[-1] = joined
                continue
        spans.append(span)
    return tuple(spans)


@lru_cache(maxsize=256)
def article_terms(text: str) -> Terms:
    """Return what an article's text is about, joined from its sentences: many of them are read for themselves too."""
    return Terms.joined([read_terms(span.of(text)) for span in whole_quotations(text)])


def _is_short(quotation: str) -> bool:
    return len(split_sentences(quotation)) <= _LONGEST_QUOTATION and len(quotation.split()) <= MAX_WORDS


_LONGEST_QUOTATION = 4  # sentences; by hand
MAX_WORDS = 120
"""How long an answer may be that is no list and no table; by hand."""


def forget_texts() -> None:
    """Empty the caches that hold words of articles, so that those of a deleted article do not live on in them."""
    for cached in (whole_quotations, article_terms, read_terms, read_word, fold, stem, shingles, numerals):
        cached.cache_clear()


def _is_open(text: str) -> bool:
    if text.count("“") > text.count("”") or text.count("«") > text.count("»"):
        return True
    return text.count('"') % 2 == 1
