"""What a worker is asked, and what it answers: JSON files, read by Pythons that do not share their packages.

Only the standard library is imported, so that every environment can.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["Document", "Found", "Job", "Outcome", "read_job", "read_outcome", "write_json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Hold a text to be indexed; `title` is "" where the text carries it already."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Hold what one system is to do, in one process.

    `cut` tells whether the system cuts the documents as it does by default, or takes each as one chunk. `variant` is
    "" or a name that the worker knows. `model` and `folder` are paths; `cache` is where our prepared model lies.
    """

    model: str
    documents: tuple[Document, ...]
    questions: tuple[str, ...]
    k: int
    cut: bool
    variant: str
    folder: str
    cache: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """Hold a chunk that was found: the id of its document, and its own words."""

    document: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Hold what was measured; `found` has the chunks for every question, best first, at most `k`."""

    versions: Mapping[str, str]
    settings: str
    chunks: int
    start_s: float
    ingest_s: float
    query_ms: tuple[float, ...]
    peak_mb: float
    found: tuple[tuple[Found, ...], ...]


def write_json(value: Job | Outcome, path: Path) -> None:
    """Write a job or an outcome to a file."""
    path.write_text(json.dumps(asdict(value)), encoding="utf-8")


def read_job(path: Path) -> Job:
    """Read a job."""
    data = _read(path)
    documents = tuple(Document(**document) for document in data.pop("documents"))
    return Job(documents=documents, questions=tuple(data.pop("questions")), **data)


def read_outcome(path: Path) -> Outcome:
    """Read an outcome."""
    data = _read(path)
    found = tuple(tuple(Found(**chunk) for chunk in chunks) for chunks in data.pop("found"))
    return Outcome(found=found, query_ms=tuple(data.pop("query_ms")), **data)


def _read(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data
