"""What the reader is given: passages, as one where they follow upon each other, under what tells what they are about.

That is the title and the day of their article, and the sentences that tell what their words stand for.
"""

import re
from calendar import month_name
from collections.abc import Sequence

import numpy as np

from index.article import Article
from index.dates import utc_day
from index.sentences import Span
from rag.candidates import Candidate, whole_quotations
from rag.lexicon import PRONOUN_OPENING
from rag.reader import READINGS, Extract, Reader, Readings
from rag.terms import is_held, read_terms

__all__ = ["extracts", "head_of", "introduced", "readings"]


def readings(question: str, names: Sequence[str], found: Sequence[Candidate], reader: Reader) -> Readings:
    """Return shape ``(len(found), len(READINGS))``: what the reader says of each candidate, in its extract."""
    read_together = extracts(names, found)
    table = np.zeros((len(found), len(READINGS)), dtype=np.float32)
    read = reader.read(question, [extract for _, extract in read_together])
    for (rows, _), own in zip(read_together, read, strict=True):
        table[rows] = own
    return table


def extracts(names: Sequence[str], found: Sequence[Candidate]) -> list[tuple[list[int], Extract]]:
    """Return what is read of the passages, the best one first, and the places of its candidates among those found.

    A passage is read behind the sentences before it, which tell who "he" is, under its title, its day, and the first
    sentences of its article that hold the `names` of the question, which tell what "the fund" is. Passages that follow
    upon each other are read as one, where the reader reads so much at once.
    """
    by_passage: dict[str, list[int]] = {}
    for row, candidate in enumerate(found):
        by_passage.setdefault(candidate.hit.passage.id, []).append(row)
    stretches: list[list[int]] = []
    for rows in sorted(by_passage.values(), key=lambda rows: _place(found[rows[0]])):
        if stretches and _go_on([found[row] for row in stretches[-1]], [found[row] for row in rows]):
            stretches[-1] += rows
        else:
            stretches.append(rows)
    return [(rows, _extract([found[row] for row in rows], names)) for rows in sorted(stretches, key=min)]


def _place(candidate: Candidate) -> tuple[str, int, int]:
    return candidate.article.id, candidate.article.revision, candidate.hit.passage.start


def _go_on(stretch: Sequence[Candidate], others: Sequence[Candidate]) -> bool:
    """Tell whether the passage of others follows upon a stretch of its article, and may be read with it."""
    last, passage, text = stretch[-1], others[0].hit.passage, others[0].article.text
    if _place(last)[:2] != _place(others[0])[:2]:
        return False
    if text[max(last.span.end, last.hit.passage.end) : passage.start].strip():
        return False
    return len(_PIECE.findall(_stretch_of([*stretch, *others]).of(text).encode())) <= _MOST_PIECES


_PIECE = re.compile(rb"[A-Za-z]{1,6}|[^A-Za-z\s]")
_MOST_PIECES = 200
"""How much is read as one. Texts have about as many tokens as such pieces, or fewer, be they prose, figures or Korean:
so it leaves about a fourth of the reader's 320 tokens to the question and to what stands above it. By hand; of English
it is about 800 characters."""


def _stretch_of(found: Sequence[Candidate]) -> Span:
    """Return what is read of an article: the passages of the candidates, and the sentences just before them.

    Those are more where what is read would begin with "he" or "that meeting".
    """
    text = found[0].article.text
    start = first = min(found[0].hit.passage.start, *(candidate.span.start for candidate in found))
    earlier = [span.start for span in whole_quotations(text) if span.start < first]
    while earlier and first - earlier[-1] <= (_MOST_CONTEXT if PRONOUN_OPENING.match(text, start) else _CONTEXT):
        start = earlier.pop()
    return Span(start, max(found[-1].hit.passage.end, *(candidate.span.end for candidate in found)))


def _extract(found: Sequence[Candidate], names: Sequence[str]) -> Extract:
    text, place = found[0].article.text, _stretch_of(found)
    told = whole_quotations(text)
    spans = tuple(Span(candidate.span.start - place.start, candidate.span.end - place.start) for candidate in found)
    read = [span.of(text) for span in told if place.start <= span.start and span.end <= place.end]
    head = introduced(head_of(found[0].article), names, read, [span.of(text) for span in told])
    return Extract(head, place.of(text), spans)


_CONTEXT, _MOST_CONTEXT = 160, 400  # characters before a passage: about a sentence, or two or three; chosen, not fitted


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
