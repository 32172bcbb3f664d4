"""How well a search ranks: average precision, precision at k, and the same-different task with its curves.

References:
    - Manning, Raghavan and Schütze, 2008. Introduction to Information Retrieval, section 8.4.
    - Carlin, Thomas, Jansen and Hermansky, 2011. Rapid Evaluation of Speech Representations for Spoken Term Discovery.
    - Martin et al., 1997. The DET Curve in Assessment of Detection Task Performance.
"""

from __future__ import annotations

import numpy as np


def average_precision(relevant: np.ndarray) -> float:
    """The mean, over the relevant items, of the share of relevant ones among all that rank no lower.

    Args:
        relevant: bool array `(items,)` in the order of the ranking, best first.

    Raises:
        ValueError: if no item is relevant, for which it is not defined.

    Example:
        >>> average_precision(np.array([True, False, False, True]))
        0.75
    """
    ranks = np.flatnonzero(relevant) + 1
    if not ranks.size:
        raise ValueError("relevant must hold at least one relevant item, got none")
    return average_precision_of(ranks)


def relevant_ranks(scores: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """The ranks of the relevant items, where of two items with the same score the first one ranks higher.

    Args:
        scores: float array `(items,)`, more is better.
        relevant: bool array `(items,)`.

    Returns:
        int array `(relevant items,)`, from 1, increasing.

    Raises:
        ValueError: if a score is NaN, or there are not as many scores as items.

    Example:
        >>> relevant_ranks(np.array([0.1, 0.9, 0.5, 0.9]), np.array([False, False, True, True]))
        array([2, 3])
    """
    _check("scores", scores, "relevant", relevant)
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    return np.flatnonzero(np.asarray(relevant, bool)[order]) + 1


def average_precision_of(ranks: np.ndarray) -> float:
    """`average_precision`, from the increasing ranks of the relevant items, of which there is at least one.

    Example:
        >>> average_precision_of(np.array([1, 4]))
        0.75
    """
    return float((np.arange(1, len(ranks) + 1) / ranks).mean())


def precision_at(ranks: np.ndarray, k: int, count: int) -> float:
    """The share of relevant items among the first `k`, or among all where there are fewer than `k`.

    Args:
        ranks: int array, the ranks of the relevant items, from 1.
        k: how many items are looked at.
        count: how many items were ranked.

    Raises:
        ValueError: if `k` or `count` is not positive.

    Example:
        >>> precision_at(np.array([1, 4, 11]), k=10, count=2700)
        0.2
    """
    if k < 1 or count < 1:
        raise ValueError(f"k and count must be positive integers, got k={k}, count={count}")
    return int(np.sum(np.asarray(ranks) <= k)) / min(k, count)


def same_different(distances: np.ndarray, same: np.ndarray) -> float:
    """The average precision with which a threshold on the distance tells pairs of one word from pairs of two.

    It is the area under the precision-recall curve, in steps: at each distance that occurs, the precision among all
    pairs no farther apart, weighted by the share of the same pairs that have just this distance. So the order of pairs
    does not matter, and equal distances are let in together.

    Args:
        distances: float array `(pairs,)`.
        same: bool array `(pairs,)`, whether the two terms of a pair are the same word.

    Raises:
        ValueError: if no pair is of one word, a distance is NaN, or there are not as many distances as pairs.

    Example:
        >>> same_different(np.array([0.1, 0.2, 0.2, 0.3]), np.array([True, True, False, False])).__round__(3)
        0.833
    """
    precision, recall, _ = pr_curve(distances, same)
    return float(np.sum(precision * np.diff(recall, prepend=0.0)))


def pr_curve(distances: np.ndarray, same: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision against recall, for each threshold at which a pair comes in.

    Args:
        distances: float array `(pairs,)`.
        same: bool array `(pairs,)`.

    Returns:
        `(precision, recall, thresholds)`, float64 arrays of one length: at a threshold the pairs that are no farther
        apart are taken for the same word. Thresholds, and with them recall, increase.

    Raises:
        ValueError: if no pair is of one word, a distance is NaN, or there are not as many distances as pairs.

    Example:
        >>> [curve.tolist() for curve in pr_curve(np.array([0.3, 0.1, 0.2]), np.array([True, True, False]))]
        [[1.0, 0.5, 0.6666666666666666], [0.5, 0.5, 1.0], [0.1, 0.2, 0.3]]
    """
    hits, false_alarms, thresholds = _accepted(distances, same)
    if not np.any(same):
        raise ValueError("same must hold at least one pair of the same word, got none")
    return hits / (hits + false_alarms), hits / hits[-1], thresholds


def det_curve(distances: np.ndarray, same: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The detection error tradeoff: pairs taken for the same word falsely, against pairs missed.

    Args:
        distances: float array `(pairs,)`.
        same: bool array `(pairs,)`.

    Returns:
        `(false_alarms, misses, thresholds)`, float64 arrays of one length: shares of the different pairs and of the
        same pairs, for thresholds as in `pr_curve`.

    Raises:
        ValueError: if all pairs are the same or all are different, a distance is NaN, or there are not as many
            distances as pairs.

    Example:
        >>> [curve.tolist() for curve in det_curve(np.array([0.3, 0.1, 0.2]), np.array([True, True, False]))]
        [[0.0, 1.0, 1.0], [0.5, 0.5, 0.0], [0.1, 0.2, 0.3]]
    """
    hits, false_alarms, thresholds = _accepted(distances, same)
    if np.all(same) or not np.any(same):
        raise ValueError("same must hold pairs of the same word and of different words, got one kind only")
    return false_alarms / false_alarms[-1], 1 - hits / hits[-1], thresholds


def _accepted(distances: np.ndarray, same: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How many same and how many different pairs are no farther apart than each distance that occurs."""
    _check("distances", distances, "same", same)
    order = np.argsort(distances, kind="stable")
    ordered = np.asarray(distances, np.float64)[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)[: len(ordered)])  # of equal distances
    hits = np.cumsum(np.asarray(same, bool)[order])[last]
    return hits, last + 1 - hits, ordered[last]


def _check(name: str, values: np.ndarray, other: str, marks: np.ndarray) -> None:
    if np.shape(values) != np.shape(marks) or np.ndim(values) != 1:
        raise ValueError(
            f"{name} and {other} must have one length, got shapes {np.shape(values)} and {np.shape(marks)}"
        )
    if np.isnan(values).any():
        raise ValueError(f"{name} must not hold NaN, got {int(np.isnan(values).sum())} of them")
