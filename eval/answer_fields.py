"""What the fields of an answer hold, and what to write where one holds something else. A null is not given."""

from collections.abc import Callable, Mapping
from typing import Any

from index.errors import InputError

__all__ = ["ANSWER_FIELDS", "check_answer"]

Shapes = Mapping[str, tuple[Callable[[Any], bool], str]]
"""By the name of a field: whether a value fits it, and what to write where it does not."""


def check_answer(data: Mapping[str, Any]) -> None:
    """Raise `InputError` that names the first field that cannot be read, and says what to write."""
    _check(data, _ANSWER, needed="text")
    for number, citation in enumerate(data.get("citations") or ()):
        if not isinstance(citation, str):  # one that names an article, and no words of it
            _check(citation, _CITATION, of=f"citations[{number}].")
    for number, hit in enumerate(data.get("hits") or ()):
        _check(hit, _HIT, of=f"hits[{number}].")
        _check_found(hit, f"hits[{number}]")
    for number, sentence in enumerate(data.get("sentences") or ()):
        _check(sentence, _SENTENCE, of=f"sentences[{number}].", needed="text")
    table = data.get("table") or {}
    _check(table, _TABLE, of="table.")
    for number, row in enumerate(table.get("rows") or ()):
        _check(row, _ROW, of=f"table.rows[{number}].")


def _check(data: Mapping[str, Any], shapes: Shapes, *, of: str = "", needed: str | None = None) -> None:
    for name, (fits, wanted) in shapes.items():
        value = data.get(name)
        if (value is not None or name == needed) and not fits(value):
            raise InputError(f"`{of}{name}` is {value!r:.80}; write {wanted}")


def _check_found(hit: Mapping[str, Any], name: str) -> None:
    if not (hit.get("article_id") or hit.get("url") or hit.get("title")):
        raise InputError(f"`{name}` names no article; write its `article_id`, `url` or `title`")
    if hit.get("text") is None and (hit.get("start") is None or hit.get("end") is None):
        raise InputError(f"`{name}` has no words; write them as `text`, or their place as `start` and `end`")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return type(value) is int  # true is an int too


def _is_mark(value: object) -> bool:
    """Tell whether a value is a whole number, or one as other systems write it: "1", 1.0."""
    return _is_number(value) or (isinstance(value, str) and value.isdecimal()) or (
        isinstance(value, float) and value.is_integer()
    )  # fmt: skip


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)


def _are(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda values: isinstance(values, list | tuple) and all(map(fits, values))


_ANSWER: Shapes = {
    "text": (_is_text, "the answer in words"),
    "status": (_is_text, '"refused" or "answered"'),
    "citations": (
        _are(lambda value: _is_object(value) or _is_text(value)),
        'a list of objects: [{"article_id": "...", "quote": "..."}]',
    ),
    "hits": (_are(_is_object), 'a list of objects, best first: [{"article_id": "...", "text": "..."}]'),
    "sentences": (_are(_is_object), 'a list of objects: [{"text": "...", "citations": [1]}]'),
    "table": (_is_object, 'an object with `rows`: {"rows": [{"actor": "Oslo", "amount": "5"}]}'),
}
_NAME = (lambda value: _is_text(value) or _is_number(value), "what the article has there, as text")
_PLACE = (_is_number, "how many characters of the article's text stand before it, as a whole number")
_ARTICLE: Shapes = {
    "article_id": _NAME,
    "url": _NAME,
    "title": _NAME,
    "revision": (_is_number, "the number of a revision, without quotation marks"),
    "start": _PLACE,
    "end": _PLACE,
}
_CITATION: Shapes = {
    "quote": (_is_text, "the words that are cited, as the article has them"),
    "number": (_is_mark, "the number of its mark"),
    **_ARTICLE,
}
_HIT: Shapes = {"text": (_is_text, "the words that were found, as the article has them"), **_ARTICLE}
_SENTENCE: Shapes = {
    "text": (_is_text, "the sentence in words"),
    "citations": (_are(_is_mark), "a list of the numbers of citations: [1, 2]"),
}
_TABLE: Shapes = {"rows": (_are(_is_object), 'a list of objects: [{"actor": "Oslo", "amount": "5"}]')}
_ROW: Shapes = {"cells": (_is_object, 'an object: {"actor": "Oslo", "amount": "5"}')}
ANSWER_FIELDS = tuple(_ANSWER)
"""What is scored of an answer; docs/evaluating.md says what each is needed for."""
