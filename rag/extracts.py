"""What a passage is read under: the title and the day, and the sentences that tell what its words stand for."""

from calendar import month_name
from collections.abc import Sequence

import numpy as np

from index.article import Article
from index.dates import utc_day
from index.sentences import Span
from rag.candidates import Candidate, whole_quotations
from rag.reader import READINGS, Extract, Reader, Readings
from rag.terms import is_held, read_terms

__all__ = ["extracts", "head_of", "introduced", "readings"]


def readings(question: str, names: Sequence[str], found: Sequence[Candidate], reader: Reader) -> Readings:
    """Return shape ``(len(found), len(READINGS))``: what the reader says of each candidate, in its passage."""
    passages = extracts(names, found)
    table = np.zeros((len(found), len(READINGS)), dtype=np.float32)
    read = reader.read(question, [extract for _, extract in passages])
    for (rows, _), own in zip(passages, read, strict=True):
        table[rows] = own
    return table


def extracts(names: Sequence[str], found: Sequence[Candidate]) -> list[tuple[list[int], Extract]]:
    """Return what is read of each passage, and the places of its candidates among those found.

    A passage is read behind the sentences before it, which tell who "he" is, under its title, its day, and the first
    sentences of its article that hold the `names` of the question, which tell what "the fund" is.
    """
    by_passage: dict[str, list[int]] = {}
    for row, candidate in enumerate(found):
        by_passage.setdefault(candidate.hit.passage.id, []).append(row)
    return [(rows, _extract([found[row] for row in rows], names)) for rows in by_passage.values()]


def _extract(found: Sequence[Candidate], names: Sequence[str]) -> Extract:
    hit, text = found[0].hit, found[0].article.text
    told = whole_quotations(text)
    first = min(hit.passage.start, *(candidate.span.start for candidate in found))
    start = min(first, *(span.start for span in told if first - span.start <= _CONTEXT))
    end = max(hit.passage.end, *(candidate.span.end for candidate in found))
    spans = tuple(Span(candidate.span.start - start, candidate.span.end - start) for candidate in found)
    read = [span.of(text) for span in told if start <= span.start and span.end <= end]
    head = introduced(head_of(hit.article), names, read, [span.of(text) for span in told])
    return Extract(head, text[start:end], spans)


_CONTEXT = 160  # characters before a passage: about a sentence; chosen, not fitted


def introduced(head: str, names: Sequence[str], read: Sequence[str], sentences: Sequence[str]) -> str:
    """Return the head, and under it the first sentence of each name that neither it nor those that are read hold."""
    held = frozenset().union(*(read_terms(text).keys for text in (head, *read)))
    for name in names:
        if not is_held(name, held):
            first = next((sentence for sentence in sentences if is_held(name, read_terms(sentence).keys)), None)
            if first is not None:
                head += f"{first}\n"
                held |= read_terms(first).keys
    return head


def head_of(article: Article) -> str:
    """Return the line under which an article is read: its title and day."""
    day = utc_day(article.published) if article.published else None
    written = f" ({day.day} {month_name[day.month]} {day.year})" if day else ""
    return f"{article.title or ''}{written}\n".lstrip()
