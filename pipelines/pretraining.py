"""Training another model first, on something else, which hands its weights to the task's own model.

Weights go over by their paths: a weight that both models have under the same path, without the models' own names, is
shared. The other model starts from the first values of the task's model (word vectors, `init_from`), and the task's
model then starts from the other one's best epoch. What is trained so lies in `pretraining/` of the run, with the same
files as the run itself; an interrupted pretraining goes on after its last whole epoch.

It runs on one device, also where the training that follows has several replicas, and not with several workers.
"""

from __future__ import annotations

import abc
import logging
from collections.abc import Mapping
from typing import ClassVar

import keras
import tensorflow as tf

from .callbacks import SaveState, ShowEpochs, StopOnNaN, Validation, save_model
from .config import TaskConfig
from .distribution import worker_count
from .errors import UserError
from .initialisation import path_in_model
from .run_directory import RunDirectory, write_json
from .run_state import Progress, RunState
from .sequence_model import SequenceModel
from .training import fit, load_best, new_model

_log = logging.getLogger(__name__)


class Pretraining(abc.ABC):
    """What is trained before a task's model; a task that wants it returns one from `Pipeline.pretraining`.

    Attributes:
        metric: by which the best epoch is chosen, one of what `score` returns.
        rate: the setting of its learning rate.

    Args:
        config: the settings of this training: `epochs`, `learning_rate` and what else `make_optimizer` reads.
    """

    metric: ClassVar[str]
    rate: ClassVar[str]

    def __init__(self, config: TaskConfig) -> None:
        self.config = config

    @property
    @abc.abstractmethod
    def steps(self) -> int:
        """Batches of an epoch."""

    @abc.abstractmethod
    def build_model(self) -> SequenceModel:
        """A new model whose variables exist."""

    @abc.abstractmethod
    def batches(self, first_epoch: int) -> tf.data.Dataset:
        """The batches of `first_epoch` and all later epochs as `(inputs, targets, weights)`."""

    @abc.abstractmethod
    def score(self, model: SequenceModel) -> Mapping[str, float]:
        """Metrics on valid."""


def pretrain(pretraining: Pretraining, model: SequenceModel, directory: RunDirectory) -> dict[str, int]:
    """Trains to the end, from the last state if there is one, and hands the weights of the best epoch over.

    A second call finds everything done and hands the same weights over.

    Args:
        pretraining: what to train.
        model: the task's model, with its first values; its shared weights are set.
        directory: `pretraining/` of the run.

    Returns:
        how many weights were set.

    Raises:
        UserError: with several workers.
        Interrupted: after Ctrl-C; the state of the last whole epoch is on disk.
    """
    config, workers = pretraining.config, worker_count()
    if workers > 1:
        raise UserError(
            f"pretraining_epochs must be 0 with several workers, got {config.epochs} with {workers} of them"
        )
    keras.utils.set_random_seed(config.seed)  # whatever was built before: an interrupted run builds less
    source = new_model(pretraining.build_model, config, pretraining.steps, tf.distribute.get_strategy())
    copy_shared(model, source)
    state = RunState(directory.checkpoints, [*source.variables, *source.optimizer.variables])
    progress = state.restore() or Progress()
    if not progress.is_over(config.epochs, patience=0):
        _log.info("pretraining, %s parameters", f"{source.count_params():,}")
        if progress.epoch:
            _log.info("pretraining resumed after epoch %d", progress.epoch)
        _fit(pretraining, source, state, progress, directory)
    load_best(source, directory.best)
    _finish(pretraining, progress, directory)
    return {"weights from the pretraining": copy_shared(source, model)}


def copy_shared(source: SequenceModel, target: SequenceModel) -> int:
    """Sets each weight that both models have under the same path, and says how many there are."""
    theirs = {path_in_model(variable): variable for variable in source.weights}
    shared = [variable for variable in target.weights if path_in_model(variable) in theirs]
    for variable in shared:
        variable.assign(theirs[path_in_model(variable)].numpy())
    return len(shared)


def _fit(
    pretraining: Pretraining, model: SequenceModel, state: RunState, progress: Progress, directory: RunDirectory
) -> None:
    epochs, metric, steps = pretraining.config.epochs, pretraining.metric, pretraining.steps
    callbacks = [
        StopOnNaN(pretraining.rate),
        Validation(
            lambda: pretraining.score(model), lambda: save_model(model, directory.best), metric, progress, epochs, 0
        ),
        SaveState(state, progress, directory),
        ShowEpochs(progress, metric, epochs, steps),
    ]
    fit(model, pretraining.batches(progress.epoch), steps, epochs, callbacks, progress, directory)


def _finish(pretraining: Pretraining, progress: Progress, directory: RunDirectory) -> None:
    finished = {
        "metric": pretraining.metric,
        "best": progress.best,
        "best_epoch": progress.kept_epoch,
        "epochs": progress.epoch,
        "seconds": progress.seconds,
    }
    write_json(directory.checkpoints / "finished.json", finished)
    _log.info("pretraining: best %s on valid %.4f, epoch %d", pretraining.metric, progress.best, progress.kept_epoch)
