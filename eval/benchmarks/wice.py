"""WiCE: is a claim supported by a stretch of a web page, and which of its sentences support it.

Kamoi et al.: WiCE (2023, arXiv 2303.01432), its oracle chunks: each holds the sentences that one annotator called
supporting, and others beside them. Verdicts, the set's rule: supported against partially and not supported, as F1 and
accuracy; a claim with several chunks takes the best verdict. A checker that is given judges each claim against the
words of a chunk. Evidence sentences are no task of the oracle chunks, so the rule is ours: the sentences of a chunk
are ranked by the claim, and judged by whether a supporting one comes first, by the share of supporting ones among the
first three, and by the reciprocal rank of the first. Claims are sorted by the article they stand in: even positions
fit, odd ones test.

>>> verdict_scores([("supported", True), ("partial", True), ("supported", False), ("unsupported", False)])
{'F1': 0.5, 'accuracy': 0.5}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eval.benchmarks.corpus import chosen_embedder
from eval.benchmarks.data_files import WHICH_FILE, AtLeastOne, DataFiles, Words, read_json_lines
from eval.benchmarks.options import Options, at_least_one, chosen_groups
from eval.benchmarks.report import BenchmarkReport, MetricRow, Published, mean_rows
from eval.checkers import CHECKERS, VERDICTS, Checker
from eval.metrics import f1, hit_at_k, recall_at_k, reciprocal_rank
from index.embed import Embedder, Vectors
from index.errors import InputError
from index.fuse import DENSE_WEIGHT, fuse
from index.lexical import WordIndex
from rag.terms import read_terms

__all__ = ["Chunk", "load", "run", "verdict_scores"]

NAME = "wice"
_SOURCE = "https://github.com/ryokamoi/wice (code_and_resources/entailment_inputs/oracle_chunks/claim, ODC-BY)"
# The table names no number of claims; label_distribution in the *.evaluation.json beside it has 22, 73 and 5.
_TABLE = "result_table.tex of the repository, oracle chunks of 100 claims of the test file, 22 supported (R)"
_PUBLISHED = (("T5-3B, ANLI + WiCE", 0.778, 0.88), ("T5-3B, ANLI", 0.618, 0.74), ("GPT-4", 0.61, 0.77))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meta:
    id: str
    claim_title: str
    chunk_idx: tuple[int, ...]
    oracle_idx: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    claim: Words
    label: str
    evidence: AtLeastOne[str]
    meta: _Meta


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Hold a claim, its label, a stretch of its web page in sentences, and the numbers of those that support it."""

    claim_id: str
    article: str
    claim: str
    label: str
    sentences: tuple[str, ...]
    supporting: frozenset[int]


def load(folder: Path) -> list[Chunk]:
    """Read the chunks of a file of claims."""
    path = DataFiles.of(folder, NAME, _SOURCE).one("claim-dev.jsonl*", "claim/dev.jsonl*", "dev.jsonl*")
    chunks = []
    for where, row in read_json_lines(path, _Row):
        if len(row.meta.chunk_idx) != len(row.evidence):
            count = f"{len(row.meta.chunk_idx)} numbers for {len(row.evidence)} sentences"
            raise InputError(f"{where}: `meta.chunk_idx` has {count}; {WHICH_FILE}")
        gold = set(row.meta.oracle_idx or ())
        supporting = frozenset(number for number, place in enumerate(row.meta.chunk_idx) if place in gold)
        chunks.append(
            Chunk(
                claim_id=row.meta.id, article=row.meta.claim_title, claim=row.claim, label=row.label,
                sentences=row.evidence, supporting=supporting,
            )
        )  # fmt: skip
    return chunks


def verdict_scores(judged: Sequence[tuple[str, bool]]) -> dict[str, float]:
    """Return F1 and accuracy of "supported" over (verdict, whether the claim is supported)."""
    said = [verdict == "supported" for verdict, _ in judged]
    both = sum(yes and right for yes, (_, right) in zip(said, judged, strict=True))
    truly = sum(right for _, right in judged)
    agree = sum(yes == right for yes, (_, right) in zip(said, judged, strict=True))
    return {
        "F1": f1(both / sum(said) if any(said) else 0.0, both / truly if truly else 0.0),
        "accuracy": agree / len(judged),
    }


def run(options: Options) -> BenchmarkReport:
    """Rank the sentences of every chunk of the part, and let each checker that is given judge its claims."""
    everything = load(options.folder)
    part = chosen_groups((chunk.article for chunk in everything), options.part)
    chunks = at_least_one([chunk for chunk in everything if chunk.article in part], options)
    embedder = chosen_embedder(options)
    rows = _sentence_rows([chunk for chunk in chunks if chunk.supporting], embedder)
    for name, checker in (options.checkers or CHECKERS).items():
        rows += _verdict_rows(name, checker, chunks)
    claims = {chunk.claim_id: chunk.label for chunk in chunks}
    supported = sum(label == "supported" for label in claims.values())
    return BenchmarkReport(
        name=NAME, n=len(claims), rows=tuple(rows),
        settings={
            "part": options.part, "chunks": len(chunks), "supported claims": supported, "model": embedder.model_id,
        },
        notes=(
            "Oracle chunks, not the whole web pages; published figures are of the test file, ours of the dev file.",
            "Our ranking is the one that finds passages: meaning and words, fused. Words: the share of the claim's.",
        ),
    )  # fmt: skip


def _sentence_rows(chunks: Sequence[Chunk], embedder: Embedder) -> list[MetricRow]:
    texts = list(dict.fromkeys(sentence for chunk in chunks for sentence in chunk.sentences))
    places = {text: place for place, text in enumerate(texts)}
    vectors = embedder.embed_passages(texts)
    claims = embedder.embed_queries([chunk.claim for chunk in chunks])
    words = WordIndex.build([("", text) for text in texts])
    figures: dict[str, list[float]] = {}
    for chunk, claim in zip(chunks, claims, strict=True):
        rows = np.array([places[sentence] for sentence in chunk.sentences], dtype=np.int64)
        dense = vectors[rows] @ claim
        scores = {
            "ours": fuse(dense, _bm25(words, chunk.claim, rows, len(texts)), dense_weight=DENSE_WEIGHT),
            "dense only": dense,
            "words in common": np.array([shared_words(chunk.claim, s) for s in chunk.sentences], dtype=np.float32),
        }
        relevant = {str(number) for number in chunk.supporting}
        for name, score in scores.items():
            ranked = [str(number) for number in np.argsort(-score, kind="stable")]
            for metric, value in _ranking(ranked, relevant).items():
                figures.setdefault(f"evidence sentences: {metric}, {name}", []).append(value)
    return mean_rows(figures)


def _ranking(ranked: Sequence[str], relevant: set[str]) -> dict[str, float]:
    return {
        "first is supporting": hit_at_k(ranked, relevant, 1),
        "recall@3": recall_at_k(ranked, relevant, 3),
        "MRR": reciprocal_rank(ranked, relevant),
    }


def _bm25(words: WordIndex, claim: str, rows: npt.NDArray[np.int64], total: int) -> Vectors:
    """Return the BM25 scores of some rows, in their order."""
    allowed = np.zeros(total, dtype=np.bool_)
    allowed[rows] = True
    found, scores = words.search(claim, limit=len(rows), allowed=allowed)
    by_row = dict(zip(found.tolist(), scores.tolist(), strict=True))
    return np.array([by_row.get(row, 0.0) for row in rows.tolist()], dtype=np.float32)


def shared_words(claim: str, sentence: str) -> float:
    """Return the share of the claim's names and content words that a sentence holds: the baseline without a model.

    >>> shared_words("Oslo pledged money", "Money was pledged.")
    0.6666666666666666
    """
    wanted = {*read_terms(claim).stems, *read_terms(claim).names}
    held = {*read_terms(sentence).stems, *read_terms(sentence).names}
    return len(wanted & held) / len(wanted) if wanted else 0.0


def _grade(verdict: str) -> int:
    return VERDICTS.index(verdict) if verdict in VERDICTS else len(VERDICTS)


def _verdict_rows(name: str, checker: Checker, chunks: Sequence[Chunk]) -> list[MetricRow]:
    verdicts: dict[str, list[str]] = {}
    labels: Mapping[str, str] = {chunk.claim_id: chunk.label for chunk in chunks}
    for chunk in chunks:
        verdicts.setdefault(chunk.claim_id, []).append(checker(chunk.claim, " ".join(chunk.sentences)))
    judged = [(min(said, key=_grade), labels[claim] == "supported") for claim, said in verdicts.items()]
    scores = verdict_scores(judged)
    right = [float((verdict == "supported") == truly) for verdict, truly in judged]
    metric = f"verdicts: accuracy, {name}"
    published = [Published(system, accuracy, _TABLE) for system, _, accuracy in _PUBLISHED]
    f1_row = MetricRow(
        metric=f"verdicts: F1 of supported, {name}", value=round(scores["F1"], 4), interval=None, n=len(judged),
        published=tuple(Published(system, score, _TABLE) for system, score, _ in _PUBLISHED),
    )  # fmt: skip
    return [f1_row, *mean_rows({metric: right}, {metric: published})]
