"""Planted errors: from correct cited sentences make wrong ones. `eval.checkers` sees what a checker makes of both.

Every planted error changes one stretch of a sentence, or of the words it cites, and nothing else:
``claim.sentence[:at] + after + claim.sentence[at + len(before):]``.
"""

import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from index.article import Article
from index.errors import InputError
from index.readers import Unread, read_articles
from index.sentences import split_sentences
from rag.lexicon import FUNCTION_WORDS, MONTHS, NUMBER_WORDS, PLACES, SPEECH, fold
from rag.terms import read_terms

__all__ = [
    "KINDS", "SEED", "Claim", "Planted", "Pool", "load_articles", "load_claims", "perturb", "verbatim_claims",
]  # fmt: skip

PARAPHRASES = Path(__file__).resolve().parent / "cases" / "paraphrases.jsonl"
SEEDS = Path(__file__).resolve().parent.parent / "seeds" / "articles.jsonl"
SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Hold a sentence that is true to the words it cites: `quote`, from `start` to `end` of a stored article."""

    article_id: str
    revision: int
    start: int
    end: int
    quote: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """Hold a wrong sentence, or a right one that cites other words, and what was changed.

    `before` stood at `at` of the claim's sentence and became `after`; for the kind "passage" they are the quotes, and
    `at` is 0.
    """

    kind: str
    claim: Claim
    sentence: str
    quote: str
    at: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Hold a stretch of a sentence that bears a meaning, and what could stand there instead."""

    at: int
    before: str
    instead: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Hold what errors are made of: the people of some articles, and each article's sentences."""

    people: tuple[str, ...]
    sentences: Mapping[tuple[str, int], tuple[str, ...]]

    @classmethod
    def of(cls, articles: Iterable[Article]) -> "Pool":
        """Return the pool of some articles."""
        people, sentences = set(), {}
        for article in articles:
            people |= {match[0] for match in _FULL_NAME.finditer(article.text) if _is_person(match[0])}
            sentences[article.id, article.revision] = tuple(s.of(article.text) for s in split_sentences(article.text))
        return cls(people=tuple(sorted(people)), sentences=sentences)


# --- the stretches that bear a meaning ------------------------------------------------------------------------------

_SMALL = [word for word in NUMBER_WORDS if word not in {"zero", "one", "dozen"} and not word.endswith("ty")]
_TENS = [word for word in NUMBER_WORDS if word.endswith("ty")]
_UNITS_OF_TENS = _SMALL[:8]
_COMPOUND = re.compile(rf"\b({'|'.join(_TENS)})-({'|'.join(['one', *_UNITS_OF_TENS])})\b", re.IGNORECASE)
_NUMBER_WORD = re.compile(rf"(?<![\w-])({'|'.join([*_SMALL, *_TENS])})(?![\w-])", re.IGNORECASE)
_DIGITS = re.compile(r"(?<![\w.,-])\d+(?:[.,]\d+)*(?!\w)")
_MONTH_NAMES = [name.capitalize() for name in MONTHS if len(name) > 4 or name in {"may", "june", "july"}]
_MONTH = "|".join(_MONTH_NAMES)
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_DAY = re.compile(rf"\b\d{{1,2}}(?=(?: (?:and|to|or) \d{{1,2}})? (?:{_MONTH})\b)")
_MONTH_IN_DATE = re.compile(rf"(?:(?<=\d )|(?<=[Ii]n )|(?<=[Oo]f )|(?<=early )|(?<=late )|(?<=mid-))({_MONTH})\b")
_YEAR = re.compile(r"(?<![\w.,-])((?:19|20)\d\d)(?![\w,.]*\d)(?!\w)")
_WEEKDAY = re.compile(rf"\b({'|'.join(_WEEKDAYS)})\b")

_PARTICLES = "von|van|der|den|de|da|di|la|bin|al"
_CAPITALISED = r"[A-Z][\w’'-]*[a-z]"
_FULL_NAME = re.compile(rf"\b{_CAPITALISED}(?:(?: (?:{_PARTICLES}))* {_CAPITALISED})+\b")
_NO_PERSON = frozenset(
    """
    assembly asia bank channel coalition commission conference council court desk economic european forum fund general
    group house institute international kingdom list minister ministry nation national nations new news nordic office
    parliament party post prioritised president prime public radio recovery requirements secretary service southeast
    state states times treaty union university white willing world american western eastern northern southern british
    """.split()
)
_ORGANISATIONS = (
    "World Bank", "European Commission", "European Union", "United Nations", "International Monetary Fund",
    "British Council", "African Union", "Red Cross",
)  # fmt: skip
_ACRONYMS = ("NATO", "UNESCO", "UNICEF", "OPEC")
_SPOKE = re.compile(rf"\b(?:{'|'.join(sorted(SPEECH))}|maintained|spoke|listed|counts?|counted|expects|excluded)\b")
_REACH = 60  # characters between a speech verb and its speaker, an apposition included

_COUNTRIES = (
    "Britain France Germany Italy Spain Poland Norway Sweden Denmark Canada Russia Ukraine Ireland Bulgaria "
    "Belgium Iceland Estonia Latvia Lithuania Finland Portugal Austria Greece Turkey Japan".split()
)
_ADJECTIVES = (
    "British French German Italian Spanish Polish Norwegian Swedish Danish Canadian Russian Ukrainian Irish "
    "Bulgarian Belgian Finnish Portuguese Austrian Greek Turkish Japanese Dutch American".split()
)
_CITIES = (
    "London Paris Berlin Rome Madrid Warsaw Oslo Ottawa Moscow Kyiv Brussels Washington Vladivostok Belfast Sofia "
    "Anchorage Plovdiv Sopot Vienna Geneva Helsinki Ankara Tokyo".split()
)
_PLACE_COLUMNS = tuple(tuple(column) for column in (_COUNTRIES, _ADJECTIVES, _CITIES))

_SCALES = {"million": ("billion",), "billion": ("million",), "thousand": ("million",), "percent": ("per thousand",)}
_SYMBOLS = {"€": ("$", "£"), "$": ("€", "£"), "£": ("€", "$")}
_CODES = {"EUR": ("USD", "GBP"), "USD": ("EUR", "GBP"), "CAD": ("USD", "EUR"), "GBP": ("EUR", "USD")}
_MEASURES = {
    "seconds": ("minutes", "hours"), "minutes": ("seconds", "hours"), "hours": ("minutes", "days"),
    "hour": ("minute", "day"), "days": ("weeks", "months"), "weeks": ("days", "months"), "months": ("weeks", "years"),
    "years": ("months", "weeks"), "metres": ("kilometres", "centimetres"), "kilometres": ("metres",),
    "euros": ("dollars", "pounds"), "dollars": ("euros", "pounds"), "pounds": ("euros", "dollars"),
}  # fmt: skip
_COUNT = rf"(?:\d|\ban|\bhalf a|\b(?:{'|'.join([*_SMALL, *_TENS])}))"
_UNIT_WORD = re.compile(
    rf"(?:{_COUNT} )({'|'.join({**_SCALES, **_MEASURES})})\b|(?:illion )(euros|dollars|pounds)\b", re.IGNORECASE
)
_UNIT_BEFORE = re.compile(r"[€£$](?=\d)|\b(?:EUR|USD|CAD|GBP)(?= \d)")

_BE_OR_MODAL = "is|are|was|were|will|would|can|could|should|must|may|might"
_NOT = re.compile(rf"\b(?:{_BE_OR_MODAL}|do|does|did|has|have|had) (not )(?=[a-z])")
_PARTICIPLE = "[a-z]+(?:ed|en)|put|come|made|met|said|paid|sent|had"
_AUXILIARY = re.compile(
    rf"\b(?:(?:{_BE_OR_MODAL})(?= [a-z])|(?:has|have|had)(?= (?:{_PARTICIPLE})\b))(?! (?:not|no|only)\b)"
)

_QUOTED = re.compile(r"\"[^\"\n]{2,200}\"|“[^”\n]{2,200}”")
_INSTEAD = (  # what a quoted word can become, by its ending
    (r"ing$", tuple("leaving losing stopping waiting selling counting".split())),
    (r"ed$", tuple("closed halted shared delayed counted moved".split())),
    (r"(?:able|ible|al|ar|ous|ive|ful|less)$", tuple("costly distant limited modest narrow sudden".split())),
    (r"s$", tuple("claims deals limits orders plans votes".split())),
    (r"", tuple("claim deal halt limit order plan threat vote".split())),
)
_PLAIN_WORD = re.compile(r"(?<![\w’'-])[a-z]{4,}(?![\w’'-])")


def _is_person(name: str) -> bool:
    words = name.split()
    return "'s " not in f"{name} " and "’s " not in f"{name} " and not any(
        fold(word) in PLACES or fold(word) in _NO_PERSON or word.lower() in MONTHS or word in _WEEKDAYS
        or (word[0].isupper() and fold(word) in FUNCTION_WORDS)
        for word in words
    )  # fmt: skip


def _like(model: str, word: str) -> str:
    return word[:1].upper() + word[1:] if model[:1].isupper() else word


def _number_edits(sentence: str, pool: Pool) -> Iterator[Edit]:
    dated = [(edit.at, edit.at + len(edit.before)) for edit in _date_edits(sentence, pool)]
    for match in _DIGITS.finditer(sentence):
        if not any(start < match.end() and match.start() < end for start, end in dated):
            first, rest = match[0][0], match[0][1:]
            yield Edit(match.start(), match[0], tuple(f"{digit}{rest}" for digit in "123456789" if digit != first))
    compounds = []
    for match in _COMPOUND.finditer(sentence):
        compounds.append(match.span())
        others = tuple(f"{match[1]}-{word}" for word in _UNITS_OF_TENS if word != match[2].lower())
        yield Edit(match.start(), match[0], others)
    for match in _NUMBER_WORD.finditer(sentence):
        if not any(start <= match.start() < end for start, end in compounds):
            family = _TENS if match[1].lower() in _TENS else _SMALL
            others = tuple(_like(match[1], word) for word in family if word != match[1].lower())
            yield Edit(match.start(), match[1], others)


def _date_edits(sentence: str, pool: Pool) -> Iterator[Edit]:
    for match in _DAY.finditer(sentence):
        days = tuple(str(day) for day in range(1, 29) if str(day) != match[0])
        yield Edit(match.start(), match[0], days)
    for match in _MONTH_IN_DATE.finditer(sentence):
        yield Edit(match.start(), match[0], tuple(month for month in _MONTH_NAMES if month != match[0]))
    for match in _WEEKDAY.finditer(sentence):
        yield Edit(match.start(), match[0], tuple(day for day in _WEEKDAYS if day != match[0]))
    for match in _YEAR.finditer(sentence):
        year = int(match[0])
        yield Edit(match.start(), match[0], tuple(str(year + more) for more in (-3, -2, -1, 1, 2, 3)))


def _people(sentence: str, pool: Pool) -> Iterator[Edit]:
    """Yield the people of a sentence, by full name or by a surname that the pool knows."""
    taken: list[tuple[int, int]] = []
    for match in _FULL_NAME.finditer(sentence):
        taken.append(match.span())
        if match[0] in pool.people:
            others = tuple(p for p in pool.people if p.split()[-1] not in sentence and p.split()[-1] not in match[0])
            yield Edit(match.start(), match[0], others)
    surnames = sorted({person.split()[-1] for person in pool.people if person.count(" ") == 1})  # none with a "von"
    for match in re.finditer(rf"\b(?:{'|'.join(map(re.escape, surnames)) or '(?!)'})\b", sentence):
        if not any(start <= match.start() < end for start, end in taken):
            yield Edit(match.start(), match[0], tuple(name for name in surnames if name not in sentence))


def _is_speaker(edit: Edit, sentence: str) -> bool:
    end = edit.at + len(edit.before)
    for verb in _SPOKE.finditer(sentence):
        between = sentence[end : verb.start()] if verb.start() >= end else sentence[verb.end() : edit.at]
        if len(between) <= _REACH and (
            not between.strip() or re.fullmatch(r"(?:, [^,]+,| to|, who|’s office|'s office)? ?", between)
        ):
            return True
    return False


def _speaker_edits(sentence: str, pool: Pool) -> Iterator[Edit]:
    return (edit for edit in _people(sentence, pool) if _is_speaker(edit, sentence))


def _name_edits(sentence: str, pool: Pool) -> Iterator[Edit]:
    yield from (edit for edit in _people(sentence, pool) if not _is_speaker(edit, sentence))
    for column in (_ORGANISATIONS, _ACRONYMS):
        for match in re.finditer(rf"\b(?:{'|'.join(column)})\b", sentence):
            yield Edit(match.start(), match[0], tuple(other for other in column if other not in sentence))


def _place_edits(sentence: str, pool: Pool) -> Iterator[Edit]:
    for column in _PLACE_COLUMNS:
        for match in re.finditer(rf"(?<!-)\b(?:{'|'.join(column)})\b", sentence):
            yield Edit(match.start(), match[0], tuple(place for place in column if place not in sentence))


def _unit_edits(sentence: str, pool: Pool) -> Iterator[Edit]:
    for match in _UNIT_BEFORE.finditer(sentence):
        yield Edit(match.start(), match[0], {**_SYMBOLS, **_CODES}[match[0]])
    for match in _UNIT_WORD.finditer(sentence):
        group = 1 if match[1] else 2
        yield Edit(match.start(group), match[group], {**_SCALES, **_MEASURES}[match[group].lower()])


def _negation_edits(sentence: str, pool: Pool) -> Iterator[Edit]:
    negated = [Edit(match.start(1), match[1], ("",)) for match in _NOT.finditer(sentence)]
    yield from negated
    if not negated:
        yield from (Edit(m.start(), m[0], (f"{m[0]} not",)) for m in _AUXILIARY.finditer(sentence))


def _quote_edits(sentence: str, pool: Pool) -> Iterator[Edit]:
    for quotation in _QUOTED.finditer(sentence):
        for match in _PLAIN_WORD.finditer(quotation[0]):
            if match[0] not in FUNCTION_WORDS:
                others = next(words for ending, words in _INSTEAD if re.search(ending, match[0]))
                others = tuple(word for word in others if word not in sentence)
                yield Edit(quotation.start() + match.start(), match[0], others)


_EDITS: Mapping[str, Callable[[str, Pool], Iterator[Edit]]] = {
    "number": _number_edits, "date": _date_edits, "name": _name_edits, "speaker": _speaker_edits,
    "negation": _negation_edits, "unit": _unit_edits, "place": _place_edits, "quote": _quote_edits,
}  # fmt: skip
KINDS = (*_EDITS, "passage")
"""The kinds of errors: "passage" leaves the sentence as it is and cites other words of the same article."""


def perturb(claim: Claim, kind: str, pool: Pool, *, seed: int = SEED) -> Planted | None:
    """Return the claim with one error of a kind planted, or None where its sentence has nothing of that kind.

    The same claim, kind, pool and seed give the same error.
    """
    chance = random.Random(f"{seed} {kind} {claim.article_id} {claim.start} {claim.sentence}")
    if kind == "passage":
        return _with_other_passage(claim, pool, chance)
    edits = sorted((e for e in _EDITS[kind](claim.sentence, pool) if e.instead), key=lambda edit: edit.at)
    if not edits:
        return None
    edit = chance.choice(edits)
    after = chance.choice(edit.instead)
    wrong = claim.sentence[: edit.at] + after + claim.sentence[edit.at + len(edit.before) :]
    return Planted(
        kind=kind, claim=claim, sentence=wrong, quote=claim.quote, at=edit.at, before=edit.before, after=after
    )


def _with_other_passage(claim: Claim, pool: Pool, chance: random.Random) -> Planted | None:
    wanted = set(read_terms(claim.sentence).stems)
    others = [
        other for other in pool.sentences.get((claim.article_id, claim.revision), ())
        if other not in claim.quote and claim.quote not in other
        and 2 * len(wanted & set(read_terms(other).stems)) < len(wanted)
    ]  # fmt: skip
    if not others:
        return None
    other = chance.choice(others)
    return Planted(
        kind="passage", claim=claim, sentence=claim.sentence, quote=other, at=0, before=claim.quote, after=other
    )


# --- the right sentences --------------------------------------------------------------------------------------------


def load_articles(path: Path = SEEDS) -> list[Article]:
    """Read the articles of a file, revisions of one id numbered from 1 in their order."""
    articles: list[Article] = []
    for found in read_articles(path):
        if isinstance(found, Unread):
            raise InputError(f"{found.where}: {found.reason}")
        revision = 1 + sum(article.id == found.id for article in articles)
        articles.append(replace(found, revision=revision))
    return articles


def verbatim_claims(articles: Iterable[Article]) -> list[Claim]:
    """Return every sentence of the articles as a claim that cites itself."""
    return [
        Claim(
            article_id=a.id, revision=a.revision, start=span.start, end=span.end,
            quote=span.of(a.text), sentence=span.of(a.text),
        )
        for a in articles for span in split_sentences(a.text)
    ]  # fmt: skip


def load_claims(articles: Iterable[Article], path: Path = PARAPHRASES) -> list[Claim]:
    """Read paraphrases written by hand; raise `InputError` naming the line whose quote is not at its place."""
    held = {(article.id, article.revision): article for article in articles}
    claims = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        data = json.loads(line)
        article = held.get((data["article_id"], data["revision"]))
        words = article.text[data["start"] : data["end"]] if article else None
        if words != data["quote"]:
            raise InputError(f"{path.name}:{number}: {data['article_id']} reads {words!r} there; correct the line")
        sentence = data["paraphrase"]
        place = {name: data[name] for name in ("article_id", "revision", "start", "end", "quote")}
        claims.append(Claim(**place, sentence=sentence))
    return claims
