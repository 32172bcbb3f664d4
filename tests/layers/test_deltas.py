"""Derivatives of features against librosa's."""

import librosa
import numpy as np
import pytest

from seqloom.layers import Deltas

LENGTHS = np.array([30, 1, 2, 5, 9, 17], "int32")
INPUTS = np.random.default_rng(0).normal(scale=5, size=(len(LENGTHS), 33, 4)).astype("float32")


def reference(frames, order, width):
    parts = [librosa.feature.delta(frames.T, width=width, order=each, mode="nearest").T for each in range(1, order + 1)]
    return np.concatenate([frames, *parts], axis=1)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("width", [3, 5, 9, 15])
@pytest.mark.parametrize("garbage", [0, 1e6, np.nan])
def test_equals_librosa_at_each_rows_own_length(order, width, garbage):
    inputs = np.where(np.arange(33)[:, None] < LENGTHS[:, None, None], INPUTS, garbage).astype("float32")
    outputs = Deltas(order, width)(inputs, lengths=LENGTHS).numpy()
    assert outputs.shape == (len(LENGTHS), 33, 4 * (1 + order))
    for row, length in enumerate(LENGTHS):
        expected = reference(INPUTS[row, :length], order, width)
        np.testing.assert_allclose(outputs[row, :length], expected, rtol=1e-5, atol=1e-5)
        assert not outputs[row, length:].any()


def test_of_a_parabola_they_are_its_derivatives():
    time = np.arange(40, dtype="float32")
    outputs = Deltas()((0.5 * time**2 - 3 * time)[None, :, None], lengths=np.array([40], "int32")).numpy()[0, 4:-4]
    np.testing.assert_allclose(outputs[:, 1], time[4:-4] - 3, atol=1e-4)
    np.testing.assert_allclose(outputs[:, 2], 1, atol=1e-4)


def test_are_in_float32_under_mixed_precision():
    expected = Deltas()(INPUTS, lengths=LENGTHS)
    np.testing.assert_array_equal(Deltas(dtype="mixed_float16")(INPUTS, lengths=LENGTHS), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": 3}, "order must be 1 or 2, got order=3"),
        ({"width": 8}, "width must be an odd integer of at least 3, got width=8"),
        ({"width": 1}, "width must be an odd integer of at least 3, got width=1"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Deltas(**arguments)
