"""The classifier with the recursive layers of seqloom."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from contenders import EPSILON, UNITS, initial_weights
from trees import CLASSES, VOCABULARY, Tree

from seqloom import layers

NO_NODE = -1  # the level and the label of padding
SIGNATURE = [tf.TensorSpec(shape, "int32") for shape in ([None, None], [None, None, 2], [None, None], [None, None])]


class SeqloomModel:
    """A batch of trees as tensors, padded to the largest, and one graph for batches of all shapes."""

    def __init__(self, cell: str) -> None:
        units = UNITS[cell]
        settings = {} if cell == "TreeLSTM" else {"project_leaves": False}
        self._embedding = keras.layers.Embedding(VOCABULARY, units)
        self._layer = getattr(layers, cell)(units, **settings)
        self._dense = keras.layers.Dense(CLASSES)
        for layer in (self._embedding, self._layer, self._dense):
            layer.build((None, None, units))
        self._weights = [
            *self._embedding.trainable_weights,
            *self._layer.trainable_weights,
            *self._dense.trainable_weights,
        ]
        for weight, value in zip(self._weights, initial_weights(cell).values(), strict=True):
            weight.assign(value)
        self._optimizer = keras.optimizers.Adam(epsilon=EPSILON)
        self._optimizer.build(self._weights)
        self._step = tf.function(self._train, input_signature=SIGNATURE, autograph=False)

    def load(self, batches: Sequence[Sequence[Tree]]) -> None:
        """Takes the batches that `train` names by their numbers."""
        self._batches = [padded(batch) for batch in batches]

    def train(self, number: int) -> float:
        """One step of Adam; the loss before it."""
        return float(self._step(*self._batches[number]))

    def _train(self, words: tf.Tensor, children: tf.Tensor, levels: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = self._dense(self._layer(self._embedding(words), children, levels, training=True))
            real = tf.cast(labels >= 0, "float32")
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.maximum(labels, 0), logits=logits)
            loss = tf.reduce_sum(losses * real) / tf.reduce_sum(real)
        # dense, since Keras' Adam squares the rows of a word that occurs repeatedly before it adds them up
        gradients = map(tf.convert_to_tensor, tape.gradient(loss, self._weights))
        self._optimizer.apply(list(gradients), self._weights)
        return loss


def padded(batch: Sequence[Tree]) -> list[tf.Tensor]:
    """Words, children, levels and labels of some trees, `(batch, nodes)` and for children `(batch, nodes, 2)`."""
    nodes = max(len(tree.words) for tree in batch)
    fills = Tree(words=0, children=NO_NODE, levels=NO_NODE, labels=NO_NODE)
    tensors = []
    for field, fill in zip(Tree._fields, fills, strict=True):
        rows = [getattr(tree, field) for tree in batch]
        tensor = np.full((len(batch), nodes, *rows[0].shape[1:]), fill, "int32")
        for row, values in enumerate(rows):
            tensor[row, : len(values)] = values
        tensors.append(tf.constant(tensor))
    return tensors
