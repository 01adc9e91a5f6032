"""Put one system to work and measure it, in the same way for all.

A worker runs in a process of its own: `python -m tests.bench.peers.NAME_worker JOB.json OUTCOME.json`.
"""

import resource
import sys
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Protocol, TypeVar

from tests.bench.peers.job import Found, Job, Outcome, read_job, write_json

__all__ = ["System", "measure", "peak_memory_mb", "serve", "timed", "versions_of"]

_STATUS = Path("/proc/self/status")

T = TypeVar("T")


class System(Protocol):
    """Index documents and find chunks of them. Packages are imported in `start`, whose time is measured too."""

    def start(self, job: Job) -> None:
        """Import, load the model and embed a word, so that the next text finds everything warm."""

    def ingest(self, job: Job) -> int:
        """Make the documents searchable; return how many chunks they became."""

    def search(self, question: str, k: int) -> Sequence[Found]:
        """Return the best `k` chunks, best first."""

    def settings(self, job: Job) -> str:
        """Return how it cuts, embeds and searches, in a few words."""

    def packages(self) -> Sequence[str]:
        """Return the packages whose versions count."""


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what some work returns, and how many seconds it took."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def measure(system: System, job: Job) -> Outcome:
    """Start a system, ingest, and ask every question once; one question more comes first, untimed."""
    _, start_s = timed(lambda: system.start(job))
    chunks, ingest_s = timed(lambda: system.ingest(job))
    system.search(job.questions[0], job.k)
    answers = [timed(lambda q=question: system.search(q, job.k)) for question in job.questions]  # type: ignore[misc]
    return Outcome(
        versions=versions_of(system.packages()), settings=system.settings(job), chunks=chunks, start_s=start_s,
        ingest_s=ingest_s, query_ms=tuple(1000 * seconds for _, seconds in answers), peak_mb=peak_memory_mb(),
        found=tuple(tuple(found) for found, _ in answers),
    )  # fmt: skip


def versions_of(packages: Sequence[str]) -> dict[str, str]:
    """Return the installed version of each package."""
    return {name: metadata.version(name) for name in packages}


def peak_memory_mb() -> float:
    """Return the most memory that this process has held, in MB.

    On Linux not from `getrusage`, which counts what the parent held when it started this process.
    """
    if _STATUS.exists():
        lines = dict(line.split(":", 1) for line in _STATUS.read_text(encoding="ascii").splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def serve(system: System) -> None:
    """Read the job that the command line names, do it, and write the outcome."""
    job, outcome = map(Path, sys.argv[1:])
    write_json(measure(system, read_job(job)), outcome)
