"""Chunking evaluation: how much of what is retrieved is the evidence, character by character.

Smith, Troynikov: Evaluating Chunking Strategies for Retrieval (Chroma, 2024), repository
brandonstarxel/chunking_evaluation, `base_evaluation.py`. The five best chunks by meaning are retrieved from all corpora
together. With the characters of the gold excerpts as reference: recall is the share of the reference that the chunks
hold; precision the share of the chunks' characters that are reference (a character retrieved twice counts twice below
the line); IoU the reference found, over what was retrieved and the reference missed. Precision omega is the precision
of taking exactly the chunks that touch the reference, so that the retrieval cannot err. The set calls them token-wise;
its script counts characters. Corpora are sorted by name: even positions fit, odd ones test.

>>> judge([Span(0, 10), Span(20, 30)], [Span(5, 15)])
{'recall': 0.5, 'precision': 0.25, 'IoU': 0.2}
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Json

from eval.benchmarks.corpus import chosen_embedder
from eval.benchmarks.data_files import WHICH_FILE, AtLeastOne, DataFiles, Words, read_csv, read_json_lines, read_text
from eval.benchmarks.options import Options, at_least_one, chosen_groups
from eval.benchmarks.report import BenchmarkReport, MetricRow, Published, mean_rows
from index.article import Article
from index.embed import Embedder
from index.errors import InputError
from index.passage import Chunking, split
from index.sentences import Span
from index.tokens import token_starts

__all__ = ["Chunk", "Question", "judge", "load", "precision_omega", "read_chunks", "run"]

NAME = "chunking"
_SOURCE = "https://github.com/brandonstarxel/chunking_evaluation (MIT)"
_RETRIEVED = 5
_EQUAL_TOKENS = 200
_WINDOWS = ((200, 0), (400, 0), (400, 200))  # tokens and overlap, as in the report; ours has no overlap
_HERO, _LARGE = "the report's first table, text-embedding-3-large", "text-embedding-3-large"
_TABLE = (  # system, recall, precision, precision omega, IoU, mark
    ("RecursiveCharacterTextSplitter 200, no overlap", 0.881, 0.070, 0.299, 0.069, "S"),
    ("ClusterSemanticChunker 200", 0.873, 0.080, 0.340, 0.080, "S"),
    ("LLMSemanticChunker (about 240)", 0.919, 0.039, 0.199, 0.039, "S"),
)
_METRICS = ("recall", "precision", "precision omega", "IoU")
Chunker = Callable[[str, Embedder], list[Span]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reference:
    content: Words
    start_index: int
    end_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    question: Words
    corpus_id: str
    references: Json[AtLeastOne[_Reference]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Hold a question, the name of its corpus and the excerpts there that answer it."""

    text: str
    corpus: str
    excerpts: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Hold a chunk by its place in its corpus."""

    corpus: str
    span: Span


def load(folder: Path) -> tuple[dict[str, str], list[Question]]:
    """Read the corpora by name and the questions; raise `InputError` where an excerpt is not at its place."""
    files = DataFiles.of(folder, "chunking_evaluation", _SOURCE)
    texts = {path.stem: read_text(path) for path in files.all("corpora/*.md", "*.md")}
    questions = []
    for where, row in read_csv(files.one("questions_df.csv"), _Row):
        excerpts = []
        for reference in row.references:
            span = Span(reference.start_index, reference.end_index)
            if row.corpus_id not in texts or span.of(texts[row.corpus_id]) != reference.content:
                raise InputError(f"{where}: {row.corpus_id} does not read so there; {WHICH_FILE}")
            excerpts.append(span)
        questions.append(Question(text=row.question, corpus=row.corpus_id, excerpts=tuple(excerpts)))
    return texts, questions


def judge(chunks: Sequence[Span], excerpts: Sequence[Span]) -> dict[str, float]:
    """Return the figures of the retrieved chunks of the right corpus, and of others at places beyond its text."""
    wanted = _characters(excerpts)
    found = len(wanted & _characters(chunks))
    retrieved = sum(chunk.end - chunk.start for chunk in chunks)
    return {
        "recall": found / len(wanted),
        "precision": found / retrieved if retrieved else 0.0,
        "IoU": found / (retrieved + len(wanted) - found),
    }


def precision_omega(chunks: Sequence[Span], excerpts: Sequence[Span]) -> float:
    """Return the share of reference in the chunks of a corpus that touch it.

    >>> precision_omega([Span(0, 10), Span(10, 20), Span(20, 30)], [Span(5, 15)])
    0.5
    """
    touching = [c for c in chunks if any(c.start < e.end and e.start < c.end for e in excerpts)]
    wanted, held = _characters(excerpts), _characters(touching)
    return len(wanted & held) / len(wanted | held)


def _characters(spans: Sequence[Span]) -> set[int]:
    return {place for span in spans for place in range(span.start, span.end)}


def sentence_chunks(chunking: Chunking) -> Chunker:
    """Return our chunker with a budget."""

    def cut(text: str, embedder: Embedder) -> list[Span]:
        return [Span(p.start, p.end) for p in split(Article(id="corpus", text=text), embedder, chunking)]

    return cut


def window_chunks(tokens: int, overlap: int) -> Chunker:
    """Return the set's fixed token chunker: windows of so many tokens, whatever they cut through.

    Each begins `overlap` tokens before the end of the one before; the first that reaches the end is the last.
    """

    def cut(text: str, embedder: Embedder) -> list[Span]:
        places = [*token_starts(text), len(text)]
        last = len(places) - 1
        firsts = range(0, max(last - overlap, 1), tokens - overlap)
        spans = [Span(places[first], places[min(first + tokens, last)]) for first in firsts]
        return [span for span in spans if span.start < span.end]

    return cut


def read_chunks(path: Path, texts: Mapping[str, str]) -> dict[str, list[Chunk]]:
    """Read the chunks of other chunkers by the chunkers' names, from a line for each.

    A line is ``{"chunker": "LangChain, 200 tokens", "corpus": "finance", "start": 0, "end": 812}``. Raise `InputError`
    where a corpus has no such place, and where a chunker has no chunk in a corpus.
    """
    chunks: dict[str, list[Chunk]] = {}
    for where, line in read_json_lines(path, Any):
        match line:
            case {"chunker": str(name), "corpus": str(corpus), "start": int(start), "end": int(end)} if (
                0 <= start < end <= len(texts.get(corpus, ""))
            ):
                chunks.setdefault(name, []).append(Chunk(corpus=corpus, span=Span(start, end)))
            case _:
                raise InputError(f"{where}: {line!r} is no place in a corpus; cut the corpora anew")
    if not chunks:
        raise InputError(f"{path}: it holds no chunk; cut the corpora anew")
    for name, cut in chunks.items():
        if left_out := texts.keys() - {chunk.corpus for chunk in cut}:
            raise InputError(f"{path}: {name!r} did not cut {', '.join(sorted(left_out))}; cut the corpora anew")
    return chunks


def run(options: Options) -> BenchmarkReport:
    """Cut, embed and search the corpora of all parts; ask every question of the part."""
    texts, everything = load(options.folder)
    part = chosen_groups(texts, options.part)
    questions = at_least_one([question for question in everything if question.corpus in part], options)
    embedder = chosen_embedder(options)
    vectors = embedder.embed_queries([question.text for question in questions])
    rows: list[MetricRow] = []
    sizes: dict[str, str | int | float | None] = {}
    for name, chunks in _chunks(options, texts, embedder).items():
        held = embedder.embed_passages([chunk.span.of(texts[chunk.corpus]) for chunk in chunks])
        best = np.argsort(-(vectors @ held.T), axis=1, kind="stable")[:, :_RETRIEVED]
        sizes[f"chunks, {name}"] = len(chunks)
        rows += _rows(name, questions, chunks, best.tolist())
    about: dict[str, str | int | float | None] = {"part": options.part, "corpora": len(part), "retrieved": _RETRIEVED}
    return BenchmarkReport(
        name=NAME, n=len(questions), rows=tuple(rows),
        settings={**about, **sizes, "model": embedder.model_id},
        notes=(
            "Dense search alone and no header, as in the set: the chunker is judged, not the fusion.",
            "Overlap is 0 where none is named; the default model reads the first 256 word pieces of a chunk.",
            f"The published figures are of another embedder ({_LARGE}) over the questions of all five corpora.",
        ),
    )  # fmt: skip


def _chunks(options: Options, texts: Mapping[str, str], embedder: Embedder) -> dict[str, list[Chunk]]:
    """Return the chunks of every chunker by its name: ours, plain windows, and those of the file of the options."""
    own = options.chunking or Chunking()
    equal = [Chunking(max_tokens=tokens) for tokens, overlap in _WINDOWS if not overlap]
    chunkers = {f"ours, {chunking.max_tokens} tokens": sentence_chunks(chunking) for chunking in (*equal, own)}
    for tokens, overlap in _WINDOWS:
        name = f"windows of {tokens} tokens" + (f", overlap {overlap}" if overlap else "")
        chunkers[name] = window_chunks(tokens, overlap)
    chunks = {
        name: [Chunk(corpus=corpus, span=span) for corpus, text in texts.items() for span in cut(text, embedder)]
        for name, cut in chunkers.items()
    }
    others = read_chunks(options.chunks, texts) if options.chunks else {}
    if same := chunks.keys() & others.keys():
        raise InputError(f"{options.chunks}: {', '.join(map(repr, sorted(same)))} is judged already; name it otherwise")
    return chunks | others


def _rows(name: str, questions: Sequence[Question], chunks: Sequence[Chunk], best: list[list[int]]) -> list[MetricRow]:
    figures: dict[str, list[float]] = {f"{metric}, {name}": [] for metric in _METRICS}
    for question, numbers in zip(questions, best, strict=True):
        retrieved = list(_in_place((chunks[number] for number in numbers), question.corpus))
        everywhere = [chunk.span for chunk in chunks if chunk.corpus == question.corpus]
        values = judge(retrieved, question.excerpts)
        values["precision omega"] = precision_omega(everywhere, question.excerpts)
        for metric, value in values.items():
            figures[f"{metric}, {name}"].append(value)
    return mean_rows(figures, _published() if name.startswith("ours") and str(_EQUAL_TOKENS) in name else {})


def _in_place(chunks: Iterator[Chunk], corpus: str) -> Iterator[Span]:
    """Yield the spans of chunks; those of another corpus far behind the end, where nothing is evidence."""
    away = 1_000_000_000
    for chunk in chunks:
        shift = 0 if chunk.corpus == corpus else away
        yield Span(chunk.span.start + shift, chunk.span.end + shift)


def _published() -> Mapping[str, Sequence[Published]]:
    columns = zip(*(entry[1:5] for entry in _TABLE), strict=True)
    return {
        f"{metric}, ours, {_EQUAL_TOKENS} tokens": [
            Published(entry[0], value, f"{_HERO} ({entry[5]})") for entry, value in zip(_TABLE, values, strict=True)
        ]
        for metric, values in zip(_METRICS, columns, strict=True)
    }  # fmt: skip
