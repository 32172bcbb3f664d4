"""Records gradient norms while a model trains, without a change to what the training produces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from .batching import TrainingData
from .gradient_record import read_record, write_record
from .optimizers import own_optimizer
from .run_directory import RunDirectory
from .run_state import Progress
from .sequence_model import SequenceModel
from .time_lags import norms_by_lag

PROBE_ROWS = 16


class RecordedGradients:
    """Mix-in for Keras optimizers: keeps the mean square of the gradient of each weight over the steps.

    Gradients are taken as they come from the backward pass, summed over the replicas, before clipping; steps that
    `mixed_float16` leaves out do not count.
    """

    def build(self, variables: list[keras.Variable]) -> None:
        """Makes the optimizer's variables, and the record."""
        if self.built:  # type: ignore[attr-defined]
            return
        super().build(variables)  # type: ignore[misc]
        add: Callable[..., Any] = self.add_variable  # type: ignore[attr-defined]
        self.square_sums = add(shape=(len(variables),), name="square_sums", aggregation="only_first_replica")
        self.square_steps = add(shape=(), name="square_steps", aggregation="only_first_replica")

    def take_norms(self) -> dict[str, float]:
        """For the path of each weight the root of the mean square since the last call."""
        means = self.square_sums.numpy() / max(float(self.square_steps.numpy()), 1.0)
        for variable in (self.square_sums, self.square_steps):
            variable.assign(np.zeros(variable.shape))
        paths = [variable.path.partition("/")[2] for variable in self._trainable_variables]  # type: ignore[attr-defined]
        return {path: float(np.sqrt(mean)) for path, mean in zip(paths, means, strict=True)}

    def _backend_apply_gradients(self, grads: list[Any], trainable_variables: list[Any]) -> None:
        gradients = [tf.convert_to_tensor(gradient) for gradient in grads]
        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync > 1:
            gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        squares = [tf.zeros(())] * self.square_sums.shape[0]
        for gradient, variable in zip(gradients, trainable_variables, strict=True):
            square = tf.reduce_sum(tf.square(tf.cast(gradient, tf.float32)))
            squares[self._get_variable_index(variable)] = square  # type: ignore[attr-defined]
        self.square_sums.assign(self.square_sums + tf.stack(squares))
        self.square_steps.assign(self.square_steps + 1.0)
        super()._backend_apply_gradients(grads, trainable_variables)  # type: ignore[misc]


def recorded(optimizer: Any) -> Any:
    """The optimizer, before it is built, as one that keeps `RecordedGradients`."""
    kind = type(optimizer)
    optimizer.__class__ = type(f"Recorded{kind.__name__}", (RecordedGradients, kind), {})
    return optimizer


class LagProbe:
    """Measures `norms_by_lag` on one fixed batch, with a copy of the model.

    The batch is some training examples of about the same length, longer than nine out of ten: all of them have the
    same lags, and many.

    Args:
        model: of the architecture that is trained, on one device and in float32; its weights are overwritten.
        data: the training examples.
    """

    def __init__(self, model: SequenceModel, data: TrainingData) -> None:
        self.model = model
        order = np.argsort(data.sizes, kind="stable")
        first = min(int(0.9 * len(order)), max(0, len(order) - PROBE_ROWS))
        self.batch = data.batch(tf.constant(order[first : first + PROBE_ROWS], tf.int64), tf.constant(0, tf.int64))

    def measure(self, trained: SequenceModel) -> dict[str, list[float]]:
        """The norms with the weights of the model that is trained (not their averages)."""
        for theirs, own in zip(trained.weights, self.model.weights, strict=True):
            own.assign(theirs.numpy())
        return norms_by_lag(self.model, *self.batch)


class GradientMonitor(keras.callbacks.Callback):
    """Adds a row to the record of gradients after each epoch.

    Stands before `SaveState`: whatever moment a run is killed at, the record has a row for each epoch of the state, and
    a row too many is dropped when the run goes on.

    Args:
        probe: measures the time lags; `None` on workers that write nothing.
        progress: of the run.
        directory: of the run.
    """

    def __init__(self, probe: LagProbe | None, progress: Progress, directory: RunDirectory) -> None:
        super().__init__()
        self.probe, self.progress, self.directory = probe, progress, directory

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Drops what lies behind the state that was restored."""
        self.rows = [row for row in read_record(self.directory) if row["epoch"] <= self.progress.epoch]

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Measures and writes."""
        norms = own_optimizer(self.model).take_norms()
        if self.probe is not None:
            self.rows.append({"epoch": epoch + 1, "weights": norms, "lags": self.probe.measure(self.model)})
            write_record(self.directory, self.rows)
