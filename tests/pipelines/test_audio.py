"""Reading and resampling, librosa's features against their twin in the graph, and the settings of both."""

import warnings

import numpy as np
import pydantic
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.datasets.audio import AudioFile, FrameMatrix, Waveform
from seqloom.datasets.corpus import DataError
from seqloom.layers import AudioFeatures
from seqloom.pipelines.audio import extract_features, sound_features, waveform
from seqloom.pipelines.audio_config import AudioConfig
from seqloom.pipelines.config import validate
from seqloom.pipelines.errors import UserError


def tone(rate, frequency=440.0, seconds=1.0):
    return np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate).astype("float32")


@pytest.mark.parametrize(("rate", "wanted"), [(44_100, 16_000), (22_050, 8000), (8000, 16_000), (11_025, 48_000)])
def test_resampling_keeps_a_tone(rate, wanted):
    samples = waveform(Waveform(tone(rate), rate), wanted)
    assert samples.dtype == np.float32
    assert abs(len(samples) - wanted) <= 1
    middle = slice(wanted // 10, wanted * 9 // 10)
    np.testing.assert_allclose(samples[middle], tone(wanted)[middle], atol=2e-3)


def test_resampling_removes_what_the_lower_rate_cannot_hold():
    samples = waveform(Waveform(tone(44_100, 6000.0), 44_100), 8000)
    assert np.abs(samples[800:-800]).max() < 1e-3


def test_samples_of_the_same_rate_are_not_touched():
    samples = np.random.default_rng(0).uniform(-1, 1, 100).astype("float32")
    np.testing.assert_array_equal(waveform(Waveform(samples, 8000), 8000), samples)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_few_samples_can_be_resampled(count):
    samples = waveform(Waveform(np.ones(count, np.float32), 44_100), 16_000)
    assert len(samples) >= 1
    assert np.isfinite(samples).all()


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_a_file_with_two_channels_at_another_rate(name, tmp_path):
    left, right = tone(44_100, 440.0), tone(44_100, 880.0)
    soundfile.write(tmp_path / name, np.stack([left, right], axis=1) / 2, 44_100)
    samples = waveform(AudioFile(tmp_path / name), 16_000)
    expected = (tone(16_000, 440.0) + tone(16_000, 880.0)) / 4
    np.testing.assert_allclose(samples[2000:14_000], expected[2000:14_000], atol=0.02)


@pytest.mark.parametrize("rate", [16_000, 8000])
def test_a_part_of_a_file(rate, tmp_path):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 32_000).astype("float32")
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    part = AudioFile(tmp_path / "a.wav", 0.25, 1.75)
    expected = waveform(Waveform(samples[4000:28_000], 16_000), rate)
    np.testing.assert_array_equal(waveform(part, rate), expected)
    config = AudioConfig(sampling_rate=rate)
    np.testing.assert_array_equal(sound_features(part, config), extract_features(expected, config))
    with pytest.raises(DataError, match=r"a\.wav lasts 2\.000 s and cannot be read up to 2\.5 s"):
        waveform(AudioFile(tmp_path / "a.wav", 1.0, 2.5), rate)


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "notes.wav").write_text("no audio")
    with pytest.raises(DataError, match=r"notes\.wav"):
        sound_features(AudioFile(tmp_path / "notes.wav"), AudioConfig())


def test_features_are_no_waveform_and_pass_as_they_are():
    matrix = FrameMatrix(np.ones((3, 13), np.float32))
    assert sound_features(matrix, AudioConfig()) is matrix.frames
    with pytest.raises(ValueError, match=r"sound must be audio, got FrameMatrix\(3 frames of 13"):
        waveform(matrix, 16_000)


def in_graph(samples, config):
    layer = AudioFeatures(
        config.sampling_rate,
        config.features,
        **{name: getattr(config, name) for name in ("mel_bands", "coefficients", "window_ms", "hop_ms")},
        **{name: getattr(config, name) for name in ("lowest_frequency", "highest_frequency")},
    )
    return layer(samples[None], lengths=np.array([len(samples)], "int32")).numpy()[0]


configs = st.builds(
    AudioConfig,
    sampling_rate=st.sampled_from([8000, 11_025, 16_000, 22_050, 44_100]),
    features=st.sampled_from(["log_mel", "mfcc"]),
    mel_bands=st.integers(13, 40),
    coefficients=st.integers(1, 13),
    window_ms=st.floats(20.0, 60.0),
    hop_ms=st.floats(5.0, 20.0),
    lowest_frequency=st.floats(0.0, 200.0),
    highest_frequency=st.none() | st.floats(3500.0, 4000.0),
)


@settings(max_examples=25, deadline=None)
@given(configs, st.integers(1, 4000), st.sampled_from([0.0, 1e-4, 0.1, 1.0]), st.integers(0, 2**32 - 1))
def test_the_graph_computes_the_same_under_all_settings(config, count, level, seed):
    samples = (level * np.random.default_rng(seed).uniform(-1, 1, count)).astype("float32")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        features = extract_features(samples, config)
    assert features.dtype == np.float32
    assert features.flags.c_contiguous
    expected = in_graph(samples, config)
    assert features.shape == expected.shape
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-3)


@pytest.mark.real_data
@pytest.mark.parametrize("features", ["log_mel", "mfcc"])
@pytest.mark.parametrize(("files", "rate"), [("fsdd/recordings/7_*_2.wav", 8000), ("timit_sample/*/sa2.wav", 16_000)])
def test_the_graph_computes_the_same_on_recordings(files, rate, features, data_dir):
    paths = sorted(data_dir.glob(files))
    assert len(paths) >= 6
    for own_rate in (rate, 11_025):
        config = AudioConfig(sampling_rate=own_rate, features=features)
        for path in paths[:8]:
            samples = waveform(AudioFile(path), own_rate)
            np.testing.assert_allclose(extract_features(samples, config), in_graph(samples, config), rtol=0, atol=1e-3)


def test_ten_minutes_are_no_trouble():
    samples = np.zeros(600 * 16_000, np.float32)
    features = extract_features(samples, AudioConfig())
    assert features.shape == (60_001, 40)
    np.testing.assert_allclose(features, np.log(1e-6), rtol=1e-6)


def test_every_setting_says_what_it_is():
    assert all(field.description for field in AudioConfig.model_fields.values())


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"sampling_rate": 8000, "highest_frequency": 6800}, "highest_frequency must be at most half of sampling_rate=8000 Hz, got 6800"),  # noqa: E501
        ({"lowest_frequency": 4000, "highest_frequency": 4000}, "lowest_frequency must be below the highest, 4000 Hz, got 4000"),  # noqa: E501
        ({"lowest_frequency": 8000}, "lowest_frequency must be below the highest, 8000 Hz, got 8000"),
        ({"features": "mfcc", "coefficients": 41}, "coefficients must be at most mel_bands=40, got 41"),
        ({"hop_ms": 30}, "hop_ms must be at most window_ms=25, got 30"),
        ({"normalisation": "speaker"}, "normalisation must be 'utterance', 'global' or 'none', got 'speaker'"),
        ({"sampling_rate": 0}, "sampling_rate must be greater than or equal to 1000, got 0"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_one_sentence(values, sentence):
    with pytest.raises(UserError) as raised:
        validate(AudioConfig, values)
    assert str(raised.value) == sentence


def test_log_mel_features_do_without_coefficients():
    assert AudioConfig(mel_bands=10).coefficients == 13
    with pytest.raises(pydantic.ValidationError):
        AudioConfig(mel_bands=10, features="mfcc")
