"""Jordan's recurrence against a NumPy loop."""

import numpy as np
import pytest
import tensorflow as tf

from seqloom.layers import Jordan

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(3, 5, 4)).astype("float32")
LENGTHS = np.array([5, 2, 3], "int32")
TAGS = RNG.integers(0, 6, (3, 5)).astype("int32")


@pytest.fixture
def layer():
    layer = Jordan(units=7, num_tags=6)
    layer(INPUTS, lengths=LENGTHS)
    for weight in layer.weights:
        weight.assign(np.random.default_rng(1).normal(size=weight.shape))
    return layer


def reference(layer, inputs, lengths, tags=None):
    """`h_t = tanh(W x_t + U y_{t-1} + b)`, `logits_t = V h_t + c`, step by step."""
    names = ("kernel", "recurrent_kernel", "bias", "output_kernel", "output_bias")
    W, U, b, V, c = (getattr(layer, name).numpy() for name in names)
    logits = np.zeros((*inputs.shape[:2], len(c)))
    for row, length in enumerate(lengths):
        y = np.zeros(len(c))
        for step in range(length):
            logits[row, step] = np.tanh(inputs[row, step] @ W + y @ U + b) @ V + c
            y = np.eye(len(c))[np.argmax(logits[row, step]) if tags is None else tags[row, step]]
    return logits


def test_greedy_equals_the_loop(layer):
    np.testing.assert_allclose(layer(INPUTS, lengths=LENGTHS), reference(layer, INPUTS, LENGTHS), atol=1e-5)


def test_teacher_forced_equals_the_loop(layer):
    outputs = layer(INPUTS, lengths=LENGTHS, tags=TAGS)
    np.testing.assert_allclose(outputs, reference(layer, INPUTS, LENGTHS, TAGS), atol=1e-5)


def test_forced_with_its_own_decisions_it_is_greedy(layer):
    greedy = layer(INPUTS, lengths=LENGTHS)
    forced = layer(INPUTS, lengths=LENGTHS, tags=tf.argmax(greedy, axis=-1, output_type=tf.int32))
    np.testing.assert_allclose(forced, greedy, atol=1e-5)


def test_tags_past_the_lengths_do_not_count(layer):
    padded = np.where(np.arange(5) < LENGTHS[:, None], TAGS, -1)
    outputs = layer(INPUTS, lengths=LENGTHS, tags=padded)
    np.testing.assert_array_equal(outputs, layer(INPUTS, lengths=LENGTHS, tags=TAGS))


def test_regularizer_reaches_the_losses():
    layer = Jordan(units=2, num_tags=3, kernel_regularizer="l2")
    layer(INPUTS, lengths=LENGTHS)
    assert len(layer.losses) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "units must be a positive integer, got units=0"),
        ({"num_tags": 0}, "num_tags must be a positive integer, got num_tags=0"),
        ({"dropout": -0.1}, "dropout must lie in"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Jordan(**{"units": 2, "num_tags": 3, **arguments})
