"""Files of JSON values as people and programs write them: one a line, one array, or indented, one behind the other."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from index.errors import InputError

__all__ = ["read_values"]

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"\s*")


def read_values(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield where each value begins, as in "answers.jsonl:3", and the value; of an array, each of its items.

    Raises `InputError` for a file that cannot be read, and at the first value that is not JSON.
    """
    text = _text_of(path)
    line, end = 1, 0
    while (start := _past_space(text, end)) < len(text):
        line += text.count("\n", end, start)
        where = f"{path.name}:{line}"
        value, end = _value_at(text, start, where)
        if isinstance(value, list):
            yield from ((f"{where}, item {number}", item) for number, item in enumerate(value, start=1))
        else:
            yield where, value
        line += text.count("\n", start, end)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give a file of JSON lines in UTF-8") from error


def _past_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _value_at(text: str, start: int, where: str) -> tuple[Any, int]:
    """Return the value that begins at `start`, and where it ends."""
    try:
        return _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError) as error:  # ValueError: also a number of more digits than Python reads
        raise InputError(f"{where}: not JSON ({error}); write one JSON object a line") from error
