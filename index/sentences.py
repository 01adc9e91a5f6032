"""Sentence spans of news prose, with character offsets.

The rules are our own because no packaged splitter keeps offsets, quotations and newsroom abbreviations right at once;
their numbers and lists of words were chosen by hand:

* a blank line ends a sentence, and so does a line break after a heading or before a list item;
* a full stop ends one unless it belongs to an abbreviation, an initial, a number or an ellipsis that runs on;
* closing quotation marks and brackets stay with the sentence that they close.
"""

import re
from dataclasses import dataclass

__all__ = ["CLOSERS", "Span", "split_sentences"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Mark characters `start` to `end` (exclusive) of a text."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """Return the characters of the text that the span marks."""
        return text[self.start : self.end]


CLOSERS = "\"'”’»›)]}"
_OPENERS = "\"'“‘„«‹([{¿¡—–-"
# A candidate end: the mark, what closes with it (in French behind a space), then white space; CJK marks need none.
# It never starts inside a row of marks and never backtracks: a line of a million dots would take for ever.
_END = re.compile(
    rf"(?:(?<![.!?…])[.!?…]++[{re.escape(CLOSERS)}]*+(?:[ \u00a0\u202f][»›])?(?=\s))|(?:[。！？]+[」』”’）]*)"
)
_SPACE = re.compile(r"\s*")
_PARAGRAPH = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*•‣–—]|\(?\d{1,3}[.)])\s")
_LAST_WORD = re.compile(r"[^\s\"'“”‘’«»()\[\]{}—–]+$")
_HEADING_LENGTH = 60  # in characters: a line of so many is none, but one of prose that was broken

# Never end a sentence: a name, a number or a place follows.
_ALWAYS_RUN_ON = frozenset(
    "mr mrs ms mx dr prof rev fr hon pres gov sen rep gen col lt maj capt cmdr adm sgt cpl pvt brig supt insp "
    "amb sec st mt ft messrs mme mlle vs v cf eg e.g ie i.e viz approx ca no nos art sect fig vol pp op".split()
)
# End one only when the next word could open a sentence.
_OFTEN_RUN_ON = frozenset(
    "jr sr inc ltd co corp bros plc llc dept univ assn est etc al jan feb mar apr jun jul aug sep sept oct nov dec "
    "mon tue tues wed thu thurs fri sat sun ave blvd rd bn mn tn tr a.m p.m".split()
)
_SENTENCE_OPENERS = frozenset(
    "a an the this that these those he she it they we i you his her its their our my there here but and or so yet "
    "in on at by for from with after before when while if as since although though however meanwhile moreover what "
    "who why how where not no one some many most both each all earlier later asked speaking according under".split()
)


def split_sentences(text: str) -> list[Span]:
    """Return the spans of the sentences of a text, in order, none of them empty or beginning or ending in white space.

    Together they cover every character that is not white space, each exactly once.

    >>> text = "Mr. Rutte praised it. “We act,” he said."
    >>> [span.of(text) for span in split_sentences(text)]
    ['Mr. Rutte praised it.', '“We act,” he said.']
    """
    spans = []
    for start, end in _lines_of_prose(text):
        begin = start
        number = _LIST_ITEM.match(text, start, end)  # the stop behind it ends nothing
        for match in _END.finditer(text, number.end() if number else start, end):
            if _ends_sentence(text, begin, match, end):
                spans.append(_stripped(text, begin, match.end()))
                begin = match.end()
        spans.append(_stripped(text, begin, end))
    return [span for span in spans if span.start < span.end]


def _lines_of_prose(text: str) -> list[tuple[int, int]]:
    """Return the stretches that no sentence crosses: paragraphs, headings, list items."""
    stretches: list[tuple[int, int]] = []
    start = 0
    for gap in re.finditer(r"\n", text):
        if gap.start() < start:
            continue
        blank = _PARAGRAPH.match(text, gap.start())
        if blank:
            stretches.append((start, gap.start()))
            start = blank.end()
        elif _line_break_ends(text, gap.start()):
            stretches.append((start, gap.start()))
            start = gap.end()
    stretches.append((start, len(text)))
    return stretches


def _line_break_ends(text: str, at: int) -> bool:
    if _LIST_ITEM.match(text, at + 1):
        return True
    line = text[text.rfind("\n", 0, at) + 1 : at].rstrip()
    if line.endswith((",", ";", "-", "–", "—")):
        return False
    follows = text[at + 1 : at + 2]
    return len(line) < _HEADING_LENGTH and not line.endswith((".", "!", "?", "…")) and not follows.islower()


def _ends_sentence(text: str, begin: int, match: re.Match[str], limit: int) -> bool:
    mark = match[0]
    if mark[0] in "。！？":
        return True
    follows = _SPACE.match(text, match.end(), limit)
    after = text[follows.end() : min(follows.end() + 40, limit)] if follows else ""
    if not after:
        return True
    opener = after.lstrip(_OPENERS)
    if opener[:1].islower():
        # "What now?" he asked.  /  "It works!" cried she.  /  e.g. lower-case prose after an unknown abbreviation
        return False
    if mark[0] in "!?" or len(mark.rstrip(CLOSERS)) > 1:
        return True
    word = _LAST_WORD.search(text, max(begin, match.start() - 40), match.start())
    return word is None or not _runs_on(
        word[0], closed=mark != ".", next_word=re.split(r"[^\w]", opener, maxsplit=1)[0]
    )


def _runs_on(word: str, *, closed: bool, next_word: str) -> bool:
    """Tell whether the full stop behind `word` belongs to an abbreviation whose sentence goes on."""
    if closed:  # a quotation or a bracket closes right behind the stop
        return False
    bare = word.lower().rstrip(".")
    if bare in _ALWAYS_RUN_ON:
        # "No. 5" runs on, "She said no. The vote failed." does not.
        return bare not in {"no", "nos", "art", "op", "sec"} or next_word[:1].isdigit() or word[0].isupper()
    is_initial = len(bare) == 1 and bare.isalpha() and word[0].isupper() and bare != "i"
    is_acronym = "." in bare and all(len(part) <= 2 for part in bare.split("."))  # U.S, U.N, p.m, Ph.D
    if is_initial or is_acronym or bare in _OFTEN_RUN_ON:
        return next_word.lower() not in _SENTENCE_OPENERS
    return False


def _stripped(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return Span(start, max(start, start + len(piece.strip())))
