"""Whitening, against the covariance of what it makes."""

from __future__ import annotations

import numpy as np
import pytest

from seqloom.pipelines.spoken_term_search.whitening import whitening


def test_whitened_vectors_are_uncorrelated_and_vary_alike() -> None:
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(300, 5)) @ draw.normal(size=(5, 5)) + 3
    mean, matrix = whitening(vectors, floor=1e-7)
    white = (vectors - mean) @ matrix
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.cov(white, rowvar=False), np.eye(5), atol=1e-3)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-5)


def test_a_floor_keeps_weak_directions_weak() -> None:
    vectors = np.random.default_rng(0).normal(size=(500, 3)) * [3.0, 1.0, 0.01]
    mean, matrix = whitening(vectors, floor=0.1)
    variances = np.cov(vectors, rowvar=False).diagonal()
    expected = variances / (variances + 0.1 * variances.max())
    np.testing.assert_allclose(np.cov((vectors - mean) @ matrix, rowvar=False).diagonal(), expected, rtol=2e-2)


def test_a_direction_without_variance_stays_finite() -> None:
    vectors = np.random.default_rng(0).normal(size=(20, 3)) * [1.0, 1.0, 0.0]
    mean, matrix = whitening(vectors, floor=1e-7)
    assert np.all(np.isfinite(matrix))
    assert np.abs((vectors - mean) @ matrix)[:, 2].max() < 1e-6


def test_one_vector_has_no_covariance() -> None:
    with pytest.raises(ValueError, match="vectors must hold at least two, got 1"):
        whitening(np.ones((1, 3)), floor=0.1)
    with pytest.raises(ValueError, match=r"floor must lie in \(0, 1\], got floor=0"):
        whitening(np.ones((2, 3)), floor=0)
