"""Evaluation cases: questions with what a good answer says and the exact words that it must rest on.

A case is one JSON object a line. `evidence` is a list of needs; each need lists the alternative spans that meet it, and
every span is checked against the text when the cases are loaded: a case that points at other words is an error.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.article import Article
from index.errors import InputError
from rag.question import Turn

__all__ = ["Case", "EvidenceSpan", "load_cases"]

KINDS = frozenset(
    "fact list table count compare temporal as-of conflict attribution quote follow-up "
    "false-premise near-miss far".split()
)


@dataclass(frozen=True, slots=True)
class EvidenceSpan:
    """Mark words of one revision of an article that meet a need."""

    article_id: str
    revision: int
    start: int
    end: int

    def overlaps(self, other: "EvidenceSpan") -> bool:
        """Tell whether two spans share a character of the same article and revision."""
        same = (self.article_id, self.revision) == (other.article_id, other.revision)
        return same and self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Hold a question, its conversation and filters, and what is right: an answer with its evidence, or a refusal."""

    id: str
    split: str
    question: str
    kind: str
    history: tuple[Turn, ...]
    filters: Mapping[str, Any]
    answers: tuple[str, ...]
    evidence: tuple[tuple[EvidenceSpan, ...], ...]
    refuse: bool


def load_cases(path: Path, articles: Mapping[tuple[str, int], Article]) -> list[Case]:
    """Read cases and check their spans against the articles by (id, revision); raise `InputError` naming the line."""
    cases = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            where = f"{path.name}:{number}"
            try:
                cases.append(_case(json.loads(line), where, articles))
            except (KeyError, TypeError, json.JSONDecodeError) as error:
                raise InputError(f"{where}: not a case ({error!r}); eval/cases.py has its fields") from error
    return cases


def _case(data: Mapping[str, Any], where: str, articles: Mapping[tuple[str, int], Article]) -> Case:
    if data["kind"] not in KINDS:
        raise InputError(f"{where}: `kind` is {data['kind']!r}; use one of {', '.join(sorted(KINDS))}")
    evidence = tuple(tuple(_span(span, where, articles) for span in need) for need in data["evidence"])
    if bool(data["refuse"]) == bool(evidence):
        raise InputError(f"{where}: a case has evidence or is to be refused, not both; set `refuse` or add evidence")
    return Case(
        id=data["id"], split=data["split"], question=data["question"], kind=data["kind"],
        history=tuple(Turn.of(turn) for turn in data.get("history") or ()),
        filters={name: data[name] for name in ("since", "until", "as_of", "sources") if data.get(name)},
        answers=tuple(data["answers"]), evidence=evidence, refuse=bool(data["refuse"]),
    )  # fmt: skip


def _span(data: Mapping[str, Any], where: str, articles: Mapping[tuple[str, int], Article]) -> EvidenceSpan:
    span = EvidenceSpan(data["article_id"], data.get("revision", 1), data["start"], data["end"])
    article = articles.get((span.article_id, span.revision))
    if article is None:
        raise InputError(f"{where}: no article {span.article_id!r}, revision {span.revision}; correct the case")
    words = article.text[span.start : span.end]
    if words != data["quote"]:
        raise InputError(f"{where}: {span.article_id}[{span.start}:{span.end}] reads {words!r}, not {data['quote']!r}")
    return span
