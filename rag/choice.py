"""Which of the scored sentences are quoted: the best one, and those that a linear model tells to be answers too.

No more is quoted than the question asks for, and of what is no list or table four sentences or 120 words. A table with
three sums or more takes nothing else; of a toll that rises the newest count alone is quoted. What an article says again
is left out, and of a comparison the other side is quoted where it is less sure.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
import numpy.typing as npt

from index.article import Article
from index.duplicates import is_near_copy
from rag.candidates import MAX_WORDS, Candidate, whereabouts
from rag.features import FEATURES, Features
from rag.lexicon import SEATS
from rag.parts import TOLLS, Part
from rag.quoter_model import LinearModel, QuoterModel, further_signs
from rag.terms import Terms, is_held, read_terms

__all__ = ["Chosen", "Scored", "choose", "same_report"]

_MAX_SENTENCES = 4  # a thing is seldom told in more versions; by hand, as all numbers here
_MAX_LISTED = 12
_LEAST_SIDES = 2
_LEAST_SUMS = 3  # of two, either may stand there by chance; four did as well over seeds/
_TOLL_RISES_S = 14 * 24 * 3600  # what is counted weeks later, or was weeks before, is mostly another event
_FEW = 2  # "one" and "two" are said of anything
_MORE = re.compile(r"\b(?:also|another|too|more|other|others|further|additional|second)\b", re.IGNORECASE)
_GROUP = r"(?:child(?:ren)?|kids?|minors?|teenagers?|boys?|girls?|wom[ae]n)(?![’'])"
_FIRST_REPORTS = re.compile(
    r"\b(?:early|earlier|first|initial) (?:reports?|counts?|figures?|tolls?|estimates?)\b"
    r"|\breports? (?:published|made|issued) (?:[a-z]+ ){0,3}early\b",
    re.IGNORECASE,
)
_EARLY = re.compile(r"\b(?:first|earl(?:y|ier|iest)|initial(?:ly)?|originally|at the time)\b", re.IGNORECASE)
_NAME = re.compile(r"\b[A-Z][\w’'-]*(?: [A-Z][\w’'-]*)*")


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


@dataclass(frozen=True, slots=True)
class Chosen:
    """Hold a candidate that is quoted, and the other articles that print it."""

    candidate: Candidate
    copies: tuple[Article, ...]


def choose(scored: Scored, kind: str, model: QuoterModel) -> list[Chosen]:
    """Return what is quoted for one part of a question, in the order in which it is said."""
    if kind == "count":
        scored = _latest_toll(scored, model)
    quotable = _quotable(scored, kind, model)
    chosen: list[Chosen] = []
    for place, candidate in enumerate(scored.candidates):
        copied = next((at for at, c in enumerate(chosen) if same_report(c.candidate.text, candidate.text)), None)
        if copied is not None:
            chosen[copied] = _with_copy(chosen[copied], candidate.article)
        elif place in quotable and _has_room(scored, [each.candidate for each in chosen], candidate, kind):
            chosen.append(Chosen(candidate, ()))
    return _in_order(chosen, kind)


def _has_room(scored: Scored, chosen: Sequence[Candidate], candidate: Candidate, kind: str) -> bool:
    """Tell whether a candidate may be quoted beside the chosen ones; the first always may."""
    listing = kind in ("list", "table")
    if not chosen:
        return True
    if len(chosen) >= (_MAX_LISTED if listing else _MAX_SENTENCES) or _is_full(scored, chosen):
        return False
    if not listing and kind != "quote" and any(_says_again(candidate, other) for other in chosen):
        return False
    return listing or sum(len(each.text.split()) for each in (*chosen, candidate)) <= MAX_WORDS


def _quotable(scored: Scored, kind: str, model: QuoterModel) -> frozenset[int]:
    """Return the places of the best candidate and of those that answer too.

    Of a table with sums they are those with one, and of a comparison one at least of each name in the question.
    """
    odds = model.further.score(further_signs(scored.rows, scored.scores, whereabouts(scored.candidates)))
    quotable = frozenset({0, *np.flatnonzero(odds >= model.least[kind]).tolist()})
    if kind == "compare":
        likely = np.flatnonzero(odds >= model.least[kind] - model.side_gap).tolist()
        return quotable | _other_sides(scored, quotable, likely)
    return _with_sums(scored, quotable) if kind == "table" else quotable


def _with_sums(scored: Scored, quotable: frozenset[int]) -> frozenset[int]:
    """Return those of the quotable candidates that hold a sum, where there are enough of them, else all."""
    sums = frozenset(
        place for place in quotable if any(n.unit for n in read_terms(scored.candidates[place].text).numbers)
    )
    return sums if len(sums) >= _LEAST_SUMS else quotable


def _other_sides(scored: Scored, quotable: Iterable[int], likely: Sequence[int]) -> frozenset[int]:
    """Return the first of the likely candidates about each name in the question that no quotable one holds.

    Each is like the best candidate: it has a number where that has one, or speaks of something that it speaks of.
    """
    names = scored.terms.names
    if len(names) < _LEAST_SIDES:
        return frozenset()
    terms = [read_terms(candidate.text) for candidate in scored.candidates]
    held = frozenset().union(*(terms[place].keys for place in quotable))
    alike = [
        place for place in likely
        if (terms[place].numbers and terms[0].numbers) or terms[place].concepts & terms[0].concepts
    ]  # fmt: skip
    about = [[at for at in alike if is_held(name, terms[at].keys)][:1] for name in names if not is_held(name, held)]
    return frozenset(place for first in about for place in first)


def _says_again(candidate: Candidate, other: Candidate) -> bool:
    """Tell whether a sentence says the same as another one of its article, with no figure, day or name more."""
    if candidate.article.id != other.article.id or _MORE.search(candidate.text):
        return False
    own, held = read_terms(candidate.text), read_terms(other.text)
    tells = any(number.unit or number.value > _FEW for number in own.numbers)
    same = own.concepts <= held.concepts and own.numbers <= held.numbers and own.dates <= held.dates
    return tells and same and {*own.names} <= {*held.names}


def _in_order(chosen: Sequence[Chosen], kind: str) -> list[Chosen]:
    if kind == "count":  # figures change from day to day: the latest comes first
        return sorted(chosen, key=lambda each: each.candidate.article.sort_key(), reverse=True)
    if kind in ("list", "table", "compare"):
        return sorted(chosen, key=lambda each: (each.candidate.article.sort_key(), each.candidate.span.start))
    return list(chosen)


def same_report(one: str, other: str) -> bool:
    """Tell whether two sentences are one report, printed twice: another name makes it another one."""
    return is_near_copy(one, other) and set(read_terms(one).names) == set(read_terms(other).names)


def _with_copy(chosen: Chosen, article: Article) -> Chosen:
    return chosen if article.id == chosen.candidate.article.id else replace(chosen, copies=(*chosen.copies, article))


def _latest_toll(scored: Scored, model: QuoterModel) -> Scored:
    """Keep the newest count of the dead, the injured or the arrested, where one scores little less than the best one.

    Such a toll rises for some days: of those that appeared within two weeks of the best candidate, before it or after,
    the newest takes the place of the others, and of what tells no figure, unless the question asks for an early one, or
    for another day than it tells. Every other question keeps its candidates.
    """
    published = [candidate.article.sort_key()[0] for candidate in scored.candidates]
    if not scored.part.toll or _EARLY.search(scored.part.text) or not isfinite(published[0]):
        return scored
    counted = scored.terms.concepts & TOLLS
    asked = {number.value for number in scored.terms.numbers}
    least = float(scored.scores[0]) - model.toll_gap
    other_day = scored.rows[:, FEATURES.index("another_day")] > 0
    tolls = []
    for place, (candidate, own) in enumerate(zip(scored.candidates, scored.scores, strict=True)):
        terms = read_terms(candidate.text)
        counts = any(number.value not in asked and not number.unit for number in terms.numbers)
        of_the_event = abs(published[place] - published[0]) <= _TOLL_RISES_S and not other_day[place]
        if own >= least and counts and counted & terms.concepts and of_the_event:
            tolls.append(place)
    tolls = [place for place in tolls if not _counts_some(scored.candidates[place].text, scored.part.text)] or tolls
    newest = max((published[place] for place in tolls), default=0.0)
    return scored.only([place for place in tolls if published[place] == newest]) if tolls else scored


def _counts_some(text: str, question: str) -> bool:
    """Tell whether a toll is that of the first reports, or of a group of the victims that is not asked for."""
    numbers = read_terms(text).numbers
    if len(numbers) != 1:
        return False
    (number,) = numbers
    group = re.search(
        rf"\b{re.escape(number.written)}(?: {_GROUP}\b| of\b.*\b(?:was|were|is|are)(?: an?)? {_GROUP}\b)", text
    )
    return bool(_FIRST_REPORTS.search(text) or (group and not re.search(rf"\b{_GROUP}\b", question)))


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
