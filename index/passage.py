"""Passages: stretches of whole sentences that are embedded and searched as one.

Law: ``article.text[p.start:p.end] == p.text``.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from index.article import Article
from index.dates import utc_day
from index.sentences import Span, split_sentences
from index.tokens import count_tokens

__all__ = ["Chunking", "Passage", "Ruler", "header_of", "split"]


@dataclass(frozen=True, slots=True)
class Chunking:
    """Say how articles are cut into passages; part of what an index is made with.

    `max_tokens` limits the text of a passage in cl100k tokens; the header comes on top of it. The size, no overlap and
    the header were chosen from the tables of `eval/fit/passages.py`: with 160 tokens a little more is found, with 128
    the answers are better. `version` changes when the same budget cuts otherwise.
    """

    max_tokens: int = 128
    version: int = 2

    def __str__(self) -> str:
        """Return the form that messages and manifests carry."""
        return f"sentences-{self.version}/{self.max_tokens}"

    @classmethod
    def parse(cls, text: str) -> "Chunking":
        """Return the settings that a manifest's form names; raise `ValueError` for those of another chunker."""
        chunking = cls(max_tokens=int(text.rpartition("/")[2]))
        if str(chunking) != text:
            raise ValueError(f"{text!r} is of another chunker than {str(chunking)!r}")
        return chunking


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Hold a passage: its place in one revision of an article and the words there."""

    article_id: str
    revision: int
    start: int
    end: int
    text: str

    @property
    def id(self) -> str:
        """Return ``<article_id>@<revision>:<start>-<end>``."""
        return f"{self.article_id}@{self.revision}:{self.start}-{self.end}"


class Ruler(Protocol):
    """Measure texts as an embedder does."""

    @property
    def max_tokens(self) -> int:
        """Return how many of its own tokens the embedder reads before it cuts."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many of its own tokens each text has, special ones included."""


_HEADER_SHARE = 4  # the header may take at most a fourth of what the embedder reads; by hand


def header_of(article: Article, ruler: Ruler) -> str:
    """Return the line that is matched with every passage of an article and is never part of a quotation.

    Title, source and day; cut at a word when it would take more than a fourth of what the embedder reads.
    """
    parts = [article.title, article.source, article.published and utc_day(article.published).isoformat()]
    header = " | ".join(" ".join(part.split()) for part in parts if part)[:2000]
    while header and ruler.count_tokens([header])[0] > ruler.max_tokens // _HEADER_SHARE:
        header = header[: len(header) * 3 // 4].rsplit(" ", 1)[0] if " " in header[:-1] else header[: len(header) // 2]
    return header


def split(article: Article, ruler: Ruler, chunking: Chunking) -> list[Passage]:
    """Split an article into passages of whole sentences, in order, within the token budget.

    A sentence is cut only when it alone exceeds the budget: at the end of a clause, else between words, else anywhere.
    Header and passage together fit what the embedder reads.
    """
    header = header_of(article, ruler)
    room = ruler.max_tokens - (ruler.count_tokens([header + "\n"])[0] if header else 0)
    text = article.text

    count_ours, count_theirs = _remembering(count_tokens), _remembering(ruler.count_tokens)

    def fits(texts: Sequence[str]) -> list[bool]:
        ours, theirs = count_ours(texts), count_theirs(texts)
        return [a <= chunking.max_tokens and b <= room for a, b in zip(ours, theirs, strict=True)]

    pieces = list(_short_pieces(text, split_sentences(text), fits))
    sizes = list(zip(*_sizes(text, pieces, count_ours, count_theirs), strict=True))
    groups = _filled(pieces, sizes, (chunking.max_tokens, room - count_theirs([""])[0]))
    return [
        Passage(article_id=article.id, revision=article.revision, start=s.start, end=s.end, text=s.of(text))
        for s in _fitting(text, groups, fits)
    ]


Count = Callable[[Sequence[str]], list[int]]


def _remembering(count: Count) -> Count:
    """Return a count that counts no text twice: a sentence is measured alone, among others, and often as a passage."""
    known: dict[str, int] = {}

    def counted(texts: Sequence[str]) -> list[int]:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, count(new) if new else [], strict=True))
        return [known[text] for text in texts]

    return counted


def _sizes(text: str, pieces: Sequence[Span], count_ours: Count, count_theirs: Count) -> tuple[list[int], list[int]]:
    """Return what each piece adds to a passage: our tokens, with the line breaks behind it, and the embedder's."""
    nexts = [*(piece.start for piece in pieces[1:]), len(text)][: len(pieces)]
    ours = count_ours([text[piece.start : end].rstrip(" \t") for piece, end in zip(pieces, nexts, strict=True)])
    special = count_theirs([""])[0]
    return ours, [count - special for count in count_theirs([piece.of(text) for piece in pieces])]


def _filled(
    pieces: Sequence[Span], sizes: Sequence[tuple[int, int]], budgets: tuple[int, int]
) -> Iterator[Sequence[Span]]:
    """Yield runs of pieces, each as long as both budgets allow, by the pieces' sizes."""
    first, ours, theirs = 0, 0, 0
    for place, (our, their) in enumerate(sizes):
        if place > first and (ours + our > budgets[0] or theirs + their > budgets[1]):
            yield pieces[first:place]
            first, ours, theirs = place, 0, 0
        ours, theirs = ours + our, theirs + their
    if pieces:
        yield pieces[first:]


def _fitting(
    text: str, groups: Iterable[Sequence[Span]], fits: Callable[[Sequence[str]], list[bool]]
) -> Iterator[Span]:
    """Yield each group as one span, halved where it does not fit: joined texts may have more tokens than their parts.

    Halves and not single sentences: passages of one sentence were a fourth of all, and took the places of whole ones.
    """
    held = list(groups)
    spans = [Span(group[0].start, group[-1].end) for group in held]
    for group, span, good in zip(held, spans, fits([span.of(text) for span in spans]), strict=True):
        if good or len(group) == 1:
            yield span
        else:
            middle = (len(group) + 1) // 2
            yield from _fitting(text, (group[:middle], group[middle:]), fits)


_CLAUSE_END = re.compile(r"[,;:—–](?=\s)|\s[—–]|[、，；]")
_WORD_END = re.compile(r"(?=\s)")


def _short_pieces(text: str, spans: list[Span], fits: Callable[[Sequence[str]], list[bool]]) -> Iterator[Span]:
    for span, short in zip(spans, fits([span.of(text) for span in spans]), strict=True):
        if short or span.end - span.start <= 1:
            yield span
        else:
            yield from _short_pieces(text, list(_halves(text, span)), fits)


def _halves(text: str, span: Span) -> Iterator[Span]:
    """Cut a span in two near its middle: behind a clause, else between words, else between characters."""
    middle = (span.start + span.end) // 2
    cut = middle
    for ending in (_CLAUSE_END, _WORD_END):
        ends = [match.end() for match in ending.finditer(text, span.start + 1, span.end - 1)]
        best = min(ends, key=lambda end: abs(end - middle), default=None)
        if best is not None and abs(best - middle) <= (span.end - span.start) // 3:
            cut = best
            break
    for start, end in ((span.start, cut), (cut, span.end)):
        piece = text[start:end]
        if piece.strip():
            start += len(piece) - len(piece.lstrip())
            yield Span(start, start + len(piece.strip()))
