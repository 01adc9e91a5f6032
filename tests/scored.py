"""What the tests of evaluation share: cases over KYIV and PARIS, replies to them, and a system that replies so."""

from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from eval.cases import Case
from eval.run import MissingAnswerError, Setup
from eval.suites import Suite, UnusedEmbedder
from tests.fakes import KYIV, PARIS, write_articles
from ui.cli import main

QUOTE = "At least 19 people were killed in Kyiv on Thursday."
CASES: list[dict[str, Any]] = [
    {"id": "toll", "question": "How many died?", "answers": ["19"], "evidence": [[{"quote": QUOTE}]]},
    {"id": "both", "question": "Toll, and who acts?", "kind": "list",
     "evidence": [[{"quote": QUOTE}], [{"quote": "We act."}]]},
    {"id": "near", "question": "How many died in Lviv?", "refuse": True},
    {"id": "far", "question": "Who won the cup?", "refuse": True, "kind": "far"},
]  # fmt: skip
TOLL = {"text": "19 people.[1]", "citations": [{"article_id": "kyiv", "quote": QUOTE}]}
REFUSAL = {"text": "The articles do not say.", "status": "refused"}

Replies = Mapping[str, Mapping[str, Any] | Exception]
Scored = Callable[..., dict[str, Any]]  # what the fixture `scored` is: replies by case in, a run out


def status_of_eval(*arguments: str) -> int:
    """Return the exit status of `groundwire eval` with these arguments."""
    with pytest.raises(SystemExit) as stop:
        main(["eval", *arguments])
    return int(stop.value.code or 0)


def suite(folder: Path, *cases: Mapping[str, Any]) -> Suite:
    """Write cases, by default CASES, and the articles that they are asked of."""
    write_articles(folder / "cases.jsonl", *(cases or CASES))
    return Suite("mine", folder / "cases.jsonl", (write_articles(folder / "articles.jsonl", KYIV, PARIS),))


def saying(replies: Replies) -> Setup:
    """Return a system that has its replies by case; it raises those that are errors."""

    def system(case: Case) -> Mapping[str, Any]:
        reply = replies.get(case.id, MissingAnswerError("none"))
        if isinstance(reply, Exception):
            raise reply
        return reply

    ticks = count()
    return Setup(
        system=lambda index: system, describe=lambda index: {"system": "fake"}, embedder=UnusedEmbedder(),
        clock=lambda: float(next(ticks)),
    )  # fmt: skip
