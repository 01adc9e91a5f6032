"""Evaluation cases: questions with what a good answer says and the exact words that it must rest on.

A case is a JSON object; docs/evaluating.md has the format. `evidence` is a list of needs; each need lists the
alternative spans that meet it, and every span is checked against the text when the cases are loaded: a case that points
at other words is an error.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from eval.json_values import read_values
from index.article import Article
from index.errors import InputError
from index.scope import Filters
from rag.history import Turn

__all__ = ["KINDS", "Case", "EvidenceSpan", "ids_of", "load_cases", "places_of"]

KINDS = (
    "fact", "list", "table", "count", "compare", "temporal", "as-of", "conflict", "attribution", "quote", "follow-up",
    "false-premise", "near-miss", "far",
)  # fmt: skip
_REFUSED = ("near-miss", "false-premise", "far")
_SPLITS = ("dev", "test", "unseen", "fit")
_NEEDED = ("id", "question")
_FILTERS = ("since", "until", "as_of", "sources")

Articles = Mapping[tuple[str, int], Article]


@dataclass(frozen=True, slots=True)
class EvidenceSpan:
    """Mark words of one revision of an article that meet a need."""

    article_id: str
    revision: int
    start: int
    end: int

    def overlaps(self, other: "EvidenceSpan") -> bool:
        """Tell whether two spans share a character of the same article and revision."""
        same = (self.article_id, self.revision) == (other.article_id, other.revision)
        return same and self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Hold a question, its conversation and filters, and what is right: an answer with its evidence, or a refusal.

    `table` has the rows that a table has to hold, where the case gives them.
    """

    id: str
    split: str
    question: str
    kind: str
    history: tuple[Turn, ...]
    filters: Mapping[str, Any]
    answers: tuple[str, ...]
    evidence: tuple[tuple[EvidenceSpan, ...], ...]
    refuse: bool
    table: tuple[Mapping[str, str], ...] = ()


def load_cases(path: Path, articles: Articles) -> list[Case]:
    """Read cases and check their spans against the articles by (id, revision).

    Raises `InputError` naming the line, or the file that holds no case.
    """
    cases: dict[str, Case] = {}
    for where, data in read_values(path):
        try:
            case = _case(data, where, articles)
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{where}: not a case ({error!r}); docs/evaluating.md has its fields") from error
        if case.id in cases:
            raise InputError(f"{where}: the id {case.id!r} stands on an earlier line too; give each case its own")
        cases[case.id] = case
    if not cases:
        raise InputError(f"{path}: holds no case; write one JSON object a line, as docs/evaluating.md has them")
    return list(cases.values())


def ids_of(path: Path) -> list[str]:
    """Return the ids of the cases in a file, which is not checked otherwise; raise `InputError` for what is no JSON."""
    return [str(data["id"]) for _, data in read_values(path) if isinstance(data, dict) and "id" in data]


def places_of(quote: str, article: Article) -> list[EvidenceSpan]:
    """Return every place of an article that has these words, character for character; no words stand nowhere."""
    found = re.finditer(f"(?={re.escape(quote)})", article.text) if quote else ()  # ahead: places may overlap
    return [EvidenceSpan(article.id, article.revision, at.start(), at.start() + len(quote)) for at in found]


def _case(data: Mapping[str, Any], where: str, articles: Articles) -> Case:
    if data.get("draft"):
        raise InputError(f"{where}: is a draft; fill in `answers` and `evidence`, then remove `draft`")
    _check(data, where)
    refuse = bool(data.get("refuse"))
    kind = data.get("kind") or ("near-miss" if refuse else "fact")
    evidence = tuple(
        tuple(span for given in need for span in _spans(given, where, articles)) for need in data.get("evidence") or ()
    )
    if refuse == bool(evidence) or not all(evidence):
        raise InputError(f"{where}: a case has evidence or is to be refused, not both; set `refuse` or add evidence")
    if refuse != (kind in _REFUSED):
        due = "to be refused" if kind in _REFUSED else "to be answered"
        raise InputError(f"{where}: `kind` {kind!r} is {due}, and this case is not; change `kind` or `refuse`")
    if kind == "follow-up" and not data.get("history"):
        raise InputError(f"{where}: `kind` 'follow-up' has no `history`; add the turns before it")
    return Case(
        id=str(data["id"]), split=data.get("split") or "test", question=data["question"], kind=kind,
        history=tuple(Turn.of(turn) for turn in data.get("history") or ()), filters=_filters(data),
        answers=tuple(data.get("answers") or ()), evidence=evidence, refuse=refuse,
        table=tuple(dict(row) for row in data.get("table") or ()),
    )  # fmt: skip


def _check(data: Mapping[str, Any], where: str) -> None:
    """Raise `InputError` for a field that there is not, and for a value that is not what its field holds."""
    if unknown := sorted(set(data) - set(_SHAPES) - {*_FILTERS, "note"}):
        fields = ", ".join(sorted({*_SHAPES, *_FILTERS, "note"}))
        raise InputError(f"{where}: there is no field {unknown[0]!r}; use {fields}")
    for name, (fits, wanted) in _SHAPES.items():
        value = data.get(name)
        if (value is not None or name in _NEEDED) and not fits(value):
            raise InputError(f"{where}: `{name}` is {value!r}; write {wanted}")
    try:
        Filters.of(**_filters(data))
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _filters(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in _FILTERS if data.get(name)}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


_SHAPES: Mapping[str, tuple[Callable[[Any], bool], str]] = MappingProxyType(
    {
        "id": (lambda value: _is_text(value) or type(value) is int, "a name"),
        "split": (lambda value: value in _SPLITS, f"one of {', '.join(_SPLITS)}"),
        "question": (_is_text, "a question in words"),
        "kind": (lambda value: value in KINDS, f"one of {', '.join(KINDS)}"),
        "history": (
            lambda value: (
                _are_objects(value)
                and all(_is_text(turn.get("question")) and isinstance(turn.get("answer", ""), str) for turn in value)
            ),
            'turns, oldest first: [{"question": "...", "answer": "..."}]',
        ),
        "sources": (_are_texts, 'a list of names: ["Oslo Desk"]'),
        "answers": (_are_texts, 'a list of accepted answers: ["19"]'),
        "evidence": (
            lambda value: isinstance(value, list) and all(map(_are_objects, value)),
            'needs, each a list of alternatives: [[{"quote": "..."}]]',
        ),
        "refuse": (lambda value: isinstance(value, bool), "true or false, without quotation marks"),
        "table": (
            lambda value: _are_objects(value) and all(_are_texts(list(row.values())) for row in value),
            'rows: [{"actor": "Oslo", "amount": "5"}]',
        ),
    }
)  # what a field holds, and what to write where it does not


def _spans(data: Mapping[str, Any], where: str, articles: Articles) -> list[EvidenceSpan]:
    """Return the one span that is given by its place, or every place of a quote that is given by its words alone."""
    if "start" in data or "end" in data:
        return [_span(data, where, articles)]
    quote, wanted = data["quote"], (data.get("article_id"), data.get("revision"))
    if not isinstance(quote, str):
        raise InputError(f"{where}: `quote` is {quote!r}; copy the words as the article has them")
    found = [
        span
        for key, article in articles.items()
        if all(want in (None, have) for want, have in zip(wanted, key, strict=True))
        for span in places_of(quote, article)
    ]
    if not found:
        place = repr(wanted[0]) if wanted[0] else "the articles"
        raise InputError(
            f"{where}: {quote!r} does not stand in {place}; copy the words exactly as the article has them"
        )
    return found


def _span(data: Mapping[str, Any], where: str, articles: Articles) -> EvidenceSpan:
    span = EvidenceSpan(data["article_id"], data.get("revision", 1), data["start"], data["end"])
    if type(span.start) is not int or type(span.end) is not int or not 0 <= span.start < span.end:
        raise InputError(f"{where}: {span.start!r} to {span.end!r} is no place; count characters from 0, end exclusive")
    article = articles.get((span.article_id, span.revision))
    if article is None:
        raise InputError(f"{where}: no article {span.article_id!r}, revision {span.revision}; correct the case")
    words = article.text[span.start : span.end]
    if words != data["quote"]:
        raise InputError(f"{where}: {span.article_id}[{span.start}:{span.end}] reads {words!r}, not {data['quote']!r}")
    return span
