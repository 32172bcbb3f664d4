"""Recordings as a model server gets them, in the graph: checked, and turned into static features."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from ..layers.audio_features import AudioFeatures
from .audio_config import AudioConfig

WAVEFORM_SPECS = {"waveform": tf.TensorSpec([None, None], tf.float32), "lengths": tf.TensorSpec([None], tf.int32)}


_LOUDEST = 1e9  # of a sample; the power of louder ones may be no float32
_NOT_FINITE = "the recording holds values that are not finite numbers"
_TOO_LOUD = "the recording holds values that lie far outside of [-1, 1]"


class WaveformInput(tf.Module):
    """What `pipelines.audio.extract_features` computes, for a batch of recordings of which some may be unusable.

    Args:
        config: the settings.
        max_seconds: longest recording.
    """

    def __init__(self, config: AudioConfig, max_seconds: float) -> None:
        super().__init__(name="waveform_input")
        self.longest, self.limit = int(max_seconds * config.sampling_rate), f"{max_seconds:g} seconds"
        self.extract = AudioFeatures(
            config.sampling_rate,
            kind=config.features,
            mel_bands=config.mel_bands,
            coefficients=config.coefficients,
            window_ms=config.window_ms,
            hop_ms=config.hop_ms,
            lowest_frequency=config.lowest_frequency,
            highest_frequency=config.highest_frequency,
            dtype="float32",
        )

    def __call__(self, waveform: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Reads a batch.

        Args:
            waveform: float32 `(batch, samples)` in [-1, 1], at the sampling rate of the settings.
            lengths: int32 `(batch,)`, in samples.

        Returns:
            features `(batch, frames, size)`, frames of each row `(batch,)`, and why a row cannot be used, or `""`; such
            a row is a single frame of silence.
        """
        loud = tf.abs(waveform) > _LOUDEST
        waveform, lengths, error = checked(tf.where(loud, np.nan, waveform), lengths, self.longest, self.limit)
        error = tf.where((error == _NOT_FINITE) & tf.reduce_any(loud, axis=1), _TOO_LOUD, error)
        silent = tf.reduce_all(waveform == 0.0, axis=1)
        error = tf.where((error == "") & silent, "the recording is silent: all its samples are 0", error)
        return self.extract(waveform, lengths=lengths), self.extract.frame_lengths(lengths), error


def checked(values: tf.Tensor, lengths: tf.Tensor, longest: int, limit: str) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Replaces rows that cannot be read by a single step of zeros.

    Args:
        values: float32 `(batch, time)` or `(batch, time, size)`.
        lengths: int32 `(batch,)`.
        longest: steps that a row may have.
        limit: the same, in words.

    Returns:
        values with zeros past the lengths, lengths from 1 on, and why a row cannot be read, or `""`.

    Example:
        >>> _, lengths, error = checked(tf.ones([2, 3]), tf.constant([0, 3]), 5, "5 samples")
        >>> lengths.numpy().tolist(), error.numpy().tolist()
        ([1, 3], [b'the recording is empty', b''])
    """
    kept = tf.minimum(tf.shape(values)[1], longest)
    too_long, empty = lengths > longest, lengths < 1
    beyond = lengths > tf.shape(values)[1]
    one_more = [[0, 0], [0, 1], *[[0, 0]] * (len(values.shape) - 2)]
    values = tf.pad(values[:, :kept], one_more)[:, : tf.maximum(kept, 1)]
    real = tf.sequence_mask(lengths, tf.shape(values)[1])
    real = tf.reshape(real, tf.concat([tf.shape(real), tf.ones([len(values.shape) - 2], tf.int32)], axis=0))
    finite = tf.reduce_all(tf.math.is_finite(values) | ~real, axis=list(range(1, len(values.shape))))
    error = tf.where(finite, "", _NOT_FINITE)
    error = tf.where(beyond, "lengths must not go beyond what is given", error)
    error = tf.where(empty, "the recording is empty", error)
    error = tf.where(too_long, f"the recording is longer than {limit}, the longest that is answered", error)
    fine = error == ""
    lengths = tf.where(fine, lengths, 1)
    shape = tf.concat([tf.shape(fine), tf.ones([len(values.shape) - 1], tf.int32)], axis=0)
    return tf.where(tf.reshape(fine, shape) & real, values, 0.0), lengths, error
