"""Metrics, each a pure function with its paper and a worked example.

Shares are from 0 to 1. An answer without citations never gets a full share of anything that citations earn.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.cases import EvidenceSpan
from rag.terms import read_terms

__all__ = [
    "CitedSentence",
    "alce_precision",
    "alce_recall",
    "answer_found",
    "evidence_recall",
    "exact_match",
    "f1",
    "hit_at_k",
    "latency_percentile",
    "ndcg_at_k",
    "nugget_recall",
    "quote_fidelity",
    "recall_at_k",
    "reciprocal_rank",
    "refusal_precision",
    "refusal_recall",
    "share_precise",
    "span_precision",
    "span_recall",
    "table_precision",
    "table_recall",
    "token_f1",
    "words_support",
]

Needs = Sequence[Sequence[EvidenceSpan]]
Supports = Callable[[Sequence[str], str], bool]


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """Hold a sentence of an answer and the words that it cites, one text a citation."""

    text: str
    cited: tuple[str, ...]


def recall_at_k(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return the share of the relevant ids among the first `k`.

    Manning, Raghavan, Schütze: Introduction to Information Retrieval (2008), chapter 8; R@k of ir-measures.

    >>> recall_at_k(["a", "x", "b"], {"a", "b"}, k=2)
    0.5
    """
    return _ranking("R", k, ranked, dict.fromkeys(relevant, 1))


def hit_at_k(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return 1 when a relevant id is among the first `k`, else 0.

    Karpukhin et al.: Dense Passage Retrieval (2020, arXiv 2004.04906), top-k accuracy; Success@k of ir-measures.

    >>> hit_at_k(["x", "a"], {"a"}, k=1), hit_at_k(["x", "a"], {"a"}, k=2)
    (0.0, 1.0)
    """
    return _ranking("Success", k, ranked, dict.fromkeys(relevant, 1))


def reciprocal_rank(ranked: Sequence[str], relevant: Collection[str]) -> float:
    """Return 1 over the rank of the first relevant id, 0 when there is none; its mean over questions is MRR.

    Voorhees: The TREC-8 Question Answering Track Report (1999); RR of ir-measures.

    >>> reciprocal_rank(["x", "a", "b"], {"a", "b"})
    0.5
    """
    return _ranking("RR", None, ranked, dict.fromkeys(relevant, 1))


def ndcg_at_k(ranked: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """Return the discounted gain of the first `k` over that of the best order.

    Järvelin, Kekäläinen: Cumulated Gain-Based Evaluation of IR Techniques (2002); nDCG@k of ir-measures.
    Here 1/log2(3) over 1/log2(2) + 1/log2(3):

    >>> round(ndcg_at_k(["x", "a", "y"], {"a": 1, "b": 1}, k=10), 3)
    0.387
    """
    return _ranking("nDCG", k, ranked, grades)


def _ranking(measure: str, k: int | None, ranked: Sequence[str], grades: Mapping[str, int]) -> float:
    import ir_measures  # 0.3 s

    if not ranked or not grades:
        return 0.0
    name = ir_measures.parse_measure(f"{measure}@{k}" if k else measure)
    run = {"q": {name: float(-rank) for rank, name in enumerate(ranked)}}
    return float(ir_measures.calc_aggregate([name], {"q": dict(grades)}, run)[name])


def exact_match(answer: str, accepted: Sequence[str]) -> float:
    """Return 1 when the answer is one of the accepted, but for case, punctuation, articles and white space.

    Rajpurkar et al.: SQuAD (2016, arXiv 1606.05250), the rule of its official script.

    >>> exact_match("The Netherlands.", ["Netherlands"])
    1.0
    """
    return float(any(_words(answer) == _words(right) for right in accepted))


def token_f1(answer: str, accepted: Sequence[str]) -> float:
    """Return the harmonic mean of precision and recall of the answer's words, for the accepted answer that fits best.

    Rajpurkar et al.: SQuAD (2016, arXiv 1606.05250). An answer in whole sentences is punished for every further word.

    >>> round(token_f1("26 countries pledged", ["26 countries"]), 2)
    0.8
    """
    return max((_overlap(_words(answer), _words(right)) for right in accepted), default=0.0)


def answer_found(answer: str, accepted: Sequence[str]) -> float:
    """Return 1 when the answer contains an accepted one, word for word under the SQuAD rule.

    Gao et al.: ALCE (2023, arXiv 2305.14627), the exact-match recall of a long answer.

    >>> answer_found("It was built in Belfast.", ["Belfast", "the city of Belfast"])
    1.0
    """
    return nugget_recall(answer, [accepted]) if accepted else 0.0


def nugget_recall(answer: str, nuggets: Sequence[Sequence[str]]) -> float:
    """Return the share of nuggets that the answer states; each nugget lists its accepted wordings.

    Voorhees: Overview of the TREC 2003 Question Answering Track (2003), nugget recall. Judged by the words alone:
    a paraphrase that the case does not list is missed.

    >>> nugget_recall("Belgium and Iceland are ready.", [["Belgium"], ["Iceland"], ["Latvia"], ["Estonia", "Tallinn"]])
    0.5
    """
    text = f" {' '.join(_words(answer))} "
    found = [any(f" {' '.join(_words(wording))} " in text for wording in wordings) for wordings in nuggets]
    return _mean(found)


def evidence_recall(cited: Sequence[EvidenceSpan], needs: Needs) -> float:
    """Return the share of needs of which an alternative is cited.

    Liu, Zhang, Liang: Evaluating Verifiability in Generative Search Engines (2023, arXiv 2304.09848), citation recall,
    with gold evidence in place of the judge.

    >>> needs = [[EvidenceSpan("a", 1, 0, 10), EvidenceSpan("b", 1, 5, 9)], [EvidenceSpan("a", 1, 20, 30)]]
    >>> evidence_recall([EvidenceSpan("b", 1, 0, 6)], needs)
    0.5
    """
    return _mean([any(span.overlaps(right) for span in cited for right in need) for need in needs])


def share_precise(cited: Sequence[Sequence[EvidenceSpan]], needs: Needs) -> float:
    """Return the share of citations that overlap any evidence; a citation lists the places where its words stand.

    Liu, Zhang, Liang (2023, arXiv 2304.09848), citation precision, with gold evidence in place of the judge.

    >>> needs = [[EvidenceSpan("a", 1, 0, 10)]]
    >>> share_precise([[EvidenceSpan("a", 1, 8, 12)], [EvidenceSpan("a", 1, 40, 50)]], needs)
    0.5
    >>> share_precise([], needs)
    0.0
    """
    gold = [right for need in needs for right in need]
    return _mean([any(place.overlaps(right) for place in places for right in gold) for places in cited])


def span_precision(cited: Sequence[EvidenceSpan], needs: Needs) -> float:
    """Return the share of the marked characters that are evidence.

    DeYoung et al.: ERASER (2020, arXiv 1911.03429), rationale precision, by characters.

    >>> span_precision([EvidenceSpan("a", 1, 0, 20)], [[EvidenceSpan("a", 1, 10, 30)]])
    0.5
    """
    marked = _characters(cited)
    return len(marked & _characters(right for need in needs for right in need)) / len(marked) if marked else 0.0


def span_recall(cited: Sequence[EvidenceSpan], needs: Needs) -> float:
    """Return the mean, over needs, of the share of the best alternative's characters that are marked.

    DeYoung et al.: ERASER (2020, arXiv 1911.03429), rationale recall, by characters.

    >>> span_recall([EvidenceSpan("a", 1, 0, 20)], [[EvidenceSpan("a", 1, 10, 30), EvidenceSpan("b", 1, 0, 9)]])
    0.5
    """
    marked = _characters(cited)
    shares = [
        max((len(marked & _characters([right])) / (right.end - right.start) for right in need), default=0.0)
        for need in needs
    ]
    return float(np.mean(shares)) if shares else 0.0


def alce_recall(sentences: Sequence[CitedSentence], supports: Supports) -> float:
    """Return the share of sentences that their citations, taken together, bear out; one without citations is not.

    Gao et al.: ALCE (2023, arXiv 2305.14627), citation recall. `supports` takes the place of its NLI model.

    >>> said = [CitedSentence("Oslo paid 5.", ("Oslo paid 5 on Monday.",)), CitedSentence("Rome paid 7.", ())]
    >>> alce_recall(said, words_support)
    0.5
    """
    return _mean([_borne_out(sentence, supports) for sentence in sentences])


def alce_precision(sentences: Sequence[CitedSentence], supports: Supports) -> float:
    """Return the share of citations that their sentence needs.

    Gao et al.: ALCE (2023, arXiv 2305.14627), citation precision: a citation counts when the sentence is borne out, and
    it bears it out alone or the others do not without it.

    >>> said = [CitedSentence("Oslo paid 5.", ("Oslo paid 5 on Monday.", "It rained."))]
    >>> alce_precision(said, words_support)
    0.5
    """
    needed = []
    for sentence in sentences:
        whole = _borne_out(sentence, supports)
        for number, text in enumerate(sentence.cited):
            others = (*sentence.cited[:number], *sentence.cited[number + 1 :])
            needed.append(whole and (supports([text], sentence.text) or not supports(others, sentence.text)))
    return _mean(needed)


def words_support(texts: Sequence[str], claim: str) -> bool:
    """Tell whether the texts hold every number and name of a claim and four fifths (by hand) of its other words.

    A stand-in for an entailment model that is the same everywhere; Adlakha et al. (2023, arXiv 2307.16877) find such
    token precision against the passage (K-Precision) to go along with human judgement of faithfulness.

    >>> words_support(["On Monday Oslo paid EUR 5 million."], "Oslo paid EUR 5 million")
    True
    >>> words_support(["On Monday Oslo paid EUR 5 million."], "Oslo paid EUR 6 million")
    False
    """
    held, wanted = read_terms(" ".join(texts)), read_terms(claim)
    if not (wanted.numbers <= held.numbers and set(wanted.names) <= held.keys):
        return False
    words = set(wanted.stems)
    return bool(texts) and len(words & {*held.stems, *held.names}) >= 0.8 * len(words)


def quote_fidelity(faithful: Sequence[bool]) -> float:
    """Return the share of citations that are faithful: the article has their quote, character for character, there.

    Gao et al.: RARR (2023, arXiv 2210.08726) measure preservation by edit distance; here nothing but none will do.

    >>> quote_fidelity([True, False])
    0.5
    """
    return _mean(faithful)


def refusal_precision(should: Sequence[bool], did: Sequence[bool]) -> float:
    """Return the share of refusals that were right; 0 when nothing was refused.

    Rajpurkar, Jia, Liang: Know What You Don't Know (2018, arXiv 1806.03822), questions without an answer.

    >>> refusal_precision([True, False, True], [True, True, False])
    0.5
    """
    return _mean([right for right, refused in zip(should, did, strict=True) if refused])


def refusal_recall(should: Sequence[bool], did: Sequence[bool]) -> float:
    """Return the share of questions to be refused that were; 0 when there are none.

    Rajpurkar, Jia, Liang: Know What You Don't Know (2018, arXiv 1806.03822), questions without an answer.

    >>> refusal_recall([True, False, True, True, True], [True, True, False, False, False])
    0.25
    """
    return _mean([refused for right, refused in zip(should, did, strict=True) if right])


def table_precision(rows: Sequence[Mapping[str, str]], gold: Sequence[Mapping[str, str]]) -> float:
    """Return the share of the table's cells that the gold table has, under the same column, in a row of the same key.

    Wu, Zhang, Li: Text-to-Table (2022, arXiv 2109.02707), cells as (row, column, value). A row's key is its first
    gold column; words are compared under the SQuAD rule.

    >>> gold = [{"actor": "Oslo", "amount": "5"}, {"actor": "Rome", "amount": "7"}]
    >>> table_precision([{"actor": "Oslo", "amount": "5"}, {"actor": "Rome", "amount": "9"}], gold)
    0.75
    """
    right, given, _ = _cells_in_common(rows, gold)
    return right / given if given else 0.0


def table_recall(rows: Sequence[Mapping[str, str]], gold: Sequence[Mapping[str, str]]) -> float:
    """Return the share of the gold table's cells that the table has; see `table_precision`.

    Wu, Zhang, Li: Text-to-Table (2022, arXiv 2109.02707).

    >>> table_recall([{"actor": "Oslo", "amount": "5"}], [{"actor": "Oslo", "amount": "5"}, {"actor": "Rome"}])
    0.6666666666666666
    """
    right, _, wanted = _cells_in_common(rows, gold)
    return right / wanted if wanted else 0.0


def latency_percentile(milliseconds: Sequence[float], percent: float) -> float:
    """Return the latency below which `percent` of the answers stay, interpolated between neighbours.

    Hyndman, Fan: Sample Quantiles in Statistical Packages (1996), definition 7.

    >>> latency_percentile([10, 20, 30, 40, 50], 50), latency_percentile([10, 20], 95)
    (30.0, 19.5)
    """
    return float(np.percentile(milliseconds, percent)) if milliseconds else 0.0


def f1(precision: float, recall: float) -> float:
    """Return the harmonic mean of precision and recall.

    Van Rijsbergen: Information Retrieval (1979), chapter 7.

    >>> f1(0.5, 1.0)
    0.6666666666666666
    """
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


def _words(text: str) -> list[str]:
    """Return the words that the SQuAD script compares, but for typographic quotation marks, which it keeps."""
    plain = "".join(c for c in text.lower() if c not in string.punctuation and c not in "“”‘’")
    return re.sub(r"\b(a|an|the)\b", " ", plain).split()


def _overlap(mine: Sequence[str], right: Sequence[str]) -> float:
    if not mine or not right:
        return float(mine == right)
    common = sum((Counter(mine) & Counter(right)).values())
    return f1(common / len(mine), common / len(right))


def _characters(spans: Iterable[EvidenceSpan]) -> set[tuple[str, int, int]]:
    return {(span.article_id, span.revision, at) for span in spans for at in range(span.start, span.end)}


def _borne_out(sentence: CitedSentence, supports: Supports) -> bool:
    return bool(sentence.cited) and supports(sentence.cited, sentence.text)


def _cells_in_common(rows: Sequence[Mapping[str, str]], gold: Sequence[Mapping[str, str]]) -> tuple[int, int, int]:
    columns = list(dict.fromkeys(column for row in gold for column in row))
    mine, right = _cells(rows, columns), _cells(gold, columns)
    return sum((mine & right).values()), sum(mine.values()), sum(right.values())


def _cells(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> Counter[tuple[str, str, str]]:
    """Count the filled cells under the columns asked for, by the key of their row, column and words."""
    filled = [{c: " ".join(_words(str(row[c]))) for c in columns if row.get(c)} for row in rows]
    return Counter((row.get(columns[0], ""), column, words) for row in filled for column, words in row.items())
