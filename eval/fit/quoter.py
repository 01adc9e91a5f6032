"""Fit the score below which the `Quoter` refuses: ``python -m eval.fit.quoter [--write]``.

Reads the development cases over seeds/ alone: answerable ones, near misses that change one fact, and far ones. Prints
for each threshold both error rates (answerable questions refused, unanswerable ones answered) and what the answers
are worth.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eval.cases import Case, EvidenceSpan, load_cases
from eval.metrics import evidence_recall, share_precise
from index.news_index import NewsIndex
from rag.bot import NewsBot
from rag.quoter import Quoter, QuoterModel

CHECKOUT = Path(__file__).resolve().parent.parent.parent
MODEL_FILE = CHECKOUT / "rag" / "quoter.json"
THRESHOLDS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97)
COLUMNS = ("answerable refused", "near answered", "far answered", "precision", "all needs", "some need")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold what was done with a case: shares of its citations that meet a need, and of its needs that are met."""

    case: Case
    refused: bool
    precision: float
    recall: float


def outcome(case: Case, bot: NewsBot) -> Outcome:
    """Answer a case and compare what is cited with its evidence."""
    answer = bot.ask(case.question, history=case.history, **case.filters)
    cited = [EvidenceSpan(c.article_id, c.revision, c.start, c.end) for c in answer.citations]
    precision = share_precise([[span] for span in cited], case.evidence) if cited else 0.0
    return Outcome(case, not cited, precision, evidence_recall(cited, case.evidence) if case.evidence else 0.0)


def summary(results: Sequence[Outcome]) -> tuple[float, ...]:
    """Return the figures of `COLUMNS`."""
    answerable = [result for result in results if not result.case.refuse]
    near = [result for result in results if result.case.kind in ("near-miss", "false-premise")]
    far = [result for result in results if result.case.kind == "far"]
    return (
        float(np.mean([result.refused for result in answerable])),
        float(np.mean([not result.refused for result in near])),
        float(np.mean([not result.refused for result in far])),
        float(np.mean([result.precision for result in answerable if not result.refused] or [0])),
        float(np.mean([result.recall == 1 for result in answerable])),
        float(np.mean([result.recall > 0 for result in answerable])),
    )


def main() -> None:
    """Print the table of tries; with ``--write`` save the threshold with the smallest sum of both error rates."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--write", action="store_true", help=f"save the threshold to {MODEL_FILE.name}")
    write = parser.parse_args().write
    shipped = QuoterModel.load()
    errors = {}
    with tempfile.TemporaryDirectory() as folder, NewsIndex.open(folder, create=True) as index:
        index.ingest(CHECKOUT / "seeds" / "articles.jsonl")
        held = [index.article(a.id, r) for a in index.articles() for r in range(1, a.revision + 1)]
        cases = load_cases(CHECKOUT / "eval" / "cases" / "dev.jsonl", {(a.id, a.revision): a for a in held})
        print(f"{len(cases)} development cases\n\nthreshold" + "".join(f"{name:>20}" for name in COLUMNS))
        for threshold in THRESHOLDS:
            bot = NewsBot(index, writer=Quoter(replace(shipped, threshold=threshold)))
            row = summary([outcome(case, bot) for case in cases])
            errors[threshold] = 2 * row[0] + row[1] + row[2]  # refusing what is there weighs as much as both others
            print(f"{threshold:>9}" + "".join(f"{figure:>20.3f}" for figure in row))
    best = min(errors, key=lambda threshold: (errors[threshold], threshold))
    print(f"\nchosen: {best}")
    if write:
        shape = json.loads(MODEL_FILE.read_text(encoding="utf-8")) | {"threshold": best}
        MODEL_FILE.write_text(json.dumps(shape, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
