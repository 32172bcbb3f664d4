"""Evenly spaced frames, against NumPy's interpolation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.layers import SpacedFrames


@settings(deadline=None)
@given(st.integers(2, 7), st.integers(1, 9), st.integers(0, 3), st.integers(1, 3))
def test_frames_are_interpolated_linearly(frames, length, padding, features):
    inputs = np.random.default_rng(length).normal(size=(1, length + padding, features)).astype("float32")
    kept = SpacedFrames(frames)(inputs, lengths=np.array([length], "int32")).numpy().reshape(frames, features)
    places = np.linspace(0, length - 1, frames)
    expected = np.stack([np.interp(places, np.arange(length), inputs[0, :length, i]) for i in range(features)], axis=1)
    np.testing.assert_allclose(kept, expected, atol=1e-5)


def test_of_one_frame_it_is_the_middle():
    inputs = np.arange(4.0, dtype="float32").reshape(1, 4, 1)
    assert SpacedFrames(1)(inputs, lengths=np.array([4], "int32")).numpy().tolist() == [[1.5]]


@pytest.mark.parametrize("frames", [0, -1, 2.0])
def test_refuses_another_number_of_frames(frames):
    with pytest.raises(ValueError, match=f"frames must be a positive integer, got frames={frames}"):
        SpacedFrames(frames)
