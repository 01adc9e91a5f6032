"""Choose how articles are cut and what is embedded with a passage: ``python -m eval.fit.passages --data FOLDER``.

Tries token budgets, an overlap of one sentence and headers, with the model and the fusion that the index uses, on the
development cases and the fitting halves of some public sets. Two figures each: nDCG@10 over passages (documents for
SQuAD), and the share of needs met within the first 800 tokens of retrieved text, because larger passages bring more
text at the same k. Of a set's articles those are searched that its fitting half is about, so that a run takes minutes.
A second table tells what the answers to the cases over seeds/ are worth with each budget.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from eval.benchmarks.corpus import Remembering
from eval.fit.command import run_fit, table_head, table_line
from eval.fit.judged import asked, development_cases
from eval.fit.quoter import COLUMNS, outcome, summary
from eval.fit.retrieval_sets import Places, RetrievalSet, chosen_sets, gain
from index.article import Article
from index.embed import Embedder, Vectors
from index.fuse import fuse
from index.lexical import WordIndex
from index.passage import Chunking, Passage, header_of, split
from index.sentences import split_sentences
from index.tokens import count_tokens, token_starts
from rag.quoter_model import QuoterModel
from rag.reader import reader_beside

__all__ = [
    "SETS",
    "TRIES",
    "Figures",
    "Try",
    "answers_table",
    "figures",
    "fitting_half",
    "overlapping",
    "table",
    "windows",
]

SETS = ("squad", "multihop_rag", "chunking")
_K = 10
_BUDGET_TOKENS = 800
_MOST_QUESTIONS = 400
_SIZES = (64, 96, 128, 160, 200)
Cutter = Callable[[Article, Embedder], list[Passage]]
Header = Callable[[Article, Embedder], str]


def _cut(max_tokens: int) -> Cutter:
    return lambda article, embedder: split(article, embedder, Chunking(max_tokens=max_tokens))


def overlapping(cut: Cutter) -> Cutter:
    """Return a cutter that lets each passage begin with the last sentence of the one before it."""

    def overlapped(article: Article, embedder: Embedder) -> list[Passage]:
        passages = cut(article, embedder)
        starts = [span.start for span in split_sentences(article.text)]
        longer = passages[:1]
        for before, passage in pairwise(passages):
            start = max(before.start, starts[max(0, bisect_left(starts, passage.start) - 1)])
            longer.append(replace(passage, start=start, text=article.text[start : passage.end]))
        return longer

    return overlapped


def windows(max_tokens: int) -> Cutter:
    """Return the simplest cutter: so many tokens each, whatever they cut through."""

    def cut(article: Article, embedder: Embedder) -> list[Passage]:
        text = article.text
        starts = [*token_starts(text)[::max_tokens], len(text)]
        return [
            Passage(article_id=article.id, revision=article.revision, start=start, end=end, text=text[start:end])
            for start, end in pairwise(starts) if start < end
        ]  # fmt: skip

    return cut


def _title(article: Article, embedder: Embedder) -> str:
    return header_of(replace(article, source=None, published=None), embedder)


def _title_and_source(article: Article, embedder: Embedder) -> str:
    return header_of(replace(article, published=None), embedder)


def _no_header(article: Article, embedder: Embedder) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Try:
    """Hold a way to cut articles, and the line that is embedded and searched with each passage."""

    cut: Cutter
    header: Header = header_of


TRIES: Mapping[str, Try] = {
    **{f"{size} tokens": Try(_cut(size)) for size in _SIZES},
    "128 tokens, overlap of a sentence": Try(overlapping(_cut(128))),
    "windows of 128 tokens": Try(windows(128)),
    "windows of 200 tokens": Try(windows(200)),
    "128 tokens, title and source": Try(_cut(128), _title_and_source),
    "128 tokens, title alone": Try(_cut(128), _title),
    "128 tokens, no header": Try(_cut(128), _no_header),
}
"""What was tried; where nothing else is said, the header is title, source and day, and nothing overlaps."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Hold nDCG@10, the share of needs met within 800 tokens, how many passages there were and their mean tokens."""

    ndcg: float
    within: float
    passages: int
    tokens: float


def fitting_half(data: RetrievalSet, *, most: int = _MOST_QUESTIONS) -> RetrievalSet:
    """Return a set with at most so many questions, evenly taken from its fitting half, and the articles they need.

    Of a set whose needs name no document every article stays.
    """
    fit = [question for question in data.questions if question.fits]
    asked = tuple(fit[:: -(-len(fit) // most)]) if fit else ()
    needs = [need for question in fit for need in question.needs]
    wanted = {name for need in needs for name in (*need.documents, *(s.document for s in need.stretches))}
    articles = tuple(article for article in data.articles if not wanted or article.id in wanted)
    return replace(data, articles=articles, questions=asked)


def figures(data: RetrievalSet, attempt: Try, embedder: Embedder, memory: Remembering) -> Figures:
    """Cut and search the articles of a set, and judge what its questions find."""
    passages, headers = [], []
    for article in data.articles:
        cut = attempt.cut(article, embedder)
        passages += cut
        headers += [attempt.header(article, embedder)] * len(cut)
    pairs = [(header, passage.text) for header, passage in zip(headers, passages, strict=True)]
    vectors = memory([f"{header}\n{text}" if header else text for header, text in pairs])
    words, every = WordIndex.build(pairs), np.ones(len(pairs), dtype=np.bool_)
    places = Places.of(data, data.questions, passages)
    units = Places.of(replace(data, by_document=False), data.questions, passages).met
    sizes = count_tokens([text for _, text in pairs])
    gains, shares = [], []
    asked = memory([question.text.strip() for question in data.questions])
    for number, (question, vector) in enumerate(zip(data.questions, asked, strict=True)):
        bm25 = np.zeros(len(pairs), dtype=np.float32)
        rows, scores = words.search(question.text, limit=len(pairs), allowed=every)
        bm25[rows] = scores
        fused = fuse(vectors @ vector, bm25)
        needs = places.needs[number]
        gains.append(gain(places.ranked(fused, _K), places.met[number], needs))
        shares.append(_share_within(fused, sizes, units[number]) / needs)
    return Figures(float(np.mean(gains)), float(np.mean(shares)), len(pairs), float(np.mean(sizes)))


def _share_within(fused: Vectors, sizes: Sequence[int], met: Mapping[int, frozenset[int]]) -> int:
    """Return how many needs are met by the best passages that together have at most 800 tokens."""
    held: set[int] = set()
    room = _BUDGET_TOKENS
    for row in np.argsort(-fused, kind="stable").tolist():
        room -= sizes[row]
        if room < 0:
            break
        held |= met.get(row, frozenset())
    return len(held)


def table(sets: Sequence[RetrievalSet], tries: Mapping[str, Try], embedder: Embedder) -> list[str]:
    """Return the lines of the table of tries: for each set nDCG@10 and, behind a slash, needs met in 800 tokens."""
    memory = Remembering(embedder.embed_passages)
    names = ["tried", *(data.name for data in sets), "mean", "passages", "mean tokens"]
    lines = table_head(names)
    for name, attempt in tries.items():
        row = [figures(data, attempt, embedder, memory) for data in sets]
        mean = f"{np.mean([f.ndcg for f in row]):.4f} / {np.mean([f.within for f in row]):.4f}"
        count = sum(f.passages for f in row)
        tokens = f"{sum(f.tokens * f.passages for f in row) / count:.0f}"
        cells = [name, *(f"{f.ndcg:.3f} / {f.within:.3f}" for f in row), mean, f"{count:,}", tokens]
        lines.append(table_line(cells))
    return lines


def answers_table(sizes: Sequence[int]) -> list[str]:
    """Return the lines of the table of answers over seeds/, by the token budget of a passage."""
    model = QuoterModel.load()
    lines = table_head(["tried", *COLUMNS])
    for size in sizes:
        with development_cases(Chunking(max_tokens=size)) as (index, cases):
            found = asked(index, cases, reader_beside(index), model.reach)
        results = [outcome(each, model) for each in found]
        lines.append(table_line([f"{size} tokens", *(f"{figure:.3f}" for figure in summary(results))]))
    return lines


def main() -> None:
    """Print the tables of tries."""
    chosen, embedder = chosen_sets(main.__doc__, SETS)
    sets = [fitting_half(data) for data in chosen]
    print(*table(sets, TRIES, embedder), "", *answers_table(_SIZES), sep="\n")


if __name__ == "__main__":
    run_fit(main)
