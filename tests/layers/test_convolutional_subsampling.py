"""Convolutions with explicit lengths, against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from seqloom.layers import ConvolutionalSubsampling


def reference(layer: ConvolutionalSubsampling, row: np.ndarray) -> np.ndarray:
    """One row alone, window by window."""
    for convolution, norm, stride in zip(layer.convolutions, layer.norms, layer.strides, strict=True):
        kernel = convolution.kernel.numpy()  # (window, features, filters)
        margin = len(kernel) // 2
        padded = np.pad(row, ((margin, margin), (0, 0)))
        steps = [np.einsum("wf,wfo->o", padded[at : at + len(kernel)], kernel) for at in range(0, len(row), stride)]
        scaled = [(step - step.mean()) / np.sqrt(step.var() + norm.epsilon) for step in steps]
        row = np.maximum(np.array(scaled) * norm.gamma.numpy() + norm.beta.numpy(), 0)
    return row


@pytest.mark.parametrize("strides", [(1, 2), (1, 3), (2, 2, 2), (1,)])
def test_each_row_is_computed_as_if_it_were_alone(strides: tuple[int, ...]) -> None:
    """Whatever its length is, odd or even, and however long the batch."""
    rng = np.random.default_rng(0)
    layer = ConvolutionalSubsampling(4, kernel_size=3, strides=strides)
    lengths = np.array([11, 8, 1, 5], np.int32)
    inputs = rng.normal(size=(4, 12, 3)).astype(np.float32)  # anything past the lengths
    outputs = layer(inputs, lengths=tf.constant(lengths)).numpy()
    counts = layer.output_lengths(tf.constant(lengths)).numpy()
    for row, length, count, output in zip(inputs, lengths, counts, outputs, strict=True):
        expected = reference(layer, row[:length])
        assert count == len(expected)
        np.testing.assert_allclose(output[:count], expected, atol=1e-5)
        assert not output[count:].any()


def test_dropout_lies_between_the_convolutions_and_in_training_alone() -> None:
    layer = ConvolutionalSubsampling(8, strides=(1, 1), dropout=0.5)
    inputs, lengths = tf.ones([1, 6, 3]), tf.constant([6])
    served = layer(inputs, lengths=lengths)
    np.testing.assert_array_equal(layer(inputs, lengths=lengths, training=False), served)
    assert np.abs(layer(inputs, lengths=lengths, training=True) - served).max() > 1e-3
    alone = ConvolutionalSubsampling(8, strides=(1,), dropout=0.5)
    np.testing.assert_array_equal(
        alone(inputs, lengths=lengths, training=True), alone(inputs, lengths=lengths, training=False)
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"filters": 0}, "filters"),
        ({"filters": 4, "kernel_size": 4}, "odd"),
        ({"filters": 4, "strides": ()}, "strides"),
        ({"filters": 4, "dropout": 1.0}, "dropout"),
    ],
)
def test_sizes_that_cannot_be(arguments: dict, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ConvolutionalSubsampling(**arguments)
