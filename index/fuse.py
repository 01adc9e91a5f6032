"""Fusion of the scores of two searches into one ranking."""

import numpy as np

from index.embed import Vectors

__all__ = ["DENSE_WEIGHT", "fuse"]

DENSE_WEIGHT = 0.8
"""How much meaning counts against words: the value that Bruch et al. (below) found robust across collections."""

_LOWEST_COSINE = -1.0
_LOWEST_BM25 = 0.0


def fuse(dense: Vectors, lexical: Vectors, *, dense_weight: float = DENSE_WEIGHT) -> Vectors:
    """Return a convex combination of normalised scores, shape ``(rows,)``, in 0..1.

    Each score is scaled from the least value that its kind can take to the best one of this query. Source: Bruch, Gai
    and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", ACM TOIS 42(1), 2023, arXiv 2210.11934.

    >>> [round(score, 2) for score in fuse(np.array([1.0, 0.0]), np.array([0.0, 4.0])).tolist()]
    [0.8, 0.6]
    """
    scaled = dense_weight * _scaled(dense, _LOWEST_COSINE) + (1 - dense_weight) * _scaled(lexical, _LOWEST_BM25)
    return np.asarray(scaled, dtype=np.float32)


def _scaled(scores: Vectors, lowest: float) -> Vectors:
    best = float(scores.max(initial=lowest))
    if best <= lowest:
        return np.zeros_like(scores)
    return np.asarray((scores - lowest) / (best - lowest), dtype=np.float32)
