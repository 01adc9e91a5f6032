"""Plain text: the whole file is the text of one article, and says nothing about it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from index.readers.encoding import decode
from index.readers.file_bytes import read_bytes
from index.readers.record import Record, Unread, printable

__all__ = ["read_plain_text"]


def read_plain_text(path: Path) -> Iterator[Record | Unread]:
    """Yield the file's one record. Title, source and date are unknown: the first line may be one, or may not."""
    data = read_bytes(path)
    decoded = decode(data)
    yield Record(
        where=printable(path),
        file=printable(path.name),
        fields={"text": decoded.text},
        raw_sha256=hashlib.sha256(data).hexdigest(),
        encoding=decoded.guessed,
    )
