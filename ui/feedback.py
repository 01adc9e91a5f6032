"""What readers say about answers: a JSON line each, beside the index. What `append` returned from survives a crash.

A line holds the answer that it is about. When an article is deleted, `forget` takes every answer that shows words of it
out of the lines; who said what about which question stays.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from index.errors import IndexFolderError, InputError

__all__ = ["FEEDBACK_KINDS", "FEEDBACK_NAME", "Feedback"]

FEEDBACK_NAME = "feedback.jsonl"
FEEDBACK_KINDS = ("like", "dislike", "wrong_passage", "missing_source", "other")
_MAX_COMMENT_CHARACTERS = 2_000
_MAX_LINE_BYTES = 512 * 1024


class Feedback:
    """Append to the feedback of one index folder. Safe to share between threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FEEDBACK_NAME

    def append(
        self,
        kind: str,
        answer: Mapping[str, Any],
        *,
        at: datetime,
        comment: str | None = None,
        citation: int | None = None,
    ) -> dict[str, Any]:
        """Store what a reader says about an answer, and return the line as stored; raise `InputError` for bad input."""
        line = {
            "at": at.isoformat(timespec="seconds"), "kind": _checked_kind(kind), "comment": _checked_comment(comment),
            "citation": _checked_citation(citation, answer), "answer": dict(answer),
        }  # fmt: skip
        data = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        if len(data) > _MAX_LINE_BYTES:
            raise InputError(f"the feedback has {len(data):,} bytes, the limit is {_MAX_LINE_BYTES:,}; shorten it")
        with self._open(create=True) as file:
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":  # a crash cut the last line off; it must not take ours
                data = b"\n" + data
            _write(file, data)
            if not size:
                _sync_folder(self._path.parent)
        return line

    def forget(self, article_id: str) -> int:
        """Take the answers that show words of an article out of the lines, and return how many that were."""
        if not self._path.exists():
            return 0
        with self._open(create=False) as file:
            lines = os.pread(file, os.fstat(file).st_size, 0).split(b"\n")
            kept = [_without_answer(line, article_id) for line in lines]
            forgotten = sum(new is not line for new, line in zip(kept, lines, strict=True))
            if forgotten:
                self._replace(b"\n".join(kept))
            return forgotten

    @contextmanager
    def _open(self, *, create: bool) -> Iterator[int]:
        """Open the file for one writer alone; another process may have replaced it before we had the lock."""
        try:
            while True:
                file = os.open(
                    self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600
                )
                try:
                    fcntl.flock(file, fcntl.LOCK_EX)
                    if self._path.exists() and os.path.samestat(os.fstat(file), self._path.stat()):
                        yield file
                        return
                finally:
                    os.close(file)
        except OSError as error:
            cure = "make room or give this user the right to write there"
            raise IndexFolderError(f"{self._path}: {error.strerror}; {cure}") from error

    def _replace(self, data: bytes) -> None:
        new = self._path.with_suffix(".new")
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write(file, data)
        finally:
            os.close(file)
        new.replace(self._path)
        _sync_folder(self._path.parent)


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
    os.fsync(file)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _without_answer(line: bytes, article_id: str) -> bytes:
    """Return a line itself, or without its answer where that shows words of the article."""
    try:
        entry = json.loads(line)
        answer = entry["answer"]
    except (ValueError, TypeError, KeyError):  # a line that a crash cut off
        return line if json.dumps(article_id, ensure_ascii=False).encode("utf-8", "replace") not in line else b""
    if article_id not in _shown_in(answer):
        return line
    left = {name: answer[name] for name in ("id", "question", "status") if name in answer}
    return json.dumps({**entry, "answer": {**left, "forgotten": article_id}}, ensure_ascii=False).encode()


def _shown_in(value: object) -> set[object]:
    """Return every `article_id` anywhere in an answer."""
    if isinstance(value, list):
        return set().union(*map(_shown_in, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    own = value.get("article_id")
    return {own if isinstance(own, str) else None}.union(*map(_shown_in, value.values()))


def _checked_kind(kind: str) -> str:
    if kind not in FEEDBACK_KINDS:
        raise InputError(f"`kind` is {kind!r}; use one of {', '.join(FEEDBACK_KINDS)}")
    return kind


def _checked_comment(comment: str | None) -> str | None:
    if comment and len(comment) > _MAX_COMMENT_CHARACTERS:
        size = f"{len(comment):,} characters, the limit is {_MAX_COMMENT_CHARACTERS:,}"
        raise InputError(f"`comment` has {size}; shorten it")
    return comment or None


def _checked_citation(citation: int | None, answer: Mapping[str, Any]) -> int | None:
    held = answer.get("citations")
    numbers = [c.get("number") for c in held if isinstance(c, Mapping)] if isinstance(held, list | tuple) else []
    if citation is not None and citation not in numbers:
        raise InputError(f"`citation` is {citation!r}, and the answer has {numbers or 'none'}; name one that it has")
    return citation
