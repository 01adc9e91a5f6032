"""Fusion of the scores of two searches into one ranking."""

import numpy as np

from index.embed import Vectors

__all__ = ["DENSE_WEIGHT", "fuse"]

DENSE_WEIGHT = 0.96
"""How much a cosine counts against a BM25 score, which is some twenty times as large (`eval/fit/fusion.py`)."""


def fuse(dense: Vectors, lexical: Vectors, *, dense_weight: float = DENSE_WEIGHT) -> Vectors:
    """Return the weighted sum of cosines and BM25 scores as shares of the best one, shape ``(rows,)``, in 0..1.

    BM25 is taken as it is, not scaled to this query's best: the more words a query has and the rarer they are, the
    more its words count, and a query whose words are hardly found goes by meaning. The table of tries, where this rule
    stands against scaled scores and ranks, is in docs/fitting.md (`eval/fit/fusion.py`). Sums and their
    scaling: Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", ACM TOIS 42(1), 2023, arXiv
    2210.11934.

    >>> [round(score, 2) for score in fuse(np.array([1.0, 0.0]), np.array([0.0, 4.0]), dense_weight=0.8).tolist()]
    [1.0, 1.0]
    >>> [round(score, 2) for score in fuse(np.array([1.0, 0.0]), np.array([0.0, 10.0]), dense_weight=0.8).tolist()]
    [0.57, 1.0]
    """
    summed = dense_weight * (1 + dense) + (1 - dense_weight) * lexical  # a cosine is at least -1
    best = float(summed.max(initial=0.0))
    return np.asarray(np.maximum(summed, 0) / best if best > 0 else np.zeros_like(summed), dtype=np.float32)
