"""The recogniser: features, convolutions that keep fewer steps, a recurrent encoder, a score for every character."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from ...layers.convolutional_subsampling import ConvolutionalSubsampling
from ...layers.ctc import ctc_loss
from ...layers.deltas import Deltas
from ...layers.encoder import Encoder
from ...layers.feature_normalisation import FeatureNormalisation
from ...layers.spec_augment import SpecAugment
from ..sequence_model import SequenceModel
from .config import Config


@keras.saving.register_keras_serializable(package="seqloom")
class SpeechModel(SequenceModel):
    """Scores the characters, and the blank, at each step of an utterance.

    Args:
        config: the settings, as a dictionary.
        size: int. Features of a frame, without their slopes.
        characters: int. Size of the alphabet; the blank comes after it.

    Call arguments:
        inputs: `features (batch, time, size)` float32 and `lengths (batch,)` int32, in frames.

    Returns:
        `{"logits", "lengths"}`: float32 `(batch, steps, characters + 1)` and int32 `(batch,)`, in steps.

    References:
        Graves, Fernández, Gomez and Schmidhuber (2006), Connectionist temporal classification.
        Amodei et al. (2016), [Deep Speech 2](https://arxiv.org/abs/1512.02595).
    """

    def __init__(self, config: dict, size: int, characters: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)  # features keep their precision until they are normalised
        self.config, self.size, self.characters = config, size, characters
        settings = Config.model_validate(config)
        penalty = keras.regularizers.L1L2(settings.l1, settings.l2) if settings.l1 or settings.l2 else None
        self.deltas = Deltas(dtype="float32", name="deltas") if settings.deltas else None
        self.normalisation = None
        if settings.normalisation != "none":
            self.normalisation = FeatureNormalisation(settings.normalisation, dtype="float32", name="normalisation")
        self.spec_augment = SpecAugment(
            time_masks=settings.time_masks,
            max_time_share=settings.max_time_share,
            frequency_masks=settings.frequency_masks,
            max_frequency_share=settings.max_frequency_share,
            name="spec_augment",
        )
        self.subsampling = ConvolutionalSubsampling(
            settings.channels,
            settings.kernel_size,
            strides=(1, settings.subsampling),
            dropout=settings.dropout / 2,
            kernel_regularizer=penalty,
            name="subsampling",
        )
        shared = ("encoder", "units", "num_layers", "bidirectional", "connections", "forget_bias", "dropout")
        self.encoder = Encoder(
            **{name: getattr(settings, name) for name in shared},
            recurrent_dropout=settings.recurrent_dropout,
            kernel_regularizer=penalty,
            name="encoder",
        )
        self.dropout = keras.layers.Dropout(settings.output_dropout, name="dropout")
        # the blank has weights of its own, so that an alphabet can grow behind its last character
        scores = {"kernel_regularizer": penalty, "dtype": "float32"}
        self.scores = keras.layers.Dense(characters, name="scores", **scores)
        self.blank = keras.layers.Dense(1, name="blank", **scores)

    def build(self, inputs_shape: Any = None) -> None:
        shape: tuple[int | None, ...] = (None, None, self.size)
        for layer in (self.deltas, self.normalisation):
            if layer is not None:
                layer.build(shape)
                shape = layer.compute_output_shape(shape)
        self.subsampling.build(shape)
        self.encoder.build((None, None, self.subsampling.filters))
        for layer in (self.scores, self.blank):
            layer.build((None, None, self.encoder.features))

    def call(self, inputs: Mapping[str, tf.Tensor], training: bool | None = None) -> dict[str, tf.Tensor]:
        features, lengths = inputs["features"], inputs["lengths"]
        if self.deltas is not None:
            features = self.deltas(features, lengths=lengths)
        if self.normalisation is not None:
            features = self.normalisation(features, lengths=lengths)
        features = self.spec_augment(features, lengths=lengths, training=training)
        steps = self.subsampling(features, lengths=lengths, training=training)
        lengths = self.subsampling.output_lengths(lengths)
        steps = self.encoder(steps, lengths=lengths, training=training)
        steps = self.dropout(steps, training=training)
        return {"logits": tf.concat([self.scores(steps), self.blank(steps)], axis=-1), "lengths": lengths}

    def step_losses(self, inputs: Any, targets: Any, outputs: Any) -> dict[str, tf.Tensor]:
        """The negative log probability of each transcript, in nats per character; the weights count characters."""
        losses = ctc_loss(outputs["logits"], outputs["lengths"], targets["labels"], targets["label_lengths"])
        return {"text": losses / tf.cast(targets["label_lengths"], tf.float32)}

    def get_config(self) -> dict[str, Any]:
        return {"config": self.config, "size": self.size, "characters": self.characters, "name": self.name}
