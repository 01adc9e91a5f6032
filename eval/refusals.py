"""Whether an answer declines, told by how it begins: for systems that do not say so in a field of its own."""

import re

from index.sentences import split_sentences

__all__ = ["reads_as_refusal"]

_APOSTROPHES = str.maketrans("‘’\u02bc\u00b4`", "'''''")


def _any(*choices: str) -> str:
    return rf"(?:{'|'.join(choices)})"


_ARTICLES = _any(
    *"articles? context documents? excerpts? passages? snippets? sources? texts?".split(),
    "(?<=available )information", "(?<=given )information", "(?<=provided )information",
    "information(?= (?:available|given|provided))",
)  # fmt: skip
_FEW = r"(?:[\w'-]+ ){0,3}?"
_THE_ARTICLES = rf"(?:(?:the|these|those|your|any) )?{_FEW}{_ARTICLES}\b"
_KNOWLEDGE = _any(*"answers? context data details? idea indication information mentions? references?".split())
_TELL = _any(
    *"answer conclude confirm determine establish find give identify infer know locate provide say see tell".split()
)
_TOLD = _any(
    *"addressed answered available clear contained covered determined discussed found given included known mentioned "
    "provided reported specified stated".split()
)
_IS = _any("is", "are", "was", "were", "can be", "could be", "has been")
_IS_NOT = _any("(?:is|are)(?: not|n't)", "(?:was|were)(?: not|n't)(?= found)", "(?:can|could)(?: ?not|n?'t) be")
_ENDS = r"\W*(?:$|[.!?;:](?!\w))"
_IN_THE_ARTICLES = rf"[^.!?]{{0,120}}?\b(?:in|from|by|within|based on|according to) {_THE_ARTICLES}"
_ENDS_OR_IN_THE_ARTICLES = rf"(?=(?: (?:{_IS} )?{_TOLD})?{_ENDS}|{_IN_THE_ARTICLES})"
"""What makes a refusal of words that may as well begin an answer, as in: No evidence was found of sabotage."""

_LEADS_IN = _any(
    # I'm sorry, but; My apologies.; Unfortunately,
    r"(?:(?:i|we)(?:'m|'re| am| are)? )?(?:\w+ )?(?:sorry|afraid|regret)\b.{0,80}?",
    r"(?:(?:i|my|our) )?apolog(?:ies|i[sz]e)\b.{0,80}?",
    r"(?:unfortunately|regrettably|sadly|answer)\b\W*",
    # Based on the articles,; From what the given context says; As an AI model,; It seems that
    rf"(?:based|according|from|in|given|judging|per|with)\b[^.!?;]{{0,60}}?\b{_ARTICLES}\b[^.!?;,]{{0,40}}?,? ",
    r"as an ai\b[^.!?,]{0,40}, ",
    r"it (?:seems|appears|looks)(?: that| like| as if)? ",
)
_DECLINES = _any(
    # I don't know; we could not find any mention of it; I'm unable to say
    rf"(?:i|we)(?: \w+ly| still)?"
    r"(?: (?:do|did|can|could|have)(?: ?not|n?'t)|(?:'m|'re| am| are| was| were) (?:unable|not able) to)"
    rf" (?:\w+ )?(?:{_TELL}|found|seen)\b",
    # I don't have enough information; I found no answer; I'm not sure
    rf"(?:i|we) (?:(?:do not|don't) (?:\w+ )?have|(?:have|found|find|see) no) {_FEW}{_KNOWLEDGE}\b",
    rf"(?:i|we) (?:have|found|find|see) nothing\b{_ENDS_OR_IN_THE_ARTICLES}",
    rf"(?:i|we)(?:'m|'re| am| are) not (?:certain|sure)\b{_ENDS_OR_IN_THE_ARTICLES}",
    # The provided articles do not mention Oslo; your sources say nothing; the context is silent on that
    rf"(?:my|our|the|these|those|your) {_FEW}{_ARTICLES} (?:\w+ ){{0,2}}?"
    r"(?:do(?:es)?(?: not|n't)|says? nothing|(?:contain|give|ha(?:ve|s)|include|make|mention|offer|provide)s? no"
    r"|fails? to|(?:is|are) silent)\b",
    # None of the articles say; nothing in the articles; no article mentions it
    rf"none of {_THE_ARTICLES}",
    rf"nothing in {_THE_ARTICLES}",
    rf"no (?:\w+ ){{0,2}}?{_ARTICLES} (?:answer|contain|cover|give|mention|provide|sa(?:y|id)|state)s?\b",
    # There is no information about that; there's no mention of it; there are no articles about it
    rf"there(?:'s| is| are) (?:no|not enough|insufficient) (?:\w+ )?(?:{_KNOWLEDGE}|{_ARTICLES} (?:about|on))\b",
    rf"there(?:'s| is| are| was| were) (?:no|not enough|insufficient|nothing)(?: \w+)?(?: evidence)?"
    rf"{_ENDS_OR_IN_THE_ARTICLES}",
    rf"there (?:isn't|aren't) (?:any|enough|sufficient) (?:\w+ )?{_KNOWLEDGE}\b",
    # It is not possible to determine; the question cannot be answered; this is not mentioned in the articles
    rf"it(?:'s| is) (?:not possible|impossible) to {_TELL}\b",
    rf"(?:(?:the|this|that|your|such) )?(?:\w+ )?(?:answer|detail|information|question)s?"
    rf"(?: (?:about|for|of|on|regarding|to)(?: [\w'-]+){{1,5}}?)? (?:{_IS_NOT}|not) (?:{_TOLD}\b|in {_THE_ARTICLES})",
    rf"(?:it|this|that) (?:cannot|can't|could not|couldn't) be {_TOLD}\b",
    rf"(?:it|this|that)(?:'s not| is not| isn't| is unclear)(?: {_TOLD})?\b{_ENDS_OR_IN_THE_ARTICLES}",
    # Not enough information; insufficient information; no answer; not stated in the articles; unknown; cannot answer
    r"(?:insufficient|not enough) (?:context|data|details?|information)\b",
    rf"(?:insufficient|no|not enough)(?: \w+)? (?:evidence|{_KNOWLEDGE})\b{_ENDS_OR_IN_THE_ARTICLES}",
    # No information about that; no details were found regarding the toll; no data is available on it
    rf"no (?:\w+ )?{_KNOWLEDGE}(?: (?:{_IS} )?{_TOLD})? (?:about|as to|concerning|regarding)\b",
    rf"no (?:\w+ )?{_KNOWLEDGE}(?: (?:{_IS} )?(?:available|found))? on\b",
    rf"not {_TOLD} in\b",
    rf"(?:unknown|unclear|n/?a|not {_TOLD})\b{_ENDS_OR_IN_THE_ARTICLES}",
    rf"unanswerable\b|(?:cannot|can't) (?:be )?(?:{_TELL}|{_TOLD})\b",
)
_BEGINS = re.compile(rf"\W*(?:{_LEADS_IN}(?:(?:but|that) )?){{0,2}}\b(?P<refusal>{_DECLINES})", re.IGNORECASE)

_NO_SPEAKER = _any(
    *"although and as because but how if nor only or though what when where which while who why "
    "articles? context documents? passages? texts?".split()
)
_SAID = _any(
    r"told(?: [\w'-]+){1,3}?",
    *"said says? added adds announced answered argued claimed claims confirmed declared insisted insists "
    "replied reported reports stated warned wrote writes".split(),
)
_ATTRIBUTED = re.compile(
    # , Tusk said on Friday; ," said the minister; , according to police
    rf",[\"'”»]?\s+(?:(?:(?!{_NO_SPEAKER}\b)[\w'.-]+ ){{1,6}}{_SAID}(?: (?:at|in|on|to|last|yesterday|today)\b[^,;]*)?"
    rf"(?:\W*$|,)|{_SAID} (?!nothing|so)\w|according to (?!{_THE_ARTICLES}))",
    re.IGNORECASE,
)


def reads_as_refusal(text: str) -> bool:
    """Tell whether a text begins as refusals do, and nobody is named who said so.

    >>> reads_as_refusal("Unfortunately, the articles do not mention Poland.")
    True
    >>> reads_as_refusal("The documents do not mention Poland, Tusk said.")
    False
    """
    plain = " ".join(text.translate(_APOSTROPHES).split())
    found = _BEGINS.match(plain)
    if found is None:
        return False
    rest = plain[found.start("refusal") :]
    return not _ATTRIBUTED.search(split_sentences(rest)[0].of(rest))
