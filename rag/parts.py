"""The parts of a question: each thing that it asks, what fits as an answer, and what kind of answer it wants."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.lexicon import FUNCTION_WORDS, NUMBER_WORDS, fold
from rag.terms import CURRENCIES, Terms, read_terms

__all__ = ["AUXILIARY", "KINDS", "PRONOUN", "QUESTION_WORD", "TOLLS", "Part", "kind_of", "part_of", "pieces_of"]

KINDS = ("fact", "list", "count", "table", "quote", "compare")
TOLLS = frozenset({"die", "injure", "arrest"})
"""Groups of words for what is counted anew from day to day."""


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

    @property
    def toll(self) -> bool:
        """Tell whether it asks for a count that rises from day to day: of the dead, the injured or the arrested."""
        return self.asks == "number" and not TOLLS.isdisjoint(self.terms.concepts)


def _any_of(*forms: str) -> re.Pattern[str]:
    return re.compile("|".join(forms), re.IGNORECASE)


_ASKS = (
    ("money", r"(?:who (?:gave|paid|pledged|promised) )?how much(?: (?!time|longer)|(?<!for how much)\W*$)"
              r"|what (?:sum|price|cost)\b|how many (?:(?:hundred|thousand|million|billion)s? (?:of )?)*"
              r"(?:euros|dollars|pounds|millions|billions)"),
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
QUESTION_WORD = r"(?:who|whom|whose|what|when|where|why|which|how|did|does|is|are|was|were|has|have|will|can)"
_SPAN = (
    "week|weekend|month|quarter|season|spring|summer|autumn|winter|year|decade|century|morning|afternoon|evening|time"
)
_FOUND_THERE = "is|are|was|were|be|been|has|have|had|will"  # "Were there arrests in Lyon?" points at no place
PRONOUN = _any_of(
    r"\b(?:he|she|they|him|her|them|it|his|hers|their|its)\b",
    rf"\bthis\b(?! (?:{_SPAN})\b)",
    r"\bthere(?=\W*$)",
    rf"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )\bthere\b(?! (?:{_FOUND_THERE})\b)",
    r"\bthat(?=\W*$)",
    r"\b(?:was|is|were|are) that\b",
    r"\bthat (?:meeting|summit|attack|visit|day|place|sum)\b",
)
"""What stands for somebody or something named before."""
_JOINED = (
    r"(?:(?:who|whom|whose|what|when|where|why|which|how)\b"
    r"|(?:did|does|is|are|was|were|has|have|will|can) (?:(?:the|an?|he|she|it|they|there)\b|(?-i:[A-Z])))"
)
"""How a question goes on behind "and": a verb begins one only before who does it, not in "who left and was hurt"."""
_OPENING = rf"(?:(?:at|by|for|from|in|on|to|with) )?{QUESTION_WORD}\b"
_SPLIT = rf"\?\s+(?:(?:also|and|but|so|then),? )*(?=\S)|[,;]?\s+and\s+(?={_JOINED})|;\s+(?={QUESTION_WORD}\b)"
_SPLIT_LIST = rf"{_SPLIT}|,\s+(?=(?:how (?:many|much)|(?:what|when|where|why) (?:did|is|was|were))\b)"
_LIST_OPENING = rf"(?!(?:when|where) (?!did|is|was|were)){_OPENING}"
"""What begins a list of questions, and no clause as in: "When he came, what did he say?"."""
AUXILIARY = re.compile(
    r"\b(?:did|does|do|has|have|had|was|were|is|are|will|would|can|could|should|must)\b", re.IGNORECASE
)


_NAMED = r"(?:the )?[A-Z][\w’'-]*(?: [A-Z][\w’'-]*)*"
_PAIR = re.compile(
    rf"\b(?:did|do|does|have|has|had|will) (?P<one>{_NAMED}) and (?P<two>{_NAMED}) (?:each )?"
    r"(?=(?:say|said|pay|paid|give|given|pledged?|promised?|contributed?|offer|donated?|demand|want|warn|announced?)\b)"
)
"""Two that do, each for itself, what is asked about, as in: "How much did *Oslo* and *Rome* pay into the fund?"."""


_NO_NOUN = r"(?:did|does|do|has|have|had|was|were|is|are|will|would|can|could|should|of)\b"
_COUNTED = re.compile(rf"\b(?:how many|which|what)\s+(?!{_NO_NOUN})([a-z][\w-]*)(?:\s+([a-z][\w-]*))?", re.IGNORECASE)


def pieces_of(text: str) -> list[str]:
    """Split a question into the questions that it joins; each keeps what the others say it is about."""
    if pair := _PAIR.search(text):
        return [text[: pair.start("one")] + pair[name] + text[pair.end("two") :] for name in ("one", "two")]
    split = _SPLIT_LIST if re.match(_LIST_OPENING, text, re.IGNORECASE) else _SPLIT
    pieces = [piece.strip(" ?") for piece in re.split(split, text, flags=re.IGNORECASE)]
    pieces = [piece for piece in pieces if piece]
    if len(pieces) < 2 or not all(re.match(_OPENING, piece, re.IGNORECASE) for piece in pieces[1:]):
        return [text]
    whole = read_terms(text)
    return [piece if _says_enough(piece, whole) else f"{piece} ({_others(pieces, piece)})" for piece in pieces]


def _says_enough(piece: str, whole: Terms) -> bool:
    terms = read_terms(piece)
    return (
        bool(terms.names or not whole.names) and len(terms.names) + len(terms.stems) >= 2 and not PRONOUN.search(piece)
    )


def _others(pieces: Sequence[str], piece: str) -> str:
    return "; ".join(re.sub(rf"^{_OPENING} +", "", p, flags=re.IGNORECASE) for p in pieces if p != piece)


_OPENING_CLAUSE = re.compile(
    r"^(?:(?:when|where) (?!(?:are|can|did|do|does|had|has|have|is|was|were|will)\b)|according to |after |before |since |while )"
    rf"[^,?]*, (?={QUESTION_WORD}\b)",
    re.IGNORECASE,
)
"""What stands before a question and asks nothing: "When Trump met Putin, ..."."""
_CLOSING_BRACKET = re.compile(r" \((?:[^()]|\([^()]*\))*\)[ .!?]*$")


def part_of(text: str) -> Part:
    """Read one question that asks one thing; what stands in a bracket behind it tells what it is about."""
    own = _OPENING_CLAUSE.sub("", _CLOSING_BRACKET.sub("", text))
    terms = read_terms(text)
    counted = _COUNTED.search(own)
    nouns = (
        tuple(fold(word) for word in counted.groups() if word and fold(word) not in FUNCTION_WORDS) if counted else ()
    )
    lists = bool(_LIST.search(own))
    return Part(
        text=text, asks=_asks(own), terms=terms, subject=_subject(own, terms), nouns=nouns, lists=lists,
        wanted=_wanted(own),
    )  # fmt: skip


def _asks(text: str) -> str:
    """Return what fits as an answer: what is asked for first, and of two in one place that of the earlier pattern."""
    found = [(match.start(), name) for name, pattern in _ASKS_PATTERNS if (match := pattern.search(text))]
    return min(found, key=lambda place_and_name: place_and_name[0], default=(0, "any"))[1]


_WANTED = re.compile(
    rf"(?:please )?(?:list|name|which|what|who|give(?: me)?)(?: (?:are|were))?(?: all)?(?: of)?(?: (?:the|those|these))?"
    rf"(?: (?:first|last|next|other|main|further))? (?P<number>{'|'.join(NUMBER_WORDS)}|\d{{1,2}})"
    r"(?! (?:days|weeks|months|years|hours|percent)\b) (?:[a-z-]+ )?[a-z]*(?:s|men|people|children)\b",
    re.IGNORECASE,
)


def _wanted(text: str) -> int | None:
    """Return how many entries a list has to have, where the question says so."""
    match = _WANTED.match(text)
    if match is None:
        return None
    written = match["number"].lower()
    return (NUMBER_WORDS[written] if written in NUMBER_WORDS else int(written)) or None


_NAME_RUN = re.compile(r"[A-Z][\w’'.-]*(?: (?:(?:and|the|von|van|de|der|den|di|la|le|al|bin) )*[A-Z][\w’'.-]*)*")


def _subject(text: str, terms: Terms) -> tuple[str, ...]:
    """Return the first name behind the first auxiliary verb: the one, or two, who do what the question asks about."""
    auxiliary = AUXILIARY.search(text)
    if auxiliary is None:
        return ()
    behind = re.split(r"\b(?:in|on|at|of|for|to|with|about|by|from|during|after|before)\b", text[auxiliary.end() :])[0]
    written = (read_terms(f"x {match[0]}").names for match in _NAME_RUN.finditer(behind))
    names = next(filter(None, written), ())
    return tuple(name for name in terms.names if name in names)


_TABLE = _any_of(
    r"\bwho (?:\w+ )?(?:pledg|promis|gave|give|commit|offer|contribut|donat|said|paid|put|sen[dt])\w* "
    r"(?:what|how (?:much|many))\b",
    r"\b(?:as|in|into) a table\b",
    r"\btable (?:of|please)\b",
    r"\btabulate\b",
    r"\btimeline\b",
    r"^set out\b",
    r"\b(country|donor|state|day|month|year|person) by \1\b",
    r"\b(?:figures|sums|amounts|pledges|tolls?) by \w+\b",
    # Which banks lend how much each?
    r"^(?:who|(?:which|what) (?!was|is|does|has)[a-z]+s)(?: (?!and\b|for\b|over\b)[^\s,]+){1,4} "
    r"(?:what|how much|how many)(?: each)?\s*\??$",
)
_PLURAL = r"(?-i:(?!news\b|series\b)[a-z]{3,}(?<![sui])s)\b"
_JOINED_IN = "(?:joined|come in|signed|pledged|paid|contributed|promised|given)"
_LIST = _any_of(
    r"^(?:please )?(?:list|name|enumerate|give me all|show me all)\b",
    r"\ball (?:the )?(?:pledges|countries|names|steps|commitments|measures|leaders|promises)\b",
    rf"\b(?:which|what) (?:(?!{_NO_NOUN})\w+ ){{0,2}}?(?:countries|nations|states|allies|members|leaders|pledges|promises|"
    r"commitments|measures|sanctions|steps|contributions|weapons|people|outcomes|agreements|results)\b",
    r"\bwho (?:all|attended|took part|were the)\b",
    r"\bhow much did each\b",
    rf"\bwho (?:else has|else have|have) {_JOINED_IN}\b",
    # Who has joined so far?
    rf"^(?>.*?\bwho has {_JOINED_IN}\b).*\b(?:so far|since|until now|up to now|by now)\b",
    # Which houses in Kyiv were damaged?
    rf"^(?:which|what) (?:(?!{_NO_NOUN})[\w’'-]+ ){{0,2}}?{_PLURAL}(?: [\w’'-]+){{0,4}}? (?:were|are|have)\b",
)
_DEGREE = r"(?:more|less|fewer|larger|bigger|smaller|higher|lower|earlier|later|longer|cheaper|dearer|first)"
_THRESHOLD = (
    rf"(?:(?:{'|'.join(CURRENCIES)}|US|CA)? ?[€£$]?\d|(?:an? (?:dozen|hundred|thousand|million|billion)|half an?|"
    rf"{'|'.join(NUMBER_WORDS)})\b)"
)
_COMPARE = _any_of(
    rf"\b(?:more|less|fewer|larger|bigger|smaller|higher|lower|earlier|later) than\b(?! ?{_THRESHOLD})",
    r"\bcompared? (?:to|with)\b",
    r"\bdiffer(?:s|ence|ent)?\b(?! (?:can|could|did|does|has|will|would)\b)",
    r"\bversus\b|\bvs\b|\bside by side\b",
    r"^(?>.*?\bboth\b).*\band\b",
    r"\bwhich (?:of the two|was (?:larger|bigger|first))\b",
    # Do the reports agree on how many came?
    r"^(?!what|who|which|when).*\bagree (?:on|about|over|how|who|whether|which|what)\b",
    r"^(?>.*?\bdo ).* agree\b",
    r"\bdisagree\b|\bcontradict|\bconflicting\b",
    r"\brivals? (?:accounts?|claims?|figures?|numbers?|versions?)\b",
    r"\b(?:two|various|several) (?:figures|numbers|versions|accounts)\b",
    # Who paid more, Oslo or Rome?
    rf"^(?=.*\bor\b).*\b{_DEGREE}\b",
)


def kind_of(text: str) -> str:
    """Return which of `KINDS` a question is."""
    if _TABLE.search(text):
        return "table"
    own = _CLOSING_BRACKET.sub("", text)
    if _LIST.search(own):
        return "list"
    if _COMPARE.search(own):
        return "compare"
    asks = part_of(text).asks
    return {"number": "count", "money": "count", "speech": "quote"}.get(asks, "fact")
