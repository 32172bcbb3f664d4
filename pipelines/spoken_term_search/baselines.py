"""Searches without a model: warping, and the simplest vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...datasets.spoken_term import Recording, SpokenTerm
from ..pipeline import Row
from .pairs import evenly_spaced
from .retrieval import with_search
from .unsegmented import add_unsegmented, searched
from .warping import warped_once

DTW, FRAMES, MEAN = "dynamic time warping", "ten frames", "mean frame"

_FRAMES = 10
_SMALLEST = 1e-8


def baselines(
    archive: Sequence[SpokenTerm],
    queries: Sequence[SpokenTerm],
    known: Sequence[np.ndarray],
    asked: Sequence[np.ndarray],
    cache: Path,
    recordings: Sequence[Recording] = (),
    whole: Sequence[np.ndarray] = (),
    frame_seconds: float = 0.01,
) -> dict[str, list[Row]]:
    """Lets simple methods search an archive by cepstra.

    - `dynamic time warping`: the exact comparison, frame by frame, of normalised cepstra, see `dtw.distances`.
    - `ten frames`: the cosine of vectors of ten evenly spaced normalised frames.
    - `mean frame`: the cosine of the mean frames, less the mean of those of the archive; normalised ones have none.

    Args:
        archive: terms in which is searched.
        queries: terms that are searched.
        known: cepstra of the archive, float arrays `(frames, size)`, not normalised.
        asked: the same of the queries.
        cache: folder in which is kept what warping finds.
        recordings: from which the archive was cut, in which warping searches too.
        whole: cepstra of the recordings.
        frame_seconds: from one frame to the next.
    """
    rows = [{"name": term.name, "label": term.label, "speaker": term.speaker, "error": ""} for term in queries]
    ours, theirs = ([normalised(frames) for frames in terms] for terms in (asked, known))
    in_full = [normalised(frames) for frames in whole]
    sought = searched([(term.label, term.speaker) for term in queries], recordings)
    warped = warped_once(cache, ours, theirs, in_full, sought, frame_seconds)
    found = {DTW: with_search(rows, archive, -warped.to_archive, warped.to_queries)}
    add_unsegmented(found[DTW], recordings, lambda place: warped.places[place])
    mean = _means(known).mean(axis=0)
    for name, some, others in (
        (FRAMES, evenly_spaced(ours, _FRAMES), evenly_spaced(theirs, _FRAMES)),
        (MEAN, _unit(_means(asked) - mean), _unit(_means(known) - mean)),
    ):
        found[name] = with_search(rows, archive, some @ others.T, 1.0 - some @ some.T)
    return found


def normalised(frames: np.ndarray) -> np.ndarray:
    """Frames `(frames, size)` of mean 0 and variance 1; what does not vary becomes 0.

    Example:
        >>> normalised(np.array([[1.0, 5.0], [3.0, 5.0]])).tolist()
        [[-1.0, 0.0], [1.0, 0.0]]
    """
    return (frames - frames.mean(axis=0)) / np.sqrt(np.maximum(frames.var(axis=0), _SMALLEST))


def _means(terms: Sequence[np.ndarray]) -> np.ndarray:
    """The mean frame of each term, float32 `(terms, size)`."""
    return np.array([frames.mean(axis=0) for frames in terms], np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _SMALLEST)
