"""Choose how the scores of both searches become one ranking: ``python -m eval.fit.fusion --data FOLDER``.

Every passage of a set is scored by meaning and by words for every question, once; each rule then ranks from those
scores. The table gives nDCG@10 on the fitting halves. The rule with the best mean, each set weighing the same, is
judged on the test halves beside meaning alone and words alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.fit.command import run_fit, table_head, table_line
from eval.fit.retrieval_sets import Places, RetrievalSet, chosen_sets, gain
from index.embed import Embedder, Vectors
from index.lexical import WordIndex
from index.passage import Chunking, header_of, split

__all__ = ["RULES", "SETS", "Judged", "Rule", "Scores", "best_rule", "held_out_lines", "judged", "scored"]

SETS = ("squad", "multihop_rag", "clapnq", "mtrag", "lihua")
_K = 10
_ALL = 10**9
_DEPTHS = (1, 5, 10)
Fused = Callable[[Vectors, Vectors], Vectors]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Hold the scores of a set's passages, shape ``(questions, passages)``, and which half each question is of.

    `words` has BM25 by what is searched: "one field" of header and text, "texts alone", "two fields"; `articles` the id
    of each passage's article.
    """

    name: str
    articles: tuple[str, ...]
    dense: Vectors
    words: Mapping[str, Vectors]
    places: Places
    fits: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Hold a way to rank: what is searched by words, how many hits of each search are fused, and how."""

    fused: Fused
    words: str = "one field"
    depth: int = _ALL


@dataclass(frozen=True, slots=True)
class Judged:
    """Hold nDCG@10 over the questions of a half, and the share with a first need met in the first 1, 5 and 10."""

    ndcg: float
    hits: tuple[float, ...]


def scored(data: RetrievalSet, embedder: Embedder, chunking: Chunking) -> Scores:
    """Cut, embed and index the articles of a set, and score all its passages for each of its questions."""
    passages, headers = [], []
    for article in data.articles:
        cut = split(article, embedder, chunking)
        passages += cut
        headers += [header_of(article, embedder)] * len(cut)
    pairs = [(header, passage.text) for header, passage in zip(headers, passages, strict=True)]
    vectors = embedder.embed_passages([f"{header}\n{text}" if header else text for header, text in pairs])
    questions = [question.text.strip() for question in data.questions]
    texts = _bm25([("", text) for _, text in pairs], questions)
    both = texts + np.float32(0.5) * _bm25([(header, "") for header, _ in pairs], questions)
    return Scores(
        name=data.name, articles=tuple(passage.article_id for passage in passages),
        dense=embedder.embed_queries(questions) @ vectors.T,
        words={"one field": _bm25(pairs, questions), "texts alone": texts, "two fields": both},
        places=Places.of(data, data.questions, passages), fits=tuple(question.fits for question in data.questions),
    )  # fmt: skip


def _bm25(pairs: Sequence[tuple[str, str]], questions: Sequence[str]) -> Vectors:
    index = WordIndex.build(pairs)
    every = np.ones(len(pairs), dtype=np.bool_)
    scores = np.zeros((len(questions), len(pairs)), dtype=np.float32)
    for row, question in zip(scores, questions, strict=True):
        found, bm25 = index.search(question, limit=len(pairs), allowed=every)
        row[found] = bm25
    return scores


# --- the rules: each takes and returns shape (questions, passages) ---------------------------------------------------


def _summed(weight: float) -> Fused:
    return lambda dense, words: np.asarray(weight * dense + (1 - weight) * words, dtype=np.float32)


def _scaled(weight: float) -> Fused:
    """Scale each score from the least that it can be to the best of the question (Bruch et al. 2023)."""
    return lambda dense, words: weight * _to_best(dense + 1) + (1 - weight) * _to_best(words)


def _to_best(scores: Vectors) -> Vectors:
    return np.asarray(scores / np.maximum(scores.max(axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _standardised(weight: float) -> Fused:
    return lambda dense, words: weight * _z(dense) + (1 - weight) * _z(words)


def _z(scores: Vectors) -> Vectors:
    centred = scores - scores.mean(axis=1, keepdims=True)
    return np.asarray(centred / (scores.std(axis=1, keepdims=True) + 1e-9), dtype=np.float32)


def _by_ranks(k: int) -> Fused:
    """Add reciprocal ranks (Cormack, Clarke and Buettcher 2009)."""
    return lambda dense, words: np.asarray(1 / (k + _ranks(dense)) + 1 / (k + _ranks(words)), dtype=np.float32)


def _ranks(scores: Vectors) -> Vectors:
    order = np.argsort(-scores, axis=1, kind="stable")
    return np.asarray(np.argsort(order, axis=1, kind="stable") + 1, dtype=np.float32)


def _softened(dense_heat: float, words_heat: float) -> Fused:
    return lambda dense, words: _softmax(dense / dense_heat) + _softmax(words / words_heat)


def _softmax(scores: Vectors) -> Vectors:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)


ALONE = {"dense only": Rule(fused=lambda dense, words: dense), "words only": Rule(fused=lambda dense, words: words)}
RULES: Mapping[str, Rule] = {
    **ALONE,
    **{f"scaled to the best, {w}": Rule(fused=_scaled(w)) for w in (0.8, 0.7, 0.6, 0.5)},
    **{f"z-scores, {w}": Rule(fused=_standardised(w)) for w in (0.6, 0.5, 0.4)},
    **{f"reciprocal ranks, k {k}": Rule(fused=_by_ranks(k)) for k in (5, 60)},
    "softmax, heat 0.1 and 4": Rule(fused=_softened(0.1, 4)),
    **{f"as they are, {w}": Rule(fused=_summed(w)) for w in (0.98, 0.97, 0.96, 0.95, 0.94)},
    "scaled 0.8, two fields, first 50": Rule(fused=_scaled(0.8), words="two fields", depth=50),
    "as they are 0.96, two fields": Rule(fused=_summed(0.96), words="two fields"),
    "as they are 0.96, texts alone": Rule(fused=_summed(0.96), words="texts alone"),
    **{f"as they are 0.96, first {n}": Rule(fused=_summed(0.96), depth=n) for n in (50, 100, 200, 400)},
}
"""The rules tried; a number is the weight of meaning. "Two fields" weighs words of the header half."""


def judged(scores: Scores, rule: Rule, *, fits: bool) -> Judged:
    """Rank the passages of a set by a rule for the questions of a half."""
    chosen = np.flatnonzero(np.array(scores.fits) == fits)
    dense, words = scores.dense[chosen], scores.words[rule.words][chosen]
    seen = np.ones_like(dense, dtype=np.bool_)
    if rule.depth < dense.shape[1]:
        in_words = (_ranks(words) <= rule.depth) & (words > 0)
        seen = in_words | (_ranks(dense) <= rule.depth)
        words = np.where(in_words, words, np.float32(0))
    fused = np.where(seen, rule.fused(dense, words), -np.inf)
    gains, hits = [], []
    for row, question in zip(fused, chosen.tolist(), strict=True):
        ranked, met = scores.places.ranked(row, _K), scores.places.met[question]
        gains.append(gain(ranked, met, scores.places.needs[question]))
        hits.append([any(unit in met for unit in ranked[:k]) for k in _DEPTHS])
    return Judged(float(np.mean(gains)), tuple(np.mean(hits, axis=0).tolist()))


def best_rule(sets: Sequence[Scores], rules: Mapping[str, Rule] = RULES) -> tuple[str, list[str]]:
    """Return the name of the rule with the best mean over the fitting halves, and the lines of the table of tries."""
    lines = table_head(["rule", *(scores.name for scores in sets), "mean"])
    means: dict[str, float] = {}
    for name, rule in rules.items():
        figures = [judged(scores, rule, fits=True).ndcg for scores in sets]
        means[name] = float(np.mean(figures))
        lines.append(table_line([name, *(f"{figure:.3f}" for figure in figures), f"{means[name]:.4f}"]))
    return max(means, key=lambda name: (means[name], name)), lines


def held_out_lines(sets: Sequence[Scores], rules: Mapping[str, Rule]) -> list[str]:
    """Return the lines of the table of rules on the test halves, for the sets that have one."""
    lines = table_head(["set", "rule", "questions", "nDCG@10", *(f"top {k}" for k in _DEPTHS)])
    for scores in (scores for scores in sets if not all(scores.fits)):
        for name, rule in rules.items():
            figures = judged(scores, rule, fits=False)
            shown = [f"{figure:.3f}" for figure in (figures.ndcg, *figures.hits)]
            lines.append(table_line([scores.name, name, f"{scores.fits.count(False):,}", *shown]))
    return lines


def main() -> None:
    """Print the table of tries, the rule that is best on the fitting halves, and what it does on the test halves."""
    chosen, embedder = chosen_sets(main.__doc__, SETS)
    sets = [scored(data, embedder, Chunking()) for data in chosen]
    best, lines = best_rule(sets)
    print("nDCG@10, fitting halves\n", *lines, f"\nbest: {best}\n\ntest halves\n", sep="\n")
    print(*held_out_lines(sets, {best: RULES[best], **ALONE}), sep="\n")


if __name__ == "__main__":
    run_fit(main)
