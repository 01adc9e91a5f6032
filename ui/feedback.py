"""What readers say about answers: a JSON line each, beside the index. What `append` returned from survives a crash."""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from threading import Lock
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
        self._lock = Lock()

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
        with self._lock:
            try:
                self._write(data)
            except OSError as error:
                cure = "make room or give this user the right to write there"
                raise IndexFolderError(f"{self._path}: {error.strerror}; {cure}") from error
        return line

    def _write(self, data: bytes) -> None:
        is_new = not self._path.exists()
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":  # a crash cut the last line off; it must not take ours
                data = b"\n" + data
            while data:
                data = data[os.write(file, data) :]
            os.fsync(file)
        finally:
            os.close(file)
        if is_new:
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


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
