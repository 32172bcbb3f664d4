"""How the index of an archive lies on disk: `1/`, `2/`, ..., of which the newest is in use and the others go.

Each of these folders is a whole index. It is written under another name and then renamed, so that it is there as a
whole or not at all, and the one before it is deleted last.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import UserError
from ...run_directory import RunDirectory, write_whole
from .files import ArchiveSettings
from .vectors import VectorIndex

_VERSION = 1  # of the files; another one is not read
_SUMMARY, _ENTRIES, _VECTORS = "index.json", "entries.npz", "vectors.faiss"

ENTRY = np.dtype([("file", np.int32), ("start", np.float64), ("end", np.float64)])


@dataclass
class IndexedFile:
    """A recording of the archive.

    Args:
        path: where it lies, absolute; `None` if another recording lies there by now, so that it is not found any more.
        digest: of its content.
        seconds: its duration.
        windows: how many vectors it has.
    """

    path: str | None
    digest: str
    seconds: float
    windows: int


@dataclass
class IndexContent:
    """A whole index.

    Args:
        model_digest: of the model that made the vectors.
        settings: what they are of.
        files: the recordings.
        entries: `(vectors,)` of dtype `ENTRY`: of which file each vector is, and from where to where, in seconds.
        vectors: `None` as long as there are none, since their dimension is not known yet.
    """

    model_digest: str
    settings: ArchiveSettings
    files: list[IndexedFile] = field(default_factory=list)
    entries: np.ndarray = field(default_factory=lambda: np.zeros(0, ENTRY))
    vectors: VectorIndex | None = None


def has_index(folder: Path) -> bool:
    """Whether there is an index, of whatever model."""
    return _newest(folder) > 0


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Makes the folder and keeps other processes from writing there.

    Raises:
        UserError: if the folder cannot be made or written, or another process is writing there.
    """
    RunDirectory(folder).create()
    with RunDirectory(folder).locked():
        yield


def read_index(folder: Path, model_digest: str, mapped: bool = True) -> IndexContent:
    """Reads the index that is in use.

    Args:
        folder: which holds the index.
        model_digest: of the model with which it will be searched.
        mapped: whether the vectors stay on disk and cannot grow.

    Raises:
        UserError: if there is none, or it is damaged, of another version, or made by another model.
    """
    while True:
        number = _newest(folder)
        if not number:
            raise UserError(f"{folder} holds no index; `seqloom index RUN_DIR FOLDER` makes one")
        try:
            return _read(folder, folder / str(number), model_digest, mapped)
        except UserError:
            if number == _newest(folder):
                raise  # else another process has put a newer one in its place


def write_index(folder: Path, content: IndexContent) -> None:
    """Puts an index in the place of the one that is in use; call it inside of `alone`.

    Raises:
        UserError: if there is no space left; then the old one stays.
    """
    name = str(_newest(folder) + 1)
    write_whole(folder / name, lambda path: _write(path, content))
    for other in folder.iterdir():
        if other.name != name and _number(other.name.lstrip(".").partition("-")[0]):
            shutil.rmtree(other, ignore_errors=True)  # older ones, and what a process that was killed left


def _write(path: Path, content: IndexContent) -> None:
    path.mkdir()
    entries = content.entries
    np.savez(path / _ENTRIES, files=entries["file"], starts=entries["start"], ends=entries["end"])
    if content.vectors is not None:
        content.vectors.write(path / _VECTORS)
    summary = {
        "version": _VERSION,
        "model": content.model_digest,
        "settings": asdict(content.settings),
        "bytes": {file.name: file.stat().st_size for file in sorted(path.iterdir())},
        "files": [asdict(file) for file in content.files],
    }
    (path / _SUMMARY).write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    for file in path.iterdir():
        with file.open("rb") as opened:
            os.fsync(opened.fileno())


def _read(folder: Path, path: Path, model_digest: str, mapped: bool) -> IndexContent:
    with _damage_told(folder):
        summary = json.loads((path / _SUMMARY).read_text(encoding="utf-8"))
        version, made_by = summary["version"], summary["model"]
    if version != _VERSION:
        raise UserError(f"{folder} is an index of another version of seqloom: remove it and make it again")
    if made_by != model_digest:
        raise UserError(
            f"{folder} was made by another model, {made_by}, than this one, {model_digest}: remove it and make it again"
        )
    with _damage_told(folder):
        return _content(path, summary, mapped)


@contextlib.contextmanager
def _damage_told(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile, UserError) as error:
        raise UserError(f"the index {folder} is damaged: remove it and make it again") from error


def _content(path: Path, summary: dict[str, Any], mapped: bool) -> IndexContent:
    for name, size in summary["bytes"].items():
        if (path / name).stat().st_size != size:
            raise ValueError(f"{name} has another size than it had")
    settings = ArchiveSettings(**{**summary["settings"], "lengths": tuple(summary["settings"]["lengths"])})
    with np.load(path / _ENTRIES) as columns:
        entries = np.zeros(len(columns["files"]), ENTRY)
        for name in ("file", "start", "end"):
            entries[name] = columns[f"{name}s"]
    files = [IndexedFile(**file) for file in summary["files"]]
    vectors = VectorIndex.load(path / _VECTORS, mapped) if _VECTORS in summary["bytes"] else None
    if len(entries) != (0 if vectors is None else len(vectors)):
        raise ValueError(f"there are {len(entries)} entries")
    if not np.array_equal(np.bincount(entries["file"], minlength=len(files)), [file.windows for file in files]):
        raise ValueError("the files have other numbers of windows")
    return IndexContent(summary["model"], settings, files, entries, vectors)


def _newest(folder: Path) -> int:
    """0 if there is none."""
    try:
        return max((_number(entry.name) for entry in folder.iterdir()), default=0)
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _number(name: str) -> int:
    return int(name) if name.isascii() and name.isdigit() else 0
