"""A search by dynamic time warping: what vectors are measured against. No weight and no seed changes what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .dtw import distances, subsequence_distances
from .unsegmented import Place


class Warped(NamedTuple):
    """What warping has found.

    Attributes:
        to_archive: float32 array `(queries, archive)`, distances.
        to_queries: float32 array `(queries, queries)`.
        places: of each query that was sought in whole recordings, where it may occur.
    """

    to_archive: np.ndarray
    to_queries: np.ndarray
    places: dict[int, list[Place]]


def warped_once(
    cache: Path,
    queries: Sequence[np.ndarray],
    archive: Sequence[np.ndarray],
    recordings: Sequence[np.ndarray],
    sought: Sequence[int],
    frame_seconds: float,
) -> Warped:
    """Warps, unless the same frames were warped before: then what was found is read from disk.

    Args:
        cache: a folder.
        queries: float arrays `(frames, size)`.
        archive: the same of the terms in which is searched.
        recordings: the same of whole recordings.
        sought: rows of the queries that are sought in these.
        frame_seconds: from one frame to the next.
    """
    import joblib  # not above: validation needs neither

    frames = (list(queries), list(archive), list(recordings))
    warp = joblib.Memory(cache, verbose=0).cache(_warped, ignore=["frames"])  # of which it would keep a print, slowly
    return Warped(*warp(joblib.hash(frames), frames, list(sought), frame_seconds))


def places(query: np.ndarray, recordings: Sequence[np.ndarray], frame_seconds: float, hits: int = 5) -> list[Place]:
    """Where warping finds a query in recordings.

    Args:
        query: float array `(frames, size)`.
        recordings: the same of each recording.
        frame_seconds: from one frame to the next.
        hits: of each recording, at most.
    """
    return [
        Place(number, hit.start * frame_seconds, hit.end * frame_seconds, -hit.distance)
        for number, frames in enumerate(recordings)
        for hit in subsequence_distances(query, frames, hits)
    ]


def _warped(
    digest: str,
    frames: tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]],
    sought: list[int],
    frame_seconds: float,
) -> tuple[np.ndarray, np.ndarray, dict[int, list[Place]]]:
    """What `Warped` holds; the digest is that of the frames, by which it is found again."""
    queries, archive, recordings = frames
    found = {row: places(queries[row], recordings, frame_seconds) for row in sought}
    return distances(queries, archive), distances(queries, queries), found
