"""Read a question: what kind of answer it wants, about whom, from when; and make a follow-up stand alone."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from index.errors import DateError, InputError
from index.news_index import checked_question
from index.scope import Filters
from rag.lexicon import FUNCTION_WORDS, MONTHS, NUMBER_WORDS, fold
from rag.terms import Terms, read_terms

__all__ = ["KINDS", "Part", "Question", "Turn", "read_question"]

KINDS = ("fact", "list", "count", "table", "quote", "compare")
MAX_TURNS = 20


@dataclass(frozen=True, slots=True)
class Turn:
    """Hold one earlier question of a conversation and its answer."""

    question: str
    answer: str

    @classmethod
    def of(cls, value: "Turn | Mapping[str, str]") -> "Turn":
        """Return a turn from itself or from a mapping with "question" and "answer"."""
        if isinstance(value, Turn):
            return value
        try:
            return cls(str(value["question"]), str(value.get("answer", "")))
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"`history` holds {value!r}; each turn needs `question` and `answer`") from error


@dataclass(frozen=True, slots=True)
class Part:
    """Hold one thing that a question asks.

    `asks` is what fits as an answer: "name", "number", "money", "time", "place", "speech", "reason" or "any".
    `subject` has the keys of the name that the question is about, as in "What did *Macron* say"; `nouns` the words,
    folded, for the thing that is counted or chosen, as in "how many *children*"; `lists` tells that several are wanted,
    and `wanted` how many, as in "name the *two* chairs".
    """

    text: str
    asks: str
    terms: Terms
    subject: tuple[str, ...]
    nouns: tuple[str, ...]
    lists: bool = False
    wanted: int | None = None


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


def read_question(
    asked: str,
    *,
    history: Sequence[Turn | Mapping[str, str]] = (),
    filters: Filters,
    known_sources: Sequence[str] = (),
) -> Question:
    """Read a question; raise `QuestionError` when it is empty or too long.

    A source that the index holds and the question names with its full name ("according to the Paris Desk") becomes a
    filter, and so does "as of" with a date. Any other date stays part of what is asked.
    """
    asked = checked_question(asked)
    turns = [Turn.of(value) for value in history][-MAX_TURNS:]
    text = _standalone(asked, turns)
    filters = _with_named(text, filters, known_sources)
    parts = tuple(_part(piece) for piece in _pieces(text))
    return Question(
        asked=asked, text=text, kind=_kind(text), parts=parts, filters=filters, english=_looks_english(asked)
    )


# --- parts --------------------------------------------------------------------------------------------------------

_ASKS = (
    ("money", r"how much (?!time|longer)|how many (?:euros|dollars|pounds|millions|billions)|what (?:sum|price|cost)\b"),
    ("number", r"how (?:many|often|old|large|big|high|far|tall|fast|few)\b|(?:what|which) (?:was |is |were )?(?:the )?"
               r"(?:\w+ ){0,3}(?:number|share|percentage|rate|toll|total|figure|level|count|proportion|size|score)\b"
               r"|\b(?:death toll|number of|percentage of)\b"),
    ("time", r"\bwhen\b|(?:what|which) (?:day|date|month|year|time)\b|how (?:long|soon|recently)\b|since when|until when"),
    ("place", r"\bwhere\b|(?:in|at|to|from) (?:what|which) (?:city|country|place|town|building|district|region|venue)\b"
              r"|(?:what|which) (?:city|place|town|venue|district|airport|region)\b"),
    ("reason", r"\bwhy\b|for what reason|what (?:was|is) the reason|what (?:caused|led)\b|how come"),
    ("speech", r"\bwhat (?:did|does|do|has|have|had|was|were|is|are) .{2,80}?\b(?:say|said|saying|tell|told|warn|promise|"
               r"describe|claim|demand|think|call|respond|reply|react|announce|declare|quoted|comment|state|ask|want|argue)"
               r"\b|\bquot(?:e|es|ed|ation)\b|\bin (?:his|her|their|whose) (?:own )?words\b|how did .{2,60} "
               r"(?:describe|respond|react|reply|put it|comment)|what (?:words|phrase)\b"),
    ("name", r"\bwho(?:m|se)?\b|(?:which|what) (?:\w+ ){0,2}?(?:person|people|leaders?|minister|president|countr(?:y|ies)|"
             r"nations?|states?|compan(?:y|ies)|organi[sz]ations?|outlet|official|ambassador|governments?|allies|ally|"
             r"members?|party|parties|institutions?|club|team|union|group|capitals?)\b|name the\b"),
)  # fmt: skip
_ASKS_PATTERNS = [(name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _ASKS]
_QUESTION_WORD = r"(?:who|whom|whose|what|when|where|why|which|how|did|does|is|are|was|were|has|have|will|can)"
_SPLIT = re.compile(rf"\?\s+(?=\S)|[,;]?\s+and\s+(?={_QUESTION_WORD}\b)", re.IGNORECASE)
_AUXILIARY = re.compile(
    r"\b(?:did|does|do|has|have|had|was|were|is|are|will|would|can|could|should|must)\b", re.IGNORECASE
)


_NAMED = r"(?:the )?[A-Z][\w’'-]*(?: [A-Z][\w’'-]*)*"
_PAIR = re.compile(
    rf"\b(?:did|do|does|have|has|had|will) (?P<one>{_NAMED}) and (?P<two>{_NAMED}) (?:each )?"
    r"(?=(?:say|said|pay|paid|give|given|pledged?|promised?|contributed?|offer|donated?|demand|want|warn|announced?)\b)"
)
"""Two that do, each for itself, what is asked about, as in: "How much did *Oslo* and *Rome* pay into the fund?"."""


_COUNTED = re.compile(r"\b(?:how many|which|what)\s+([a-z][\w-]*)(?:\s+([a-z][\w-]*))?", re.IGNORECASE)


def _pieces(text: str) -> list[str]:
    """Split a question into the questions that it joins; each keeps what the others say it is about."""
    if pair := _PAIR.search(text):
        return [text[: pair.start("one")] + pair[name] + text[pair.end("two") :] for name in ("one", "two")]
    pieces = [piece.strip(" ?") for piece in _SPLIT.split(text)]
    pieces = [piece for piece in pieces if piece]
    if len(pieces) < 2 or not all(re.match(_QUESTION_WORD + r"\b", p, re.IGNORECASE) for p in pieces[1:]):
        return [text]
    whole = read_terms(text)
    return [piece if _says_enough(piece, whole) else f"{piece} ({_others(pieces, piece)})" for piece in pieces]


def _says_enough(piece: str, whole: Terms) -> bool:
    terms = read_terms(piece)
    return (
        bool(terms.names or not whole.names) and len(terms.names) + len(terms.stems) >= 2 and not _PRONOUN.search(piece)
    )


def _others(pieces: Sequence[str], piece: str) -> str:
    return "; ".join(re.sub(rf"^{_QUESTION_WORD}\s+", "", p, flags=re.IGNORECASE) for p in pieces if p != piece)


def _part(text: str) -> Part:
    own = text.split(" (")[0]
    asks = next((name for name, pattern in _ASKS_PATTERNS if pattern.search(own)), "any")
    terms = read_terms(text)
    counted = _COUNTED.search(own)
    nouns = (
        tuple(fold(word) for word in counted.groups() if word and fold(word) not in FUNCTION_WORDS) if counted else ()
    )
    lists = bool(_LIST.search(own))
    return Part(
        text=text, asks=asks, terms=terms, subject=_subject(own, terms), nouns=nouns, lists=lists,
        wanted=_wanted(own) if lists else None,
    )  # fmt: skip


_WANTED = re.compile(
    rf"\b(?:the|which|what|list|name|those|these) (?:(?:first|last|next|other|main|further) )?"
    rf"(?P<number>{'|'.join(NUMBER_WORDS)}|\d{{1,2}}) (?:[a-z-]+ )?[a-z]*(?:s|men|people|children)\b",
    re.IGNORECASE,
)


def _wanted(text: str) -> int | None:
    """Return how many entries a list has to have, where the question says so."""
    match = _WANTED.search(text)
    if match is None:
        return None
    written = match["number"].lower()
    return NUMBER_WORDS[written] if written in NUMBER_WORDS else int(written)


def _subject(text: str, terms: Terms) -> tuple[str, ...]:
    """Return the first name behind the first auxiliary verb: the one that does what the question asks about."""
    auxiliary = _AUXILIARY.search(text)
    if auxiliary is None:
        return ()
    behind = re.split(r"\b(?:in|on|at|of|for|to|with|about|by|from|during|after|before)\b", text[auxiliary.end() :])[0]
    names = set(read_terms(f"x {behind}").names)
    return tuple(name for name in terms.names if name in names)


_TABLE = re.compile(
    r"\bwho (?:\w+ )?(?:pledg|promis|gave|give|commit|offer|contribut|donat|said|paid|put|sen[dt])\w* (?:what|how (?:much|many))\b|"
    r"\b(?:as|in|into) a table\b|\btable (?:of|please)\b|\btabulate\b|\btimeline\b|^set out\b|"
    r"\b(country|donor|state|day|month|year|person) by \1\b|\b(?:figures|sums|amounts|pledges|tolls?) by \w+\b",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"^(?:please )?(?:list|name|enumerate|give me all|show me all)\b|\ball (?:the )?(?:pledges|countries|names|steps|"
    r"commitments|measures|leaders|promises)\b|\b(?:which|what) (?:\w+ ){0,2}?(?:countries|nations|states|allies|members|leaders|"
    r"pledges|promises|commitments|measures|sanctions|steps|contributions|weapons|people|outcomes|agreements|results)\b|"
    r"\bwho (?:all|attended|took part|were the)\b|\bhow much did each\b",
    re.IGNORECASE,
)
_DEGREE = r"(?:more|less|fewer|larger|bigger|smaller|higher|lower|earlier|later|longer|cheaper|dearer|first)"
_COMPARE = re.compile(
    r"\b(?:more|less|fewer|larger|bigger|smaller|higher|lower|earlier|later) than\b|\bcompared? (?:to|with)\b|"
    r"\bdiffer(?:s|ence|ent)?\b|\bversus\b|\bvs\b|\bboth\b.*\band\b|\bwhich (?:of the two|was (?:larger|bigger|first))\b|"
    r"\b(?:dis)?agree (?:on|about|over|how|who|whether|which|what)\b|\bdo .* agree\b|\bcontradict|\bconflicting\b|\brival\b|"
    r"\b(?:two|various|several) (?:figures|numbers|versions|accounts)\b|\bside by side\b|"
    rf"\bor\b.*\b{_DEGREE}\b|\b{_DEGREE}\b.*,? or\b",
    re.IGNORECASE,
)


def _kind(text: str) -> str:
    if _TABLE.search(text):
        return "table"
    if _LIST.search(text):
        return "list"
    if _COMPARE.search(text):
        return "compare"
    asks = _part(text).asks
    return {"number": "count", "money": "count", "speech": "quote"}.get(asks, "fact")


# --- follow-ups -----------------------------------------------------------------------------------------------------

_PRONOUN = re.compile(
    r"\b(he|she|they|him|her|them|it|his|hers|their|its|there|that (?:meeting|summit|attack|visit|day|place|sum)|this)\b",
    re.IGNORECASE,
)
_WHAT_ABOUT = re.compile(r"^(?:and |so |ok |then )*(?:what|how) about (?P<other>.+?)\??$", re.IGNORECASE)
_AND = re.compile(r"^(?:and|but|so)\s+", re.IGNORECASE)
_EMPTY_IT = re.compile(
    r"\bit (?:is|was|will be|be) (?:true|possible|likely)|\b(?:is|was|will) it\b (?:true|possible|likely)"
)


def _standalone(asked: str, turns: Sequence[Turn]) -> str:
    """Return the question with what it leaves out taken from the conversation."""
    if not turns:
        return asked
    before = _standalone(turns[-1].question, turns[:-1])
    other = _WHAT_ABOUT.match(asked)
    if other:
        return _exchanged(before, other["other"])
    terms = read_terms(asked)
    pronoun = _PRONOUN.search(asked) and not _EMPTY_IT.search(asked)
    bare = len(terms.names) + len(terms.stems) + len(terms.numbers) + len(terms.dates) <= 1
    if not (pronoun or bare or _AND.match(asked)):
        return asked
    question = _AND.sub("", asked)
    return f"{question.rstrip(' ?')} ({_topic(before)})?"


def _topic(question: str) -> str:
    """Return what a question is about, without what it asks: names, and what stands behind its first preposition.

    >>> _topic("How many people died in the attack on Kyiv on 28 August?")
    'the attack on Kyiv on 28 August'
    >>> _topic("What did Putin say about foreign troops in Ukraine?")
    'Putin: foreign troops in Ukraine'
    >>> _topic("Which country was the first to pay into PURL?")
    'first to pay into PURL'
    """
    said = re.sub(rf"^(?:{_OPENING}\b\s*)+", "", question.rstrip(" ?"), flags=re.IGNORECASE)
    preposition = _PREPOSITION.search(said)
    behind = said[preposition.end() :] if preposition else ""
    if preposition is None or len(behind.split()) < _LEAST_TOPIC:
        return said
    subject = _WRITTEN_NAME.search(said[: preposition.start()])
    return f"{subject[0]}: {behind}" if subject else behind


_OPENING = (
    r"(?:who|whom|whose|what|when|where|why|which|how|many|much|did|does|do|is|are|was|were|has|have|had|will|can|the|"
    r"country|countries|people)"
)
_PREPOSITION = re.compile(r"\b(?:in|on|at|of|for|about|into|during|after|from|against)\s+(?=\S)", re.IGNORECASE)
_WRITTEN_NAME = re.compile(r"[A-Z][\w’'.-]*(?:\s+[A-Z][\w’'.-]*)*")
_LEAST_TOPIC = 3  # words; fewer behind a preposition do not tell what it was about


def _exchanged(before: str, other: str) -> str:
    """Put another name, date or number in the place of the one of its kind that the earlier question had."""
    new = read_terms(f"x {other}")
    if new.dates and not new.names:
        date = re.search(
            rf"\b(?:\d{{1,2}} )?(?:{'|'.join(MONTHS)})(?: \d{{1,2}})?(?:,? \d{{4}})?\b|\b20\d\d\b", before, re.I
        )
        if date:
            return before[: date.start()] + other + before[date.end() :]
    part = _part(before)
    subject = part.subject or part.terms.names[:1]
    for key in subject[:1]:
        words = r"(?:[A-Z][\w’'.-]*\s+)*" + r"[A-Z][\w’'.-]*"
        for match in re.finditer(words, before):
            if key in read_terms(f"x {match[0]}").names:
                return before[: match.start()] + re.sub(r"^(?:the|in|on|at) ", "", other) + before[match.end() :]
    return f"{other.rstrip(' ?')} ({before.rstrip(' ?')})?"


# --- filters and language -------------------------------------------------------------------------------------------

_AS_OF = re.compile(
    rf"\bas (?:of|at) (?P<day>\d{{1,2}}) (?P<month>{'|'.join(MONTHS)}) (?P<year>20\d\d)\b|\bas (?:of|at) (?P<iso>20\d\d-\d\d-\d\d)\b",
    re.IGNORECASE,
)


def _with_named(text: str, filters: Filters, known_sources: Sequence[str]) -> Filters:
    if not filters.sources:
        named = tuple(source for source in known_sources if _names_source(text, source))
        filters = replace(filters, sources=named)
    match = None if filters.as_of else _AS_OF.search(text)
    if match:
        day = match["iso"] or f"{match['year']}-{MONTHS[match['month'].lower()]:02d}-{int(match['day']):02d}"
        try:
            filters = replace(filters, as_of=Filters.of(as_of=day).as_of)
        except DateError:  # "as of 31 June 2025" stays words
            return filters
    return filters


def _names_source(text: str, source: str) -> bool:
    """Tell whether a text names a source; one of a single word, such as Time or Fortune, has to be written as it is."""
    as_written = 0 if len(source.split()) == 1 else re.IGNORECASE
    return bool(re.search(rf"\b{re.escape(source)}\b", text, as_written))


_LETTERS = re.compile(r"[^\W\d_]+")


def _looks_english(text: str) -> bool:
    """Tell whether a text could be English: its letters are Latin, and it has no more foreign words than English ones.

    Foreign are the common words of other languages, and words in lower case with a letter that English lacks.
    """
    letters = [c for c in text if c.isalpha()]
    latin = [c for c in letters if c < "\u0250"]
    if len(latin) * 2 < len(letters):
        return False
    words: list[str] = _LETTERS.findall(text)
    uncapped = [word for place, word in enumerate(words) if word.islower() or not place]
    foreign = sum(fold(word) in _FOREIGN or (word.islower() and not word.isascii()) for word in uncapped)
    english = sum(fold(word) in FUNCTION_WORDS and fold(word) not in _FOREIGN for word in words)
    return foreign == 0 or english >= foreign


_FOREIGN = frozenset(
    """
    le la les des du une est qui que quoi quel quelle combien pourquoi dans sur pour avec der die das und ist wer wie
    wann wo warum wieviel viele hat haben nicht mit von den dem ein eine el los las una es quien quienes cuando donde
    cuanto cuantos cuanta cuantas cual cuales como por para con il lo gli chi che quando dove perche quanto quanti quante
    quali quale nel della sono het een wat hoeveel waarom waar wanneer niet kto co ile gdzie kiedy dlaczego jest czy jak
    quem onde quantos quantas quais porque em os uma hur manga vem vad nar varfor hvem hvad hvor hvornar hvorfor och og
    kac nerede neden icin hangi kuka missa milloin kuinka monta hany mikor miert kdo kolik kde kdy cine cate cati unde
    siapa berapa kapan
    """.split()
) - {"die", "was", "per", "von", "los", "la", "le", "lo", "du", "den", "hat", "es", "em", "co", "como", "manga", "nar",
       "el", "las"}  # fmt: skip
