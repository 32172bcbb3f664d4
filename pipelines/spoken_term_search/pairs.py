"""Pairs of terms that probably are the same word, found without labels: what a correspondence autoencoder learns from.

References:
    - Jansen, Church and Hermansky, 2010. Towards Spoken Term Discovery at Scale with Zero Resources.
    - Levin, Henry, Jansen and Livescu, 2013. Fixed-Dimensional Acoustic Embeddings of Variable-Length Segments in
      Low-Resource Settings (frames taken evenly as a vector).
    - Kamper, Elsner, Jansen and Goldwater, 2015. Unsupervised Neural Network Based Feature Extraction Using Weak
      Top-Down Constraints (learning from discovered pairs).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .dtw import check_terms, pair_distances

_FRAMES = 10  # of the cheap vector
_CANDIDATES = 30  # of each term, at least


def discover(
    features: Sequence[np.ndarray],
    neighbours: int,
    speakers: Sequence[str | None] | None = None,
    candidates: int | None = None,
    mutual: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs each term with those that dynamic time warping finds nearest.

    Warping is slow, so it only sorts the `candidates` that are nearest to the term by a cheap vector: a few evenly
    spaced frames, one after the other, at unit length.

    Args:
        features: float arrays `(frames, size)`, one for each term, each of at least one frame.
        neighbours: how many others a term chooses at most.
        speakers: who speaks each term, `None` where unknown. Given, no pair has the same speaker twice; a term of
            which the speaker is unknown may pair with any.
        candidates: how many others of each term are warped, at least `neighbours`. Defaults to twice as many as
            `neighbours`, and to 30 if that is more.
        mutual: keep a pair only if each term chose the other; else it is enough if one did. Mutual pairs are fewer and
            more often right.

    Returns:
        int64 array `(pairs, 2)`, indices of terms of which the first is less, no pair twice; and float32 array
        `(pairs,)`, their distances. The nearest pair is first.

    Raises:
        ValueError: if `neighbours` is not in [1, candidates], there are not as many speakers as terms, or a term is
            empty or not finite.

    Example:
        >>> rising, falling = np.array([[0.0], [1.0], [2.0]]), np.array([[2.0], [1.0], [0.0]])
        >>> discover([rising, falling, rising + 0.2, falling], neighbours=1)
        (array([[1, 3],
               [0, 2]]), array([0. , 0.1], dtype=float32))
    """
    candidates = max(_CANDIDATES, 2 * neighbours) if candidates is None else candidates
    if not 1 <= neighbours <= candidates:
        raise ValueError(f"neighbours must lie in [1, candidates={candidates}], got neighbours={neighbours}")
    if speakers is not None and len(speakers) != len(features):
        raise ValueError(f"speakers must be as many as the {len(features)} terms, got {len(speakers)}")
    check_terms(features=features)
    terms, others = _candidates(evenly_spaced(features, _FRAMES), candidates, speakers)
    numbers = np.minimum(terms, others) * len(features) + np.maximum(terms, others)
    numbers, place = np.unique(numbers, return_inverse=True)  # what two terms propose is warped once
    pairs = np.column_stack(np.divmod(numbers, max(1, len(features))))
    distances = pair_distances(features, pairs)
    nearest = _nearest(terms, distances[place], neighbours)
    votes = np.bincount(place[nearest], minlength=len(pairs))  # 2 if both chose the other
    kept = np.flatnonzero(votes >= (2 if mutual else 1))
    kept = kept[np.argsort(distances[kept], kind="stable")]
    return pairs[kept], distances[kept]


def evenly_spaced(features: Sequence[np.ndarray], frames: int) -> np.ndarray:
    """A vector for each term: evenly spaced frames from the first to the last, interpolated linearly, at unit length.

    Args:
        features: float arrays `(frames, size)`, each of at least one frame.
        frames: how many are taken.

    Returns:
        float32 array `(terms, frames * size)`, zeros for a term that is nothing but zeros.

    Example:
        >>> evenly_spaced([np.array([[0.0], [3.0], [4.0]])], frames=2)
        array([[0., 1.]], dtype=float32)
    """
    size = features[0].shape[1] if len(features) else 0
    vectors = np.empty((len(features), frames, size), np.float32)
    for vector, term in zip(vectors, features, strict=True):
        places = np.linspace(0, len(term) - 1, frames)
        before = places.astype(np.int64)
        share = (places - before)[:, None]
        vector[:] = (1 - share) * term[before] + share * term[np.minimum(before + 1, len(term) - 1)]
    flat = vectors.reshape(len(features), frames * size)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def _candidates(
    vectors: np.ndarray, count: int, speakers: Sequence[str | None] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Each term, as often as it has candidates, and these: the others whose vectors are nearest."""
    import faiss  # not above: what needs no search needs it not

    rows = np.arange(len(vectors))
    known = np.array([speaker or "" for speaker in speakers or [None] * len(rows)])
    found = [np.empty((0, 2), np.int64)]
    for speaker in np.unique(known):
        of_speaker, others = rows[known == speaker], rows if not speaker else rows[known != speaker]
        if not len(others):
            continue
        most = min(count + 1, len(others))  # one more, since a term may find itself
        _, places = faiss.knn(vectors[of_speaker], vectors[others], most, metric=faiss.METRIC_INNER_PRODUCT)
        for term, near in zip(of_speaker, others[places], strict=True):
            near = near[near != term][:count]
            found.append(np.column_stack([np.full_like(near, term), near]))
    terms, others = np.concatenate(found).T
    return terms, others


def _nearest(terms: np.ndarray, distances: np.ndarray, count: int) -> np.ndarray:
    """The rows of the `count` least distances of each term; of equal distances those that come first."""
    order = np.lexsort([distances, terms])
    rank = np.arange(len(order)) - np.searchsorted(terms[order], terms[order])
    return order[rank < count]
