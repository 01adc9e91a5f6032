"""Put one system to work and measure it, in the same way for all.

A worker runs in a process of its own: `python -m tests.bench.peers.NAME_worker JOB.json OUTCOME.json`.
"""

import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Protocol

from tests.bench.measuring import peak_mb, timed
from tests.bench.peers.job import Found, Job, Outcome, read_job, write_json

__all__ = ["System", "measure", "serve", "versions_of"]


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


def measure(system: System, job: Job) -> Outcome:
    """Start a system, ingest, and ask every question once; one question more comes first, untimed."""
    _, start_s = timed(lambda: system.start(job))
    chunks, ingest_s = timed(lambda: system.ingest(job))
    system.search(job.questions[0], job.k)
    answers = [timed(lambda q=question: system.search(q, job.k)) for question in job.questions]  # type: ignore[misc]
    return Outcome(
        versions=versions_of(system.packages()), settings=system.settings(job), chunks=chunks, start_s=start_s,
        ingest_s=ingest_s, query_ms=tuple(1000 * seconds for _, seconds in answers), peak_mb=peak_mb(),
        found=tuple(tuple(found) for found, _ in answers),
    )  # fmt: skip


def versions_of(packages: Sequence[str]) -> dict[str, str]:
    """Return the installed version of each package."""
    return {name: metadata.version(name) for name in packages}


def serve(system: System) -> None:
    """Read the job that the command line names, do it, and write the outcome."""
    job, outcome = map(Path, sys.argv[1:])
    write_json(measure(system, read_job(job)), outcome)
