"""Print how fast Groundwire is here, and how well it answers questions of our own: `make bench`.

The questions are over a real article and over seeds/. Those that did not go as expected are listed below the table, to
be read: an answer in other words than expected may be right.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from index.news_index import NewsIndex
from rag.answer import Answer, Citation
from rag.bot import NewsBot
from tests.bench.measuring import CHECKOUT, command, median_and_worst, seconds, several
from tests.bench.scale import PASSAGES_AN_ARTICLE
from tests.bench.scale_corpus import stories

HERE = Path(__file__).resolve().parent
REAL_ARTICLE = CHECKOUT.parent / "shared" / "articles"
QUALITY = {
    "answered right": ">= 85 %",
    "near misses refused": ">= 60 %",
    "far questions refused": ">= 95 %",
    "quotes exact": "every one",
}


@dataclass(frozen=True, slots=True)
class Row:
    """Hold a line of the table."""

    what: str
    seen: str
    bar: str


def starts(seeds: Path, cache: Path | None) -> list[Row]:
    """Measure what begins in a new process, in the median of several."""
    prepared = {"GROUNDWIRE_CACHE": str(cache)} if cache else {}
    evaluate = command("-m", "eval", "--runs", str(seeds.parent / "runs"), **prepared)
    ask = command("-m", "ui.cli", "ask", "Who chaired the Paris summit?", "--index", str(seeds), **prepared)
    return [
        Row("import rag", median_and_worst(several(command("-c", "import rag"))), "< 0.3 s"),
        Row("groundwire --help", median_and_worst(several(command("-m", "ui.cli", "--help"))), "< 0.5 s"),
        Row("cold ask over seeds/", median_and_worst(several(ask)), "< 3 s"),
        Row("groundwire eval, the own suites", f"{seconds(evaluate):.0f} s", "< 60 s"),
    ]


def growth(folder: Path, sizes: Sequence[int], cache: Path | None) -> Iterator[Row]:
    """Measure the ingest of made-up articles into a new index of each size, and one more article after it."""
    for size in sizes:
        told = [story.row for story in islice(stories(seed=size), round(size / PASSAGES_AN_ARTICLE) + 1)]
        with NewsIndex.open(folder / str(size), create=True, cache=cache) as index:
            index.embedder.embed_queries(["The model loads before the clock runs."])
            taken = _ingest_s(index, folder / f"{size}.jsonl", told[1:])
            passages = index.stats()["passages"]
            rate = f"{taken:.1f} s, {passages / taken:.0f} a second"
            yield Row(f"ingest {passages:,} passages", rate, "linear: as many a second")
            more = _ingest_s(index, folder / f"{size}-more.jsonl", told[:1])
            yield Row(f"add one article to {passages:,} passages", f"{more:.2f} s", "< 2 s")


def _ingest_s(index: NewsIndex, path: Path, rows: Sequence[Mapping[str, str]]) -> float:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return seconds(lambda: index.ingest(path))


def questions_of(name: str) -> list[dict[str, Any]]:
    """Return the questions of a file beside this one."""
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


def quality(about: str, index: NewsIndex, questions: Sequence[Mapping[str, Any]]) -> tuple[list[Row], list[str]]:
    """Ask every question; return the rows of the table, and a line for each that did not go as expected."""
    bot = NewsBot.loaded(index)
    seen: dict[str, list[bool]] = {name: [] for name in QUALITY}
    to_read = []
    for question in questions:
        answer = bot.ask(question["question"])
        name = "answered right"
        if question["refuse"]:
            name = "far questions refused" if question["kind"] == "far" else "near misses refused"
        seen[name].append(as_expected(question, answer))
        seen["quotes exact"] += [is_exact(citation, index) for citation in answer.citations]
        if not seen[name][-1]:
            to_read.append(f"{about}, not {name}: {question['question']} -> {' '.join(answer.text.split())[:160]}")
    return [
        Row(f"{about}: {name}", f"{sum(values)} of {len(values)}", QUALITY[name]) for name, values in seen.items()
    ], to_read


def as_expected(question: Mapping[str, Any], answer: Answer) -> bool:
    """Tell whether an answer quotes all the words that are expected, or refuses what it has to."""
    if question["refuse"]:
        return answer.status == "refused"
    quotes = " ".join(citation.quote for citation in answer.citations)
    return all(words in quotes for words in question["expect"])


def is_exact(citation: Citation, index: NewsIndex) -> bool:
    """Tell whether the article has the quoted words at the place that is named."""
    article = index.article(citation.article_id, citation.revision)
    found = article.text[citation.start : citation.end] if 0 <= citation.start < citation.end else ""
    return found == citation.quote != "" and article.text_sha256 == citation.text_sha256


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=[1000, 5000], help="passages of the indexes that grow")
    parser.add_argument("--cache", type=Path, help="folder of the prepared model")
    given = parser.parse_args()
    corpora = {"real article": (REAL_ARTICLE, "real_article_questions.jsonl")}
    corpora["seeds/"] = (CHECKOUT / "seeds" / "articles.jsonl", "seeds_questions.jsonl")
    rows: list[Row] = []
    to_read: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for about, (articles, questions) in corpora.items():
            if not articles.exists():
                to_read.append(f"no {about} in {articles}: its questions are left out")
                continue
            with NewsIndex.open(folder / about, create=True, cache=given.cache) as index:
                index.ingest(articles)
                more, unexpected = quality(about, index, questions_of(questions))
            rows, to_read = [*rows, *more], [*to_read, *unexpected]
        rows = [*starts(folder / "seeds", given.cache), *growth(folder, given.sizes, given.cache), *rows]
    for row in rows:
        print(f"{row.what:42}{row.seen:>24}   {row.bar}")
    print("", *to_read, sep="\n")


if __name__ == "__main__":
    main()
