"""What every recursive layer does alike: padding, numbering, odd trees, dropout, errors."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from recursions import Trees, batch_of, chain, left_branching, made, random_trees

from seqloom.layers import BidirectionalTree, RecursiveNet, RecursiveTensorNet, TreeLSTM

CELLS = {
    "recursive_net": lambda **kwargs: RecursiveNet(3, **kwargs),
    "recursive_tensor_net": lambda **kwargs: RecursiveTensorNet(3, **kwargs),
    "nary": lambda **kwargs: TreeLSTM(3, **kwargs),
    "child_sum": lambda **kwargs: TreeLSTM(3, composition="child_sum", **kwargs),
    "child_sum_everywhere": lambda **kwargs: TreeLSTM(3, composition="child_sum", inner_inputs=True, **kwargs),
    "bidirectional": lambda **kwargs: BidirectionalTree(TreeLSTM(3, **kwargs), dtype=kwargs["dtype"]),
}
TREES = random_trees(4)
INPUTS = TREES.inputs(4)


@pytest.fixture(params=CELLS)
def cell(request):
    def make(**kwargs):
        return made(CELLS[request.param](**{"dtype": "float64", **kwargs}))

    return make


def run(layer, inputs, trees, **kwargs):
    return layer(tf.constant(inputs), tf.constant(trees.children), tf.constant(trees.levels), **kwargs).numpy()


def test_padding_reaches_nothing_and_is_zero(cell):
    layer = cell()
    inputs = np.pad(INPUTS, ((0, 0), (0, 5), (0, 0)), constant_values=np.nan)
    inputs[TREES.padded(5).levels < 0] = np.nan
    outputs = run(layer, inputs, TREES.padded(5))
    np.testing.assert_allclose(outputs[:, :-5], run(layer, INPUTS, TREES), atol=1e-12)
    assert np.all(outputs[TREES.padded(5).levels < 0] == 0)


def test_what_is_not_finite_stays_in_its_row(cell):
    layer = cell()
    inputs = INPUTS.copy()
    inputs[0] = np.nan
    with tf.GradientTape() as tape:
        watched = tf.constant(inputs)
        tape.watch(watched)
        outputs = layer(watched, *TREES)
        loss = tf.reduce_sum(outputs[1:] ** 2)
    np.testing.assert_allclose(outputs[1:], run(layer, INPUTS, TREES)[1:], atol=1e-12)
    assert np.all(np.isfinite(tape.gradient(loss, watched)[1:]))


def test_inputs_of_inner_nodes_reach_nothing_unless_asked_for(cell):
    layer = cell()
    inputs = INPUTS.copy()
    inputs[TREES.levels > 0] += 1
    same = np.allclose(run(layer, inputs, TREES), run(layer, INPUTS, TREES))
    assert same != getattr(layer, "inner_inputs", False)


def test_the_numbering_of_nodes_does_not_matter(cell):
    layer = cell()
    numbers = np.random.default_rng(0).permutation(TREES.levels.shape[1])  # the new number of each node
    order = np.argsort(numbers)
    children = np.where(TREES.children >= 0, numbers[TREES.children], -1)
    mixed = Trees(children[:, order].astype("int32"), TREES.levels[:, order])
    np.testing.assert_allclose(run(layer, INPUTS[:, order], mixed), run(layer, INPUTS, TREES)[:, order], atol=1e-12)


def test_a_row_does_not_depend_on_the_others(cell):
    layer = cell()
    outputs = run(layer, INPUTS, TREES)
    for row in range(len(INPUTS)):
        alone = Trees(*(each[row : row + 1] for each in TREES))
        np.testing.assert_allclose(run(layer, INPUTS[row : row + 1], alone), outputs[row : row + 1], atol=1e-12)


def test_a_single_leaf(cell):
    layer = cell()
    leaf = batch_of([[[]]])
    outputs = run(layer, leaf.inputs(4), leaf)
    assert outputs.shape[:2] == (1, 1)
    assert np.all(np.isfinite(outputs))
    assert np.any(outputs != 0)


def test_batches_without_nodes(cell):
    layer = cell()
    empty = Trees(np.full((2, 3, 2), -1, "int32"), np.full((2, 3), -1, "int32"))
    for trees in (empty, Trees(*(each[:0] for each in empty)), Trees(*(each[:, :0] for each in empty))):
        with tf.GradientTape() as tape:
            inputs = tf.fill((*trees.levels.shape, 4), tf.constant(np.nan, tf.float64))
            tape.watch(inputs)
            outputs = layer(inputs, *trees)
        assert outputs.shape[:2] == trees.levels.shape
        assert np.all(outputs == 0)
        for gradient in tape.gradient(outputs, [inputs, *(weight.value for weight in layer.trainable_weights)]):
            assert np.all(np.asarray(gradient) == 0)


def test_a_row_of_padding_beside_a_tree(cell):
    layer = cell()
    trees = Trees(TREES.children, np.where([[True], [False], [True]], TREES.levels, -1).astype("int32"))
    outputs, expected = run(layer, INPUTS, trees), run(layer, INPUTS, TREES)
    assert np.all(outputs[1] == 0)
    np.testing.assert_allclose(outputs[[0, 2]], expected[[0, 2]], atol=1e-12)


def test_a_degenerate_tree_of_500_nodes(cell):
    layer = cell()
    trees = batch_of([left_branching(250), chain(500), [[]]])

    @tf.function
    def train(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, *map(tf.constant, trees))
        return outputs, tape.gradient(outputs, inputs)

    outputs, gradient = train(tf.constant(trees.inputs(4)))
    assert np.all(np.isfinite(outputs))
    assert np.all(np.isfinite(gradient))
    assert np.all(outputs[2, 1:] == 0)
    assert np.all(gradient[2, 1:] == 0)


def test_two_layers_in_one_graph_do_not_write_into_each_other():
    """They begin with the same word vectors, which an optimizer of graphs could write into one buffer for both."""
    layers = [made(RecursiveNet(4, project_leaves=False, dtype="float64")) for _ in range(2)]
    layers[1].set_weights([-0.5 * weight for weight in layers[0].get_weights()])

    def both(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = [layer(inputs, *map(tf.constant, TREES)) for layer in layers]
        return *outputs, tape.gradient(outputs, inputs)

    inputs = tf.constant(INPUTS)
    for actual, expected in zip(tf.function(both)(inputs), both(inputs), strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-12)


def test_dropout_is_for_training_only(cell):
    for settings in ({"dropout": 0.5}, {"recurrent_dropout": 0.5}):
        layer = cell(seed=1, **settings)
        plain = run(layer, INPUTS, TREES)
        np.testing.assert_array_equal(run(layer, INPUTS, TREES, training=False), plain)
        noisy = run(layer, INPUTS, TREES, training=True)
        assert np.all(np.isfinite(noisy))
        assert np.any(noisy != plain)


def test_dropout_takes_the_same_features_of_all_nodes_of_a_tree():
    layer = RecursiveNet(4, dropout=0.5, project_leaves=False, seed=0)
    outputs = run(layer, np.ones((3, *TREES.levels.shape[1:], 4), "float32"), TREES, training=True)
    for row, levels in zip(outputs, TREES.levels, strict=True):
        leaves = row[levels == 0]
        assert np.all(leaves == leaves[0])
    assert 0 < np.mean(outputs[TREES.levels == 0] == 0) < 1


def test_recurrent_dropout_of_children_leaves_the_leaves():
    layer = made(RecursiveNet(3, recurrent_dropout=0.9, dtype="float64", seed=0))
    plain, noisy = run(layer, INPUTS, TREES), run(layer, INPUTS, TREES, training=True)
    np.testing.assert_array_equal(noisy[TREES.levels == 0], plain[TREES.levels == 0])
    assert np.any(noisy != plain)


def test_recurrent_dropout_takes_the_same_candidates_of_all_nodes_of_a_tree():
    """A unit whose candidate is dropped at all nodes never has anything in its cell."""
    layer = made(TreeLSTM(40, recurrent_dropout=0.5, dtype="float64", seed=0))
    outputs = run(layer, INPUTS, TREES, training=True)
    for row, levels in zip(outputs, TREES.levels, strict=True):
        silent = row[levels >= 0] == 0
        assert np.all(silent == silent[0])
        assert 0 < np.mean(silent) < 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"children": (0, 1, 0, 9)}, r"children must be numbers of real nodes .* got \[9, .*\] at node 1 in row 0"),
        ({"children": (0, 1, 0, -2)}, r"children must be numbers of real nodes .* got \[-2, .*\] at node 1 in row 0"),
        ({"children": (1, 0, 1, 3)}, r"children must be numbers of real nodes .* got .* at node 0 in row 1"),
        ({"levels": (0, 0, 1)}, r"levels must be 0 without children, .* got 1 at node 0 in row 0"),
        ({"levels": (0, 1, 0)}, r"levels must be 0 without children, .* got 0 at node 1 in row 0"),
        ({"levels": (0, 1, 2**31 - 3)}, r"levels must be 0 without children, .* got 2147483645 at node 1 in row 0"),
        ({"levels": (0, 1, 2)}, r"levels must be 0 without children, .* got 2 at node 1 in row 0"),
        ({"children": (0, 1, 0, 1)}, r"levels must be 0 without children, .* got 1 at node 1 in row 0"),
    ],
)
def test_what_is_no_tree_is_refused(change, message):
    """The trees are a node 1 over 0 and 2, and a node 0 over 1 and 2; the last node of row 1 is padding."""
    trees = Trees(
        np.array([[[-1, -1], [0, 2], [-1, -1], [-1, -1]], [[1, 2], [-1, -1], [-1, -1], [-1, -1]]], "int32"),
        np.array([[0, 1, 0, 0], [1, 0, 0, -1]], "int32"),
    )
    layer, inputs = made(RecursiveNet(3, dtype="float64")), trees.inputs(4)
    run(layer, inputs, trees)
    for name, (*place, value) in change.items():
        getattr(trees, name)[tuple(place)] = value
    with pytest.raises(ValueError, match=message):
        run(layer, inputs, trees)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message.split(" .*")[0]):
        tf.function(layer)(tf.constant(inputs), *map(tf.constant, trees))


def test_settings_out_of_range_are_refused():
    for make in (RecursiveNet, RecursiveTensorNet, TreeLSTM):
        with pytest.raises(ValueError, match="units must be a positive integer, got units=0"):
            make(0)
        with pytest.raises(ValueError, match=r"arity must be a positive integer, got arity=0"):
            make(3, arity=0)
        with pytest.raises(ValueError, match=r"recurrent_dropout must lie in \[0, 1\), got recurrent_dropout=1"):
            make(3, recurrent_dropout=1)
    with pytest.raises(ValueError, match="composition must be one of nary, child_sum, got composition='sum'"):
        TreeLSTM(3, composition="sum")
    with pytest.raises(ValueError, match=r"arity must be a positive integer .* got arity=None"):
        RecursiveNet(3, arity=None)
    with pytest.raises(ValueError, match=r"as many features as there are units=3 .* got 4 features"):
        RecursiveNet(3, project_leaves=False).build((None, None, 4))
    with pytest.raises(ValueError, match="project_leaves must be True with inner_inputs"):
        RecursiveNet(3, project_leaves=False, inner_inputs=True)


def test_shapes_that_do_not_fit_are_refused(cell):
    layer = cell()
    with pytest.raises(ValueError, match=r"levels must have the shape \(3, \d+\), got levels of shape"):
        layer(INPUTS, TREES.children, TREES.levels[:, 1:])
    with pytest.raises(ValueError, match=r"children must have the shape \(3, \d+, .*\), got children of shape"):
        layer(INPUTS, TREES.children[:2], TREES.levels)


def test_another_number_of_places_than_there_are_weights_for_is_refused():
    children = np.pad(TREES.children, ((0, 0), (0, 0), (0, 1)), constant_values=-1)
    with pytest.raises(ValueError, match=r"children must have the shape \(3, \d+, 2\)"):
        made(TreeLSTM(3))(INPUTS, children, TREES.levels)


def test_a_model_learns_which_leaf_is_the_leftmost():
    keras.utils.set_random_seed(0)
    trees = random_trees(1, leaves=tuple(np.random.default_rng(0).integers(2, 6, size=32)))
    words, roots = trees.inputs(1), np.argmax(trees.levels, axis=1)
    leftmost = roots
    for _ in range(trees.levels.max()):
        below = trees.children[range(32), leftmost, 0]
        leftmost = np.where(below >= 0, below, leftmost)
    positive = words[range(32), leftmost, 0] > 0

    inputs = keras.Input((None, 1)), keras.Input((None, 2), dtype="int32"), keras.Input((None,), dtype="int32")
    root = keras.Input((1, 1), dtype="int32")
    states = keras.ops.take_along_axis(TreeLSTM(8)(*inputs), root, axis=1)[:, 0]
    model = keras.Model([*inputs, root], keras.layers.Dense(1)(states))
    model.compile(keras.optimizers.Adam(0.05), keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"])
    data = [words, *trees, roots[:, None, None]]
    model.fit(data, positive, epochs=40, batch_size=32, verbose=0)
    assert model.evaluate(data, positive, verbose=0)[1] > 0.95
