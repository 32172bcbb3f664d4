"""The folder that holds one run: where everything lies in it, and files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .errors import UserError

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class RunDirectory:
    """The paths of a run. Creating the object touches nothing on disk.

    Args:
        path: of the folder, `runs/TASK/DATASET` by default of the command line.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.environment = self.path / "environment.json"
        self.log = self.path / "train.log"
        self.history = self.path / "history.csv"
        self.preprocessor = self.path / "preprocessor"
        self.data = self.preprocessor / "data.json"
        self.request = self.preprocessor / "request.json"
        self.checkpoints = self.path / "checkpoints"
        self.best = self.checkpoints / "best.keras"
        self.tuning = self.checkpoints / "tuning.json"
        self.tensorboard = self.path / "logs"
        self.export = self.path / "export"
        self.saved_model = self.export / "1"
        self.predictions = self.path / "predictions.jsonl"
        self.metrics = self.path / "metrics.json"
        self.report = self.path / "report.html"
        self.index = self.path / "index"

    @property
    def exists(self) -> bool:
        """Whether a run was begun here."""
        return self.config.is_file()

    @property
    def trained(self) -> bool:
        """Whether training came to its end (also when evaluation did not)."""
        return (self.checkpoints / "finished.json").is_file()

    @property
    def finished(self) -> bool:
        """Whether every part of the run is done: `metrics.json` is written last."""
        return self.metrics.is_file()

    @property
    def pretraining(self) -> RunDirectory:
        """What a model was trained on before lies in a folder of its own, with the same files."""
        return RunDirectory(self.path / "pretraining")

    def seeds(self) -> list[RunDirectory]:
        """The runs inside a run of several seeds, in the order of the seeds; empty for a single run."""
        folders = [path for path in self.path.glob("seed-*") if path.name[5:].isdigit()]
        return [RunDirectory(path) for path in sorted(folders, key=lambda path: int(path.name[5:]))]

    def create(self) -> None:
        """Makes the folder and checks that it can be written to.

        Raises:
            UserError: if it cannot be made or written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise UserError(f"the run directory {self.path} cannot be written to: {error.strerror}") from None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps a second process from writing the same run; the lock ends with the process that holds it.

        Raises:
            UserError: if another process is writing here.
        """
        folder = os.open(self.path, os.O_RDONLY)
        try:
            _lock(folder, self.path)
            yield
        finally:
            os.close(folder)

    def finished_training(self) -> dict[str, Any]:
        """What training noted at its end.

        Raises:
            UserError: if it has not come to its end.
        """
        if not self.trained:
            raise UserError(f"{self.path} is not trained to the end; `seqloom run` with its settings goes on")
        return read_json(self.checkpoints / "finished.json")

    def tuned(self) -> dict[str, Any]:
        """What the decoder was given on valid; nothing if it was given nothing."""
        return read_json(self.tuning) if self.tuning.is_file() else {}

    def clear(self) -> None:
        """Deletes what a run writes, the settings last, and nothing else that may lie in the folder."""
        for path in (self.metrics, self.environment, self.log, self.history, self.predictions, self.report):
            path.unlink(missing_ok=True)
        folders = (
            self.preprocessor,
            self.checkpoints,
            self.tensorboard,
            self.export,
            self.index,
            self.path / "evaluations",
        )
        for folder in (*folders, self.pretraining.path, *(run.path for run in self.seeds())):
            shutil.rmtree(folder, ignore_errors=True)
        self.config.unlink(missing_ok=True)


def read_json(path: Path) -> Any:
    """Reads a JSON file of a run.

    Raises:
        UserError: if the file is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing; is {path.parent} a finished run?") from None
    except ValueError as error:
        raise UserError(f"{path} is not valid JSON: {error}") from None


def write_json(path: Path, content: Any) -> None:
    """Writes JSON that people can read."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes a text file, whole or not at all."""
    write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Lets `write` fill a temporary file or folder beside `path`, then renames it to `path`.

    A kill in the middle leaves the old content; the temporary name keeps the suffix of `path`.
    """
    temporary = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(temporary)
            _synchronise(temporary)
            _replace(temporary, path)
        finally:
            if temporary.is_dir():
                shutil.rmtree(temporary, ignore_errors=True)
            else:
                temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turns a full disk into a sentence that says what to do."""
    try:
        yield
    except Exception as error:
        if not _is_full_disk(error):
            raise
        raise UserError(
            f"there is no space left to write {path}; free some and run the same command again to go on"
        ) from None


def _is_full_disk(error: Exception) -> bool:
    """Whether there is no space; TensorFlow and HDF5 raise errors of their own, with the system's words in them."""
    return getattr(error, "errno", None) in _NO_SPACE or any(os.strerror(code) in str(error) for code in _NO_SPACE)


def _replace(temporary: Path, path: Path) -> None:
    """Renames; an old folder cannot be replaced in one step, so it is moved aside and deleted last."""
    old = path.with_name(f"{temporary.name}.old")
    if path.exists() and (path.is_dir() or temporary.is_dir()):
        os.replace(path, old)
    os.replace(temporary, path)
    if old.is_dir():
        shutil.rmtree(old)
    else:
        old.unlink(missing_ok=True)


def _lock(folder: int, path: Path) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(f"another process is writing {path}; wait for it or choose another --run_dir") from None


def _synchronise(path: Path) -> None:
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())
