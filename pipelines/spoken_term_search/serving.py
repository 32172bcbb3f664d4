"""A recording of a term in, its vector out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from ..exporting import Server, Signature
from ..waveform_input import WAVEFORM_SPECS, WaveformInput
from .config import Config
from .data import Preprocessor
from .model import TermModel, squared_errors


class TermServer(Server):
    """Answers `waveform (batch, samples)` float32 in [-1, 1] with `lengths (batch,)` int32, in samples.

    The sampling rate is that of the settings; whoever calls resamples. Returns for each row `embedding` (float32, of
    unit length, zeros for a row that cannot be read; the product of two is their cosine: the higher, the more alike)
    and `error`, which is empty if the row could be read. `encoded` says too how well the decoder restores the frames
    from the vector; `restored` gives the frames themselves, `raw` the vectors before whitening and normalisation.
    """

    inputs: ClassVar = WAVEFORM_SPECS
    outputs: ClassVar = ("embedding", "error")
    others: ClassVar = {
        "encoded": Signature(WAVEFORM_SPECS, ("embedding", "restoration_error", "error")),
        "restored": Signature(WAVEFORM_SPECS, ("wanted", "restored", "frames", "error")),
        "raw": Signature(WAVEFORM_SPECS, ("vector", "error")),
    }

    def __init__(self, model: TermModel, preprocessor: Preprocessor, config: Config) -> None:
        super().__init__(model)
        self.config = config
        self.read = WaveformInput(config, config.max_seconds)
        self.mean = np.zeros(model.vector_size, np.float32)
        self.matrix: np.ndarray | None = None

    def set_tuning(self, tuning: Mapping[str, Any]) -> None:
        """Takes over the whitening."""
        if tuning:
            self.mean = np.array(tuning["mean"], np.float32)
            self.matrix = np.array(tuning["matrix"], np.float32)

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """All of them; a siamese network restores nothing."""
        some = ("raw",) if self.config.variant == "siamese" else tuple(self.others)
        return {name: self.others[name] for name in some}

    @property
    def notes(self) -> Mapping[str, Any]:
        """The rate that the input must have."""
        return {"sampling_rate": self.config.sampling_rate}

    def answer(self, waveform: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:  # type: ignore[override]
        """Encodes a batch."""
        frames, lengths, error = self._frames(waveform, lengths)
        vectors = self.model.encoded(frames, lengths, training=False)
        return {"embedding": self._embedding(vectors, error), "error": error}

    def encoded(self, waveform: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        """Encodes a batch and restores it: `restoration_error` is the mean squared error of the normalised frames."""
        frames, lengths, error = self._frames(waveform, lengths)
        vectors = self.model.encoded(frames, lengths, training=False)
        restored = self.model.restored(vectors, lengths, tf.shape(frames)[1], training=False)
        real = tf.sequence_mask(lengths, tf.shape(frames)[1], tf.float32)
        mean = tf.reduce_sum(squared_errors(restored, frames) * real, axis=1) / tf.reduce_sum(real, axis=1)
        return {
            "embedding": self._embedding(vectors, error),
            "restoration_error": tf.where(error == "", mean, 0.0),
            "error": error,
        }

    def restored(self, waveform: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        """The normalised frames `(batch, frames, features)`, what is restored of them, and how many there are."""
        frames, lengths, error = self._frames(waveform, lengths)
        vectors = self.model.encoded(frames, lengths, training=False)
        restored = self.model.restored(vectors, lengths, tf.shape(frames)[1], training=False)
        real = tf.sequence_mask(lengths, tf.shape(frames)[1], tf.float32)[..., None]
        return {"wanted": frames, "restored": restored * real, "frames": lengths, "error": error}

    def raw(self, waveform: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        """The vectors as the encoder has them, neither whitened nor of unit length."""
        frames, lengths, error = self._frames(waveform, lengths)
        return {"vector": self.model.encoded(frames, lengths, training=False), "error": error}

    def _frames(self, waveform: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        features, lengths, error = self.read(waveform, lengths)
        return self.model.prepared(features, lengths), lengths, error

    def _embedding(self, vectors: tf.Tensor, error: tf.Tensor) -> tf.Tensor:
        if self.matrix is not None:
            vectors = tf.matmul(vectors - self.mean, self.matrix)
        return tf.where(error[:, None] == "", tf.math.l2_normalize(vectors, axis=-1), 0.0)
