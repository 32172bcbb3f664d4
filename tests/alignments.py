"""CTC by its definition: every alignment of a few frames, one by one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from scipy.special import log_softmax, logsumexp

Text = tuple[int, ...]


def collapse(path: tuple[int, ...], blank: int) -> Text:
    """Repeats become one, then blanks are dropped."""
    return tuple(label for label, _ in itertools.groupby(path) if label != blank)


def alignments(logits: np.ndarray) -> Iterator[tuple[Text, tuple[int, ...], float]]:
    """Text, path and log probability of every path through `(time, n + 1)` logits."""
    frames = log_softmax(logits.astype("float64"), axis=-1)
    time, classes = frames.shape
    for path in itertools.product(range(classes), repeat=time):
        yield collapse(path, classes - 1), path, float(frames[range(time), path].sum())


def texts(logits: np.ndarray) -> dict[Text, float]:
    """Log probability of every text that has an alignment."""
    found: dict[Text, list[float]] = {}
    for text, _, score in alignments(logits):
        found.setdefault(text, []).append(score)
    return {text: float(logsumexp(scores)) for text, scores in found.items()}


def random_logits(rng: np.random.Generator, *shape: int, scale: float = 2.0) -> np.ndarray:
    return rng.normal(scale=scale, size=shape).astype("float32")


def padded(rows: list[Text]) -> tuple[np.ndarray, np.ndarray]:
    """Labels `(batch, longest)` that hold 99 past their lengths, and the lengths."""
    lengths = np.array([len(row) for row in rows], "int32")
    labels = np.full((len(rows), max(1, lengths.max())), 99, "int32")
    for row, text in zip(labels, rows, strict=True):
        row[: len(text)] = text
    return labels, lengths
