"""Audio features in the graph against librosa's own."""

import subprocess
import sys

import librosa
import numpy as np
import pytest
import soundfile
import tensorflow as tf

from seqloom.layers import AudioFeatures

TOLERANCE = 1e-3  # natural logarithms

RNG = np.random.default_rng(0)
TIME = np.arange(12_345)
SIGNALS = {
    "noise": RNG.uniform(-1, 1, len(TIME)),
    "faint noise": 1e-4 * RNG.normal(size=len(TIME)),
    "silence": np.zeros(len(TIME)),
    "tone": np.sin(2 * np.pi * 0.0573 * TIME),
    "faint tone": 1e-3 * np.sin(2 * np.pi * 0.0573 * TIME),
    "two tones": 0.5 * np.sin(2 * np.pi * 0.02 * TIME) + 0.5 * np.sin(2 * np.pi * 0.31 * TIME),
    "click": (TIME == 5000).astype(float),
    "clicks at the ends": np.isin(TIME, [0, len(TIME) - 1]).astype(float),
    "square wave": np.sign(np.sin(2 * np.pi * 0.011 * TIME)),
    "offset": np.full(len(TIME), 0.7),
}
SETTINGS = {
    "8 kHz": {"sampling_rate": 8000},
    "16 kHz": {"sampling_rate": 16_000},
    "cepstra": {"sampling_rate": 16_000, "kind": "mfcc"},
    "all cepstra": {"sampling_rate": 8000, "kind": "mfcc", "mel_bands": 23, "coefficients": 23},
    "band of a telephone": {"sampling_rate": 16_000, "lowest_frequency": 130.0, "highest_frequency": 6800.0},
    "window of a power of two": {"sampling_rate": 16_000, "window_ms": 32.0, "hop_ms": 12.5},
    "odd rate": {"sampling_rate": 11_025, "mel_bands": 30},
}


def reference(
    samples, sampling_rate, kind="log_mel", mel_bands=40, coefficients=13, window_ms=25.0, hop_ms=10.0, **band
):
    window = round(sampling_rate * window_ms / 1000)
    power = librosa.feature.melspectrogram(
        y=np.asarray(samples, np.float64),
        sr=sampling_rate,
        n_fft=2 ** int(np.ceil(np.log2(window))),
        win_length=window,
        hop_length=round(sampling_rate * hop_ms / 1000),
        pad_mode="constant",
        n_mels=mel_bands,
        fmin=band.get("lowest_frequency", 0.0),
        fmax=band.get("highest_frequency"),
    )
    features = np.log(power + 1e-6)
    return (librosa.feature.mfcc(S=features, n_mfcc=coefficients) if kind == "mfcc" else features).T


def computed(samples, layer):
    samples = np.asarray(samples, np.float32)
    return layer(samples[None], lengths=np.array([len(samples)], "int32")).numpy()[0]


def assert_same(actual, expected):
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_equals_librosa_on_made_signals(settings):
    layer = AudioFeatures(**settings)
    for samples in SIGNALS.values():
        assert_same(computed(samples, layer), reference(samples.astype("float32"), **settings))


@pytest.mark.real_data
@pytest.mark.parametrize("kind", ["log_mel", "mfcc"])
@pytest.mark.parametrize(("files", "rate"), [("fsdd/recordings/*_1.wav", 8000), ("timit_sample/*/sa1.wav", 16_000)])
def test_equals_librosa_on_recordings(files, rate, kind, data_dir):
    layer = AudioFeatures(rate, kind)
    paths = sorted(data_dir.glob(files))
    assert len(paths) >= 16
    for path in paths:
        samples, read_rate = soundfile.read(path, dtype="float32")
        assert read_rate == rate
        assert_same(computed(samples, layer), reference(samples, rate, kind))


@pytest.mark.parametrize("kind", ["log_mel", "mfcc"])
def test_a_row_has_the_features_that_it_has_alone(kind):
    lengths = np.array([9000, 1, 79, 80, 4321, 255], "int32")
    waveform = np.full((len(lengths), 10_000), np.nan, "float32")
    for row, length in enumerate(lengths):
        waveform[row, :length] = SIGNALS["noise"][:length]
    layer = AudioFeatures(8000, kind)
    features, frames = layer(waveform, lengths=lengths).numpy(), layer.frame_lengths(lengths).numpy()
    assert frames.tolist() == [113, 1, 1, 2, 55, 4]
    for row, (length, count) in enumerate(zip(lengths, frames, strict=True)):
        np.testing.assert_allclose(features[row, :count], computed(waveform[row, :length], layer), atol=1e-4)
        assert not features[row, count:].any()


def test_what_is_not_finite_stays_in_its_row():
    waveform = np.stack([SIGNALS["noise"], SIGNALS["noise"]]).astype("float32")
    waveform[0, 100] = np.nan
    features = AudioFeatures(8000)(waveform, lengths=np.full(2, len(TIME), "int32")).numpy()
    assert np.isnan(features[0]).any()
    assert np.isfinite(features[1]).all()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_is_in_float32_under_mixed_precision(policy):
    expected = computed(SIGNALS["faint tone"], AudioFeatures(8000))
    np.testing.assert_array_equal(computed(SIGNALS["faint tone"], AudioFeatures(8000, dtype=policy)), expected)


SERVE = """
import sys
import seqloom.layers
assert "librosa" not in sys.modules, "the layers import librosa"
sys.modules["librosa"] = None
import numpy as np, tensorflow as tf
waveform = np.load(sys.argv[2])
features = tf.saved_model.load(sys.argv[1]).serve(waveform, np.full(len(waveform), waveform.shape[1], "int32"))
np.save(sys.argv[3], features)
"""


def test_an_export_needs_no_librosa(tmp_path):
    module = tf.Module()
    module.layer = AudioFeatures(8000, "mfcc")
    module.serve = tf.function(
        lambda waveform, lengths: module.layer(waveform, lengths=lengths),
        input_signature=[tf.TensorSpec([None, None]), tf.TensorSpec([None], tf.int32)],
    )
    tf.saved_model.save(module, tmp_path / "export")
    np.save(tmp_path / "waveform.npy", SIGNALS["noise"][None].astype("float32"))
    files = [tmp_path / name for name in ("export", "waveform.npy", "features.npy")]
    subprocess.run([sys.executable, "-c", SERVE, *files], check=True)
    expected = reference(SIGNALS["noise"].astype("float32"), 8000, "mfcc")
    assert_same(np.load(files[-1])[0], expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "spectrum"}, "kind must be one of log_mel, mfcc, got kind='spectrum'"),
        ({"sampling_rate": 0}, "sampling_rate must be a positive integer, got sampling_rate=0"),
        ({"mel_bands": 2.5}, "mel_bands must be a positive integer, got mel_bands=2.5"),
        ({"kind": "mfcc", "coefficients": 41}, "coefficients must be at most mel_bands=40, got coefficients=41"),
        ({"highest_frequency": 4001.0}, "not above half the sampling rate of 8000 Hz, got 0.0 and 4001.0 Hz"),
        ({"lowest_frequency": 4000.0}, "lowest_frequency must lie below highest_frequency"),
        ({"lowest_frequency": -1.0}, "lowest_frequency must lie below highest_frequency"),
        ({"hop_ms": 0.01}, "window_ms and hop_ms must be at least one sample, got window_ms=25.0 and hop_ms=0.01"),
    ],
)
def test_refuses(settings, message):
    with pytest.raises(ValueError, match=message):
        AudioFeatures(**{"sampling_rate": 8000, **settings})
