"""The classifier in TensorFlow, one node after the other, in the two ways that one would write it down.

Both look up the words of a tree, or of the batch, at once, and score all nodes of a tree, or of the batch, at once, so
that only the cell is applied node by node. Adam is one graph in both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from contenders import EPSILON, UNITS, initial_weights
from trees import VOCABULARY, Tree

States = tuple[tf.Tensor, ...]
Leaf = Callable[[tf.Tensor], States]
Inner = Callable[[States, States], States]


def tree_lstm(kernel: tf.Tensor, recurrent_kernel: tf.Tensor, bias: tf.Tensor) -> tuple[Leaf, Inner]:
    """The N-ary TreeLSTM of two children (Tai et al., 2015, equations 9 to 14): of leaves, and of inner nodes."""
    b_i, b_f, b_g, b_o = tf.split(bias, 4)
    leaf_bias, inner_bias = tf.concat([b_i, b_g, b_o], 0), tf.concat([b_i, b_f, b_f, b_g, b_o], 0)

    def leaf(x: tf.Tensor) -> States:
        i, g, o = tf.split(tf.nn.bias_add(tf.matmul(x, kernel), leaf_bias), 3, axis=1)
        c = tf.sigmoid(i) * tf.tanh(g)
        return tf.sigmoid(o) * tf.tanh(c), c

    def inner(left: States, right: States) -> States:
        h = tf.concat([left[0], right[0]], axis=1)
        i, f_left, f_right, g, o = tf.split(tf.nn.bias_add(tf.matmul(h, recurrent_kernel), inner_bias), 5, axis=1)
        c = tf.sigmoid(i) * tf.tanh(g) + tf.sigmoid(f_left) * left[1] + tf.sigmoid(f_right) * right[1]
        return tf.sigmoid(o) * tf.tanh(c), c

    return leaf, inner


def recursive_net(recurrent_kernel: tf.Tensor, bias: tf.Tensor) -> tuple[Leaf, Inner]:
    """`tanh(W [h_1; h_2] + b)` at inner nodes, the word's vector at leaves."""

    def inner(left: States, right: States) -> States:
        h = tf.concat([left[0], right[0]], axis=1)
        return (tf.tanh(tf.nn.bias_add(tf.matmul(h, recurrent_kernel), bias)),)

    return lambda x: (x,), inner


def recursive_tensor_net(recurrent_kernel: tf.Tensor, bias: tf.Tensor, tensor: tf.Tensor) -> tuple[Leaf, Inner]:
    """`tanh(x^T V x + W x + b)` with `x = [h_1; h_2]` at inner nodes, the word's vector at leaves."""
    size, units = tensor.shape[0], tensor.shape[1]
    V = tf.reshape(tensor, [size, units * size])

    def inner(left: States, right: States) -> States:
        x = tf.concat([left[0], right[0]], axis=1)
        products = tf.reshape(tf.matmul(x, V), [units, size])
        quadratic = tf.matmul(x, products, transpose_b=True)
        return (tf.tanh(quadratic + tf.nn.bias_add(tf.matmul(x, recurrent_kernel), bias)),)

    return lambda x: (x,), inner


CELLS = {"TreeLSTM": tree_lstm, "RecursiveNet": recursive_net, "RecursiveTensorNet": recursive_tensor_net}


class NodeByNode:
    """The weights and Adam, as both ways have them."""

    def __init__(self, cell: str) -> None:
        self._cell, self._units = CELLS[cell], UNITS[cell]
        variables = [keras.Variable(value, name=name) for name, value in initial_weights(cell).items()]
        self._embedding, *self._weights = [variable.value for variable in variables]
        optimizer = keras.optimizers.Adam(epsilon=EPSILON)
        optimizer.build(variables)
        specs = [tf.TensorSpec(shape) for shape in ([None, self._units], *(weight.shape for weight in self._weights))]

        @tf.function(input_signature=[tf.TensorSpec([None], "int32"), *specs], autograph=False)
        def apply(words, slopes, *gradients):
            embedding = tf.math.unsorted_segment_sum(slopes, words, VOCABULARY)
            optimizer.apply([embedding, *gradients], variables)

        self._apply = apply

    def _sum_of_losses(self, outputs: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        logits = tf.nn.bias_add(tf.matmul(outputs, self._weights[-2]), self._weights[-1])
        return tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


class EagerModel(NodeByNode):
    """A recursion in Python, each operation run at once; one tape for the batch."""

    def load(self, batches: Sequence[Sequence[Tree]]) -> None:
        """Takes the batches that `train` names by their numbers."""
        self._batches = []
        for batch in batches:
            words = tf.concat([tree.words[tree.levels == 0] for tree in batch], 0)
            labels = tf.concat([tree.labels for tree in batch], 0)
            self._batches.append((words, labels, [tree.children.tolist() for tree in batch]))

    def train(self, number: int) -> float:
        """One step of Adam; the loss before it."""
        words, labels, batch = self._batches[number]
        vectors = tf.gather(self._embedding, words)
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            outputs = self._outputs(vectors, batch)
            loss = self._sum_of_losses(outputs, labels) / len(labels)
        slopes, *gradients = tape.gradient(loss, [vectors, *self._weights])
        self._apply(words, slopes, *gradients)
        return float(loss)

    def _outputs(self, vectors: tf.Tensor, batch: list[list[list[int]]]) -> tf.Tensor:
        leaf, inner = self._cell(*(tf.convert_to_tensor(weight) for weight in self._weights[:-2]))
        outputs: list[tf.Tensor] = []
        remaining = iter(tf.split(vectors, len(vectors)))

        def visit(children: list[list[int]], node: int) -> States:
            left, right = children[node]
            states = leaf(next(remaining)) if left < 0 else inner(visit(children, left), visit(children, right))
            outputs.append(states[0])
            return states

        for children in batch:
            visit(children, len(children) - 1)
        return tf.concat(outputs, axis=0)


class LoopModel(NodeByNode):
    """A loop over the nodes of a tree in the graph; the gradients of the trees are summed."""

    def __init__(self, cell: str) -> None:
        super().__init__(cell)
        signature = [("float32", [None, self._units]), ("int32", [None, 2]), ("int32", [None]), ("float32", [])]
        specs = [tf.TensorSpec(shape, dtype) for dtype, shape in signature]
        self._slopes = tf.function(self._slopes_of_tree, input_signature=specs, autograph=False)

    def load(self, batches: Sequence[Sequence[Tree]]) -> None:
        """Takes the batches that `train` names by their numbers."""
        self._batches = []
        for batch in batches:
            trees = [tuple(map(tf.constant, (tree.words, tree.children, tree.labels))) for tree in batch]
            self._batches.append((tf.constant(1 / sum(len(tree.words) for tree in batch)), trees))

    def train(self, number: int) -> float:
        """One step of Adam; the loss before it."""
        share, batch = self._batches[number]
        total, slopes, gradients = 0.0, [], None
        for words, children, labels in batch:
            loss, slope, *new = self._slopes(tf.gather(self._embedding, words), children, labels, share)
            total += loss
            slopes.append(slope)
            gradients = new if gradients is None else [*map(tf.add, gradients, new)]
        self._apply(tf.concat([words for words, *_ in batch], 0), tf.concat(slopes, 0), *gradients)
        return float(total)

    def _slopes_of_tree(
        self, vectors: tf.Tensor, children: tf.Tensor, labels: tf.Tensor, share: tf.Tensor
    ) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            loss = share * self._sum_of_losses(self._outputs(vectors, children), labels)
        return [loss, *tape.gradient(loss, [vectors, *self._weights])]

    def _outputs(self, vectors: tf.Tensor, children: tf.Tensor) -> tf.Tensor:
        leaf, inner = self._cell(*(tf.convert_to_tensor(weight) for weight in self._weights[:-2]))
        nodes = tf.shape(children)[0]

        def turn(node: tf.Tensor, known: list[Any]) -> tuple[tf.Tensor, list[Any]]:
            def of_children() -> States:
                left, right = (tuple(each.read(children[node, place]) for each in known) for place in (0, 1))
                return inner(left, right)

            new = tf.cond(children[node, 0] < 0, lambda: leaf(vectors[node][None]), of_children)
            return node + 1, [each.write(node, state) for each, state in zip(known, new, strict=True)]

        known = [
            tf.TensorArray("float32", nodes, clear_after_read=False, element_shape=state.shape)
            for state in leaf(vectors[:1])
        ]
        _, known = tf.while_loop(lambda node, _: node < nodes, turn, (tf.constant(0), known))
        return known[0].concat()
