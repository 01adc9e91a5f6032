"""Print how the index grows with its articles: `make bench-scale [SIZES="1000 10000 50000"] [EMBEDDER=stub]`.

Each size is made and used in processes of its own, so that the memory of one is not that of another. `int8` is the
bundled model; `stub` gives every text a random vector at once, so that what is left is the cost of the index alone.
Beside the time stands the work of the CPUs, which other programs on the machine change little.
The articles are made up: see scale_corpus.py. With `KEEP=FOLDER` the indexes stay there, and are used again.
"""

import argparse
import gc
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from index.embed import Embedder, Vectors
from index.fast_embed import FastEmbedder
from index.news_index import NewsIndex
from rag.bot import NewsBot
from tests.bench.measuring import now_mb, peak_mb, seconds
from tests.bench.scale_corpus import stories

PASSAGES_AN_ARTICLE = 4.1
QUERIES = 200
WARM = 20
SEED = 7
Figures = dict[str, float]
ROWS = (
    ("passages", "{:,.0f}", ""),
    ("articles", "{:,.0f}", ""),
    ("ingest, s", "{:.1f}", ""),
    ("ingest, passages/s", "{:.0f}", "linear: the same at each size"),
    ("ingest, ms of CPU a passage", "{:.2f}", "the same at each size"),
    ("open and first search, s", "{:.2f}", ""),
    ("warm search p50, ms", "{:.1f}", ""),
    ("warm search p95, ms", "{:.1f}", ""),
    ("warm search p50, ms of CPU", "{:.1f}", ""),
    ("warm search p95, ms of CPU", "{:.1f}", ""),
    ("warm ask p50, ms", "{:.1f}", ""),
    ("warm ask p95, ms", "{:.1f}", "< 120 at 50,000"),
    ("warm ask p50, ms of CPU", "{:.1f}", ""),
    ("warm ask p95, ms of CPU", "{:.1f}", ""),
    ("memory after asking, MB", "{:.0f}", "< 700 at 50,000"),
    ("peak memory of asking, MB", "{:.0f}", ""),
    ("peak memory of ingest, MB", "{:.0f}", ""),
    ("add one article, s", "{:.2f}", "< 2 at 50,000"),
    ("first search after it, s", "{:.2f}", ""),
    ("update one article, s", "{:.2f}", ""),
    ("delete one article, s", "{:.2f}", ""),
    ("folder, MB", "{:.0f}", ""),
    ("of it articles.db, MB", "{:.0f}", ""),
)


class StubEmbedder:
    """Give every text a random vector of length 1, the same one each time, and guess its tokens from its words."""

    model_id = "stub: random vectors"
    fingerprint = "0" * 64
    dimension = 384
    max_tokens = 256

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return a third more than the words, and two."""
        return [len(re.findall(r"\w+|[^\w\s]", text)) * 4 // 3 + 2 for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return shape ``(len(texts), 384)``, float32, rows of length 1."""
        rows = [
            np.random.default_rng(zlib.crc32(text.encode())).standard_normal(384, dtype=np.float32) for text in texts
        ]
        vectors = np.stack(rows) if rows else np.zeros((0, 384), dtype=np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)

    embed_queries = embed_passages


@dataclass(frozen=True, slots=True)
class Task:
    """Say what a process does: "ingest" or "use", how many articles, with which embedder, where."""

    what: str
    articles: int
    embedder: str
    folder: Path

    @property
    def index(self) -> Path:
        """Return the folder of the index."""
        return self.folder / "index"

    def arguments(self) -> list[str]:
        """Return the form that `Task.read` understands."""
        return ["--task", self.what, str(self.articles), self.embedder, str(self.folder)]

    @classmethod
    def read(cls, arguments: Sequence[str]) -> "Task":
        """Return the task that `arguments` of another process stand for."""
        what, articles, embedder, folder = arguments
        return cls(what, int(articles), embedder, Path(folder))


def embedder_named(name: str, cache: Path | None) -> Embedder:
    """Return the int8 model or the stub, ready to embed."""
    embedder: Embedder = StubEmbedder() if name == "stub" else FastEmbedder(cache)
    embedder.embed_queries(["warm"])
    return embedder


def ingest(task: Task, cache: Path | None) -> Figures:
    """Ingest the articles into a new index."""
    task.folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(task.index, ignore_errors=True)
    path = task.folder / "articles.jsonl"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(story.row) + "\n" for story in islice(stories(seed=SEED), task.articles))
    with NewsIndex.open(task.index, create=True, embedder=embedder_named(task.embedder, cache)) as index:
        cpu = time.process_time()
        taken = seconds(lambda: index.ingest(path))
        cpu = time.process_time() - cpu
        passages, held = index.stats()["passages"], len(index.articles())
    if held != task.articles:
        raise RuntimeError(f"{held} of {task.articles} articles were ingested")
    rate = {"ingest, s": taken, "ingest, passages/s": passages / taken}
    rate["ingest, ms of CPU a passage"] = 1000 * cpu / passages
    return {"passages": passages, "articles": held, **rate, "peak memory of ingest, MB": peak_mb()}


def use(task: Task, cache: Path | None) -> Figures:
    """Open an index that is there, search it, ask it, and change one article of it."""
    embedder = embedder_named(task.embedder, cache)
    asked = [story.question for story in islice(stories(seed=SEED), min(task.articles, QUERIES * 4))]
    random.Random(SEED).shuffle(asked)
    questions = list(islice(cycle(asked), QUERIES + WARM))  # of fewer articles, some are asked twice
    figures: Figures = {}
    start = time.perf_counter()
    with NewsIndex.open(task.index, embedder=embedder) as index:
        index.search(questions[0])
        figures["open and first search, s"] = time.perf_counter() - start
        bot = NewsBot(index)
        for name, call in (("search", index.search), ("ask", bot.ask)):
            walls, cpus = latencies(call, questions)
            figures |= percentiles(f"warm {name} {{}}, ms", walls)
            figures |= percentiles(f"warm {name} {{}}, ms of CPU", cpus)
        gc.collect()
        figures |= {"memory after asking, MB": now_mb(), "peak memory of asking, MB": peak_mb()}
        figures |= changes(index, task.folder)
    sizes = {path: path.stat().st_size / 1e6 for path in task.index.rglob("*") if path.is_file()}
    return figures | {"folder, MB": sum(sizes.values()), "of it articles.db, MB": sizes[task.index / "articles.db"]}


def latencies(call: Callable[[str], object], questions: Sequence[str]) -> tuple[list[float], list[float]]:
    """Return how long each question takes but the first few, in ms, and how much of it the CPUs worked for us.

    Where other programs want the CPUs too, the second number is the fairer one.
    """
    walls, cpus = [], []
    for question in questions:
        cpu = time.process_time()
        walls.append(1000 * seconds(lambda question=question: call(question)))  # type: ignore[misc]
        cpus.append(1000 * (time.process_time() - cpu))
    return walls[WARM:], cpus[WARM:]


def percentiles(name: str, times: Sequence[float]) -> Figures:
    """Return the median and the 95th percentile under a name with a place for which of them it is."""
    return {name.format("p50"): statistics.median(times), name.format("p95"): statistics.quantiles(times, n=20)[-1]}


def changes(index: NewsIndex, folder: Path) -> Figures:
    """Add an article, find it, correct it, and delete it, with what the index has to do each time."""
    path = folder / "one.jsonl"
    row = next(stories(seed=SEED + os.getpid())).row | {"id": "one-more"}

    def take(text: str) -> None:
        path.write_text(json.dumps(row | {"text": text}), encoding="utf-8")
        totals = index.ingest(path).totals
        if totals["ingested"] != 1:
            raise RuntimeError(f"the article was not ingested: {totals}")

    return {
        "add one article, s": seconds(lambda: take(row["text"])),
        "first search after it, s": seconds(lambda: index.search(row["title"])),
        "update one article, s": seconds(lambda: take(f"{row['text']} It was corrected.")),
        "delete one article, s": seconds(lambda: index.delete("one-more")),
    }


def run_apart(task: Task, cache: Path | None) -> Figures:
    """Do a task in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "tests.bench.scale",
        *task.arguments(),
        *(["--cache", str(cache)] if cache else []),
    ]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def measure(size: int, embedder: str, folder: Path, cache: Path | None) -> Figures:
    """Return the figures of one size; an index that is kept from an earlier run is only used."""
    articles = round(size / PASSAGES_AN_ARTICLE)
    kept = folder / f"{embedder}-{articles}"
    made = kept / "ingest.json"
    if not made.exists():
        figures = run_apart(Task("ingest", articles, embedder, kept), cache)
        made.write_text(json.dumps(figures), encoding="utf-8")
    kept_figures: Figures = json.loads(made.read_text(encoding="utf-8"))
    return kept_figures | run_apart(Task("use", articles, embedder, kept), cache)


def table(columns: Sequence[Figures]) -> str:
    """Return the figures as a table, a size a column, with the bars."""
    lines = [f"| what |{' | ' * len(columns)}bar |", f"|---|{'---|' * len(columns)}---|"]
    for name, form, bar in ROWS:
        cells = [form.format(column[name]) if name in column else "not measured" for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} | {bar} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, or do one task for the process that prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 50_000], help="passages, roughly")
    parser.add_argument("--embedder", choices=["int8", "stub"], default="int8")
    parser.add_argument("--keep", type=Path, help="folder that keeps the indexes for the next run")
    parser.add_argument("--cache", type=Path, help="folder of the prepared model")
    parser.add_argument("--task", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        task = Task.read(given.task)
        print(json.dumps((ingest if task.what == "ingest" else use)(task, given.cache)))
        return
    with tempfile.TemporaryDirectory(prefix="groundwire-scale-") as temporary:
        columns = [measure(n, given.embedder, given.keep or Path(temporary), given.cache) for n in given.sizes]
    about = "random vectors instead of a model's: the index alone" if given.embedder == "stub" else "the model in int8"
    print(f"{about}; {os.cpu_count()} cores; {QUERIES} questions\n\n{table(columns)}")


if __name__ == "__main__":
    main()
