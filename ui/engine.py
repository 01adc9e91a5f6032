"""`Engine`: the one way in to the answers, for the page and for programs.

It holds one open index and one bot, lets so many questions be worked on at once and so many wait, and tells the rest
honestly that it is busy.
"""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Any, Protocol, TypeVar

from index.errors import GroundwireError
from index.ingest import IngestReport
from index.news_index import Hit, NewsIndex, checked_k, checked_question
from index.scope import Filters
from rag.answer import Answer, Event
from rag.bot import NewsBot
from rag.candidates import forget_texts
from rag.history import MAX_TURNS, Turn
from ui.feedback import Feedback
from ui.rate_limit import RateLimit
from ui.settings import ServeSettings
from ui.waiting_line import LineFullError, WaitingLine

__all__ = ["Answering", "BusyError", "Engine", "NotReadyError", "RateLimitedError", "TookTooLongError"]

T = TypeVar("T")

_WARM_UP = "What happened?"
_EARLY_S = 0.25
_QUIET_TRIES, _QUIET_S = 20, 0.1
_MOST_AWAY = 10_000


class NotReadyError(GroundwireError):
    """Say that the model is still loading, or could not be loaded."""


class BusyError(GroundwireError):
    """Say that as many questions wait as may wait."""

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimitedError(BusyError):
    """Say that this client asks too often."""


class TookTooLongError(GroundwireError):
    """Say that an answer was given up, because it took longer than it may."""


class Answering(Protocol):
    """Answer questions: `NewsBot`, or what a test puts in its place."""

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Any] = ...,
        k: int = ...,
        since: object = ...,
        until: object = ...,
        sources: Sequence[str] = ...,
        as_of: object = ...,
    ) -> Iterator[Event]:
        """Yield the events of an answer, the whole answer last."""


class Engine:
    """Answer for many callers at once, from any event loop.

    `clock` returns seconds and feeds the rate limit and the guess of when to try again; `now` is the time that feedback
    is stamped with.
    """

    def __init__(
        self,
        open_index: Callable[[], NewsIndex],
        *,
        settings: ServeSettings,
        make_bot: Callable[[NewsIndex], Answering] = NewsBot.loaded,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings = settings
        self._open_index = open_index
        self._make_bot = make_bot
        self.clock = clock
        self._now = now
        self._line = WaitingLine(most_served=settings.workers, most_waiting=settings.queue_size)
        self._questions = RateLimit(settings.questions_per_minute, clock=clock)
        self._offers = RateLimit(settings.questions_per_minute, clock=clock)
        self._remarks = RateLimit(settings.uploads_per_minute, clock=clock)
        self._threads = ThreadPoolExecutor(settings.workers, thread_name_prefix="groundwire-question")
        self._writing = threading.Lock()
        self._usual_s = 1.0
        self._away_until: dict[str, float] = {}
        self._loading: Future[None] | None = None
        self._loader: threading.Thread | None = None
        self._held: tuple[NewsIndex, Answering, Feedback] | None = None

    def start(self) -> None:
        """Open the index and load the model in the background; `ready` tells when that is done."""
        if self._loading is None:
            self._loading = Future()
            self._loader = threading.Thread(
                target=self._load, args=(self._loading,), name="groundwire-load", daemon=True
            )
            self._loader.start()

    def wait_until_ready(self, timeout_s: float | None = None) -> None:
        """Block until the model is loaded; raise what made that fail, or `TimeoutError`."""
        self.start()
        assert self._loading is not None
        self._loading.result(timeout_s)

    def close(self) -> None:
        """Let the questions that are worked on end, and close the index.

        Waits for the model, too: a process that ends while another thread compiles a network aborts.
        """
        self._threads.shutdown(wait=True, cancel_futures=True)
        if self._loader:
            self._loader.join()
        if self._held:
            self._held[0].close()
            self._held = None

    @property
    def ready(self) -> bool:
        """Tell whether questions can be answered."""
        return self._held is not None

    @property
    def index(self) -> NewsIndex:
        """Return the open index; raise `NotReadyError` before it is there."""
        return self._ready()[0]

    @property
    def waiting(self) -> int:
        """Return how many questions wait."""
        return self._line.waiting

    @property
    def working(self) -> int:
        """Return how many questions are worked on."""
        return self._line.served

    async def stream(
        self,
        question: str,
        *,
        client: str,
        history: Sequence[Turn | Mapping[str, str]] = (),
        k: int = 8,
        since: object = None,
        until: object = None,
        sources: Sequence[str] = (),
        as_of: object = None,
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of an answer; while it waits, a notice "queued" whenever its position changes.

        Raises before the first event `NotReadyError`, `BusyError`, `RateLimitedError` (of `client`), and the errors of
        `NewsBot.stream`. Whoever closes the iterator frees the place.
        """
        _, bot, _ = self._ready()
        Filters.of(since=since, until=until, sources=sources, as_of=as_of)  # what is wrong is said before it waits
        asked = checked_question(question)

        def events() -> Iterator[Event]:
            turns = [*history][-MAX_TURNS:]
            return bot.stream(
                asked, history=turns, k=checked_k(k), since=since, until=until, sources=sources, as_of=as_of
            )

        async with aclosing(self._in_turn(client, events)) as worked_on:
            async for event in worked_on:
                yield _queued(event) if isinstance(event, int) else event

    async def ask(self, question: str, *, client: str, **settings: Any) -> Answer:  # noqa: ANN401 - those of `stream`
        """Return the whole answer; arguments and errors are those of `stream`."""
        answer: Answer | None = None
        async with aclosing(self.stream(question, client=client, **settings)) as events:
            async for event in events:
                answer = event.answer or answer
        assert answer is not None  # a stream without an answer raises
        return answer

    async def can_answer(self, question: str, *, client: str, **settings: Any) -> bool:  # noqa: ANN401 - those of `NewsBot.stream`
        """Try out a question that a client may be offered: False when it is refused, or while others are answered.

        So offers are for quiet times, and take nobody's turn; a quiet moment is waited for, but not for long. For one
        client as many are tried out in a minute as it may ask, and those count apart.
        """
        _, bot, _ = self._ready()
        if self._offers.wait_s(client):
            return False
        for _ in range(_QUIET_TRIES):
            if not (self._line.served or self._line.waiting):
                break
            await asyncio.sleep(_QUIET_S)
        else:
            return False
        answer: Answer | None = None
        with suppress(GroundwireError):
            async with aclosing(self._served(lambda: bot.stream(question, **settings), "")) as events:
                async for event in events:
                    answer = event.answer if isinstance(event, Event) and event.answer else answer
        return answer is not None and answer.refusal is None

    async def search(self, query: str, *, client: str, k: int = 8, **filters: Any) -> list[Hit]:  # noqa: ANN401
        """Return the best passages, as `NewsIndex.search` does; a search waits in the same line as a question."""
        index = self.index
        checked = Filters.of(**filters)
        checked_question(query)
        hits: list[Hit] = []
        async with aclosing(self._in_turn(client, lambda: iter([index.find(query, k=k, filters=checked)]))) as found:
            async for value in found:
                hits = hits if isinstance(value, int) else value
        return hits

    def ingest(self, paths: Sequence[Path], *, meta: Mapping[str, str]) -> IngestReport:
        """Ingest files, one caller after the other; arguments and errors are those of `NewsIndex.ingest`."""
        with self._writing:
            return self.index.ingest([*paths], meta=meta, now=self._now())

    def delete(self, article_id: str) -> None:
        """Delete an article everywhere, one caller after the other; raise `ArticleNotFoundError`."""
        index, _, feedback = self._ready()
        with self._writing:
            index.delete(article_id, now=self._now())
            feedback.forget(article_id)
            forget_texts()

    def save_feedback(
        self, kind: str, answer: Mapping[str, Any], *, client: str, comment: str | None = None,
        citation: int | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Store what a reader says about an answer (its JSON), and return the line as stored.

        Raises `InputError`, and `RateLimitedError` for a client that says too much.
        """
        if wait_s := self._remarks.wait_s(client):
            seconds = ceil(wait_s)
            most = f"{self.settings.uploads_per_minute} remarks a minute"
            raise RateLimitedError(f"that is more than {most}; send it again in {seconds} s", retry_after_s=seconds)
        return self._ready()[2].append(kind, answer, comment=comment, citation=citation, at=self._now())

    def _load(self, loading: Future[None]) -> None:
        try:
            index = self._open_index()
            index.embedder.embed_queries([_WARM_UP])  # an empty index would not load the model when it is searched
            index.search(_WARM_UP, k=1)
            self._held = (index, self._make_bot(index), Feedback(index.folder))
            loading.set_result(None)
        except Exception as error:  # noqa: BLE001 - the edge: whoever asks is told why there is no index
            loading.set_exception(error)

    def _ready(self) -> tuple[NewsIndex, Answering, Feedback]:
        if self._held is None:
            failed = self._loading.exception() if self._loading and self._loading.done() else None
            if failed:
                raise NotReadyError(f"the index could not be opened: {failed}") from failed
            raise NotReadyError("the model is still loading; try again in a few seconds, or watch /readyz")
        return self._held

    async def _admit(self, client: str) -> None:
        """Raise `BusyError` for a client that may not ask now; one that comes back too early waits for it.

        So a client that does not heed what it is told costs others little.
        """
        refusal = self._refusal(client)
        if refusal and self.clock() < self._away_until.get(client, 0.0):
            await asyncio.sleep(_EARLY_S)
            refusal = self._refusal(client)
        if refusal:
            if len(self._away_until) >= _MOST_AWAY:
                self._away_until.clear()
            self._away_until[client] = self.clock() + refusal.retry_after_s
            raise refusal

    def _refusal(self, client: str) -> BusyError | None:
        if self._line.is_full(client):
            return self._busy()
        wait_s = self._questions.wait_s(client)
        if not wait_s:
            return None
        seconds = ceil(wait_s)
        most = f"{self.settings.questions_per_minute} questions a minute"
        return RateLimitedError(f"that is more than {most}; ask again in {seconds} s", retry_after_s=seconds)

    def _busy(self) -> BusyError:
        seconds = max(1, ceil(self._line.waiting * self._usual_s / self.settings.workers))
        waiting = "1 question waits" if self._line.waiting == 1 else f"{self._line.waiting} questions wait"
        return BusyError(f"{waiting} already, and no more may; ask again in {seconds} s", retry_after_s=seconds)

    async def _in_turn(self, client: str, work: Callable[[], Iterator[T]]) -> AsyncGenerator[int | T, None]:
        """Yield positions while the caller waits, then what a thread works out."""
        await self._admit(client)
        async with aclosing(self._served(work, client)) as served:
            async for value in served:
                yield value

    async def _served(self, work: Callable[[], Iterator[T]], client: str) -> AsyncGenerator[int | T, None]:
        try:
            async with aclosing(self._line.enter(client)) as positions:
                async for position in positions:
                    yield position
        except LineFullError as error:
            raise self._busy() from error
        async with aclosing(self._worked_on(work)) as worked_on:
            async for value in worked_on:
                yield value

    async def _worked_on(self, values: Callable[[], Iterator[T]]) -> AsyncGenerator[T, None]:
        """Yield what a thread works out, for a caller that is being served."""
        loop, found = asyncio.get_running_loop(), asyncio.Queue[T | None]()
        left = threading.Event()

        def tell(value: T | None) -> None:
            if not left.is_set():
                loop.call_soon_threadsafe(found.put_nowait, value)

        work = self._submit(values, tell, left)
        work.add_done_callback(lambda _: tell(None))
        until = loop.time() + self.settings.answer_timeout_s
        try:
            while (value := await asyncio.wait_for(found.get(), until - loop.time())) is not None:
                yield value
            work.result()
        except TimeoutError as error:
            most = f"{self.settings.answer_timeout_s:g} s"
            raise TookTooLongError(f"no answer within {most}; ask again, or ask for less") from error
        finally:
            left.set()

    def _submit(
        self, values: Callable[[], Iterator[T]], tell: Callable[[T], None], left: threading.Event
    ) -> "Future[None]":
        def work() -> None:
            started = self.clock()
            try:
                for value in values():
                    if left.is_set():
                        return
                    tell(value)
            finally:
                self._usual_s += (self.clock() - started - self._usual_s) / 8
                self._line.leave()

        try:
            return self._threads.submit(work)
        except RuntimeError as error:  # closed meanwhile
            self._line.leave()
            raise NotReadyError("the service is stopping; ask again when it has started") from error


def _queued(position: int) -> Event:
    text = "Waiting: this question is next." if position == 1 else f"Waiting: this question is number {position}."
    return Event("notice", {"code": "queued", "text": text, "position": position})
