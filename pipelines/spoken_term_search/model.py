"""The autoencoder: a term as one vector, and the frames that a decoder restores from the vector alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ...layers.contrastive_loss import contrastive_loss
from ...layers.decoder import Decoder
from ...layers.deltas import Deltas
from ...layers.encoder import Encoder
from ...layers.feature_normalisation import FeatureNormalisation
from ...layers.sequence_pooling import SequencePooling
from ...layers.spaced_frames import SpacedFrames
from ...layers.spec_augment import SpecAugment
from ..sequence_model import SequenceModel
from .config import Config


@keras.saving.register_keras_serializable(package="seqloom")
class TermModel(SequenceModel):
    """Encodes a term as a vector, and restores frames from it.

    Args:
        config: the settings, as a dictionary.
        size: features of a frame, without their slopes.

    Call arguments:
        inputs: `features (batch, time, size)` float32 and `lengths (batch,)` int32, in frames; `partner` and
            `partner_lengths`, what is to be restored, or to be near; `labels (batch,)` int32 of the siamese variant.

    Returns:
        `{"vectors", "frames", "wanted"}`: `(batch, d)`, and the restored and the true frames
        `(batch, steps, features)`; of the siamese variant `{"vectors", "partners"}`.

    References:
        Chung et al. (2016), [Audio Word2Vec](https://arxiv.org/abs/1603.00982).
        Kamper (2019), [Truly unsupervised acoustic word embeddings](https://arxiv.org/abs/1811.00403).
    """

    def __init__(self, config: dict, size: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)  # features keep their precision until they are normalised
        self.config, self.size = config, size
        self.settings = settings = Config.model_validate(config)
        penalty = keras.regularizers.L1L2(settings.l1, settings.l2) if settings.l1 or settings.l2 else None
        self.deltas = Deltas(dtype="float32", name="deltas") if settings.deltas else None
        self.normalisation = None
        if settings.normalisation != "none":
            self.normalisation = FeatureNormalisation(settings.normalisation, dtype="float32", name="normalisation")
        self.spec_augment = SpecAugment(
            time_masks=settings.time_masks if settings.changes_input else 0,
            max_time_share=settings.max_time_share,
            frequency_masks=settings.frequency_masks if settings.changes_input else 0,
            max_frequency_share=settings.max_frequency_share,
            name="spec_augment",
        )
        shared = {name: config[name] for name in ("units", "forget_bias", "connections", "dropout")}
        shared["kernel_regularizer"] = penalty
        self.encoder: Any = None
        self.spaced: Any = None
        self.pooling: Any = None
        self.projection: Any = None
        if settings.vector == "recurrent":
            self.encoder = Encoder(
                settings.encoder,
                num_layers=settings.num_layers,
                bidirectional=settings.bidirectional,
                recurrent_dropout=settings.recurrent_dropout,
                name="encoder",
                **shared,
            )
            self.pooling = SequencePooling(["last"], settings.bidirectional, name="pooling")
            self.projection = keras.layers.Dense(
                settings.embedding_dim, kernel_regularizer=penalty, dtype="float32", name="projection"
            )
        elif settings.vector == "downsampled":
            self.spaced = SpacedFrames(settings.downsampled_frames, dtype="float32", name="spaced")
        else:
            self.pooling = SequencePooling(["mean"], dtype="float32", name="pooling")
        self.decoder: Any = None
        self.restoration: Any = None
        if settings.variant != "siamese":
            self.decoder = Decoder(
                cell=settings.encoder, num_layers=settings.decoder_layers, access="both", name="decoder", **shared
            )
            self.restoration = keras.layers.Dense(
                self.frame_size, kernel_regularizer=penalty, dtype="float32", name="restoration"
            )

    @property
    def frame_size(self) -> int:
        """Features of a frame, with their slopes."""
        return self.size * (3 if self.settings.deltas else 1)

    @property
    def vector_size(self) -> int:
        """Numbers of a vector."""
        if self.settings.vector == "recurrent":
            return self.settings.embedding_dim
        return self.frame_size * (self.settings.downsampled_frames if self.settings.vector == "downsampled" else 1)

    def build(self, inputs_shape: Any = None) -> None:
        if self.deltas is not None:
            self.deltas.build((None, None, self.size))
        if self.normalisation is not None:
            self.normalisation.build((None, None, self.frame_size))
        if self.encoder is not None:
            self.encoder.build((None, None, self.frame_size))
            self.projection.build((None, self.encoder.features))
        if self.decoder is not None:
            self.decoder.build((None, None, 1), (None, self.vector_size))
            self.restoration.build((None, None, self.settings.units))
        self.built = True

    def call(self, inputs: Mapping[str, tf.Tensor], training: bool | None = None) -> dict[str, tf.Tensor]:
        features, lengths = self.prepared(inputs["features"], inputs["lengths"]), inputs["lengths"]
        features = self.spec_augment(features, lengths=lengths, training=training)
        vectors = self.encoded(features, lengths, training)
        lengths = inputs["partner_lengths"]
        partners = self.prepared(inputs["partner"], lengths)
        if self.settings.variant == "siamese":
            partners = self.spec_augment(partners, lengths=lengths, training=training)
            return {"vectors": vectors, "partners": self.encoded(partners, lengths, training)}
        steps = tf.shape(partners)[1]
        return {"vectors": vectors, "frames": self.restored(vectors, lengths, steps, training), "wanted": partners}

    def prepared(self, features: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Static features as the encoder reads them and the decoder restores them, `(batch, time, frame_size)`."""
        if self.deltas is not None:
            features = self.deltas(features, lengths=lengths)
        return features if self.normalisation is None else self.normalisation(features, lengths=lengths)

    def encoded(self, frames: tf.Tensor, lengths: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """Prepared frames as vectors `(batch, vector_size)`, float32."""
        if self.spaced is not None:
            return self.spaced(frames, lengths=lengths)
        if self.encoder is None:
            return self.pooling(frames, lengths=lengths)
        states = self.encoder(frames, lengths=lengths, training=training)
        return self.projection(tf.cast(self.pooling(states, lengths=lengths), tf.float32))

    def restored(
        self, vectors: tf.Tensor, lengths: tf.Tensor, steps: tf.Tensor, training: bool | None = None
    ) -> tf.Tensor:
        """Frames from vectors alone, `(batch, steps, frame_size)`: the decoder reads nothing at any step."""
        if self.settings.length_normalisation:  # to the length of a vector of ones, so that its numbers are not tiny
            vectors = tf.math.l2_normalize(vectors, axis=-1) * np.sqrt(self.vector_size, dtype=np.float32)
        nothing = tf.zeros([tf.shape(vectors)[0], steps, 1])
        states = self.decoder(nothing, context=vectors, lengths=lengths, training=training)
        return self.restoration(tf.cast(states, tf.float32))

    def step_losses(self, inputs: Any, targets: Any, outputs: Any) -> dict[str, tf.Tensor]:
        """The mean squared error of each frame, or the contrastive loss of each term."""
        if self.settings.variant == "siamese":
            given = outputs["vectors"], outputs["partners"], inputs["labels"]
            return {"terms": contrastive_loss(*given, self.settings.temperature)}
        return {"frames": squared_errors(outputs["frames"], outputs["wanted"])}

    def get_config(self) -> dict[str, Any]:
        return {"config": self.config, "size": self.size, "name": self.name}


def squared_errors(restored: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """The mean squared error of each frame, `(batch, steps)`."""
    return tf.reduce_mean(tf.square(restored - wanted), axis=-1)
