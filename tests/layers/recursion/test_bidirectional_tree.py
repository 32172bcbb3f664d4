"""The way down from the root, against the way up that is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from recursions import Trees, batch_of, made, random_trees, reference, weights_of

from seqloom.layers import BidirectionalTree, RecursiveNet, RecursiveTensorNet, TreeLSTM
from seqloom.layers.recursion.bidirectional_tree import depths_of, parents_of

TREES = random_trees(2, leaves=(6, 1, 9))
INPUTS = TREES.inputs(4)
LAYERS = {
    "recursive_net": lambda **kwargs: RecursiveNet(3, **kwargs),
    "word_vectors": lambda **kwargs: RecursiveNet(4, project_leaves=False, **kwargs),
    "recursive_tensor_net": lambda **kwargs: RecursiveTensorNet(3, **kwargs),
    "nary": lambda **kwargs: TreeLSTM(3, **kwargs),
    "child_sum": lambda **kwargs: TreeLSTM(3, composition="child_sum", **kwargs),
}


def upside_down(trees):
    """Parents in the place of the only child, and depths in that of heights, one node at a time."""
    parents, depths = np.full((*trees.levels.shape, 1), -1, "int32"), np.where(trees.levels < 0, -1, 0).astype("int32")
    for row, levels in enumerate(trees.levels):
        for node in np.argsort(-levels, kind="stable"):
            for child in trees.children[row, node]:
                if levels[node] >= 0 and child >= 0:
                    parents[row, child], depths[row, child] = node, depths[row, node] + 1
    return Trees(parents, depths)


@pytest.fixture(params=LAYERS)
def layer(request):
    return made(BidirectionalTree(LAYERS[request.param](dtype="float64"), dtype="float64"))


def test_each_node_reads_its_state_and_its_parent(layer):
    up = reference(layer.upward_layer, weights_of(layer.upward_layer), INPUTS, TREES)
    down = reference(layer.downward_layer, weights_of(layer.downward_layer), up, upside_down(TREES))
    outputs = layer(INPUTS, *TREES)
    np.testing.assert_allclose(outputs, np.concatenate([up, down], axis=-1), atol=1e-12)
    assert outputs.shape[-1] == layer.units


def test_gradients(layer):
    factors = np.random.default_rng(0).normal(size=(*TREES.levels.shape, layer.units))

    def loss_and_slope(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(layer(inputs, *map(tf.constant, TREES)) * factors)
        return loss, tape.gradient(loss, inputs)

    direction, step = np.random.default_rng(1).normal(size=INPUTS.shape), 1e-6
    above, below = (loss_and_slope(tf.constant(INPUTS + sign * step * direction))[0] for sign in (1, -1))
    _, slope = loss_and_slope(tf.constant(INPUTS))
    np.testing.assert_allclose(np.sum(slope * direction), (above - below) / (2 * step), rtol=1e-5)


def test_parents_and_depths():
    expected = upside_down(TREES)
    parents = parents_of(tf.constant(TREES.children), tf.constant(TREES.levels))
    np.testing.assert_array_equal(parents, expected.children[..., 0])
    np.testing.assert_array_equal(np.where(TREES.levels < 0, -1, depths_of(parents)), expected.levels)


def test_a_change_of_one_leaf_reaches_all_nodes(layer):
    inputs = INPUTS.copy()
    inputs[0, np.argmin(np.where(TREES.levels[0] < 0, 9, TREES.levels[0]))] += 1
    changed = np.any(np.abs(layer(inputs, *TREES) - layer(INPUTS, *TREES)) > 1e-9, axis=-1)
    np.testing.assert_array_equal(changed[0], TREES.levels[0] >= 0)
    assert not np.any(changed[1:])


def test_a_child_of_two_parents_is_refused():
    trees = batch_of([[[], [0], [0, 1]]])
    layer = made(BidirectionalTree(TreeLSTM(3)))
    with pytest.raises(ValueError, match="children must name each node at most once, got two parents of node 0 in row"):
        layer(trees.inputs(4), *trees)
    with pytest.raises(tf.errors.InvalidArgumentError, match="children must name each node at most once"):
        tf.function(layer)(tf.constant(trees.inputs(4), tf.float32), *map(tf.constant, trees))


def test_only_recursive_layers_have_two_ways():
    with pytest.raises(ValueError, match="layer must be a recursive layer, got layer=<LSTM"):
        BidirectionalTree(keras.layers.LSTM(3))
