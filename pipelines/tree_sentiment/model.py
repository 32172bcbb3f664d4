"""The classifier: words at the leaves, a recursive layer over the tree, a score for every class at every node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from ...layers.recursion import BidirectionalTree, RecursiveNet, RecursiveTensorNet, TreeLSTM
from ...layers.word_dropout import WordDropout
from ..adversarial import AdversarialModel
from .config import Config


@keras.saving.register_keras_serializable(package="seqloom")
class TreeNetwork(keras.layers.Layer):
    """One network from trees to scores, `scored(inputs, vectors(inputs))`; a model has one or several (`members`).

    Args:
        config: the settings, as a dictionary.
        words: int. Entries of the vocabulary.
        arity: int. The most children that a node has in train.
        classes: int. Number of classes that are learnt.

    Methods' arguments:
        inputs: see `TreeModel`.
        vectors: float `(batch, nodes, embedding_dim)`, of the words.
    """

    def __init__(self, config: dict, words: int, arity: int, classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config, self.words, self.arity, self.classes = config, words, arity, classes
        self.settings = settings = Config.model_validate(config)
        penalty = keras.regularizers.L1L2(settings.l1, settings.l2) if settings.l1 or settings.l2 else None
        uniform = keras.initializers.RandomUniform(-0.1, 0.1)
        self.word_dropout = WordDropout(settings.word_dropout, name="word_dropout")
        self.embedding = keras.layers.Embedding(
            words, settings.embedding_dim, embeddings_initializer=uniform, name="embedding"
        )
        layer = recursive_layer(settings, arity, penalty)
        self.recursion = BidirectionalTree(layer, name="directions") if settings.bidirectional else layer
        self.output_dropout = keras.layers.Dropout(settings.output_dropout, name="output_dropout")
        self.scores = keras.layers.Dense(classes, dtype="float32", kernel_regularizer=penalty, name="scores")

    def build(self, inputs_shape: Any = None) -> None:
        self.embedding.build((None, None))
        self.recursion.build((None, None, self.settings.embedding_dim))
        self.scores.build((None, None, self.recursion.units))

    def vectors(self, inputs: Mapping[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """The vectors of the words."""
        return self.embedding(self.word_dropout(inputs["words"], training=training))

    def scored(self, inputs: Mapping[str, tf.Tensor], vectors: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """The scores of each node, float32 `(batch, nodes, classes)`."""
        outputs = self.recursion(vectors, inputs["children"], inputs["levels"], training=training)
        return self.scores(self.output_dropout(outputs, training=training))

    def get_config(self) -> dict[str, Any]:
        arguments = {name: getattr(self, name) for name in ("config", "words", "arity", "classes")}
        return {**super().get_config(), **arguments}


@keras.saving.register_keras_serializable(package="seqloom")
class TreeModel(AdversarialModel):
    """One or several recursive networks that classify every node of a tree.

    Each member is trained on its own loss; at the end their probabilities are averaged.

    Args:
        config: the settings, as a dictionary.
        words: int. Entries of the vocabulary.
        arity: int. The most children that a node has in train.
        classes: int. Number of classes that are learnt.

    Call arguments:
        inputs: `words (batch, nodes)`, ids at leaves and 0 elsewhere, `children (batch, nodes, arity)` and
            `levels (batch, nodes)` as `Recursion` reads them. All int32.

    Returns:
        list of float32 `(batch, nodes, classes)`, the scores of each member.
    """

    def __init__(self, config: dict, words: int, arity: int, classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config, self.words, self.arity, self.classes = config, words, arity, classes
        self.settings = Config.model_validate(config)
        self.adversarial = self.settings.adversarial
        self.members = [
            TreeNetwork(config, words, arity, classes, name=f"member_{number}")
            for number in range(self.settings.members)
        ]

    def build(self, inputs_shape: Any = None) -> None:
        for member in self.members:
            member.build()
        self.built = True

    def vectors(self, inputs: Mapping[str, tf.Tensor], training: bool | None = None) -> list[tf.Tensor]:
        return [member.vectors(inputs, training) for member in self.members]

    def scored(
        self, inputs: Mapping[str, tf.Tensor], vectors: list[tf.Tensor], training: bool | None = None
    ) -> list[tf.Tensor]:
        pairs = zip(self.members, vectors, strict=True)
        return [member.scored(inputs, of_member, training) for member, of_member in pairs]

    def step_losses(self, inputs: Any, targets: Any, outputs: Any) -> dict[str, tf.Tensor]:
        smoothing = self.settings.label_smoothing
        labels = tf.one_hot(targets["labels"], self.classes) * (1.0 - smoothing) + smoothing / self.classes
        losses = [tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=scores) for scores in outputs]
        return {"labels": tf.add_n(losses)}

    def decode(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The probabilities of the classes that are asked for, float32 `(batch, nodes, classes)`, of each node."""
        learnt = tf.add_n([tf.nn.softmax(scores) for scores in self(inputs, training=False)]) / len(self.members)
        return asked(learnt, self.settings.classes)

    def get_config(self) -> dict[str, Any]:
        arguments = {name: getattr(self, name) for name in ("config", "words", "arity", "classes")}
        return {**super().get_config(), **arguments}


def asked(probabilities: tf.Tensor, classes: int) -> tf.Tensor:
    """The probabilities of the classes that are asked for, from those of the classes that were learnt.

    Negative and positive of five classes are what both of their degrees have, given that a node is not neutral.

    Args:
        probabilities: `(..., classes that were learnt)`.
        classes: int. The same number, or 2 of five.

    Example:
        >>> asked(tf.constant([0.25, 0.125, 0.25, 0.25, 0.125]), 2).numpy().tolist()
        [0.5, 0.5]
    """
    if probabilities.shape[-1] == classes:
        return probabilities
    negative, _, positive = tf.split(probabilities, [2, 1, 2], axis=-1)
    both = tf.stack([tf.reduce_sum(negative, axis=-1), tf.reduce_sum(positive, axis=-1)], axis=-1)
    both += keras.config.epsilon()  # a node may be neutral for certain
    return both / tf.reduce_sum(both, axis=-1, keepdims=True)


def recursive_layer(settings: Config, arity: int, penalty: Any) -> Any:
    """The layer that the setting `encoder` names."""
    shared = {
        "dropout": settings.dropout,
        "recurrent_dropout": settings.recurrent_dropout,
        "kernel_regularizer": penalty,
        "name": "recursion",
    }
    if settings.encoder == "recursive":
        return RecursiveNet(settings.units, arity, **shared)
    if settings.encoder == "tensor":
        return RecursiveTensorNet(settings.units, arity, **shared)
    if settings.encoder == "tree_lstm":
        return TreeLSTM(settings.units, "nary", arity, forget_bias=settings.forget_bias, **shared)
    return TreeLSTM(settings.units, "child_sum", forget_bias=settings.forget_bias, **shared)
