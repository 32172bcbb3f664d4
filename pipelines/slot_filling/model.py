"""The tagger: words and characters, a recurrent encoder, a score for every tag, and one for every intent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from ...layers.character_encoder import CharacterEncoder
from ...layers.crf import LinearChainCRF
from ...layers.encoder import Encoder
from ...layers.factored_dense import FactoredDense
from ...layers.jordan import Jordan
from ...layers.masking import sequence_mask
from ...layers.sequence_pooling import SequencePooling
from ...layers.word_dropout import WordDropout
from ..adversarial import AdversarialModel
from .config import Config
from .tags import parts_of

POOLINGS = ["max", "mean", "attention"]


@keras.saving.register_keras_serializable(package="seqloom")
class TaggerNetwork(keras.layers.Layer):
    """One network from ids to scores, `scored(inputs, vectors(inputs))`; a model has one or several (`members`).

    Args:
        config: the settings, as a dictionary.
        sizes: entries of `words` and `characters`.
        tags: list of str, by id.
        intents: list of str, by id; empty if there are none.

    Methods' arguments:
        inputs: see `SlotFillingModel`.
        vectors: float `(batch, time, features)`, of words and their spelling.
    """

    def __init__(self, config: dict, sizes: dict, tags: list, intents: list, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config, self.sizes, self.tags, self.intents = config, sizes, tags, intents
        settings = Config.model_validate(config)
        penalty = keras.regularizers.L1L2(settings.l1, settings.l2) if settings.l1 or settings.l2 else None
        uniform = keras.initializers.RandomUniform(-0.1, 0.1)
        self.word_dropout = WordDropout(settings.word_dropout, name="word_dropout")
        self.embedding = keras.layers.Embedding(
            sizes["words"], settings.embedding_dim, embeddings_initializer=uniform, name="embedding"
        )
        self.character_encoder = None
        if settings.character_dim:
            self.character_encoder = CharacterEncoder(
                sizes["characters"],
                settings.character_dim,
                settings.character_filters,
                kernel_regularizer=penalty,
                name="character_encoder",
            )
        self.output_dropout = keras.layers.Dropout(settings.output_dropout, name="output_dropout")
        self.encoder: Any = None
        self.projection: Any = None
        self.jordan: Any = None
        if settings.encoder == "jordan":
            self.jordan = Jordan(
                settings.units, len(tags), dropout=settings.dropout, kernel_regularizer=penalty, name="jordan"
            )
        else:
            shared = ("encoder", "units", "num_layers", "bidirectional", "connections", "forget_bias", "dropout")
            self.encoder = Encoder(
                **{name: config[name] for name in shared},
                recurrent_dropout=settings.recurrent_dropout,
                kernel_regularizer=penalty,
                name="encoder",
            )
            parts = [parts_of(tag) if settings.factored_tags else [tag] for tag in tags]
            self.projection = FactoredDense(parts, kernel_regularizer=penalty, name="tags")
        self.pooling: Any = None
        self.intent: Any = None
        if intents:
            self.pooling = SequencePooling(POOLINGS, name="pooling")
            self.intent = keras.layers.Dense(len(intents), dtype="float32", kernel_regularizer=penalty, name="intent")

    def build(self, inputs_shape: Any = None) -> None:
        settings = Config.model_validate(self.config)
        features = settings.embedding_dim
        self.embedding.build((None, None))
        if self.character_encoder is not None:
            self.character_encoder.build((None, None, None))
            features += settings.character_filters
        if self.encoder is not None:
            self.encoder.build((None, None, features))
            features = self.encoder.features
            self.projection.build((None, None, features))
        else:
            self.jordan.build((None, None, features))
        if self.intent is not None:
            self.pooling.build((None, None, features))
            self.intent.build((None, features * len(POOLINGS)))

    def vectors(self, inputs: Mapping[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """What the encoder reads."""
        vectors = self.embedding(self.word_dropout(inputs["words"], training=training))
        if self.character_encoder is None:
            return vectors
        spelling = self.character_encoder(inputs["characters"], lengths=inputs["character_lengths"], training=training)
        return tf.concat([vectors, tf.cast(spelling, vectors.dtype)], axis=-1)

    def scored(
        self, inputs: Mapping[str, tf.Tensor], vectors: tf.Tensor, training: bool | None = None
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Tag scores `(batch, time, tags)` and, if there are intents, their scores `(batch, intents)`, float32."""
        lengths = inputs["lengths"]
        if self.jordan is not None:
            states = self.output_dropout(vectors, training=training)
            tags = inputs["tags"] if training else None
            scores = self.jordan(vectors, lengths=lengths, tags=tags, training=training)
        else:
            states = self.encoder(vectors, lengths=lengths, training=training)
            states = self.output_dropout(states, training=training)
            scores = self.projection(states)
        intents = self.intent(self.pooling(states, lengths=lengths)) if self.intent is not None else None
        return scores, intents

    def get_config(self) -> dict[str, Any]:
        arguments = {name: getattr(self, name) for name in ("config", "sizes", "tags", "intents")}
        return {**super().get_config(), **arguments}


@keras.saving.register_keras_serializable(package="seqloom")
class SlotFillingModel(AdversarialModel):
    """One or several taggers under one conditional random field.

    Each member is trained on its own loss; at the end their scores are averaged (and with the scores, the decisions).

    Args:
        config: the settings, as a dictionary.
        sizes: entries of `words` and `characters`.
        tags: list of str, by id.
        intents: list of str, by id; empty if there are none.

    Call arguments:
        inputs: `words (batch, time)`, `lengths (batch,)`, with characters also
            `characters (batch, time, characters)` and `character_lengths (batch, time)`; `tags (batch, time)` is read
            by `encoder=jordan` in training. All int32.

    Returns:
        `{"slots": [...], "intent": [...]}`, the scores of each member.
    """

    def __init__(self, config: dict, sizes: dict, tags: list, intents: list, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config, self.sizes, self.tags, self.intents = config, sizes, tags, intents
        self.settings = Config.model_validate(config)
        self.adversarial = self.settings.adversarial
        self.members = [
            TaggerNetwork(config, sizes, tags, intents, name=f"member_{number}")
            for number in range(self.settings.members)
        ]
        self.crf = LinearChainCRF(tags, name="crf") if self.settings.head == "crf" else None

    def build(self, inputs_shape: Any = None) -> None:
        for member in self.members:
            member.build()
        if self.crf is not None:
            self.crf.build((None, None, len(self.tags)))
        self.built = True

    def vectors(self, inputs: Mapping[str, tf.Tensor], training: bool | None = None) -> list[tf.Tensor]:
        return [member.vectors(inputs, training) for member in self.members]

    def scored(
        self, inputs: Mapping[str, tf.Tensor], vectors: list[tf.Tensor], training: bool | None = None
    ) -> dict[str, list[tf.Tensor]]:
        pairs = zip(self.members, vectors, strict=True)
        scores = [member.scored(inputs, of_member, training) for member, of_member in pairs]
        outputs = {"slots": [slots for slots, _ in scores]}
        if self.intents:
            outputs["intent"] = [intent for _, intent in scores]
        return outputs

    def step_losses(self, inputs: Any, targets: Any, outputs: Any) -> dict[str, tf.Tensor]:
        lengths = inputs["lengths"]
        slots = [self._slot_loss(scores, targets["slots"], lengths) for scores in outputs["slots"]]
        losses = {"slots": tf.add_n(slots)}
        if self.intents:
            intents = [self._intent_loss(scores, targets["intent"]) for scores in outputs["intent"]]
            losses["intent"] = self.settings.intent_weight * tf.add_n(intents)
        return losses

    def decode(self, inputs: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor | None]:
        """The best tags `(batch, time)`, int32, and the probabilities of the intents `(batch, intents)`."""
        outputs = self(inputs, training=False)
        scores = tf.add_n(outputs["slots"]) / len(self.members)
        if self.crf is not None:
            tags = self.crf(scores, lengths=inputs["lengths"])
        else:
            tags = tf.argmax(scores, axis=-1, output_type=tf.int32)
        if not self.intents:
            return tags, None
        return tags, tf.add_n([tf.nn.softmax(intent) for intent in outputs["intent"]]) / len(self.members)

    def _slot_loss(self, scores: tf.Tensor, tags: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        if self.crf is not None:
            return self.crf.negative_log_likelihood(scores, tags, lengths)
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tags, logits=scores)
        return tf.reduce_sum(tf.where(sequence_mask(lengths, tf.shape(tags)[1]), each, 0.0), axis=1)

    def _intent_loss(self, scores: tf.Tensor, intents: tf.Tensor) -> tf.Tensor:
        classes, smoothing = len(self.intents), self.settings.label_smoothing
        labels = tf.one_hot(intents, classes) * (1.0 - smoothing) + smoothing / classes
        return tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=scores)

    def get_config(self) -> dict[str, Any]:
        arguments = {name: getattr(self, name) for name in ("config", "sizes", "tags", "intents")}
        return {**super().get_config(), **arguments}
