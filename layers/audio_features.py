"""Log mel spectra and cepstra of waveforms, as librosa computes them."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from .masking import sequence_mask

KINDS = ("log_mel", "mfcc")

FLOOR = 1e-6  # the power that stands for silence


@keras.saving.register_keras_serializable(package="seqloom")
class AudioFeatures(keras.layers.Layer):
    """Turns waveforms into frames of log mel energies or mel cepstra.

    Frame `t` is centred on sample `t * hop`, beyond the ends of the recording there are zeros. With `w` a periodic Hann
    window, `M` the triangular mel filters of Slaney's Auditory Toolbox and `C` the orthonormal DCT of type 2:

        P_t = |FFT(w * x_t)|^2,   log_mel_t = log(M P_t + 1e-6),   mfcc_t = C log_mel_t

    `M` and `C` are librosa's own, put into the graph as constants when the layer is built: an export needs no librosa.
    The features are computed in float32 under every mixed precision policy.

    Args:
        sampling_rate: int. Samples per second of the waveforms.
        kind: str. `"log_mel"` or `"mfcc"`. Defaults to `"log_mel"`.
        mel_bands: int. Number of mel filters. Defaults to `40`.
        coefficients: int, at most `mel_bands`. Cepstral coefficients that are kept; `"log_mel"` does without. Defaults
            to `13`.
        window_ms: float. Length of the window in milliseconds; the FFT has the next power of two. Defaults to `25.0`.
        hop_ms: float. From one frame to the next in milliseconds. Defaults to `10.0`.
        lowest_frequency: float. Where the first filter begins, in Hz. Defaults to `0.0`.
        highest_frequency: float or `None`. Where the last filter ends, in Hz; `None` is half the sampling rate.
            Defaults to `None`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        waveform: float tensor `(batch, samples)`, in [-1, 1].
        lengths: int32 tensor `(batch,)`, samples of each row, at least 1.

    Returns:
        float32 tensor `(batch, frames, size)` (float64 in a float64 layer), `size` being `mel_bands` or `coefficients`;
        zeros past the row's own frames, of which there are `frame_lengths(lengths)`.

    Masking:
        samples past `lengths` do not count.

    Raises:
        ValueError: if an argument is out of its range; if window or hop are shorter than a sample.

    Example:
        >>> layer = AudioFeatures(sampling_rate=8000, mel_bands=20)
        >>> lengths = keras.ops.array([8000, 400])
        >>> layer(keras.ops.zeros((2, 8000)), lengths=lengths).shape
        TensorShape([2, 101, 20])
        >>> layer.frame_lengths(lengths).numpy().tolist()
        [101, 6]

    References:
        Davis and Mermelstein (1980), Comparison of parametric representations for monosyllabic word recognition in
        continuously spoken sentences.
        Slaney (1998), Auditory toolbox.
        McFee et al. (2015), librosa: audio and music signal analysis in Python.
    """

    def __init__(
        self,
        sampling_rate,
        kind="log_mel",
        mel_bands=40,
        coefficients=13,
        window_ms=25.0,
        hop_ms=10.0,
        lowest_frequency=0.0,
        highest_frequency=None,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.sampling_rate = sampling_rate
        self.kind = kind
        self.mel_bands = mel_bands
        self.coefficients = coefficients
        self.window_ms = window_ms
        self.hop_ms = hop_ms
        self.lowest_frequency = lowest_frequency
        self.highest_frequency = highest_frequency
        self._check_settings()
        self.window_length = round(sampling_rate * window_ms / 1000)
        self.hop_length = round(sampling_rate * hop_ms / 1000)
        if min(self.window_length, self.hop_length) < 1:
            raise ValueError(f"window_ms and hop_ms must be at least one sample, got {window_ms=} and {hop_ms=}")
        self.fft_length = 2 ** (self.window_length - 1).bit_length()
        self.size = mel_bands if kind == "log_mel" else coefficients
        self.feature_dtype = "float64" if self.variable_dtype == "float64" else "float32"

    def _check_settings(self):
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got kind={self.kind!r}")
        for name in ("sampling_rate", "mel_bands", "coefficients"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {name}={value}")
        if self.kind == "mfcc" and self.coefficients > self.mel_bands:
            raise ValueError(
                f"coefficients must be at most mel_bands={self.mel_bands}, got coefficients={self.coefficients}"
            )
        highest = self.sampling_rate / 2 if self.highest_frequency is None else self.highest_frequency
        if not 0 <= self.lowest_frequency < highest <= self.sampling_rate / 2:
            raise ValueError(
                "lowest_frequency must lie below highest_frequency, and that not above half the sampling rate of "
                f"{self.sampling_rate} Hz, got {self.lowest_frequency} and {highest} Hz"
            )

    def build(self, waveform_shape):
        import librosa  # not above: it takes a second, and only what is built needs it

        window = librosa.filters.get_window("hann", self.window_length)
        mel = librosa.filters.mel(
            sr=self.sampling_rate,
            n_fft=self.fft_length,
            n_mels=self.mel_bands,
            fmin=self.lowest_frequency,
            fmax=self.highest_frequency,
        )
        impulses = np.eye(self.mel_bands)
        cosines = librosa.feature.mfcc(S=impulses, n_mfcc=min(self.coefficients, self.mel_bands))
        self._window = librosa.util.pad_center(window, size=self.fft_length).astype(self.feature_dtype)
        self._mel = mel.T.astype(self.feature_dtype)  # (frequencies, mel_bands)
        self._cosines = cosines.T.astype(self.feature_dtype)  # (mel_bands, coefficients)

    def call(self, waveform, lengths):
        waveform = ops.cast(waveform, self.feature_dtype)
        waveform = ops.where(sequence_mask(lengths, ops.shape(waveform)[1]), waveform, 0)
        margin = self.fft_length // 2
        frames = tf.signal.frame(
            tf.pad(waveform, [[0, 0], [margin, margin]]), self.fft_length, self.hop_length
        )  # (batch, frames, fft_length)
        spectra = tf.signal.rfft(frames * self._window)  # (batch, frames, frequencies)
        power = tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra))
        features = tf.math.log(tf.matmul(power, self._mel) + FLOOR)  # (batch, frames, mel_bands)
        if self.kind == "mfcc":
            features = tf.matmul(features, self._cosines)  # (batch, frames, coefficients)
        mask = sequence_mask(self.frame_lengths(lengths), ops.shape(features)[1])
        return ops.where(mask[:, :, None], features, 0)

    def frame_lengths(self, lengths):
        """The frames of each row, int32 tensor `(batch,)`: one at each multiple of the hop, the first at sample 0.

        Args:
            lengths: int tensor `(batch,)`, samples of each row.
        """
        return 1 + ops.cast(lengths, "int32") // self.hop_length

    def compute_output_shape(self, waveform_shape, lengths_shape=None):
        samples = waveform_shape[1]
        return (waveform_shape[0], None if samples is None else 1 + samples // self.hop_length, self.size)

    def compute_output_spec(self, waveform, lengths):
        return keras.KerasTensor(self.compute_output_shape(waveform.shape), dtype=self.feature_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "sampling_rate": self.sampling_rate,
            "kind": self.kind,
            "mel_bands": self.mel_bands,
            "coefficients": self.coefficients,
            "window_ms": self.window_ms,
            "hop_ms": self.hop_ms,
            "lowest_frequency": self.lowest_frequency,
            "highest_frequency": self.highest_frequency,
        }
