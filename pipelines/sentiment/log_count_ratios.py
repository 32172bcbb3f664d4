"""Log-count ratios: how much a word or an n-gram speaks for each class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..run_directory import write_text

_DIGITS = 4  # after the point, in the file and in the model


def log_count_ratios(
    units: Sequence[np.ndarray], classes: np.ndarray, entries: int, number_of_classes: int, smoothing: float = 1.0
) -> np.ndarray:
    """Counts in how many texts of each class a unit occurs.

    `r_k = log(p_k / |p_k|) - log(q_k / |q_k|)` with `p_k = smoothing + texts of class k with the unit` and `q_k` the
    same of all other classes (Wang and Manning, 2012).

    Args:
        units: for each text the distinct numbers of its units; 0 counts for nothing.
        classes: `(texts,)` int.
        entries: int. Numbers of units, 0 included.
        number_of_classes: int.
        smoothing: float above 0.

    Returns:
        float32 `(entries, number_of_classes)`, rounded to four digits; zeros for number 0.

    Example:
        >>> ratios = log_count_ratios([np.array([1]), np.array([1, 2])], np.array([0, 1]), 3, 2)
        >>> [f"{ratio:.2f}" for ratio in ratios[2]]
        ['-0.41', '0.41']

    References:
        Wang and Manning (2012), Baselines and bigrams: simple, good sentiment and topic classification.
    """
    counts = np.zeros((number_of_classes, entries))
    for number in range(number_of_classes):
        chosen = [units[text] for text in np.flatnonzero(classes == number).tolist()]
        if chosen:
            counts[number] = np.bincount(np.concatenate(chosen), minlength=entries)
    own = smoothing + counts[:, 1:]
    rest = smoothing + counts[:, 1:].sum(axis=0) - counts[:, 1:]
    ratios = np.log(own / own.sum(axis=1, keepdims=True)) - np.log(rest / rest.sum(axis=1, keepdims=True))
    return np.concatenate([np.zeros((number_of_classes, 1)), ratios], axis=1).T.round(_DIGITS).astype(np.float32)


def save_ratios(path: Path, ratios: np.ndarray) -> None:
    """Writes one line for each unit: the ratio for each class, separated by tabs."""
    lines = ("\t".join(f"{value:.{_DIGITS}f}" for value in row) + "\n" for row in ratios.tolist())
    write_text(path, "".join(lines))


def load_ratios(path: Path, number_of_classes: int) -> np.ndarray:
    """Reads what `save_ratios` wrote."""
    if not path.is_file():
        return np.zeros((0, number_of_classes), np.float32)
    return np.loadtxt(path, np.float32, delimiter="\t", ndmin=2).reshape(-1, number_of_classes)
