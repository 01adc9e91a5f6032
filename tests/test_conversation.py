"""Turns of the page: what the browser sent is checked, what goes wrong is said in plain words, follow-ups are tried."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from index.news_index import NewsIndex
from rag.answer import Answer, Event
from ui.conversation import LOADING, Asked, converse, next_questions
from ui.engine import Answering, Engine
from ui.settings import ServeSettings
from ui.views import Turn

from .fakes import KYIV, NOW, CannedBot, FakeEmbedder, answer_event, refused, write_articles

NOTHING_MORE = Asked.of({"question": "Who?"})
MakeEngine = Callable[..., Engine]


def answered(question: str, *follow_ups: str) -> Answer:
    """Return an answer as small as it goes."""
    return replace(refused(), question=question, status="answered", text="19.", refusal=None, follow_ups=follow_ups)


class Knows:
    """A bot that answers questions with "Kyiv" in them, and refuses the others."""

    def stream(self, question: str, **settings: object) -> Iterator[Event]:
        yield answer_event(answered(question) if "Kyiv" in question else refused())


@pytest.fixture
def make_engine(tmp_path: Path) -> Iterator[MakeEngine]:
    made: list[Engine] = []

    def make(bot: Answering, *, ready: bool = True, **settings: int) -> Engine:
        def opened() -> NewsIndex:
            index = NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder())
            index.ingest([write_articles(tmp_path / "a.jsonl", KYIV)], now=NOW)
            return index

        made.append(
            Engine(opened, settings=ServeSettings(**settings), make_bot=lambda _: bot, clock=lambda: 0.0)  # type: ignore[arg-type] # a test names what there is
        )
        if ready:
            made[-1].wait_until_ready(10)
        return made[-1]

    yield make
    for engine in made:
        engine.close()


async def said(engine: Engine, asked: Asked = NOTHING_MORE, turns: tuple[Turn, ...] = ()) -> list[Turn]:
    """Return the last turn as it was shown, again and again."""
    return [now[-1] async for now in converse(engine, turns, asked, client="a")]


async def conversation(engine: Engine, turns: tuple[Turn, ...]) -> list[Turn]:
    """Return the turns that stand when one more question has been answered."""
    return [now async for now in converse(engine, turns, NOTHING_MORE, client="a")][-1]


def test_a_question_while_the_articles_are_loaded_waits_for_them(make_engine: MakeEngine) -> None:
    shown = asyncio.run(said(make_engine(Knows(), ready=False), Asked.of({"question": "Who died in Kyiv?"})))
    assert [turn.state for turn in shown] == ["searching", "waiting", "done"]
    assert shown[1].message == LOADING


def test_a_full_line_is_told_in_words_with_the_question_kept(make_engine: MakeEngine) -> None:
    go = threading.Event()
    engine = make_engine(CannedBot(answer_event(refused()), wait=go), workers=1, queue_size=0)

    async def both() -> Turn:
        first = asyncio.create_task(said(engine))
        while not engine.working:
            await asyncio.sleep(0.001)
        last = (await said(engine))[-1]
        go.set()
        await first
        return last

    turn = asyncio.run(both())
    assert (turn.state, turn.question) == ("busy", "Who?")
    assert turn.message.startswith("Many people are asking, and the line is full. Your question is kept here")


def test_who_asks_too_often_is_told_when_to_ask_again(make_engine: MakeEngine) -> None:
    engine = make_engine(Knows(), questions_per_minute=1)
    asyncio.run(said(engine))
    turn = asyncio.run(said(engine))[-1]
    assert turn.state == "busy"
    assert turn.message == (
        "You asked many questions within a minute. Your question is kept here: ask it again in 60 s."
    )


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        ({}, Asked(question="", since=None, until=None, sources=(), replace=None, name="")),
        (
            {"question": 7, "since": "", "sources": "all", "replace": "1", "serial": "x" * 99},
            Asked(question="7", since=None, until=None, sources=(), replace=None, name="x" * 20),
        ),
        (
            {"question": "Who?", "until": "2025-09-01", "sources": ["A", 2], "replace": 1, "serial": "3"},
            Asked(question="Who?", since=None, until="2025-09-01", sources=("A", "2"), replace=1, name="3"),
        ),
    ],
)
def test_whatever_a_browser_sends_is_read(sent: dict[str, object], asked: Asked) -> None:
    assert Asked.of(sent) == asked


def test_follow_ups_are_offered_when_they_are_new_and_answered(make_engine: MakeEngine) -> None:
    last = answered("Who died in Kyiv?", "How many died in Kyiv?", "Who won in Lima?", "Who died in Kyiv?")
    turns = [Turn(number=1, question="Who died in Kyiv?", state="done", answer=last)]
    offered = asyncio.run(next_questions(make_engine(Knows()), turns, NOTHING_MORE, client="a"))
    assert offered == ["How many died in Kyiv?"]


def test_nothing_is_offered_while_others_are_answered(make_engine: MakeEngine) -> None:
    go = threading.Event()
    engine = make_engine(CannedBot(answer_event(answered("Who?")), wait=go))
    turns = [Turn(number=1, question="Who?", state="done", answer=answered("Who?", "What?"))]

    async def both() -> list[str]:
        first = asyncio.create_task(said(engine))
        while not engine.working:
            await asyncio.sleep(0.001)
        offered = await next_questions(engine, turns, NOTHING_MORE, client="a")
        go.set()
        await first
        return offered

    assert asyncio.run(both()) == []
    assert asyncio.run(next_questions(engine, turns, NOTHING_MORE, client="a")) == ["What?"]


def test_one_client_is_offered_no_more_in_a_minute_than_it_may_ask(make_engine: MakeEngine) -> None:
    engine = make_engine(Knows(), questions_per_minute=2)
    last = answered("Who?", "Who died in Kyiv?", "Who led in Kyiv?", "Who met in Kyiv?")
    turns = [Turn(number=1, question="Who?", state="done", answer=last)]
    offered = [asyncio.run(next_questions(engine, turns, NOTHING_MORE, client=client)) for client in "aab"]
    assert offered == [["Who died in Kyiv?", "Who led in Kyiv?"], [], ["Who died in Kyiv?", "Who led in Kyiv?"]]
    assert asyncio.run(said(engine, Asked.of({"question": "Who died in Kyiv?"})))[-1].state == "done"


def test_the_last_ten_turns_are_kept_and_keep_their_numbers(make_engine: MakeEngine) -> None:
    turns = tuple(Turn(number=n, question="Who?", state="done") for n in range(1, 11))
    assert [turn.number for turn in asyncio.run(conversation(make_engine(Knows()), turns))] == [*range(2, 12)]


def test_a_turn_that_was_given_up_is_stopped_when_the_next_question_comes(make_engine: MakeEngine) -> None:
    given_up = Turn(number=1, question="Who?", state="writing")
    shown = asyncio.run(conversation(make_engine(Knows()), (given_up,)))
    assert [turn.state for turn in shown] == ["stopped", "done"]


def test_a_question_sent_twice_under_one_name_is_asked_once(make_engine: MakeEngine) -> None:
    bot = CannedBot(answer_event(answered("Who?")))
    engine = make_engine(bot)
    asked = Asked.of({"question": "Who?", "serial": "7"})
    (first,) = asyncio.run(said(engine, asked))[-1:]
    assert asyncio.run(said(engine, asked, (first,))) == [first]
    assert bot.asked == ["Who?"]
    asyncio.run(said(engine, Asked.of({"question": "Who?", "serial": "8"}), (first,)))
    assert bot.asked == ["Who?", "Who?"]
