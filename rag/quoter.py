"""The `Quoter`: answers in the articles' own sentences, and needs no language model.

It scores every sentence of the retrieved passages with a linear model over the features of `rag.evidence`, the readings
of `rag.reader` among them, and quotes as few as the question allows. It refuses when the question names somebody, a
number or a date that no retrieved article holds, or when the best score is below a threshold. ``python -m
eval.fit.quoter`` fits what is in ``quoter.json``: the weights, the threshold, and how far further sentences may lie
behind the best.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from index.article import Article
from index.duplicates import is_near_copy
from index.news_index import NewsIndex
from index.sentences import Span
from rag.answer import Copy
from rag.cite import Draft, DraftSentence, Source
from rag.evidence import (
    FEATURES,
    PRONOUN_OPENING,
    Candidate,
    Features,
    candidates,
    day_of,
    features,
    is_held,
    rarities,
    readings,
    with_known_names,
)
from rag.question import Part, Question
from rag.reader import Extract, Reader, reader_beside
from rag.retrieve import Evidence
from rag.terms import Terms, read_terms

__all__ = ["LinearModel", "Quoter", "QuoterModel", "Scored", "missing_anchors", "score", "to_read"]

_MAX_WORDS = 120
_MAX_SENTENCES = 3
_MAX_LISTED = 12
_SETTINGS = frozenset({"meeting", "leader", "official", "country", "say", "total", "money", "ask", "home", "visit"})
"""Groups of words that say where and who, not what was done."""


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Hold a linear model: a weight for each feature, and a bias."""

    weights: tuple[float, ...]
    bias: float

    def score(self, rows: Features) -> npt.NDArray[np.float64]:
        """Return shape ``(rows,)`` for features of shape ``(rows, features)``: log-odds against "none answers"."""
        return np.asarray(rows @ np.array(self.weights) + self.bias, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoterModel:
    """Hold the weights of the choice, the score below which nothing is said, and how near further sentences must come.

    `listed_gap` and `further_gap` are how far a further sentence may lie below the best score, for lists and tables and
    for other questions. `passages` is how many are read, unless a list or a table is asked for.
    """

    choice: LinearModel
    threshold: float
    listed_gap: float
    further_gap: float
    passages: int

    @classmethod
    def load(cls) -> "QuoterModel":
        """Read what the package ships."""
        return _shipped()


@cache
def _shipped() -> QuoterModel:
    data = json.loads(files("rag").joinpath("quoter.json").read_text(encoding="utf-8"))
    weights = tuple(float(data["weights"][feature]) for feature in FEATURES)
    limits = {name: float(data[name]) for name in ("threshold", "listed_gap", "further_gap")}
    choice = LinearModel(weights, float(data["bias"]))
    return QuoterModel(choice=choice, passages=int(data["passages"]), **limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Hold the candidates for one part of a question, best first; `rows` are their features, `scores` log-odds."""

    part: Part
    terms: Terms
    candidates: tuple[Candidate, ...]
    rows: Features
    scores: npt.NDArray[np.float64]


def to_read(question: Question, evidence: Evidence, passages: int) -> Evidence:
    """Return the evidence that is read: all for a list or a table, else the best passages, and their near-copies."""
    if question.kind in ("list", "table"):
        return evidence
    copies = tuple(hit for hit in evidence.copies if hit.rank <= passages)
    return replace(evidence, hits=evidence.hits[:passages], copies=copies)


def score(part: Part, evidence: Evidence, choice: LinearModel, reader: Reader) -> Scored:
    """Score the sentences of the evidence for one part of a question."""
    found = candidates([*evidence.hits, *evidence.copies])
    terms = with_known_names(part, found)
    read = readings(part.text, found, reader)
    rows = features(part, terms, found, rarities(evidence.index, terms), read)
    scores = choice.score(rows)
    order = np.lexsort((np.arange(len(found)), -scores))
    return Scored(
        part=part, terms=terms, candidates=tuple(found[i] for i in order), rows=rows[order], scores=scores[order]
    )


class Quoter:
    """Answer by quoting. Deterministic: the same question over the same index gives the same answer."""

    name = "quoter"
    model = None

    def __init__(self, weights: QuoterModel | None = None, *, reader: Reader | None = None) -> None:
        self._weights = weights
        self._reader = reader

    def load(self, index: NewsIndex) -> None:
        """Load the reader, which the first question over the index does otherwise."""
        (self._reader or reader_beside(index)).read("?", [Extract("", "?", (Span(0, 1),))])

    def write(self, question: Question, evidence: Evidence) -> Draft:
        """Return the sentences that answer each part, in order; a part that none answers is left unanswered."""
        weights = self._weights or QuoterModel.load()
        reader = self._reader or reader_beside(evidence.index)
        evidence = to_read(question, evidence, weights.passages)
        quotes: list[_Quote] = []
        unanswered, missing = [], []
        for part in question.parts:
            scored = score(part, evidence, weights.choice, reader)
            unheld = missing_anchors(scored)
            if unheld or not scored.candidates or scored.scores[0] < weights.threshold:
                unanswered.append(part.text)
                missing.extend(unheld)
                continue
            tabled = _with_its_deed(scored) if question.kind == "table" else scored
            quotes.extend(_choose(tabled, question.kind, weights))
        quotes = _within(_merged(quotes), question.kind)
        if question.kind in ("list", "table") or (len(question.parts) == 1 and question.kind == "compare"):
            quotes.sort(key=lambda quote: (quote.article.sort_key(), quote.start))
        return Draft(
            sentences=tuple(DraftSentence(quote.text, (number,)) for number, quote in enumerate(quotes, start=1)),
            sources=tuple(quote.source for quote in quotes),
            unanswered=tuple(unanswered),
            missing=tuple(dict.fromkeys(missing)),
        )


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


def _with_its_deed(scored: Scored) -> Scored:
    """Keep the candidates that tell of what a table is about: of "who pledged what", those with a pledge in them.

    Where none does, all are kept.
    """
    deeds = scored.terms.concepts - _SETTINGS
    kept = [i for i, candidate in enumerate(scored.candidates) if deeds & read_terms(candidate.text).concepts]
    if not kept:
        return scored
    return replace(
        scored,
        candidates=tuple(scored.candidates[i] for i in kept),
        rows=scored.rows[kept],
        scores=scored.scores[kept],
    )


def _choose(scored: Scored, kind: str, weights: QuoterModel) -> list[_Quote]:
    """Return the best sentence, and those further ones that the kind of question calls for."""
    listing = kind in ("list", "table")
    least = float(scored.scores[0]) - (weights.listed_gap if listing else weights.further_gap)
    chosen: list[tuple[Candidate, list[Article]]] = []
    for candidate, own in zip(scored.candidates, scored.scores, strict=True):
        copied = next((entry for entry in chosen if is_near_copy(entry[0].text, candidate.text)), None)
        if copied:
            if candidate.article.id != copied[0].article.id:
                copied[1].append(candidate.article)
        elif not chosen or (
            own >= (least if listing else max(least, weights.threshold))
            and len(chosen) < (_MAX_LISTED if listing else _MAX_SENTENCES)
            and (listing or _adds(scored, [c for c, _ in chosen], candidate, kind))
        ):
            chosen.append((candidate, []))
    if kind == "count":  # figures change from day to day: the latest comes first
        chosen.sort(key=lambda entry: entry[0].article.sort_key(), reverse=True)
    return [_quote(candidate, copies, scored) for candidate, copies in chosen]


def _adds(scored: Scored, chosen: Sequence[Candidate], candidate: Candidate, kind: str) -> bool:
    """Tell whether a sentence brings what the chosen ones leave open: a name asked about, or another figure."""
    held = {key for other in chosen for key in read_terms(other.text).keys}
    own = read_terms(candidate.text)
    if any(name in own.keys and name not in held for name in scored.terms.names):
        return True
    if kind == "count":
        figures = {number.value for other in chosen for number in read_terms(other.text).numbers}
        fresh = any(number.value not in figures for number in own.numbers)
        return fresh and all(candidate.article.id != other.article.id for other in chosen)
    return False


def _quote(candidate: Candidate, copies: Sequence[Article], scored: Scored) -> _Quote:
    """Return the candidate as a quote; with the sentence before it when a pronoun hides who it is about."""
    start = candidate.span.start
    subject = scored.part.subject or scored.terms.names
    own = read_terms(candidate.text).keys
    if PRONOUN_OPENING.match(candidate.text) and candidate.before and not any(name in own for name in subject):
        before = candidate.article.text.rfind(candidate.before, 0, start)
        if before >= 0 and "\n\n" not in candidate.article.text[before:start]:
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
        if kept and words > _MAX_WORDS:
            break
        kept.append(quote)
    return kept


def missing_anchors(scored: Scored) -> list[str]:
    """Return the names, numbers and dates of a part that no retrieved article holds, as the question writes them."""
    articles = {candidate.article.id: candidate.article for candidate in scored.candidates}
    held = [read_terms("\n".join((a.text, a.title or "", a.source or ""))) for a in articles.values()]
    keys = frozenset().union(*(terms.keys for terms in held))
    values = {number.value for terms in held for number in terms.numbers}
    days = {day for article in articles.values() if (day := day_of(article))}
    dates = {date for terms in held for date in terms.dates} | days
    missing = [_as_written(name, scored.part.text) for name in scored.terms.names if not is_held(name, keys)]
    missing += [f"{number.value:g}" for number in scored.terms.numbers if number.value not in values]
    missing += [str(date) for date in scored.terms.dates if not any(date.agrees_with(other) for other in dates)]
    return missing


def _as_written(name: str, text: str) -> str:
    words = re.findall(r"[^\W_]+(?:[’'.\-][^\W_]+)*", text)
    return next((word for word in words if name in read_terms(f"x {word}").names), name)
