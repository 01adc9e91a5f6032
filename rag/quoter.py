"""The `Quoter`: answers in the articles' own sentences, and needs no language model.

It scores every sentence of the passages that the search ranks near the best, with a linear model over the features of
`rag.features`, the readings of `rag.reader` among them, and quotes as few as the question allows. It refuses when the
question names somebody, a number or a date that no article of those passages holds, or when a second linear model finds
it too doubtful that any sentence answers. The numbers are those of `rag.quoter_model`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from index.article import Article
from index.duplicates import is_near_copy
from index.news_index import NewsIndex
from index.sentences import Span
from rag.answer import Copy
from rag.candidates import MAX_WORDS, Candidate, candidates
from rag.cite import Draft, DraftSentence, Source
from rag.extracts import readings
from rag.features import (
    FEATURES,
    PRONOUN_OPENING,
    Features,
    day_of,
    features,
    rarities,
    title_of,
    with_known_names,
)
from rag.lexicon import SEATS
from rag.parts import TOLLS, Part
from rag.question import Question
from rag.quoter_model import LinearModel, QuoterModel, signs_of
from rag.reader import Extract, Reader, reader_beside
from rag.retrieve import Evidence
from rag.terms import Terms, is_held, read_terms

__all__ = ["Quoter", "Scored", "drafted", "missing_anchors", "score", "to_read"]

_MAX_SENTENCES = 3
_MAX_LISTED = 12
_LEAST_READ, _LEAST_LISTED = 2, 8
"""How many passages are read at least, and of a list. By hand: over one article of fourteen, the reach ends at one."""
_ENTRY_BELOW = 1.0
"""How far below the floor an entry of a list may lie. By hand, of 0 to 3 over seeds/: the least that loses none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Hold the candidates for one part of a question, best first; `rows` are their features, `scores` log-odds."""

    part: Part
    terms: Terms
    candidates: tuple[Candidate, ...]
    rows: Features
    scores: npt.NDArray[np.float64]

    def under(self, choice: LinearModel) -> "Scored":
        """Return the candidates as another model scores them."""
        scores = choice.score(self.rows)
        return self._picked(np.argsort(-scores, kind="stable"), scores)

    def only(self, places: Sequence[int]) -> "Scored":
        """Return some of the candidates."""
        return self._picked(np.array(places, dtype=int), self.scores)

    def _picked(self, places: npt.NDArray[np.intp], scores: npt.NDArray[np.float64]) -> "Scored":
        candidates = tuple(self.candidates[place] for place in places)
        return replace(self, candidates=candidates, rows=self.rows[places], scores=scores[places])


def to_read(question: Question, evidence: Evidence, reach: float) -> Evidence:
    """Return the evidence that is read: the passages that the search ranks near the best one, and their near-copies.

    A few are read however far behind they are, and more for a list or a table. Of a toll all are read: the newest count
    may stand in any of them.
    """
    if question.toll:
        return evidence
    least = _LEAST_LISTED if question.kind in ("list", "table") else _LEAST_READ
    hits = tuple(hit for hit in evidence.hits if hit.rank <= least or hit.score >= evidence.hits[0].score - reach)
    copies = tuple(hit for hit in evidence.copies if hits and hit.rank <= hits[-1].rank)
    return replace(evidence, hits=hits, copies=copies)


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
        if question.kind == "count":
            scored = _latest_toll(scored, model)
        elif question.kind == "table":
            scored = _with_sums(scored, model)
        quotes.extend(_choose(scored, question.kind, model))
    quotes = _within(_merged(quotes), question.kind)
    if question.kind in ("list", "table") or (len(parts) == 1 and question.kind == "compare"):
        quotes.sort(key=lambda quote: (quote.article.sort_key(), quote.start))
    return Draft(
        sentences=tuple(DraftSentence(quote.text, (number,)) for number, quote in enumerate(quotes, start=1)),
        sources=tuple(quote.source for quote in quotes),
        unanswered=tuple(unanswered),
        missing=tuple(dict.fromkeys(missing)),
    )


def _answers(scored: Scored, model: QuoterModel) -> bool:
    if not scored.candidates:
        return False
    return bool(model.answers.score(signs_of(scored.rows, scored.scores))[0] >= model.threshold)


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
        copies = {a.id: Copy(article_id=a.id, title=a.title, source=a.source, url=a.url) for a in self.also_in}
        return Source(
            self.article.id, self.article.revision, self.start, self.end, self.passage_id, tuple(copies.values())
        )


def _latest_toll(scored: Scored, model: QuoterModel) -> Scored:
    """Keep the newest article's count of the dead, the injured or the arrested, where several articles count them.

    Such a toll rises for some days, and the newest takes the place of the others, unless the question asks for an early
    one, or for another day than it tells. Every other question keeps its candidates.
    """
    counted = scored.terms.concepts & TOLLS
    if not counted or _EARLY.search(scored.part.text):
        return scored
    asked = {number.value for number in scored.terms.numbers}
    published = [candidate.article.sort_key()[0] for candidate in scored.candidates]
    least = max(float(scored.scores[0]) - model.gaps["toll"], model.floor)
    other_day = scored.rows[:, FEATURES.index("another_day")] > 0
    tolls = []
    for place, (candidate, own) in enumerate(zip(scored.candidates, scored.scores, strict=True)):
        terms = read_terms(candidate.text)
        counts = any(number.value not in asked and not number.unit for number in terms.numbers)
        of_the_event = published[place] - published[0] <= _TOLL_RISES and not other_day[place]
        if own >= least and counts and counted & terms.concepts and of_the_event:
            tolls.append(place)
    newest = max((published[place] for place in tolls), default=0.0)
    return scored.only([place for place in tolls if published[place] == newest]) if tolls else scored


_TOLL_RISES = 14 * 24 * 3600  # in seconds: what is counted later is mostly another event
_EARLY = re.compile(r"\b(?:first|earl(?:y|ier|iest)|initial(?:ly)?|originally|at the time)\b", re.IGNORECASE)


def _with_sums(scored: Scored, model: QuoterModel) -> Scored:
    """Keep the candidates with a sum or a share, where a table has several of them: they are its rows."""
    least = scored.scores[0] - model.gaps["table"]
    sums = [
        place
        for place, (candidate, own) in enumerate(zip(scored.candidates, scored.scores, strict=True))
        if own >= least and any(number.unit for number in read_terms(candidate.text).numbers)
    ]
    return scored.only(sums) if len(sums) >= _LEAST_SUMS else scored


_LEAST_SUMS = 3  # of two, either may stand there by chance; four did as well over seeds/


def _choose(scored: Scored, kind: str, model: QuoterModel) -> list[_Quote]:
    """Return the best sentence, and those further ones that the kind of question calls for."""
    listing = kind in ("list", "table")
    floor = model.floor - (_ENTRY_BELOW if listing else 0.0)
    least = max(float(scored.scores[0]) - model.gaps[kind], floor)
    chosen: list[tuple[Candidate, list[Article]]] = []
    for candidate, own in zip(scored.candidates, scored.scores, strict=True):
        copied = next((entry for entry in chosen if is_near_copy(entry[0].text, candidate.text)), None)
        if copied:
            if candidate.article.id != copied[0].article.id:
                copied[1].append(candidate.article)
        elif not chosen or (
            own >= least
            and len(chosen) < (_MAX_LISTED if listing else _MAX_SENTENCES)
            and not _is_full(scored, [c for c, _ in chosen])
            and (listing or _adds(scored, [c for c, _ in chosen], candidate, kind))
        ):
            chosen.append((candidate, []))
    if kind == "count":  # figures change from day to day: the latest comes first
        chosen.sort(key=lambda entry: entry[0].article.sort_key(), reverse=True)
    return [_quote(candidate, copies, scored) for candidate, copies in chosen]


def _is_full(scored: Scored, chosen: Sequence[Candidate]) -> bool:
    """Tell whether the chosen sentences hold as many entries as a list is to have, by the question's own number."""
    wanted = scored.part.wanted
    if wanted is None:
        return False
    if len(chosen) >= wanted:
        return True
    names = {name for other in chosen for name in _names(other.text) if not scored.terms.keys.issuperset(name)}
    return scored.part.asks == "name" and len(names) >= wanted


def _names(text: str) -> set[tuple[str, ...]]:
    """Return the names of a text, each as the keys of its words: "Keir Starmer" is one, and "Starmer" no other."""
    own = set(read_terms(text).names)
    written = {read_terms(f"x {match[0]}").names for match in _NAME.finditer(text)}
    names = {name for name in written if name and own.issuperset(name)}
    part_of_others = {name for name in names for other in names if set(name) < set(other)}
    seats = {name for name in names for place in SEATS.get(name[-1], ()) if (place,) in names}
    return names - part_of_others - seats


_NAME = re.compile(r"\b[A-Z][\w’'-]*(?: [A-Z][\w’'-]*)*")


def _adds(scored: Scored, chosen: Sequence[Candidate], candidate: Candidate, kind: str) -> bool:
    """Tell whether a sentence brings what the chosen ones leave open: a name asked about, or another figure."""
    held = {key for other in chosen for key in read_terms(other.text).keys}
    own = read_terms(candidate.text)
    if any(name in own.keys and name not in held for name in scored.terms.names):
        return True
    if kind == "count":
        figures = {number.value for other in chosen for number in read_terms(other.text).numbers}
        fresh = any(number.value not in figures for number in own.numbers)
        elsewhere = all(candidate.article.id != other.article.id for other in chosen)
        return fresh and (elsewhere or bool(_RIVAL.search(candidate.text)))
    return False


_REPORTED = r"(?:reports?|accounts?|sources?|desks?)"
_RIVAL = re.compile(
    rf"^(?:one|another|others|some|elsewhere)\b|\b(?:one|another|some|other|several) {_REPORTED}\b", re.IGNORECASE
)
"""What another report says, told in the same article: "Another speaks of 40 countries"."""


def _quote(candidate: Candidate, copies: Sequence[Article], scored: Scored) -> _Quote:
    """Return the candidate as a quote; with the sentence before it when a pronoun hides who it is about."""
    start = candidate.span.start
    subject = scored.part.subject or scored.terms.names
    own = read_terms(candidate.text).keys
    if PRONOUN_OPENING.match(candidate.text) and candidate.before and not any(name in own for name in subject):
        before = candidate.article.text.rfind(candidate.before, 0, start)
        whole = candidate.article.text[before : candidate.span.end]
        if before >= 0 and "\n\n" not in candidate.article.text[before:start] and len(whole.split()) <= MAX_WORDS:
            start = before
    return _Quote(candidate.article, start, candidate.span.end, candidate.hit.passage.id, tuple(copies))


def _merged(quotes: Sequence[_Quote]) -> list[_Quote]:
    """Return the quotes with those that overlap or repeat each other made one."""
    merged: list[_Quote] = []
    for quote in quotes:
        for place, other in enumerate(merged):
            same = other.article.id == quote.article.id and other.article.revision == quote.article.revision
            if same and quote.start < other.end and other.start < quote.end:
                merged[place] = replace(other, start=min(other.start, quote.start), end=max(other.end, quote.end))
                break
            if not same and is_near_copy(other.text, quote.text):
                merged[place] = replace(other, also_in=(*other.also_in, quote.article))
                break
        else:
            merged.append(quote)
    return merged


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
    texts = [text for a in articles.values() for text in (a.text, title_of(a))]
    held = [read_terms(text) for text in texts]
    keys = frozenset().union(*(terms.keys for terms in held))
    values = {number.value for terms in held for number in terms.numbers}
    days = {day for article in articles.values() if (day := day_of(article))}
    dates = {date for terms in held for date in terms.dates} | days
    missing = [_as_written(name, scored.part.text) for name in scored.terms.names if not is_held(name, keys)]
    numbers = sorted(scored.terms.numbers, key=lambda number: scored.part.text.find(number.written))
    missing += [n.written for n in numbers if n.value not in values and n.value != scored.part.wanted]
    missing += sorted(str(date) for date in scored.terms.dates if not any(date.agrees_with(other) for other in dates))
    return missing


def _as_written(name: str, text: str) -> str:
    words = re.findall(r"[^\W_]+(?:[’'.\-][^\W_]+)*", text)
    return next((word for word in words if name in read_terms(f"x {word}").names), name)
