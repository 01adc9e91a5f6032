"""CSV and TSV: the first row names the fields, every other row is an article."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from index.errors import UnreadableError
from index.readers.encoding import decode
from index.readers.fields import sort_fields
from index.readers.file_bytes import MAX_BYTES, read_bytes
from index.readers.json_objects import canonical_sha256
from index.readers.record import Record, Unread, printable, shown

__all__ = ["read_csv"]

_DELIMITERS = (",", ";", "\t")


def read_csv(path: Path) -> Iterator[Record | Unread]:
    """Yield a record for each row; an empty cell says nothing. Lines are counted as an editor does, from 1.

    A TSV file is divided by tabs, a CSV file by whichever of comma, semicolon and tab divides its first row most.
    """
    csv.field_size_limit(max(csv.field_size_limit(), MAX_BYTES))  # of the whole process, so it is only ever raised
    decoded = decode(read_bytes(path))
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(decoded.text)
    rows = csv.reader(io.StringIO(decoded.text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] = []
    while True:
        where = f"{printable(path)}:{rows.line_num + 1}"
        try:
            row = next(rows, None)
        except csv.Error as error:
            reason = f"the row is not CSV ({error}); mend its quotes"
            if not names:
                raise UnreadableError(reason) from error
            yield Unread(where=where, outcome="failed", reason=reason)
            continue
        if row is None:
            return
        if not any(cell.strip() for cell in row):
            continue
        if not names:
            names = _header(row)
        elif len(row) != len(names):
            reason = (
                f"cells in the row: {len(row)}, in the first row: {len(names)}; quote those that hold {delimiter!r}"
            )
            yield Unread(where=where, outcome="failed", reason=reason)
        else:
            fields = {name: cell for name, cell in zip(names, row, strict=True) if cell}
            yield Record(
                where=where,
                file=printable(path.name),
                fields=fields,
                raw_sha256=canonical_sha256(dict(zip(names, row, strict=True))),
                encoding=decoded.guessed,
            )


def _delimiter(text: str) -> str:
    def columns(delimiter: str) -> int:
        return len(next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), []))

    return max(_DELIMITERS, key=columns)


def _header(row: list[str]) -> list[str]:
    """Return the names of the columns; one without a name is called after its number."""
    names = [name.strip() or f"column {number}" for number, name in enumerate(row, start=1)]
    if "text" not in sort_fields(dict.fromkeys(names, "")).known:
        columns = ", ".join(shown(name) for name in names)
        raise UnreadableError(f"has no column `text`, its first row is {columns}; name the columns there")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UnreadableError(f"has two columns {shown(twice[0])}; rename one")
    return names
