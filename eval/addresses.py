"""Answers over HTTP: from a Groundwire server, or from any server that speaks OpenAI's chat completions."""

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.message import Message
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from eval.cases import Case
from eval.run import Setup
from index.embed import Embedder
from index.errors import InputError

__all__ = ["Address", "Client", "ServerError", "from_address"]

_LONGEST_REPLY = 32 * 1024 * 1024
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_TRIES = 7  # 63 s of waits of our own: a limit on the questions of a minute has passed by then
_LONGEST_WAIT_S = 60.0


class ServerError(InputError):
    """Say that a server gave no answer: with which status of HTTP, in which words, and what wait it asks for."""

    def __init__(self, message: str, *, status: int | None = None, said: str = "", retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.said = said
        self.retry_after_s = retry_after_s


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follow no redirect: the token would go along, to whatever host the server names."""

    def redirect_request(self, *arguments: object) -> None:
        """Return no request, by which the redirect becomes an `HTTPError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Hold where to ask and how: `dialect` is "groundwire" or "openai"; without a `model`, the server's only one."""

    url: str
    dialect: str
    model: str | None
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
            model=model or (None if openai else "groundwire"), token=token, timeout_s=timeout_s,
        )  # fmt: skip

    @property
    def models_url(self) -> str:
        """Return where a server of OpenAI's dialect lists its models.

        >>> Address.of("http://127.0.0.1:8000/v1", model=None, token=None).models_url
        'http://127.0.0.1:8000/v1/models'
        """
        parts = urllib.parse.urlsplit(self.url)
        return parts._replace(path=parts.path.removesuffix("/chat/completions") + "/models").geturl()

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


@dataclass(slots=True, kw_only=True)
class Client:
    """Ask the server at an address.

    One that is busy (HTTP 429 or 503) is asked 7 times at most, after waits of 1 s, 2 s, 4 s and so on: longer where
    `Retry-After` says so, but never over 60 s. When that was in vain, the questions that follow are asked once, until
    one is answered. One that will not have a temperature (HTTP 400 that names it) is asked without from then on.
    """

    address: Address
    wait: Callable[[float], None] = time.sleep
    _tries: int = field(default=_TRIES, init=False)
    _takes_temperature: bool = field(default=True, init=False)

    def ask(self, case: Case) -> Mapping[str, Any]:
        """Return what the server answers; raise `ServerError` with what it said."""
        body = self.address.body(case)
        if not self._takes_temperature:
            body.pop("temperature", None)
        try:
            return self._object(self.address.url, body)
        except ServerError as error:
            named = error.status == HTTPStatus.BAD_REQUEST and "temperature" in error.said.lower()
            if not (named and "temperature" in body):
                raise
        del body["temperature"]
        found = self._object(self.address.url, body)
        self._takes_temperature = False
        return found

    def only_model(self) -> str:
        """Return the model that the server lists; raise `ServerError` where it lists none, or several."""
        url = self.address.models_url
        try:
            names = [str(model["id"]) for model in self._object(url)["data"]]
        except ServerError as error:
            raise ServerError(f"name the model with --model, or let the server list it: {error}") from error
        except (KeyError, TypeError) as error:
            raise ServerError(f"name the model with --model; {url} is no list of models ({error!r})") from error
        if len(names) != 1:
            raise ServerError(f"name the model with --model; {url} lists {names!r:.300}")
        return names[0]

    def describe(self) -> dict[str, Any]:
        """Return for the run file what was asked, and in OpenAI's dialect with which temperature: None is its own."""
        asked = {"system": self.address.dialect, "url": self.address.url, "model": self.address.model}
        if self.address.dialect == "groundwire":
            return asked
        return {**asked, "temperature": 0 if self._takes_temperature else None}

    def _object(self, url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the JSON object that the server replies to a body, or to none."""
        said = self._patiently(url, None if body is None else json.dumps(body).encode())
        if len(said) > _LONGEST_REPLY:
            raise ServerError(f"{url}: its reply is longer than {_LONGEST_REPLY} bytes; let it answer in fewer")
        try:
            found = json.loads(said)
        except (ValueError, RecursionError) as error:
            raise ServerError(f"{url}: answered {said!r:.80}, which is no JSON; is this the right path?") from error
        if not isinstance(found, dict):
            raise ServerError(f"{url}: answered {found!r:.80}; an object was expected")
        return found

    def _patiently(self, url: str, body: bytes | None) -> bytes:
        """Return what the server replies, where need be after waits."""
        tries = 1
        while True:
            try:
                reply = self._reply(url, body)
            except ServerError as error:
                if error.status not in _BUSY:
                    raise
                if tries >= self._tries:
                    self._tries = 1
                    raise
                self.wait(min(max(error.retry_after_s, 2.0 ** (tries - 1)), _LONGEST_WAIT_S))
                tries += 1
            else:
                self._tries = _TRIES
                return reply

    def _reply(self, url: str, body: bytes | None) -> bytes:
        """Return what the server replies, cut one byte behind the longest reply that is read."""
        token = {"Authorization": f"Bearer {self.address.token}"} if self.address.token else {}
        request = urllib.request.Request(url, body, {"Content-Type": "application/json", **token})
        try:
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=self.address.timeout_s) as reply:
                return bytes(reply.read(_LONGEST_REPLY + 1))
        except urllib.error.HTTPError as error:
            raise _error_of(error, url) from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ServerError(f"{url}: no answer ({error}); is the server running there?") from error


def _error_of(error: urllib.error.HTTPError, url: str) -> ServerError:
    """Return a status other than 200 with what the server says of it."""
    if 300 <= error.code < 400:
        place = error.headers.get("Location")
        return ServerError(f"{url}: sends on to {place!r}; name that address with --url if you trust it")
    said = error.read(3_000).decode("utf-8", "replace")
    cure = "it is busy, run again later" if error.code in _BUSY else "is this the right address and token?"
    return ServerError(
        f"{url}: HTTP {error.code} ({said:.300}); {cure}",
        status=error.code, said=said, retry_after_s=_retry_after_s(error.headers),
    )  # fmt: skip


def _retry_after_s(headers: Message) -> float:
    """Return how long a server asks to wait: `Retry-After`, in seconds or a date (RFC 9110, 10.2.3); 0 without one.

    >>> headers = Message()
    >>> headers["Date"], headers["Retry-After"] = "Fri, 05 Sep 2025 12:00:00 GMT", "Fri, 05 Sep 2025 12:00:09 GMT"
    >>> _retry_after_s(headers)
    9.0
    """
    said = headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        return (parsedate_to_datetime(said) - parsedate_to_datetime(headers.get("Date", ""))).total_seconds()
    except (TypeError, ValueError):
        return 0.0


def _in_words(name: str, value: str | Sequence[str]) -> str:
    """Return a filter as it stands behind a question.

    >>> _in_words("sources", ["Kyiv Desk", "Paris Desk"])
    ' (sources Kyiv Desk, Paris Desk)'
    """
    return f" ({name.replace('_', ' ')} {value if isinstance(value, str) else ', '.join(value)})"


def from_address(address: Address, *, embedder: Embedder, wait: Callable[[float], None] = time.sleep) -> Setup:
    """Return the set-up of a system behind an address; it has to hold the same articles.

    Raises `ServerError` where the address names no model, and the server not exactly one.
    """
    client = Client(address=address, wait=wait)
    if address.model is None:
        client.address = replace(address, model=client.only_model())
    return Setup(
        system=lambda index: client.ask,
        describe=lambda index: client.describe(),
        embedder=embedder,
    )
