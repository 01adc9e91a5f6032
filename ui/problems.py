"""Errors over HTTP: `application/problem+json` (RFC 9457) that says what is wrong, why, and what to do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from index.errors import (
    ArticleNotFoundError,
    GroundwireError,
    IndexFolderError,
    IndexLockedError,
    InputError,
    UnreadableError,
)
from ui.engine import BusyError, NotReadyError, RateLimitedError, TookTooLongError

__all__ = ["MEDIA_TYPE", "Problem", "problem_of"]

MEDIA_TYPE = "application/problem+json"
_SEE = "look at /docs for what this address takes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Hold what went wrong with a request: a stable `code`, the cause, and what to do about it."""

    status: int
    code: str
    cause: str
    cure: str = _SEE
    retry_after_s: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the body of the response. `error` repeats it for clients of the OpenAI dialect."""
        detail = f"{self.cause}; {self.cure}"
        return {
            "type": "about:blank", "title": HTTPStatus(self.status).phrase, "status": self.status, "detail": detail,
            "code": self.code, "cause": self.cause, "cure": self.cure, "retry_after_s": self.retry_after_s,
            "error": {"message": detail, "type": self.code, "code": self.code, "param": None},
        }  # fmt: skip

    def body(self) -> bytes:
        """Return the body as bytes."""
        return json.dumps(self.to_json(), ensure_ascii=False).encode("utf-8", "replace")

    def headers(self) -> Mapping[str, str]:
        """Return the headers that belong to the body."""
        more = {"www-authenticate": "Bearer"} if self.status == HTTPStatus.UNAUTHORIZED else {}
        if self.retry_after_s is not None:
            more["retry-after"] = str(self.retry_after_s)
        return {"content-type": MEDIA_TYPE, **more}


_KINDS: tuple[tuple[type[GroundwireError], int, str], ...] = (  # the first that fits
    (RateLimitedError, 429, "too_many_questions"),
    (BusyError, 503, "busy"),
    (NotReadyError, 503, "not_ready"),
    (TookTooLongError, 504, "took_too_long"),
    (ArticleNotFoundError, 404, "article_not_found"),
    (UnreadableError, 400, "unreadable"),
    (InputError, 400, "bad_input"),
    (IndexLockedError, 409, "index_locked"),
    (IndexFolderError, 500, "index_unusable"),
    (GroundwireError, 500, "failed"),
)


def problem_of(error: GroundwireError) -> Problem:
    """Return the problem that an error of ours is over HTTP: its words stand before and behind the last semicolon."""
    status, code = next((status, code) for kind, status, code in _KINDS if isinstance(error, kind))
    cause, _, cure = str(error).rpartition("; ")
    retry_after_s = error.retry_after_s if isinstance(error, BusyError) else 2 if status == 503 else None
    return Problem(
        status=status, code=code, cause=cause or cure, cure=cure if cause else _SEE, retry_after_s=retry_after_s
    )
