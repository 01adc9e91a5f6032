"""From a writer's draft to checked sentences and citations.

A draft points with marks at sources, each an exact span of a stored article. A citation that comes out of here is true:
its quote was read from the stored text at that place. A mark that points at nothing is taken out and counted.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from index.article import Article
from index.errors import ArticleNotFoundError
from index.passage import Passage
from index.sentences import CLOSERS, split_sentences
from rag.answer import Citation, Copy, Rejected, Sentence

__all__ = ["MARK", "Cited", "Draft", "DraftSentence", "Source", "cite", "parse_marks"]


@dataclass(frozen=True, slots=True)
class Source:
    """Mark the words of a stored article that a draft may cite, and the other articles that print them too."""

    article_id: str
    revision: int
    start: int
    end: int
    passage_id: str
    also_in: tuple[Copy, ...] = ()

    @classmethod
    def of(cls, passage: Passage) -> "Source":
        """Return a whole passage as a source."""
        return cls(passage.article_id, passage.revision, passage.start, passage.end, passage.id)


@dataclass(frozen=True, slots=True)
class DraftSentence:
    """Hold a sentence as written and the marks behind it: numbers from 1 into the draft's sources.

    Its text is empty where marks stand before the first sentence.
    """

    text: str
    marks: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Hold what a writer wrote.

    `unanswered` has the parts of the question that found no answer; a draft without sentences is a refusal. `missing`
    has the names, numbers and dates that the question asks about and no evidence holds.
    """

    sentences: tuple[DraftSentence, ...]
    sources: tuple[Source, ...]
    unanswered: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @classmethod
    def of_text(cls, text: str, passages: Sequence[Passage]) -> "Draft":
        """Return the draft of a writer that marks its sentences with the numbers, from 1, of its passages."""
        return cls(sentences=parse_marks(text), sources=tuple(Source.of(passage) for passage in passages))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """Hold the checked form of a draft."""

    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    rejected: tuple[Rejected, ...]


MARK = re.compile(r"\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]")
"""What the text of an answer marks its citations with: [1], or [1, 2]."""
_MARK_AND_BLANKS = re.compile(rf"(?<!\s)\s*{MARK.pattern}")
_ENDED = re.compile(rf"[.!?…][{re.escape(CLOSERS)}]*\Z")


def parse_marks(text: str) -> tuple[DraftSentence, ...]:
    """Read a text with marks such as ``It ended. [1]`` or ``Oslo [1, 2] paid [3].`` into sentences, without the marks.

    A mark belongs to the sentence that it stands in, or behind. Those that have none before them come first, with an
    empty text: `cite` rejects them.
    """
    plain, places = _without_marks(text)
    spans = [span for span in split_sentences(plain) if any(letter.isalnum() for letter in span.of(plain))]
    starts = [span.start for span in spans]
    marks: list[list[int]] = [[] for _ in range(len(spans) + 1)]
    for number, place in places:
        marks[bisect_left(starts, place)].append(number)
    leading = [DraftSentence("", tuple(marks[0]))] if marks[0] else []
    written = zip(spans, marks[1:], strict=True)
    return (*leading, *(DraftSentence(span.of(plain), tuple(own)) for span, own in written))


def _without_marks(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return a text without its marks, and each one's number and place there."""
    plain, places, at = "", [], 0
    for match in _MARK_AND_BLANKS.finditer(text):
        plain += _behind(plain, text[at : match.start()])
        places += [(int(number), len(plain)) for number in match[1].split(",")]
        at = match.end()
    return plain + _behind(plain, text[at:]), places


def _behind(text: str, piece: str) -> str:
    """Return a piece as it follows a text that a mark parted it from: "It ended.[1]Then", "made in the U.S. [1]."."""
    if not _ENDED.search(text[-8:]):  # a stop, and more closing marks than ever stand behind one
        return piece
    if piece.startswith("."):
        return piece[1:]
    return f" {piece}" if piece[:1].isalnum() or piece.startswith(("“", "‘", "«")) else piece


def cite(draft: Draft, read: Callable[[str, int], Article]) -> Cited:
    """Check a draft against the stored text that `read` returns, number its citations, and lay out its text.

    Sentences are joined by a space. Numbers count the cited spans in the order in which the text first uses them. A
    mark is rejected that is the number of no source, or whose source is of no article that is held, or no words of it,
    or that has no sentence.
    """
    stored = cache(read)
    numbers: dict[Source, int] = {}
    rejected: list[Rejected] = []
    sentences: list[Sentence] = []
    text = ""
    for written in draft.sentences:
        marks = []
        for mark in dict.fromkeys(written.marks):
            if reason := _why_rejected(mark, written.text, draft.sources, stored):
                rejected.append(Rejected(mark=f"[{mark}]", sentence=written.text, reason=reason))
            else:
                marks.append(numbers.setdefault(draft.sources[mark - 1], len(numbers) + 1))
        if not written.text.strip():
            continue
        text += " " if text else ""
        start = len(text)
        text += written.text + "".join(f"[{number}]" for number in marks)
        sentences.append(_sentence(written.text, start, tuple(marks)))
    citations = tuple(_citation(source, number, stored) for source, number in numbers.items())
    return Cited(text=text, sentences=_supported(sentences, citations), citations=citations, rejected=tuple(rejected))


def _why_rejected(
    mark: int, sentence: str, sources: Sequence[Source], read: Callable[[str, int], Article]
) -> str | None:
    """Return why a mark points from or at nothing; None when it points from a sentence at words of a stored article."""
    if not sentence.strip():
        return "no sentence stands before it"
    if not 1 <= mark <= len(sources):  # [0] must not wrap to the last source
        return f"no such source: the draft has {len(sources)}"
    source = sources[mark - 1]
    try:
        text = read(source.article_id, source.revision).text
    except ArticleNotFoundError:
        return f"no such article: {source.article_id!r}, revision {source.revision}"
    if not 0 <= source.start < source.end <= len(text):  # Python would read a negative place from the end
        return f"no such words: {source.start} to {source.end} of a text of {len(text)} characters"
    return None


def _sentence(text: str, start: int, marks: tuple[int, ...]) -> Sentence:
    return Sentence(
        text=text, start=start, end=start + len(text), support="unchecked", score=None, reasons=(), citations=marks
    )


def _supported(sentences: Sequence[Sentence], citations: Sequence[Citation]) -> tuple[Sentence, ...]:
    """Mark as supported what repeats the words that it cites; anything else needs a grounding check."""
    quotes = {citation.number: _folded(citation.quote) for citation in citations}
    return tuple(_judged(sentence, [quotes[number] for number in sentence.citations]) for sentence in sentences)


def _judged(sentence: Sentence, quotes: Iterable[str]) -> Sentence:
    if not any(_folded(sentence.text) in quote for quote in quotes):
        return sentence
    return replace(sentence, support="supported", score=1.0, reasons=("verbatim",))


def _folded(text: str) -> str:
    return " ".join(text.split())


def _citation(source: Source, number: int, read: Callable[[str, int], Article]) -> Citation:
    article = read(source.article_id, source.revision)
    return Citation(
        number=number, article_id=article.id, revision=article.revision, passage_id=source.passage_id,
        title=article.title, source=article.source, author=article.author, url=article.url,
        published=article.published, quote=article.text[source.start : source.end], start=source.start,
        end=source.end, text_sha256=article.text_sha256,
        also_in=source.also_in,
    )  # fmt: skip
