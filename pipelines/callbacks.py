"""What happens at the end of a step or an epoch, as Keras callbacks: watch, validate, save, show."""

from __future__ import annotations

import csv
import io
import logging
import math
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from .errors import UserError
from .evaluation import is_better
from .optimizers import own_optimizer
from .run_directory import RunDirectory, disk_errors, write_text, write_whole
from .run_state import Progress, RunState

_log = logging.getLogger(__name__)


class StopOnNaN(keras.callbacks.Callback):
    """Ends training at the first step whose loss is not finite, and says which step it was.

    Args:
        rate: the setting of the learning rate.
    """

    def __init__(self, rate: str = "learning_rate") -> None:
        super().__init__()
        self.rate = rate

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Looks at the running mean of the loss, which stays NaN once it is."""
        loss = float((logs or {})["mean_loss"])
        if not math.isfinite(loss):
            step = int(self.model.optimizer.iterations.numpy())
            raise UserError(
                f"the loss became {loss} at step {step}; "
                f"start anew with --fresh and a lower {self.rate}, or with clipping=global_norm and a smaller clip"
            )


class Validation(keras.callbacks.Callback):
    """Scores decoded output on valid after each epoch, keeps weights, and stops when nothing gets better.

    Args:
        score: takes no argument, copies the (averaged) weights to the server's model and gives metrics on valid.
        save: writes that model; `None` on workers that write nothing.
        metric: name of the metric that decides.
        progress: updated in place.
        epochs: the last epoch.
        patience: epochs without a better value; 0 never stops.
        keep: `"best"` or `"last"`, the weights that are kept.
    """

    def __init__(
        self,
        score: Callable[[], Mapping[str, float]],
        save: Callable[[], None] | None,
        metric: str,
        progress: Progress,
        epochs: int,
        patience: int,
        keep: str = "best",
    ) -> None:
        super().__init__()
        self.score, self.save, self.metric = score, save, metric
        self.progress, self.epochs, self.patience, self.keep = progress, epochs, patience, keep

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Starts the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Adds a row to the history."""
        trained = time.perf_counter() - self.started
        optimizer = own_optimizer(self.model)
        metrics = self.score()
        row = {
            "epoch": epoch + 1,
            "loss": float((logs or {})["mean_loss"]),
            **{f"val_{name}": float(value) for name, value in metrics.items()},
            "learning_rate": float(optimizer.learning_rate.numpy()),
            **optimizer.take_record(),
            "seconds": trained,
        }
        progress = self.progress
        progress.epoch = epoch + 1
        progress.seconds += time.perf_counter() - self.started
        progress.history.append(row)
        value = self._decisive(metrics)
        if value is None:
            progress.improved_epoch = epoch + 1  # nobody knows better
        elif is_better(self.metric, value, progress.best):
            progress.best, progress.improved_epoch = value, epoch + 1
        if self.keep == "last" or value == progress.best:
            progress.kept_epoch = epoch + 1
            if self.save:
                self.save()
        if progress.is_over(self.epochs, self.patience):
            self.model.stop_training = True

    def _decisive(self, metrics: Mapping[str, float]) -> float | None:
        """The metric that decides; where nothing is to be decided it may be missing."""
        if self.metric not in metrics and self.keep == "best":
            raise UserError(
                f"{self.metric} decides which epoch is kept, and nothing in valid can be scored by it (has it labels, "
                "and several examples of one?); say --set keep=last"
            )
        return float(metrics[self.metric]) if self.metric in metrics else None


class SaveState(keras.callbacks.Callback):
    """Writes the run state, the history and TensorBoard's scalars after each epoch.

    History and TensorBoard are derived from the state: on a resume they are written anew, so that no row stands twice
    and none is missing.
    """

    def __init__(self, state: RunState, progress: Progress, directory: RunDirectory) -> None:
        super().__init__()
        self.state, self.progress, self.directory = state, progress, directory

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Brings the derived files to the state that was restored, or writes the very first state."""
        if self.progress.epoch == 0:
            self.state.save(self.progress)
        shutil.rmtree(self.directory.tensorboard, ignore_errors=True)
        with disk_errors(self.directory.tensorboard):
            self.scalars = Scalars(self.directory.tensorboard)
            for row in self.progress.history:
                self.scalars.write(row)
        write_text(self.directory.history, history_table(self.progress.history))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """The state first: what is derived can be written again."""
        self.state.save(self.progress)
        write_text(self.directory.history, history_table(self.progress.history))
        with disk_errors(self.directory.tensorboard):
            self.scalars.write(self.progress.history[-1])


class ShowEpochs(keras.callbacks.Callback):
    """A progress bar on a terminal, and one line an epoch everywhere."""

    def __init__(self, progress: Progress, metric: str, epochs: int, steps: int) -> None:
        super().__init__()
        self.progress, self.metric, self.epochs, self.steps = progress, metric, epochs, steps
        self.bar: Any = None

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Opens the bar."""
        if sys.stderr.isatty():
            import rich.console
            import rich.progress

            columns = (
                *rich.progress.Progress.get_default_columns(),
                rich.progress.TextColumn("{task.fields[loss]}"),
            )
            self.bar = rich.progress.Progress(*columns, console=rich.console.Console(stderr=True), transient=True)
            self.task = self.bar.add_task(f"epoch {epoch + 1}/{self.epochs}", total=self.steps, loss="")
            self.bar.start()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Moves the bar."""
        if self.bar:
            self.bar.update(self.task, completed=batch + 1, loss=f"loss {float((logs or {})['mean_loss']):.4f}")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Closes the bar and prints the line."""
        self.close()
        row = self.progress.history[-1]
        value = row.get(f"val_{self.metric}", math.nan)
        best = " (best)" if value == self.progress.best else ""
        _log.info(
            "epoch %d/%d  loss %.4f  valid %s %.4f%s  gradient %.2f, %.0f %% clipped  %.1f s",
            epoch + 1, self.epochs, row["loss"], self.metric, value, best,
            row["gradient_norm"], 100 * row["clipped_share"], row["seconds"],
        )  # fmt: skip

    def close(self) -> None:
        """Removes the bar, also when training ends in the middle of an epoch."""
        if self.bar:
            self.bar.stop()
            self.bar = None


class Scalars:
    """TensorBoard's scalars, `train` and `validation` apart."""

    def __init__(self, folder: Path) -> None:
        self.writers = {name: tf.summary.create_file_writer(str(folder / name)) for name in ("train", "validation")}

    def write(self, row: Mapping[str, float]) -> None:
        """Writes one row of the history."""
        for name, value in row.items():
            split, tag = ("validation", name[4:]) if name.startswith("val_") else ("train", name)
            if tag != "epoch":
                with self.writers[split].as_default(step=int(row["epoch"])):
                    tf.summary.scalar(tag, value)
        for writer in self.writers.values():
            writer.flush()


def history_table(rows: list[dict[str, float]]) -> str:
    """The history as CSV."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()


def save_model(model: keras.Model, path: Path) -> None:
    """Writes a `.keras` file, whole or not at all."""
    write_whole(path, model.save)
