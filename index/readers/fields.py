"""From named fields to an article: the one way in, for front matter, JSON, CSV and `--meta` alike."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from index.article import Article, article_id_for, clean_text
from index.dates import normalise_date
from index.errors import InputError, UnreadableError
from index.readers.record import Record, Unread, printable, shown

__all__ = [
    "MAX_TEXT_CHARACTERS",
    "NO_TEXT",
    "TOO_DEEP",
    "article_from",
    "check_meta",
    "sort_fields",
    "text_over_limit",
]

NO_TEXT = "holds no text; there is nothing to ingest"
TOO_DEEP = "is nested too deeply; an article is a flat object"

MAX_TEXT_CHARACTERS = 5_000_000
_MAX_LINE_CHARACTERS = 1_000
_MAX_ID_CHARACTERS = 200
_MAX_NAME_CHARACTERS = 80  # of a name in a message, and how many of them
_MOST_NAMES = 20

# What a field may be called; of several that are filled, the first counts and the others are metadata.
_NAMES = {
    "id": ("id",),
    "text": ("text", "body", "content"),
    "title": ("title",),
    "source": ("source", "publisher", "outlet"),
    "author": ("author",),
    "url": ("url", "link"),
    "published": ("published", "published_at", "date"),
    "updated": ("updated", "updated_at"),
    "language": ("language", "lang"),
}
_FIELDS = {name: (field, rank) for field, names in _NAMES.items() for rank, name in enumerate(names)}
_OURS = frozenset({"file", "encoding"})  # metadata that we write; an article's own field of that name is kept beside it


class Named(NamedTuple):
    """Hold the value of a field, and what the file calls it."""

    name: str
    value: object


class SortedFields(NamedTuple):
    """Hold the fields that an article has a place for, by that place, and the others by their own names."""

    known: dict[str, Named]
    other: dict[str, object]


def article_from(record: Record, meta: Mapping[str, str]) -> Article | Unread:
    """Return the article that a record describes, or why it describes none; the fields of `meta` win.

    The text is cleaned once (see `clean_text`), and white space before and behind it removed; offsets count from there.
    Names of fields are compared without case, blanks and hyphens being underscores. A field that is null or an empty
    string is unknown. Fields without a place of their own become metadata: a string as it is, a list of strings joined
    with commas, anything else as JSON; `file` and `encoding` are ours, and an article's own become `given_file` and
    `given_encoding`.
    """
    try:
        return _article(record, meta)
    except InputError as error:
        return Unread(where=record.where, outcome="failed", reason=str(error))
    except RecursionError:
        return Unread(where=record.where, outcome="failed", reason=TOO_DEEP)


def check_meta(meta: Mapping[str, str]) -> None:
    """Raise `InputError` where fields given by the user fit no article."""
    known = sort_fields(meta).known
    if "text" in known:
        raise InputError(f"meta: `{known['text'].name}` would take the place of every text; leave it out")
    tried = article_from(Record(where="meta", file="", fields={"text": "any"}, raw_sha256=""), meta)
    if isinstance(tried, Unread):
        raise InputError(f"meta: {tried.reason}")


def sort_fields(fields: Mapping[str, object]) -> SortedFields:
    """Tell the fields that an article has a place for from the others; what is null is left out."""
    known: dict[str, Named] = {}
    other: dict[str, object] = {}
    for name in sorted(fields, key=_rank):
        value, field = fields[name], _FIELDS.get(_folded(name), ("", 0))[0]
        if value is None:
            continue
        if field and (field not in known or known[field].value == ""):
            known[field] = Named(name, value)
        elif value != "":
            other[name] = value
    return SortedFields(known, other)


def text_over_limit(characters: int) -> str:
    """Return the reason for refusing a text of so many characters."""
    return f"`text` has {characters:,} characters, over the limit of {MAX_TEXT_CHARACTERS:,}; split it"


def _article(record: Record, meta: Mapping[str, str]) -> Article | Unread:
    known, other = sort_fields(record.fields)
    text = _text(known, record.fields)
    if not text:
        return Unread(where=record.where, outcome="skipped", reason=NO_TEXT)
    given = sort_fields({name: value for name, value in meta.items() if value})
    known |= given.known
    url = _line(known, "url")
    ours = {"file": record.file} | ({"encoding": record.encoding} if record.encoding else {})
    return Article(
        id=_id(known) or article_id_for(url=url, text=text),
        text=text,
        title=_line(known, "title"),
        source=_line(known, "source"),
        author=_author(known),
        url=url,
        published=_date(known, "published"),
        updated=_date(known, "updated"),
        language=_line(known, "language"),
        raw_sha256=record.raw_sha256,
        metadata=_metadata(other) | _metadata(given.other) | ours,
    )


def _text(known: Mapping[str, Named], fields: Mapping[str, object]) -> str:
    if "text" not in known:
        has = ", ".join(_quoted(name) for name in list(fields)[:_MOST_NAMES]) or "none"
        raise UnreadableError(f"has no `text`, its fields are: {has}; call the article's words `text`")
    value = known["text"].value
    if not isinstance(value, str):
        raise _wrong_type(known["text"], "a string")
    if len(value) > MAX_TEXT_CHARACTERS:
        raise UnreadableError(text_over_limit(len(value)))
    return clean_text(value).strip()


def _line(known: Mapping[str, Named], field: str) -> str | None:
    """Return a field that stands on one line: cleaned, with every stretch of white space as one blank."""
    if field not in known:
        return None
    value = known[field].value
    if not isinstance(value, str):
        raise _wrong_type(known[field], "a string")
    return _limited(known[field], _one_line(value), _MAX_LINE_CHARACTERS)


def _author(known: Mapping[str, Named]) -> str | None:
    authors = known["author"].value if "author" in known else None
    if not isinstance(authors, list):
        return _line(known, "author")
    if not all(isinstance(author, str) for author in authors):
        raise _wrong_type(known["author"], "a list of strings")
    return _limited(known["author"], ", ".join(filter(None, map(_one_line, authors))), _MAX_LINE_CHARACTERS)


def _id(known: Mapping[str, Named]) -> str | None:
    """Return the id; a whole number is one too, because databases give such ids."""
    if "id" not in known:
        return None
    value = known["id"].value
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _wrong_type(known["id"], "a string or a whole number")
    text = str(value).strip()
    if not text.isprintable():
        raise UnreadableError(f"{_quoted(known['id'].name)} {shown(text)} holds invisible characters; remove them")
    return _limited(known["id"], text, _MAX_ID_CHARACTERS)


def _date(known: Mapping[str, Named], field: str) -> str | None:
    if field not in known:
        return None
    value = known[field].value
    if isinstance(value, str) and not value.strip():
        return None
    return normalise_date(value, where=_quoted(known[field].name))


def _metadata(fields: Mapping[str, object]) -> dict[str, str]:
    named = {_one_line(name): _as_text(value) for name, value in fields.items()}
    return {f"given_{name}" if name in _OURS else name: text for name, text in named.items() if text}


def _as_text(value: object) -> str:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = ", ".join(value)
    return clean_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).strip()


def _one_line(text: str) -> str:
    return " ".join(clean_text(text).split())


def _limited(named: Named, text: str, limit: int) -> str | None:
    if len(text) > limit:
        size = f"{len(text):,} characters, over the limit of {limit:,}"
        raise UnreadableError(f"{_quoted(named.name)} has {size}; shorten it")
    return text or None


def _wrong_type(named: Named, wanted: str) -> UnreadableError:
    return UnreadableError(f"{_quoted(named.name)} {shown(named.value)} is not {wanted}; write it as one")


def _quoted(name: str) -> str:
    return f"`{printable(name[:_MAX_NAME_CHARACTERS])}`"


def _folded(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _rank(name: str) -> int:
    return _FIELDS.get(_folded(name), ("", 0))[1]
