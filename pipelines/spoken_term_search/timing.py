"""How long the search for one query takes: by vectors, and by dynamic time warping."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from .archive.vectors import VectorIndex
from .baselines import normalised
from .dtw import distances

WARPING, LOOK_UP, FROM_SAMPLES = "warping", "look_up", "from_samples"

TOP = 10  # hits that are looked up


def milliseconds(
    sounds: Sequence[np.ndarray],
    cepstra: Sequence[np.ndarray],
    archive: np.ndarray,
    archive_cepstra: Sequence[np.ndarray],
    encode: Callable[[np.ndarray], np.ndarray],
) -> list[dict[str, float]]:
    """Searches for queries one by one, in three ways that take turns; what is done for the first time is not counted.

    - `warping`: the cepstra of the query against those of the whole archive, by compiled code on all cores.
    - `look_up`: the vector of the query in an exact index.
    - `from_samples`: the same from the samples on, with features and encoding.

    Args:
        sounds: float32 arrays `(samples,)`, the queries.
        cepstra: float arrays `(frames, size)`, the same, not normalised.
        archive: float32 array `(archive, d)`, vectors; those that are all zeros are left out.
        archive_cepstra: the cepstra of the archive.
        encode: gives the vector `(d,)` of a query, of unit length.
    """
    asked, known = ([normalised(frames) for frames in terms] for terms in (cepstra, archive_cepstra))
    index = VectorIndex(archive[archive.any(axis=1)])
    vectors = [encode(samples)[np.newaxis] for samples in sounds]
    ways: dict[str, Callable[[int], object]] = {
        WARPING: lambda place: distances([asked[place]], known),
        LOOK_UP: lambda place: index.search(vectors[place], TOP),
        FROM_SAMPLES: lambda place: index.search(encode(sounds[place])[np.newaxis], TOP),
    }
    if sounds:
        for way in ways.values():
            way(0)
    return [{name: _milliseconds(way, place) for name, way in ways.items()} for place in range(len(sounds))]


def _milliseconds(way: Callable[[int], object], place: int) -> float:
    started = time.perf_counter()
    way(place)
    return 1000 * (time.perf_counter() - started)
