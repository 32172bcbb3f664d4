"""Random trees as tensors, and recursive layers computed node by node in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np

from harness import LayerCase
from seqloom.layers import BidirectionalTree, RecursiveNet, RecursiveTensorNet, TreeLSTM

Tree = list[list[int]]  # the numbers of the children of each node
Weights = dict[str, np.ndarray]
States = tuple[np.ndarray, ...]


class Trees(NamedTuple):
    """A batch of trees, as the layers take it."""

    children: np.ndarray  # (batch, nodes, arity)
    levels: np.ndarray  # (batch, nodes)

    def padded(self, nodes: int) -> Trees:
        """With more nodes of padding, whose children are nonsense."""
        children = np.pad(self.children, ((0, 0), (0, nodes), (0, 0)), constant_values=7)
        return Trees(children, np.pad(self.levels, ((0, 0), (0, nodes)), constant_values=-1))

    def inputs(self, features: int, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).normal(size=(*self.levels.shape, features))


def random_tree(rng: np.random.Generator, leaves: int, arity: int) -> Tree:
    """Neighbours are joined until one node is left, then all are numbered at random."""
    children: Tree = [[] for _ in range(leaves)]
    row = list(range(leaves))
    while len(row) > 1:
        begin = int(rng.integers(len(row) - 1))
        end = begin + int(rng.integers(2, arity + 1))
        children.append(row[begin:end])
        if rng.random() < 0.2:
            children.append([len(children) - 1])  # an only child
        row[begin:end] = [len(children) - 1]
    numbers = rng.permutation(len(children))
    return [[int(numbers[child]) for child in children[node]] for node in np.argsort(numbers)]


def chain(nodes: int) -> Tree:
    """Each node is the only child of the next one."""
    return [[], *([node] for node in range(nodes - 1))]


def left_branching(leaves: int) -> Tree:
    """Each inner node joins all leaves so far with the next one."""
    children: Tree = [[] for _ in range(leaves)]
    for leaf in range(1, leaves):
        children.append([0 if leaf == 1 else len(children) - 1, leaf])
    return children


def batch_of(trees: list[Tree], arity: int = 2) -> Trees:
    """Trees as tensors, padded to the largest."""
    nodes = max(map(len, trees))
    children = np.full((len(trees), nodes, arity), -1, "int32")
    levels = np.full((len(trees), nodes), -1, "int32")
    for row, tree in enumerate(trees):
        levels[row, : len(tree)] = heights(tree)
        for node, below in enumerate(tree):
            children[row, node, : len(below)] = below
    return Trees(children, levels)


def heights(tree: Tree) -> list[int]:
    known: dict[int, int] = {}
    waiting = list(range(len(tree)))
    while waiting:
        unknown = [child for child in tree[waiting[-1]] if child not in known]
        waiting.extend(unknown)
        if not unknown:
            node = waiting.pop()
            known[node] = 1 + max((known[child] for child in tree[node]), default=-1)
    return [known[node] for node in range(len(tree))]


def random_trees(seed: int = 0, arity: int = 2, leaves: tuple[int, ...] = (5, 1, 4)) -> Trees:
    rng = np.random.default_rng(seed)
    return batch_of([random_tree(rng, number, arity) for number in leaves], arity)


def made(layer: keras.layers.Layer, features: int = 4) -> keras.layers.Layer:
    """The layer, built, with random weights."""
    layer.build((None, None, features))
    rng = np.random.default_rng(1)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(scale=0.4, size=weight.shape))
    return layer


def weights_of(layer: keras.layers.Layer) -> Weights:
    return {weight.name: weight.numpy() for weight in layer.trainable_weights}


def reference(layer: keras.layers.Layer, weights: Weights, inputs: np.ndarray, trees: Trees) -> np.ndarray:
    """The outputs of all nodes, one node at a time; the weights are those of the layer, or others in their place."""
    node = tree_lstm if isinstance(layer, TreeLSTM) else recursive_net
    outputs = np.zeros((*trees.levels.shape, layer.units))
    for row, (x, children, levels) in enumerate(zip(inputs, *trees, strict=True)):
        known: dict[int, States] = {}
        for number in np.argsort(levels, kind="stable"):
            if levels[number] >= 0:
                below = [known[child] if child >= 0 else None for child in children[number]]
                known[number] = node(layer, weights, x[number], below)
                outputs[row, number] = known[number][0]
    return outputs


def recursive_net(layer: RecursiveNet, weights: Weights, x: np.ndarray, below: list[States | None]) -> States:
    act = {"tanh": np.tanh, "linear": lambda value: value}[layer.activation.__name__]
    if not any(below) and not layer.inner_inputs:
        return (act(x @ weights["kernel"] + weights["leaf_bias"]) if layer.project_leaves else x,)
    h = np.concatenate([np.zeros(layer.units) if child is None else child[0] for child in below])
    total = h @ weights["recurrent_kernel"] + weights["bias"]
    if layer.inner_inputs:
        total = total + x @ weights["kernel"]
    if "tensor" in weights:
        total = total + [h @ weights["tensor"][:, unit] @ h for unit in range(layer.units)]
    return (act(total),)


def tree_lstm(layer: TreeLSTM, weights: Weights, x: np.ndarray, below: list[States | None]) -> States:
    nary, zeros = layer.composition == "nary", np.zeros(layer.units)
    b_i, b_f, b_g, b_o = np.split(weights["bias"], 4)
    if layer.inner_inputs:
        x_i, x_f, x_g, x_o = np.split(x @ weights["kernel"], 4)
    elif any(below):
        x_i = x_f = x_g = x_o = zeros
    else:
        x_f, (x_i, x_g, x_o) = zeros, np.split(x @ weights["kernel"], 3)
    U_i, *U_f, U_g, U_o = np.split(weights["recurrent_kernel"], 3 + (layer.arity if nary else 1), axis=1)
    h = [zeros if child is None else child[0] for child in below]
    read = np.concatenate(h) if nary else sum(h, zeros)
    i, o = sigmoid(x_i + read @ U_i + b_i), sigmoid(x_o + read @ U_o + b_o)
    c = i * np.tanh(x_g + read @ U_g + b_g)
    for k, child in enumerate(below):
        if child is not None:
            forget = read @ U_f[k] if nary else child[0] @ U_f[0]
            c = c + sigmoid(x_f + forget + b_f) * child[1]
    return o * np.tanh(c), c


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def case(name: str, make: Callable[..., keras.layers.Layer], features: int = 3, arity: int = 2) -> LayerCase:
    """For the harness, with three different trees."""

    def inputs(padding: int) -> dict[str, np.ndarray]:
        trees = random_trees(3, arity)
        words = np.pad(trees.inputs(features), ((0, 0), (0, padding), (0, 0)), constant_values=9.0)
        return {"inputs": words.astype("float32"), **trees.padded(padding)._asdict()}

    return LayerCase(name, make, inputs)


CASES = [
    case("recursive_net", lambda **kwargs: RecursiveNet(4, kernel_regularizer="l2", bias_regularizer="l1", **kwargs)),
    case(
        "recursive_tensor_net",
        lambda **kwargs: RecursiveTensorNet(3, project_leaves=False, recurrent_regularizer="l2", **kwargs),
    ),
    case("tree_lstm", lambda **kwargs: TreeLSTM(4, forget_bias=2.0, **kwargs)),
    case(
        "tree_lstm_child_sum",
        lambda **kwargs: TreeLSTM(4, composition="child_sum", inner_inputs=True, **kwargs),
        arity=3,
    ),
    case("bidirectional_tree", lambda **kwargs: BidirectionalTree(TreeLSTM(3, **kwargs), **kwargs)),
]
