"""The files of a public set, in a folder that the user names. What is missing is said with what to do about it.

So is what is malformed: a loader writes down as a dataclass what it reads of a row, and every reader here checks its
rows against that. What fits is trusted from there on; fields that the dataclass does not name are passed over.
"""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar
from zipfile import BadZipFile, ZipFile

from pydantic import Field, TypeAdapter, ValidationError

from index.errors import GroundwireError, InputError

__all__ = [
    "WHICH_FILE", "AtLeastOne", "DataFiles", "Identity", "MissingDataError", "Words", "read_archive", "read_csv",
    "read_json", "read_json_lines", "read_text",
]  # fmt: skip

WHICH_FILE = "docs/benchmarks.md says which file belongs here, and where to get it"

Item = TypeVar("Item")
Shape = TypeVar("Shape")

AtLeastOne = Annotated[tuple[Item, ...], Field(min_length=1)]
"""A list that is not empty."""

Words = Annotated[str, Field(pattern=r"\S")]
"""Text that is not blank."""

Identity = Annotated[str, Field(pattern=r"\S", coerce_numbers_to_str=True)]
"""A name, which some files write as a number."""


class MissingDataError(GroundwireError):
    """Say that a folder or a file of a public set is not there; a run goes on with the other sets."""


@dataclass(frozen=True, slots=True)
class DataFiles:
    """Hold the folder of a set's files, and where to get them."""

    folder: Path
    source: str

    @classmethod
    def of(cls, folder: Path, name: str, source: str) -> "DataFiles":
        """Return the files in the folder, or in the folder called `name` inside it, which comes first."""
        inner = folder / name
        chosen = inner if inner.is_dir() else folder
        if not chosen.is_dir():
            raise MissingDataError(f"{folder}: there is no such folder; get the set from {source}")
        return cls(chosen, source)

    def one(self, *patterns: str) -> Path:
        """Return the first file, by pattern and then by name, that one of the patterns fits."""
        return self.all(*patterns)[0]

    def all(self, *patterns: str) -> list[Path]:
        """Return the files that the first pattern with any fits, by name."""
        for pattern in patterns:
            if found := sorted(path for path in self.folder.glob(pattern) if path.is_file()):
                return found
        raise MissingDataError(f"{self.folder}: holds no {' and no '.join(patterns)}; get the set from {self.source}")


def read_text(path: Path) -> str:
    """Return the text of a file, unpacked when its name ends in .gz; line ends stay as they are."""
    with _named(path):
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")


def read_archive(path: Path, suffix: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every file in a ZIP archive whose name ends so, by name."""
    with _named(path), ZipFile(path) as archive:
        texts = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist() if name.endswith(suffix)}
    yield from sorted(texts.items())


def read_json(path: Path, shape: type[Shape]) -> Shape:
    """Return what a JSON file holds, in its shape; raise `InputError` naming the file, and the field that is wrong."""
    text = read_text(path)
    with _placed(str(path)):
        return _checked(TypeAdapter(shape), text)


def read_json_lines(path: Path, shape: type[Shape]) -> Iterator[tuple[str, Shape]]:
    """Yield where a line is, as in "rows.jsonl:3", and its value, for every line that is not empty.

    Raises `InputError` naming the line, and the field that is wrong.
    """
    adapter = TypeAdapter(shape)
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            where = f"{path}:{number}"
            with _placed(where):
                value = _checked(adapter, line)
            yield where, value


def _checked(adapter: TypeAdapter[Shape], text: str) -> Shape:
    """Return the value of a JSON text. Half a pair of surrogates, which scraped texts have, becomes a question mark."""
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            raise error from None
        return adapter.validate_json(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def read_csv(path: Path, shape: type[Shape]) -> Iterator[tuple[str, Shape]]:
    """Yield where a row ends, as in "rows.csv:3", and the row; raise `InputError` as `read_json_lines` does."""
    adapter = TypeAdapter(shape)
    # Cells beyond the heading go to "", because a shape has no field called None.
    rows = csv.DictReader(io.StringIO(read_text(path), newline=""), restkey="")
    try:
        for row in rows:
            where = f"{path}:{rows.line_num}"
            with _placed(where):
                value = adapter.validate_python(row)
            yield where, value
    except csv.Error as error:
        raise InputError(f"{path}:{rows.line_num + 1}: is not CSV ({error}); {WHICH_FILE}") from error


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Raise what cannot be read or unpacked as an `InputError` that names the file."""
    try:
        yield
    except (OSError, EOFError, zlib.error, BadZipFile, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error  # the words alone: the path stands before them
        raise InputError(f"{path}: cannot be read ({why}); {WHICH_FILE}") from error


@contextmanager
def _placed(where: str) -> Iterator[None]:
    """Raise the first thing that does not fit its shape as an `InputError` that says where it stands."""
    try:
        yield
    except ValidationError as error:
        raise InputError(f"{where}: {_fault(error)}; {WHICH_FILE}") from error


def _fault(error: ValidationError) -> str:
    """Say what is wrong first: the name of its field, and its value."""
    first = error.errors(include_url=False)[0]
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    name = f"`{path}` " if path else ""
    match first["type"]:
        case "json_invalid":
            return f"{name}is not JSON ({first['ctx']['error']})"
        case "missing":
            return f"there is no {name}".rstrip()
        case "too_short" | "string_pattern_mismatch":  # the pattern is that of `Words`
            return f"{name}is empty"
        case _:
            return f"{name}is {repr(first['input'])[:80]}, not {first['msg'].removeprefix('Input should be ')}"
