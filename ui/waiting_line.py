"""The line that questions wait in: so many are worked on at once, so many may wait, the rest are told to come back."""

import asyncio
from collections.abc import AsyncGenerator
from threading import Lock

__all__ = ["LineFullError", "WaitingLine"]


class LineFullError(Exception):
    """Say that nobody else may wait; `ahead` is how many are in the line already."""

    def __init__(self, ahead: int) -> None:
        super().__init__(ahead)
        self.ahead = ahead


class _Place:
    """Hold one caller's place and how to wake that caller in its own event loop."""

    def __init__(self) -> None:
        self.served = False
        self._loop = asyncio.get_running_loop()
        self._moved = asyncio.Event()

    def wake(self) -> None:
        """Tell the caller, from any thread, that the line has moved."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._moved.set)

    async def wait(self) -> None:
        await self._moved.wait()
        self._moved.clear()


class WaitingLine:
    """Serve `most_served` callers at once, let `most_waiting` wait in the order in which they came.

    Callers may live in any event loop; `leave` may be called from any thread.
    """

    def __init__(self, *, most_served: int, most_waiting: int) -> None:
        self._most_served = most_served
        self._most_waiting = most_waiting
        self._lock = Lock()
        self._served = 0
        self._waiting: list[_Place] = []

    @property
    def waiting(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Tell whether nobody else may wait."""
        return self._served >= self._most_served and len(self._waiting) >= self._most_waiting

    @property
    def served(self) -> int:
        """Return how many are being served."""
        return self._served

    async def enter(self) -> AsyncGenerator[int, None]:
        """Yield the caller's position, from 1, whenever it changes; ends when the caller is served.

        Raises `LineFullError` at once when nobody else may wait. Whoever was served calls `leave` once; whoever closes
        the iterator before that has left already.
        """
        place = self._join()
        try:
            told = 0
            while (position := self._position(place)) > 0:
                if position != told:
                    told = position
                    yield position
                else:
                    await place.wait()
        except BaseException:
            self._give_up(place)
            raise

    def leave(self) -> None:
        """Free the caller's place for the next one."""
        with self._lock:
            self._served -= 1
            self._admit()

    def _join(self) -> _Place:
        place = _Place()
        with self._lock:
            if self.is_full:
                raise LineFullError(len(self._waiting))
            self._waiting.append(place)
            self._admit()
        return place

    def _admit(self) -> None:
        """Serve whoever is first while there is room, and wake everybody whose position changed; under the lock."""
        moved = [*self._waiting]
        while self._waiting and self._served < self._most_served:
            self._waiting.pop(0).served = True
            self._served += 1
        for place in moved:
            place.wake()

    def _position(self, place: _Place) -> int:
        with self._lock:
            return 0 if place.served else self._waiting.index(place) + 1

    def _give_up(self, place: _Place) -> None:
        with self._lock:
            if place.served:
                self._served -= 1
            else:
                self._waiting.remove(place)
            self._admit()
