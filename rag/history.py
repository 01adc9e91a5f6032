"""What was asked and answered before: turns, and a follow-up question made to stand alone by them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.errors import InputError
from rag.lexicon import MONTHS, PLACES, SEATS
from rag.parts import PRONOUN, QUESTION_WORD, part_of
from rag.terms import Terms, read_terms

__all__ = ["MAX_TURNS", "Turn", "standalone"]

MAX_TURNS = 20  # the last ones of a conversation are read


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

    A fragment ("And Germany?") is put in its place in the question before. What leans on that question in another way,
    by a pronoun or because it says too little, is followed by its topic in brackets.
    """
    if not turns:
        return asked
    before = standalone(turns[-1].question, turns[:-1])
    if fragment := _FRAGMENT.match(asked):
        return _with_fragment(before, fragment["about"] or fragment["other"])
    if not _leans(asked, turns):
        return asked
    question = _AND.sub("", asked).rstrip(" ?")
    return f"{question} ({_topic(before, pointed_at=bool(PRONOUN.search(question)))})?"


_WORDS = r"(?:[^\s?,]+ ?)"
_FRAGMENT = re.compile(
    rf"^(?:and |but |so |ok |or |then )*(?:what|how) about (?P<about>.+?) *\??$"
    rf"|^(?:(?:and|but|so|or) |(?=(?:in|on|at|by|for|from|after|before|during) ))(?!.*\b{QUESTION_WORD}\b)"
    rf"(?P<other>{_WORDS}{{1,5}}?) *\??$",
    re.IGNORECASE,
)
"""What about *Germany*? And *the Americans*? *In October*?"""
_AND = re.compile(r"^(?:and|but|so)\s+", re.IGNORECASE)
_EMPTY_IT = re.compile(
    r"\bit (?:is|was|will be|be) (?:true|possible|likely)|\b(?:is|was|will) it\b (?:true|possible|likely)"
)
_DEFINES = re.compile(r"^(?:what|who|where) (?:is|are|was|were) (?:the )?[A-Z][^?]*\??$", re.IGNORECASE)
_LEAST_SAID = 2  # names, words, numbers and dates; a question with fewer does not stand alone


def _leans(asked: str, turns: Sequence[Turn]) -> bool:
    """Tell whether a question needs the one before it to be understood."""
    if _AND.match(asked) or (PRONOUN.search(asked) and not _EMPTY_IT.search(asked)):
        return True
    terms = read_terms(asked)
    said = len(terms.names) + len(terms.stems) + len(terms.numbers) + len(terms.dates)
    if said > _LEAST_SAID or (terms.names and _DEFINES.match(asked)):
        return False
    known = frozenset().union(*(read_terms(f"{turn.question} {turn.answer}").keys for turn in turns))
    return said < _LEAST_SAID or all(name in known for name in terms.names)


def _topic(question: str, *, pointed_at: bool = False) -> str:
    """Return what a question is about, without what it asks: names, and what stands behind its first preposition.

    With `pointed_at` also without its verb, because a pronoun stands for the thing. What itself leaned on the question
    before it is about the same.

    >>> _topic("How many people died in the attack on Kyiv on 28 August?")
    'the attack on Kyiv on 28 August'
    >>> _topic("What did Putin say about foreign troops in Ukraine?")
    'Putin: foreign troops in Ukraine'
    >>> _topic("Which country was the first to pay into PURL?")
    'first to pay into PURL'
    >>> _topic("Who chaired the Paris summit?", pointed_at=True)
    'the Paris summit'
    """
    if leaned := _IN_BRACKETS.search(question):
        return leaned[1]
    said = _CHOSEN.sub("", question.rstrip(" ?"))
    said = re.sub(rf"^(?:{_OPENING}\b\s*)+", "", said, flags=re.IGNORECASE)
    preposition = _PREPOSITION.search(said)
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
_IN_BRACKETS = re.compile(r"\((.+)\)\??$")
_PREPOSITION = re.compile(r"\b(?:in|on|at|of|for|about|into|during|after|from|against)\s+(?=\S)", re.IGNORECASE)
_VERB = re.compile(r"^[a-z]+ (?=the |an? )")
_WRITTEN_NAME = re.compile(r"[A-Z][\w’'.-]*(?:\s+[A-Z][\w’'.-]*)*")
_WITH_ARTICLE = re.compile(rf"(?:\bthe )?{_WRITTEN_NAME.pattern}")
_LEAST_TOPIC = 3  # words; fewer behind a preposition do not tell what it was about


def _with_fragment(before: str, other: str) -> str:
    """Return the earlier question with a date, a name or a topic in the place of the one of its kind that it had."""
    new = read_terms(f"x {other}")
    if new.names:
        place = _name_for(before, new)
    elif place := _WRITTEN_DATE.search(before) if new.dates else None:
        other = _BEFORE_DATE.sub("", other)
    else:
        place = _ABOUT.search(before)
    if place:
        return before[: place.start()] + other + before[place.end() :]
    lead = _LEAD.match(before)
    return f"{lead[0] if lead and not new.names else ''}{other} ({_topic(before)})?"


_MONTH = "|".join(MONTHS)
_WRITTEN_DATE = re.compile(rf"\b(?:\d{{1,2}} )?(?:{_MONTH})(?: \d{{1,2}})?(?:,? \d{{4}})?\b|\b20\d\d\b", re.IGNORECASE)
_BEFORE_DATE = re.compile(r"^(?:on|in|at|by) ", re.IGNORECASE)
_ABOUT = re.compile(r"(?<= about )[^?]+?(?= *\??$)")
_LEAD = re.compile(r"^(?:how many|how much|when|where|why) ", re.IGNORECASE)


def _name_for(before: str, new: Terms) -> re.Match[str] | None:
    """Return the name of a question in whose place another is meant: who does something, or else one of its kind."""
    part = part_of(before)
    pattern = _WITH_ARTICLE if part.subject else _WRITTEN_NAME
    for match in pattern.finditer(before):
        names = read_terms(f"x {match[0]}").names
        alike = any(_sort_of(name) == _sort_of(new.names[0]) for name in names)
        if part.subject and part.subject[0] in names and (alike or part.asks in _DEEDS):
            return match
        if not part.subject and names and (alike or match.end() == len(before.rstrip(" ?"))):
            return match
    return None


_DEEDS = frozenset({"speech", "money", "number"})
"""What is asked of persons, countries and their capitals alike: "How much did Germany pay?" "What about London?"."""


def _sort_of(name: str) -> str:
    return "country" if name in PLACES.values() else "capital" if name in SEATS else "other"
