"""Cut a text where its subject changes: the two chunkers of the chunking report that ask an embedder where.

Smith, Troynikov: Evaluating Chunking Strategies for Retrieval (Chroma, 2024): `ClusterSemanticChunker`, and the version
of Greg Kamradt's chunker that aims at a size. No package registry has them; this is our reading of what those in the
repository brandonstarxel/chunking_evaluation (MIT) do, without their code. Both begin with pieces of at most 50 tokens.
An embedder is any function from texts to rows of length 1, so that cosines are plain products.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["PIECE_TOKENS", "Embed", "Rows", "by_cluster", "by_distance", "cluster_starts"]

PIECE_TOKENS = 50
_NEIGHBOURS = 3  # pieces before a piece, and as many behind it, that are embedded with it to measure distances

Rows = npt.NDArray[np.floating[Any]]
Embed = Callable[[tuple[str, ...]], Rows]


def by_cluster(pieces: Sequence[str], embed: Embed, *, most_tokens: int) -> list[str]:
    """Return chunks whose pieces are as alike as can be; none has more pieces than fit into so many tokens.

    As in the set, pieces are counted, not tokens: a chunk of 200 tokens has at most four, however short they are.
    """
    return _joined(pieces, cluster_starts(embed(tuple(pieces)), most_tokens // PIECE_TOKENS))


def cluster_starts(vectors: Rows, most: int) -> list[int]:
    """Return where the chunks begin that hold the most likeness, of at most so many pieces each.

    The likeness that a chunk holds is the sum, over its pairs of pieces, of their cosine less the mean cosine of all
    pairs of the text. Dynamic programming: the best way to cut what ends here is the best way to cut what ends at the
    beginning of some last chunk, and that chunk.
    """
    total = len(vectors)
    sums = np.vstack([np.zeros(vectors.shape[1]), np.cumsum(vectors, axis=0, dtype=np.float64)])
    mean = _pairs(sums[total], total) / max(total * (total - 1), 1)
    best, begins = np.zeros(total + 1), np.zeros(total + 1, dtype=np.intp)
    for end in range(1, total + 1):
        starts = np.arange(max(end - most, 0), end)
        sizes = end - starts
        likeness = best[starts] + _pairs(sums[end] - sums[starts], sizes) - mean * sizes * (sizes - 1)
        begins[end] = starts[likeness.argmax()]
        best[end] = likeness.max()
    return _followed_back(begins)


def _pairs(sums: Rows, sizes: npt.NDArray[np.intp] | int) -> Rows:
    """Return the sum of the cosines of all ordered pairs among so many rows of length 1, from the sum of the rows."""
    squares: Rows = (sums**2).sum(axis=-1)
    return squares - sizes


def _followed_back(begins: npt.NDArray[np.intp]) -> list[int]:
    """Return where each chunk begins, given where the last one begins of what ends at a place."""
    places, place = [], len(begins) - 1
    while place:
        place = int(begins[place])
        places.append(place)
    return places[::-1]


def by_distance(pieces: Sequence[str], embed: Embed, *, mean_tokens: int, count: Callable[[str], int]) -> list[str]:
    """Return chunks of about so many tokens on average, cut where a piece is least like the next.

    Each piece is embedded between its neighbours. The set searches, by halving, for the distance that no more places
    exceed than the text has tokens for; those are the most distant places, so that they are taken without a search.
    """
    reach = range(len(pieces))
    vectors = embed(tuple("".join(pieces[max(n - _NEIGHBOURS, 0) : n + _NEIGHBOURS + 1]) for n in reach))
    alike = (vectors[:-1] * vectors[1:]).sum(axis=1)
    cuts = sum(map(count, pieces)) // mean_tokens
    farthest = np.argsort(alike, kind="stable")[:cuts] + 1
    return _joined(pieces, [0, *sorted(farthest.tolist())])


def _joined(pieces: Sequence[str], begins: Sequence[int]) -> list[str]:
    return ["".join(pieces[begin:end]) for begin, end in pairwise([*begins, len(pieces)]) if begin < end]
