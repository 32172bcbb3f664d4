"""The classifier: words and n-grams, a recurrent encoder, a summary, a score for every class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ...layers.encoder import Encoder
from ...layers.naive_bayes_linear import NaiveBayesLinear
from ...layers.region_embedding import RegionEmbedding
from ...layers.sequence_pooling import SequencePooling
from ...layers.word_dropout import WordDropout
from ..adversarial import AdversarialModel
from .config import Config


@keras.saving.register_keras_serializable(package="seqloom")
class SentimentModel(AdversarialModel):
    """A recurrent classifier, and beside it, if wanted, a linear one of words and n-grams.

    Each of the two is trained on its own loss; their scores are averaged, with `linear_share` as the weight of the
    linear one. So neither leaves to the other what it could learn itself.

    Args:
        config: the settings, as a dictionary.
        sizes: entries of `words`, of `regions` (a list, one for each order) and of `units`.
        labels: list of str, the classes by id.

    Call arguments:
        inputs: `words (batch, time)` and `lengths (batch,)`; with regions also `regions (batch, time, orders)`, with
            ratios as inputs `steps (batch, time, kinds)`, units of each step, and with a linear classifier
            `units (batch, n)`. All int32, 0 for padding and for nothing.

    Returns:
        `{"recurrent": scores, "linear": scores}`, each float32 `(batch, classes)`; the second if there is one.
    """

    def __init__(self, config: dict, sizes: dict, labels: list, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config, self.sizes, self.labels = config, sizes, labels
        self.settings = settings = Config.model_validate(config)
        self.adversarial = settings.adversarial
        penalty = keras.regularizers.L1L2(settings.l1, settings.l2) if settings.l1 or settings.l2 else None
        uniform = keras.initializers.RandomUniform(-0.1, 0.1)
        self.word_dropout = WordDropout(settings.word_dropout, name="word_dropout")
        self.embedding = RegionEmbedding(
            [sizes["words"], *sizes["regions"]],
            settings.embedding_dim,
            dropout=settings.embedding_dropout,
            embeddings_initializer=uniform,
            name="embedding",
        )
        classes = len(labels)
        self.ratios = None
        if settings.ratios:
            self.ratios = keras.layers.Embedding(
                sizes["units"], classes, embeddings_initializer="zeros", trainable=False, name="ratios"
            )
        shared = ("encoder", "units", "num_layers", "bidirectional", "connections", "forget_bias", "dropout")
        self.encoder = Encoder(
            **{name: config[name] for name in shared},
            recurrent_dropout=settings.recurrent_dropout,
            kernel_regularizer=penalty,
            name="encoder",
        )
        self.summary = SequencePooling(settings.pooling, settings.bidirectional, name="pooling")
        self.output_dropout = keras.layers.Dropout(settings.output_dropout, name="output_dropout")
        self.scores = keras.layers.Dense(classes, dtype="float32", kernel_regularizer=penalty, name="scores")
        self.linear: Any = None
        if settings.linear:
            self.linear = NaiveBayesLinear(
                sizes["units"],
                classes,
                start=settings.linear_start,
                dropout=settings.linear_dropout,
                scale_regularizer=keras.regularizers.L2(settings.linear_l2) if settings.linear_l2 else None,
                dtype="float32",
                name="linear",
            )

    def build(self, inputs_shape: Any = None) -> None:
        kinds = 1 + len(self.sizes["regions"])
        features = self.settings.embedding_dim
        self.embedding.build((None, None, kinds))
        if self.ratios is not None:
            self.ratios.build((None, None))
            features += kinds * len(self.labels)
        self.encoder.build((None, None, features))
        self.summary.build((None, None, self.encoder.features))
        self.scores.build((None, self.encoder.features * len(self.settings.pooling)))
        if self.linear is not None:
            self.linear.build((None, None))
        self.built = True

    def set_ratios(self, ratios: np.ndarray) -> None:
        """Sets the log-count ratios `(units, classes)`, which training leaves as they are."""
        if self.ratios is not None:
            self.ratios.embeddings.assign(ratios)
        if self.linear is not None:
            self.linear.ratios.assign(ratios)

    def scored(
        self, inputs: Mapping[str, tf.Tensor], vectors: tf.Tensor, training: bool | None = None
    ) -> dict[str, tf.Tensor]:
        lengths = inputs["lengths"]
        states = self.encoder(vectors, lengths=lengths, training=training)
        summary = self.output_dropout(self.summary(states, lengths=lengths), training=training)
        outputs = {"recurrent": self.scores(summary)}
        if self.linear is not None:
            outputs["linear"] = self.linear(inputs["units"], training=training)
        return outputs

    def vectors(self, inputs: Mapping[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """What the encoder reads, `(batch, time, features)`."""
        words = self.word_dropout(inputs["words"], training=training)
        ids = words[:, :, None]
        if self.sizes["regions"]:
            ids = tf.concat([ids, inputs["regions"]], axis=-1)
        vectors = self.embedding(ids, training=training)
        if self.ratios is None:
            return vectors
        ratios = self.ratios(inputs["steps"])  # (batch, time, kinds, classes)
        shape = tf.shape(ratios)
        ratios = tf.reshape(ratios, [shape[0], shape[1], ratios.shape[2] * ratios.shape[3]])
        return tf.concat([vectors, tf.cast(ratios, vectors.dtype)], axis=-1)

    def step_losses(self, inputs: Any, targets: Any, outputs: Any) -> dict[str, tf.Tensor]:
        return {"label": tf.add_n([self._loss(scores, targets["label"]) for scores in outputs.values()])}

    def decode(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The probabilities of the classes, float32 `(batch, classes)`."""
        return self._probabilities(self(inputs, training=False))

    def contributions(self, inputs: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """What each step that is read adds to the score of the best class, by the recurrent classifier.

        The gradient of the score of that class, above the mean of the others, with respect to a step's vector, times
        the vector (Simonyan et al., 2014): to first order what the score would lose without it.

        Returns:
            the probabilities of the classes `(batch, classes)` as in `decode`, and the contributions `(batch, time)`.
        """
        vectors = tf.cast(self.vectors(inputs, training=False), self.compute_dtype)
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            outputs = self.scored(inputs, vectors, training=False)
            probabilities = self._probabilities(outputs)
            score = tf.reduce_sum(outputs["recurrent"] * self._margins(tf.argmax(probabilities, axis=-1)))
        products = tf.cast(tape.gradient(score, vectors) * vectors, tf.float32)
        return probabilities, tf.reduce_sum(products, axis=-1) * self._shares["recurrent"]

    def linear_contributions(self, units: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
        """What the units that hold each word, `(batch, time, units)`, add to the score of a class by the linear one.

        An n-gram's share is divided among its words; a unit that occurs several times is shown at each place.

        Returns:
            float32 `(batch, time)`.
        """
        weights = self.linear.unit_scores(units)  # (batch, time, units, classes)
        orders = [1, *(order for order in self.settings.linear for _ in range(order))]
        weights = tf.einsum("btuk,u->btk", weights, 1.0 / tf.constant(orders, tf.float32))
        return tf.reduce_sum(weights * self._margins(classes)[:, None], axis=-1) * self._shares["linear"]

    @property
    def _shares(self) -> dict[str, float]:
        """What the scores of each classifier weigh in their mean."""
        linear = 0.0 if self.linear is None else self.settings.linear_share
        return {"recurrent": 1.0 - linear, "linear": linear}

    def _probabilities(self, outputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Of the classes, from the mean of the classifiers' scores."""
        shares = self._shares
        return tf.nn.softmax(tf.add_n([scores * shares[name] for name, scores in outputs.items()]))

    def _margins(self, classes: tf.Tensor) -> tf.Tensor:
        """What scores `(batch, classes)` are multiplied with to give that of a class above the mean of the others."""
        count = len(self.labels)
        chosen = tf.one_hot(classes, count)
        return chosen - (1.0 - chosen) / max(1, count - 1)

    def _loss(self, scores: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        classes, smoothing = len(self.labels), self.settings.label_smoothing
        targets = tf.one_hot(labels, classes) * (1.0 - smoothing) + smoothing / classes
        return tf.nn.softmax_cross_entropy_with_logits(labels=targets, logits=scores)

    def get_config(self) -> dict[str, Any]:
        arguments = {name: getattr(self, name) for name in ("config", "sizes", "labels")}
        return {**super().get_config(), **arguments}
