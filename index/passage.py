"""Passages: stretches of whole sentences that are embedded and searched as one.

Law: ``article.text[p.start:p.end] == p.text``.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from index.article import Article
from index.dates import utc_day
from index.sentences import Span, split_sentences
from index.tokens import count_tokens

__all__ = ["Chunking", "Passage", "header_of", "split"]


@dataclass(frozen=True, slots=True)
class Chunking:
    """Say how articles are cut into passages; part of what an index is made with.

    `max_tokens` limits the text of a passage in cl100k tokens. The header comes on top of it.
    """

    max_tokens: int = 128
    version: int = 1

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


_HEADER_SHARE = 4  # the header may take at most a fourth of what the embedder reads


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

    count_ours, count_theirs = _remembering(count_tokens), _remembering(ruler.count_tokens)

    def fits(texts: Sequence[str]) -> list[bool]:
        ours, theirs = count_ours(texts), count_theirs(texts)
        return [a <= chunking.max_tokens and b <= room for a, b in zip(ours, theirs, strict=True)]

    pieces = list(_short_pieces(article.text, split_sentences(article.text), fits))
    ours = count_tokens([" " + piece.of(article.text) for piece in pieces])
    theirs = count_theirs([piece.of(article.text) for piece in pieces])
    groups: list[list[Span]] = []
    used_ours = used_theirs = 0
    for piece, our, their in zip(pieces, ours, theirs, strict=True):
        if groups and used_ours + our <= chunking.max_tokens and used_theirs + their <= room:
            groups[-1].append(piece)
            used_ours, used_theirs = used_ours + our, used_theirs + their
        else:
            groups.append([piece])
            used_ours, used_theirs = our, their
    wholes = [Span(group[0].start, group[-1].end) for group in groups]
    fitting = fits([whole.of(article.text) for whole in wholes])  # tokens of joined texts may exceed their sum
    spans: list[Span] = []
    for group, whole, good in zip(groups, wholes, fitting, strict=True):
        spans.extend([whole] if good else group)
    return [
        Passage(article_id=article.id, revision=article.revision, start=s.start, end=s.end, text=s.of(article.text))
        for s in spans
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
