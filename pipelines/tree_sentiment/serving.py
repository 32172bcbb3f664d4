"""A tree in brackets in; the class of its root and of all its nodes out."""

from __future__ import annotations

from typing import ClassVar

import tensorflow as tf

from ..exporting import Server
from .config import Config
from .data import Preprocessor, dense_inputs
from .model import TreeModel


class TreeServer(Server):
    """Answers `tree (batch,)`, each one tree in brackets whose labels may be left out.

    Returns for each row `label`, the class of the root as a string, and `probabilities (classes,)`; `node_labels` and
    `node_probabilities` of all nodes in post-order, so that children stand before their parents and the root is the
    last; and `error`, which is empty if the row could be read.
    """

    inputs: ClassVar = {"tree": tf.TensorSpec([None], tf.string)}
    outputs = ("label", "probabilities", "node_labels", "node_probabilities", "error")
    padding: ClassVar = {"node_labels": "node_labels", "node_probabilities": "node_labels"}

    def __init__(self, model: TreeModel, preprocessor: Preprocessor, config: Config) -> None:
        super().__init__(model)
        self.reader = preprocessor.reader(config, any_arity=config.encoder == "child_sum_lstm")
        self._labels = tf.constant([str(label) for label in range(config.classes)])

    def answer(self, tree: tf.Tensor) -> dict[str, tf.Tensor]:  # type: ignore[override]
        """Answers a batch of trees."""
        read = self.reader(tree)
        inputs = dense_inputs(read)
        probabilities = self.model.decode(inputs)  # (batch, nodes, classes)
        labels = tf.gather(self._labels, tf.argmax(probabilities, axis=-1))
        fine = read.errors == ""
        real = (inputs["levels"] >= 0) & fine[:, None]
        root = tf.maximum(read.levels.row_lengths() - 1, 0)
        return {
            "label": tf.where(fine, tf.gather(labels, root, batch_dims=1), ""),
            "probabilities": tf.where(fine[:, None], tf.gather(probabilities, root, batch_dims=1), 0.0),
            "node_labels": tf.where(real, labels, ""),
            "node_probabilities": tf.where(real[..., None], probabilities, 0.0),
            "error": read.errors,
        }
