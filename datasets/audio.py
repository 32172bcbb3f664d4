"""What an example sounds like: samples in memory, a file that is read when it is needed, or frames of features."""

from __future__ import annotations

import functools
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from .corpus import DataError


@dataclass(frozen=True, eq=False, repr=False)
class Waveform:
    """Sound in memory. Two of them are equal if they have the same rate and the same samples.

    Args:
        samples: float32 array `(samples,)` of one channel, in [-1, 1] where the recording did not clip; at least one.
        rate: samples per second.

    Raises:
        ValueError: if the samples are no such array or none at all, or the rate is not positive.

    Example:
        >>> second = Waveform(np.zeros(8000, np.float32), rate=8000)
        >>> second.seconds, second == Waveform(np.zeros(8000, np.float32), rate=16000)
        (1.0, False)
    """

    samples: np.ndarray
    rate: int

    def __post_init__(self) -> None:
        _check("samples", self.samples, ndim=1)
        if self.rate < 1:
            raise ValueError(f"rate must be a positive integer, got rate={self.rate}")

    @property
    def seconds(self) -> float:
        """The duration."""
        return len(self.samples) / self.rate

    @functools.cached_property
    def digest(self) -> str:
        """16 hexadecimal digits that tell this sound from others."""
        return _digest(f"{self.rate}\n".encode(), np.ascontiguousarray(self.samples).data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Waveform) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Waveform({len(self.samples)} samples, rate={self.rate}, digest={self.digest!r})"


@dataclass(frozen=True, repr=False)
class AudioFile:
    """A recording that stays on disk until it is needed, or a part of one: see `read_audio`.

    Args:
        path: the file.
        start: where the part begins, in seconds.
        end: where it ends, in seconds; `None` is the end of the file.

    Raises:
        ValueError: if the bounds are not finite, or not `0 <= start < end`.
    """

    path: Path
    start: float = 0.0
    end: float | None = None

    def __post_init__(self) -> None:
        check_bounds(self.start, self.end)

    @functools.cached_property
    def digest(self) -> str:
        """16 hexadecimal digits that tell the bytes of the file, and the bounds of a part, from others.

        Raises:
            DataError: if the file is missing or cannot be read.
        """
        try:
            if self._is_whole:
                return _file_digest(self.path)
            status = self.path.stat()
            content = _digest_of_version(self.path, status.st_size, status.st_mtime_ns)
        except FileNotFoundError:
            raise DataError(f"{self.path} is missing") from None
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error.strerror or error}") from error
        end = None if self.end is None else float(self.end)
        return _digest(f"{float(self.start)} {end}\n".encode(), memoryview(content.encode()))

    @property
    def _is_whole(self) -> bool:
        return self.start == 0 and self.end is None

    def __repr__(self) -> str:
        bounds = "" if self._is_whole else f"start={self.start}, end={self.end}, "
        return f"AudioFile({self.path.name!r}, {bounds}digest={self.digest!r})"


@dataclass(frozen=True, eq=False, repr=False)
class FrameMatrix:
    """Sound of which the corpus has features alone. Two of them are equal if they have the same values.

    Args:
        frames: float32 array `(time, coefficients)`, at least one frame and one coefficient.

    Raises:
        ValueError: if it is no such array.

    Example:
        >>> FrameMatrix(np.zeros((100, 13), np.float32)).frames.shape
        (100, 13)
    """

    frames: np.ndarray

    def __post_init__(self) -> None:
        _check("frames", self.frames, ndim=2)

    @functools.cached_property
    def digest(self) -> str:
        """16 hexadecimal digits that tell these frames from others."""
        return _digest(f"{self.frames.shape}\n".encode(), np.ascontiguousarray(self.frames).data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrameMatrix) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        time, coefficients = self.frames.shape
        return f"FrameMatrix({time} frames of {coefficients}, digest={self.digest!r})"


Sound: TypeAlias = Waveform | AudioFile | FrameMatrix


def check_bounds(start: float, end: float | None) -> None:
    """Refuses what is no stretch of time.

    Args:
        start: seconds.
        end: seconds; `None` is the end of whatever the stretch is of.

    Raises:
        ValueError: if the bounds are not finite, or not `0 <= start < end`.
    """
    if not 0 <= start < math.inf:
        raise ValueError(f"start must be a finite number of seconds from 0, got start={start}")
    if end is not None and not start < end < math.inf:
        raise ValueError(f"end must be a finite number of seconds after start={start}, got end={end}")


def _check(name: str, array: np.ndarray, ndim: int) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != np.float32 or array.ndim != ndim or not array.size:
        got = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise ValueError(f"{name} must be a float32 array of {ndim} dimensions that is not empty, got {got}")


def _digest(head: bytes, content: memoryview) -> str:
    total = hashlib.sha256(head)
    total.update(content)
    return total.hexdigest()[:16]


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


@functools.lru_cache(maxsize=1024)
def _digest_of_version(path: Path, size: int, changed: int) -> str:
    """The digest of a file of which there may be many parts: it is read once, until its size or time changes."""
    return _file_digest(path)
