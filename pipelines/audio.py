"""From sounds to frames of features, with librosa: what training reads.

`seqloom.layers.AudioFeatures` computes the same in the graph. Nothing here needs TensorFlow, which the processes that
extract features do without.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..datasets.audio import AudioFile, FrameMatrix, Sound
from ..datasets.audio_file import read_audio
from .audio_config import AudioConfig

FLOOR = 1e-6  # the power that stands for silence


def waveform(sound: Sound, rate: int) -> np.ndarray:
    """The samples of a recording at a rate: as they are, or resampled.

    Args:
        sound: in memory, or in a file or a part of one.
        rate: samples per second.

    Returns:
        float32 array `(samples,)`.

    Raises:
        DataError: if a file cannot be read as audio, or the part is not inside it.
        ValueError: if the sound is there as features alone.

    Example:
        >>> from seqloom.datasets.audio import Waveform
        >>> waveform(Waveform(np.zeros(441, np.float32), rate=44_100), 16_000).shape
        (160,)
    """
    if isinstance(sound, FrameMatrix):
        raise ValueError(f"sound must be audio, got {sound!r}")
    audio = read_audio(sound.path, sound.start, sound.end) if isinstance(sound, AudioFile) else sound
    if audio.rate == rate:
        return audio.samples
    import librosa

    return librosa.resample(audio.samples, orig_sr=audio.rate, target_sr=rate, res_type="soxr_hq")


def waveform_request(samples: np.ndarray) -> dict[str, Any]:
    """Samples `(samples,)` as the request of a server that hears: `waveform`, and `lengths` in samples."""
    return {"waveform": samples, "lengths": np.int32(len(samples))}


def extract_features(samples: np.ndarray, config: AudioConfig) -> np.ndarray:
    """The features of a recording before deltas and normalisation, which are layers of the model.

    The logarithm is natural, frames are centred on multiples of the hop, and beyond the ends there are zeros.

    Args:
        samples: float32 array `(samples,)` at `config.sampling_rate`.
        config: the settings.

    Returns:
        float32 array `(1 + samples // hop, mel_bands)`, or as many `coefficients`.

    Example:
        >>> extract_features(np.zeros(16_000, np.float32), AudioConfig()).shape
        (101, 40)
    """
    import librosa  # not above: it takes a second, and what is cached needs it not

    window = round(config.sampling_rate * config.window_ms / 1000)
    fft = 2 ** (window - 1).bit_length()
    enough = np.pad(samples, (0, max(0, fft - len(samples))))  # librosa warns of recordings shorter than its window
    energies = librosa.feature.melspectrogram(
        y=enough,
        sr=config.sampling_rate,
        n_fft=fft,
        hop_length=config.hop_length,
        win_length=window,
        window="hann",
        center=True,
        pad_mode="constant",
        power=2.0,
        n_mels=config.mel_bands,
        fmin=config.lowest_frequency,
        fmax=config.highest_frequency,
    )
    features = np.log(energies[:, : 1 + len(samples) // config.hop_length] + FLOOR)  # (mel_bands, frames)
    if config.features == "mfcc":
        features = librosa.feature.mfcc(S=features, n_mfcc=config.coefficients)  # (coefficients, frames)
    return np.ascontiguousarray(features.T, np.float32)


def sound_features(sound: Sound, config: AudioConfig) -> np.ndarray:
    """The features of a sound, float32 `(frames, size)`: extracted, or those with which the corpus comes.

    Raises:
        DataError: if a file cannot be read as audio.
    """
    if isinstance(sound, FrameMatrix):
        return sound.frames
    return extract_features(waveform(sound, config.sampling_rate), config)
