"""The best candidates against sorting all of them."""

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.layers.searching.candidates import best_candidates


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(0, 3),
    st.integers(1, 6),
    st.one_of(st.integers(2, 40), st.sampled_from([97, 127, 300, 1009])),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from([1.0, 40.0]),
)
def test_equals_sorting(seed, batch, width, classes, forbidden, scale):
    """Numbers are coarse, so that many are equal."""
    rng = np.random.default_rng(seed)
    log_probs = -np.round(rng.exponential(scale, size=(batch * width, classes))).astype("float32")
    log_probs[rng.random(log_probs.shape) < forbidden] = -np.inf
    totals = -np.round(rng.exponential(5.0, size=(batch, width))).astype("float32")
    totals[rng.random(totals.shape) < 0.2] = -np.inf
    count = int(rng.integers(1, width * classes + 1)) if seed % 2 else min(2 * width, width * classes)
    sums, beams, chosen = best_candidates(tf.constant(log_probs), tf.constant(totals), count)
    everything = (totals[..., None] + log_probs.reshape(batch, width, classes)).reshape(batch, width * classes)
    order = np.argsort(-everything, axis=1, kind="stable")[:, :count]
    np.testing.assert_array_equal(sums, np.take_along_axis(everything, order, axis=1))
    possible = np.isfinite(sums)
    np.testing.assert_array_equal((beams * classes + chosen).numpy()[possible], order[possible])
    assert np.all((beams >= 0) & (beams < width) & (chosen >= 0) & (chosen < classes))


def test_what_is_no_number_is_not_chosen():
    log_probs = np.random.default_rng(0).normal(size=(3, 30)).astype("float32")
    for spoilt in (0, 1, 2):
        some = log_probs.copy()
        some[spoilt] = np.nan
        sums, beams, _ = best_candidates(tf.constant(some), tf.zeros((1, 3)), 10)
        assert np.all(np.isfinite(sums))
        assert spoilt not in beams.numpy()
    nothing, _, _ = best_candidates(tf.fill((3, 30), np.nan), tf.zeros((1, 3)), 10)
    assert np.all(nothing == -np.inf)
