"""How many cores this process may use, and work that they share."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

__all__ = ["cores", "side_by_side"]

T = TypeVar("T")
R = TypeVar("R")

_MOST_THREADS = 8  # by hand: the benchmarks run on two cores


def cores() -> int:
    """Return how many cores this process may use, at most 8."""
    ours = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(_MOST_THREADS, ours)


def side_by_side(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Return what `work` makes of each item, in order; the first is done here, the others at once on threads of ours.

    What no thread has begun by then is done here too, so that nothing waits for threads that are busy or gone. It is
    worth it for what lets other threads run, as FAISS does. What `work` raises is raised here.
    """
    try:
        begun = [_pool().submit(work, item) for item in items[1:]]
    except RuntimeError:  # the interpreter is ending
        return [work(item) for item in items]
    done = [work(item) for item in items[:1]]
    return done + [
        work(item) if other.cancel() else other.result() for item, other in zip(items[1:], begun, strict=True)
    ]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(cores(), thread_name_prefix="groundwire")
