"""JSON (one article, a list of them, or `{"articles": [...]}`) and JSON Lines (one article a line)."""

import codecs
import hashlib
import json
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import BinaryIO, NoReturn

from index.errors import UnreadableError
from index.readers.encoding import BYTE_ORDER_MARKS, decode_unicode
from index.readers.fields import TOO_DEEP, sort_fields
from index.readers.file_bytes import MAX_BYTES, open_file, over_limit, read_bytes
from index.readers.record import Record, Unread, printable, shown

__all__ = ["canonical_sha256", "read_json", "read_json_lines"]

_CHUNK_BYTES = 1 << 20
_MOST_DIGITS = 4_000  # of a whole number; Python refuses to turn some more into text


def read_json(path: Path) -> Iterator[Record | Unread]:
    """Yield a record for each object of a JSON file. What stands beside a list `articles` is not kept."""
    where, data = printable(path), read_bytes(path)
    text = decode_unicode(data).text
    if not text.strip():
        return
    document = _parse(text)
    if isinstance(document, dict) and "text" not in sort_fields(document).known:
        document = document.get("articles", document)
    if isinstance(document, list):
        for number, value in enumerate(document, start=1):
            yield _element(path, f"{where}: article {number}", value)
    else:
        yield _record(path, where, document, hashlib.sha256(data).hexdigest())


def read_json_lines(path: Path) -> Iterator[Record | Unread]:
    """Yield a record for each line that is not blank. The file may be of any size; a line is limited to 25 MB."""
    with open_file(path) as stream:
        number = 0
        while line := stream.readline(MAX_BYTES + 1):
            number += 1
            where = f"{printable(path)}:{number}"
            if len(line) > MAX_BYTES:
                size_bytes = len(line) + _skip_rest_of_line(stream, line)
                yield Unread(where=where, outcome="failed", reason=f"the line {over_limit(size_bytes)}")
                continue
            line = _without_mark(line) if number == 1 else line
            if line.strip():
                yield _line(path, where, line.rstrip(b"\r\n"))


def canonical_sha256(value: object) -> str:
    """Return the SHA-256 of a value as JSON with sorted names and nothing beyond ASCII, in hexadecimal."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _line(path: Path, where: str, line: bytes) -> Record | Unread:
    try:
        return _record(path, where, _parse(_utf8(line)), hashlib.sha256(line).hexdigest())
    except UnreadableError as error:
        return Unread(where=where, outcome="failed", reason=str(error))


def _element(path: Path, where: str, value: object) -> Record | Unread:
    try:
        return _record(path, where, value, canonical_sha256(value))
    except RecursionError:  # the parser went one step deeper than the encoder can
        return Unread(where=where, outcome="failed", reason=TOO_DEEP)
    except UnreadableError as error:
        return Unread(where=where, outcome="failed", reason=str(error))


def _record(path: Path, where: str, value: object, raw_sha256: str) -> Record:
    if not isinstance(value, dict):
        raise UnreadableError(f'{shown(value)} is not an article; write {{"title": "...", "text": "..."}}')
    return Record(where=where, file=printable(path.name), fields=value, raw_sha256=raw_sha256)


def _parse(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=_whole)
    except RecursionError as error:
        raise UnreadableError(TOO_DEEP) from error
    except json.JSONDecodeError as error:
        place = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise UnreadableError(f"is not JSON ({place}); mend it there") from error


def _refuse(digits: str) -> NoReturn:
    raise UnreadableError(f"{shown(digits)} is no number that can be read; write it in quotes")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if isfinite(number) else _refuse(digits)


def _whole(digits: str) -> int:
    return int(digits) if len(digits) <= _MOST_DIGITS else _refuse(digits)


def _utf8(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        bad = f"byte 0x{line[error.start]:02x} at position {error.start} of the line"
        raise UnreadableError(f"{bad} is not UTF-8; save the file as UTF-8") from error


def _without_mark(line: bytes) -> bytes:
    for mark, codec in BYTE_ORDER_MARKS.items():
        if line.startswith(mark) and mark != codecs.BOM_UTF8:
            raise UnreadableError(f"is {codec.upper()}, and JSON Lines are UTF-8; save it as UTF-8")
    return line.removeprefix(codecs.BOM_UTF8)


def _skip_rest_of_line(stream: BinaryIO, begun: bytes) -> int:
    """Read to the end of a line, keep nothing, and return how many bytes that were."""
    size_bytes, chunk = 0, begun
    while chunk and not chunk.endswith(b"\n"):
        chunk = stream.readline(_CHUNK_BYTES)
        size_bytes += len(chunk)
    return size_bytes
