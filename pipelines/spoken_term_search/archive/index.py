"""The archive that is searched: recordings, the stretches of them that have vectors, and the search for the nearest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from ...progress_bar import progress_bar
from .addition import Added, Addition, Embed
from .files import ArchiveSettings, archive_files
from .folder import IndexContent, IndexedFile, alone, has_index, read_index, write_index
from .windows import best_of_overlapping

Progress: TypeAlias = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]

_FIRST_LOOK = 8  # windows for each hit that is wanted, since most of them overlap a better one


@dataclass(frozen=True)
class Hit:
    """Where something was found.

    Args:
        file: the recording.
        start: in seconds.
        end: in seconds.
        score: cosine of the vectors, in [-1, 1].
    """

    file: Path
    start: float
    end: float
    score: float


class ArchiveIndex:
    """An index on disk: made with `create`, or found with `open`.

    It knows the model by its digest alone, and is given a function that makes vectors.

    Attributes:
        folder: where it lies; see `folder`.
    """

    def __init__(self, folder: Path, content: IndexContent, is_new: bool) -> None:
        self.folder, self._content, self._is_new = folder, content, is_new

    @staticmethod
    def exists(folder: str | Path) -> bool:
        """Whether a folder holds an index, of whatever model."""
        return has_index(Path(folder))

    @classmethod
    def open(cls, folder: str | Path, model_digest: str) -> ArchiveIndex:
        """Reads an index; its vectors stay on disk.

        Args:
            folder: which holds it.
            model_digest: of the model that will embed queries and further recordings.

        Raises:
            UserError: if there is none, or it is damaged, or made by another model.
        """
        return cls(Path(folder), read_index(Path(folder), model_digest), is_new=False)

    @classmethod
    def create(cls, folder: str | Path, model_digest: str, settings: ArchiveSettings) -> ArchiveIndex:
        """An empty index. Nothing is written, and one that is there stays in use, until files are added.

        Args:
            folder: where it will lie.
            model_digest: of the model that will embed everything.
            settings: sampling rate, windows, and how vectors are searched.
        """
        return cls(Path(folder), IndexContent(model_digest, settings), is_new=True)

    def __len__(self) -> int:
        return len(self._content.entries)

    @property
    def settings(self) -> ArchiveSettings:
        """Of which it is made."""
        return self._content.settings

    @property
    def files(self) -> list[IndexedFile]:
        """The recordings that can be found."""
        return [file for file in self._content.files if file.path is not None]

    def add(
        self,
        paths: Iterable[str | Path],
        embed: Embed,
        progress: Progress = progress_bar,
        keep_every: float = 300.0,
    ) -> Added:
        """Adds recordings and writes the index. Of a content that is in the index already only the place is kept.

        What cannot be read is named in the answer, and the rest is added. Where a recording has taken the place of
        another one, that one is not found any more. An interruption costs the work since the index was last written;
        to go on, add the same paths again.

        Args:
            paths: of files, and of folders of recordings at any depth, which may hold `segments.tsv`: see
                `archive_files`.
            embed: takes a list of float32 arrays `(samples,)` at `settings.sampling_rate` and returns their vectors,
                float32 `(pieces, dimension)` of unit length. A row of zeros or NaN, or `None` in a list of rows, stands
                for a piece of which there is no vector.
            progress: shows how many of the recordings are done, as `progress_bar` does.
            keep_every: seconds of work after which the index is written in between.

        Raises:
            DataError: if a path is missing or a `segments.tsv` cannot be used.
            UserError: if a folder holds no recordings; if there is no space left, or another process is adding, or has
                put the index of another model here. What was written before stays in use.
        """
        (files, passed_over), digest = archive_files(paths), self._content.model_digest
        with alone(self.folder):
            if self._is_new:
                content = IndexContent(digest, self.settings)
            else:
                content = read_index(self.folder, digest, mapped=False)
            addition, kept = Addition(content, embed), time.monotonic()
            addition.added.passed_over = passed_over
            with progress("recordings", len(files)) as show:
                for number, file in enumerate(files, start=1):
                    addition.read(file)
                    show(number)
                    if time.monotonic() - kept > keep_every:
                        self._keep(addition)
                        kept = time.monotonic()
            self._keep(addition)
            self._content = read_index(self.folder, digest)
        return addition.added

    def search(self, vector: np.ndarray, top: int = 10, merged: bool = True) -> list[Hit]:
        """The stretches whose vectors are nearest to that of a query, best first.

        Merged hits are chosen from the best to the worst: one that shares more than half of the shorter of the two with
        a better one of the same file is merged into it. The hit has the score *and the bounds* of the best of them;
        bounds are not widened. So fewer hits are always the beginning of more hits.

        Args:
            vector: float32 array `(dimension,)` of unit length.
            top: how many hits are wanted, at least 1; there may be fewer.
            merged: whether overlapping hits are merged, else each window is a hit.

        Raises:
            ValueError: if the vector is no such array, or `top` is not positive.
        """
        if top < 1:
            raise ValueError(f"top must be a positive integer, got top={top}")
        content, looked = self._content, top * (_FIRST_LOOK if merged else 1)
        if content.vectors is None:
            return []
        found = np.array([file.path is not None for file in content.files])
        while True:
            scores, rows = (each[0] for each in content.vectors.search(np.asarray(vector)[np.newaxis], looked))
            is_all = looked >= len(self) or rows[-1] < 0
            use = (rows >= 0) & found[content.entries["file"][rows]]
            scores, entries = scores[use], content.entries[rows[use]]
            if merged:
                best = best_of_overlapping(entries["file"], entries["start"], entries["end"])
                scores, entries = scores[best], entries[best]
            if is_all or len(entries) >= top:
                return [self._hit(*pair) for pair in zip(entries[:top], scores[:top], strict=True)]
            looked *= 4

    def _hit(self, entry: np.void, score: np.float32) -> Hit:
        path = self._content.files[entry["file"]].path
        return Hit(Path(str(path)), float(entry["start"]), float(entry["end"]), float(score))

    def _keep(self, addition: Addition) -> None:
        addition.finish()
        if addition.has_changed or self._is_new:
            write_index(self.folder, addition.content)
            addition.has_changed = self._is_new = False
