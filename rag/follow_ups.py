"""Questions to ask next: each is made from a sentence that was found and not cited, so that the articles answer it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from index.duplicates import DENIAL
from index.news_index import Hit
from rag.answer import Citation
from rag.candidates import Candidate, candidates
from rag.lexicon import PLACES, SEATS, fold
from rag.question import Question
from rag.terms import CURRENCIES, read_terms

__all__ = ["follow_ups"]

_MOST_OF_A_KIND = {"speech": 2, "sum": 2, "harm": 1}  # by hand
_MOST_WORDS = 5  # of a name, by hand: a longer run of capitals is a heading
_CAPITAL = r"[A-Z][\w’'-]*\w"
_NAME = rf"(?:[Tt]he )?{_CAPITAL}(?: (?:(?:von|van|de|der|den|di|la|le|al|bin|of) )*{_CAPITAL})*"
_SAID = "said|says|told|warned|argued|claimed|insisted|stressed|explained|maintained|added"
_BEHIND = "".join(rf"(?<!\b{word} )" for word in "in on of to for at from with by on near".split())
_SPOKE = re.compile(rf"{_BEHIND}\b(?P<who>{_NAME})(?:, [^,.“”\"]{{3,60}},)? (?:also |has |had )?(?:{_SAID})\b")
_SPOKE_AFTER = re.compile(rf"\b(?:said|says|added|explained) (?P<who>{_NAME})")
_GIVING = {
    "pledged": "pledge", "promised": "promise", "contributed": "contribute", "contribute": "contribute", "paid": "pay",
    "paying": "pay", "gave": "give", "giving": "give", "given": "give", "set aside": "set aside", "donated": "donate",
    "spent": "spend", "approved": "approve", "invested": "invest", "raised": "raise",
}  # fmt: skip
_GAVE = re.compile(
    rf"(?P<joined>\b[Aa]nd )?\b(?P<who>{_NAME}) (?:is |are |has |have |had |will |also )*(?P<how>{'|'.join(_GIVING)})\b"
)
"""Who gave for himself: what Oslo and Rome gave together tells of neither how much."""
_HARM = {
    "killed": "killed", "dead": "killed", "died": "killed", "lives": "killed", "injured": "injured",
    "wounded": "wounded", "arrested": "arrested", "detained": "detained", "displaced": "displaced",
}  # fmt: skip
_HARMED = re.compile(rf"\b(?P<how>{'|'.join(_HARM)})\b[^.;]{{0,30}}?\bin (?P<where>{_NAME})")
_CURRENCY = re.compile(rf"(?:the )?(?:{'|'.join(CURRENCIES)}|CHF|US\$|CA\$)")


@dataclass(frozen=True, slots=True)
class _Asked:
    """Hold a question, what kind it is of, and whom or what it is about."""

    kind: str
    about: str
    text: str


def follow_ups(
    question: Question, hits: Sequence[Hit], citations: Sequence[Citation], *, most: int = 3
) -> tuple[str, ...]:
    """Return up to `most` questions that what was found answers and that ask for something else than `question`.

    They come from the sentences of `hits`, best first, that no citation touches. No model looks at them: whoever shows
    them may ask them first, and leave out those that are refused after all.
    """
    cited = [(c.article_id, c.revision, c.start, c.end) for c in citations]
    rest = [candidate for candidate in candidates(hits) if not _is_cited(candidate, cited)]
    asked = read_terms(question.text).keys
    chosen: dict[str, str] = {}
    kinds: Counter[str] = Counter()
    for made in chain.from_iterable(map(_told, rest)):
        about = made.about.split()[-1]
        known = about in chosen or read_terms(made.text).keys <= asked
        if not known and kinds[made.kind] < _MOST_OF_A_KIND[made.kind]:
            chosen[about] = made.text
            kinds[made.kind] += 1
        if len(chosen) == most:
            break
    return tuple(chosen.values())


def _is_cited(candidate: Candidate, cited: Sequence[tuple[str, int, int, int]]) -> bool:
    key = (candidate.article.id, candidate.article.revision)
    return any(
        key == (article_id, revision) and start < candidate.span.end and candidate.span.start < end
        for article_id, revision, start, end in cited
    )


def _told(candidate: Candidate) -> Iterator[_Asked]:
    """Yield what a sentence tells: what somebody said, how much they gave, how many were hurt."""
    ways: tuple[Callable[[str], Iterator[_Asked]], ...] = (_sums, _harms, _speeches)
    return chain.from_iterable(() if DENIAL.search(candidate.text) else way(candidate.text) for way in ways)


def _speeches(text: str) -> Iterator[_Asked]:
    for match in chain(_SPOKE.finditer(text), _SPOKE_AFTER.finditer(text)):
        who = _name(match["who"])
        if who and fold(who) not in SEATS:  # what a capital says is too much to ask
            named = [name for name in _names(_said(text, match)) if not {fold(name)} & {*PLACES, *SEATS}]  # too much
            others = [name for name in named if not set(name.split()) & set(who.split())]
            yield _Asked("speech", who, f"What did {who} say about {others[0]}?" if others else f"What did {who} say?")


def _said(text: str, speaking: re.Match[str]) -> str:
    """Return what is said: what stands before ", Oslo said on Monday", else what stands behind "Oslo said"."""
    before = text[: speaking.start()]
    return before if before.rstrip().endswith((",", '"', "”", "’")) else text[speaking.end() :]


def _sums(text: str) -> Iterator[_Asked]:
    if any(number.unit not in ("", "%") for number in read_terms(text).numbers):
        for match in _GAVE.finditer(text):
            if not match["joined"] and (who := _name(match["who"])):
                yield _Asked("sum", who, f"How much did {who} {_GIVING[match['how']]}?")


def _harms(text: str) -> Iterator[_Asked]:
    match = _HARMED.search(text)
    if match and read_terms(text).numbers and (where := _name(match["where"])):
        yield _Asked("harm", where, f"How many people were {_HARM[match['how']]} in {where}?")


def _names(text: str) -> list[str]:
    """Return the names in a text, but for what begins it: a capital there may be no name."""
    found = (_name(match[0]) for match in re.finditer(_NAME, text) if match.start())
    return [name for name in found if name and PLACES.get(fold(name), fold(name)) == fold(name)]  # no "French"


def _name(written: str) -> str:
    """Return a name as it may stand in a question, or "" for what is none: a day, a currency, a heading."""
    name = re.sub(r"^The ", "the ", re.sub(r"['’]s$", "", written))
    words = name.removeprefix("the ").split()
    is_name = read_terms(f"x {words[0]}").names and read_terms(f"x {words[-1]}").names
    return name if is_name and len(words) <= _MOST_WORDS and not _CURRENCY.match(name) else ""
