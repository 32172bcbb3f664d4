"""The recordings of an archive: which files there are, and which stretches of one are indexed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ....datasets.audio import Waveform
from ....datasets.audio_file import check_inside, read_audio
from ....datasets.corpus import DataError
from ....datasets.term_files import (
    OTHER_FILES,
    REPEATED_SEGMENTS,
    SEGMENTS,
    WITHOUT_SEGMENT,
    find_recordings,
    read_segments,
)
from ...audio import waveform
from ...errors import UserError
from .vectors import Kind
from .windows import voiced_windows


@dataclass(frozen=True)
class ArchiveSettings:
    """What an index is made of.

    Args:
        sampling_rate: samples per second that the model hears.
        lengths: of the windows, in seconds.
        hop: from one window to the next of its length, in seconds; at most the shortest length.
        kind: how the nearest vectors are found: see `VectorIndex`.

    Raises:
        ValueError: if one of them is out of its range.
    """

    sampling_rate: int
    lengths: tuple[float, ...] = (0.25, 0.4, 0.6, 0.9)
    hop: float = 0.1
    kind: Kind = "exact"

    def __post_init__(self) -> None:
        if self.sampling_rate < 1:
            raise ValueError(f"sampling_rate must be a positive integer, got sampling_rate={self.sampling_rate}")
        if not self.lengths or not 1 / self.sampling_rate <= self.hop <= min(self.lengths):
            raise ValueError(
                "hop must be between one sample and the shortest of lengths, "
                f"got hop={self.hop} and lengths={self.lengths}"
            )
        if self.kind not in ("exact", "approximate"):
            raise ValueError(f"kind must be 'exact' or 'approximate', got kind={self.kind!r}")


@dataclass(frozen=True)
class ArchiveFile:
    """A recording that is to be indexed.

    Args:
        path: the file, absolute.
        segments: what of it is indexed, in seconds; `None` stands for windows over its voiced stretches.
    """

    path: Path
    segments: tuple[tuple[float, float], ...] | None = None


def archive_files(paths: Iterable[str | Path]) -> tuple[list[ArchiveFile], Counter[str]]:
    """Lists the recordings among files and folders, each once, in their order.

    Args:
        paths: of files, whatever their names end with, and of folders, of which the audio files at any depth are taken
            in the order of their names. Of a folder that holds `segments.tsv` the segments are taken, and no others.

    Returns:
        The recordings, and what else there is in the folders: how many files with other endings, recordings that have
        no segment, and lines of `segments.tsv` that repeat another one.

    Raises:
        DataError: if a path is missing, a folder cannot be read, or its `segments.tsv` cannot (see `read_segments`).
        UserError: if a folder holds no recordings.
    """
    files: dict[Path, ArchiveFile] = {}
    passed_over: Counter[str] = Counter()
    for path in map(Path, paths):
        path = Path(os.path.abspath(path))
        for file in [ArchiveFile(path)] if path.is_file() else _files_in(path, passed_over):
            files.setdefault(file.path, file)
    return list(files.values()), +passed_over


def read_pieces(file: ArchiveFile, settings: ArchiveSettings) -> tuple[np.ndarray, list[np.ndarray], float]:
    """Reads the stretches of a recording that are indexed.

    Args:
        file: the recording.
        settings: sampling rate and windows.

    Returns:
        float64 array `(pieces, 2)`, start and end in seconds; their float32 samples at the sampling rate; and the
        duration of the recording in seconds. There are no pieces in silence.

    Raises:
        DataError: if the file cannot be read as audio, or a segment is not inside it.
    """
    audio = read_audio(file.path)
    if file.segments is not None:
        bounds = np.array(file.segments, np.float64).reshape(-1, 2)
        return bounds, [_segment(file.path, audio, segment, settings) for segment in file.segments], audio.seconds
    rate = settings.sampling_rate
    samples = waveform(audio, rate)
    windows = voiced_windows(samples, rate, settings.lengths, settings.hop)
    bounds = np.minimum(windows / rate, audio.seconds)  # resampling rounds the number of samples up
    return bounds, [samples[start:end] for start, end in windows.tolist()], audio.seconds


def _files_in(folder: Path, passed_over: Counter[str]) -> list[ArchiveFile]:
    names, others = find_recordings(folder)
    passed_over[OTHER_FILES] += others
    if not names:
        raise UserError(f"{folder} holds no recordings")
    if not (folder / SEGMENTS).exists():
        return [ArchiveFile(folder / name) for name in names]
    segments: dict[str, list[tuple[float, float]]] = {}
    lines, repeated = read_segments(folder / SEGMENTS)
    for segment in lines:
        segments.setdefault(segment.name, []).append((segment.start, segment.end))
    passed_over[WITHOUT_SEGMENT] += len(set(names) - segments.keys())
    passed_over[REPEATED_SEGMENTS] += repeated
    return [ArchiveFile(folder / name, tuple(own)) for name, own in segments.items()]


def _segment(path: Path, audio: Waveform, bounds: tuple[float, float], settings: ArchiveSettings) -> np.ndarray:
    """Cut at the rate of the file and resampled then, as the terms of a data set are."""
    check_inside(path, *bounds, audio.seconds)
    first, last = (round(bound * audio.rate) for bound in bounds)
    if not len(samples := audio.samples[first:last]):
        raise DataError(f"{path} has no sample from {bounds[0]} s to {bounds[1]} s")
    return waveform(Waveform(samples, audio.rate), settings.sampling_rate)
