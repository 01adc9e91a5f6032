"""One turn of the page's conversation: what the browser sent, checked, and how a stream of events becomes a turn."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from index.errors import GroundwireError
from rag.answer import Citation, Copy, Event, Sentence
from ui.engine import BusyError, Engine, RateLimitedError
from ui.views import Turn

__all__ = ["LOADING", "MAX_TURNS", "Asked", "converse", "export", "history_of", "next_questions", "stopped"]

MAX_TURNS = 10
LOADING = "The articles are being loaded, which takes a few seconds."
_MOST_SOURCES = 100
_MOST_NAME = 20
_log = logging.getLogger("groundwire.ui")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Hold what the browser asks, under a name of its own for it.

    With `replace`, the turn of that number and those after it are forgotten.
    """

    question: str
    since: str | None
    until: str | None
    sources: tuple[str, ...]
    replace: int | None
    name: str

    @classmethod
    def of(cls, sent: Mapping[str, Any]) -> "Asked":
        """Read what a browser sent: anything can come from there."""
        sources = sent.get("sources")
        named = [str(name) for name in sources][:_MOST_SOURCES] if isinstance(sources, list) else []
        number = sent.get("replace")
        return cls(
            question=str(sent.get("question") or ""), since=str(sent.get("since") or "") or None,
            until=str(sent.get("until") or "") or None, sources=tuple(named),
            replace=number if isinstance(number, int) else None, name=str(sent.get("serial") or "")[:_MOST_NAME],
        )  # fmt: skip


async def converse(engine: Engine, turns: Sequence[Turn], asked: Asked, *, client: str) -> AsyncIterator[list[Turn]]:
    """Yield the conversation again and again while an answer comes; what fails becomes a turn that says so.

    Earlier turns that were still coming are marked as stopped: a page that asks again has given them up.
    What was asked under the same name before is not asked again: the browser had not heard of it.
    """
    if asked.name and any(turn.name == asked.name for turn in turns):
        yield [*turns]
        return
    async with aclosing(_answering(engine, turns, asked, client=client)) as states:
        async for now in states:
            yield now


async def _answering(
    engine: Engine, turns: Sequence[Turn], asked: Asked, *, client: str
) -> AsyncGenerator[list[Turn], None]:
    before = _kept(turns, asked)
    number = 1 + max((turn.number for turn in before), default=0)
    turn = Turn(number=number, name=asked.name, question=asked.question.strip())
    yield [*before, turn]
    try:
        if not engine.ready:
            yield [*before, replace(turn, state="waiting", message=LOADING)]
            await asyncio.to_thread(engine.wait_until_ready, engine.settings.answer_timeout_s)
        events = engine.stream(
            asked.question,
            client=client,
            history=history_of(before),
            since=asked.since,
            until=asked.until,
            sources=asked.sources,
        )
        async with aclosing(events) as coming:
            async for event in coming:
                turn = _after(turn, event)
                yield [*before, turn]
    except RateLimitedError as error:
        yield [
            *before,
            replace(turn, state="busy", message=f"You asked many questions within a minute. {_again(error)}"),
        ]
    except BusyError as error:
        yield [
            *before,
            replace(turn, state="busy", message=f"Many people are asking, and the line is full. {_again(error)}"),
        ]
    except TimeoutError:
        yield [*before, replace(turn, state="busy", message=f"{LOADING} It takes longer than usual; ask again soon.")]
    except GroundwireError as error:
        yield [*before, replace(turn, state="error", message=_sentence(str(error)))]
    except Exception:  # noqa: BLE001 - the edge of ui/: the log has the traceback, and the reader is told
        _log.exception("the page could not answer")
        yield [*before, replace(turn, state="error", message="This is an error of the program; its log has the cause.")]


def _kept(turns: Sequence[Turn], asked: Asked) -> list[Turn]:
    """Return the turns that stand before what is asked now."""
    kept = [turn for turn in stopped(turns) if asked.replace is None or turn.number < asked.replace]
    return kept[-(MAX_TURNS - 1) :]


def history_of(turns: Sequence[Turn]) -> list[dict[str, str]]:
    """Return what the next question may refer to."""
    return [{"question": turn.question, "answer": turn.answer.text} for turn in turns if turn.answer]


async def next_questions(engine: Engine, turns: Sequence[Turn], asked: Asked, *, client: str) -> list[str]:
    """Return the follow-up questions of the last answer that are new here, and that were answered when tried out."""
    answer = turns[-1].answer if turns else None
    if answer is None:
        return []
    before = {turn.question for turn in turns}
    filters: dict[str, Any] = {"since": asked.since, "until": asked.until, "sources": asked.sources}
    settings = {"client": client, "history": history_of(turns), **filters}
    return [
        question for question in answer.follow_ups
        if question not in before and await engine.can_answer(question, **settings)
    ]  # fmt: skip


def stopped(turns: Sequence[Turn]) -> list[Turn]:
    """Return the conversation with what was still coming marked as stopped."""
    return [replace(turn, state="stopped") if turn.live else turn for turn in turns]


def export(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """Return the conversation with its sources as JSON: the one JSON shape of an answer for each turn that has one."""
    return [{"question": t.question, "answer": t.answer.to_json() if t.answer else None} for t in turns]


def _after(turn: Turn, event: Event) -> Turn:
    """Return the turn after one more event."""
    data = event.data
    if event.answer is not None:
        return replace(turn, state="done", answer=event.answer)
    if event.name == "notice" and data.get("code") == "queued":
        return replace(turn, state="waiting", message=str(data["text"]))
    if event.name == "sentence":
        sentence = Sentence(
            text=data["text"], start=data["start"], end=data["end"], support=data["support"], score=data["score"],
            reasons=tuple(data["reasons"]), citations=tuple(data["citations"]),
        )  # fmt: skip
        known = {citation.number for citation in turn.cited}
        new = tuple(
            Citation(**{**c, "also_in": tuple(Copy(**copy) for copy in c["also_in"])})
            for c in data["cited"]
            if c["number"] not in known
        )
        return replace(turn, state="writing", said=(*turn.said, sentence), cited=(*turn.cited, *new))
    return turn if turn.said else replace(turn, state="searching")


def _again(error: BusyError) -> str:
    return f"Your question is kept here: ask it again in {error.retry_after_s} s."


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:] + ("" if message.endswith(".") else ".")
