"""The shell around the page and the service: what comes in is checked here, before any route sees it.

An ASGI middleware, the outermost one. In this order it looks at the host (against DNS rebinding), the origin (against
other sites in the same browser), the token, the path (an allow-list), and the size of the body; and it puts the same
security headers on every response, its own included.
"""

import hmac
import ipaddress
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.problems import Problem
from ui.rate_limit import RateLimit

__all__ = [
    "CONTENT_SECURITY_POLICY",
    "COOKIE_NAME",
    "GRADIO_PATHS",
    "MAX_BODY_BYTES",
    "MAX_UPLOAD_BYTES",
    "PAGES",
    "Guard",
    "GuardRules",
    "cookie_of",
    "is_loopback",
    "same_token",
]

COOKIE_NAME = "groundwire"
MAX_BODY_BYTES = 256 * 1024
MAX_ANSWER_BYTES = 2 * 1024 * 1024  # an answer with the texts that it cites
MAX_UPLOAD_BYTES = 25 * 1024 * 1024
_MULTIPART_EXTRA_BYTES = 64 * 1024

# Gradio builds functions from its templates and has its configuration in the page: escaping is the defence.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; media-src 'self' blob:; "
    "worker-src 'self' blob:; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-src 'none'; "
    "frame-ancestors 'none'; object-src 'none'"
)
_HEADERS: Final[Mapping[str, str]] = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

PAGES = (r"/", r"/collection/?")
"""The pages that the browser may open."""

# What Gradio's own script asks for. Everything else of Gradio's (its file proxy, its uploads, its API) is not found.
_NAME = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
GRADIO_PATHS = (
    r"/config/?",
    r"/theme\.css",
    r"/favicon\.ico",
    r"/manifest\.json",
    rf"/assets/{_NAME}(?:/{_NAME})*",
    rf"/static/{_NAME}(?:/{_NAME})*",
    r"/gradio_api/theme\.css",
    r"/gradio_api/app_id/?",
    r"/gradio_api/startup-events",
    r"/gradio_api/queue/join",
    r"/gradio_api/queue/data",
    r"/gradio_api/cancel",
    r"/gradio_api/reset/?",
    rf"/gradio_api/heartbeat/{_NAME}",
)
_OPEN_PATHS = frozenset({"/healthz", "/readyz", "/login"})
_HASHED = re.compile(r"/(?:assets|static)/")
_VERSIONED = re.compile(r"/(?:ui-static|docs-static)/")  # for good when the address names the version, as in ?v=1.7
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRules:
    """Hold what the guard lets through.

    `token` "" asks for none. `hosts` are names beside the loopback ones; with `any_address`, any IP address will do as
    a host (somebody else can point a name at this machine, but not an address). `paths` are regular expressions of
    whole paths.
    """

    token: str
    hosts: frozenset[str]
    any_address: bool
    paths: Sequence[str]
    allow_writes: bool


class Guard:
    """Wrap an application; see the module's docstring."""

    def __init__(self, app: ASGIApp, *, rules: GuardRules, attempts: RateLimit) -> None:
        self._app = app
        self._rules = rules
        self._attempts = attempts
        self._paths = re.compile("|".join(f"(?:{path})" for path in rules.paths))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:  # nothing of ours speaks over websockets
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        send = _with_headers(scope, send)
        headers = Headers(scope=scope)
        problem = self._problem(scope, headers)
        if problem:
            await _refuse(problem, send)
            return
        body = _LimitedBody(receive, send, most_bytes=self._most_bytes(scope))
        await body.run(self._app, scope)

    def _problem(self, scope: Scope, headers: Headers) -> Problem | None:
        problem = self._wrong_host(headers) or _wrong_origin(scope, headers) or self._wrong_token(scope, headers)
        problem = problem or self._wrong_path(scope)
        size = headers.get("content-length", "0")
        most_bytes = self._most_bytes(scope)
        if not problem and (not size.isdecimal() or int(size) > most_bytes):
            problem = _too_large(most_bytes)
        return problem

    def _wrong_host(self, headers: Headers) -> Problem | None:
        values = headers.getlist("host")
        name = _host_name(values[0]) if len(values) == 1 else ""
        if is_loopback(name) or name in self._rules.hosts or (self._rules.any_address and _is_address(name)):
            return None
        cure = "use the address that the server printed, or name this one in the setting `hosts`"
        return Problem(status=400, code="wrong_host", cause=f"this server is not {name!r}", cure=cure)

    def _wrong_path(self, scope: Scope) -> Problem | None:
        if self._paths.fullmatch(scope["path"]):
            return None
        return Problem(status=404, code="not_found", cause=f"there is nothing at {scope['path']!r}")

    def _wrong_token(self, scope: Scope, headers: Headers) -> Problem | None:
        if not self._rules.token or scope["path"] in _OPEN_PATHS:
            return None
        cookies = cookie_parser(headers.get("cookie", ""))
        if same_token(cookies.get(COOKIE_NAME, ""), cookie_of(self._rules.token)):
            return None
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and same_token(given.strip(), self._rules.token):
            return None
        wait_s = self._attempts.wait_s(_client_of(scope)) if given else 0
        if wait_s:
            return Problem(
                status=429, code="too_many_attempts", cause="too many wrong tokens came from this address",
                cure=f"try again in {int(wait_s) + 1} s", retry_after_s=int(wait_s) + 1,
            )  # fmt: skip
        cure = "send `Authorization: Bearer TOKEN`, or open /login in the browser"
        cause = "the token is wrong" if given else "this server asks for a token"
        return Problem(status=401, code="wrong_token", cause=cause, cure=cure)

    def _most_bytes(self, scope: Scope) -> int:
        if scope["path"] == "/api/v1/verify-answer":
            return MAX_ANSWER_BYTES
        uploads = scope["path"] == "/api/v1/articles"
        return MAX_UPLOAD_BYTES + _MULTIPART_EXTRA_BYTES if uploads and self._rules.allow_writes else MAX_BODY_BYTES


class _TooLargeError(Exception):
    """Say inside the guard that a body grew beyond its limit while it was read."""


class _LimitedBody:
    """Count a body while it is read; one that is too large becomes status 413, whatever the application answers."""

    def __init__(self, receive: Receive, send: Send, *, most_bytes: int) -> None:
        self._receive = receive
        self._send = send
        self._most_bytes = most_bytes
        self._bytes = 0
        self._started = False

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        with suppress(_TooLargeError):
            await app(scope, self.receive, self.send)
        if self._bytes > self._most_bytes and not self._started:
            await _refuse(_too_large(self._most_bytes), self._send)

    async def receive(self) -> Message:
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        if self._bytes > self._most_bytes:
            raise _TooLargeError
        return message

    async def send(self, message: Message) -> None:
        if self._bytes > self._most_bytes and not self._started:
            return  # what the application makes of half a body
        self._started = True
        await self._send(message)


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def cookie_of(token: str) -> str:
    """Return what the browser keeps: it proves that the token was given, and does not hold it."""
    return hmac.new(token.encode(), b"groundwire browser session", sha256).hexdigest()


def same_token(given: str, wanted: str) -> bool:
    """Compare in a time that does not tell how much of it is right."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace"))


def _client_of(scope: Scope) -> str:
    return str(scope["client"][0]) if scope.get("client") else "unknown"


def _host_name(host: str) -> str:
    """Return the name in a Host header, without its port and in lower case; "" for what is none."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::\d{1,5})?", host)
    return (match[1] or match[2]).lower() if match else ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _wrong_origin(scope: Scope, headers: Headers) -> Problem | None:
    """Refuse what another site makes the browser send here. Programs send neither of the two headers."""
    if scope["method"] in _SAFE_METHODS:
        return None
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    foreign = origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    if not foreign and site in ("same-origin", "none"):
        return None
    cause = f"the request comes from another site ({(origin or site)!r})"
    return Problem(status=403, code="wrong_origin", cause=cause, cure="ask from this server's own page or a program")


def _too_large(most_bytes: int) -> Problem:
    cause = f"the body is larger than {most_bytes:,} bytes"
    return Problem(status=413, code="too_large", cause=cause, cure="send less at once")


def _with_headers(scope: Scope, send: Send) -> Send:
    """Put the headers of the shell on every response; a page may bring a policy of its own, as reports do."""
    path, versioned = scope["path"], scope.get("query_string", b"").startswith(b"v=")
    for_good = _HASHED.match(path) or (versioned and _VERSIONED.match(path))

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            headers.setdefault("content-security-policy", CONTENT_SECURITY_POLICY)
            for name, value in _HEADERS.items():
                headers[name] = value
            if for_good and message["status"] in (200, 304):
                headers["cache-control"] = "public, max-age=31536000, immutable"
            else:
                headers.setdefault("cache-control", "no-store")
        await send(message)

    return wrapped


async def _refuse(problem: Problem, send: Send) -> None:
    body = problem.body()
    headers = {**problem.headers(), "content-length": str(len(body))}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
