"""Which reader reads a file, and the one way from a file to articles."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from index.article import Article
from index.errors import UnreadableError
from index.readers.csv_rows import read_csv
from index.readers.fields import NO_TEXT, article_from, check_meta
from index.readers.file_bytes import why
from index.readers.json_objects import read_json, read_json_lines
from index.readers.plain_text import read_plain_text
from index.readers.record import Record, Unread, printable, shown

__all__ = ["read_articles", "unknown_format"]


def read_articles(path: Path, *, meta: Mapping[str, str] | None = None) -> Iterator[Article | Unread]:
    """Yield the articles of a file in order, and an `Unread` for each line, row or object that gives none.

    A bad file never raises: it yields one `Unread`. `meta` (`--meta name=value`) goes through the same checks as the
    file's own fields and wins over them, because the user said it last; a bad one raises `InputError` at once.
    """
    meta = meta or {}
    check_meta(meta)
    return _read(path, meta)


def unknown_format(path: Path) -> str | None:
    """Return why no reader takes the file, by its suffix; None where one does."""
    if path.suffix.lower() in _READERS:
        return None
    what = f"has the suffix {shown(path.suffix)}, which" if path.suffix else "has no suffix: its format"
    return f"{what} Groundwire does not read; it reads {', '.join(sorted(_READERS))}"


def _read(path: Path, meta: Mapping[str, str]) -> Iterator[Article | Unread]:
    where = printable(path)
    if reason := unknown_format(path):
        yield Unread(where=where, outcome="skipped", reason=reason)
        return
    empty = True
    try:
        for item in _READERS[path.suffix.lower()](path):
            empty = False
            yield item if isinstance(item, Unread) else article_from(item, meta)
    except UnreadableError as error:
        yield Unread(where=where, outcome="failed", reason=str(error))
    except OSError as error:
        yield Unread(where=where, outcome="failed", reason=why(error))
    else:
        if empty:
            yield Unread(where=where, outcome="skipped", reason=NO_TEXT)


def _read_markdown(path: Path) -> Iterator[Record | Unread]:
    from index.readers.markdown import read_markdown  # the parser takes 0.2 s to import; most files need none

    return read_markdown(path)


_READERS: Mapping[str, Callable[[Path], Iterator[Record | Unread]]] = {
    ".csv": read_csv,
    ".json": read_json,
    ".jsonl": read_json_lines,
    ".markdown": _read_markdown,
    ".md": _read_markdown,
    ".ndjson": read_json_lines,
    ".text": read_plain_text,
    ".tsv": read_csv,
    ".txt": read_plain_text,
}
