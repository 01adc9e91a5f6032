"""Questions over HTTP: search, ask, ask as a stream of events, feedback, and the check of an answer."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from index.errors import GroundwireError
from index.news_index import MAX_QUESTION_CHARACTERS
from rag.answer import Event
from rag.history import MAX_TURNS
from rag.verify import verify_answer
from ui.engine import Engine
from ui.examples import answers, hits, problems
from ui.feedback import FEEDBACK_KINDS
from ui.problems import problem_of

__all__ = ["CallerLeftError", "FiltersBody", "ask_routes", "client_of", "sse", "unless_left"]

T = TypeVar("T")
Encode = Callable[[AsyncGenerator[Event, None]], AsyncIterator[str]]
_MAX_TURN_CHARACTERS = 20_000
_MAX_K = 100
_K = "How many passages to retrieve at least: 3 times as many for a list or a table, twice for a toll."
_WAITING = ("busy", "not_ready")
_POSTED = ("wrong_origin", *_WAITING)


class CallerLeftError(Exception):
    """Say that the caller has gone, so that nobody waits for the answer."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TurnBody(_Body):
    """An earlier question of the conversation, and its answer."""

    question: str = Field(max_length=_MAX_TURN_CHARACTERS)
    answer: str = Field("", max_length=_MAX_TURN_CHARACTERS)


class FiltersBody(_Body):
    """Which articles may answer, and how many passages of them."""

    k: int = Field(8, ge=1, le=_MAX_K, description=_K)
    since: str | None = Field(None, description="Only articles published on this day (UTC) or later.")
    until: str | None = Field(None, description="Only articles published on this day (UTC) or before.")
    sources: list[str] = Field([], max_length=100, description="Only these sources.")
    as_of: str | None = Field(None, description="Answer as if it were then: hide what appeared later.")


class AskBody(FiltersBody):
    """A question, what came before it, and which articles may answer it."""

    question: str = Field(
        max_length=MAX_QUESTION_CHARACTERS, examples=["How many countries pledged troops for Ukraine?"]
    )
    history: list[TurnBody] = Field([], max_length=MAX_TURNS, description="Earlier turns, oldest first.")

    def settings(self) -> dict[str, Any]:
        """Return what the engine is asked with, beside the question."""
        history = [turn.model_dump() for turn in self.history]
        return {**self.model_dump(exclude={"question", "history"}), "history": history}


class FeedbackBody(_Body):
    """What a reader says about an answer."""

    kind: str = Field(description=f"One of {', '.join(FEEDBACK_KINDS)}.", examples=["wrong_passage"])
    answer: dict[str, Any] = Field(description="The answer, as it was given.")
    comment: str | None = None
    citation: int | None = Field(None, description="The number of the citation that it is about.")


class VerifyBody(_Body):
    """An answer, and the texts that it cites."""

    answer: dict[str, Any]
    texts: list[dict[str, Any]] = Field(examples=[[{"article_id": "paris-summit", "text": "Twenty-six countries …"}]])


def ask_routes(engine: Engine) -> APIRouter:
    """Return the routes; all of them answer from one engine."""
    routes = APIRouter(prefix="/api/v1", tags=["ask"])
    found = {200: {"content": {"application/json": {"example": hits()}}}, **problems(*_WAITING)}
    answered = {200: {"content": {"application/json": {"examples": answers()}}}, **problems(*_POSTED, "took_too_long")}
    events = {200: {"content": {"text/event-stream": {"example": _STREAM_EXAMPLE}}}, **problems(*_POSTED)}

    @routes.get("/search", responses=found)
    async def search(
        request: Request,
        query: Annotated[str, Query(max_length=MAX_QUESTION_CHARACTERS)],
        k: Annotated[int, Query(ge=1, le=_MAX_K)] = 8,
        *,
        since: str | None = None,
        until: str | None = None,
        source: Annotated[list[str], Query(description="Repeatable.")] = [],  # noqa: B006 - FastAPI copies it
        as_of: str | None = None,
    ) -> dict[str, Any]:
        """Find passages by meaning and by words."""
        filters = {"since": since, "until": until, "sources": source, "as_of": as_of}
        searching = engine.search(query, client=client_of(request), k=k, **filters)
        return {"query": query, "hits": [hit.to_json() for hit in await unless_left(request, searching)]}

    @routes.post("/ask", responses=answered)
    async def ask(request: Request, body: AskBody) -> dict[str, Any]:
        """Answer a question from the articles, or refuse and say why: a refusal is an answer with a `refusal`."""
        answer = engine.ask(body.question, client=client_of(request), **body.settings())
        return (await unless_left(request, answer)).to_json()

    @routes.post("/ask/stream", responses=events, response_class=StreamingResponse)
    async def ask_stream(request: Request, body: AskBody) -> StreamingResponse:
        """Answer as server-sent events: understood, hits, sentence, notice, and last answer, or error."""
        return await sse(engine.stream(body.question, client=client_of(request), **body.settings()), _as_sse)

    _add_checks(routes, engine)
    return routes


def _add_checks(routes: APIRouter, engine: Engine) -> None:
    stored = {"stored": True, "at": "2025-09-05T12:00:00+00:00"}

    wrong = problems("wrong_origin", "not_ready")

    @routes.post(
        "/feedback", status_code=201,
        responses={201: {"content": {"application/json": {"example": stored}}}, **wrong},
    )  # fmt: skip
    def feedback(request: Request, body: FeedbackBody) -> dict[str, Any]:
        """Store what a reader says about an answer, beside the index."""
        line = engine.save_feedback(
            body.kind, body.answer, client=client_of(request), comment=body.comment, citation=body.citation
        )
        return {"stored": True, "at": line["at"]}

    @routes.post(
        "/verify-answer",
        responses={200: {"content": {"application/json": {"examples": answers()}}}, **problems("wrong_origin")},
    )
    def verify(body: VerifyBody) -> dict[str, Any]:
        """Check an answer, whoever wrote it, against the texts that it cites: each citation and each mark."""
        return verify_answer(body.answer, body.texts)


_STREAM_EXAMPLE = (
    'event: understood\ndata: {"question": "..."}\n\nevent: hits\ndata: {"hits": []}\n\n'
    'event: sentence\ndata: {"text": "...", "citations": [1], "cited": []}\n\n'
    'event: answer\ndata: {"id": "...", "status": "answered"}\n\n'
)


def client_of(request: Request) -> str:
    """Return whom a rate limit is for."""
    return request.client.host if request.client else "unknown"


async def unless_left(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Wait for work as long as the caller does; raise `CallerLeftError` when the caller has gone."""
    working = asyncio.ensure_future(work)
    left = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({working, left}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise CallerLeftError
        return working.result()
    finally:
        for task in (working, left):
            task.cancel()
        await asyncio.wait({working, left})


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def sse(events: AsyncGenerator[Event, None], encode: Encode) -> StreamingResponse:
    """Return events as server-sent events. What is wrong before the first one is raised, and becomes a status."""
    first = await anext(events)
    return StreamingResponse(
        encode(_from_first(first, events)), media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )  # fmt: skip


async def _from_first(first: Event, rest: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    """Yield all events; an error on the way becomes the last one."""
    try:
        yield first
        async for event in rest:
            yield event
    except GroundwireError as error:
        yield Event("error", problem_of(error).to_json())
    finally:
        await rest.aclose()


async def _as_sse(events: AsyncGenerator[Event, None]) -> AsyncIterator[str]:
    try:
        async for event in events:
            yield f"event: {event.name}\ndata: {json.dumps(event.data, ensure_ascii=False)}\n\n"
    finally:
        await events.aclose()
