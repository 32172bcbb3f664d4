"""Speech as other mouths and rooms would have it: drawn anew for each recording in each epoch.

Everything works on static features, before slopes and normalisation, and is a function of (seed, epoch, recording),
so that a resumed run hears what an uninterrupted one would have heard.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from .audio_config import AugmentedAudioConfig

_TILT = 1.5  # nats: how far the noise may lean towards low or high bands, in its standard deviation


class Augmentation:
    """Draws and applies changes of tempo, vocal tract and background noise.

    - `stretch`: frames are interpolated in time, so that speech is slower or faster by a factor from
      `1 / (1 + stretch)` to `1 + stretch`.
    - `vocal_tract`: frequencies are multiplied by such a factor (Jaitly and Hinton, 2013), on log-mel spectra as they
      are, on cepstra by way of the spectra that they smooth.
    - `noise`: to the power of each band is added that of steady noise with a random tilt, `noise` dB or more
      below the utterance's mean; to cepstra, what that adds to the spectra that they smooth.

    Args:
        config: the settings.
        seed: of what is drawn.
        orthonormal: whether cepstra are librosa's; if not, those of sums of cosines (HTK), as corpora of features have.

    References:
        Jaitly and Hinton (2013), Vocal tract length perturbation improves speech recognition.
        Ko, Peddinti, Povey and Khudanpur (2015), Audio augmentation for speech recognition.
    """

    def __init__(self, config: AugmentedAudioConfig, seed: int, orthonormal: bool = True) -> None:
        self.config, self.seed = config, seed
        self._frequencies = _band_frequencies(config)
        self._to_features = _basis(config, orthonormal)  # (size, bands)
        self._to_bands = np.linalg.pinv(self._to_features)  # the smoothest log spectra with these features

    def __call__(
        self, frames: tf.Tensor, lengths: tf.Tensor, shortest: tf.Tensor, rows: tf.Tensor, epoch: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Changes a batch.

        Args:
            frames: float32 `(batch, time, size)`, zeros past `lengths`.
            lengths: int32 `(batch,)`.
            shortest: int32 `(batch,)`, how short each utterance may become.
            rows: int64 `(batch,)`, the number of each utterance.
            epoch: int64 scalar.

        Returns:
            frames and lengths, as they came in, zeros past the new lengths.
        """
        draws = self._draws(rows, epoch)
        if self.config.vocal_tract:
            frames = self._warped(frames, _factor(draws[:, 0], self.config.vocal_tract))
        if self.config.noise is not None:
            frames = self._noisy(frames, lengths, draws[:, 1], draws[:, 2])
        if self.config.stretch:
            frames, lengths = stretched(frames, lengths, _factor(draws[:, 3], self.config.stretch), shortest)
        mask = tf.sequence_mask(lengths, tf.shape(frames)[1], frames.dtype)
        return frames * mask[..., None], lengths

    def _draws(self, rows: tf.Tensor, epoch: tf.Tensor) -> tf.Tensor:
        """Uniform numbers `(batch, 4)` in [0, 1) that depend on seed, epoch and utterance alone."""

        def of_row(row: tf.Tensor) -> tf.Tensor:
            return tf.random.stateless_uniform([4], tf.stack([row, epoch + (self.seed << 32)]))

        return tf.map_fn(of_row, rows, fn_output_signature=tf.TensorSpec([4], tf.float32))

    def _warped(self, frames: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
        """Moves what lies at a frequency `f` to `f / factor`."""
        bands = len(self._frequencies)
        places = _places(self._frequencies, factors[:, None] * self._frequencies)  # where each new band was before
        hats = tf.nn.relu(1.0 - tf.abs(places[..., None] - tf.range(bands, dtype=tf.float32)))  # (batch, new, old)
        matrices = tf.einsum("os,bno,fn->bsf", self._to_bands, hats, self._to_features)  # (batch, size, size)
        return tf.matmul(frames, matrices)

    def _noisy(self, frames: tf.Tensor, lengths: tf.Tensor, loudness: tf.Tensor, tilt: tf.Tensor) -> tf.Tensor:
        is_spectrum = self.config.features == "log_mel"
        bands = frames if is_spectrum else tf.einsum("bts,os->bto", frames, self._to_bands)
        counts = tf.cast(lengths, tf.float32)[:, None, None] * len(self._frequencies)
        real = tf.sequence_mask(lengths, tf.shape(frames)[1], tf.float32)[..., None]
        power = tf.reduce_sum(tf.exp(bands) * real, axis=[1, 2], keepdims=True) / counts
        # between `noise` dB below the mean power and 30 dB weaker
        decibels = self.config.noise + 30.0 * loudness[:, None, None]
        lean = _TILT * (2.0 * tilt[:, None, None] - 1.0) * tf.linspace(-1.0, 1.0, len(self._frequencies))
        level = tf.math.log(power) - decibels * np.float32(np.log(10) / 10) + lean
        noisy = tf.math.log(tf.exp(bands) + tf.exp(level))
        return noisy if is_spectrum else frames + tf.einsum("bto,fo->btf", noisy - bands, self._to_features)


def stretched(
    frames: tf.Tensor, lengths: tf.Tensor, factors: tf.Tensor, shortest: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Interpolates frames in time.

    Args:
        frames: float32 `(batch, time, size)`.
        lengths: int32 `(batch,)`.
        factors: float32 `(batch,)`, new length in old ones.
        shortest: int32 `(batch,)`, least new length.

    Returns:
        frames `(batch, new time, size)`, the last one repeated past the new lengths, and the new lengths.

    Example:
        >>> ramp = tf.reshape(tf.range(3.0), [1, 3, 1])
        >>> frames, lengths = stretched(ramp, tf.constant([3]), tf.constant([1.67]), tf.constant([1]))
        >>> frames.numpy().ravel().tolist(), lengths.numpy().tolist()
        ([0.0, 0.5, 1.0, 1.5, 2.0], [5])
    """
    new = tf.maximum(tf.cast(tf.round(tf.cast(lengths, tf.float32) * factors), tf.int32), tf.maximum(shortest, 1))
    steps = tf.range(tf.reduce_max(new), dtype=tf.float32)
    rates = tf.cast(lengths - 1, tf.float32) / tf.maximum(tf.cast(new - 1, tf.float32), 1.0)
    places = tf.minimum(steps * rates[:, None], tf.cast(lengths - 1, tf.float32)[:, None])  # (batch, new time)
    before = tf.cast(places, tf.int32)
    after = tf.minimum(before + 1, lengths[:, None] - 1)
    share = (places - tf.cast(before, tf.float32))[..., None]
    early, late = (tf.gather(frames, index, batch_dims=1) for index in (before, after))
    return early * (1.0 - share) + late * share, new


def _factor(draws: tf.Tensor, largest: float) -> tf.Tensor:
    """Factors from `1 / (1 + largest)` to `1 + largest`, uniform in their logarithm."""
    return tf.exp((2.0 * draws - 1.0) * np.float32(np.log1p(largest)))


def _band_frequencies(config: AugmentedAudioConfig) -> np.ndarray:
    """The centre of each mel band, in Hz."""
    import librosa

    highest = config.highest_frequency or config.sampling_rate / 2
    edges = librosa.mel_frequencies(config.mel_bands + 2, fmin=config.lowest_frequency, fmax=highest)
    return edges[1:-1].astype(np.float32)


def _basis(config: AugmentedAudioConfig, orthonormal: bool) -> np.ndarray:
    """What turns a log spectrum into features `(size, bands)`: cosines for cepstra, nothing for the spectrum itself."""
    if config.features == "log_mel":
        return np.eye(config.mel_bands, dtype=np.float32)
    waves = np.cos(
        np.pi * np.outer(np.arange(config.coefficients), np.arange(config.mel_bands) + 0.5) / config.mel_bands
    )
    if orthonormal:
        waves *= np.sqrt(np.where(np.arange(config.coefficients) == 0, 1, 2) / config.mel_bands)[:, None]
    return waves.astype(np.float32)


def _places(frequencies: np.ndarray, sought: tf.Tensor) -> tf.Tensor:
    """Between which bands frequencies lie, as real numbers of bands; the first or the last one for those outside."""
    last = len(frequencies) - 1
    flat = tf.reshape(sought, [-1])
    below = tf.clip_by_value(tf.searchsorted(frequencies, flat, side="right") - 1, 0, last - 1)
    start, end = tf.gather(frequencies, below), tf.gather(frequencies, below + 1)
    places = tf.cast(below, tf.float32) + (flat - start) / (end - start)
    return tf.reshape(tf.clip_by_value(places, 0.0, float(last)), tf.shape(sought))
