"""The HTTP service: our FastAPI application, which owns the socket. The page, when there is one, is mounted last."""

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from html import escape
from importlib.metadata import version
from importlib.resources import files
from itertools import count
from socket import gethostname
from typing import Any
from urllib.parse import parse_qs

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from index.errors import GroundwireError
from ui.article_routes import WritingIsOffError, article_routes
from ui.ask_routes import CallerLeftError, ask_routes, client_of
from ui.engine import Engine
from ui.examples import problems
from ui.guard import (
    COOKIE_NAME,
    GRADIO_PATHS,
    PAGES,
    Guard,
    GuardRules,
    cookie_of,
    is_loopback,
    same_token,
)
from ui.openai_dialect import MODEL, UnknownModelError, openai_routes
from ui.problems import Problem, problem_of
from ui.rate_limit import RateLimit

__all__ = ["Service", "create_app"]

_log = logging.getLogger("groundwire.ui")
_FILE = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
_COOKIE_AGE_S = 30 * 24 * 3600


class Service(FastAPI):
    """Hold the application behind its guard: no route answers before the guard has looked, not even a mounted one."""

    def __init__(self, engine: Engine, *, attempts: RateLimit, **settings: Any) -> None:  # noqa: ANN401 - FastAPI's
        super().__init__(**settings)
        self.engine = engine
        self._attempts = attempts
        self._guard: Guard | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if self._guard is None:  # now, because everything is mounted when the first request comes
            self._guard = Guard(super().__call__, rules=self.guard_rules(), attempts=self._attempts)
        await self._guard(scope, receive, send)

    def guard_rules(self) -> GuardRules:
        """Return what the guard lets through: our own routes, and of mounted applications what the page needs."""
        settings = self.engine.settings
        paths: list[str] = []
        for route in self.routes:
            if isinstance(route, Route):
                paths.append(re.sub(r"\(\?P<\w+>", "(?:", route.path_regex.pattern))
            elif isinstance(route, Mount) and isinstance(route.app, StaticFiles):
                paths.append(rf"{re.escape(route.path)}/{_FILE}(?:/{_FILE})*")
            elif isinstance(route, Mount) and not route.path:
                paths += [*PAGES, *GRADIO_PATHS]
        named = {name.strip().lower() for name in settings.hosts.split(",") if name.strip()}
        return GuardRules(
            token=settings.token, any_address=not is_loopback(settings.host), paths=paths,
            hosts=frozenset(named | ({gethostname().lower()} if not is_loopback(settings.host) else set())),
            allow_writes=settings.allow_writes,
        )  # fmt: skip


def create_app(engine: Engine) -> Service:
    """Return the application: it starts the engine when the server starts, and closes it when the server ends."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine.start()
        yield
        engine.close()

    settings = engine.settings
    attempts = RateLimit(settings.logins_per_minute, clock=engine.clock)
    app = Service(
        engine, attempts=attempts, lifespan=lifespan, title="Groundwire", version=version("groundwire"),
        description="Answers on news articles, with every sentence cited to the exact words it rests on.",
        docs_url=None, redoc_url=None, openapi_url="/openapi.json", swagger_ui_oauth2_redirect_url=None,
    )  # fmt: skip
    app.add_middleware(CORSMiddleware, allow_origins=[])  # Gradio adds none of its own where there is one
    _add_health(app, engine)
    _add_login(app, settings.token, attempts)
    _add_docs(app, has_page=settings.page)
    uploads = RateLimit(settings.uploads_per_minute, clock=engine.clock)
    for routes in (ask_routes(engine), article_routes(engine, uploads=uploads), openai_routes(engine)):
        app.routes.extend(routes.routes)  # `include_router` would hide their paths from the guard
    _add_problems(app)
    return app


def _add_health(app: FastAPI, engine: Engine) -> None:
    def says(status: str) -> dict[int | str, dict[str, Any]]:
        return {200: {"content": {"application/json": {"example": {"status": status}}}}}

    @app.get("/healthz", tags=["health"], responses=says("ok"))
    async def healthz() -> dict[str, str]:
        """Say that the server is there."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"], responses=says("ready") | problems("not_ready", common=False))
    async def readyz() -> dict[str, str]:
        """Say that questions can be answered; status 503 while the model loads."""
        _ = engine.index
        return {"status": "ready"}


def _add_login(app: FastAPI, token: str, attempts: RateLimit) -> None:
    def signed_in(request: Request, given: str) -> Response:
        wait_s = attempts.wait_s(client_of(request))
        if wait_s:
            return _login_page("Too many attempts. Wait a minute and try again.", 429)
        if token and not same_token(given, token):
            return _login_page("That token is wrong. The server's operator has the right one.", 401)
        response = RedirectResponse("/", status_code=303)
        if token:
            response.set_cookie(
                COOKIE_NAME, cookie_of(token), max_age=_COOKIE_AGE_S, httponly=True, samesite="strict",
                secure=request.url.scheme == "https",
            )  # fmt: skip
        return response

    @app.get("/login", include_in_schema=False)
    async def login(request: Request, token: str | None = None) -> Response:
        return _login_page("", 200) if token is None else signed_in(request, token)

    @app.post("/login", include_in_schema=False)
    async def login_with_form(request: Request) -> Response:
        fields = parse_qs((await request.body()).decode("utf-8", "replace"))
        return signed_in(request, fields.get("token", [""])[0])


def _login_page(message: str, status: int) -> HTMLResponse:
    told = f'<p role="alert">{escape(message)}</p>' if message else ""
    return HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        # Without a referrer the form comes from the origin "null", which is refused; without an icon one is asked for.
        '<meta name="referrer" content="same-origin"><link rel="icon" href="data:,">'
        "<title>Sign in · Groundwire</title><style>body{font:17px/1.55 system-ui,sans-serif;max-width:26rem;"
        "margin:15vh auto;padding:0 1rem}input,button{font:inherit;padding:.4rem;width:100%;box-sizing:border-box;"
        f'margin:.3rem 0}}</style><main><h1>Groundwire</h1>{told}<form method="post" action="/login">'
        '<label>Token <input name="token" type="password" autocomplete="current-password" required autofocus></label>'
        "<button>Sign in</button></form></main></html>",
        status,
    )


def _add_docs(app: FastAPI, *, has_page: bool) -> None:
    """Serve the documentation with files of our own machine: FastAPI's page asks two other hosts for them."""
    of = f"?v={version('fastapi-offline')}"
    app.mount("/docs-static", StaticFiles(directory=str(files("fastapi_offline") / "static")), name="docs-static")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json", title="Groundwire over HTTP",
            swagger_js_url=f"/docs-static/swagger-ui-bundle.js{of}",
            swagger_css_url=f"/docs-static/swagger-ui.css{of}",
            swagger_favicon_url="/docs-static/favicon.png",
        )  # fmt: skip

    if not has_page:

        @app.get("/", include_in_schema=False)
        async def start() -> RedirectResponse:
            return RedirectResponse("/docs")


def _add_problems(app: FastAPI) -> None:
    numbers = count(1)

    def failed(request: Request, error: Exception) -> Problem:
        number = f"E-{next(numbers)}"
        _log.error("%s: %s %s failed", number, request.method, request.url.path, exc_info=error)
        cause = f"this is an error of the program ({number})"
        return Problem(
            status=500, code="failed", cause=cause, cure="the operator finds it under that number in the log"
        )

    makers: dict[type[Exception], Callable[[Request, Any], Problem]] = {
        GroundwireError: lambda _, error: problem_of(error),
        RequestValidationError: lambda _, error: _bad_body(error),
        HTTPException: _of_http,
        UnknownModelError: lambda _, error: Problem(
            status=404, code="model_not_found", cause=f"there is no model {str(error)!r}", cure=f"use {MODEL!r}"
        ),
        WritingIsOffError: lambda _, error: Problem(
            status=403, code="writing_is_off", cause="this server only reads",
            cure="start it with `groundwire serve --allow-writes`",
        ),
        CallerLeftError: lambda _, error: Problem(status=408, code="caller_left", cause="the caller has gone"),
    }  # fmt: skip
    for kind, make in makers.items():
        app.add_exception_handler(kind, _handler(make))
    app.add_exception_handler(Exception, _handler(failed))


def _handler(make: Callable[[Request, Any], Problem]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        problem = make(request, error)
        return JSONResponse(problem.to_json(), problem.status, {**problem.headers()})

    return handle


def _of_http(request: Request, error: HTTPException) -> Problem:
    cause = f"{request.method} {request.url.path}: {error.detail}"
    return Problem(status=error.status_code, code="http", cause=cause)


def _bad_body(error: RequestValidationError) -> Problem:
    """Name the first few things that are wrong with a request."""
    wrong = []
    for item in error.errors()[:5]:
        place = ".".join(str(part) for part in item["loc"] if part not in ("body", "query", "path"))
        wrong.append(f"`{place}`: {item['msg']}" if place else str(item["msg"]))
    return Problem(status=422, code="bad_body", cause=", ".join(wrong))
