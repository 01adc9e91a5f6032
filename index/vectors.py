"""Search by meaning: exact inner product over the passages' vectors, with FAISS. The only file that imports it."""

from collections.abc import Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from index.embed import Vectors
from index.errors import IndexDamagedError
from index.threads import cores, side_by_side

if TYPE_CHECKING:
    import faiss

__all__ = ["SPARE_HITS", "Mask", "Rows", "VectorIndex"]

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

SPARE_HITS = 14  # fetched beyond those asked for: mostly enough to see that none of equal score was cut off; by hand

_LEAST_ROWS_A_SHARE = 8_192  # by hand: fewer are searched in less time than it takes to ask a thread


class VectorIndex:
    """Find the rows whose vectors have the largest inner product with a query's.

    The search is exact (`IndexFlatIP`): the same corpus gives the same hits on every run, in whatever parts it is held.
    """

    def __init__(self, parts: Sequence["faiss.IndexFlatIP"], row_of_slot: Rows | None = None) -> None:
        self._parts = tuple(parts)
        sizes = np.array([part.ntotal for part in parts], dtype=np.int64)
        self._ends = np.cumsum(sizes)
        self._starts = self._ends - sizes
        slots = np.arange(self._ends[-1] if parts else 0, dtype=np.int64)
        self._row_of_slot = slots if row_of_slot is None else row_of_slot
        self._slot_of_row = np.argsort(self._row_of_slot)

    @classmethod
    def build(cls, vectors: Vectors) -> "VectorIndex":
        """Index vectors of shape ``(rows, dimension)``, float32, rows of length 1."""
        import faiss

        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors))
        return cls([index])

    @classmethod
    def load(cls, path: Path, *, rows: int, dimension: int) -> "VectorIndex":
        """Read a saved index and check that it has the rows and the dimension that its manifest names."""
        import faiss

        faiss.set_deserialization_vector_byte_limit(max(1 << 20, 8 * rows * dimension))
        try:
            index = faiss.read_index(str(path))
        except RuntimeError as error:
            raise IndexDamagedError(f"{path}: FAISS cannot read it ({error}); the next write builds it anew") from error
        if (type(index), index.ntotal, index.d) != (faiss.IndexFlatIP, rows, dimension):
            raise IndexDamagedError(
                f"{path}: {index.ntotal} x {index.d} vectors, the manifest says {rows} x {dimension}"
            )
        return cls([index])  # type: ignore[list-item] # its type has just been compared

    @classmethod
    def joined(cls, parts: Sequence["VectorIndex"], row_of_slot: Rows) -> "VectorIndex":
        """Search several as one. Their vectors, one part behind the other, are in the order of slots."""
        return cls([part for several in parts for part in several._parts], row_of_slot)

    def save(self, path: Path) -> None:
        """Write the index to a file; it must be of one part."""
        import faiss

        (part,) = self._parts
        faiss.write_index(part, str(path))

    def search(self, query: Vectors, *, limit: int, allowed: Mask) -> tuple[Rows, Vectors]:
        """Return the rows of the best hits and their inner products, best first, equal ones by row.

        `query` has shape ``(dimension,)``; only rows where `allowed` is True are considered.
        """
        slots_allowed = allowed[self._row_of_slot]
        count = int(slots_allowed.sum())
        if not count:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        fetch = min(limit + SPARE_HITS, count)
        while True:
            slots, scores = self._best_slots(query, fetch, slots_allowed)
            rows = self._row_of_slot[slots]
            order = np.lexsort((rows, -scores))[:limit]
            if fetch == count or scores.min() < scores[order[-1]]:
                return rows[order], scores[order]
            fetch = min(4 * fetch, count)

    def scores(self, query: Vectors, rows: Rows) -> Vectors:
        """Return the inner products of a query of shape ``(dimension,)`` with the given rows."""
        vectors = np.empty((len(rows), len(query)), dtype=np.float32)
        slots = self._slot_of_row[rows]
        part_of = np.searchsorted(self._ends, slots, side="right")
        for number in np.unique(part_of):
            inside = part_of == number
            part = self._parts[number]
            vectors[inside] = part.reconstruct_batch(slots[inside] - self._starts[number])
        return np.asarray((vectors * query).sum(axis=1), dtype=np.float32)  # `@` would round by what stands beside

    def _best_slots(self, query: Vectors, count: int, allowed: Mask) -> tuple[Rows, Vectors]:
        """Return the slots of the best `count`, in no order; of equal ones at the end some may be missing."""
        shares = max(1, min(cores(), len(allowed) // _LEAST_ROWS_A_SHARE))
        ends = [len(allowed) * share // shares for share in range(shares + 1)]
        found = side_by_side(lambda share: self._best_within(query, count, allowed, *share), list(pairwise(ends)))
        slots, scores = (np.concatenate(arrays) for arrays in zip(*chain.from_iterable(found), strict=True))
        best = np.argsort(-scores, kind="stable")[:count]
        return slots[best], scores[best]

    def _best_within(
        self, query: Vectors, count: int, allowed: Mask, first: int, end: int
    ) -> list[tuple[Rows, Vectors]]:
        """Return of each part the best `count` slots, or fewer, from `first` up to `end`, with their inner products."""
        import faiss

        found = []
        within = np.zeros_like(allowed)
        within[first:end] = allowed[first:end]
        for part, start in zip(self._parts, self._starts.tolist(), strict=True):
            own = within[start : start + part.ntotal]
            if not own.any():
                continue
            # A selector even where all are allowed: FAISS 1.15 then takes a code path several times as fast.
            bits = np.packbits(own, bitorder="little")
            selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type] # the stubs show the C++ call
            options = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg] # as above
            scores, slots = part.search(query[np.newaxis], min(count, int(own.sum())), params=options)
            found.append((slots[0] + start, scores[0]))
        return found
