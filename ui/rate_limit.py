"""How often one client may ask: a bucket of tokens each, refilled at an even pace."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

__all__ = ["RateLimit"]

_MOST_CLIENTS = 10_000


class RateLimit:
    """Let each client do something `per_minute` times a minute, all at once or spread; safe to share between threads.

    It remembers the 10,000 clients seen last, so that a flood of names takes no more memory than that. `clock` returns
    seconds that never go back.
    """

    def __init__(self, per_minute: int, *, clock: Callable[[], float]) -> None:
        self._most = float(per_minute)
        self._clock = clock
        self._lock = Lock()
        self._clients: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, and when it was so

    def wait_s(self, client: str) -> float:
        """Take one token and return 0, or return in how many seconds there will be one."""
        with self._lock:
            now = self._clock()
            left, then = self._clients.pop(client, (self._most, now))
            left = min(self._most, left + (now - then) * self._most / 60)
            allowed = left >= 1
            self._clients[client] = (left - 1 if allowed else left, now)
            if len(self._clients) > _MOST_CLIENTS:
                self._clients.popitem(last=False)
            return 0.0 if allowed else (1 - left) * 60 / self._most
