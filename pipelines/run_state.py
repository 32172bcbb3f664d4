"""What a run needs to go on as if it had never been interrupted: written after each epoch, the last two are kept."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .errors import UserError
from .run_directory import write_whole

_log = logging.getLogger(__name__)


@dataclass
class Progress:
    """How far a training is.

    Attributes:
        epoch: epochs that are done.
        best: the best value of the selection metric so far; `None` before the first epoch.
        improved_epoch: the first epoch (from 1) that reached it; patience counts from there.
        kept_epoch: the epoch whose weights are kept: the last one that reached it, or simply the last one.
        seconds: training time so far.
        history: one row an epoch.
    """

    epoch: int = 0
    best: float | None = None
    improved_epoch: int = 0
    kept_epoch: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)

    def kept(self, metric: str) -> float:
        """The value on valid of the weights that are kept; NaN if valid could not be scored by it."""
        return self.history[self.kept_epoch - 1].get(f"val_{metric}", math.nan)

    def is_over(self, epochs: int, patience: int) -> bool:
        """Whether training ends: after `epochs`, or after `patience` epochs (0 is never) without a better value."""
        return self.epoch >= epochs or bool(patience and self.epoch - self.improved_epoch >= patience)


class RunState:
    """All variables of a model and its optimizer, dropout's random state among them, and the progress.

    A state is one `.npz` file beside a JSON file with its SHA-256; the JSON file is renamed into place last, so a state
    is whole or does not exist.

    Args:
        folder: `checkpoints/` of the run.
        variables: the model's and the optimizer's variables, in an order that the configuration determines.
    """

    def __init__(self, folder: Path, variables: list[Any]) -> None:
        self.folder, self.variables = folder, variables

    def save(self, progress: Progress) -> None:
        """Writes the state after `progress.epoch` epochs, then deletes all but the last two."""
        arrays = self.folder / f"state-{progress.epoch:05d}.npz"
        values = {f"{index:05d}": _values(variable) for index, variable in enumerate(self.variables)}

        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.savez(file, **values)  # type: ignore[arg-type]

        write_whole(arrays, write)
        content = {"sha256": _digest(arrays), "progress": asdict(progress)}
        write_whole(arrays.with_suffix(".json"), lambda path: path.write_text(json.dumps(content), encoding="utf-8"))
        killed = [path for name in (".state-*", ".best-*") for path in self.folder.glob(name)]  # while they wrote these
        for path in [*self._states()[2:], *killed]:
            path.unlink(missing_ok=True)
            path.with_suffix(".npz").unlink(missing_ok=True)

    def restore(self) -> Progress | None:
        """Sets the variables from the newest state that is whole; `None` if the run has none yet.

        Raises:
            UserError: if there are states and none of them is whole.
        """
        states = self._states()
        for path in states:
            progress = self._read(path)
            if progress is not None:
                return progress
            _log.warning("%s is damaged and is left aside", path.with_suffix(".npz"))
        if states:
            raise UserError(f"no state in {self.folder} is whole; start anew with --fresh")
        return None

    def _states(self) -> list[Path]:
        return sorted(self.folder.glob("state-*.json"), reverse=True)

    def _read(self, path: Path) -> Progress | None:
        arrays = path.with_suffix(".npz")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if _digest(arrays) != content["sha256"]:
                return None
            progress = Progress(**content["progress"])
            with np.load(arrays) as values:
                stored = [values[name] for name in sorted(values.files)]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if [value.shape for value in stored] != [tuple(variable.shape) for variable in self.variables]:
            return None
        for variable, value in zip(self.variables, stored, strict=True):
            variable.assign(value)
        return progress


def _values(variable: Any) -> np.ndarray:
    value = np.asarray(variable.numpy())
    return value.astype(np.float32) if value.dtype.name == "bfloat16" else value


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
