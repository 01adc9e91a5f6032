"""The line that questions wait in: so many are worked on at once, so many may wait, the rest are told to come back.

It is fair to clients: they take turns, so that one who asks a hundred times holds up nobody who asks once; and no
client alone fills the line.
"""

import asyncio
from bisect import insort
from collections import Counter
from collections.abc import AsyncGenerator
from math import ceil
from threading import Lock

__all__ = ["LineFullError", "WaitingLine"]

_MOST_OF_ONE = 0.75


class LineFullError(Exception):
    """Say that nobody else may wait; `ahead` is how many are in the line already."""

    def __init__(self, ahead: int) -> None:
        super().__init__(ahead)
        self.ahead = ahead


class _Place:
    """Hold one caller's place and how to wake that caller in its own event loop."""

    def __init__(self, client: str, turn: int) -> None:
        self.client = client
        self.turn = turn
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
    """Serve `most_served` callers at once and let `most_waiting` wait, of one client at most three quarters of that.

    Clients are served in turns, and the callers of one client in the order in which they came (start-time fair
    queueing, Goyal, Vin and Cheng 1996, with questions that all cost the same). Callers may live in any event loop;
    `leave` may be called from any thread.
    """

    def __init__(self, *, most_served: int, most_waiting: int) -> None:
        self._most_served = most_served
        self._most_waiting = most_waiting
        self._lock = Lock()
        self._served = 0
        self._waiting: list[_Place] = []
        self._of_client: Counter[str] = Counter()
        self._turn = 0
        self._last_turn: dict[str, int] = {}

    @property
    def waiting(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    @property
    def served(self) -> int:
        """Return how many are being served."""
        return self._served

    def is_full(self, client: str = "") -> bool:
        """Tell whether nobody else of a client may wait."""
        most = ceil(self._most_waiting * _MOST_OF_ONE)
        is_long = len(self._waiting) >= self._most_waiting or self._of_client[client] >= most
        return self._served >= self._most_served and is_long

    async def enter(self, client: str = "") -> AsyncGenerator[int, None]:
        """Yield the caller's position, from 1, whenever it changes; ends when the caller is served.

        Raises `LineFullError` at once when nobody else may wait. Whoever was served calls `leave` once; whoever closes
        the iterator before that has left already.
        """
        place = self._join(client)
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

    def _join(self, client: str) -> _Place:
        with self._lock:
            if self.is_full(client):
                raise LineFullError(len(self._waiting))
            turn = self._last_turn[client] = max(self._turn, self._last_turn.get(client, 0)) + 1
            place = _Place(client, turn)
            insort(self._waiting, place, key=lambda other: other.turn)  # behind those of the same turn
            self._of_client[client] += 1
            self._admit()
        return place

    def _admit(self) -> None:
        """Serve whoever is first while there is room, and wake everybody whose position changed; under the lock."""
        moved = [*self._waiting]
        while self._waiting and self._served < self._most_served:
            place = self._waiting[0]
            self._remove(place)
            place.served = True
            self._turn = place.turn
            self._served += 1
        for place in moved:
            place.wake()

    def _remove(self, place: _Place) -> None:
        """Take a place out of the line, and forget a client of whom nobody waits; under the lock."""
        self._waiting.remove(place)
        self._of_client[place.client] -= 1
        if not self._of_client[place.client]:
            del self._of_client[place.client], self._last_turn[place.client]

    def _position(self, place: _Place) -> int:
        with self._lock:
            return 0 if place.served else self._waiting.index(place) + 1

    def _give_up(self, place: _Place) -> None:
        with self._lock:
            if place.served:
                self._served -= 1
            else:
                self._remove(place)
            self._admit()
