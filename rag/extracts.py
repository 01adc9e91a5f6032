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
    sentences of its article that hold the `names` of the question, which tell what "the fund" is. Passages that follow
    upon each other are read as one, where the reader reads so much at once.
    """
    by_passage: dict[str, list[int]] = {}
    for row, candidate in enumerate(found):
        by_passage.setdefault(candidate.hit.passage.id, []).append(row)
    stretches: list[list[int]] = []
    for rows in sorted(by_passage.values(), key=lambda rows: _place(found[rows[0]])):
        if stretches and _goes_on([found[row] for row in stretches[-1]], found[rows[0]]):
            stretches[-1] += rows
        else:
            stretches.append(rows)
    return [(rows, _extract([found[row] for row in rows], names)) for rows in stretches]


def _place(candidate: Candidate) -> tuple[str, int, int]:
    return candidate.article.id, candidate.article.revision, candidate.hit.passage.start


def _goes_on(stretch: Sequence[Candidate], candidate: Candidate) -> bool:
    """Tell whether the passage of a candidate follows upon a stretch of its article, and may be read with it."""
    first, last, passage, text = stretch[0], stretch[-1], candidate.hit.passage, candidate.article.text
    same = _place(candidate)[:2] == _place(first)[:2]
    between = text[max(last.span.end, last.hit.passage.end) : passage.start]
    return same and not between.strip() and len(text[first.hit.passage.start : passage.end].encode()) <= _STRETCH


_STRETCH = 750  # bytes of passages that are read as one: with what stands above them they are never cut; by hand


def _extract(found: Sequence[Candidate], names: Sequence[str]) -> Extract:
    text = found[0].article.text
    told = whole_quotations(text)
    first = min(found[0].hit.passage.start, *(candidate.span.start for candidate in found))
    start = min(first, *(span.start for span in told if first - span.start <= _CONTEXT))
    end = max(found[-1].hit.passage.end, *(candidate.span.end for candidate in found))
    spans = tuple(Span(candidate.span.start - start, candidate.span.end - start) for candidate in found)
    read = [span.of(text) for span in told if start <= span.start and span.end <= end]
    head = introduced(head_of(found[0].article), names, read, [span.of(text) for span in told])
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
