"""Measure the fast embedder beside SentenceTransformer.encode in float32 at its defaults, in one interleaved run.

    python tests/bench/embedding.py [--cache FOLDER] [--rounds N]

Texts: the paragraphs of SQuAD dev in ../shared, which take part in nothing that the embedder was made from; else seeds/.
"""

import argparse
import gzip
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import util
from pathlib import Path

import numpy as np

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

from index.embed import Embedder, SentenceTransformerEmbedder, Vectors, bundled_model_folder  # noqa: E402  # run as a file
from index.fast_embed import Engine, FastEmbedder, best_engine, prepare  # noqa: E402  # as above

SQUAD = CHECKOUT.parent / "shared/data/squad/dev-v2.0-18-articles.jsonl.gz"
TIMED_TEXTS = 128
COLD = """
import sys, time; start = time.perf_counter(); from pathlib import Path
from index.fast_embed import FastEmbedder
FastEmbedder(Path(sys.argv[1]), engine=sys.argv[2]).embed_queries(["Who pledged what?"])
print(time.perf_counter() - start)
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, help="folder of the prepared model (default: prepare in a temporary one)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds of the speed comparison")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        cache = options.cache or Path(scratch)
        start = time.perf_counter()
        prepare(cache)
        print(f"{platform.machine()}, {cpu_name()}; this CPU's engine: {best_engine()}")
        print(f"prepare: {time.perf_counter() - start:.1f} s")
        passages, queries = texts()
        report(cache, passages, queries, options.rounds)


def texts() -> tuple[list[str], list[str]]:
    """Return passages, and queries that they are searched with."""
    if SQUAD.is_file():
        with gzip.open(SQUAD, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        return [row["context"] for row in rows], [row["qas"][0]["question"] for row in rows]
    lines = (CHECKOUT / "seeds/articles.jsonl").read_text(encoding="utf-8").splitlines()
    articles = [json.loads(line) for line in lines]
    return [part for article in articles for part in article["text"].split("\n\n")], [a["title"] for a in articles]


def report(cache: Path, passages: list[str], queries: list[str], rounds: int) -> None:
    """Compare each engine that is installed with float32."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(bundled_model_folder()), device="cpu", local_files_only=True)
    exact = SentenceTransformerEmbedder()
    reference = exact.embed_passages(passages), exact.embed_queries(queries)
    engines: list[Engine] = ["onnxruntime", "openvino"]
    ours = {engine: FastEmbedder(cache, engine=engine) for engine in engines if util.find_spec(engine)}
    timed = passages[:: max(1, len(passages) // TIMED_TEXTS)][:TIMED_TEXTS]
    jobs: dict[str, Callable[[], object]] = {"float32": lambda: model.encode(timed)}
    jobs |= {engine: lambda it=embedder: it.embed_passages(timed) for engine, embedder in ours.items()}
    seconds = interleaved(jobs, rounds)
    print(
        f"\n{len(timed)} passages, {statistics.mean(exact.count_tokens(timed)):.0f} tokens on average, {rounds} rounds"
    )
    print(f"{'':12} passages/s   ratio (least-most)    cosine (worst)  top-10 overlap  same first  query ms  cold s")
    print(f"{'float32':12} {len(timed) / statistics.median(seconds['float32']):10.1f}")
    for engine, embedder in ours.items():
        ratios = [base / own for base, own in zip(seconds["float32"], seconds[engine], strict=True)]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        quality = closeness(embedder, passages, queries, reference)
        speed = f"{query_ms(embedder, queries[:50]):8.2f}  {cold_s(cache, engine):6.2f}"
        print(f"{engine:12} {len(timed) / statistics.median(seconds[engine]):10.1f}   {spread:19} {quality}  {speed}")


def interleaved(jobs: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each job in each round, after one round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for counted in [False, *[True] * rounds]:
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            if counted:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def closeness(embedder: Embedder, passages: list[str], queries: list[str], reference: tuple[Vectors, Vectors]) -> str:
    """Return cosine to float32, its worst, the mean overlap of the ten nearest, and how often the first is the same."""
    vectors, asked = embedder.embed_passages(passages), embedder.embed_queries(queries)
    cosines = (vectors * reference[0]).sum(axis=1)
    exact, own = nearest(reference[1], reference[0]), nearest(asked, vectors)
    overlap = statistics.mean(len({*a} & {*b}) / 10 for a, b in zip(exact.tolist(), own.tolist(), strict=True))
    first = float((exact[:, 0] == own[:, 0]).mean())
    return f"{cosines.mean():8.4f} ({cosines.min():.4f}) {overlap:13.1%} {first:11.1%}"


def nearest(queries: Vectors, passages: Vectors) -> np.ndarray:
    """Return the places of the ten nearest passages of each query."""
    return np.argsort(-(queries @ passages.T), axis=1, kind="stable")[:, :10]


def query_ms(embedder: Embedder, queries: Sequence[str]) -> float:
    """Return the median time of one query."""
    milliseconds = []
    for query in queries:
        start = time.perf_counter()
        embedder.embed_queries([query])
        milliseconds.append((time.perf_counter() - start) * 1000)
    return statistics.median(milliseconds)


def cold_s(cache: Path, engine: str) -> float:
    """Return the least of three times that a fresh process takes from its first line to its first vector."""
    command = [sys.executable, "-c", COLD, str(cache), engine]
    runs = [subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True) for _ in range(3)]
    return min(float(run.stdout) for run in runs)


def cpu_name() -> str:
    """Return what the system calls the processor."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
