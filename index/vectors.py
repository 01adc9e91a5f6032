"""Search by meaning: exact inner product over the passages' vectors, with FAISS. The only file that imports it."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from index.embed import Vectors
from index.errors import IndexDamagedError

if TYPE_CHECKING:
    import faiss

__all__ = ["Mask", "Rows", "VectorIndex"]

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


class VectorIndex:
    """Find the rows whose vectors have the largest inner product with a query's.

    The search is exact (`IndexFlatIP`): the same corpus gives the same hits on every run.
    """

    def __init__(self, index: "faiss.IndexFlatIP") -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: Vectors) -> "VectorIndex":
        """Index vectors of shape ``(rows, dimension)``, float32, rows of length 1."""
        import faiss

        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors))
        return cls(index)

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
        return cls(index)  # type: ignore[arg-type] # its type has just been compared

    def save(self, path: Path) -> None:
        """Write the index to a file."""
        import faiss

        faiss.write_index(self._index, str(path))

    def search(self, query: Vectors, *, limit: int, allowed: Mask) -> tuple[Rows, Vectors]:
        """Return the rows of the best hits and their inner products, best first, equal ones by row.

        `query` has shape ``(dimension,)``; only rows where `allowed` is True are considered.
        """
        import faiss

        count = int(allowed.sum())
        if not count:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        options = None
        if count < len(allowed):
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type] # the stubs show the C++ call
            options = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg] # as above
        scores, rows = self._index.search(query[np.newaxis], min(limit, count), params=options)
        order = np.lexsort((rows[0], -scores[0]))
        return rows[0][order], scores[0][order]

    def scores(self, query: Vectors, rows: Rows) -> Vectors:
        """Return the inner products of a query of shape ``(dimension,)`` with the given rows."""
        if not len(rows):
            return np.empty(0, dtype=np.float32)
        return np.asarray(self._index.reconstruct_batch(rows) @ query, dtype=np.float32)
