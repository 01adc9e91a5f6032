"""Print how fast Groundwire is here, and how well it answers about one real article: `make bench`."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from index.news_index import NewsIndex
from rag.bot import NewsBot

CHECKOUT = Path(__file__).resolve().parent.parent.parent
REAL_ARTICLE = CHECKOUT.parent / "shared" / "articles"


def seconds(work: Callable[[], object]) -> float:
    """Return how long some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def command(*arguments: str) -> Callable[[], object]:
    """Return the running of a command of this Python."""

    def run() -> None:
        done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
        if "Traceback" in done.stderr:  # a command that fails is fast, and no measure of anything
            raise RuntimeError(done.stderr)

    return run


def best_of_three(work: Callable[[], object]) -> float:
    """Return the shortest of three runs: the one that other processes disturbed least."""
    return min(seconds(work) for _ in range(3))


def speed(folder: Path) -> list[tuple[str, float, str]]:
    """Measure the starts, and the growth of ingest, with the bar of each."""
    seeds = folder / "seeds"
    with NewsIndex.open(seeds, create=True) as index:
        index.ingest(CHECKOUT / "seeds")
    rows = [
        ("import rag", best_of_three(command("-c", "import rag")), "< 0.3"),
        ("groundwire --help", best_of_three(command("-m", "ui.cli", "--help")), "< 0.5"),
        (
            "cold ask over seeds/",
            best_of_three(command("-m", "ui.cli", "ask", "Who chaired the Paris summit?", "--index", str(seeds))),
            "< 3",
        ),
    ]
    with NewsIndex.open(folder / "many", create=True) as index:
        for count in (200, 1000):
            path = folder / f"{count}.jsonl"
            rows_of = ({"id": f"{count}-{n}", "text": f"Item {n}. The council of town {n} met."} for n in range(count))
            path.write_text("".join(json.dumps(row) + "\n" for row in rows_of), encoding="utf-8")
            rows.append((f"ingest {count} passages", seconds(lambda path=path: index.ingest(path)), "linear"))  # type: ignore[misc]
        one = folder / "one.txt"
        one.write_text("One more article arrived.", encoding="utf-8")
        rows.append(("add one article to 1,200 passages", seconds(lambda: index.ingest(one)), "< 2 at 5,000"))
    return rows


def quality(folder: Path) -> None:
    """Print how many questions about the real article are answered with the expected words, and how many refused."""
    if not REAL_ARTICLE.is_dir():
        print(f"no real article in {REAL_ARTICLE}: its questions are left out")
        return
    questions = [
        json.loads(line)
        for line in (Path(__file__).parent / "real_article_questions.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    right: dict[str, list[bool]] = {"answered right": [], "near misses refused": [], "far questions refused": []}
    with NewsIndex.open(folder / "real", create=True) as index:
        index.ingest(REAL_ARTICLE)
        for question in questions:
            answer = NewsBot(index).ask(question["question"])
            quotes = " ".join(citation.quote for citation in answer.citations)
            if not question["refuse"]:
                right["answered right"].append(all(words in quotes for words in question["expect"]))
            elif question["kind"] == "far":
                right["far questions refused"].append(answer.status == "refused")
            else:
                right["near misses refused"].append(answer.status == "refused")
    for name, values in right.items():
        print(f"{name:36}{sum(values):>4} of {len(values)}")


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder:
        for name, taken, bar in speed(Path(folder)):
            print(f"{name:36}{taken:>8.2f} s   {bar}")
        quality(Path(folder))


if __name__ == "__main__":
    main()
