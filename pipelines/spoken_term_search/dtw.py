"""Dynamic time warping: how far apart two terms are, frame by frame, and where in a recording a term occurs.

The exact and slow way to search, against which the vectors are measured. The distance of two sequences of frames is the
Euclidean distance between frames, summed along the path through both on which the sum is least, divided by the sum of
both lengths. A path goes on by one frame in the one sequence, in the other, or in both, and each pair of frames that it
visits counts once. (Sakoe and Chiba divide by that same sum; in their symmetric form a step in both counts twice.)

References:
    - Sakoe and Chiba, 1978. Dynamic Programming Algorithm Optimization for Spoken Word Recognition.
    - Hazen, Shen and White, 2009. Query-by-Example Spoken Term Detection Using Phonetic Posteriorgram Templates.
    - Müller, 2007. Information Retrieval for Music and Motion, chapter 4 (subsequences).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from dtaidistance import dtw, dtw_ndim

_COST = "euclidean"
_PAIRS_AT_ONCE = 20_000  # a third of a second of words; an interruption is heard between two calls only
_ROWS_AT_ONCE = 16  # at least, since rows are what is divided among the cores
_PARALLEL = dtw.dtw_cc_omp is not None and dtw.dtw_cc_omp.is_openmp_supported()


class Hit(NamedTuple):
    """A stretch of a recording.

    Args:
        distance: to the query; less is better.
        start: the first frame.
        end: the frame after the last one.
    """

    distance: float
    start: int
    end: int


def distances(queries: Sequence[np.ndarray], archive: Sequence[np.ndarray]) -> np.ndarray:
    """The distance of every query to every term of an archive, by compiled code on all cores.

    Args:
        queries: float arrays `(frames, size)`, each of at least one frame; none has to have as many frames as another.
        archive: the same, of the same size.

    Returns:
        float32 array `(queries, archive)`.

    Raises:
        ValueError: if a term is empty or not finite, or terms have frames of different sizes.

    Example:
        >>> rising, late = np.array([[0.0], [1.0], [2.0]]), np.array([[0.0], [0.0], [0.0], [1.0], [2.0]])
        >>> distances([rising], [rising, late, rising * 2]).tolist()
        [[0.0, 0.0, 0.5]]
    """
    check_terms(queries=queries, archive=archive)
    costs = np.empty((len(queries), len(archive)), np.float32)
    rows = max(_ROWS_AT_ONCE, _PAIRS_AT_ONCE // max(1, len(queries)))
    for start in range(0, len(archive), rows):
        costs[:, start : start + rows] = _path_costs(archive[start : start + rows], queries).T
    return costs / np.add.outer(_lengths(queries), _lengths(archive))


def pair_distances(features: Sequence[np.ndarray], pairs: np.ndarray) -> np.ndarray:
    """The distances of some pairs of terms, by compiled code on all cores.

    Args:
        features: float arrays `(frames, size)`, each of at least one frame.
        pairs: int array `(pairs, 2)`, indices of terms. Fastest where few terms stand first in many pairs.

    Returns:
        float32 array `(pairs,)`.

    Raises:
        ValueError: if a term is empty or not finite, or terms have frames of different sizes.

    Example:
        >>> terms = [np.array([[0.0], [2.0]]), np.array([[1.0], [2.0]]), np.array([[0.0], [2.0], [2.0]])]
        >>> pair_distances(terms, np.array([[0, 1], [0, 2]])).tolist()
        [0.25, 0.0]
    """
    check_terms(features=features)
    costs = np.empty(len(pairs), np.float32)
    order = np.argsort(pairs[:, 0], kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(pairs[order, 0])) + 1) if len(pairs) else []:
        others = [features[term] for term in pairs[group, 1]]
        costs[group] = _path_costs(others, [features[pairs[group[0], 0]]])[:, 0]
    return costs / _lengths(features)[pairs].sum(axis=1)


def subsequence_distances(query: np.ndarray, recording: np.ndarray, hits: int = 5) -> list[Hit]:
    """Where a query occurs in a recording: the query is used whole, the recording may begin and end anywhere.

    Of all paths that end at one frame of the recording the cheapest says where the stretch starts. The hits are the
    stretches with the least distances, leaving out what overlaps with a better one; the distance of a hit is that
    between the query and `recording[hit.start : hit.end]`.

    Args:
        query: float array `(frames, size)`, at least one frame. It may be longer than the recording.
        recording: float array `(frames, size)`, at least one frame.
        hits: how many are wanted at most.

    Returns:
        between one and `hits` of them, best first; the earlier one of two that are equally good.

    Raises:
        ValueError: if the query or the recording is empty or not finite, or their frames have different sizes.

    Example:
        >>> query, recording = np.array([[3.0], [4.0]]), np.array([[0.0], [3.0], [4.0], [0.0], [3.0], [5.0]])
        >>> subsequence_distances(query, recording, hits=2)
        [Hit(distance=0.0, start=1, end=3), Hit(distance=0.25, start=4, end=6)]
    """
    check_terms(query=[query], recording=[recording])
    anywhere = [0, 0, len(recording), len(recording)]  # frames that the path may leave out: none of the query
    _, costs = dtw_ndim.warping_paths_fast(
        *_contiguous([query, recording]), psi=anywhere, psi_neg=False, keep_int_repr=True, inner_dist=_COST
    )  # (query + 1, recording + 1)
    starts = _starts(costs)
    ends = np.arange(len(recording)) + 1
    left = costs[-1, 1:] / (len(query) + ends - starts)
    found: list[Hit] = []
    while len(found) < hits and np.isfinite(best := left.min()):
        row = int(left.argmin())
        found.append(Hit(float(best), int(starts[row]), int(ends[row])))
        left[(starts < ends[row]) & (ends > starts[row])] = np.inf
    return found


def check_terms(**named: Sequence[np.ndarray]) -> None:
    """Refuses what cannot be warped.

    Args:
        **named: terms under the name of the argument that holds them.

    Raises:
        ValueError: if a term is no array `(frames, size)`, empty or not finite, or not all are of one size.
    """
    sizes = set()
    for name, terms in named.items():
        for frames in terms:
            if frames.ndim != 2 or not frames.size or not np.isfinite(frames).all():
                got = "values that are not finite" if frames.ndim == 2 and frames.size else f"shape {frames.shape}"
                raise ValueError(f"{name} must hold finite arrays (frames, size) of at least one frame, got {got}")
            sizes.add(frames.shape[1])
    if len(sizes) > 1:
        raise ValueError(f"{' and '.join(named)} must have frames of one size, got sizes {sorted(sizes)}")


def _path_costs(rows: Sequence[np.ndarray], columns: Sequence[np.ndarray]) -> np.ndarray:
    """The sums along the best paths, float64 `(rows, columns)`, of which the rows are divided among the cores."""
    if not len(rows) or not len(columns):
        return np.zeros((len(rows), len(columns)))
    both = len(rows) + len(columns)
    block = ((0, len(rows)), (len(rows), both))
    # Compact: else the answer is a matrix of all terms by all terms, of which most is empty.
    costs = dtw_ndim.distance_matrix_fast(
        _contiguous([*rows, *columns]), block=block, compact=True, parallel=_PARALLEL, inner_dist=_COST
    )
    return np.frombuffer(costs).reshape(len(rows), len(columns))


def _starts(costs: np.ndarray) -> np.ndarray:
    """For each last frame of a path through the whole query its first one.

    Args:
        costs: `(query + 1, recording + 1)`, where row 0 and column 0 stand before the first frames.

    Returns:
        int array `(recording,)`.
    """
    both, query, recording = costs[1:-1, :-1], costs[1:-1, 1:], costs[2:, :-1]  # what went on in the last step
    stayed = recording < np.minimum(both, query)  # in its row of `costs`: (query - 1, recording)
    # The last column at or before each one at which the path came from the row above, and there from which column.
    columns = np.arange(costs.shape[1] - 1)
    entered = np.maximum.accumulate(np.where(stayed, 0, columns), axis=1)
    above = entered - np.take_along_axis(both <= query, entered, axis=1)
    starts = columns
    for row in above:
        starts = starts[row]
    return starts


def _contiguous(terms: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What the compiled code reads: rows of doubles, one after the other."""
    return [np.ascontiguousarray(frames, np.float64) for frames in terms]


def _lengths(terms: Sequence[np.ndarray]) -> np.ndarray:
    return np.array([len(frames) for frames in terms], np.float32)
