"""From a question to the passages that may answer it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from index.duplicates import is_near_copy
from index.news_index import Hit, NewsIndex
from rag.question import Question

__all__ = ["Evidence", "retrieve"]

_WIDER, _WIDER_FOR_A_TOLL = {"list": 3, "table": 3}, 2
"""A list or a table needs more than the best few passages, and the newest toll may stand in a passage that is no more
like the question than those of the days before. Chosen by hand: too few cases ask for one to fit it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Hold what a writer may use: the hits, best first; near-copies of them in other articles; their index.

    A copy has the rank of the hit that it is a copy of.
    """

    hits: tuple[Hit, ...]
    copies: tuple[Hit, ...]
    index: NewsIndex


def retrieve(index: NewsIndex, question: Question, *, k: int) -> Evidence:
    """Return `k` hits, or fewer, and the near-copies of them that other articles print.

    A list or a table gets three times `k`, a count of the dead, the injured or the arrested twice, and a question that
    asks for both the larger. Each part of a question gets its own search; their hits are interleaved.
    """
    wanted = k * max(_WIDER.get(question.kind, 1), _WIDER_FOR_A_TOLL if question.toll else 1)
    queries = [question.text] if len(question.parts) == 1 else [question.text, *(part.text for part in question.parts)]
    rounds = [index.find(query, k=min(1000, 2 * wanted), filters=question.filters) for query in queries]
    hits: list[Hit] = []
    copies: list[Hit] = []
    for hit in _interleaved(rounds):
        original = next((other for other in hits if is_near_copy(hit.passage.text, other.passage.text)), None)
        if original is not None and original.article.id != hit.article.id:
            copies.append(replace(hit, rank=original.rank))
        elif len(hits) < wanted:
            hits.append(replace(hit, rank=len(hits) + 1))
    return Evidence(hits=tuple(hits), copies=tuple(copies), index=index)


def _interleaved(rounds: Sequence[Sequence[Hit]]) -> list[Hit]:
    seen: dict[str, Hit] = {}
    for rank in range(max((len(hits) for hits in rounds), default=0)):
        for hits in rounds:
            if rank < len(hits):
                seen.setdefault(hits[rank].passage.id, hits[rank])
    return list(seen.values())
