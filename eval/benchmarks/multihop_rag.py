r"""MultiHop-RAG: questions over several news articles, judged by the rules of the set's own scripts.

Tang, Yang: MultiHop-RAG (2024, arXiv 2401.15391); repository yixuantt/MultiHop-RAG, `retrieval_evaluate.py` and
`qa_evaluate.py`. Retrieval: null queries are skipped; a text is right when it contains a gold fact, spaces and line
breaks removed, letter case kept, whatever its document. Hits@k is 1 when any one fact is in the first k texts; MRR@10
counts the first such text. Beside it, all-evidence recall@10: every fact is. MAP is not given: the paper's cannot be
reproduced with its script. Answers: right when prediction and gold share any one token, lower-cased and split at white
space, of the quoted part alone where a prediction has `The answer to the question is "..."`; over all queries and by
kind (null queries: by refusal). A long answer gains by chance, and the rule sets no limit; so strict exact match and "a
cited sentence holds the gold answer" stand beside.

>>> found_in(["He said: a b.", "Nothing."], "a\nb")
[True, False]
>>> shares_a_token("Yes", "yes"), shares_a_token("Yes.", "yes"), shares_a_token("SBF", "Sam Bankman-Fried")
(1.0, 0.0, 0.0)
>>> scored_part('So I think. The answer to the question is "Yes".'), scored_part("Yes")
('Yes', 'Yes')

Queries that share an article of their evidence, or are linked by others that do, are one group (a null query is its
own); the groups are sorted by their first title: even positions fit, odd ones test. So no article of the evidence is in
both halves; but so many queries hang together that a note says how many the largest group has.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.benchmarks.corpus import RANKINGS, Corpus, Document, indexed, ranked_hits
from eval.benchmarks.data_files import DataFiles, Identity, Words, read_json, read_json_lines
from eval.benchmarks.options import Options, at_least_one, chosen_groups, linked_groups, sampled
from eval.benchmarks.report import BenchmarkReport, MetricRow, Published, mean_rows
from eval.metrics import answer_found, exact_match
from rag.bot import NewsBot
from rag.candidates import MAX_WORDS

__all__ = [
    "Query", "found_in", "judge", "load_documents", "load_queries", "run", "scored_part", "shares_a_token",
]  # fmt: skip

NAME = "multihop_rag"
_SOURCE = "https://github.com/yixuantt/MultiHop-RAG (ODC-BY)"
_NULL = "null_query"
_REFUSED = "Insufficient Information"  # what the set's prompt asks for
_SHARED = "answers: share a token with the gold answer (official)"
_SHARED_BY_KIND = "{} queries: share a token (official)"
_QUOTED_ANSWER = re.compile(r'The answer to the question is "(.*?)"')
_NULLS_REFUSED = "null queries: refused"
_TABLE_5, _RESCORED = "paper, Table 5 (R)", "arXiv 2406.13213, outputs scored again (R)"
_PAPER = "bge-large-en-v1.5, no reranker"
_BEST = "voyage-02 + bge-reranker-large"
_FILTERED = "Multi-Meta-RAG: voyage-02, filter by GPT-3.5, reranker"
_PUBLISHED = {
    "Hits@4": ((_PAPER, 0.5221, _TABLE_5), (_BEST, 0.6625, _TABLE_5), (_FILTERED, 0.7920, _RESCORED)),
    "Hits@10": ((_PAPER, 0.6718, _TABLE_5), (_BEST, 0.7467, _TABLE_5), (_FILTERED, 0.9042, _RESCORED)),
    "MRR@10": ((_PAPER, 0.4298, _TABLE_5), (_BEST, 0.5860, _TABLE_5), (_FILTERED, 0.6748, _RESCORED)),
}
_ANSWERS = (
    Published("GPT-4, top 6 retrieved", 0.56, "paper, Table 6 (R)"),
    Published("Llama-3.1-8B, plain retrieval", 0.6702, "arXiv 2502.11371 (R)"),
    Published("Llama-3.1-70B, retrieval and graph", 0.7762, "arXiv 2502.11371 (R)"),
)
_BY_KIND = {
    _SHARED_BY_KIND.format(kind): (
        Published("Llama-3.1-8B, plain retrieval", plain, "arXiv 2502.11371 (R)"),
        Published("Multi-Meta-RAG with GPT-4", filtered, _RESCORED),
    )
    for kind, plain, filtered in (
        ("inference", 0.9216, 0.951), ("comparison", 0.5759, 0.382), ("temporal", 0.3070, 0.256),
    )
}  # fmt: skip
_NULLS = (
    Published("Llama-3.1-8B, plain retrieval", 0.9601, "arXiv 2502.11371 (R)"),
    Published("Multi-Meta-RAG with GPT-4", 0.987, _RESCORED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    title: str
    fact: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    query: Words
    answer: str
    question_type: str
    evidence_list: tuple[_Evidence, ...]
    id: Identity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Described:
    title: str | None = None
    source: str | None = None
    published_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Article(_Described):
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fact(_Described):
    fact_id: Identity
    fact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk(_Described):
    chunk_id: Identity
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Hold a query, its gold answer and the facts of its evidence; a null query has none.

    `group` keeps queries on the same articles in one half.
    """

    id: str
    text: str
    answer: str
    kind: str
    facts: tuple[str, ...]
    group: str


def load_queries(folder: Path) -> list[Query]:
    """Read the official ``MultiHopRAG.json``, or JSON Lines with the same fields and an `id`."""
    files = DataFiles.of(folder, "multihop-rag", _SOURCE)
    path = files.one("MultiHopRAG.json", "queries*.jsonl*")
    official = path.suffix == ".json"
    rows = read_json(path, list[_Row]) if official else [row for _, row in read_json_lines(path, _Row)]
    ids = [row.id or str(number) for number, row in enumerate(rows)]
    titles = [[piece.title for piece in row.evidence_list] for row in rows]
    groups = linked_groups(named or [f"null {name}"] for named, name in zip(titles, ids, strict=True))
    return [
        Query(
            id=name, text=row.query, answer=row.answer, kind=row.question_type,
            facts=tuple(piece.fact for piece in row.evidence_list), group=group,
        )
        for name, row, group in zip(ids, rows, groups, strict=True)
    ]  # fmt: skip


def load_documents(folder: Path) -> tuple[list[Document], str]:
    """Read the documents and say what they are: the official ``corpus.json``, or evidence facts and partial chunks."""
    files = DataFiles.of(folder, "multihop-rag", _SOURCE)
    path = files.one("corpus.json", "facts.jsonl*")
    if path.suffix == ".json":
        rows = read_json(path, list[_Article])
        whole = [_document(f"article-{number}", row, row.body) for number, row in enumerate(rows)]
        return whole, "The corpus is the set's own: whole articles."
    facts = [_document(row.fact_id, row, row.fact) for _, row in read_json_lines(path, _Fact)]
    path = files.one("partial_chunks.jsonl*")
    chunks = [_document(row.chunk_id, row, row.text) for _, row in read_json_lines(path, _Chunk)]
    return [*facts, *chunks], (
        f"The corpus is {len(facts)} evidence facts and {len(chunks)} chunks of articles, each a document of its own, "
        "not the set's 609 whole articles: retrieval is easier than in the published runs; do not rank it with them."
    )


def _document(name: str, row: _Described, text: str) -> Document:
    return Document(id=name, title=row.title, source=row.source, published=row.published_at or None, text=text)


def _bare(text: str) -> str:
    return text.replace(" ", "").replace("\n", "")


def found_in(texts: Sequence[str], fact: str) -> list[bool]:
    """Tell for each text whether it holds the fact, by the set's rule."""
    return [_bare(fact) in _bare(text) for text in texts]


def judge(texts: Sequence[str], facts: Sequence[str]) -> dict[str, float]:
    """Return the retrieval figures of one ranking of texts.

    >>> judge(["x", "the fact a", "the fact b"], ["fact a", "fact b"])
    {'Hits@4': 1.0, 'Hits@10': 1.0, 'MRR@10': 0.5, 'all-evidence recall@10': 1.0}
    """
    held = [found_in(texts[:10], fact) for fact in facts]
    any_fact = [any(column) for column in zip(*held, strict=True)]
    first = next((rank for rank, right in enumerate(any_fact, start=1) if right), None)
    return {
        "Hits@4": float(any(any_fact[:4])),
        "Hits@10": float(any(any_fact)),
        "MRR@10": 1 / first if first else 0.0,
        "all-evidence recall@10": float(all(any(places) for places in held)),
    }


def shares_a_token(prediction: str, gold: str) -> float:
    """Return 1 when the two share a token, by the set's rule."""
    return float(bool(set(prediction.lower().split()) & set(gold.lower().split())))


def scored_part(prediction: str) -> str:
    """Return what the set's script scores of a prediction: its quoted answer, or all of it where there is none."""
    quoted = _QUOTED_ANSWER.search(prediction)
    return quoted[1] if quoted else prediction


def run(options: Options) -> BenchmarkReport:
    """Judge the retrieval of every query of the part with evidence, and the answers of a sample of each kind."""
    everything = load_queries(options.folder)
    part = chosen_groups((query.group for query in everything), options.part)
    queries = at_least_one([query for query in everything if query.group in part], options)
    documents, what = load_documents(options.folder)
    with indexed(documents, options) as corpus:
        rows = [*_retrieval(corpus, [q for q in queries if q.facts]), *_answers(corpus, queries, options)]
        settings = {"part": options.part, **corpus.settings(), "limit": options.limit, "judged text": "passage alone"}
    return BenchmarkReport(
        name=NAME, n=len(queries), rows=tuple(rows), settings=settings,
        notes=(
            what,
            "Published retrieval: chunks of 256 tokens (overlap: its library's default, 200), with title, "
            "source and date inside the judged text, 2,255 queries. Ours: the passage's own words alone.",
            f"Our answers are whole quoted sentences, {MAX_WORDS} words at most but for lists and tables, of which "
            "the token rule takes any word: do not rank those figures. With a limit the figure of all answers "
            "weighs the four kinds of queries alike.",
            _linked(everything, len(queries)),
        ),
    )  # fmt: skip


def _linked(everything: Sequence[Query], judged: int) -> str:
    largest = max(Counter(query.group for query in everything).values())
    return (
        f"Queries that articles of their evidence link stay in one half: {judged:,} of {len(everything):,} are judged, "
        f"and the largest group has {largest:,}. No article of the evidence is in both halves."
    )


def _retrieval(corpus: Corpus, queries: Sequence[Query]) -> list[MetricRow]:
    corpus.read_ahead([query.text for query in queries])
    figures: dict[str, list[float]] = {}
    for name, weight in RANKINGS.items():
        for query in queries:
            texts = [hit.passage.text for hit in ranked_hits(corpus, query.text, 10, dense_weight=weight)]
            for metric, value in judge(texts, query.facts).items():
                figures.setdefault(f"{metric}, {name}", []).append(value)
    published = {f"{metric}, ours": [Published(*entry) for entry in entries] for metric, entries in _PUBLISHED.items()}
    return mean_rows(figures, published)


def _answers(corpus: Corpus, queries: Sequence[Query], options: Options) -> list[MetricRow]:
    bot = NewsBot(corpus.index)
    shared, exact, held, refused, nulls = [], [], [], [], []
    by_kind: dict[str, list[float]] = {}
    for kind in sorted({query.kind for query in queries}):
        for query in sampled([q for q in queries if q.kind == kind], options):
            answer = bot.ask(query.text)
            text = _REFUSED if answer.status == "refused" else " ".join(s.text for s in answer.sentences)
            says = scored_part(text)
            shared.append(shares_a_token(says, query.answer))
            if kind == _NULL:
                nulls.append(float(answer.status == "refused"))
                continue
            by_kind.setdefault(_SHARED_BY_KIND.format(kind.removesuffix("_query")), []).append(shared[-1])
            exact.append(exact_match(says, [query.answer]))
            refused.append(float(answer.status == "refused"))
            if kind == "inference_query":
                held.append(max((answer_found(c.quote, [query.answer]) for c in answer.citations), default=0.0))
    figures = {
        _SHARED: shared, **by_kind, "queries with evidence: strict exact match": exact,
        "inference queries: a cited sentence holds the answer": held,
        "queries with evidence: refused (wrongly)": refused, _NULLS_REFUSED: nulls,
    }  # fmt: skip
    return mean_rows(figures, {_SHARED: _ANSWERS, **_BY_KIND, _NULLS_REFUSED: _NULLS})
