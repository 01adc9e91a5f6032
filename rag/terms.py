"""What a text is about, as sets that can be compared: names, words, numbers, dates."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from math import prod
from typing import TYPE_CHECKING

from rag.lexicon import CONCEPTS, FUNCTION_WORDS, MONTHS, NUMBER_WORDS, PHRASES, PLACES, SEATS, SPELLINGS, fold

if TYPE_CHECKING:
    import Stemmer

__all__ = [
    "CURRENCIES",
    "DATE",
    "PHRASE",
    "WORD",
    "Date",
    "Number",
    "Terms",
    "Word",
    "is_held",
    "read_terms",
    "read_word",
    "stem",
]


@dataclass(frozen=True, slots=True)
class Number:
    """Hold a number of a text; `unit` is "%", a currency code or empty, `written` how the text has it."""

    value: float
    unit: str = ""
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Date:
    """Hold as much of a date as a text gives."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    def __str__(self) -> str:
        """Return what is known, as in 28 August 2025."""
        month = next((name for name, number in MONTHS.items() if number == self.month), "").capitalize()
        return " ".join(str(part) for part in (self.day, month, self.year) if part)

    def agrees_with(self, other: "Date") -> bool:
        """Tell whether the two dates share a part and contradict each other in none."""
        pairs = [(self.year, other.year), (self.month, other.month), (self.day, other.day)]
        known = [(mine, theirs) for mine, theirs in pairs if mine is not None and theirs is not None]
        return bool(known) and all(mine == theirs for mine, theirs in known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Hold what a text is about.

    `keys` has every word, folded, a place under its one name. `names` are the keys of words written as names,
    in order. `stems` are the stems of content words that are not names, `concepts` their groups.
    """

    keys: frozenset[str]
    names: tuple[str, ...]
    stems: tuple[str, ...]
    concepts: frozenset[str]
    numbers: frozenset[Number]
    dates: frozenset[Date]

    @classmethod
    def joined(cls, parts: Sequence["Terms"]) -> "Terms":
        """Return what several texts are about, taken together."""
        return cls(
            keys=frozenset().union(*(part.keys for part in parts)),
            names=tuple(dict.fromkeys(name for part in parts for name in part.names)),
            stems=tuple(dict.fromkeys(stem for part in parts for stem in part.stems)),
            concepts=frozenset().union(*(part.concepts for part in parts)),
            numbers=frozenset().union(*(part.numbers for part in parts)),
            dates=frozenset().union(*(part.dates for part in parts)),
        )


PHRASE = re.compile(
    r"(?<!\w)(?:"
    + "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in sorted(PHRASES, key=len, reverse=True))
    + r")(?!\w)",
    re.IGNORECASE,
)
"""A name of several words, or with dots, that is compared as one word."""


def _behind(words: str) -> str:
    return "|".join(rf"(?<=\b{word}[\s-])" for word in words.split())


CURRENCIES = ("EUR", "USD", "GBP", "CAD")
"""What sums are read in, by their codes."""
_CODE, _SIGNS = "|".join(CURRENCIES), "€£$"
_MONEY = "euros?|(?:US |Canadian )?dollars?|pounds?"
_SCALE = "hundred|thousand|million|billion|trillion|bn|mn"
_YEAR = r"(?:19|20)\d\d"
_DAY = r"\d{1,2}"
_TH = "(?:st|nd|rd|th)?"
_MONTH = (
    "|".join(sorted(MONTHS.keys() - {"may", "march"}, key=len, reverse=True))
    + rf"|(?-i:May|MAY|March|MARCH)|(?<=\bon )(?:may|march)|(?:may|march)(?=,?\s+{_YEAR}\b)"
)
"""May and March, names and verbs too, count as they are written, and in lower case where it can be nothing else."""
_BEFORE_MONTH = "in of since until by last next early late mid this during"
_BARE_MONTH = (
    "(?-i:January|February|April|June|July|August|September|October|November|December)"
    + rf"|(?:{_behind(_BEFORE_MONTH)})(?-i:May)"
    + rf"|(?:{_behind(_BEFORE_MONTH + ' and to or from for before after between')})(?-i:March)"
    + r"|\A(?-i:May|March)(?=\W*\Z)"
)
_NO_SUM_BEFORE = rf"(?<![{_SIGNS}])(?<![{_SIGNS}]\s)(?<!(?:{_CODE})\s)"
_NO_SUM_BEHIND = rf"(?![,.]?\d)(?!\s(?:{_MONEY}|{_SCALE})\b)"
_DATES = (
    # 28 August 2025, 28th of August, 28-29 August
    rf"(?:(?P<since>{_DAY}){_TH}\s*(?:[-–]|\b(?:and|or|to|until)\b)\s*)?(?P<day>{_DAY}){_TH}(?:\s+of)?"
    rf"\s+(?P<month>{_MONTH}|(?:may|march)(?=\s*(?:[?.,;:)]|$)))\b\.?(?:,?\s+(?P<year>{_YEAR})\b)?",
    # August 28, 2025
    rf"(?P<month2>{_MONTH})\b\.?\s+(?:(?P<since2>{_DAY}){_TH}\s*(?:[-–]|to\b)\s*)?(?P<day2>{_DAY}){_TH}\b"
    rf"(?!\s*(?:%|million|billion))(?:,?\s+(?P<year2>{_YEAR})\b)?",
    # August 2025; 2025-08-28; 28/08/2025, of which the year alone is sure; 2025; August
    rf"(?P<month3>{_MONTH})\b\.?,?\s+(?P<year3>{_YEAR})\b",
    rf"(?P<year5>{_YEAR})-(?P<month5>\d\d)-(?P<day5>\d\d)",
    rf"{_DAY}(?P<mark>[/.]){_DAY}(?P=mark)(?P<year6>{_YEAR})",
    rf"\b{_NO_SUM_BEFORE}(?P<year4>{_YEAR})\b{_NO_SUM_BEHIND}",
    rf"(?P<month4>{_BARE_MONTH})",
)
_BEGINS = "|".join(sorted({month[:3] for month in MONTHS}))  # a quick look saves half of the time
DATE = re.compile(rf"\b(?=\d|{_BEGINS})(?:{'|'.join(_DATES)})\b", re.IGNORECASE)
_TENS = "|".join(word for word in NUMBER_WORDS if word.endswith("ty"))
_ONES = "|".join(word for word, value in NUMBER_WORDS.items() if 1 <= value <= 9)
_NUMBER_WORD = rf"(?:{_TENS})[\s-](?:{_ONES})|{'|'.join(NUMBER_WORDS)}"
_DIGITS = (
    r"\d{1,3}(?:(?(before)[ \u00a0\u202f]|[\u00a0\u202f])\d{3})+(?!\d)"  # EUR 500 000
    rf"|\d+,\d{{1,2}}(?=\s?(?:{_SCALE}|[mk])\b)"  # 1,5 billion
    r"|\d+(?:[.,]\d{3})*(?:\.\d+)?"
)
_NUMBERS_BEGIN = "".join(sorted({word[0].lower() for word in (*NUMBER_WORDS, *CURRENCIES)}))
_NUMBER = re.compile(
    rf"(?=[\d{_SIGNS}{_NUMBERS_BEGIN}])"  # a quick look saves a fifth of the time
    r"(?<![^\W_])(?<![^\W\d_]-)"  # G7 and F-16 are names
    rf"(?:(?P<before>[{_SIGNS}]|\b(?:{_CODE}|US\$|CA\$))\s?)?"
    r"(?:(?P<low>\d+(?:[.,]\d+)?)\s?[-–]\s?(?=\d))?"
    rf"(?!\d+(?:st|nd|rd|th)\b)(?P<value>{_DIGITS}|\b(?:{_NUMBER_WORD})\b)"
    rf"(?P<scales>(?:[\s-]?(?:{_SCALE})\b|(?<=\d)[mk]\b)*)"
    rf"(?:\s?(?P<after>%|(?:per cent|percent|{_MONEY})\b))?",
    re.IGNORECASE,
)
_SCALES = {"hundred": 1e2, "thousand": 1e3, "k": 1e3, "million": 1e6, "mn": 1e6, "m": 1e6, "billion": 1e9, "bn": 1e9,
           "trillion": 1e12}  # fmt: skip
_UNITS = {"€": "EUR", "£": "GBP", "$": "USD", "us$": "USD", "ca$": "CAD", "%": "%", "per cent": "%", "percent": "%",
          "euro": "EUR", "euros": "EUR", "dollar": "USD", "dollars": "USD", "us dollars": "USD", "us dollar": "USD",
          "canadian dollar": "CAD", "canadian dollars": "CAD", "pound": "GBP", "pounds": "GBP"}  # fmt: skip
WORD = re.compile(r"[^\W_]+(?:[’'.\-&][^\W_]+)*")
_PLAIN_MARKS = str.maketrans("\u02bc\u2011", "’-")
_OF_A_NAME = re.compile(r"(?<=[^\W\d_])-[a-z]+$")
"""What is no name behind a hyphen: Trump-backed."""
_GOES_ON = re.compile(r"\s+(?:[A-Z]|(?:did|has|is|was|will|and|says?|said|von|van|de|der|den|di|la|le|al|bin)\b)")
_SENTENCE_START = re.compile(r"(?:^|[.!?:]\s+|[\"“‘«(]\s*)$")


@lru_cache(maxsize=8192)
def read_terms(text: str) -> Terms:
    """Read what a text is about.

    >>> read_terms("How much did the United Kingdom pledge in July 2025?").names
    ('uk',)
    """
    text = text.translate(_PLAIN_MARKS)
    text = PHRASE.sub(lambda match: PHRASES[" ".join(match[0].lower().split())].upper(), text)
    undated, dates = _taken_out(DATE, text)
    words, numbers = _taken_out(_NUMBER, undated)
    keys: set[str] = set()
    names, stems, concepts = [], [], []
    for match in WORD.finditer(words):
        word = read_word(match[0])
        keys.update(word.keys)
        if word.is_name(words, match):
            names.append(word.name)
        elif word.stem:
            stems.append(word.stem)
        if word.concept:
            concepts.append(word.concept)
    return Terms(
        keys=frozenset(keys),
        names=tuple(dict.fromkeys(names)),
        stems=tuple(dict.fromkeys(stems)),
        concepts=frozenset(concepts),
        numbers=frozenset(number for match in numbers for number in _numbers_of(match)),
        dates=frozenset(date for match in dates for date in _dates_of(match)),
    )


def _taken_out(pattern: re.Pattern[str], text: str) -> tuple[str, list[re.Match[str]]]:
    """Return a text with blanks where a pattern matches, and the matches."""
    found: list[re.Match[str]] = []

    def blank(match: re.Match[str]) -> str:
        found.append(match)
        return " " * len(match[0])

    return pattern.sub(blank, text), found


def is_held(name: str, keys: frozenset[str]) -> bool:
    """Tell whether a name of the question is among the keys of a text, itself or as what its government stands for."""
    if name in keys or any(place in keys for place in SEATS.get(name, ())):
        return True
    if len(name) > _SHORT_NAME and (f"{name}s" in keys or name.removesuffix("s") in keys):
        return True
    *first, last = name.split("-")  # Ben-Gvir: Gvir is enough, and Ben is not; Franco-German: Germany is
    return bool(first) and (is_held(_key(last), keys) or any(_key(part) in keys for part in first if part in PLACES))


_SHORT_NAME = 4  # letters; shorter ones are too often another name with an s behind it


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return the English stem (Snowball) of a folded word."""
    return str(_stemmer().stemWord(word))


@cache
def _stemmer() -> "Stemmer.Stemmer":
    import Stemmer

    return Stemmer.Stemmer("english")


def _key(word: str) -> str:
    if word in ("us", "Us"):  # the pronoun, not the country
        return "we"
    folded = fold(word)
    return PLACES.get(folded) or SPELLINGS.get(folded, folded)


@dataclass(frozen=True, slots=True)
class Word:
    """Hold what a word is, wherever it stands.

    `keys` are what it and the parts of it are compared as, `name` what it is as a name. `named` tells whether it is
    one; None where only its place tells. `stem` and `concept` are None where it has none.
    """

    keys: tuple[str, ...]
    name: str
    named: bool | None
    stem: str | None
    concept: str | None

    def is_name(self, text: str, match: re.Match[str]) -> bool:
        """Tell whether the word is a name where it was matched."""
        if self.named is not None:
            return self.named
        if not _SENTENCE_START.search(text, max(0, match.start() - 4), match.start()):
            return True
        # At the start of a sentence every word has a capital: a name when it is no common word and a name goes on.
        return self.concept is None and bool(_GOES_ON.match(text, match.end()))


@lru_cache(maxsize=32_768)
def read_word(word: str) -> Word:
    """Return what a word is: words come again and again, in every text."""
    key = _key(word)
    return Word(
        keys=(key, *map(_key, re.split(r"[-&]", word))),
        name=_key(_OF_A_NAME.sub("", word)),
        named=_named(word),
        stem=stem(key) if key not in FUNCTION_WORDS and len(key) > 1 else None,
        concept=CONCEPTS.get(key),
    )


def _named(word: str) -> bool | None:
    """Tell whether a word is a name; None where that is for its place to tell."""
    folded = fold(word)
    common = folded in FUNCTION_WORDS or folded in _NO_NAMES
    if not word[0].isupper():
        return False
    if word.isupper() and len(word) > 1 and not word.isdigit():
        return word in _ACRONYMS or not common
    if common:
        return False
    return True if folded in PLACES else None


_ACRONYMS = frozenset({"US", "WHO", "IT"})
"""Names that are common words in lower case."""
_NO_NAMES = frozenset(
    "meanwhile yesterday today tomorrow earlier later instead nevertheless moreover still thus hence finally "
    "first second third asked following despite amid speaking compare contrast enumerate identify define outline "
    "regarding concerning besides except beyond outside inside across alongside unlike considering given leaders "
    "people officials president minister prime chancellor foreign defence defense secretary mr mrs ms dr sir senator "
    "governor mayor king queen pope general colonel captain ambassador ceo judge justice lord professor spokesman "
    "spokeswoman discuss detail analyse analyze elaborate clarify march "
    "monday tuesday wednesday thursday friday saturday sunday".split()
)
"""What has a capital where it begins a sentence, stands before a name or is a weekday, and is no name itself."""


def _dates_of(match: re.Match[str]) -> list[Date]:
    """Return the date that was matched, or both ends of a range of days."""
    found = {name.rstrip("23456"): value for name, value in match.groupdict().items() if value}
    month = found.get("month")
    number = (MONTHS.get(month.lower()) or int(month)) if month else None
    year = int(found["year"]) if "year" in found else None
    days = [int(found[name]) for name in ("since", "day") if name in found]
    return [Date(year, number, day) for day in days] or [Date(year, number)]


def _float(written: str) -> float:
    """Return the value of digits: commas and blanks group thousands, and so do dots where there are several."""
    digits = re.sub(r",(?=\d{1,2}$)", ".", written)  # 1,5
    digits = re.sub(r"[,\s]", "", digits)
    return float(digits.replace(".", "") if digits.count(".") > 1 else digits)


def _numbers_of(match: re.Match[str]) -> list[Number]:
    """Return the number that was matched, or both ends of a range, which share its currency and scale."""
    written = match["value"].lower()
    words = [NUMBER_WORDS[word] for word in re.split(r"[\s-]", written) if word in NUMBER_WORDS]
    scale = prod(_SCALES[word] for word in re.findall(r"[a-z]+", match["scales"].lower()))
    values = [sum(words) if words else _float(written)]
    if match["low"]:
        values.append(_float(match["low"]))
    unit = (match["before"] or match["after"] or "").lower()
    return [Number(scale * value, _UNITS.get(unit, unit.upper()), match[0].strip()) for value in values]
