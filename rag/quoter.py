"""The `Quoter`: answers in the articles' own sentences, and needs no language model.

It scores every sentence of the passages that the search ranks near the best, with a linear model over the features of
`rag.features`, the readings of `rag.reader` among them, and quotes the best one, with those that a further linear model
finds likely enough to answer too. It refuses when the question names somebody, a number or a date that no article of
those passages holds, or when another one finds it too doubtful that any sentence answers. The numbers are those of
`rag.quoter_model`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from index.article import Article
from index.news_index import Hit, NewsIndex
from index.sentences import Span
from rag.answer import Copy
from rag.candidates import MAX_WORDS, article_terms, candidates
from rag.choice import Chosen, Scored, choose, same_report
from rag.cite import Draft, DraftSentence, Source
from rag.extracts import readings
from rag.features import (
    day_of,
    features,
    rarities,
    title_of,
    with_known_names,
)
from rag.language import looks_english
from rag.lexicon import PRONOUN_OPENING
from rag.parts import TOLLS, Part, kind_of
from rag.question import Question
from rag.quoter_model import LinearModel, QuoterModel, signs_of
from rag.reader import Extract, Reader, reader_beside
from rag.retrieve import Evidence
from rag.terms import PHRASE, WORD, Number, Terms, is_held, read_terms

__all__ = ["UNREAD", "Quoter", "drafted", "missing_anchors", "score", "to_read"]

_LEAST_READ, _LEAST_LISTED = 2, 8
"""How many passages are read at least, and of a list. By hand: over one article of fourteen, the reach ends at one."""
UNREAD = 0.125
"""Which share of the passages found, the last ones, is not read: of 8 one, of 16 two. By hand, between time and what is
lost (the table of `eval/fit/quoter.py`, in docs/fitting.md)."""
_LESS_IF_FOREIGN = 0.5
"""How much lower the threshold is for a sentence in another language, of which the reader, who learned English, is less
sure. By hand."""


def to_read(question: Question, evidence: Evidence, reach: float, *, unread: float = UNREAD) -> Evidence:
    """Return the evidence that is read: the passages that the search ranks near the best one, and their near-copies.

    A few are read however far behind they are: the first of each part's search, and more for a list or a table. Of a
    toll all are read that count the dead, the injured or the arrested: the newest count may stand in any of them. Of
    other questions than for a list, a table or a toll an `unread` share, the last passages found, is left out.
    """
    toll = question.toll
    listed = question.kind in ("list", "table")
    least = _LEAST_LISTED if listed else max(_LEAST_READ, 1 + len(question.parts))
    most = len(evidence.hits) - (0 if listed or toll else int(unread * len(evidence.hits)))
    hits = tuple(
        hit
        for hit in evidence.hits
        if hit.rank <= least
        or (hit.rank <= most and hit.score >= evidence.hits[0].score - reach)
        or (toll and _counts(hit))
    )
    kept = {hit.rank for hit in hits}
    copies = tuple(hit for hit in evidence.copies if hit.rank in kept)
    return replace(evidence, hits=hits, copies=copies)


def _counts(hit: Hit) -> bool:
    terms = read_terms(hit.passage.text)
    return bool(terms.numbers) and not TOLLS.isdisjoint(terms.concepts)


def score(part: Part, evidence: Evidence, choice: LinearModel, reader: Reader) -> Scored:
    """Score the sentences of the evidence for one part of a question."""
    found = candidates([*evidence.hits, *evidence.copies])
    terms = with_known_names(part, found)
    read = readings(part.text, terms.names, found, reader)
    rows = features(part, terms, found, rarities(evidence.index, terms), read)
    unsorted = Scored(part=part, terms=terms, candidates=tuple(found), rows=rows, scores=np.zeros(len(found)))
    return unsorted.under(choice)


class Quoter:
    """Answer by quoting. Deterministic: the same question over the same index gives the same answer."""

    name = "quoter"
    model = None

    def __init__(self, *, reader: Reader | None = None) -> None:
        self._reader = reader

    def load(self, index: NewsIndex) -> None:
        """Load the reader, which the first question over the index does otherwise."""
        (self._reader or reader_beside(index)).read("?", [Extract("", "?", (Span(0, 1),))])

    def write(self, question: Question, evidence: Evidence) -> Draft:
        """Return the sentences that answer each part, in order; a part that none answers is left unanswered."""
        model = QuoterModel.load()
        reader = self._reader or reader_beside(evidence.index)
        evidence = to_read(question, evidence, model.reach)
        return drafted(question, [score(part, evidence, model.choice, reader) for part in question.parts], model)


def drafted(question: Question, parts: Sequence[Scored], model: QuoterModel) -> Draft:
    """Return the answer that the scored candidates of each part of a question make."""
    quotes: list[_Quote] = []
    unanswered, missing = [], []
    for scored in parts:
        unheld = missing_anchors(scored)
        if unheld or not _answers(scored, model):
            unanswered.append(scored.part.text)
            missing.extend(unheld)
            continue
        kind = question.kind if len(parts) == 1 else kind_of(scored.part.text)
        quotes.extend(_quote(chosen, scored) for chosen in choose(scored, kind, model))
    quotes = _within(_merged(quotes), question.kind)
    return Draft(
        sentences=tuple(DraftSentence(quote.text, (number,)) for number, quote in enumerate(quotes, start=1)),
        sources=tuple(quote.source for quote in quotes),
        unanswered=tuple(unanswered),
        missing=tuple(dict.fromkeys(missing)),
    )


def _answers(scored: Scored, model: QuoterModel) -> bool:
    if not scored.candidates:
        return False
    best = scored.candidates[int(scored.scores.argmax())]
    threshold = model.threshold - (0.0 if looks_english(best.text) else _LESS_IF_FOREIGN)
    return bool(model.answers.score(signs_of(scored.rows, scored.scores))[0] >= threshold)


@dataclass(frozen=True, slots=True)
class _Quote:
    """Hold a stretch of an article that is quoted, and the other articles that print it."""

    article: Article
    start: int
    end: int
    passage_id: str
    also_in: tuple[Article, ...]

    @property
    def text(self) -> str:
        return " ".join(self.article.text[self.start : self.end].split())

    @property
    def source(self) -> Source:
        others = {article.id: article for article in self.also_in if article.id != self.article.id}
        copies = (Copy(article_id=a.id, title=a.title, source=a.source, url=a.url) for a in others.values())
        return Source(self.article.id, self.article.revision, self.start, self.end, self.passage_id, tuple(copies))


def _quote(chosen: Chosen, scored: Scored) -> _Quote:
    """Return what is chosen as a quote; with the sentence before it when a pronoun hides who it is about."""
    candidate = chosen.candidate
    start = candidate.span.start
    subject = scored.part.subject or scored.terms.names
    own = read_terms(candidate.text).keys
    if PRONOUN_OPENING.match(candidate.text) and candidate.before and not any(name in own for name in subject):
        before = candidate.article.text.rfind(candidate.before, 0, start)
        whole = candidate.article.text[before : candidate.span.end]
        if before >= 0 and "\n\n" not in candidate.article.text[before:start] and len(whole.split()) <= MAX_WORDS:
            start = before
    return _Quote(candidate.article, start, candidate.span.end, candidate.hit.passage.id, chosen.copies)


def _merged(quotes: Sequence[_Quote]) -> list[_Quote]:
    """Return the quotes with those that overlap or repeat each other made one, in the place of the first of them."""
    merged: list[_Quote] = []
    for quote in quotes:
        at = len(merged)
        # What is joined is longer, and may overlap another one: it is tried again until it does not.
        while (place := next((p for p, other in enumerate(merged) if _is_one(other, quote)), None)) is not None:
            other = merged.pop(place)
            quote = _joined(other, quote) if place < at else _joined(quote, other)
            at = min(at, place)
        merged.insert(at, quote)
    return merged


def _is_one(quote: _Quote, other: _Quote) -> bool:
    if _is_same_text(quote, other):
        return quote.start < other.end and other.start < quote.end
    return same_report(quote.text, other.text)


def _joined(quote: _Quote, other: _Quote) -> _Quote:
    """Return two quotes as one: the words of both, or those of the first, which the article of the other prints too."""
    if _is_same_text(quote, other):
        start, end = min(quote.start, other.start), max(quote.end, other.end)
        return replace(quote, start=start, end=end, also_in=(*quote.also_in, *other.also_in))
    return replace(quote, also_in=(*quote.also_in, other.article, *other.also_in))


def _is_same_text(quote: _Quote, other: _Quote) -> bool:
    return quote.article.id == other.article.id and quote.article.revision == other.article.revision


def _within(quotes: Sequence[_Quote], kind: str) -> list[_Quote]:
    """Return as many quotes as the limit of words allows, at least one; lists and tables have no limit."""
    if kind in ("list", "table"):
        return list(quotes)
    kept: list[_Quote] = []
    words = 0
    for quote in quotes:
        words += len(quote.text.split())
        if kept and words > MAX_WORDS:
            break
        kept.append(quote)
    return kept


def missing_anchors(scored: Scored) -> list[str]:
    """Return the names, numbers and dates of a part that no article that was read holds, as the question has them."""
    articles = {candidate.article.id: candidate.article for candidate in scored.candidates}
    held = Terms.joined(
        [terms for a in articles.values() for terms in (article_terms(a.text), read_terms(title_of(a)))]
    )
    values = {number.value for number in held.numbers}
    days = {day for article in articles.values() if (day := day_of(article))}
    dates = held.dates | days
    missing = [_as_written(name, scored.part.text) for name in scored.terms.names if not is_held(name, held.keys)]
    numbers = sorted(scored.terms.numbers, key=lambda number: scored.part.text.find(number.written))
    missing += [n.written for n in numbers if n.value not in values and not _counts_the_answers(n, scored.part)]
    missing += sorted(str(date) for date in scored.terms.dates if not any(date.agrees_with(other) for other in dates))
    return missing


def _counts_the_answers(number: Number, part: Part) -> bool:
    """Tell whether a number says how many things are asked for, which no article has to: "which of the *two* ..."."""
    return number.value == part.wanted or number.written.lower() in ("one", "two")


def _as_written(name: str, text: str) -> str:
    """Return a name as a text has it, "North Korea", for what it is compared as."""
    written = (match[0] for match in chain(PHRASE.finditer(text), WORD.finditer(text)))
    return next((words for words in written if name in read_terms(f"x {words}").names), name)
