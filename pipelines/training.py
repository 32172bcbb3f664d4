"""Training: `keras.Model.fit` under a strategy, with the callbacks of `callbacks.py`, resumable after every epoch."""

from __future__ import annotations

import functools
import logging
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from .batching import BatchPlan, TrainingData, training_batches
from .callbacks import SaveState, ShowEpochs, StopOnNaN, Validation, save_model
from .config import TaskConfig
from .distribution import agree, describe, distribute, is_chief
from .errors import Interrupted, UserError
from .gradient_monitor import GradientMonitor, LagProbe, recorded
from .inference import answer_all
from .interruption import interruptible
from .optimizers import make_optimizer, own_optimizer
from .pipeline import Pipeline
from .run_directory import RunDirectory
from .run_state import Progress, RunState
from .sequence_model import SequenceModel

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trainer:
    """Everything that one training needs; `train` runs it."""

    pipeline: Pipeline
    preprocessor: Any
    strategy: tf.distribute.Strategy
    directory: RunDirectory

    @property
    def config(self) -> TaskConfig:
        """The settings."""
        return self.pipeline.config

    def train(
        self,
        examples: Sequence[Any],
        valid: Sequence[Any],
        first_values: Callable[[SequenceModel], Mapping[str, int]],
        pretrained: Callable[[SequenceModel], Mapping[str, int]] | None = None,
    ) -> tuple[SequenceModel, Progress]:
        """Trains to the end, from the last state if there is one.

        Args:
            examples: the training examples.
            valid: the validation examples.
            first_values: sets first values of a new model (`init_from`, word vectors) and says what it set.
            pretrained: after them, sets what takes long to make; interrupted, it goes on when it is called again.

        Returns:
            The model with the best weights is on disk; returned are the trained model and the progress.

        Raises:
            Interrupted: after Ctrl-C; the state of the last whole epoch is on disk.
        """
        config = self.config
        data = self.pipeline.training_data(examples, self.preprocessor)
        replicas = self.strategy.num_replicas_in_sync
        plan = BatchPlan(data.sizes, config.batch_size, config.bucket_growth, config.seed, replicas)
        build = functools.partial(self.pipeline.build_model, self.preprocessor)
        record = recorded if config.monitor_gradients else None
        model = new_model(build, config, len(plan), self.strategy, record)
        state = RunState(self.directory.checkpoints, [*model.variables, *model.optimizer.variables])
        progress = state.restore()
        if progress is None:
            progress = Progress()
            set_first_values(model, first_values)
            if pretrained and is_chief():
                state.save(progress)  # the run has begun: the same command goes on, and no other settings
        if not agree(self.strategy, progress.epoch):
            raise UserError(
                f"the workers see different states in {self.directory.path}; "
                "the run directory must lie on a file system that all of them share"
            )
        _log.info("%s, %s parameters", describe(self.strategy), f"{model.count_params():,}")
        if progress.epoch:
            _log.info("resumed after epoch %d", progress.epoch)
        elif pretrained:
            set_first_values(model, pretrained)
        if not progress.is_over(config.epochs, config.patience):
            callbacks = self._callbacks(model, data, valid, state, progress, len(plan))

            def batches(part: int, parts: int, replicas: int) -> tf.data.Dataset:
                return training_batches(data, plan, progress.epoch, part, parts, replicas)

            dataset = distribute(self.strategy, batches)
            fit(model, dataset, len(plan), config.epochs, callbacks, progress, self.directory)
        return model, progress

    def _callbacks(
        self,
        model: SequenceModel,
        data: TrainingData,
        valid: Sequence[Any],
        state: RunState,
        progress: Progress,
        steps: int,
    ) -> list[keras.callbacks.Callback]:
        metric, chief = self.pipeline.selection_metric, is_chief()
        served = self.pipeline.build_model(self.preprocessor)
        score = self._validation(model, served, valid)
        save = (lambda: save_model(served, self.directory.best)) if chief else None
        end = (self.config.epochs, self.config.patience, self.config.keep)
        callbacks = [StopOnNaN(), Validation(score, save, metric, progress, *end)]
        if self.config.monitor_gradients:
            probe = LagProbe(self.pipeline.build_model(self.preprocessor), data) if chief else None
            callbacks += [GradientMonitor(probe, progress, self.directory)]
        if chief:
            callbacks += [SaveState(state, progress, self.directory)]
            callbacks += [ShowEpochs(progress, metric, self.config.epochs, steps)]
        return callbacks

    def _validation(
        self, model: SequenceModel, served: SequenceModel, valid: Sequence[Any]
    ) -> Callable[[], dict[str, float]]:
        """Scores the very function that the export traces, on a model of its own outside of the strategy."""
        pipeline = self.pipeline
        server = pipeline.build_server(served, self.preprocessor)
        requests = [pipeline.request(example) for example in valid]
        function = server.function(pipeline.validation_function)
        described = server.others.get(pipeline.validation_function, pipeline.server_class)

        def score() -> dict[str, float]:
            copy_weights(model, served)
            server.refresh()
            answers = answer_all(function, requests, described)
            pairs = zip(valid, answers, strict=True)
            rows = [pipeline.row(example, answer, self.preprocessor) for example, answer in pairs]
            return pipeline.score(rows, intervals=False).metrics

        return score


def new_model(
    build: Callable[[], SequenceModel],
    config: TaskConfig,
    steps: int,
    strategy: tf.distribute.Strategy,
    record: Callable[[Any], Any] | None = None,
) -> SequenceModel:
    """A model with its optimizer, in the precision of the settings.

    Args:
        build: makes the model.
        config: the settings of the training.
        steps: of an epoch.
        strategy: under which the variables are made.
        record: turns the optimizer into one that records gradients.
    """
    keras.config.set_dtype_policy(config.mixed_precision)
    try:
        with strategy.scope():
            model = build()
            optimizer = make_optimizer(config, steps)
            model.compile(optimizer=record(optimizer) if record else optimizer, jit_compile=False)
            model.optimizer.build(model.trainable_variables)
    finally:
        keras.config.set_dtype_policy("float32")
    return model


def fit(
    model: SequenceModel,
    dataset: tf.data.Dataset | tf.distribute.DistributedDataset,
    steps: int,
    epochs: int,
    callbacks: list[keras.callbacks.Callback],
    progress: Progress,
    directory: RunDirectory,
) -> None:
    """Trains from the epoch after `progress.epoch` to the last one.

    Raises:
        Interrupted: after Ctrl-C.
    """
    try:
        with interruptible():
            model.fit(
                dataset,
                initial_epoch=progress.epoch,
                epochs=epochs,
                steps_per_epoch=steps,
                callbacks=callbacks,
                shuffle=False,
                verbose=0,
            )
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped in epoch {progress.epoch + 1}; what was trained up to epoch {progress.epoch} is saved in "
            f"{directory.path}; run the same command again to go on"
        ) from None
    finally:
        for callback in callbacks:
            if isinstance(callback, ShowEpochs):
                callback.close()


def load_best(model: SequenceModel, path: Path) -> None:
    """Reads the weights of a `best.keras`.

    Raises:
        UserError: if the file is damaged.
    """
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is damaged ({' '.join(str(error).split())[:120]}); train again with --fresh") from None


def set_first_values(model: SequenceModel, first_values: Callable[[SequenceModel], Mapping[str, int]]) -> None:
    """Sets the first values of a new model, says what was set, and lets the averages start from there."""
    for what, count in first_values(model).items():
        _log.info("%s: %d", what, count)
    for average, variable in zip(own_optimizer(model).averages, model.trainable_variables, strict=False):
        average.assign(variable)


def copy_weights(source: SequenceModel, target: SequenceModel) -> None:
    """Copies the weights to a model of the same architecture; averages, where the optimizer keeps them."""
    averages = {id(v): a for v, a in zip(source.trainable_variables, own_optimizer(source).averages, strict=False)}
    for theirs, own in zip(source.weights, target.weights, strict=True):
        own.assign(averages.get(id(theirs), theirs).numpy())
