"""Vectors whose numbers are uncorrelated and vary alike."""

from __future__ import annotations

import numpy as np

_SMALLEST = 1e-5  # of a variance, as a share of the largest


def whitening(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the matrix with which `(vectors - mean) @ matrix` has the identity as its covariance.

    The matrix is the symmetric one, which changes the vectors least (ZCA). Directions in which the vectors hardly vary
    are not blown up beyond what a share of 1e-5 of the largest variance allows.

    Args:
        vectors: float array `(n, d)`, at least two.

    Returns:
        float32 arrays `(d,)` and `(d, d)`.

    Raises:
        ValueError: if there are fewer than two vectors.

    Example:
        >>> vectors = np.random.default_rng(0).normal(size=(500, 3)) @ np.diag([1.0, 5.0, 0.1])
        >>> mean, matrix = whitening(vectors)
        >>> np.allclose(np.cov((vectors - mean) @ matrix, rowvar=False), np.eye(3), atol=1e-3)
        True

    References:
        Kessy, Lewin and Strimmer (2018), Optimal whitening and decorrelation.
    """
    if len(vectors) < 2:
        raise ValueError(f"vectors must hold at least two, got {len(vectors)}")
    vectors = np.asarray(vectors, np.float64)
    variances, directions = np.linalg.eigh(np.cov(vectors, rowvar=False).reshape(vectors.shape[1], -1))
    scales = 1.0 / np.sqrt(np.maximum(variances, max(variances.max() * _SMALLEST, np.finfo(np.float64).tiny)))
    return vectors.mean(axis=0).astype(np.float32), (directions * scales @ directions.T).astype(np.float32)
