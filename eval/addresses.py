"""Answers over HTTP: from a Groundwire server, or from any server that speaks OpenAI's chat completions."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.cases import Case
from eval.run import Setup
from index.embed import Embedder
from index.errors import InputError

__all__ = ["Address", "ServerError", "from_address"]

_LONGEST_REPLY = 32 * 1024 * 1024


class ServerError(InputError):
    """Say that a server gave no answer."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follow no redirect: the token would go along, to whatever host the server names."""

    def redirect_request(self, *arguments: object) -> None:
        """Return no request, by which the redirect becomes an `HTTPError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Hold where to ask and how: `dialect` is "groundwire" or "openai"."""

    url: str
    dialect: str
    model: str
    token: str | None
    timeout_s: float

    @classmethod
    def of(cls, url: str, *, model: str | None, token: str | None, timeout_s: float = 120) -> "Address":
        """Read an address: one that ends in `/v1` or `/chat/completions` speaks OpenAI's dialect, others ours.

        >>> Address.of("http://127.0.0.1:8000", model=None, token=None).url
        'http://127.0.0.1:8000/api/v1/ask'
        >>> Address.of("http://127.0.0.1:8000/v1", model=None, token=None).url
        'http://127.0.0.1:8000/v1/chat/completions'
        """
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise InputError(f"{url!r} is no address of a server; write http://HOST:PORT or http://HOST:PORT/v1")
        path = parts.path.rstrip("/")
        openai = path.endswith("/chat/completions") or (path.endswith("/v1") and not path.endswith("/api/v1"))
        if model and not openai:
            raise InputError(f"{url!r} is asked in our dialect, which names no model; leave out --model")
        if openai:
            path = path if path.endswith("/chat/completions") else f"{path}/chat/completions"
        elif not path.endswith("/ask"):
            path = f"{path}/ask" if path.endswith("/api/v1") else f"{path}/api/v1/ask"
        return cls(
            url=parts._replace(path=path).geturl(), dialect="openai" if openai else "groundwire",
            model=model or "groundwire", token=token, timeout_s=timeout_s,
        )  # fmt: skip

    def body(self, case: Case) -> dict[str, Any]:
        """Return what is sent for a case. OpenAI's dialect has no filters: a case's window goes into its question."""
        if self.dialect == "groundwire":
            history = [{"question": turn.question, "answer": turn.answer} for turn in case.history]
            return {"question": case.question, "history": history, **case.filters}
        turns = [
            {"role": role, "content": text}
            for turn in case.history
            for role, text in (("user", turn.question), ("assistant", turn.answer))
        ]
        window = "".join(_in_words(name, value) for name, value in sorted(case.filters.items()))
        messages = [*turns, {"role": "user", "content": case.question + window}]
        return {"model": self.model, "messages": messages, "temperature": 0, "stream": False}

    def ask(self, case: Case) -> Mapping[str, Any]:
        """Return what the server answers; raise `ServerError` with what it said."""
        headers = {
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {self.token}"} if self.token else {}),
        }
        request = urllib.request.Request(self.url, json.dumps(self.body(case)).encode(), headers)
        said = self._reply(request)
        if len(said) > _LONGEST_REPLY:
            raise ServerError(f"{self.url}: its reply is longer than {_LONGEST_REPLY} bytes; let it answer in fewer")
        try:
            found = json.loads(said)
        except (ValueError, RecursionError) as error:
            raise ServerError(
                f"{self.url}: answered {said!r:.80}, which is no JSON; is this the right path?"
            ) from error
        if not isinstance(found, dict):
            raise ServerError(f"{self.url}: answered {found!r:.80}; an object was expected")
        return found

    def _reply(self, request: urllib.request.Request) -> bytes:
        """Return what the server replies, cut one byte behind the longest reply that is read."""
        try:
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=self.timeout_s) as reply:
                return bytes(reply.read(_LONGEST_REPLY + 1))
        except urllib.error.HTTPError as error:
            if 300 <= error.code < 400:
                place = error.headers.get("Location")
                raise ServerError(
                    f"{self.url}: sends on to {place!r}; name that address with --url if you trust it"
                ) from error
            said = error.read(300).decode("utf-8", "replace")
            raise ServerError(
                f"{self.url}: HTTP {error.code} ({said}); is this the right address and token?"
            ) from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ServerError(f"{self.url}: no answer ({error}); is the server running there?") from error


def _in_words(name: str, value: str | Sequence[str]) -> str:
    """Return a filter as it stands behind a question.

    >>> _in_words("sources", ["Kyiv Desk", "Paris Desk"])
    ' (sources Kyiv Desk, Paris Desk)'
    """
    return f" ({name.replace('_', ' ')} {value if isinstance(value, str) else ', '.join(value)})"


def from_address(address: Address, *, embedder: Embedder) -> Setup:
    """Return the set-up of a system behind an address; it has to hold the same articles."""
    return Setup(
        system=lambda index: address.ask,
        describe=lambda index: {"system": address.dialect, "url": address.url, "model": address.model},
        embedder=embedder,
    )
