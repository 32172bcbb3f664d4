"""What a report keeps of recordings, packed small: matrices as bytes, and sound as WAV files.

Both are written in base64, so that a line of `predictions.jsonl` stays a line of JSON.
"""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...datasets.audio import Waveform

FAINTEST = 2.0  # percentile of the features that is drawn as silence


def packed(values: np.ndarray) -> dict[str, Any]:
    """An array of values in [0, 1] as unsigned bytes; what lies outside is cut off.

    Args:
        values: float array of any shape.

    Example:
        >>> packed(np.array([[0.0, 2.0]]))
        {'shape': [1, 2], 'data': 'AP8='}
    """
    scaled = np.clip(255 * values, 0, 255).round().astype(np.uint8)
    return {"shape": list(scaled.shape), "data": base64.b64encode(scaled.tobytes()).decode("ascii")}


def unpacked(array: Mapping[str, Any]) -> np.ndarray:
    """The values in [0, 1] of an array that `packed` made, to one part in 255.

    Example:
        >>> unpacked({"shape": [1, 2], "data": "AP8="}).tolist()
        [[0.0, 1.0]]
    """
    return np.frombuffer(base64.b64decode(array["data"]), np.uint8).reshape(array["shape"]) / 255


def loudness(features: np.ndarray, like: np.ndarray | None = None) -> np.ndarray:
    """Features as shades of a spectrogram: 0 is the faintest of them and 1 the loudest.

    Args:
        features: float array `(frames, bands)`.
        like: float array `(frames, bands)` whose faintest and loudest are meant; those of `features` themselves if not
            given.

    Example:
        >>> loudness(np.array([[-8.0, -4.0]]), like=np.array([[-8.0] * 99 + [0.0]])).tolist()
        [[0.0, 0.5]]
    """
    given = features if like is None else like
    low, high = np.percentile(given, FAINTEST), given.max()
    return (features - low) / max(high - low, 1e-9)


def packed_sound(waveform: Waveform, longest: int) -> str:
    """A WAV file of 16 bits a sample, which every browser plays.

    Args:
        waveform: the sound; what lies outside [-1, 1] is cut off.
        longest: samples that are kept of it, at most.
    """
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(waveform.rate)
        file.writeframes(np.clip(32767 * waveform.samples[:longest], -32768, 32767).round().astype("<i2").tobytes())
    return base64.b64encode(stream.getvalue()).decode("ascii")
