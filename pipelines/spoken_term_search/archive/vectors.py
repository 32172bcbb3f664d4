"""Which vectors of many are nearest to a query: FAISS behind a small interface."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from ...errors import UserError
from ...run_directory import write_whole

Kind: TypeAlias = Literal["exact", "approximate"]

_TOLERANCE = 1e-3  # of a length of 1: float32 and bfloat16 vectors that were divided by their length

# Of 10^5 clustered vectors of 128 dimensions they find the ten nearest with recall 0.993, of 10^6 with 0.986. A graph
# (HNSW) answers 10^6 in 0.6 of the time, but takes 18 times as long to build, half as much memory again, and all of it.
_LISTS = 2  # times the square root of the number of vectors
_PROBES = 64  # lists that are looked through; all of them below about 2,500 vectors: then the answer is exact
_LEARNT_FROM = 39, 64  # vectors for each list: as few as FAISS asks for, and as many as it is given
_OUTGROWN = 2  # times as many lists as there are
_INVERTED_LISTS = b"IwFl"  # the first bytes of such a file


class VectorIndex:
    """The nearest vectors by cosine; what is searched has unit length.

    - `"exact"`: every vector is compared.
    - `"approximate"`: vectors lie in lists around centroids that k-means learns, and the 64 lists whose centroids are
      nearest to the query are looked through (IVF-Flat). There are about `2 * sqrt(vectors)` lists; when an index has
      grown so that there should be more than twice as many, they are learnt anew from all vectors.

    The same calls give the same index.

    Args:
        vectors: float32 array `(vectors, dimension)` of unit length; there may be none.
        kind: see above.

    Raises:
        ValueError: if the vectors are no such array, or not of unit length.

    Example:
        >>> index = VectorIndex(np.eye(3, dtype="float32"))
        >>> scores, rows = index.search(np.array([[0.6, 0.8, 0.0]], np.float32), k=2)
        >>> rows.tolist(), scores.round(3).tolist()
        ([[1, 0]], [[0.800000011920929, 0.6000000238418579]])

    References:
        - [Douze et al., 2024, The Faiss library](https://arxiv.org/abs/2401.08281)
        - [Sivic and Zisserman, 2003, Video Google](https://doi.org/10.1109/ICCV.2003.1238663), for inverted lists.
    """

    def __init__(self, vectors: np.ndarray, kind: Kind = "exact") -> None:
        if kind not in ("exact", "approximate"):
            raise ValueError(f"kind must be 'exact' or 'approximate', got {kind!r}")
        if not isinstance(vectors, np.ndarray) or vectors.ndim != 2 or not vectors.shape[1]:
            raise ValueError(f"vectors must be an array (vectors, dimension), got {_described(vectors)}")
        self.kind, self.dimension, self._mapped = kind, vectors.shape[1], False
        self._index = _learnt(_checked("vectors", vectors, self.dimension), kind)

    def __len__(self) -> int:
        return self._index.ntotal

    def add(self, vectors: np.ndarray) -> None:
        """Adds vectors behind the others.

        Args:
            vectors: float32 array `(vectors, dimension)` of unit length.

        Raises:
            ValueError: if they are no such array, or the index is read from a file that is mapped.
        """
        if self._mapped:
            raise ValueError("an index that is mapped from a file cannot grow: load it with mapped=False")
        vectors = _checked("vectors", vectors, self.dimension)
        if self.kind == "exact" or (self._index.is_trained and self._lasts(len(self) + len(vectors))):
            self._index.add(vectors)
        else:
            self._index = _learnt(np.concatenate([self._vectors(), vectors]), self.kind)

    def search(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The nearest vectors of each query, best first; of those that are found, equal ones by their rows.

        Args:
            queries: float32 array `(queries, dimension)` of unit length.
            k: how many vectors are wanted, at least 1.

        Returns:
            scores: float32 array `(queries, min(k, vectors))`, cosines.
            rows: int64 array of that shape, from 0 in the order in which the vectors were added. Where an approximate
                search finds fewer, rows are -1 and scores are `-inf` at the end.

        Raises:
            ValueError: if the queries are no such array, or `k` is not positive.
        """
        queries = _checked("queries", queries, self.dimension)
        if k < 1:
            raise ValueError(f"k must be a positive integer, got k={k}")
        if not len(self):
            return np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
        scores, rows = self._index.search(queries, min(k, len(self)))
        scores[rows < 0] = -np.inf
        order = np.lexsort((rows, -scores), axis=1)
        return np.take_along_axis(scores, order, axis=1), np.take_along_axis(rows, order, axis=1)

    def save(self, path: Path) -> None:
        """Writes a file in the format of FAISS, whole or not at all.

        Raises:
            UserError: if there is no space left.
        """
        write_whole(path, self.write)

    def write(self, path: Path) -> None:
        """Writes that file into a folder that is itself written whole or not at all.

        Raises:
            OSError: if it cannot be written to its end.
        """
        import faiss

        with path.open("wb") as file:  # FAISS itself does not tell when the last bytes do not fit on the disk any more
            faiss.write_index(self._index, faiss.PyCallbackIOWriter(file.write))  # type: ignore[attr-defined]

    @classmethod
    def load(cls, path: Path, mapped: bool = True) -> VectorIndex:
        """Reads what `save` wrote.

        Args:
            path: the file.
            mapped: whether the vectors stay in the file, of which searches read what they need, and the index cannot
                grow; else all is read into the memory.

        Raises:
            UserError: if the file is missing, damaged, or another kind of index.
        """
        import faiss

        try:
            with path.open("rb") as file:
                has_lists = file.read(len(_INVERTED_LISTS)) == _INVERTED_LISTS
            flag = faiss.IO_FLAG_MMAP if has_lists else faiss.IO_FLAG_MMAP_IFC
            read: Any = faiss.read_index(str(path), flag if mapped else 0)
        except (OSError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            raise UserError(f"{path} cannot be read as an index of vectors: {reason}") from error
        if type(read) not in (faiss.IndexFlatIP, faiss.IndexIVFFlat):
            raise UserError(f"{path} cannot be read as an index of vectors: it is of type {type(read).__name__}")
        index = cls.__new__(cls)
        index._index, index._mapped, index.dimension = read, mapped, read.d
        index.kind = "approximate" if has_lists else "exact"
        if has_lists:
            read.nprobe = _PROBES
        if has_lists and mapped:  # threads that read ahead cost six times what they read for
            lists: Any = faiss.downcast_InvertedLists(read.invlists)
            lists.prefetch_nthread = 0
        return index

    def _lasts(self, count: int) -> bool:
        """Whether the lists are enough for so many vectors."""
        return _lists(count) <= _OUTGROWN * self._index.nlist

    def _vectors(self) -> np.ndarray:
        """All vectors, in the order of the rows."""
        self._index.make_direct_map(True)
        vectors = self._index.reconstruct_n(0, len(self))
        self._index.make_direct_map(False)
        return vectors


def _learnt(vectors: np.ndarray, kind: Kind) -> Any:
    import faiss

    dimension = vectors.shape[1]
    index: Any = faiss.IndexFlatIP(dimension)
    if kind == "approximate":
        index = faiss.IndexIVFFlat(index, dimension, _lists(len(vectors)), faiss.METRIC_INNER_PRODUCT)
        index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, _LEARNT_FROM[1]
        index.nprobe = _PROBES
    if len(vectors):
        index.train(vectors)
        index.add(vectors)
    return index


def _lists(count: int) -> int:
    return max(min(_LISTS * math.isqrt(count), count // _LEARNT_FROM[0]), 1)


def _checked(name: str, vectors: np.ndarray, dimension: int) -> np.ndarray:
    if not isinstance(vectors, np.ndarray) or vectors.dtype != np.float32 or vectors.shape[1:] != (dimension,):
        raise ValueError(f"{name} must be a float32 array ({name}, {dimension}), got {_described(vectors)}")
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = ~(np.abs(lengths - 1) <= _TOLERANCE)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"{name} must have unit length, got a length of {lengths[row]:.4g} in row {row}")
    return np.ascontiguousarray(vectors)


def _described(vectors: object) -> str:
    return f"{vectors.dtype} {vectors.shape}" if isinstance(vectors, np.ndarray) else type(vectors).__name__
