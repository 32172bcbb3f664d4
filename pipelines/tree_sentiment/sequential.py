"""The baseline that reads a sentence from left to right and back: what does the tree add?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ...datasets.labelled_tree import NO_LABEL, LabelledTree
from ...layers.encoder import Encoder
from ...layers.word_dropout import WordDropout
from ..adversarial import AdversarialModel
from ..batching import BatchPlan, Tensors, TrainingData, training_batches
from ..optimizers import make_optimizer
from ..training import copy_weights
from .config import Config
from .data import Preprocessor, read_trees
from .model import TreeNetwork, asked

HELD_OUT = 0.1  # share of train on which the best epoch is chosen
ANSWERED = 64  # sentences at a time


@keras.saving.register_keras_serializable(package="seqloom")
class SequentialModel(AdversarialModel):
    """A bidirectional LSTM over the words of a sentence that classifies its phrases.

    A phrase is seen as the forward state at its last word beside the backward state at its first one. For the whole
    sentence these are the last states of both directions, as in a classifier of sentences.

    Args:
        config: the settings of the tree model, from which sizes and dropout are taken.
        words: int. Entries of the vocabulary.
        classes: int. Number of classes that are learnt.
        units: int. Size of the state of each direction.

    Call arguments:
        inputs: `words (batch, time)`, `lengths (batch,)`, and `first` and `last` `(batch, phrases)`, the places of
            the first and the last word of each phrase. All int32.

    Returns:
        float32 `(batch, phrases, classes)`, scores.
    """

    def __init__(self, config: dict, words: int, classes: int, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config, self.words, self.classes, self.units = config, words, classes, units
        settings = Config.model_validate(config)
        self.adversarial = settings.adversarial
        features = settings.embedding_dim
        self.word_dropout = WordDropout(settings.word_dropout)
        self.embedding = keras.layers.Embedding(words, features)
        self.encoder = Encoder(units=units, dropout=settings.dropout)
        self.output_dropout = keras.layers.Dropout(settings.output_dropout)
        self.scores = keras.layers.Dense(classes)
        self.embedding.build((None, None))
        self.encoder.build((None, None, features))
        self.scores.build((None, None, 2 * units))
        self.built = True

    def vectors(self, inputs: Mapping[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        return self.embedding(self.word_dropout(inputs["words"], training=training))

    def scored(self, inputs: Mapping[str, tf.Tensor], vectors: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        forward, backward = tf.split(self.encoder(vectors, lengths=inputs["lengths"], training=training), 2, axis=-1)
        phrases = tf.concat(
            [tf.gather(forward, inputs["last"], batch_dims=1), tf.gather(backward, inputs["first"], batch_dims=1)], -1
        )
        return self.scores(self.output_dropout(phrases, training=training))

    def step_losses(self, inputs: Any, targets: Any, outputs: Any) -> dict[str, tf.Tensor]:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets["labels"], logits=outputs)
        return {"labels": losses}

    def get_config(self) -> dict[str, Any]:
        arguments = {name: getattr(self, name) for name in ("config", "words", "classes", "units")}
        return {**super().get_config(), **arguments}


def sequential_probabilities(
    train: Sequence[LabelledTree], test: Sequence[LabelledTree], config: Config
) -> list[np.ndarray]:
    """Trains sequential models on all labelled phrases of `train`, and lets them answer those of `test`.

    There are as many as the tree model has members, and their probabilities are averaged, too. Each has, beside its
    word vectors, about as many parameters as a member, and is trained with the same settings. The best epoch is chosen
    on the part of train that is held out.

    Args:
        train: trees to learn from, at least two.
        test: trees to answer.
        config: the settings of the tree model.

    Returns:
        For each tree of `test` float32 `(nodes, classes)`, probabilities.
    """
    keras.utils.set_random_seed(config.seed)
    order = np.random.default_rng(config.seed).permutation(len(train))
    count = max(1, round(len(train) * HELD_OUT))
    held_out, taught = [train[index] for index in order[:count]], [train[index] for index in order[count:]]
    preprocessor = Preprocessor.fit(taught, config)
    seen, unseen, asked = (_Phrases(trees, preprocessor, config) for trees in (taught, held_out, test))
    models = [_trained(seen, unseen, preprocessor, config) for _ in range(config.members)]
    answers = [asked.probabilities(model) for model in models]
    return [np.mean(of_one_tree, axis=0) for of_one_tree in zip(*answers, strict=True)]


def _trained(taught: _Phrases, held_out: _Phrases, preprocessor: Preprocessor, config: Config) -> SequentialModel:
    settings, words, classes = config.model_dump(), len(preprocessor.words), preprocessor.classes
    like = TreeNetwork(settings, words, preprocessor.arity, classes)
    like.build()
    units = units_for(like.recursion.count_params(), config.embedding_dim)
    model, answering = (SequentialModel(settings, words, classes, units) for _ in range(2))
    data = taught.training_data()
    plan = BatchPlan(data.sizes, config.batch_size, config.bucket_growth, config.seed)
    model.compile(make_optimizer(config, len(plan)), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    best = _KeepBest(answering, held_out)
    batches = training_batches(data, plan, 0)
    model.fit(batches, epochs=config.epochs, steps_per_epoch=len(plan), callbacks=[best], shuffle=False, verbose=0)
    answering.set_weights(best.weights)
    return answering


def units_for(parameters: int, features: int) -> int:
    """The units of a bidirectional LSTM over `features` with about as many parameters: `8 u (features + u + 1)`.

    Example:
        >>> units_for(8 * 20 * (30 + 20 + 1), features=30)
        20
    """
    return max(1, round((math.sqrt((features + 1) ** 2 + parameters / 2) - (features + 1)) / 2))


class _Phrases:
    """Trees as sentences with the places of their phrases."""

    def __init__(self, trees: Sequence[LabelledTree], preprocessor: Preprocessor, config: Config) -> None:
        self._trees, self._classes = trees, config.classes
        read = read_trees(trees, preprocessor.reader(config))
        spans = tf.ragged.constant([tree.spans() for tree in trees], tf.int32, ragged_rank=1, inner_shape=(2,))
        self._words = tf.ragged.boolean_mask(read.ids, read.levels == 0)
        self._first, self._last = spans[..., 0], spans[..., 1] - 1
        self._labels = read.labels

    def training_data(self) -> TrainingData:
        """Batches for `SequentialModel`; each labelled phrase counts once."""

        def batch(rows: tf.Tensor, epoch: tf.Tensor) -> tuple[Tensors, Tensors, Tensors]:
            labels = tf.gather(self._labels, rows).to_tensor(NO_LABEL)
            return self._inputs(rows), {"labels": tf.maximum(labels, 0)}, {"labels": labels != NO_LABEL}

        return TrainingData(self._words.row_lengths().numpy(), batch)

    def probabilities(self, model: SequentialModel) -> list[np.ndarray]:
        """Of the phrases of each tree, in the order of its nodes."""
        answers: list[np.ndarray] = [np.zeros(0)] * len(self._trees)
        order = np.argsort(self._words.row_lengths().numpy(), kind="stable")
        for start in range(0, len(order), ANSWERED):
            rows = order[start : start + ANSWERED]
            probabilities = asked(tf.nn.softmax(model(self._inputs(tf.constant(rows)))), self._classes).numpy()
            for row, values in zip(rows, probabilities, strict=True):
                answers[row] = values[: self._trees[row].num_nodes]
        return answers

    def accuracy(self, model: SequentialModel) -> float:
        """The share of sentences whose class is right."""
        answers = zip(self.probabilities(model), self._trees, strict=True)
        return float(np.mean([answer[-1].argmax() == tree.labels[-1] for answer, tree in answers]))

    def _inputs(self, rows: tf.Tensor) -> Tensors:
        words = tf.gather(self._words, rows)
        return {
            "words": words.to_tensor(0),
            "lengths": tf.cast(words.row_lengths(), tf.int32),
            "first": tf.gather(self._first, rows).to_tensor(0),
            "last": tf.gather(self._last, rows).to_tensor(0),
        }


class _KeepBest(keras.callbacks.Callback):
    """Keeps the weights of the epoch that is best on held-out sentences."""

    def __init__(self, answering: SequentialModel, held_out: _Phrases) -> None:
        super().__init__()
        self._answering, self._held_out, self._best = answering, held_out, -1.0
        self.weights: list[np.ndarray] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        copy_weights(self.model, self._answering)
        accuracy = self._held_out.accuracy(self._answering)
        if accuracy > self._best:
            self._best, self.weights = accuracy, self._answering.get_weights()
