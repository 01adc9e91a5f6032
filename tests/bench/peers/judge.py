"""Tell whether what was found is right. Every system is judged by this one rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.metrics import answer_found
from tests.bench.peers.job import Found

__all__ = ["MEASURES", "Question", "Verdict", "judge", "scores"]

MEASURES = ("recall@1", "recall@5", "recall@10", "MRR@10", "hit@1", "hit@5", "hit@10")


@dataclass(frozen=True, slots=True)
class Question:
    """Hold a question, the articles that answer it, and the answers that it accepts."""

    text: str
    articles: frozenset[str]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold the ranks from 1 of the first chunk of a right article, and of the first that holds an answer too.

    0 stands for none.
    """

    article: int
    answer: int


def judge(found: Sequence[Found], question: Question, article_of: Mapping[str, str]) -> Verdict:
    """Rank the first chunk of a right article, and the first of one that holds an accepted answer.

    `article_of` leads from the id of a document to that of its article.

    >>> chunks = [Found("a", "It lies in Spain."), Found("b-0", "The Norse came."), Found("b-1", "Then to France.")]
    >>> asked = Question("Where?", frozenset({"b"}), ("France",))
    >>> judge(chunks, asked, {"a": "a", "b-0": "b", "b-1": "b"})
    Verdict(article=2, answer=3)
    """
    right = [rank for rank, chunk in enumerate(found, 1) if article_of[chunk.document] in question.articles]
    holding = [rank for rank in right if answer_found(found[rank - 1].text, question.answers)]
    return Verdict(min(right, default=0), min(holding, default=0))


def scores(verdicts: Sequence[Verdict]) -> dict[str, list[float]]:
    """Return each of `MEASURES` for every question, in order.

    recall@k: a chunk of a right article is among the first k (one article answers a question, so that recall and
    success are one); MRR@10: one over the rank of the first such chunk; hit@k: one of the first k holds an answer too.

    >>> scores([Verdict(2, 3)])["MRR@10"], scores([Verdict(2, 3)])["hit@1"], scores([Verdict(2, 3)])["hit@5"]
    ([0.5], [0.0], [1.0])
    """
    figures = {f"recall@{k}": [float(0 < v.article <= k) for v in verdicts] for k in (1, 5, 10)}
    figures["MRR@10"] = [1 / v.article if 0 < v.article <= 10 else 0.0 for v in verdicts]
    return figures | {f"hit@{k}": [float(0 < v.answer <= k) for v in verdicts] for k in (1, 5, 10)}
