"""Print LlamaIndex, Haystack and txtai beside Groundwire: `make bench-peers`.

All get the same articles, questions, model and k. Each system runs in a process of its own, one at a time, in turns
(A B C D, A B C D, ...), so that what else the machine does slows all of them. First each cuts the articles as it does
by default; then all get our passages, with their own splitters off.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eval.benchmarks.data_files import MissingDataError
from index.embed import Embedder, bundled_model_folder
from index.fast_embed import FastEmbedder
from index.passage import Chunking
from tests.bench.peers.corpus import CHECKOUT, Chunks, Corpus, chunked, sample_articles, sampled, squad_paragraphs
from tests.bench.peers.job import Document, Found, Job, Outcome, read_outcome, write_json
from tests.bench.peers.judge import judge, scores
from tests.bench.peers.table import OURS, Entry, better_than_ours, cost_table, ingest_bar, quality_table

K = 10
FEWEST_FOR_THE_BAR = 500  # below, what every ingest does once weighs more than what it does for each article
QUIET = {
    "HAYSTACK_TELEMETRY_ENABLED": "False",  # docs.haystack.deepset.ai/docs/telemetry
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}
"""What keeps the peers from telling anyone of their use; LlamaIndex and txtai report nothing themselves."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """Hold a system's name in the table, its worker, and the variant of it."""

    name: str
    worker: str
    variant: str


CONTESTANTS = (
    Contestant(OURS, "groundwire", ""),
    Contestant("LlamaIndex", "llamaindex", ""),
    Contestant("Haystack", "haystack", ""),
    Contestant("txtai", "txtai", ""),
    Contestant("txtai, hybrid", "txtai", "hybrid"),
)
MEANING_ALONE = Contestant(f"{OURS}, meaning alone", "groundwire", "meaning")


@dataclass(frozen=True, slots=True)
class Bench:
    """Hold what all runs share. `peers` is the Python of the peers' environment."""

    peers: Path
    cache: Path | None
    rounds: int
    corpus: Corpus
    chunks: Chunks


def work(bench: Bench, contestant: Contestant, *, cut: bool) -> Outcome:
    """Run a worker on its documents and return what it measured; raise `RuntimeError` with its words if it fails."""
    mine = contestant.worker == "groundwire"
    documents = bench.corpus.articles if cut or mine else bench.chunks.documents
    with tempfile.TemporaryDirectory() as folder:
        job, outcome = Path(folder) / "job.json", Path(folder) / "outcome.json"
        write_json(_job(bench, contestant, documents, cut=cut or mine, folder=folder), job)
        python = Path(sys.executable) if mine else bench.peers
        done = subprocess.run(
            [python, "-m", f"tests.bench.peers.{contestant.worker}_worker", job, outcome],
            cwd=CHECKOUT, env=os.environ if mine else {**os.environ, **QUIET, "HOME": folder},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{contestant.name}: the worker ended with {done.returncode}\n{done.stderr[-3000:]}")
        return read_outcome(outcome)


def _job(bench: Bench, contestant: Contestant, documents: tuple[Document, ...], *, cut: bool, folder: str) -> Job:
    return Job(
        model=str(bundled_model_folder()), documents=documents, k=K, cut=cut, variant=contestant.variant, folder=folder,
        questions=tuple(question.text for question in bench.corpus.questions),
        cache=str(bench.cache) if bench.cache else None,
    )  # fmt: skip


def run(bench: Bench, contestants: Sequence[Contestant], *, cut: bool) -> list[Entry]:
    """Let all take turns, and judge what they found in the first round."""
    outcomes: dict[str, list[Outcome]] = {contestant.name: [] for contestant in contestants}
    for number in range(1, bench.rounds + 1):
        for contestant in contestants:
            print(f"  round {number}: {contestant.name}", file=sys.stderr, flush=True)
            outcomes[contestant.name].append(work(bench, contestant, cut=cut))
    return [Entry(name, tuple(rounds), judged(bench, rounds[0].found)) for name, rounds in outcomes.items()]


def judged(bench: Bench, found: Sequence[Sequence[Found]]) -> Mapping[str, Sequence[float]]:
    """Score what a system found. A chunk of ours is judged by its own words, without the title line above them."""
    words = bench.chunks.words
    article_of = {article.id: article.id for article in bench.corpus.articles} | dict(bench.chunks.article_of)
    verdicts = [
        judge([replace(chunk, text=words.get(chunk.document, chunk.text)) for chunk in chunks], question, article_of)
        for question, chunks in zip(bench.corpus.questions, found, strict=True)
    ]
    return scores(verdicts)


def load(data: Path, *, small: bool, embedder: Embedder) -> Corpus:
    """Return SQuAD, else the sample articles, saying so."""
    try:
        corpus = squad_paragraphs(data, distractors=not small)
    except MissingDataError as error:
        print(f"{error}\nWithout it, the sample articles take its place.\n")
        corpus = sample_articles(embedder)
    questions = sampled(corpus.questions, 100 if small else 500, seed=0)
    return replace(corpus, questions=questions)


def show(title: str, entries: Sequence[Entry], *, bar: bool) -> None:
    """Print the tables of one way of cutting."""
    print(f"\n## {title}\n")
    for entry in entries:
        print(f"- {entry.name}: {entry.rounds[0].settings}")
    print("", *cost_table(entries), "", *quality_table(entries), "", sep="\n")
    if bar:
        print(*(f"- {line}" for line in ingest_bar(entries)), "", sep="\n")
    print(
        "Better than ours:", *(f"- {line}" for line in better_than_ours(entries) or ["nothing measured here"]), sep="\n"
    )


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Print the peers beside Groundwire.")
    parser.add_argument("--peers", type=Path, required=True, help="the Python of the peers' environment")
    parser.add_argument("--data", type=Path, default=CHECKOUT.parent / "shared" / "data", help="a folder with SQuAD")
    parser.add_argument("--rounds", type=int, help="how many turns each takes (default: 3, of the small run 1)")
    parser.add_argument("--small", action="store_true", help="600 articles and 100 questions")
    parser.add_argument("--equal", action="store_true", help="equal chunks alone, which the bar of ingest is about")
    return parser.parse_args()


def main() -> None:
    """Run everything and print the tables."""
    given = arguments()
    cache = os.environ.get("GROUNDWIRE_CACHE")
    embedder = FastEmbedder(Path(cache) if cache else None)
    corpus = load(given.data, small=given.small, embedder=embedder)
    bench = Bench(
        given.peers, Path(cache) if cache else None, given.rounds or (1 if given.small else 3), corpus,
        chunked(corpus.articles, embedder, Chunking()),
    )  # fmt: skip
    print(f"{corpus.about}. {len(corpus.articles):,} articles, {len(corpus.questions)} questions, k = {K}.")
    print(f"{platform.machine()}, {os.cpu_count()} cores; {bench.rounds} rounds: median (least–most), then times ours.")
    defaults = [] if given.equal else run(bench, CONTESTANTS, cut=True)
    equal = run(bench, (*CONTESTANTS, MEANING_ALONE), cut=False)
    print("", *(f"- {e.name}: {_versions(e.rounds[0].versions)}" for e in defaults or equal), sep="\n")
    if defaults:
        show("Each as it cuts by default", defaults, bar=False)
    show("Equal chunks: our passages for all", equal, bar=len(corpus.articles) >= FEWEST_FOR_THE_BAR)


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


if __name__ == "__main__":
    main()
