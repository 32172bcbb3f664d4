"""Cepstra in files of the Sphinx recognisers, `.mfc`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .audio import FrameMatrix
from .corpus import DataError, file_errors

SUFFIX = ".mfc"
COEFFICIENTS = 13  # of a frame; the files do not say it


def read_feature_file(path: str | Path) -> FrameMatrix:
    """Reads a file of cepstra: a big-endian int32 that counts the values, then the values as big-endian float32.

    A frame is 13 values that follow each other.

    Args:
        path: the file.

    Raises:
        DataError: if the file is missing; if it does not hold the values that it counts, no frame, no whole frame at
            the end, or values that are not finite.
    """
    path = Path(path)
    with file_errors(path, "a feature file"):
        content = path.read_bytes()
    if len(content) < 4:
        raise DataError(f"{path} is not a feature file: got {len(content)} bytes, expected a count of 4 bytes")
    count, held = int.from_bytes(content[:4], "big", signed=True), (len(content) - 4) / 4
    if count != held:
        raise DataError(f"{path} is not a whole feature file: its header counts {count} values, it holds {held:g}")
    if count == 0:
        raise DataError(f"{path} holds no frames")
    if count % COEFFICIENTS:
        raise DataError(f"{path} holds {count} values, expected a multiple of {COEFFICIENTS}, which make a frame")
    frames = np.frombuffer(content, ">f4", offset=4).astype(np.float32).reshape(-1, COEFFICIENTS)
    if not np.isfinite(frames).all():
        first = int(np.argmin(np.isfinite(frames).all(axis=1)))
        raise DataError(f"{path} holds values that are not finite, the first one in frame {first + 1}")
    return FrameMatrix(frames)
