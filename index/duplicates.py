"""Near-copies: the same words printed again, with small edits.

Numbers decide, and so does a "not": "18 people" and "19 people" are two reports, however alike the rest of them is.
"""

import re
from functools import lru_cache
from itertools import pairwise

__all__ = ["DENIAL", "is_near_copy", "numerals", "resemblance", "shingles"]

_WORD = re.compile(r"\w+(?:[.,]\d+)*")
DENIAL = re.compile(r"\b(?:no|nor|not|never|neither|cannot)\b|n[’']t\b", re.IGNORECASE)
_SHINGLE = 2
_LIKE_ENOUGH = 0.6  # by hand: the reprints of seeds/ lie above it, reports of the same day by two desks below


def resemblance(one: str, other: str) -> float:
    """Return the Jaccard similarity of two texts' pairs of neighbouring words, 0..1.

    Source: Broder, "On the resemblance and containment of documents", 1997.

    >>> resemblance("Ten people died in Kyiv.", "Ten people died in Kyiv")
    1.0
    """
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b) if a or b else 1.0


def is_near_copy(one: str, other: str) -> bool:
    """Tell whether two texts say the same in almost the same words, with exactly the same numbers and denials."""
    return (
        numerals(one) == numerals(other)
        and len(DENIAL.findall(one)) == len(DENIAL.findall(other))
        and resemblance(one, other) >= _LIKE_ENOUGH
    )


@lru_cache(maxsize=4096)
def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Return the pairs of neighbouring words of a text, folded; a text of one word is that word."""
    words = _WORD.findall(text.casefold())
    if len(words) < _SHINGLE:
        return frozenset([tuple(words)]) if words else frozenset()
    return frozenset(pairwise(words))


@lru_cache(maxsize=4096)
def numerals(text: str) -> tuple[str, ...]:
    """Return the words of a text that hold a digit, sorted."""
    words = _WORD.findall(text)
    return tuple(sorted(word for word in words if not word.isalpha() and any(c.isdigit() for c in word)))
