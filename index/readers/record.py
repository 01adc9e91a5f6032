"""What a reader finds in a file: a record with named fields, or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from reprlib import Repr

__all__ = ["Record", "Unread", "printable", "shown"]

_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Name a file, or a line of one, that gave no article, and say why.

    `where` is the file as it was given or found, with the line where there is one: ``seeds/a.jsonl:12``. `outcome` is
    "skipped" (there was nothing to read) or "failed" (there was, and it could not be). `reason` says what, with its
    value, and what to do.
    """

    where: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Hold what a file says of one article, as it says it: nothing is checked yet.

    `file` is the file's name without its folder. `encoding` is set where it was guessed.
    """

    where: str
    file: str
    fields: Mapping[str, object]
    raw_sha256: str
    encoding: str | None = None


def printable(text: object) -> str:
    r"""Return a path or a name for a message: what would steer a terminal, or break UTF-8, stands escaped.

    >>> print(printable("a\x1b[2Jb.txt"))
    a\x1b[2Jb.txt
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def shown(value: object) -> str:
    """Return a value for a message, shortened where it is long.

    >>> shown("1st May")
    "'1st May'"
    """
    if isinstance(value, str):
        return repr(value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]}…")
    return Repr().repr(value)  # looks at the first few parts alone, however many there are and however deep
