"""Region embeddings: sums of the vectors of what begins at a step."""

import numpy as np
import pytest

from seqloom.layers import RegionEmbedding

IDS = np.array([[[3, 1], [2, 0], [0, 0]], [[1, 2], [3, 2], [1, 1]]], "int32")  # (batch, time, kinds)


def test_a_step_is_the_sum_of_the_vectors_of_its_units_and_entry_0_is_nothing():
    layer = RegionEmbedding([4, 3], 5)
    outputs = layer(IDS).numpy()
    words, pairs = (variable.numpy() for variable in layer.embeddings)
    words[0] = pairs[0] = 0
    np.testing.assert_allclose(outputs, words[IDS[..., 0]] + pairs[IDS[..., 1]], rtol=1e-6)
    assert np.all(outputs[0, 2] == 0)


def test_dropout_leaves_an_entry_out_of_the_whole_batch_and_keeps_the_mean():
    layer = RegionEmbedding([1000, 1], 1, dropout=0.4, embeddings_initializer="ones", seed=1)
    ids = np.stack([np.tile(np.arange(1, 1000), (2, 1)), np.zeros((2, 999))], -1).astype("int32")
    outputs = layer(ids, training=True).numpy()[..., 0]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert set(np.unique(outputs)) <= {np.float32(0), np.float32(1 / 0.6)}
    assert abs(np.mean(outputs == 0) - 0.4) < 0.05
    assert np.all(layer(ids, training=False).numpy() == 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 4), "sizes must be positive integers"),
        (([3, 0], 4), "sizes must be positive integers"),
        (([3], 0), "dim must be a positive integer"),
        (([3], 4, 1.0), r"dropout must lie in \[0, 1\)"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        RegionEmbedding(*arguments)
