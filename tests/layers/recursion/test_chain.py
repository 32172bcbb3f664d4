"""Where a tree is a sequence, the recursive layers are the recurrent ones."""

import numpy as np
import pytest
from recursions import batch_of, chain, left_branching, made

from seqloom.layers import LSTM, RecursiveNet, SimpleRNN, TreeLSTM

LENGTHS = [7, 1, 4]


@pytest.mark.parametrize("settings", [{"composition": "child_sum"}, {"arity": 1}], ids=["child_sum", "nary"])
def test_a_tree_lstm_over_only_children_is_an_lstm(settings):
    """Each node reads an input and has one child, the step before; the weights are the same tensors."""
    tree = made(TreeLSTM(3, inner_inputs=True, dtype="float64", **settings))
    lstm = LSTM(3, return_sequences=True, dtype="float64")
    lstm.build((None, None, 4))
    lstm.set_weights(tree.get_weights())
    trees = batch_of([chain(length) for length in LENGTHS], 1)
    inputs = trees.inputs(4)
    np.testing.assert_allclose(tree(inputs, *trees), lstm(inputs, lengths=np.array(LENGTHS, "int32")), atol=1e-12)


def test_a_left_branching_tree_is_a_simple_recurrence():
    """The left child is the step before, and the right one, a projected leaf, the input; the first leaf is the start.

    `act(W [h_{t-1}; V x_t] + b)` is `act(W_right V x_t + W_left h_{t-1} + b)`, if leaves are linear: they stand for
    themselves here.
    """
    units = 3
    tree = made(RecursiveNet(units, project_leaves=False, dtype="float64"), units)
    left, right = np.split(tree.recurrent_kernel.numpy(), 2)
    simple = SimpleRNN(units, return_sequences=True, dtype="float64")
    simple.build((None, None, units))
    simple.set_weights([right, left, tree.bias.numpy()])
    leaves = 6
    trees = batch_of([left_branching(leaves)])
    inputs = trees.inputs(units)
    outputs = simple(inputs[:, 1:leaves], initial_state=inputs[:, 0])
    np.testing.assert_allclose(tree(inputs, *trees)[:, leaves:], outputs, atol=1e-12)
