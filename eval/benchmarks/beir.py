"""Any BEIR-format folder: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/*.tsv``.

Thakur et al.: BEIR (2021, arXiv 2104.08663). The rule is the set's own: nDCG@10 over graded judgements, beside it the
share of relevant documents among the first 100 and the reciprocal rank within the first 10. A document with the query's
own id is passed over, as the set's `EvaluateRetrieval` does: in ArguAna and Quora queries are documents too. Long
documents are ranked by their best passage. The set has its own split, which is kept: ``qrels/test.tsv`` tests,
``dev.tsv`` or ``train.tsv`` fits.

>>> judge(["d2", "d1"], {"d1": 1})["nDCG@10"]
0.6309297535714575
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from eval.benchmarks.corpus import RANKINGS, Document, indexed, ranked_documents
from eval.benchmarks.data_files import (
    WHICH_FILE,
    DataFiles,
    Identity,
    MissingDataError,
    read_json_lines,
    read_text,
)
from eval.benchmarks.options import Options, at_least_one, sampled
from eval.benchmarks.report import BenchmarkReport, Published, mean_rows
from eval.metrics import ndcg_at_k, recall_at_k, reciprocal_rank
from index.errors import InputError
from index.news_index import MAX_QUESTION_CHARACTERS

__all__ = ["Query", "judge", "load_documents", "load_queries", "run"]

NAME = "beir"
_SOURCE = "https://github.com/beir-cellar/beir"
_QRELS = {"test": ("qrels/test.tsv",), "fit": ("qrels/dev.tsv", "qrels/train.tsv"), "all": ("qrels/*.tsv",)}
_DEPTH = 100
_GRADE = re.compile(r"-?\d{1,9}")
_TABLES, _PAPER = "BEIR/Pyserini tables (R)", "BEIR paper (R)"
_MTEB = "MTEB results repository (R)"
_BM25, _RERANKED = "BM25 (Pyserini, flat)", "BM25 + MiniLM cross-encoder"
_MINILM, _LEAF, _BGE = "all-MiniLM-L6-v2, dense", "mdbr-leaf-ir (22.9M), dense", "bge-base-en-v1.5, dense"


def _of_paper(bm25: float, reranked: float) -> tuple[Published, ...]:
    return Published("BM25", bm25, _PAPER), Published(_RERANKED, reranked, _PAPER)


def _of_tables(bm25: float, reranked: float, bge: float) -> tuple[Published, ...]:
    return Published(_BM25, bm25, _TABLES), Published(_RERANKED, reranked, _PAPER), Published(_BGE, bge, _TABLES)


def _small(minilm: float, leaf: float) -> tuple[Published, ...]:
    return Published(_MINILM, minilm, _MTEB), Published(_LEAF, leaf, _MTEB)


_PUBLISHED = {
    "scifact": (*_of_tables(0.6789, 0.688, 0.7408), *_small(0.6451, 0.7056)),
    "nfcorpus": (*_of_tables(0.3218, 0.350, 0.3735), *_small(0.3159, 0.3653)),
    "fiqa": (*_of_tables(0.2361, 0.347, 0.4065), *_small(0.3687, 0.3917)),
    "trec-covid": (*_of_tables(0.5947, 0.757, 0.7815), *_small(0.4723, 0.8197)),
    "trec-news": _of_tables(0.3952, 0.431, 0.4424),
    "robust04": _of_tables(0.4070, 0.475, 0.4435),
    "nq": (*_of_paper(0.329, 0.533), *_small(0.4387, 0.5956)),
    "hotpotqa": (*_of_paper(0.603, 0.707), *_small(0.4651, 0.6935)),
    "fever": _of_paper(0.753, 0.819),
    "arguana": _of_paper(0.315, 0.311),
    "webis-touche2020": _of_paper(0.367, 0.271),
    "scidocs": _of_paper(0.158, 0.166),
    "quora": _of_paper(0.789, 0.825),
}
"""From the name that the set's makers give its folder to what others published: nDCG@10."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _DocumentRow:
    id: Annotated[Identity, Field(alias="_id")]
    title: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _QueryRow:
    id: Annotated[Identity, Field(alias="_id")]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Hold a query and its judged documents with their grades; those of grade 0 are not relevant."""

    id: str
    text: str
    grades: Mapping[str, int]


def _files(folder: Path) -> DataFiles:
    """Return the files of the one set in the folder, in its folder `beir`, or in a folder inside either."""
    files = DataFiles.of(folder, NAME, _SOURCE)
    for pattern in ("corpus.jsonl*", "*/corpus.jsonl*"):
        found = sorted({path.parent for path in files.folder.glob(pattern)})
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise MissingDataError(f"{files.folder}: holds several sets ({names}); name the folder of one")
        if found:
            return DataFiles(found[0], _SOURCE)
    return files


def load_documents(folder: Path) -> list[Document]:
    """Read ``corpus.jsonl``."""
    path = _files(folder).one("corpus.jsonl", "corpus.jsonl.gz")
    return [
        Document(id=row.id, title=row.title or None, text=row.text or row.title or "")
        for _, row in read_json_lines(path, _DocumentRow)
    ]


def load_queries(folder: Path, part: str) -> list[Query]:
    """Read the queries that the part's judgements name, in the order of ``queries.jsonl``."""
    files = _files(folder)
    grades: dict[str, dict[str, int]] = {}
    for path in files.all(*_QRELS[part])[: None if part == "all" else 1]:
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            fields = line.split("\t")
            is_number = _GRADE.fullmatch(fields[-1].strip()) is not None
            if number == 1 and len(fields) == 3 and not is_number:
                continue  # the heading
            if len(fields) != 3 or not is_number:
                raise InputError(f"{path}:{number}: {line[:80]!r} is not query, document and grade, with tabs between")
            grades.setdefault(fields[0], {})[fields[1]] = int(fields[2])
    path = files.one("queries.jsonl", "queries.jsonl.gz")
    queries = []
    for where, row in read_json_lines(path, _QueryRow):
        if row.id in grades:
            if not row.text.strip():
                raise InputError(f"{where}: the query {row.id} has no words, and is judged; {WHICH_FILE}")
            queries.append(Query(id=row.id, text=row.text, grades=grades[row.id]))
    return queries


def judge(ranked: Sequence[str], grades: Mapping[str, int]) -> dict[str, float]:
    """Return the set's figures for one ranking."""
    relevant = {name for name, grade in grades.items() if grade > 0}
    return {
        "nDCG@10": ndcg_at_k(ranked, grades, 10),
        "recall@100": recall_at_k(ranked, relevant, _DEPTH),
        "MRR@10": reciprocal_rank(ranked[:10], relevant),
    }


def run(options: Options) -> BenchmarkReport:
    """Index the corpus and rank it for the queries of the part (at most `options.limit`)."""
    documents = load_documents(options.folder)
    queries = load_queries(options.folder, options.part)
    judged = at_least_one([query for query in queries if any(grade > 0 for grade in query.grades.values())], options)
    drawn = sampled(judged, options)
    asked = [replace(query, text=query.text[:MAX_QUESTION_CHARACTERS]) for query in drawn]
    name = _files(options.folder).folder.resolve().name.lower()
    published = {"nDCG@10, ours": _PUBLISHED.get(name, ())}
    figures: dict[str, list[float]] = {}
    with indexed(documents, options) as corpus:
        corpus.read_ahead([query.text for query in asked])
        for ranking, weight in RANKINGS.items():
            for query in asked:
                ranked = ranked_documents(corpus, query.text, _DEPTH + 1, dense_weight=weight)
                others = [document for document in ranked if document != query.id]
                for metric, value in judge(others, query.grades).items():
                    figures.setdefault(f"{metric}, {ranking}", []).append(value)
        settings = {"folder": name, "part": options.part, **corpus.settings(), "limit": options.limit}
    notes = (
        f"{len(queries) - len(judged)} queries without a relevant document are left out.",
        f"{sum(len(query.text) > MAX_QUESTION_CHARACTERS for query in drawn)} queries are cut to "
        f"{MAX_QUESTION_CHARACTERS:,} characters.",
        *([] if name in _PUBLISHED else [f"No published figures are known to us of a set in a folder named {name!r}."]),
    )
    rows = tuple(mean_rows(figures, published))
    return BenchmarkReport(name=NAME, n=len(asked), rows=rows, settings=settings, notes=notes)
