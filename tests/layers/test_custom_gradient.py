"""Gradients that are written out, and what is left of a layer without them."""

import numpy as np
import pytest
import tensorflow as tf

from seqloom.layers import GRU
from seqloom.layers.custom_gradient import custom_gradient, inference_only


@custom_gradient
def square(x):
    return x * x, lambda upstream: 100 * upstream


def slope(function, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return float(tape.gradient(y, x))


@pytest.mark.parametrize("wrap", [lambda function: function, tf.function], ids=["eager", "graph"])
def test_the_written_gradient_counts_but_for_inference(wrap):
    assert slope(wrap(square), tf.constant(3.0)) == 100
    with inference_only():
        assert slope(wrap(square), tf.constant(3.0)) == 6
    assert slope(wrap(square), tf.constant(3.0)) == 100


def test_it_is_over_after_an_error():
    with pytest.raises(ValueError, match="of the test"), inference_only():
        raise ValueError("of the test")
    assert slope(square, tf.constant(3.0)) == 100


def test_no_gradient_is_remembered_for_inference():
    from tensorflow.python.framework import ops

    layer, spec = GRU(4), tf.TensorSpec([None, None, 3])
    layer.build((None, None, 3))
    before = len(ops.gradient_registry._registry)
    with inference_only():
        tf.function(layer).get_concrete_function(spec)
    assert len(ops.gradient_registry._registry) == before
    tf.function(layer).get_concrete_function(spec)
    assert len(ops.gradient_registry._registry) > before


def test_what_is_saved_outside_has_its_gradient(tmp_path):
    layer, inputs = GRU(4), tf.random.stateless_normal((2, 5, 3), (1, 2))
    module = tf.Module()
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs)
    module.layer, module.call = layer, tf.function(layer, input_signature=[tf.TensorSpec([None, None, 3])])
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    with tf.GradientTape() as again:
        again.watch(inputs)
        np.testing.assert_allclose(loaded.call(inputs), outputs, atol=1e-6)
        loss = tf.reduce_sum(loaded.call(inputs))
    np.testing.assert_allclose(again.gradient(loss, inputs), tape.gradient(outputs, inputs), atol=1e-6)
