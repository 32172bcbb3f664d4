"""Normalisation against loops over the valid frames."""

import keras
import numpy as np
import pytest

from seqloom.layers import FeatureNormalisation

LENGTHS = np.array([50, 1, 7], "int32")
INPUTS = np.random.default_rng(0).normal(-12, 3, size=(3, 50, 4)).astype("float32")


@pytest.mark.parametrize("garbage", [0, 1e6, np.nan])
def test_an_utterance_gets_mean_0_and_variance_1(garbage):
    inputs = np.where(np.arange(50)[:, None] < LENGTHS[:, None, None], INPUTS, garbage).astype("float32")
    outputs = FeatureNormalisation()(inputs, lengths=LENGTHS).numpy()
    for row, length in enumerate(LENGTHS):
        frames = INPUTS[row, :length].astype("float64")
        expected = (frames - frames.mean(axis=0)) / np.sqrt(np.maximum(frames.var(axis=0), 1e-4))
        np.testing.assert_allclose(outputs[row, :length], expected, atol=1e-5)
        assert not outputs[row, length:].any()


@pytest.mark.parametrize("level", [0.0, -13.815511, 1e3])
def test_silence_is_not_magnified(level):
    inputs = np.full((1, 997, 2), level, "float32")
    outputs = FeatureNormalisation()(inputs, lengths=np.array([997], "int32")).numpy()
    np.testing.assert_allclose(outputs, 0, atol=0.02)


def test_the_loudness_of_a_recording_makes_no_difference():
    layer = FeatureNormalisation()
    louder = INPUTS + np.float32(2 * np.log(10))
    np.testing.assert_allclose(layer(louder, lengths=LENGTHS), layer(INPUTS, lengths=LENGTHS), atol=1e-4)


def test_global_statistics_are_weights_that_do_not_train(tmp_path):
    layer = FeatureNormalisation("global")
    np.testing.assert_array_equal(layer(INPUTS, lengths=[50, 50, 50]), INPUTS)
    mean, variance = np.array([-12, -11, 0, 1.0]), np.array([9, 4, 1, 0.0])
    layer.adapt(mean, variance)
    assert not layer.trainable_weights
    assert [weight.name for weight in layer.weights] == ["mean", "variance"]
    expected = (INPUTS - mean) / [3, 2, 1, 0.01]
    np.testing.assert_allclose(layer(INPUTS, lengths=[50, 50, 50]), expected, rtol=1e-4, atol=1e-4)

    symbols = keras.Input((None, 4)), keras.Input((), dtype="int32")
    keras.Model(symbols, layer(*symbols)).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded((INPUTS, LENGTHS)), layer(INPUTS, lengths=LENGTHS))


def test_adapt_builds_a_new_layer():
    layer = FeatureNormalisation("global", variance_floor=1.0)
    layer.adapt([1.0, 2.0], [4.0, 0.5])
    outputs = layer(np.array([[[3.0, 3.0]]], "float32"), lengths=np.array([1], "int32"))
    np.testing.assert_allclose(outputs, [[[1.0, 1.0]]])


@pytest.mark.parametrize("mode", ["utterance", "global"])
def test_is_in_float32_under_mixed_precision(mode):
    expected = FeatureNormalisation(mode)(INPUTS, lengths=LENGTHS)
    half = FeatureNormalisation(mode, dtype="mixed_bfloat16")(INPUTS, lengths=LENGTHS)
    np.testing.assert_array_equal(half, expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "speaker"}, "mode must be one of utterance, global, got mode='speaker'"),
        ({"variance_floor": 0.0}, "variance_floor must be positive, got variance_floor=0.0"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        FeatureNormalisation(**arguments)


def test_refuses_statistics_that_it_has_no_place_for():
    with pytest.raises(ValueError, match="mode must be 'global' for adapt, got mode='utterance'"):
        FeatureNormalisation().adapt([0.0], [1.0])
    with pytest.raises(ValueError, match=r"one number for each feature, got shapes \(1,\) and \(2,\)"):
        FeatureNormalisation("global").adapt([0.0], [1.0, 1.0])
