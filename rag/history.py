"""What was asked and answered before: turns, and a follow-up question made to stand alone by them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.errors import InputError
from index.news_index import MAX_QUESTION_CHARACTERS
from rag.lexicon import PLACES, SEATS
from rag.parts import AUXILIARY, PRONOUN, QUESTION_WORD, part_of
from rag.terms import DATE, Terms, read_terms

__all__ = ["MAX_TURNS", "Turn", "standalone"]

MAX_TURNS = 20  # the last ones of a conversation are read
_MOST_BEFORE = MAX_QUESTION_CHARACTERS // 2  # characters of an earlier question that another can lean on


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


def standalone(asked: str, turns: Sequence[Turn]) -> str:
    """Return the question with what it leaves out taken from the conversation.

    A name or a day alone ("And Germany?", "In October?") is put in the place of its kind in the question before. What
    leans on that question in another way is followed by its topic in brackets: what has a pronoun, and what names
    nobody new and says so little (two words) that on its own it could be about anything. A question that would become
    longer than one may be is left as it is.
    """
    alone = _alone(asked, turns)[0]
    return alone if len(alone) <= MAX_QUESTION_CHARACTERS else asked


def _alone(asked: str, turns: Sequence[Turn]) -> tuple[str, str]:
    """Return a question that stands alone, and the topic that it has in brackets."""
    if not turns:
        return asked, ""
    earlier = turns[-1].question[:_MOST_BEFORE]
    before, topic = (text[:_MOST_BEFORE] for text in _alone(earlier, turns[:-1]))
    fragment = _FRAGMENT.match(asked.strip(" .!?"))
    if fragment and fragment["name"] and not read_terms(asked).names:  # "Thanks!"
        fragment = None
    if fragment and (spliced := _spliced(before, fragment)):
        return spliced, ""
    if not fragment and not _leans(asked, turns):
        return asked, ""
    question = _thing(fragment) if fragment else _AND.sub("", asked).rstrip(" ?")
    topic = topic or _topic(before, pointed_at=bool(PRONOUN.search(question)))
    if not topic:
        return asked, ""
    fits = fragment and (_LEADING.match(question) or not read_terms(f"x {question}").names)
    lead = _LEAD.match(before) if fits else None
    return f"{lead[0] if lead else ''}{question} ({topic})?", topic


# --- fragments ----------------------------------------------------------------------------------------------------

_PREPOSITION = r"(?:in|on|at|by|for|from|after|before|during|since|until)"
_WORD = r"[^\s?,]+"
_WRITTEN_NAME = re.compile(r"[A-Z][\w’'.-]*(?: [A-Z][\w’'.-]*)*")
_FRAGMENT = re.compile(
    rf"(?:(?:and|but|so|ok|or|then) )*(?:what|how) about (?P<about>[^?]+)$"
    rf"|(?:(?:and|but|so|or) |(?={_PREPOSITION} ))(?!.*\b{QUESTION_WORD}\b)"
    r"(?!(?:do|had|would|could|should|must|may|list|name|show|tell|give|for example)\b)"
    rf"(?P<other>{_WORD}(?: {_WORD}){{0,4}})$"
    rf"|(?P<name>(?!{QUESTION_WORD}\b)(?-i:{_WRITTEN_NAME.pattern}))$",
    re.IGNORECASE,
)
"""What about *Germany*? And *the Americans*? *In October*? *Canada*?"""
_WITH_ARTICLE = re.compile(rf"(?:\bthe )?{_WRITTEN_NAME.pattern}")
_NAME_PHRASE = re.compile(rf"{_WRITTEN_NAME.pattern}|the {_WRITTEN_NAME.pattern}(?: [a-z]+)?")
_LEADING = re.compile(rf"(?P<preposition>{_PREPOSITION}) (?:the )?", re.IGNORECASE)
_BEHIND_PREPOSITION = re.compile(rf"\b{_PREPOSITION} (?:the )?$", re.IGNORECASE)
_ABOUT = re.compile(r"(?<= about )[^?]+(?=\?)")
_LEAD = re.compile(r"(?:how many|how much|when|where|why) ", re.IGNORECASE)
_TIME_WORD = re.compile(r"\b(?:yesterday|today|tomorrow|now|then|day|week|month|year)\b", re.IGNORECASE)


def _thing(fragment: re.Match[str]) -> str:
    """Return what a fragment asks about, with its preposition, as it would stand within a question."""
    thing = str(fragment["about"] or fragment["other"] or fragment["name"])
    return thing[0].lower() + thing[1:] if _LEADING.match(thing) else thing


def _spliced(before: str, fragment: re.Match[str]) -> str | None:
    """Return the earlier question with a date, a name or a topic in the place of the one of its kind that it had."""
    other = _thing(fragment)
    leading = _LEADING.match(other)
    thing = other[leading.end() :] if leading else other
    if DATE.fullmatch(thing):
        place = DATE.search(before)
    elif _NAME_PHRASE.fullmatch(thing) and (new := read_terms(f"x {thing}")).names:
        place = _behind_preposition(before) if leading else _name_for(before, new)
    elif fragment["about"] and not _TIME_WORD.search(other):
        place = _ABOUT.search(before)
    else:
        return None
    if place is None:
        return None
    start = place.start()
    if leading and (preposition := _BEHIND_PREPOSITION.search(before, 0, start)):
        start = preposition.start()
    else:
        other = thing
    return before[:start] + other + before[place.end() :]


def _names_in(before: str, pattern: re.Pattern[str]) -> list[re.Match[str]]:
    """Return the names of a question, without the word that opens it."""
    opening = re.match(rf"(?:{QUESTION_WORD}|{AUXILIARY.pattern})\b *", before, re.IGNORECASE)
    return [m for m in pattern.finditer(before, opening.end() if opening else 0) if read_terms(f"x {m[0]}").names]


def _behind_preposition(before: str) -> re.Match[str] | None:
    """Return the first name behind a preposition that stands for itself, not before a noun: "in *Kyiv*"."""
    for match in _names_in(before, _WRITTEN_NAME):
        if _BEHIND_PREPOSITION.search(before, 0, match.start()) and not re.match(
            " (?!on|in|at)[a-z]", before[match.end() :]
        ):
            return match
    return None


def _name_for(before: str, new: Terms) -> re.Match[str] | None:
    """Return the name of a question in whose place another is meant: who does something, or else one of its kind."""
    part = part_of(before)
    for match in _names_in(before, _WITH_ARTICLE if part.subject else _WRITTEN_NAME):
        names = read_terms(f"x {match[0]}").names
        alike = any(_sort_of(name) == _sort_of(new.names[0]) for name in names)
        if part.subject and part.subject[0] in names and (alike or part.asks in _DEEDS):
            return match
        if not part.subject and (alike or match.end() == len(before.rstrip(" ?"))):
            return match
    return None


_DEEDS = frozenset({"speech", "money", "number"})
"""What is asked of persons, countries and their capitals alike: "How much did Germany pay?" "What about London?"."""


def _sort_of(name: str) -> str:
    return "country" if name in PLACES.values() else "capital" if name in SEATS else "other"


# --- questions that lean ------------------------------------------------------------------------------------------

_AND = re.compile(r"^(?:and|but|so)\s+", re.IGNORECASE)
_EMPTY_IT = re.compile(
    r"\bit (?:is|was|will be|be) (?:true|possible|likely)|\b(?:is|was|will) it\b (?:true|possible|likely)"
    r"|\bit (?:take|takes|took) to\b"
)
_DEFINES = re.compile(r"(?i:what|who|where) (?i:is|are|was|were) (?:the )?[A-Z][\w’'.-]*(?: [A-Z][\w’'.-]*)*\W*$")
_LEAST_SAID = 2  # names, words, numbers and dates; by hand


def _leans(asked: str, turns: Sequence[Turn]) -> bool:
    """Tell whether a question needs the one before it to be understood."""
    if _AND.match(asked) or (_points_back(asked) and not _EMPTY_IT.search(asked)):
        return True
    terms = read_terms(asked)
    said = len(terms.names) + len(terms.stems) + len(terms.numbers) + len(terms.dates)
    if said > _LEAST_SAID or _DEFINES.match(asked):
        return False
    known = frozenset().union(*(read_terms(f"{turn.question} {turn.answer}").keys for turn in turns))
    return said < _LEAST_SAID or all(name in known for name in terms.names)


_OF_ONE_NAMED = re.compile(
    r"(?:he|she|his|her(?= (?!about|at|by|for|from|in|on|that|to|when)[a-z])"
    r"|(?P<any>its|their|(?:it|they)(?= (?:are|had|has|have|is|was|were|will|would)\b)))\b",
    re.IGNORECASE,
)
"""What stands for a name before it: "What did Macron say about *his* plan?", but not "What did Macron tell him?"."""


def _points_back(text: str) -> bool:
    """Tell whether a pronoun of a text stands for nobody whom the text names before it."""
    return any(not _is_named_before(text, pronoun.start()) for pronoun in PRONOUN.finditer(text))


def _is_named_before(text: str, place: int) -> bool:
    pronoun = _OF_ONE_NAMED.match(text, place)
    names = read_terms(text[:place]).names if pronoun else ()
    return any(_sort_of(name) == "other" or (pronoun and pronoun["any"]) for name in names)


def _topic(question: str, *, pointed_at: bool = False) -> str:
    """Return what a question is about, without what it asks: names, and what stands behind its first preposition.

    With `pointed_at` also without its verb, because a pronoun stands for the thing.

    >>> _topic("How many people died in the attack on Kyiv on 28 August?")
    'the attack on Kyiv on 28 August'
    >>> _topic("What did Putin say about foreign troops in Ukraine?")
    'Putin: foreign troops in Ukraine'
    >>> _topic("Which country was the first to pay into PURL?")
    'first to pay into PURL'
    >>> _topic("Who chaired the Paris summit?", pointed_at=True)
    'the Paris summit'
    """
    said = _CHOSEN.sub("", question.rstrip(" ?"))
    said = re.sub(rf"^(?:{_OPENING}\b\s*)+", "", said, flags=re.IGNORECASE)
    preposition = _BEFORE_TOPIC.search(said)
    behind = said[preposition.end() :] if preposition else ""
    if preposition is None or len(behind.split()) < _LEAST_TOPIC:
        return _VERB.sub("", said) if pointed_at else said
    subject = _WRITTEN_NAME.search(said[: preposition.start()])
    return f"{subject[0]}: {behind}" if subject else behind


_OPENING = (
    r"(?:who|whom|whose|what|when|where|why|which|how|many|much|did|does|do|is|are|was|were|has|have|had|will|can|the|"
    r"people|happened to)"
)
_CHOSEN = re.compile(r"^(?:which|what) [a-z]+ (?=(?:was|is|were|are|did|does|do|has|have|had)\b)", re.IGNORECASE)
_BEFORE_TOPIC = re.compile(r"\b(?:in|on|at|of|for|about|into|during|after|from|against)\s+(?=\S)", re.IGNORECASE)
_VERB = re.compile(r"^[a-z]+ (?=the |an? )")
_LEAST_TOPIC = 3  # words, by hand; fewer behind a preposition do not tell what it was about
