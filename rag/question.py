"""Read a question: its parts, its time window and named sources, and whether it looks like English."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from index.errors import DateError
from index.news_index import checked_question
from index.scope import Filters
from rag.history import MAX_TURNS, Turn, standalone
from rag.language import looks_english
from rag.lexicon import PLACES, fold
from rag.parts import Part, kind_of, part_of, pieces_of
from rag.terms import DATE, Date, read_terms

__all__ = ["Question", "read_question"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Hold a question as it was understood.

    `text` stands alone. `kind` is one of `KINDS`. `english` is False for a question that does not look like English,
    which the bundled model and the word lists are made for.
    """

    asked: str
    text: str
    kind: str
    parts: tuple[Part, ...]
    filters: Filters
    english: bool

    @property
    def toll(self) -> bool:
        """Tell whether a part of it asks for a count that rises from day to day."""
        return any(part.toll and kind_of(part.text) == "count" for part in self.parts)


def read_question(
    asked: str,
    *,
    history: Sequence[Turn | Mapping[str, str]] = (),
    filters: Filters,
    known_sources: Sequence[str] = (),
) -> Question:
    """Read a question; raise `QuestionError` when it is empty or too long.

    A source that the index holds and the question names with its full name as the one that reports ("according to the
    Paris Desk") becomes a filter, and so does "as of" with a whole date, which no part has then. Any other date stays
    part of what is asked.
    """
    asked = checked_question(asked)
    turns = [_on_one_line(Turn.of(value)) for value in history][-MAX_TURNS:]
    line = _unshouted(" ".join(asked.split()))
    english = looks_english(line)
    text = standalone(line, turns) if english else line
    if not filters.sources:
        filters = replace(filters, sources=tuple(source for source in known_sources if _names_source(text, source)))
    timeless, as_of = (text, None) if filters.as_of else _as_of(text)
    if as_of:
        filters = replace(filters, as_of=as_of)
    parts = tuple(part_of(piece) for piece in pieces_of(timeless))
    return Question(
        asked=asked, text=text, kind=kind_of(timeless), parts=parts, filters=filters, english=english,
    )  # fmt: skip


_LETTERS = re.compile(r"[^\W\d_]+")
_LEAST_SHOUTED = 3  # words; fewer in capitals, such as NATO SUMMIT, may be names


def _unshouted(text: str) -> str:
    """Return a text in capitals alone in lower case, but for the names of places; others the articles give back."""
    if not text.isupper() or len(text.split()) < _LEAST_SHOUTED:
        return text
    return _LETTERS.sub(lambda match: match[0] if fold(match[0]) in PLACES else match[0].lower(), text)


def _on_one_line(turn: Turn) -> Turn:
    return replace(turn, question=_unshouted(" ".join(turn.question.split())))


_AS_OF = re.compile(rf"(?:,? )?\bas (?:of|at) (?:the )?(?:{DATE.pattern}),?", re.IGNORECASE)


def _as_of(text: str) -> tuple[str, str | None]:
    """Return a text without its "as of" with a whole date, and that day; the text itself where it has none."""
    match = _AS_OF.search(text)
    dates = read_terms(match[0]).dates if match else frozenset()
    date = max(dates, key=lambda date: date.day or 0, default=Date())
    if match and date.year and date.month and date.day:
        try:
            day = Filters.of(as_of=f"{date.year}-{date.month:02d}-{date.day:02d}").as_of
        except DateError:  # "as of 31 June 2025" stays words
            return text, None
        return (text[: match.start()] + text[match.end() :]).strip() or text, day
    return text, None


_REPORT = r"(?:accounts?|articles?|news|published|quoted|reported|reports?|said|stories|story|written)"
_REPORTING_BEFORE = (
    rf"\b(?:according to|per|{_REPORT} (?:by|from|in|of)) (?:[\w’'!., ]{{1,80}}(?:,|,? and|,? or) )?(?:the )?"
)
_OPENING_BEFORE = r"(?:^|\b(?:as|did|do|does|had|has|have|or|and|that|the|what) )"
_REPORTING_BEHIND = r"(?: (?:and|or) [\w’'!. ]{1,40}?)? (?:publish|report|said|say|write|writ|wrote)"


def _names_source(text: str, source: str) -> bool:
    """Tell whether a text names a source as one that reports, not as one that is asked about.

    One of a single word, such as Time or The Independent, has to be written as it is.
    """
    bare = re.sub("^the ", "", source, flags=re.IGNORECASE)
    if bare.casefold() not in text.casefold():
        return False
    name = re.escape(bare) if len(bare.split()) == 1 else f"(?i:{re.escape(bare)})"
    reporting = (
        rf"(?i:{_REPORTING_BEFORE}){name}(?!\w| [A-Z])",
        rf"(?i:{_OPENING_BEFORE}){name}(?i:{_REPORTING_BEHIND})",
    )
    return any(re.search(pattern, text) for pattern in reporting)
