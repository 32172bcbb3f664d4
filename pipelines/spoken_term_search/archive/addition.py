"""Recordings on their way into the index of an archive: read, embedded some hundreds of stretches at once, counted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from ....datasets.audio import AudioFile
from ....datasets.corpus import DataError
from ....datasets.term_files import is_utf_8
from .files import ArchiveFile, read_pieces
from .folder import ENTRY, IndexContent, IndexedFile
from .vectors import VectorIndex

Embed: TypeAlias = Callable[[list[np.ndarray]], "np.ndarray | Sequence[np.ndarray | None]"]

_TOGETHER = 256  # pieces that are embedded at once
_SAMPLES = 1 << 24  # that they have at most when each is as long as the longest one; of recordings that are held, too


@dataclass
class Added:
    """What became of the files that were to be added.

    Args:
        indexed: files that are part of the index now.
        known: files that were not looked at since one with the same content is part of it.
        broken: the reasons why files cannot be used, by their paths.
        silent: those of `indexed` in which there is nothing to find.
        windows: stretches of `indexed` that have a vector.
        left_out: stretches of `indexed` of which the model made no vector.
        passed_over: what else the folders hold, and how many of it: see `archive_files`.
        seconds: duration of `indexed`.
    """

    indexed: int = 0
    known: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    silent: int = 0
    windows: int = 0
    left_out: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


class Addition:
    """Recordings on their way into an index.

    Args:
        content: which grows; it is whole again after `finish`.
        embed: see `ArchiveIndex.add`.

    Attributes:
        added: what became of the recordings so far.
        has_changed: whether the content is another one than before; to be set back by whoever writes it.
    """

    def __init__(self, content: IndexContent, embed: Embed) -> None:
        self.content, self.added, self.has_changed = content, Added(), False
        self._embed = embed
        found = [file for file in content.files if file.path is not None]
        self._by_digest, self._by_path = {file.digest: file for file in found}, {str(file.path): file for file in found}
        self._pieces: list[np.ndarray] = []  # read, and not embedded yet
        self._entries: list[np.ndarray] = []  # of these pieces, for each file
        self._held = 0.0  # seconds of the recordings that they are parts of
        self._grown: list[tuple[np.ndarray, np.ndarray]] = []  # entries and vectors that are not in the content yet

    def read(self, file: ArchiveFile) -> None:
        """Reads a recording, and embeds what was read if it is enough."""
        path = str(file.path)
        if not is_utf_8(path):
            self.added.broken[path] = f"{path!a} is not UTF-8"
            return
        try:
            digest = AudioFile(file.path).digest
            self._forget_what_was_at(path, digest)
            if digest in self._by_digest:
                self._meet_again(self._by_digest[digest], path)
                return
            bounds, pieces, seconds = read_pieces(file, self.content.settings)
        except DataError as error:
            self.added.broken[path] = str(error)
            return
        entries = np.zeros(len(bounds), ENTRY)
        entries["file"], entries["start"], entries["end"] = len(self.content.files), bounds[:, 0], bounds[:, 1]
        self._entries.append(entries)
        self._pieces += pieces
        self._held += seconds
        new = IndexedFile(path, digest, seconds, windows=0)
        self._by_digest[digest] = self._by_path[path] = new
        self.content.files.append(new)
        self.has_changed = True
        self.added.indexed += 1
        self.added.seconds += seconds
        self.added.silent += not pieces
        if len(self._pieces) >= _TOGETHER or self._held * self.content.settings.sampling_rate >= _SAMPLES:
            self._embed_pieces()

    def finish(self) -> None:
        """Puts everything into the content."""
        self._embed_pieces()
        if not self._grown:
            return
        entries, vectors = map(np.concatenate, zip(*self._grown, strict=True))
        if self.content.vectors is None:
            self.content.vectors = VectorIndex(vectors, self.content.settings.kind)
        else:
            self.content.vectors.add(vectors)
        self.content.entries = np.concatenate([self.content.entries, entries])
        self._grown = []

    def _forget_what_was_at(self, path: str, digest: str) -> None:
        if path in self._by_path and self._by_path[path].digest != digest:
            other = self._by_path.pop(path)
            del self._by_digest[other.digest]
            other.path, self.has_changed = None, True

    def _meet_again(self, known: IndexedFile, path: str) -> None:
        """A recording that was moved is found where it lies now."""
        self.added.known += 1
        if known.path != path and not os.path.exists(str(known.path)):
            self._by_path[path] = self._by_path.pop(str(known.path))
            known.path, self.has_changed = path, True

    def _embed_pieces(self) -> None:
        if self._pieces:
            rows = [row for batch in _batches(self._pieces) for row in _rows(self._embed(batch), len(batch))]
            usable = np.array([row is not None for row in rows])
            entries = np.concatenate(self._entries)[usable]
            for number, count in zip(*np.unique(entries["file"], return_counts=True), strict=True):
                self.content.files[number].windows = int(count)
            if len(entries):
                self._grown.append((entries, np.stack([row for row in rows if row is not None])))
            self.added.windows += len(entries)
            self.added.left_out += len(rows) - len(entries)
        self._pieces, self._entries, self._held = [], [], 0.0


def _batches(pieces: Sequence[np.ndarray]) -> Iterator[list[np.ndarray]]:
    batch: list[np.ndarray] = []
    longest = 0
    for piece in pieces:
        longest = max(longest, len(piece))
        if batch and (len(batch) == _TOGETHER or (len(batch) + 1) * longest > _SAMPLES):
            yield batch
            batch, longest = [], len(piece)
        batch.append(piece)
    if batch:
        yield batch


def _rows(vectors: np.ndarray | Sequence[np.ndarray | None], count: int) -> list[np.ndarray | None]:
    """`None` in the place of every vector that is none."""
    if len(vectors) != count:
        raise ValueError(f"embed must return a vector for each of {count} pieces, got {len(vectors)}")
    return [None if row is None or not (np.isfinite(row).all() and np.any(row)) else row for row in vectors]
