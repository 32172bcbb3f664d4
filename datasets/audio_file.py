"""Recordings in files: whatever libsndfile reads, such as WAV, FLAC, Ogg and MP3, at any rate and depth."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from .audio import Waveform
from .corpus import DataError, file_errors

# What libsndfile writes in its log where a file announces another number of bytes than it holds.
_SIZES = re.compile(r"^\s*(?:data|SSND|riff|Riff size|Data Size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_NOT_ANNOUNCED = 0x7FFF_0000  # programs that write to a pipe announce about 2 or 4 GB

_UNKNOWN_LENGTH = 0x7FFF_FFFF_FFFF_FFFF  # of FLAC files that were written to a pipe
_BLOCK = 1 << 20  # samples of each channel
_LONGEST_PAGE = 65_307  # bytes of an Ogg page
_PAGE_HEADER = 23  # bytes between "OggS" and the sizes of the segments of a page
_UNKNOWN = "Format not recognised"  # as libsndfile says it


def read_audio(path: str | Path) -> Waveform:
    """Reads a recording at its own rate; several channels become their mean.

    Integers of any depth are scaled to [-1, 1], and floats stay as they are.

    Args:
        path: the file.

    Raises:
        DataError: if the file is missing, empty, no audio, or cut off; if it holds no samples, or samples that are
            not finite.
    """
    path = Path(path)
    with _opened(path) as file:
        blocks = list(_blocks(file))
        count, rate = sum(len(block) for block in blocks), file.samplerate
        if count < file.frames:
            raise DataError(f"{path} is cut off: got {count} of {file.frames} samples")
    samples = np.concatenate(blocks)
    finite = np.isfinite(samples).all(axis=1)
    if not finite.all():
        raise DataError(f"{path} holds samples that are not finite, the first one at {np.argmin(finite) / rate:.3f} s")
    return Waveform(samples.mean(axis=1, dtype=np.float32), rate)


def check_audio(path: str | Path) -> None:
    """Looks at the header of a recording, and decodes nothing.

    Args:
        path: the file.

    Raises:
        DataError: if the file is missing, empty, or no audio; if it is seen to be cut off, or to hold no samples.
    """
    with _opened(Path(path)):
        pass


def _blocks(file: soundfile.SoundFile) -> Iterator[np.ndarray]:
    """The samples in parts: a damaged header can announce more of them than fit into the memory."""
    while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
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
