"""What training hears: tempo, vocal tract and noise, against NumPy and librosa."""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
import pytest
import tensorflow as tf

from seqloom.pipelines.audio import extract_features
from seqloom.pipelines.audio_augmentation import Augmentation, stretched
from seqloom.pipelines.audio_config import AugmentedAudioConfig

OFF = {"stretch": 0.0, "vocal_tract": 0.0, "noise": None}
RATE = 8000


def config(**settings: Any) -> AugmentedAudioConfig:
    return AugmentedAudioConfig(**{**OFF, "sampling_rate": RATE, **settings})


def tone(frequency: float) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * frequency * np.arange(RATE) / RATE)).astype(np.float32)


def augmented(
    settings: AugmentedAudioConfig, frames: np.ndarray, lengths: list[int], row: int = 0, epoch: int = 0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    rows = tf.range(row, row + len(lengths), dtype=tf.int64)
    shortest = tf.ones(len(lengths), tf.int32)
    out = Augmentation(settings, seed)(
        tf.constant(frames), tf.constant(lengths), shortest, rows, tf.constant(epoch, tf.int64)
    )
    return out[0].numpy(), out[1].numpy()


def test_without_settings_nothing_changes() -> None:
    frames = np.random.default_rng(0).normal(size=(2, 9, 40)).astype(np.float32)
    frames[1, 5:] = 0
    out, lengths = augmented(config(), frames, [9, 5])
    np.testing.assert_array_equal(out, frames)
    assert lengths.tolist() == [9, 5]


@pytest.mark.parametrize("settings", [{"stretch": 0.3}, {"vocal_tract": 0.2}, {"noise": 10.0}])
def test_a_draw_is_a_function_of_seed_epoch_and_utterance(settings: dict[str, Any]) -> None:
    """Whatever else stands in the batch, and how far it is padded."""
    frames = np.random.default_rng(0).normal(size=(3, 30, 40)).astype(np.float32)
    frames[1, 20:] = 0
    together, lengths = augmented(config(**settings), frames, [30, 20, 30])
    alone, [length] = augmented(config(**settings), frames[1:2, :20], [20], row=1)
    assert length == lengths[1]
    np.testing.assert_allclose(alone[0], together[1, :length], atol=1e-5)
    assert not together[1, length:].any()
    for other in (
        augmented(config(**settings), frames[1:2], [20], row=1, epoch=1),
        augmented(config(**settings), frames[1:2], [20], row=1, seed=1),
        augmented(config(**settings), frames[1:2], [20], row=2),
    ):
        assert other[0].shape != alone.shape or not np.allclose(other[0], alone)


def test_stretching_interpolates() -> None:
    rng = np.random.default_rng(0)
    frames = rng.normal(size=(1, 12, 2)).astype(np.float32)
    out, lengths = stretched(tf.constant(frames), tf.constant([12]), tf.constant([1.5]), tf.constant([1]))
    assert lengths.numpy().tolist() == [18]
    places = np.linspace(0, 11, 18)
    for feature in range(2):
        expected = np.interp(places, np.arange(12), frames[0, :, feature])
        np.testing.assert_allclose(out[0, :, feature], expected, atol=1e-5)


def test_no_utterance_becomes_too_short_for_its_transcript() -> None:
    frames = tf.zeros([2, 20, 1])
    _, lengths = stretched(frames, tf.constant([20, 20]), tf.constant([0.6, 0.6]), tf.constant([18, 1]))
    assert lengths.numpy().tolist() == [18, 12]


def peak(spectrum: np.ndarray) -> float:
    """Hz of the loudest band."""
    frequencies = librosa.mel_frequencies(42, fmin=0, fmax=RATE / 2)[1:-1]
    return float(frequencies[spectrum.mean(axis=0).argmax()])


@pytest.mark.parametrize("features", ["log_mel", "mfcc"])
def test_a_vocal_tract_moves_a_resonance(features: str) -> None:
    """By the same share in every frame, within what is asked; the loudness stays."""
    settings = config(vocal_tract=0.25, features=features, coefficients=40 if features == "mfcc" else 13)
    frames = extract_features(tone(1500.0), settings)[None]
    basis = np.eye(40) if features == "log_mel" else np.linalg.inv(dct())
    peaks = []
    for row in range(12):
        out, _ = augmented(settings, frames, [frames.shape[1]], row=row)
        spectrum = out[0] @ basis.T
        peaks.append(peak(spectrum))
        assert spectrum.mean() == pytest.approx((frames[0] @ basis.T).mean(), abs=0.6)
        log_mel = extract_features(tone(1500.0), config(vocal_tract=0.25))[None]
        same_draw, _ = augmented(config(vocal_tract=0.25), log_mel, [frames.shape[1]], row=row)
        np.testing.assert_allclose(spectrum, same_draw[0], atol=2e-2)
    assert 1500 / 1.35 < min(peaks) < 1400
    assert 1600 < max(peaks) < 1500 * 1.35


def dct() -> np.ndarray:
    """The orthonormal cosine transform as a matrix."""
    import scipy.fft

    return scipy.fft.dct(np.eye(40), norm="ortho", axis=0)


def test_noise_fills_silence_and_leaves_speech() -> None:
    loud, quiet = extract_features(tone(1000.0), config()), extract_features(np.zeros(RATE, np.float32), config())
    frames = np.concatenate([loud, quiet])[None]
    out, _ = augmented(config(noise=20.0), frames, [frames.shape[1]])
    band = loud.mean(axis=0).argmax()
    power = np.log(np.exp(frames).mean())
    assert abs(out[0, 20, band] - frames[0, 20, band]) < 0.05
    floor = out[0, -20].mean()
    assert power - np.log(10) / 10 * 50 - 1.6 < floor < power - np.log(10) / 10 * 20 + 1.6


def test_noise_on_cepstra_is_noise_on_the_spectra_that_they_smooth() -> None:
    spectra = extract_features(tone(1000.0), config())[None]
    cepstra = (spectra @ dct().T).astype(np.float32)
    settings = {"noise": 10.0, "features": "mfcc"}
    for coefficients in (40, 13):
        kept = cepstra[..., :coefficients]
        smooth = (kept @ dct()[:coefficients]).astype(np.float32)
        out, _ = augmented(config(coefficients=coefficients, **settings), kept, [kept.shape[1]])
        expected = augmented(config(noise=10.0), smooth, [kept.shape[1]])[0] @ dct().T
        np.testing.assert_allclose(out, expected[..., :coefficients], atol=1e-2)
        assert np.abs(out - kept).max() > 1
