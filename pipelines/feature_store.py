"""The features of a corpus, extracted once and kept on disk."""

from __future__ import annotations

import contextlib
import copy
import fcntl
import hashlib
import itertools
import json
import logging
import os
import shutil
import time
import zipfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ..datasets.audio import AudioFile, FrameMatrix, Sound, Waveform
from ..datasets.corpus import DataError
from .audio import extract_features, sound_features
from .audio_config import AudioConfig
from .errors import UserError
from .process_pool import spread
from .progress_bar import progress_bar
from .run_directory import disk_errors

_log = logging.getLogger(__name__)

_VERSION = 1  # of the features and the files; another one is another place in the cache
_FRAMES, _INDEX = "frames.float32", "index.npz"

_TOGETHER = 16  # sounds that a process is given at once
_WORTH_PROCESSES = 3e8  # samples: five hours at 16 kHz, which take one process about ten seconds


class FeatureStore:
    """The frames of many sounds in one memory-mapped file.

    Args:
        folder: as `feature_store` writes it.

    Attributes:
        lengths: int32 array `(sounds,)`, frames of each sound.
        size: features of a frame.

    Raises:
        DataError: if the folder is damaged.
    """

    def __init__(self, folder: Path) -> None:
        try:
            with np.load(folder / _INDEX) as index:
                self.lengths, self.size = index["lengths"], int(index["size"])
            self._ends = np.cumsum(self.lengths, dtype=np.int64)
            content = np.asarray(np.memmap(folder / _FRAMES, np.float32, "r"))
            self._frames = content.reshape(self._ends[-1], self.size)  # (all frames, size)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"the features in {folder} are damaged: remove that folder and run again") from error

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, row: int) -> np.ndarray:
        """The frames of one sound, float32 `(frames, size)`, which cannot be written to."""
        end = self._ends[row]
        return self._frames[end - self.lengths[row] : end]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[row] for row in range(len(self)))

    def of(self, rows: Sequence[int] | np.ndarray) -> FeatureStore:
        """A store of some of the sounds, in that order; the frames stay where they are."""
        some, places = copy.copy(self), np.asarray(rows, np.int64)
        some.lengths, some._ends = self.lengths[places], self._ends[places]
        return some

    def frames(self, rows: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A batch of sounds, for use inside `tf.numpy_function`.

        Args:
            rows: numbers of the sounds, from 0.

        Returns:
            float32 array `(rows, longest, size)`, zeros past a row's own frames, and int32 array `(rows,)`, frames of
            each row.
        """
        lengths = self.lengths[np.asarray(rows, np.int64)]
        batch = np.zeros((len(lengths), int(lengths.max(initial=0)), self.size), np.float32)
        for place, row, length in zip(batch, rows, lengths, strict=True):
            place[:length] = self[row]
        return batch, lengths


def silent_sounds(store: FeatureStore, config: AudioConfig) -> np.ndarray:
    """Which sounds are nothing but silence, bool `(sounds,)`, of features of their own or of those of digital silence.

    Args:
        store: the features.
        config: by which they were extracted.
    """
    silence = None
    if config.features == "mfcc" and store.size == config.features_of_a_frame:  # of which the first is not as the rest
        silence = extract_features(np.zeros(config.hop_length, np.float32), config)[:1]
    return np.array(
        [
            frames.min() == frames.max() or (silence is not None and np.allclose(frames, silence, atol=1e-3))
            for frames in store
        ],
        bool,
    )


class FeatureStores:
    """The features of sounds that are asked for again and again, such as those of train as a whole and in parts.

    Args:
        config: the settings.
        cache_dir: the folder for everything that can be computed again.
    """

    def __init__(self, config: AudioConfig, cache_dir: str | Path) -> None:
        self.config, self.cache_dir = config, cache_dir
        self._stores: list[tuple[FeatureStore, dict[str, int]]] = []  # with the rows of sounds, by their digests

    def of(self, sounds: Sequence[Sound]) -> FeatureStore:
        """The features of sounds, in that order: of those that were asked for before, or as `feature_store` has them.

        Raises:
            DataError: as `feature_store` does.
            UserError: as `feature_store` does.
        """
        digests = [sound.digest for sound in sounds]
        for store, rows in self._stores:
            if rows.keys() >= set(digests):
                return store.of([rows[digest] for digest in digests])
        store = feature_store(sounds, self.config, self.cache_dir)
        self._stores.append((store, {digest: row for row, digest in enumerate(digests)}))
        return store


def feature_store(
    sounds: Sequence[Sound], config: AudioConfig, cache_dir: str | Path, processes: int | None = None
) -> FeatureStore:
    """Extracts the features of sounds, or finds them in the cache.

    They lie in `cache_dir/features/DIGEST`, where the digest is that of all sounds and of the settings that matter. Of
    several processes that want features at once one extracts them, and the others wait. Sounds that are features are
    stored as they are.

    Args:
        sounds: at least one.
        config: the settings.
        cache_dir: the folder for everything that can be computed again.
        processes: how many extract features; `None` is as many as there are cores where there is enough to do, else
            1, which is this process.

    Raises:
        DataError: if a file cannot be read (it is named), if sounds have frames of different sizes, or if what is in
            the cache is damaged.
        UserError: if a process dies, or the cache cannot be written.
    """
    if not sounds:
        raise ValueError("sounds must hold at least one sound, got none")
    folder = Path(cache_dir).expanduser() / "features" / _digest(sounds, config)
    if not folder.is_dir():
        with _cache_errors(folder), _alone(folder.parent):
            if not folder.is_dir():
                _write(folder, sounds, config, processes or _worth_processes(sounds))
    return FeatureStore(folder)


def _settings(config: AudioConfig) -> AudioConfig:
    """The settings of which features are a function, and nothing more: a task's own config is not sent to processes."""
    names = set(AudioConfig.model_fields) - {"deltas", "normalisation"}
    names -= {"coefficients"} if config.features == "log_mel" else set()
    return AudioConfig(**{name: getattr(config, name) for name in names})


def _digest(sounds: Sequence[Sound], config: AudioConfig) -> str:
    settings = None if all(isinstance(sound, FrameMatrix) for sound in sounds) else _settings(config).model_dump()
    total = hashlib.sha256(json.dumps([_VERSION, settings], sort_keys=True).encode())
    for sound in sounds:
        total.update(f"{type(sound).__name__} {sound.digest}\n".encode())
    return total.hexdigest()[:16]


def _worth_processes(sounds: Sequence[Sound]) -> int:
    """All cores for many samples, this process for few: a process first needs a second or two to import librosa."""
    samples = sum(_samples(sound) for sound in sounds)
    return 1 if samples < _WORTH_PROCESSES else min(os.cpu_count() or 1, -(-len(sounds) // _TOGETHER))


def _samples(sound: Sound) -> float:
    if isinstance(sound, Waveform):
        return len(sound.samples)
    if not isinstance(sound, AudioFile):
        return 0
    if sound.end is not None:
        return (sound.end - sound.start) * 16_000  # the rate of most speech
    return sound.path.stat().st_size / 2  # most files have 16 bits


def _write(folder: Path, sounds: Sequence[Sound], config: AudioConfig, processes: int) -> None:
    """Fills a folder under another name and renames it: what is killed leaves nothing that counts as whole."""
    started, unfinished = time.perf_counter(), folder.with_name(f".{folder.name}")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a process that was killed
    unfinished.mkdir()
    try:
        lengths, size = _write_frames(unfinished / _FRAMES, sounds, config, processes)
        np.savez(unfinished / _INDEX, lengths=np.array(lengths, np.int32), size=size)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    _log.info("features of %d recordings extracted in %.1f s", len(sounds), time.perf_counter() - started)


def _write_frames(path: Path, sounds: Sequence[Sound], config: AudioConfig, processes: int) -> tuple[list[int], int]:
    """Returns how many frames each sound has, and the size of a frame."""
    groups = [sounds[start : start + _TOGETHER] for start in range(0, len(sounds), _TOGETHER)]
    lengths: list[int] = []
    size = 0
    extracted = spread(partial(_extract, _settings(config)), groups, processes)
    with path.open("wb") as file, progress_bar("features", len(sounds)) as show, contextlib.closing(extracted):
        for features in itertools.chain.from_iterable(extracted):
            size = size or features.shape[1]
            if features.shape[1] != size:
                raise DataError(
                    "all sounds must have frames of one size, "
                    f"got {size} and {features.shape[1]} features, the latter of {sounds[len(lengths)]!r}"
                )
            file.write(np.ascontiguousarray(features, np.float32).data)
            lengths.append(len(features))
            show(len(lengths))
    return lengths, size


def _extract(config: AudioConfig, sounds: Sequence[Sound]) -> list[np.ndarray]:
    return [sound_features(sound, config) for sound in sounds]


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Waits until no other process writes features there; the lock ends with the process that holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _log.info("waiting for another process that extracts features")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def _cache_errors(folder: Path) -> Iterator[None]:
    """Turns what the system says of the cache into a sentence; sounds that cannot be read have their own."""
    try:
        with disk_errors(folder):
            yield
    except OSError as error:
        raise UserError(f"the features cannot be written to the cache: {error}") from None
