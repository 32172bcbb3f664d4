"""How the laboratory trains: one recurrent layer and a read-out, on sequences that are never seen twice."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np

from ...layers.encoder import recurrent_layer
from .tasks import SequenceTask

CLIP = 1.0  # limit of the norm of the gradient
_VALIDATION, _TEST = 2**31, 2**31 + 1  # no epoch has these numbers


class FreshSequences(keras.utils.PyDataset):
    """Batches of a task, drawn when they are asked for; each is a function of (seed, epoch, number).

    Args:
        task: what to draw.
        length: of the sequences, as the task counts it.
        batches: how many make an epoch.
        rows: of a batch.
        seed: of all of them.
    """

    def __init__(self, task: SequenceTask, length: int, batches: int, rows: int, seed: int) -> None:
        super().__init__()
        self.task = task
        self.sequence_length = length
        self.batches = batches
        self.rows = rows
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return self.batches

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng([self.seed, self.epoch, number])
        return self.task.draw(random, self.rows, self.sequence_length)

    def on_epoch_end(self) -> None:
        """The next epoch has other sequences."""
        self.epoch += 1


class StopBelow(keras.callbacks.Callback):
    """Ends the training as soon as the validation loss is below a bound."""

    def __init__(self, bound: float) -> None:
        super().__init__()
        self.bound = bound

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Looks at the validation loss."""
        if logs and logs["val_loss"] < self.bound:
            self.model.stop_training = True


@dataclass(frozen=True)
class Schedule:
    """How long and how a model is trained.

    Attributes:
        updates: the most steps of the optimizer.
        batch: sequences of one step.
        rate: learning rate of Adam.
        updates_between: steps from one validation to the next.
        validation: sequences of a validation, and of the test at the end four times as many.
    """

    updates: int
    batch: int
    rate: float
    updates_between: int = 100
    validation: int = 512


def sequence_model(cell: str, units: int, task: SequenceTask, length: int) -> keras.Model:
    """A recurrent layer with a linear read-out, of the last step or of each, as the task asks.

    Args:
        cell: a key of `seqloom.layers.encoder.RECURRENT_LAYERS`.
        units: of the layer.
        task: gives the sizes of inputs and answers.
        length: of the sequences, as the task counts it.

    Returns:
        the model, not compiled; its recurrent layer is called `recurrence`.
    """
    inputs = keras.Input((task.steps(length), task.features))
    states = recurrent_layer(cell, units, name="recurrence")(inputs)  # (batch, time, units)
    outputs = keras.layers.Dense(task.outputs, name="readout")(states if task.every_step else states[:, -1])
    return keras.Model(inputs, outputs)


def task_loss(task: SequenceTask) -> keras.losses.Loss:
    """The task's loss, of outputs without a softmax if it is a cross-entropy."""
    if task.loss == "sparse_categorical_crossentropy":
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return keras.losses.MeanSquaredError()


def compile_for(model: keras.Model, task: SequenceTask, rate: float) -> None:
    """Adam with the gradient's norm limited to `CLIP`, and the task's loss."""
    model.compile(keras.optimizers.Adam(rate, global_clipnorm=CLIP), task_loss(task), jit_compile=False)


def train(
    model: keras.Model, task: SequenceTask, length: int, schedule: Schedule, seed: int, stop_below: float = 0.0
) -> dict[str, list[float]]:
    """Trains until the schedule ends or the loss on fresh sequences is below a bound.

    Args:
        model: of the task, not compiled.
        task: what is learnt.
        length: of the sequences, as the task counts it.
        schedule: how.
        seed: of the sequences.
        stop_below: the bound of the validation loss.

    Returns:
        `updates`, and the `loss` on validation sequences after so many.
    """
    compile_for(model, task, schedule.rate)
    between = min(schedule.updates_between, schedule.updates)
    validation = task.draw(np.random.default_rng([seed, _VALIDATION]), schedule.validation, length)
    history = model.fit(
        FreshSequences(task, length, between, schedule.batch, seed),
        epochs=max(1, round(schedule.updates / between)),
        validation_data=validation,
        validation_batch_size=schedule.validation,
        callbacks=[StopBelow(stop_below)],
        verbose=0,
    ).history
    losses = [float(loss) for loss in history["val_loss"]]
    return {"updates": [between * (epoch + 1) for epoch in range(len(losses))], "loss": losses}


def test_loss(model: keras.Model, task: SequenceTask, length: int, schedule: Schedule, seed: int) -> float:
    """The loss on sequences that were seen neither in training nor in validation."""
    inputs, targets = task.draw(np.random.default_rng([seed, _TEST]), 4 * schedule.validation, length)
    return float(model.evaluate(inputs, targets, batch_size=schedule.validation, verbose=0))
