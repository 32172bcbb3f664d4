from __future__ import annotations

import os
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seqloom.datasets.corpus import DataError
from seqloom.datasets.feature_file import read_feature_file

FRAMES = np.arange(26, dtype=np.float32).reshape(2, 13)


def content(values: np.ndarray, count: int | None = None, order: str = ">") -> bytes:
    numbers = values.reshape(-1).tolist()
    return struct.pack(f"{order}i{len(numbers)}f", len(numbers) if count is None else count, *numbers)


@settings(deadline=None)
@given(
    arrays(np.float32, st.tuples(st.integers(1, 20), st.just(13)), elements=st.floats(-1e6, 1e6, width=32)),
)
def test_what_is_written_is_read_back(frames):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.mfc")
        path.write_bytes(content(frames))
        read = read_feature_file(path).frames
        assert read.dtype == np.float32
        assert read.dtype.isnative
        np.testing.assert_array_equal(read, frames)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (b"", "is not a feature file: got 0 bytes, expected a count of 4 bytes"),
        (b"\0\0\1", "is not a feature file: got 3 bytes, expected a count of 4 bytes"),
        (content(FRAMES[:0]), "holds no frames"),
        (content(FRAMES, count=13), "is not a whole feature file: its header counts 13 values, it holds 26"),
        (content(FRAMES, count=-26), "is not a whole feature file: its header counts -26 values, it holds 26"),
        (content(FRAMES)[:-4], "is not a whole feature file: its header counts 26 values, it holds 25"),
        (content(FRAMES)[:-1], "is not a whole feature file: its header counts 26 values, it holds 25.75"),
        (content(FRAMES) + b"\0", "is not a whole feature file: its header counts 26 values, it holds 26.25"),
        (content(FRAMES, order="<"), "is not a whole feature file: its header counts 436207616 values, it holds 26"),
        (content(FRAMES[:, :12]), "holds 24 values, expected a multiple of 13, which make a frame"),
        (content(FRAMES * [[1], [np.nan]]), "holds values that are not finite, the first one in frame 2"),
        (content(FRAMES + [[np.inf], [0]]), "holds values that are not finite, the first one in frame 1"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, written, message):
    path = tmp_path / "a.mfc"
    path.write_bytes(written)
    with pytest.raises(DataError) as caught:
        read_feature_file(path)
    assert str(caught.value) == f"{path} {message}"


def test_what_is_no_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"absent\.mfc is missing"):
        read_feature_file(tmp_path / "absent.mfc")
    with pytest.raises(DataError, match="is a folder, expected a feature file"):
        read_feature_file(tmp_path)


@pytest.mark.real_data
def test_a_real_file_has_the_frames_that_its_bytes_say(data_dir):
    path = min((data_dir / "an4_mfcc" / "feat").rglob("*.mfc"))
    count, *values = struct.unpack(f">i{os.path.getsize(path) // 4 - 1}f", path.read_bytes())
    frames = read_feature_file(path).frames
    assert frames.shape == (count // 13, 13)
    np.testing.assert_array_equal(frames.reshape(-1), np.float32(values))
