"""Recordings in files: whatever libsndfile reads, such as WAV, FLAC, Ogg and MP3, at any rate and depth."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from .audio import Waveform, check_bounds
from .corpus import DataError, file_errors

# What libsndfile writes in its log where a file announces another number of bytes than it holds.
_SIZES = re.compile(r"^\s*(?:data|SSND|riff|Riff size|Data Size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_NOT_ANNOUNCED = 0x7FFF_0000  # programs that write to a pipe announce about 2 or 4 GB

_UNKNOWN_LENGTH = 0x7FFF_FFFF_FFFF_FFFF  # of FLAC files that were written to a pipe
_BLOCK = 1 << 20  # samples of each channel
_LONGEST_PAGE = 65_307  # bytes of an Ogg page
_PAGE_HEADER = 23  # bytes between "OggS" and the sizes of the segments of a page
_UNKNOWN = "Format not recognised"  # as libsndfile says it

# In these any sample is found at once. In Vorbis and MP3 libsndfile may miss it, and decodes what follows wrongly
# (https://github.com/libsndfile/libsndfile/issues/885); `soundfile` moves to where it is after each reading, too.
_EXACT = {"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"}
_ROUNDING = 0.0005  # seconds: an end that is written in milliseconds may be beyond that of the file by half of one


def read_audio(path: str | Path, start: float = 0.0, end: float | None = None) -> Waveform:
    """Reads a recording, or a part of one, at its own rate; several channels become their mean.

    Integers of any depth are scaled to [-1, 1], and floats stay as they are. A part is what the whole recording holds
    there, sample by sample. Of files that are compressed with loss, what comes before it is decoded, too.

    Args:
        path: the file.
        start: where the part begins, in seconds; rounded to a sample.
        end: where it ends, in seconds; rounded to a sample. `None` is the end of the file.

    Raises:
        DataError: if the file is missing, empty, no audio, or cut off; if it holds no samples there, or samples that
            are not finite; if the part is not inside it.
        ValueError: if the bounds are not finite, or not `0 <= start < end`.
    """
    check_bounds(start, end)
    path = Path(path)
    with _opened(path) as file:
        rate, seconds = file.samplerate, file.frames / file.samplerate
        check_inside(path, start, end, seconds)
        first = round(start * rate)
        expected = file.frames - first if end is None else min(round(end * rate), file.frames) - first
        if expected < 1:
            raise DataError(f"{path} has no sample from {start} s to {seconds if end is None else end} s")
        samples = _decoded(path, file, first, expected)  # (samples, channels)
        if len(samples) < expected:
            raise DataError(f"{path} is cut off: got {len(samples)} of {expected} samples")
    finite = np.isfinite(samples).all(axis=1)
    if not finite.all():
        place = (first + np.argmin(finite)) / rate
        raise DataError(f"{path} holds samples that are not finite, the first one at {place:.3f} s")
    return Waveform(samples.mean(axis=1, dtype=np.float32), rate)


def check_audio(path: str | Path) -> float:
    """Looks at the header of a recording, and decodes nothing.

    Args:
        path: the file.

    Returns:
        Its duration, in seconds.

    Raises:
        DataError: if the file is missing, empty, or no audio; if it is seen to be cut off, or to hold no samples.
    """
    with _opened(Path(path)) as file:
        return file.frames / file.samplerate


def check_inside(path: str | Path, start: float, end: float | None, seconds: float) -> None:
    """Refuses a part of a recording that is not inside it. Half a millisecond beyond the end counts as rounding.

    Args:
        path: the file.
        start: where the part begins, in seconds.
        end: where it ends, in seconds; `None` is the end of the file.
        seconds: the duration of the recording.

    Raises:
        DataError: if the part begins or ends beyond the end; names the file, its duration, and that bound.
    """
    if end is not None and end > seconds + _ROUNDING:
        raise DataError(f"{path} lasts {seconds:.3f} s and cannot be read up to {end} s")
    if start >= seconds:
        raise DataError(f"{path} lasts {seconds:.3f} s and cannot be read from {start} s on")


def _decoded(path: Path, file: soundfile.SoundFile, first: int, count: int) -> np.ndarray:
    """The samples from the first one, float32 `(samples, channels)`; fewer if the file ends before."""
    if file.subtype in _EXACT:
        file.seek(first)
        return np.concatenate([np.zeros((0, file.channels), np.float32), *_blocks(file, count)])
    try:
        return file.read(first + count, dtype="float32", always_2d=True)[first:]
    except (MemoryError, ValueError):  # of numpy, for numbers that it cannot count to
        raise DataError(f"{path} announces {file.frames} samples, more than fit into the memory") from None


def _blocks(file: soundfile.SoundFile, count: int) -> Iterator[np.ndarray]:
    """The samples in parts: a damaged header can announce more of them than fit into the memory."""
    while count and len(block := file.read(min(count, _BLOCK), dtype="float32", always_2d=True)):
        count -= len(block)
        yield block


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    try:
        with file_errors(path, "an audio file"):
            path.open("rb").close()
            if path.stat().st_size == 0:
                raise DataError(f"{path} is empty, expected an audio file")
            with soundfile.SoundFile(path) as file:
                _check_length(path, file)
                yield file
    except (soundfile.LibsndfileError, TypeError) as error:  # `TypeError`: a name like that of headerless files
        reason = getattr(error, "error_string", _UNKNOWN).removeprefix("Error : ").rstrip(".")
        reason = _UNKNOWN if reason.startswith("File does not exist") else reason  # of a file that is no MP3
        raise DataError(f"{path} cannot be read as audio: {reason}") from error


def _check_length(path: Path, file: soundfile.SoundFile) -> None:
    for announced, held in ((int(size), int(held)) for size, held in _SIZES.findall(file.extra_info)):
        if held < announced < _NOT_ANNOUNCED:
            raise DataError(f"{path} is cut off: got {held} of {announced} bytes of sound")
    if file.format == "OGG" and not _has_last_page(path):
        raise DataError(f"{path} is cut off: its last page is missing")
    if file.frames == 0:
        raise DataError(f"{path} holds no samples")
    if file.frames == _UNKNOWN_LENGTH:
        raise DataError(f"{path} does not say how long it is, as files that were written to a pipe: write it anew")


def _has_last_page(path: Path) -> bool:
    """Whether the last page of an Ogg file is marked as the end of a stream, and whole (RFC 3533, section 6)."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, _LONGEST_PAGE), os.SEEK_END)
        _, found, page = file.read().rpartition(b"OggS")
    if not found or len(page) < _PAGE_HEADER or not page[1] & 4:
        return False
    sizes = page[_PAGE_HEADER : _PAGE_HEADER + page[_PAGE_HEADER - 1]]  # of the segments, whose number comes before
    return len(page) >= _PAGE_HEADER + len(sizes) + sum(sizes)
