"""Score one answer against its case. Pure: the same answer gets the same score.

A case has only the metrics that apply to it: those of refusals where it is to be refused, those of the evidence where
it is to be answered. A case without an answer, because the system crashed or left it out, gets 0 for each of them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from eval.answers import GivenAnswer
from eval.cases import Case, EvidenceSpan
from eval.metrics import (
    alce_precision,
    alce_recall,
    answer_found,
    evidence_recall,
    exact_match,
    f1,
    hit_at_k,
    ndcg_at_k,
    nugget_recall,
    quote_fidelity,
    reciprocal_rank,
    refusal_precision,
    refusal_recall,
    share_precise,
    span_precision,
    span_recall,
    table_precision,
    table_recall,
    token_f1,
    words_support,
)
from rag.cite import MARK

__all__ = ["METRICS", "RETRIEVAL", "Score", "score", "score_of_nothing"]

METRICS: Mapping[str, str] = MappingProxyType(
    {
        "score": "citation precision and evidence recall (harmonic mean), or the refusal: one number a case",
        "quote_fidelity": "quotes that stand in the article, character for character",
        "citation_precision": "citations that overlap the evidence, where an answer was due and given",
        "evidence_recall": "needs whose evidence is cited",
        "evidence_complete": "answerable questions with the evidence of every need cited",
        "answered": "answerable questions that were answered",
        "refused": "unanswerable questions that were refused",
        "refused_near": "near misses that were refused",
        "refused_far": "far questions that were refused",
        "refused_false_premise": "questions with a false premise that were refused",
        "refusal_precision": "refusals that were right",
        "sentence_recall": "sentences whose citations bear them out (ALCE), judged by their words",
        "sentence_precision": "citations that their sentence needs (ALCE), judged by their words",
        "span_precision": "marked characters that are evidence",
        "span_recall": "evidence characters that are marked",
        "answer_found": "answerable questions whose answer contains an accepted one",
        "nugget_recall": "facts that the answer states, of the accepted answer that fits best",
        "exact_match": "answers that are an accepted one (SQuAD)",
        "token_f1": "words shared with the accepted answer (SQuAD)",
        "recall@1": "needs whose evidence is in the first hit",
        "recall@5": "needs whose evidence is in the first 5 hits",
        "recall@8": "needs whose evidence is in the first 8 hits",
        "hit@1": "questions with evidence in the first hit",
        "hit@5": "questions with evidence in the first 5 hits",
        "mrr": "1 / rank of the first hit with evidence",
        "ndcg@10": "order of the hits",
        "table_precision": "table cells that are right",
        "table_recall": "table cells of the right table that are there",
    }
)  # fmt: skip
_ANSWERABLE = tuple(
    "score citation_precision evidence_recall evidence_complete answered sentence_recall sentence_precision "
    "span_precision span_recall".split()
)
_WORDED = ("answer_found", "nugget_recall", "exact_match", "token_f1")
RETRIEVAL = ("recall@1", "recall@5", "recall@8", "hit@1", "hit@5", "mrr", "ndcg@10")
_REFUSED_OF_KIND = {"near-miss": "refused_near", "far": "refused_far", "false-premise": "refused_false_premise"}


@dataclass(frozen=True, slots=True)
class Score:
    """Hold what an answer is worth: a verdict, and the metrics that apply.

    `verdict` is "right", "imprecise" (every need is met, and more is cited than meets one), "partial" (some needs are
    met), "wrong", "refused" (wrongly), "answered" (wrongly), "crashed" or "missing".
    """

    verdict: str
    metrics: Mapping[str, float]


def score(case: Case, answer: GivenAnswer) -> Score:
    """Return what an answer is worth."""
    if case.refuse:
        return _score_of_unanswerable(case, answer)
    cited = [span for citation in answer.citations for span in citation.spans]
    metrics = {"answered": float(not answer.refused), **_fidelity(answer), **_refusal(case, answer)}
    if answer.refused:
        metrics |= {"score": 0.0, "evidence_recall": 0.0, "evidence_complete": 0.0,
                    "span_recall": 0.0}  # fmt: skip
    else:
        precision = share_precise([citation.spans for citation in answer.citations], case.evidence)
        recall = evidence_recall(cited, case.evidence)
        metrics |= {
            "score": f1(precision, recall), "citation_precision": precision, "evidence_recall": recall,
            "evidence_complete": float(recall == 1),
            "sentence_recall": alce_recall(answer.sentences, words_support),
            "sentence_precision": alce_precision(answer.sentences, words_support),
            "span_precision": span_precision(cited, case.evidence), "span_recall": span_recall(cited, case.evidence),
        }  # fmt: skip
    metrics |= _words_of(case, "" if answer.refused else answer.text)
    if case.table:
        metrics |= {
            "table_precision": table_precision(answer.rows, case.table),
            "table_recall": table_recall(answer.rows, case.table),
        }
    if answer.hits is not None:
        metrics |= _retrieval(case, answer.hits)
    return Score(_verdict(metrics), metrics)


def score_of_nothing(case: Case, verdict: str) -> Score:
    """Return 0 for every metric that an answer could have had."""
    names = ["quote_fidelity"]
    if case.refuse:
        names += ["score", "refused", *([_REFUSED_OF_KIND[case.kind]] if case.kind in _REFUSED_OF_KIND else [])]
    else:
        names += [*_ANSWERABLE, *(_WORDED if case.answers else ()), *RETRIEVAL]
        names += ["table_precision", "table_recall"] if case.table else []
    return Score(verdict, dict.fromkeys(names, 0.0))


def _score_of_unanswerable(case: Case, answer: GivenAnswer) -> Score:
    metrics = {**_fidelity(answer), **_refusal(case, answer)}
    metrics["score"] = metrics["refused"]
    if case.kind in _REFUSED_OF_KIND:
        metrics[_REFUSED_OF_KIND[case.kind]] = metrics["refused"]
    return Score("right" if answer.refused else "answered", metrics)


def _refusal(case: Case, answer: GivenAnswer) -> dict[str, float]:
    """Return the recall of refusals where one was due, and their precision where one was given."""
    due, given = [case.refuse], [answer.refused]
    recall = {"refused": refusal_recall(due, given)} if case.refuse else {}
    return recall | ({"refusal_precision": refusal_precision(due, given)} if answer.refused else {})


def _verdict(metrics: Mapping[str, float]) -> str:
    if not metrics["answered"]:
        return "refused"
    if not metrics["evidence_recall"]:
        return "wrong"
    if not metrics["evidence_complete"]:
        return "partial"
    return "right" if metrics["citation_precision"] == 1 else "imprecise"


def _fidelity(answer: GivenAnswer) -> dict[str, float]:
    faithful = [citation.faithful for citation in answer.citations]
    return {"quote_fidelity": quote_fidelity(faithful)} if faithful else {}


def _words_of(case: Case, text: str) -> dict[str, float]:
    if not case.answers:
        return {}
    plain = MARK.sub(" ", text)
    return {
        "answer_found": answer_found(plain, case.answers),
        "nugget_recall": max(nugget_recall(plain, _nuggets(right, case.kind)) for right in case.answers),
        "exact_match": exact_match(plain, case.answers), "token_f1": token_f1(plain, case.answers),
    }  # fmt: skip


def _nuggets(accepted: str, kind: str) -> list[tuple[str]]:
    """Return the facts of an accepted answer: the items of a list or a table, else the whole as one fact.

    >>> _nuggets("Oslo and Rome", "list"), _nuggets("Oslo and Rome", "fact")
    ([('Oslo',), ('Rome',)], [('Oslo and Rome',)])
    """
    if kind not in ("list", "table", "compare", "conflict"):
        return [(accepted,)]
    return [(item,) for item in re.split(r"; |, (?:and |or )?| and | or ", accepted) if item.strip()]


def _retrieval(case: Case, hits: tuple[tuple[EvidenceSpan, ...], ...]) -> dict[str, float]:
    """Score the ranking by needs: a hit stands for one of the needs that it is the first to meet.

    Recall counts them all, so it is the evidence recall of the first hits, and not `recall_at_k` of that ranking.
    """
    needs = {f"need {number}": need for number, need in enumerate(case.evidence)}
    depths = {name: next((rank for rank, hit in enumerate(hits, start=1) if evidence_recall(hit, [need])), None)
              for name, need in needs.items()}  # fmt: skip
    ranked = [
        name
        for rank in range(1, len(hits) + 1)
        for name in ([need for need, depth in depths.items() if depth == rank][:1] or [f"hit {rank}"])
    ]
    return {
        **{f"recall@{k}": evidence_recall([place for hit in hits[:k] for place in hit], case.evidence)
           for k in (1, 5, 8)},
        "hit@1": hit_at_k(ranked, needs, k=1), "hit@5": hit_at_k(ranked, needs, k=5),
        "mrr": reciprocal_rank(ranked, needs), "ndcg@10": ndcg_at_k(ranked, dict.fromkeys(_reachable(depths), 1), k=10),
    }  # fmt: skip


def _reachable(depths: Mapping[str, int | None]) -> list[str]:
    """Return one need for each hit that could show it: needs that one hit meets together count as one."""
    first = {depth: name for name, depth in reversed(list(depths.items())) if depth is not None}
    return [*first.values(), *(name for name, depth in depths.items() if depth is None)]
