"""Every recursive layer against its equations, one node at a time in NumPy: values and gradients."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from recursions import made, random_trees, reference, weights_of

from seqloom.layers import RecursiveNet, RecursiveTensorNet, TreeLSTM

CELLS = {
    "recursive_net": lambda **kwargs: RecursiveNet(3, **kwargs),
    "linear": lambda **kwargs: RecursiveNet(3, activation="linear", arity=3, **kwargs),
    "word_vectors": lambda **kwargs: RecursiveNet(4, project_leaves=False, **kwargs),
    "recursive_net_everywhere": lambda **kwargs: RecursiveNet(3, inner_inputs=True, **kwargs),
    "recursive_tensor_net": lambda **kwargs: RecursiveTensorNet(3, **kwargs),
    "recursive_tensor_net_of_three": lambda **kwargs: RecursiveTensorNet(2, arity=3, **kwargs),
    "nary": lambda **kwargs: TreeLSTM(3, **kwargs),
    "nary_everywhere": lambda **kwargs: TreeLSTM(3, arity=3, inner_inputs=True, **kwargs),
    "child_sum": lambda **kwargs: TreeLSTM(3, composition="child_sum", **kwargs),
    "child_sum_everywhere": lambda **kwargs: TreeLSTM(3, composition="child_sum", inner_inputs=True, **kwargs),
}


@pytest.fixture(params=CELLS, scope="module")
def layer(request):
    return made(CELLS[request.param](dtype="float64"))


def places(layer):
    return layer.arity or 4


def trees_for(layer, seed=0):
    return random_trees(seed, places(layer))


def run(layer, inputs, trees):
    return layer(tf.constant(inputs), *map(tf.constant, trees))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), leaves=st.lists(st.integers(1, 12), min_size=1, max_size=4))
def test_values(layer, seed, leaves):
    trees = random_trees(seed, places(layer), tuple(leaves))
    inputs = trees.inputs(4, seed)
    expected = reference(layer, weights_of(layer), inputs, trees)
    np.testing.assert_allclose(run(layer, inputs, trees), expected, atol=1e-10)


def test_values_in_single_precision(layer):
    single = type(layer).from_config({**layer.get_config(), "dtype": "float32"})
    single.build((None, None, 4))
    single.set_weights(layer.get_weights())
    trees = trees_for(layer)
    inputs = trees.inputs(4)
    expected = reference(layer, weights_of(layer), inputs, trees)
    np.testing.assert_allclose(run(single, inputs.astype("float32"), trees), expected, atol=1e-5)


def test_gradients(layer):
    """The slope along a random direction, of each weight and of the inputs, is that of the equations."""
    trees = trees_for(layer)
    inputs, rng = trees.inputs(4), np.random.default_rng(5)
    factors = rng.normal(size=(*trees.levels.shape, layer.units))

    def slopes(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(layer(inputs, *map(tf.constant, trees)) * factors)
        return tape.gradient(loss, [*(weight.value for weight in layer.trainable_weights), inputs])

    gradients = slopes(tf.constant(inputs))
    weights, step = weights_of(layer), 1e-6
    for name, gradient in zip([*(each.name for each in layer.trainable_weights), None], gradients, strict=True):
        direction = rng.normal(size=gradient.shape)
        losses = []
        for move in (step * direction, -step * direction):
            moved = weights if name is None else {**weights, name: weights[name] + move}
            outputs = reference(layer, moved, inputs + move if name is None else inputs, trees)
            losses.append(np.sum(outputs * factors))
        expected = (losses[0] - losses[1]) / (2 * step)
        np.testing.assert_allclose(np.sum(gradient * direction), expected, rtol=1e-5, atol=1e-7)
