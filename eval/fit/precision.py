"""Choose how the bundled model is quantized: `python -m eval.fit.precision SQUAD_TRAIN`, a JSON or JSON Lines file.

Prints, for bfloat16 and for int8 at several strengths of SmoothQuant, how near each comes to float32 on paragraphs and
questions that the calibration has not seen. Chosen on SQuAD's training articles; `make bench-embed` measures the choice
on those of its development set.
"""

import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eval.benchmarks.squad import read_paragraphs
from eval.fit.command import run_fit
from index.embed import SentenceTransformerEmbedder, Vectors
from index.encoder import Encoder
from index.fast_embed import bundled_recipe
from index.prepare import Recipe

__all__ = ["Likeness", "Paragraphs", "likeness", "read_squad"]

SMOOTH = (-1.0, 0.6, 0.7, 0.8, 0.95)  # -1 is none; 0.95 is NNCF's default
_K = 10


@dataclass(frozen=True, slots=True)
class Paragraphs:
    """Hold paragraphs, and questions with the row of the paragraph that each was asked about."""

    texts: list[str]
    questions: list[str]
    rows: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """Say how near the rankings of one embedder come to those of another, over all questions.

    `overlap` is the mean share of the top 10 that both have, `same_first` of questions with the same first paragraph,
    `cosine` the mean between both vectors of a paragraph; `ndcg` and `reference_ndcg` are nDCG@10 of either.
    """

    cosine: float
    overlap: float
    same_first: float
    ndcg: float
    reference_ndcg: float

    def __str__(self) -> str:
        """Return the figures as a row of a table."""
        return (
            f"{self.cosine:.4f}   {100 * self.overlap:6.2f} % {100 * self.same_first:6.1f} %"
            f"   {100 * self.ndcg:6.2f}   {100 * self.reference_ndcg:6.2f}"
        )


def read_squad(path: Path, *, questions: int, paragraphs: int | None = None) -> Paragraphs:
    """Read distinct paragraphs, and so many answerable questions about them, drawn with a fixed seed.

    The file is SQuAD's own JSON, or JSON Lines of its paragraphs; either may be packed with gzip.
    """
    rows = read_paragraphs(path)
    texts = list(dict.fromkeys(row.context for row in rows))[:paragraphs]
    row_of = {text: row for row, text in enumerate(texts)}
    asked = [
        (question.question, row_of[row.context])
        for row in rows
        if row.context in row_of
        for question in row.qas
        if not question.is_impossible
    ]
    chosen = random.Random(0).sample(asked, min(questions, len(asked)))
    return Paragraphs(texts, [text for text, _ in chosen], np.array([row for _, row in chosen], dtype=np.int64))


def likeness(data: Paragraphs, ours: tuple[Vectors, Vectors], reference: tuple[Vectors, Vectors]) -> Likeness:
    """Compare vectors of paragraphs and questions, each shape ``(texts, dim)`` rows of length 1, with another's."""
    best, best_of_reference = _top(*ours), _top(*reference)
    shared = [len(set(a) & set(b)) / _K for a, b in zip(best.tolist(), best_of_reference.tolist(), strict=True)]
    return Likeness(
        cosine=float(np.mean(np.sum(ours[0] * reference[0], axis=1))),
        overlap=float(np.mean(shared)),
        same_first=float(np.mean(best[:, 0] == best_of_reference[:, 0])),
        ndcg=_ndcg(best, data.rows),
        reference_ndcg=_ndcg(best_of_reference, data.rows),
    )


def _top(paragraphs: Vectors, questions: Vectors) -> npt.NDArray[np.int64]:
    return np.argsort(-(questions @ paragraphs.T), axis=1, kind="stable")[:, :_K]


def _ndcg(best: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> float:
    """Return nDCG@10 where one paragraph is relevant: 1 / log2(1 + its rank), 0 below the tenth (Järvelin 2002)."""
    return float(np.mean(np.sum((best == rows[:, None]) / np.log2(np.arange(2, _K + 2)), axis=1)))


def _embed(recipe: Recipe, cache: Path) -> Callable[[Sequence[str]], Vectors]:
    encoder = Encoder.open(recipe, cache)
    return lambda texts: encoder.run(encoder.tokenize(texts))[0]


def main() -> None:
    """Print the table of tries."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m eval.fit.precision SQUAD_TRAIN.json, or .jsonl, or either with .gz")
    data = read_squad(Path(sys.argv[1]), questions=1000, paragraphs=400)
    reference = SentenceTransformerEmbedder()
    there = reference.embed_passages(data.texts), reference.embed_queries(data.questions)
    tries = {"bfloat16": replace(bundled_recipe(), precision="bfloat16")}
    tries |= {f"int8, smooth {smooth}": replace(bundled_recipe(), smooth=smooth) for smooth in SMOOTH}
    print(f"{len(data.texts)} paragraphs, {len(data.questions)} questions")
    print(f"{'':20} cosine   overlap   first   nDCG@10   of float32")
    with tempfile.TemporaryDirectory() as cache:
        for name, recipe in tries.items():
            embed = _embed(recipe, Path(cache))
            print(f"{name:20} {likeness(data, (embed(data.texts), embed(data.questions)), there)}", flush=True)


if __name__ == "__main__":
    run_fit(main)
