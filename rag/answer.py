"""The answer: data only. Python objects and JSON have the same field names.

Laws: ``answer.text[s.start:s.end] == s.text`` for every sentence; its marks stand right behind ``end``.
``article.text[c.start:c.end] == c.quote`` for every citation, in the revision that it names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from index.news_index import Hit

__all__ = [
    "Answer",
    "Citation",
    "Conflict",
    "ConflictValue",
    "Copy",
    "Coverage",
    "Event",
    "Notice",
    "Refusal",
    "Rejected",
    "Row",
    "Searched",
    "Sentence",
    "Table",
    "TableCoverage",
    "Understood",
    "to_json",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Name another article that prints the same words."""

    article_id: str
    title: str | None
    source: str | None
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Point at the exact words of one revision of an article."""

    number: int
    article_id: str
    revision: int
    passage_id: str
    title: str | None
    source: str | None
    author: str | None
    url: str | None
    published: str | None
    quote: str
    start: int
    end: int
    text_sha256: str
    also_in: tuple[Copy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """Hold a sentence of the answer, its place in the answer's text, and the numbers of what it rests on."""

    text: str
    start: int
    end: int
    support: str
    score: float | None
    reasons: tuple[str, ...]
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Hold a row of a table, with the number that its amount means and the citations that bear it out."""

    cells: Mapping[str, str]
    value: float | None
    currency: str | None
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCoverage:
    """Say how many articles a table was made from."""

    articles_in_scope: int
    articles_read: int
    articles_with_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Hold rows under columns."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    coverage: TableCoverage


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictValue:
    """Hold one of the values that sources report, as of a day."""

    value: str
    as_of: str | None
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Hold what sources report differently; `kind` is "updated" or "contradictory"."""

    about: str
    kind: str
    values: tuple[ConflictValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Say how much was in scope and how much of it was read."""

    articles_in_scope: int
    articles_read: int
    passages_scored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """Say what a refusal searched."""

    articles: int
    since: str | None
    until: str | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Say why there is no answer.

    `reason` is "not_in_articles", "nothing_in_window", "false_premise", "ambiguous" or "empty_index".
    """

    reason: str
    text: str
    searched: Searched
    nearest: tuple[Hit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Hold a mark that was taken out of the text, because it points at nothing."""

    mark: str
    sentence: str
    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Tell the reader something about the answer."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """Say how the question was understood."""

    question: str
    since: str | None
    until: str | None
    as_of: str | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Hold a whole answer; `status` is "answered", "partial" or "refused"."""

    id: str
    question: str
    status: str
    understood: Understood
    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    table: Table | None
    conflicts: tuple[Conflict, ...]
    coverage: Coverage
    refusal: Refusal | None
    rejected: tuple[Rejected, ...]
    notices: tuple[Notice, ...]
    follow_ups: tuple[str, ...]
    hits: tuple[Hit, ...]
    writer: str
    model: str | None
    index: Mapping[str, int]
    timings_ms: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return the one JSON shape of an answer: the same over Python, the command and HTTP."""
        return {field.name: to_json(getattr(self, field.name)) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Event:
    """Hold one step of a streamed answer.

    `name` is "understood", "hits", "sentence", "notice", "answer" or "error"; `data` is what a JSON reader gets, and
    `answer` the whole answer with the event of that name.
    """

    name: str
    data: Mapping[str, Any]
    answer: Answer | None = None


def to_json(value: object) -> Any:  # noqa: ANN401 - JSON is any of its types
    """Return the JSON form of any value of this module."""
    if isinstance(value, Hit):
        return value.to_json()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {name: to_json(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    return value
