"""Print how the int8 embedder compares with sentence-transformers in float32: `make bench-embed DATA=FOLDER`.

`FOLDER` holds SQuAD 2.0's development set, or a folder `squad` that does. Both embed the same texts in turns, round
after round, so that what else the machine does slows both; the ratio counts.
"""

import argparse
import os
import platform
import random
import resource
import statistics
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eval.benchmarks.data_files import MissingDataError
from eval.benchmarks.squad import development_file
from eval.fit.precision import Paragraphs, likeness, read_squad
from index.embed import Embedder, Vectors, bundled_model_folder
from index.fast_embed import FastEmbedder
from index.news_index import NewsIndex
from tests.bench.measuring import CHECKOUT, command, median_and_worst, seconds, several

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SEEDS = CHECKOUT / "seeds" / "articles.jsonl"
ROUNDS = 5
PASSAGES = 96
QUERIES = 60


@dataclass(frozen=True, slots=True)
class Row:
    """Hold a line of the table."""

    what: str
    seen: str
    bar: str
    kept: bool | None


def speed(data: Paragraphs, ours: Embedder, theirs: "SentenceTransformer") -> list[Row]:
    """Measure passages a second and the time of one query, in turns."""
    texts = random.Random(1).sample(data.texts, min(PASSAGES, len(data.texts)))
    words = statistics.mean(len(text.split()) for text in texts)
    ours.embed_passages(texts), theirs.encode(texts[:8])  # the first call of each compiles
    rounds = [
        (seconds(lambda: theirs.encode(texts)), seconds(lambda: ours.embed_passages(texts))) for _ in range(ROUNDS)
    ]
    ratio = statistics.median(slow / fast for slow, fast in rounds)
    rates = [len(texts) / statistics.median(times) for times in zip(*rounds, strict=True)]
    queries = [
        (seconds(lambda q=q: theirs.encode([q])), seconds(lambda q=q: ours.embed_queries([q])))  # type: ignore[misc]
        for q in data.questions[:QUERIES]
    ]
    latencies = [1000 * statistics.median(times) for times in zip(*queries, strict=True)]
    spread = f"{min(a / b for a, b in rounds):.1f} to {max(a / b for a, b in rounds):.1f}"
    return [
        Row(f"passages/s, {words:.0f} words each", f"{rates[1]:.0f}, float32 {rates[0]:.0f}", "", None),
        Row(f"ratio, median of {ROUNDS} rounds", f"{ratio:.1f} ({spread})", ">= 4", ratio >= 4),
        Row("one query, median", f"{latencies[1]:.1f} ms, float32 {latencies[0]:.1f} ms", "", None),
    ]


def quality(data: Paragraphs, ours: Embedder, theirs: "SentenceTransformer") -> list[Row]:
    """Measure how near the rankings come to those of float32."""
    reference: tuple[Vectors, Vectors] = (
        np.asarray(theirs.encode(data.texts, normalize_embeddings=True)),
        np.asarray(theirs.encode(data.questions, normalize_embeddings=True)),
    )
    seen = likeness(data, (ours.embed_passages(data.texts), ours.embed_queries(data.questions)), reference)
    points = 100 * (seen.ndcg - seen.reference_ndcg)
    of = f"{len(data.texts)} paragraphs, {len(data.questions)} questions"
    return [
        Row("cosine to float32", f"{seen.cosine:.4f}", "", None),
        Row(f"top-10 overlap, {of}", f"{100 * seen.overlap:.1f} %", ">= 93 %", seen.overlap >= 0.93),
        Row("same first paragraph", f"{100 * seen.same_first:.1f} %", "", None),
        Row(
            "nDCG@10",
            f"{100 * seen.ndcg:.2f}, float32 {100 * seen.reference_ndcg:.2f}",
            "within 0.5",
            abs(points) <= 0.5,
        ),
    ]


def cold(folder: Path) -> list[Row]:
    """Measure the preparing, and a question in a new process."""
    cache, index = folder / "cache", folder / "index"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    preparing = seconds(command("-m", "ui.cli", "prepare", GROUNDWIRE_CACHE=str(cache)))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with NewsIndex.open(index, create=True, cache=cache) as opened:
        opened.ingest(SEEDS)
    asked = ("-m", "ui.cli", "ask", "Who chaired the Paris summit?", "--index", str(index))
    times = several(command(*asked, GROUNDWIRE_CACHE=str(cache)))
    return [
        Row("preparing, once", f"{preparing:.0f} s ({used:.0f} s of CPU)", "<= 90 s", preparing <= 90),
        Row(
            f"cold ask over seeds/, median of {len(times)} runs",
            median_and_worst(times),
            "< 3 s",
            statistics.median(times) < 3,
        ),
    ]


def data_of(folder: Path) -> Paragraphs:
    """Return SQuAD's paragraphs and 1,000 questions; raise `MissingDataError` where the folder holds no SQuAD."""
    return read_squad(development_file(folder), questions=1000)


def _sample_data() -> Paragraphs:
    """Return the sample articles and one question, enough to measure speed by."""
    texts = [line for line in SEEDS.read_text(encoding="utf-8").splitlines() if line]
    return Paragraphs(texts, ["Who chaired the Paris summit?"] * QUERIES, np.zeros(QUERIES, dtype=np.int64))


def compared(folder: Path, ours: Embedder, theirs: "SentenceTransformer") -> list[Row]:
    """Measure speed and quality on SQuAD; where the folder holds none, say so, and measure speed on seeds/ alone."""
    try:
        data = data_of(folder)
    except MissingDataError as error:
        print(f"{error}\nWithout it, the rows of quality are left out, and the speed is that on seeds/.")
        return speed(_sample_data(), ours, theirs)
    return [*speed(data, ours, theirs), *quality(data, ours, theirs)]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Print the embedder beside sentence-transformers.")
    parser.add_argument("--data", type=Path, default=CHECKOUT.parent / "shared" / "data", help="a folder with SQuAD")
    return parser.parse_args()


def main() -> None:
    """Print the table."""
    data: Path = arguments().data
    from sentence_transformers import SentenceTransformer

    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("sentence-transformers", "torch", "openvino"))
    with tempfile.TemporaryDirectory() as folder:
        rows = cold(Path(folder))
        ours = FastEmbedder(Path(folder) / "cache")
        theirs = SentenceTransformer(str(bundled_model_folder()), device="cpu")
        print(f"{versions}; {platform.machine()}, {os.cpu_count()} cores; ours computes in {ours.arithmetic}")
        rows = [*compared(data, ours, theirs), *rows]
    for row in rows:
        verdict = "" if row.kept is None else "kept" if row.kept else "MISSED"
        print(f"{row.what:52} {row.seen:32} {row.bar:10} {verdict}")


if __name__ == "__main__":
    main()
