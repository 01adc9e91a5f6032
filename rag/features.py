"""What speaks for a candidate sentence: the features from which the `Quoter` chooses.

The levels within a feature, such as 0.8 for a word of the same group, are by hand; their weights by `eval.fit.quoter`.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from index.article import Article
from index.dates import utc_day
from index.news_index import NewsIndex
from rag.candidates import Candidate, article_terms
from rag.lexicon import CONCEPTS, PRONOUN_OPENING, SPEECH
from rag.parts import Part
from rag.reader import READINGS, Readings
from rag.terms import Date, Number, Terms, is_held, read_terms, stem

__all__ = [
    "FEATURES",
    "Features",
    "Rarities",
    "day_of",
    "features",
    "rarities",
    "title_of",
    "with_known_names",
]

Features = npt.NDArray[np.float64]

FEATURES = (
    "meaning_passage",  # cosine of question and passage
    "words",            # share of the question's content words in the sentence, by rarity
    "words_near",       # the same, with title and neighbouring sentences
    "names",            # share of the question's names in the sentence, by rarity
    "names_near",       # the same, with title and neighbouring sentences
    "names_article",    # the same, in the whole article
    "subject",          # the name that the question is about is in the sentence, or a pronoun behind it
    "numbers",          # share of the question's numbers in the sentence
    "dates",            # the question's dates agree with those of the sentence or its article's day
    "type",             # the sentence holds the kind of thing that is asked for
    "noun",             # the sentence holds the thing that is counted or chosen: "how many *children*"
    "news",             # share of the sentence that the question does not say itself
    "lead",             # how near to the beginning of its article
    "length",           # logarithm of the number of words
    "pronoun",          # it begins with a pronoun and cannot stand alone
    "retrieved",        # score of its passage in the search
    "recency",          # of a figure asked for: how new its article is among those found
    "names_listed",     # of a list asked for: logarithm of the number of names in the sentence
    "another_day",      # the sentence has dates, and all contradict those of the question
    *READINGS,          # what the reader says of the sentence
)  # fmt: skip


Rarities = dict[str, float]
"""How rare each word or name of the question is in the index: from 0.05, in every passage, to 1, in none."""


def with_known_names(part: Part, found: Sequence[Candidate]) -> Terms:
    """Return the terms of a part of a question; a word that the articles write as a name counts as one.

    So "what did macron say" is about Macron, as the articles know him.
    """
    written = {name for candidate in found for name in read_terms(candidate.text).names}
    known = {word: key for key in sorted(part.terms.keys & written) for word in (read_terms(key).stems or (key,))}
    names = tuple(dict.fromkeys([*part.terms.names, *(known[word] for word in part.terms.stems if word in known)]))
    stems = tuple(word for word in part.terms.stems if word not in known)
    return replace(part.terms, names=names, stems=stems)


def rarities(index: NewsIndex, terms: Terms) -> Rarities:
    """Return the inverse document frequency of the names and stems of a question, scaled to 0..1.

    A stem is counted by a word that has it, which the index stems itself: the stem of a stem may be another one.
    """
    word_of = {stem(key): key for key in sorted(terms.keys)}
    words = [*terms.names, *(word_of.get(own, own) for own in terms.stems)]
    counts, passages = index.document_frequency(words)
    most = math.log(1 + passages) or 1.0
    return {
        term: max(0.05, math.log((1 + passages) / (1 + count)) / most)
        for term, count in zip((*terms.names, *terms.stems), counts, strict=True)
    }


def features(part: Part, terms: Terms, found: Sequence[Candidate], rarity: Rarities, read: Readings) -> Features:
    """Return shape ``(len(found), len(FEATURES))``, float64; columns in the order of `FEATURES`."""
    ages = _recency(found)
    rows = [_row(part, terms, candidate, rarity, age) for candidate, age in zip(found, ages, strict=True)]
    own = np.array(rows, dtype=np.float64).reshape(len(found), len(FEATURES) - len(READINGS))
    return np.hstack([own, read])


def _recency(found: Sequence[Candidate]) -> list[float]:
    """Return for each candidate how new its article is, from 0 for the oldest of those found to 1."""
    days = {c.article.published: utc_day(c.article.published).toordinal() for c in found if c.article.published}
    if not days:
        return [0.5] * len(found)
    oldest, newest = min(days.values()), max(days.values())
    span = max(1, newest - oldest)
    return [(days[c.article.published] - oldest) / span if c.article.published else 0.5 for c in found]


def _row(part: Part, terms: Terms, candidate: Candidate, rarity: Rarities, age: float) -> list[float]:
    own, article = read_terms(candidate.text), article_terms(candidate.article.text)
    title = read_terms(title_of(candidate.article))
    near = [own, title, read_terms(candidate.before), read_terms(candidate.after)]
    day = day_of(candidate.article)
    values = {
        "meaning_passage": candidate.hit.scores["dense"],
        "words": _words_share(terms, [own], rarity),
        "words_near": _words_share(terms, near, rarity),
        "names": _names_share(terms, [own], rarity),
        "names_near": _names_share(terms, near, rarity),
        "names_article": _names_share(terms, [article, title], rarity),
        "subject": _subject(part, terms, own, candidate),
        "numbers": _numbers_share(terms.numbers, own.numbers),
        "dates": _dates_agree(terms.dates, own.dates, article.dates, day),
        "type": _fits(part.asks, terms, own, candidate.text),
        "noun": _noun(part, own),
        "news": _news(terms, own),
        "lead": 1 / (1 + candidate.place),
        "length": math.log(1 + len(candidate.text.split())),
        "pronoun": float(bool(PRONOUN_OPENING.match(candidate.text))),
        "retrieved": candidate.hit.score,
        "recency": age if part.asks in ("number", "money") else 0.5,
        "names_listed": math.log(1 + len(own.names)) if part.lists else 0.0,
        "another_day": float(
            bool(terms.dates and own.dates)
            and not any(date.agrees_with(other) for date in terms.dates for other in own.dates)
        ),
    }
    return [values[name] for name in FEATURES if name in values]


def _words_share(terms: Terms, texts: Sequence[Terms], rarity: Rarities) -> float:
    """Return how much of the question's content the texts hold; a word of the same group counts for 0.8."""
    stems = {stem for text in texts for stem in text.stems}
    concepts = {concept for text in texts for concept in text.concepts}
    total = sum(rarity.get(stem, 1.0) for stem in terms.stems)
    if not total:
        return 1.0
    akin = frozenset().union(*(_stems_of(group) for group in terms.concepts & concepts))
    held = sum(rarity.get(stem, 1.0) * (1.0 if stem in stems else 0.8 if stem in akin else 0.0) for stem in terms.stems)
    return held / total


@lru_cache(maxsize=256)
def _stems_of(group: str) -> frozenset[str]:
    return frozenset(stem(word) for word, its_group in CONCEPTS.items() if its_group == group)


def _names_share(terms: Terms, texts: Sequence[Terms], rarity: Rarities) -> float:
    total = sum(rarity.get(name, 1.0) for name in terms.names)
    if not total:
        return 1.0
    keys = frozenset().union(*(text.keys for text in texts))
    return sum(rarity.get(name, 1.0) for name in terms.names if is_held(name, keys)) / total


def _subject(part: Part, terms: Terms, own: Terms, candidate: Candidate) -> float:
    subject = part.subject or (terms.names[:1] if part.asks == "speech" else ())
    if not subject:
        return 0.5
    if any(is_held(name, own.keys) for name in subject):
        return 1.0
    before = read_terms(candidate.before)
    if any(is_held(name, before.keys) for name in subject):
        return 0.7 if PRONOUN_OPENING.match(candidate.text) else 0.3
    return 0.0


def _numbers_share(asked: frozenset[Number], held: frozenset[Number]) -> float:
    if not asked:
        return 1.0
    values = {number.value for number in held}
    return sum(number.value in values for number in asked) / len(asked)


def _dates_agree(asked: frozenset[Date], own: frozenset[Date], article: frozenset[Date], day: Date | None) -> float:
    """Return 1 when the sentence agrees with a date of the question, 0.9 for its day, 0.5 for its article's text."""
    if not asked:
        return 1.0
    if any(date.agrees_with(other) for date in asked for other in own):
        return 1.0
    if day and any(date.agrees_with(day) for date in asked):
        return 0.9
    return 0.5 if any(date.agrees_with(other) for date in asked for other in article) else 0.0


def title_of(article: Article) -> str:
    """Return the title and the source of an article."""
    return f"{article.title or ''} {article.source or ''}"


def day_of(article: Article) -> Date | None:
    """Return the day on which an article appeared, in UTC."""
    if not article.published:
        return None
    day = utc_day(article.published)
    return Date(day.year, day.month, day.day)


_TIME = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:yesterday|today|tomorrow|morning|evening|night|afternoon|noon|"
    r"hours?|days?|weeks?|months?|years?|century|decade|until|since)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\b(?:in|at|near|to|from|over|outside|inside|across|of)\s+(?:the\s+)?(?P<name>[A-Z][\w’'-]+)")
_REASON = re.compile(
    r"\b(?:because|after|since|due to|so that|in order to|citing|owing to|over|amid|as a result|therefore|to (?:avoid|"
    r"prevent|counter|protect|help|stop|end|raise|increase|show))\b|, as\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[“«\"„][^”»\"]{3,}")


def _fits(asks: str, terms: Terms, own: Terms, text: str) -> float:
    """Return how well a sentence holds the kind of thing asked for, beyond what the question says itself."""
    asked_values = {number.value for number in terms.numbers}
    fresh = [number for number in own.numbers if number.value not in asked_values]
    if asks == "money":
        return 1.0 if any(number.unit not in ("", "%") for number in fresh) else 0.3 if fresh else 0.0
    if asks == "number":
        return 1.0 if fresh else 0.0
    if asks == "time":
        return 1.0 if own.dates - terms.dates else 0.7 if _TIME.search(text) else 0.0
    if asks == "place":
        places = {read_terms(f"x {match['name']}").names for match in _PLACE.finditer(text)}
        return 1.0 if any(set(names) - set(terms.names) for names in places) else 0.0
    if asks == "reason":
        return 1.0 if _REASON.search(text) else 0.0
    if asks == "speech":
        return 1.0 if _QUOTED.search(text) else 0.7 if own.keys & SPEECH else 0.0
    if asks == "name":
        return 1.0 if set(own.names) - set(terms.names) else 0.0
    return 0.5


def _noun(part: Part, own: Terms) -> float:
    if not part.nouns:
        return 0.5
    concepts = {CONCEPTS[noun] for noun in part.nouns if noun in CONCEPTS}
    stems = {stem(noun) for noun in part.nouns}
    return 1.0 if stems & set(own.stems) or concepts & own.concepts else 0.0


def _news(terms: Terms, own: Terms) -> float:
    said = [*own.stems, *own.names]
    known = {*terms.stems, *terms.names}
    return sum(word not in known for word in said) / len(said) if said else 0.0
