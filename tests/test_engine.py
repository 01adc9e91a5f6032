"""The engine: questions wait their turn, callers who leave free their place, what is too much is said at once."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from index.errors import DateError, IndexMissingError, InputError, QuestionError
from index.news_index import NewsIndex
from rag.answer import Event
from ui.engine import BusyError, Engine, NotReadyError, RateLimitedError, TookTooLongError
from ui.feedback import FEEDBACK_NAME
from ui.settings import ServeSettings
from ui.waiting_line import WaitingLine

from .fakes import KYIV, NOW, CannedBot, FakeEmbedder, answer_event, refused, write_articles

ONE_AT_A_TIME = ServeSettings(workers=1, queue_size=2)
THE_END = answer_event(refused())

MakeEngine = Callable[..., Engine]


@pytest.fixture
def make_engine(tmp_path: Path) -> Iterator[MakeEngine]:
    made: list[Engine] = []

    def make(bot: CannedBot | None = None, settings: ServeSettings = ONE_AT_A_TIME) -> Engine:
        index = NewsIndex.open(tmp_path / "index", create=True, embedder=FakeEmbedder())
        index.ingest([write_articles(tmp_path / "a.jsonl", KYIV)], now=NOW)
        chosen = {"make_bot": lambda _: bot} if bot else {}
        made.append(Engine(lambda: index, settings=settings, clock=lambda: 0.0, now=lambda: NOW, **chosen))
        made[-1].wait_until_ready(10)
        return made[-1]

    yield make
    for engine in made:
        engine.close()


async def until(true: Callable[[], bool]) -> None:
    """Let the other tasks run until something is so."""
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.001)


def run(task: Awaitable[None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(20):
            await task

    asyncio.run(limited())


def test_a_question_is_answered_from_the_index(make_engine: MakeEngine) -> None:
    answer = asyncio.run(make_engine().ask("How many people were killed in Kyiv?", client="a"))
    assert answer.citations[0].quote == "At least 19 people were killed in Kyiv on Thursday."


def test_the_events_of_the_bot_come_in_their_order(make_engine: MakeEngine) -> None:
    events = [Event("understood", {}), Event("hits", {"hits": []}), THE_END]

    async def collect() -> list[Event]:
        return [event async for event in make_engine(CannedBot(*events)).stream("Who?", client="a")]

    assert asyncio.run(collect()) == events


def test_questions_wait_in_order_and_are_told_their_position(make_engine: MakeEngine) -> None:
    go = threading.Event()
    bot = CannedBot(THE_END, wait=go)
    engine = make_engine(bot)

    async def positions(question: str) -> list[int]:
        events = [event async for event in engine.stream(question, client="a")]
        return [event.data["position"] for event in events if event.name == "notice"]

    async def three() -> list[list[int]]:
        first = asyncio.create_task(positions("first"))
        await until(lambda: engine.working == 1)
        second = asyncio.create_task(positions("second"))
        await until(lambda: engine.waiting == 1)
        third = asyncio.create_task(positions("third"))
        await until(lambda: engine.waiting == 2)
        await asyncio.sleep(0)
        go.set()
        return [*await asyncio.gather(first, second, third)]

    assert asyncio.run(three()) == [[], [1], [2, 1]]
    assert bot.asked == ["first", "second", "third"]


def test_when_nobody_else_may_wait_the_next_is_told_so_at_once(make_engine: MakeEngine) -> None:
    go = threading.Event()
    engine = make_engine(CannedBot(THE_END, wait=go))

    async def overload() -> None:
        accepted = [asyncio.create_task(engine.ask("Who?", client="a")) for _ in range(3)]
        await until(lambda: engine.waiting == 2)
        with pytest.raises(BusyError, match="2 questions wait already") as busy:
            await engine.ask("Who?", client="a")
        assert busy.value.retry_after_s == 2
        go.set()
        assert [answer.status for answer in await asyncio.gather(*accepted)] == ["refused"] * 3

    run(overload())


def test_who_leaves_while_waiting_frees_the_place(make_engine: MakeEngine) -> None:
    go = threading.Event()
    bot = CannedBot(THE_END, wait=go)
    engine = make_engine(bot)

    async def leave() -> None:
        first = asyncio.create_task(engine.ask("first", client="a"))
        await until(lambda: engine.working == 1)
        leaver = asyncio.create_task(engine.ask("leaver", client="a"))
        await until(lambda: engine.waiting == 1)
        leaver.cancel()
        await until(lambda: engine.waiting == 0)
        go.set()
        await first
        await engine.ask("last", client="a")

    run(leave())
    assert bot.asked == ["first", "last"]


def test_who_leaves_while_answered_stops_the_work(make_engine: MakeEngine) -> None:
    bot = CannedBot(*[Event("understood", {})] * 100_000, THE_END)
    engine = make_engine(bot)

    async def leave() -> None:
        async with aclosing(engine.stream("Who?", client="a")) as events:
            await anext(events)
        await until(lambda: engine.working == 0)

    run(leave())
    assert bot.given_up.wait(10)


def test_an_error_of_the_bot_reaches_the_caller_and_frees_the_place(make_engine: MakeEngine) -> None:
    engine = make_engine()
    with pytest.raises(InputError, match="`k` is 0"):
        asyncio.run(engine.ask("Who?", client="a", k=0))
    assert asyncio.run(engine.ask("Who was in Lima?", client="a")).status == "refused"


@pytest.mark.parametrize(
    ("question", "settings", "error"),
    [(" ", {}, QuestionError), ("x" * 2001, {}, QuestionError), ("Who?", {"since": "soon"}, DateError)],
)
def test_what_cannot_be_used_is_said_before_it_waits(
    make_engine: MakeEngine, question: str, settings: dict[str, str], error: type[Exception]
) -> None:
    bot = CannedBot(THE_END)
    engine = make_engine(bot)
    with pytest.raises(error):
        asyncio.run(engine.ask(question, client="a", **settings))
    assert bot.asked == []


def test_a_client_that_asks_too_often_is_told_when_to_ask_again(make_engine: MakeEngine) -> None:
    engine = make_engine(CannedBot(THE_END), ServeSettings(questions_per_minute=2))

    async def ask() -> None:
        await engine.ask("Who?", client="a")
        await engine.ask("Who?", client="a")
        with pytest.raises(RateLimitedError, match="more than 2 questions a minute") as limited:
            await engine.ask("Who?", client="a")
        assert limited.value.retry_after_s == 30
        await engine.ask("Who?", client="another")

    run(ask())


def test_an_answer_that_takes_too_long_is_given_up(make_engine: MakeEngine) -> None:
    go = threading.Event()
    engine = make_engine(CannedBot(THE_END, wait=go), replace(ONE_AT_A_TIME, answer_timeout_s=0))
    with pytest.raises(TookTooLongError, match="no answer within 0 s"):
        asyncio.run(engine.ask("Who?", client="a"))
    go.set()


def test_an_engine_that_is_loading_says_so() -> None:
    engine = Engine(pytest.fail, settings=ONE_AT_A_TIME)
    assert not engine.ready
    with pytest.raises(NotReadyError, match="still loading"):
        _ = engine.index


def test_an_index_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    engine = Engine(lambda: NewsIndex.open(tmp_path / "none"), settings=ONE_AT_A_TIME)
    with pytest.raises(IndexMissingError):
        engine.wait_until_ready(10)
    with pytest.raises(NotReadyError, match="holds no index"):
        _ = engine.index
    engine.close()


def test_feedback_is_kept_beside_the_index(make_engine: MakeEngine) -> None:
    engine = make_engine()
    answer = asyncio.run(engine.ask("How many people were killed in Kyiv?", client="a")).to_json()
    engine.save_feedback("wrong_passage", answer, client="a", comment="Not <b>this</b>", citation=1)
    engine.save_feedback("like", answer, client="a")
    lines = (engine.index.folder / FEEDBACK_NAME).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"at": "2025-09-05T12:00:00+00:00", "kind": kind, "comment": comment, "citation": citation, "answer": answer}
        for kind, comment, citation in (("wrong_passage", "Not <b>this</b>", 1), ("like", None, None))
    ]


def test_feedback_after_a_line_that_was_cut_off_stands_on_its_own(make_engine: MakeEngine) -> None:
    engine = make_engine()
    path = engine.index.folder / FEEDBACK_NAME
    path.write_text('{"at": "2025', encoding="utf-8")
    stored = engine.save_feedback("other", {}, client="a", comment="Good")
    assert [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[1:]] == [stored]


def test_a_client_that_says_too_much_is_told_when_to_go_on(make_engine: MakeEngine) -> None:
    engine = make_engine(settings=ServeSettings(uploads_per_minute=1))
    engine.save_feedback("other", {}, client="a")
    with pytest.raises(RateLimitedError, match="more than 1 remarks a minute; send it again in 60 s"):
        engine.save_feedback("other", {}, client="a")
    engine.save_feedback("other", {}, client="b")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "great", "answer": {}}, "`kind` is 'great'; use one of like,"),
        ({"kind": "like", "answer": {}, "comment": "x" * 2001}, "2,001 characters"),
        ({"kind": "like", "answer": {}, "citation": 3}, "`citation` is 3, and the answer has none"),
        ({"kind": "like", "answer": {"text": "x" * 600_000}}, "the limit is 524,288"),
    ],
)
def test_feedback_that_fits_nothing_is_refused(
    make_engine: MakeEngine, arguments: dict[str, object], message: str
) -> None:
    engine = make_engine()
    with pytest.raises(InputError, match=message):
        engine.save_feedback(client="a", **arguments)  # type: ignore[arg-type] # that is the point
    assert not (engine.index.folder / FEEDBACK_NAME).exists()


def test_clients_take_turns(make_engine: MakeEngine) -> None:
    go = threading.Event()
    bot = CannedBot(THE_END, wait=go)
    engine = make_engine(bot, ServeSettings(workers=1, queue_size=8))

    async def ask() -> None:
        asked = []
        for number, client in enumerate("aaaabb"):
            asked.append(asyncio.create_task(engine.ask(f"{client}{number}", client=client)))
            await until(lambda expected=number: engine.working + engine.waiting == expected + 1)  # type: ignore[misc]
        go.set()
        await asyncio.gather(*asked)

    run(ask())
    assert bot.asked == ["a0", "a1", "b4", "a2", "b5", "a3"]


def test_who_comes_late_takes_turns_from_then_on() -> None:
    line = WaitingLine(most_served=1, most_waiting=9)
    served: list[str] = []

    async def come(client: str) -> None:
        async with aclosing(line.enter(client)) as positions:
            async for _ in positions:
                pass
        served.append(client)

    async def leave(times: int) -> None:
        for _ in range(times):
            expected = len(served) + 1
            line.leave()
            await until(lambda expected=expected: len(served) == expected)  # type: ignore[misc]

    async def ask() -> None:
        callers = [asyncio.create_task(come("a")) for _ in range(6)]
        await until(lambda: len(served) == 1 and line.waiting == 5)
        await leave(3)
        callers += [asyncio.create_task(come("b")) for _ in range(3)]
        await until(lambda: line.waiting == 5)
        await leave(5)
        await asyncio.gather(*callers)

    run(ask())
    assert "".join(served) == "aaaa" + "ababb"


def test_one_client_leaves_room_in_the_line_for_others(make_engine: MakeEngine) -> None:
    go = threading.Event()
    engine = make_engine(CannedBot(THE_END, wait=go), ServeSettings(workers=1, queue_size=4))

    async def ask() -> None:
        accepted = [asyncio.create_task(engine.ask("Who?", client="a")) for _ in range(4)]
        await until(lambda: engine.waiting == 3)
        with pytest.raises(BusyError):
            await engine.ask("Who?", client="a")
        accepted.append(asyncio.create_task(engine.ask("Who?", client="b")))
        await until(lambda: engine.waiting == 4)
        go.set()
        await asyncio.gather(*accepted)

    run(ask())


def test_who_comes_back_too_early_is_answered_when_there_is_room_meanwhile(make_engine: MakeEngine) -> None:
    go = threading.Event()
    engine = make_engine(CannedBot(THE_END, wait=go), ServeSettings(workers=1, queue_size=0))

    async def ask() -> None:
        first = asyncio.create_task(engine.ask("Who?", client="a"))
        await until(lambda: engine.working == 1)
        with pytest.raises(BusyError):
            await engine.ask("Who?", client="b")
        again = asyncio.create_task(engine.ask("Who?", client="b"))
        await asyncio.sleep(0)
        go.set()
        assert [answer.status for answer in await asyncio.gather(first, again)] == ["refused"] * 2

    run(ask())


def test_a_line_serves_callers_of_several_event_loops() -> None:
    line = WaitingLine(most_served=1, most_waiting=9)
    served: list[int] = []

    async def come(number: int) -> None:
        async with aclosing(line.enter()) as positions:
            async for _ in positions:
                pass
        served.append(number)
        line.leave()

    threads = [threading.Thread(target=lambda n=n: asyncio.run(come(n))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(served) == [*range(8)]
    assert (line.served, line.waiting) == (0, 0)
