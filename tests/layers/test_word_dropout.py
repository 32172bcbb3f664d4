"""Word dropout: how many words, which ones, and when."""

import numpy as np
import pytest
import tensorflow as tf

from seqloom.layers import WordDropout

IDS = np.where(np.arange(50) < 40, np.random.default_rng(0).integers(2, 99, (200, 50)), 0).astype("int32")


def test_replaces_the_given_share_of_words_and_no_padding():
    outputs = WordDropout(rate=0.3, unknown_id=1, seed=0)(IDS, training=True).numpy()
    replaced = outputs != IDS
    assert set(outputs[replaced]) == {1}
    assert not replaced[:, 40:].any()
    assert abs(replaced[:, :40].mean() - 0.3) < 0.02


def test_draws_anew_at_each_call():
    layer = WordDropout(rate=0.3, seed=0)
    assert np.any(layer(IDS, training=True) != layer(IDS, training=True))


def test_a_seed_repeats_the_draws():
    first, second = (WordDropout(rate=0.3, seed=7)(IDS, training=True) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_changes_nothing_outside_training(dtype):
    outputs = WordDropout(rate=0.9)(IDS.astype(dtype))
    np.testing.assert_array_equal(outputs, IDS)


def test_keeps_the_dtype():
    assert WordDropout(rate=0.9)(tf.constant(IDS, tf.int64), training=True).dtype == tf.int64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"rate": 1.0}, "rate must lie in"), ({"unknown_id": 0}, "unknown_id must be a positive integer")],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        WordDropout(**arguments)
