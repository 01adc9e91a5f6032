"""The OpenAI dialect: any client that speaks it can ask. The model is called `groundwire`.

The message carries the answer with its marks and the sources below it; the answer's JSON stands under `groundwire` in
the response, and in the last chunk of a stream. Settings of language models (temperature and the like) mean nothing
here and are left out of account.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, field_validator

from index.errors import InputError
from index.tokens import count_tokens
from rag.answer import Answer, Citation, Event
from rag.history import Turn
from ui.ask_routes import FiltersBody, client_of, sse, unless_left
from ui.engine import Engine
from ui.examples import answers, problems

__all__ = ["MODEL", "UnknownModelError", "openai_routes", "read_messages", "with_sources"]

MODEL = "groundwire"
_MOST_MESSAGES = 1_000


class UnknownModelError(Exception):
    """Say that a model was asked for that this server does not have."""


class ChatBody(BaseModel):
    """A conversation whose last message is the question. Filters stand under `groundwire`."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field(examples=[MODEL])
    messages: list[dict[str, Any]] = Field(
        max_length=_MOST_MESSAGES, examples=[[{"role": "user", "content": "How many countries pledged troops?"}]]
    )
    stream: bool | None = False
    stream_options: dict[str, Any] | None = None
    n: int | None = 1
    groundwire: FiltersBody | None = Field(
        None, description="`k`, `since`, `until`, `sources` and `as_of`, as in /ask."
    )

    @field_validator("groundwire", mode="before")
    @classmethod
    def _without_nulls(cls, given: object) -> object:
        """Take null for a filter that is not given, as clients of this dialect send it."""
        return {k: v for k, v in given.items() if v is not None} if isinstance(given, dict) else given


def openai_routes(engine: Engine) -> APIRouter:
    """Return the routes; all of them answer from one engine."""
    routes = APIRouter(prefix="/v1", tags=["OpenAI dialect"])
    models = {"object": "list", "data": [_MODEL_JSON]}

    @routes.get("/models", responses={200: {"content": {"application/json": {"example": models}}}, **problems()})
    def list_models() -> dict[str, Any]:
        """List the one model that there is."""
        return models

    known = {200: {"content": {"application/json": {"example": _MODEL_JSON}}}, **problems("model_not_found")}

    @routes.get("/models/{model}", responses=known)
    def get_model(model: str) -> dict[str, Any]:
        """Describe the one model that there is."""
        _check_model(model)
        return _MODEL_JSON

    wrong = problems("model_not_found", "wrong_origin", "busy", "not_ready", "took_too_long")
    whole = {200: {"content": {"application/json": {"example": _example()}}}, **wrong}

    @routes.post("/chat/completions", responses=whole, response_model=None)
    async def chat_completions(request: Request, body: ChatBody) -> dict[str, Any] | StreamingResponse:
        """Answer the last message of a conversation."""
        _check_model(body.model)
        if body.n not in (None, 1):
            raise InputError(f"`n` is {body.n}; one answer is all there is, leave it out")
        question, history = read_messages(body.messages)
        settings = {
            **(body.groundwire.model_dump() if body.groundwire else {}),
            "history": history,
            "client": client_of(request),
        }
        if body.stream:
            with_usage = bool((body.stream_options or {}).get("include_usage"))
            events = engine.stream(question, **settings)
            return await sse(events, lambda events: _chunks(events, question, with_usage=with_usage))
        answer = await unless_left(request, engine.ask(question, **settings))
        return _completion(answer, question)

    return routes


def read_messages(messages: Sequence[Mapping[str, Any]]) -> tuple[str, list[Turn]]:
    """Return the question, and the turns before it; what a system message says is left out of account."""
    turns: list[Turn] = []
    asked: str | None = None
    for place, message in enumerate(messages):
        role, text = message.get("role"), _text_of(message.get("content"), place)
        if role == "user":
            if asked is not None:
                turns.append(Turn(asked, ""))
            asked = text
        elif role == "assistant" and asked is not None:
            turns.append(Turn(asked, text))
            asked = None
    if asked is None:
        raise InputError("`messages` ends without a question; let the last message be of role 'user'")
    return asked, turns


def with_sources(answer: Answer) -> str:
    """Return the text of an answer with what its marks stand for below it."""
    return answer.text + _sources(answer)


def _sources(answer: Answer) -> str:
    if not answer.citations:
        return ""
    return "\n\nSources:\n" + "\n".join(map(_source_line, answer.citations))


def _source_line(citation: Citation) -> str:
    about = [citation.title or citation.article_id, citation.source, citation.published, citation.url]
    return f"[{citation.number}] {', '.join(filter(None, about))}: “{citation.quote}”"


def _text_of(content: object, place: int) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [] if content is None else [content]
    texts = [part["text"] for part in parts if isinstance(part, Mapping) and isinstance(part.get("text"), str)]
    if len(texts) != len(parts):
        raise InputError(f"messages[{place}]: holds something other than text; send text alone")
    return "\n".join(texts)


def _check_model(model: str) -> None:
    if model != MODEL:
        raise UnknownModelError(model)


_MODEL_JSON = {"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}


def _completion(answer: Answer, question: str) -> dict[str, Any]:
    text = with_sources(answer)
    message = {"role": "assistant", "content": text, "refusal": None}
    return {
        "id": f"chatcmpl-{answer.id}", "object": "chat.completion", "created": 0, "model": MODEL,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": _usage(question, text), "groundwire": answer.to_json(),
    }  # fmt: skip


def _usage(question: str, text: str) -> dict[str, int]:
    asked, said = count_tokens([question, text])
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


async def _chunks(events: AsyncGenerator[Event, None], question: str, *, with_usage: bool) -> AsyncIterator[str]:
    """Yield the answer sentence by sentence, then its sources, then the chunk that ends it with the answer's JSON."""
    said = ""
    try:
        yield _chunk({"role": "assistant", "content": ""})
        async for event in events:
            if event.name == "sentence":
                marks = "".join(f"[{number}]" for number in event.data["citations"])
                piece = f"{' ' if said else ''}{event.data['text']}{marks}"
                said += piece
                yield _chunk({"content": piece})
            elif event.name == "error":
                yield _data(dict(event.data))
            elif event.answer:
                text = with_sources(event.answer)
                yield _chunk({"content": text.removeprefix(said)})
                for last in _last_chunks(event.answer, _usage(question, text) if with_usage else None):
                    yield last
        yield "data: [DONE]\n\n"
    finally:
        await events.aclose()


def _last_chunks(answer: Answer, usage: dict[str, int] | None) -> list[str]:
    shape = answer.to_json()
    if usage is None:
        return [_chunk({}, finish="stop", groundwire=shape)]
    return [_chunk({}, finish="stop", groundwire=shape), _data({**_head(), "choices": [], "usage": usage})]


def _head() -> dict[str, Any]:
    return {"id": "chatcmpl-groundwire", "object": "chat.completion.chunk", "created": 0, "model": MODEL}


def _chunk(delta: Mapping[str, Any], *, finish: str | None = None, **more: object) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return _data({**_head(), "choices": [choice], **more})


def _data(value: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _example() -> dict[str, Any]:
    answer = answers()["answered"]["value"]
    message = {"role": "assistant", "content": f"{answer['text']}\n\nSources:\n[1] …", "refusal": None}
    return {
        "id": f"chatcmpl-{answer['id']}", "object": "chat.completion", "created": 0, "model": MODEL,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 30, "total_tokens": 42}, "groundwire": answer,
    }  # fmt: skip
