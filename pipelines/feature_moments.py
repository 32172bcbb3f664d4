"""What the features of a corpus are like: their means and variances."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from ..layers.deltas import Deltas
from .feature_store import FeatureStore

_AT_A_TIME = 32  # sounds whose slopes are computed together


def moments(store: FeatureStore, deltas: bool) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance over all frames of a store of each feature and, if wanted, of its slopes."""
    slopes = Deltas() if deltas else None
    count, total, squares = 0, np.zeros((), np.float64), np.zeros((), np.float64)
    order = np.argsort(store.lengths, kind="stable")  # so that a long one is not what many are padded to
    for start in range(0, len(order), _AT_A_TIME):
        frames, lengths = store.frames(order[start : start + _AT_A_TIME])
        values = frames if slopes is None else slopes(frames, lengths=tf.constant(lengths)).numpy()
        real = values[np.arange(frames.shape[1]) < lengths[:, None]].astype(np.float64)
        count += len(real)
        total = total + real.sum(axis=0)
        squares = squares + np.square(real).sum(axis=0)
    mean = total / count
    return mean.astype(np.float32), np.maximum(squares / count - mean**2, 0.0).astype(np.float32)
