"""Load on the HTTP service: `make bench-http` serves 10,000 passages and asks from many sides at once.

Each asker asks again when it is answered. The runs: as many askers as the bar names (and 32); ten times as many; ten
times as many of which nine in ten do not heed that they are told busy, and ask again at once, from another address; and
5,000 questions one after the other, to see whether memory grows. The articles are made up from the sample articles,
each about names of its own, so that they are as hard to tell apart as news of one kind is. Askers and server share the
machine.
"""

import argparse
import asyncio
import os
import random
import re
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from index.news_index import NewsIndex
from index.readers import read_articles
from index.readers.record import Unread

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PLACES = (
    "Alder Birch Cedar Delta Ember Fjord Grove Haven Inlet Juniper Knoll Lagoon Meadow Nettle Orchard Prairie".split()
)
ENDINGS = "bridge burg castle dale field ford gate ham hill mouth port side ton vale view worth".split()
QUESTIONS = (
    "What did the minister announce in {place}?", "How much was pledged in {place}?", "Who was killed in {place}?",
    "When did the summit in {place} take place?", "What did Rutte say about {place}?",
)  # fmt: skip


@dataclass
class Tally:
    """Count what askers were told, and how long it took."""

    seconds: dict[int, list[float]] = field(default_factory=dict)
    broken: Counter[str] = field(default_factory=Counter)

    def add(self, status: int, took_s: float) -> None:
        self.seconds.setdefault(status, []).append(took_s)

    def percentile(self, status: int, share: float) -> float:
        ordered = sorted(self.seconds.get(status, [float("nan")]))
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def count(self, status: int) -> int:
        return len(self.seconds.get(status, []))


def place_of(number: int) -> str:
    """Return a place that no other number has."""
    name, ending = PLACES[number % 16], ENDINGS[number // 16 % 16]
    return f"{name}{ending}" + (f" {number // 256}" if number >= 256 else "")


def make_index(folder: Path, passages: int) -> NewsIndex:
    """Make an index of so many passages, or open the one that is there."""
    index = NewsIndex.open(folder, create=True)
    if int(index.stats()["passages"]) >= passages:
        return index
    originals = [a for a in read_articles(CHECKOUT / "seeds" / "articles.jsonl", meta={}) if not isinstance(a, Unread)]
    chance = random.Random(7)
    sources = folder.parent / "made-up"
    sources.mkdir(exist_ok=True)
    number = 0
    while int(index.stats()["passages"]) < passages:
        missing = passages - int(index.stats()["passages"])
        paths = []
        for _ in range(max(1, min(500, missing // 3))):
            sentences = [s for a in chance.sample(originals, 3) for s in re.split(r"(?<=[.!?])\s+", a.text)]
            chosen = chance.sample(sentences, min(14, len(sentences)))
            text = " ".join(re.sub(r"\b(Paris|Kyiv|Brussels|London|Moscow)\b", place_of(number), s) for s in chosen)
            paths.append(sources / f"{number}.txt")
            paths[-1].write_text(f"The meeting was held in {place_of(number)}. {text}\n", encoding="utf-8")
            number += 1
        index.ingest(
            paths, meta={"source": "Bench Desk", "published": "2025-09-04"}, now=datetime(2025, 9, 5, tzinfo=UTC)
        )
    return index


async def ask_until(
    client: httpx.AsyncClient, tally: Tally, until: float, chance: random.Random, *, heeds: bool = True
) -> None:
    """Ask again and again; whoever is told busy, and heeds it, waits as long as the server says."""
    while time.perf_counter() < until:
        question = chance.choice(QUESTIONS).format(place=place_of(chance.randrange(1000)))
        started = time.perf_counter()
        try:
            response = await client.post("/api/v1/ask", json={"question": question})
        except httpx.HTTPError as error:
            tally.broken[type(error).__name__] += 1
            continue
        tally.add(response.status_code, time.perf_counter() - started)
        if response.status_code == 503 and heeds:
            await asyncio.sleep(min(float(response.headers["retry-after"]), until - time.perf_counter()))


async def watch_health(client: httpx.AsyncClient, tally: Tally, until: float) -> None:
    while time.perf_counter() < until:
        started = time.perf_counter()
        response = await client.get("/healthz")
        tally.add(response.status_code, time.perf_counter() - started)
        await asyncio.sleep(0.2)


def caller(address: str, context: ssl.SSLContext, host: str = "127.0.0.1") -> httpx.AsyncClient:
    """Return a client with a connection of its own, as a browser has: in a shared pool requests wait before they go."""
    transport = httpx.AsyncHTTPTransport(verify=context, local_address=host)
    return httpx.AsyncClient(base_url=address, timeout=120, transport=transport)


async def load(address: str, askers: int, seconds: float, *, rude: int = 0) -> tuple[Tally, Tally, Tally]:
    """Let so many ask at once, and from another address so many who do not heed that the server is busy.

    Returns what the askers were told, what the others were told, and how fast the server said that it is there.
    """
    asked, refused, health = Tally(), Tally(), Tally()
    context = ssl.create_default_context()  # one is enough, and each costs 20 ms
    async with AsyncExitStack() as stack:
        honest = [await stack.enter_async_context(caller(address, context)) for _ in range(askers + 1)]
        others = [await stack.enter_async_context(caller(address, context, "127.0.0.2")) for _ in range(rude)]
        until = time.perf_counter() + seconds
        tasks = [ask_until(client, asked, until, random.Random(n)) for n, client in enumerate(honest[1:])]
        tasks += [ask_until(client, refused, until, random.Random(-n), heeds=False) for n, client in enumerate(others)]
        await asyncio.gather(*tasks, watch_health(honest[0], health, until))
    return asked, refused, health


def memory_of(process_id: int) -> float:
    """Return what a process holds in memory, in MB."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 1000


async def memory(address: str, process_id: int, questions: int) -> list[tuple[int, float]]:
    """Ask so many questions from 4 sides, and return the memory of the server (MB) on the way."""
    seen: list[tuple[int, float]] = []
    chance = random.Random(5)
    async with httpx.AsyncClient(base_url=address, timeout=120) as client:
        for done in range(0, questions, 4):
            if done % 500 == 0:
                seen.append((done, memory_of(process_id)))
            texts = [chance.choice(QUESTIONS).format(place=place_of(chance.randrange(1000))) for _ in range(4)]
            for response in await asyncio.gather(*(client.post("/api/v1/ask", json={"question": t}) for t in texts)):
                response.raise_for_status()  # what was not answered says nothing of memory
    return [*seen, (questions, memory_of(process_id))]


def start(index: Path) -> tuple[subprocess.Popen[str], str]:
    """Start a server with its rate limit raised, and return it with its address when it is ready."""
    command = [sys.executable, "-m", "ui.cli", "serve", "--no-page", "--index", str(index)]
    environment = {**os.environ, "GROUNDWIRE_QUESTIONS_PER_MINUTE": "1000000"}
    server = subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    address = re.findall(r"http://\S+", server.stdout.readline())[0]
    while httpx.get(f"{address}/readyz").status_code != 200:
        time.sleep(0.2)
    return server, address


def row(askers: str, asked: Tally, health: Tally, bar: str) -> str:
    """Return a line of the table."""
    others = {status: len(took) for status, took in asked.seconds.items() if status not in (200, 503)}
    errors = sum(others.values()) + sum(asked.broken.values())
    return (
        f"| {askers} | {asked.count(200)} | {asked.percentile(200, 0.5):.2f} | {asked.percentile(200, 0.95):.2f} "
        f"| {errors} {others or ''}{dict(asked.broken) or ''} | {asked.count(503)} | {asked.percentile(503, 1.0):.2f} "
        f"| {health.percentile(200, 0.95):.3f} | {bar} |"
    )


def main() -> None:
    """Run the load and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--askers", type=int, nargs="+", default=[12, 32, 120], help="how many at once, run by run")
    parser.add_argument(
        "--rude", type=int, default=108, help="who do not heed that the server is busy, beside 12 who do; 0 leaves out"
    )
    parser.add_argument("--questions", type=int, default=5_000, help="of the memory run; 0 leaves it out")
    parser.add_argument("--index", type=Path, help="keep the index here, for the next run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = options.index or Path(made) / "index"
        with make_index(folder, options.passages) as index:
            held = index.stats()["passages"]
        server, address = start(folder)
        try:
            print(f"{held:,} passages, {os.cpu_count()} cores, {options.seconds:g} s a run\n")
            print("| askers | answered | p50 s | p95 s | errors | told busy | slowest busy s | health p95 s | bar |")
            print("|---:|---:|---:|---:|---|---:|---:|---:|---|")
            bars = {12: "0 errors, p95 <= 1.5 s", 120: "busy <= 1 s, none lost"}
            for askers in options.askers:
                bar = bars.get(askers, "reported")
                asked, _, health = asyncio.run(load(address, askers, options.seconds))
                print(row(f"{askers}", asked, health, bar), flush=True)
            if options.rude:
                asked, refused, health = asyncio.run(load(address, 12, options.seconds, rude=options.rude))
                print(row(f"12 beside {options.rude} that do not heed", asked, health, "answered"), flush=True)
                print(row(f"the {options.rude}", refused, health, "busy <= 1 s"), flush=True)
            if options.questions:
                for done, megabytes in asyncio.run(memory(address, server.pid, options.questions)):
                    print(f"after {done:,} questions: {megabytes:,.0f} MB", flush=True)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
