"""Vectors whose numbers are uncorrelated and vary alike."""

from __future__ import annotations

import numpy as np


def whitening(vectors: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the matrix with which `(vectors - mean) @ matrix` has about the identity as its covariance.

    The matrix is the symmetric one, which changes the vectors least (ZCA). To each variance `floor` of the largest one
    is added, so that directions in which the vectors hardly vary are not blown up: the covariance of what comes out is
    the nearer to the identity, the less is added.

    Args:
        vectors: float array `(n, d)`, at least two.
        floor: float in (0, 1].

    Returns:
        float32 arrays `(d,)` and `(d, d)`.

    Raises:
        ValueError: if there are fewer than two vectors, or the floor lies outside its range.

    Example:
        >>> vectors = np.random.default_rng(0).normal(size=(500, 3)) @ np.diag([1.0, 5.0, 0.1])
        >>> mean, matrix = whitening(vectors, floor=1e-6)
        >>> np.allclose(np.cov((vectors - mean) @ matrix, rowvar=False), np.eye(3), atol=5e-3)
        True

    References:
        Kessy, Lewin and Strimmer (2018), Optimal whitening and decorrelation.
    """
    if len(vectors) < 2:
        raise ValueError(f"vectors must hold at least two, got {len(vectors)}")
    if not 0 < floor <= 1:
        raise ValueError(f"floor must lie in (0, 1], got floor={floor}")
    vectors = np.asarray(vectors, np.float64)
    variances, directions = np.linalg.eigh(np.cov(vectors, rowvar=False).reshape(vectors.shape[1], -1))
    added = max(floor * variances.max(), np.finfo(np.float64).tiny)
    scales = 1.0 / np.sqrt(np.maximum(variances, 0.0) + added)
    return vectors.mean(axis=0).astype(np.float32), (directions * scales @ directions.T).astype(np.float32)
