"""Measure what some work takes: its time, the memory of this process, and the running of a command.

Only the standard library is imported: the systems of peers/ are measured in an environment of their own.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

__all__ = ["CHECKOUT", "command", "median_and_worst", "now_mb", "peak_mb", "seconds", "several", "timed"]

CHECKOUT = Path(__file__).resolve().parent.parent.parent
_STATUS = Path("/proc/self/status")
_RUNS = 5

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what some work returns, and how many seconds it took."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def seconds(work: Callable[[], object]) -> float:
    """Return how long some work takes."""
    return timed(work)[1]


def several(work: Callable[[], object]) -> list[float]:
    """Return how long each of five runs takes."""
    return [seconds(work) for _ in range(_RUNS)]


def median_and_worst(times: Sequence[float]) -> str:
    """Return the median of some times, by which a bar is judged, and the worst, which somebody met too.

    >>> median_and_worst([0.5, 0.25, 3])
    '0.50 s (worst 3.00)'
    """
    return f"{statistics.median(times):.2f} s (worst {max(times):.2f})"


def command(*arguments: str, **environment: str) -> Callable[[], None]:
    """Return the running of this Python with arguments and variables; it raises `RuntimeError` when that fails."""

    def run() -> None:
        line, variables = [sys.executable, *arguments], {**os.environ, **environment}
        done = subprocess.run(line, cwd=CHECKOUT, env=variables, capture_output=True, text=True, check=False)
        if done.returncode:  # a command that fails is fast, and no measure of anything; so is a refusal
            raise RuntimeError(f"{arguments} left with {done.returncode}: {done.stderr or done.stdout}")

    return run


def now_mb() -> float:
    """Return the memory that this process holds now, in MB; where the system does not tell, the most that it held."""
    return _of_status("VmRSS") if _STATUS.exists() else peak_mb()


def peak_mb() -> float:
    """Return the most memory that this process has held, in MB of 1,000,000 bytes.

    On Linux not from `getrusage`, which counts what the parent held when it started this process.
    """
    if _STATUS.exists():
        return _of_status("VmHWM")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _of_status(name: str) -> float:
    lines = dict(line.split(":", 1) for line in _STATUS.read_text(encoding="ascii").splitlines())
    return int(lines[name].split()[0]) * 1024 / 1e6  # the kernel's kB are 1,024 bytes
