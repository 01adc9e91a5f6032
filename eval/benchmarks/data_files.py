"""The files of a public set, in a folder that the user names. What is missing is said with what to do about it."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import GroundwireError, InputError

__all__ = ["DataFiles", "MissingDataError", "read_json", "read_json_lines", "read_text"]


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
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON is any of its types
    """Return what a JSON file holds; raise `InputError` naming it where it is not JSON."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: is not JSON ({error}); get the file anew") from error


def read_json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the object of every line that is not empty; raise `InputError` naming the line that is not JSON."""
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise InputError(f"{path}:{number}: is not JSON ({error}); get the file anew") from error
