"""Optimizers that sum gradients over replicas before they clip them, record what they clipped, and average weights."""

from __future__ import annotations

import functools
import math
from typing import Any

import keras
import tensorflow as tf

from .config import TaskConfig


class SummedClipping:
    """Mix-in for Keras optimizers: sum over the replicas, then clip, then update.

    Keras clips on each replica before the sum, so that the number of replicas changes the update. Here the gradient of
    the whole batch is limited, as Pascanu et al. (2013) have it: `g * min(1, limit / norm)`. Gradients of embeddings
    keep their sparse form; rows that occur twice are added first, so that the norm is that of the dense gradient.

    Args:
        clipping: `none`, `global_norm` (one norm over all gradients), `norm` (of each variable), or `value`.
        clip: float. The limit.
        average_decay: float. Decay of a moving average of the weights, at most `(1 + step) / (10 + step)`; 0 for none.
        **kwargs: passed on to the Keras optimizer.

    References:
        Pascanu, Mikolov, Bengio, *On the difficulty of training recurrent neural networks*, ICML 2013.
        Polyak, Juditsky, *Acceleration of stochastic approximation by averaging*, 1992.
    """

    def __init__(self, clipping: str = "none", clip: float = 1.0, average_decay: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.clipping, self.clip, self.average_decay = clipping, clip, average_decay

    def build(self, variables: list[keras.Variable]) -> None:
        """Makes the optimizer's variables: those of Keras, the records, and the averages (equal to the weights)."""
        if self.built:  # type: ignore[attr-defined]
            return
        super().build(variables)  # type: ignore[misc]
        record = functools.partial(self.add_variable, shape=(), aggregation="only_first_replica")  # type: ignore[attr-defined]
        self.norm_sum = record(name="norm_sum")
        self.norm_maximum = record(name="norm_maximum")
        self.clipped = record(name="clipped")
        self.recorded = record(name="recorded")
        self.averages: list[keras.Variable] = []
        if self.average_decay:
            self.averages = self.add_optimizer_variables(variables, "average")  # type: ignore[attr-defined]
            for average, variable in zip(self.averages, variables, strict=True):
                average.assign(variable)

    def take_record(self) -> dict[str, float]:
        """Mean and largest gradient norm and the share of clipped steps since the last call."""
        steps = max(float(self.recorded.numpy()), 1.0)
        taken = {
            "gradient_norm": float(self.norm_sum.numpy()) / steps,
            "gradient_norm_max": float(self.norm_maximum.numpy()),
            "clipped_share": float(self.clipped.numpy()) / steps,
        }
        for variable in (self.norm_sum, self.norm_maximum, self.clipped, self.recorded):
            variable.assign(0.0)
        return taken

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable, and its average after it."""
        super().update_step(gradient, variable, learning_rate)  # type: ignore[misc]
        if self.averages:
            step = tf.cast(self.iterations, tf.float32)  # type: ignore[attr-defined]
            decay = tf.minimum(self.average_decay, (1.0 + step) / (10.0 + step))
            average = self.averages[self._get_variable_index(variable)]  # type: ignore[attr-defined]
            average.assign(tf.cast(decay, average.dtype) * average + tf.cast(1.0 - decay, average.dtype) * variable)

    # Keras calls the next two in this order: the first one does both, and the second one leaves the sum alone.

    def _clip_gradients(self, gradients: list[Any]) -> list[Any]:
        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync > 1:
            gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        gradients = [_without_repeats(gradient) for gradient in gradients]
        norm = tf.cast(tf.linalg.global_norm(gradients), tf.float32)
        clipped_gradients, clipped = _clip(gradients, self.clipping, self.clip, norm)
        self.norm_sum.assign(self.norm_sum + norm)
        self.norm_maximum.assign(tf.maximum(self.norm_maximum, norm))
        self.clipped.assign(self.clipped + tf.cast(clipped, tf.float32))
        self.recorded.assign(self.recorded + 1.0)
        return clipped_gradients

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        return grads_and_vars


def make_optimizer(config: TaskConfig, steps_per_epoch: int) -> Any:
    """The optimizer that the settings describe, a Keras optimizer with `SummedClipping`."""
    rate = learning_rate_schedule(config, steps_per_epoch)
    base, settings = {
        "adam": (keras.optimizers.Adam, {"beta_2": config.beta_2}),
        "adamw": (keras.optimizers.AdamW, {"beta_2": config.beta_2, "weight_decay": config.weight_decay}),
        "rmsprop": (keras.optimizers.RMSprop, {"momentum": config.momentum}),
        "adagrad": (keras.optimizers.Adagrad, {}),
        "nesterov": (keras.optimizers.SGD, {"momentum": config.momentum, "nesterov": True}),
    }[config.optimizer]
    optimizer_class = type(f"SummedClipping{base.__name__}", (SummedClipping, base), {})
    return optimizer_class(
        learning_rate=rate,
        clipping=config.clipping,
        clip=config.clip,
        average_decay=config.average_decay,
        **settings,
    )


def own_optimizer(model: keras.Model) -> Any:
    """The optimizer with the record and the averages; `mixed_float16` wraps it in one that scales the loss."""
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)


def learning_rate_schedule(config: TaskConfig, steps_per_epoch: int) -> float | WarmUpThenFall:
    """The learning rate as a number or as a function of the step."""
    if config.schedule == "constant" and config.warmup_steps == 0:
        return config.learning_rate
    return WarmUpThenFall(
        peak=config.learning_rate,
        schedule=config.schedule,
        warmup_steps=config.warmup_steps,
        total_steps=config.epochs * steps_per_epoch,
        final=config.final_learning_rate,
    )


@keras.saving.register_keras_serializable(package="seqloom")
class WarmUpThenFall(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly to its peak and then falls.

    With `p` the progress from the end of the warm-up (0) to the last step (1), the share of the peak is
    `cosine: f + (1 - f) (1 + cos(pi p)) / 2`, `linear: 1 - (1 - f) p`, `exponential: f^p`, and, whatever the number of
    steps, `inverse_sqrt: sqrt(w / step)` with `w` the warm-up's steps (at least 1); `constant` stays at the peak.

    Args:
        peak: float. The highest learning rate.
        schedule: one of the names above.
        warmup_steps: int. Steps of the rise.
        total_steps: int. Steps of the whole training.
        final: float. Share `f` of the peak at the last step; of `exponential` at least 1e-4.

    Example:
        >>> schedule = WarmUpThenFall(peak=1.0, schedule="linear", warmup_steps=2, total_steps=10, final=0.0)
        >>> [round(float(schedule(step)), 3) for step in (0, 1, 2, 6, 10)]
        [0.5, 1.0, 1.0, 0.5, 0.0]
    """

    def __init__(self, peak: float, schedule: str, warmup_steps: int, total_steps: int, final: float) -> None:
        super().__init__()
        self.peak, self.schedule, self.final = peak, schedule, final
        self.warmup_steps, self.total_steps = warmup_steps, total_steps

    def __call__(self, step: Any) -> tf.Tensor:
        """The learning rate at a step, counted from 0."""
        step = tf.cast(step, tf.float32)
        rise = tf.minimum(1.0, (step + 1.0) / max(self.warmup_steps, 1))
        return self.peak * rise * self._share(step)

    def _share(self, step: tf.Tensor) -> tf.Tensor | float:
        progress = tf.clip_by_value((step - self.warmup_steps) / max(self.total_steps - self.warmup_steps, 1), 0.0, 1.0)
        if self.schedule == "cosine":
            return self.final + (1.0 - self.final) * 0.5 * (1.0 + tf.cos(math.pi * progress))
        if self.schedule == "linear":
            return 1.0 - (1.0 - self.final) * progress
        if self.schedule == "exponential":
            return tf.pow(max(self.final, 1e-4), progress)
        if self.schedule == "inverse_sqrt":
            start = float(max(self.warmup_steps, 1))
            return tf.sqrt(start / tf.maximum(step, start))
        return 1.0

    def get_config(self) -> dict[str, Any]:
        """The arguments, for saving."""
        names = ("peak", "schedule", "warmup_steps", "total_steps", "final")
        return {name: getattr(self, name) for name in names}


def _without_repeats(gradient: Any) -> Any:
    """An embedding's gradient with one row for each id; other gradients as they are."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, position = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, position, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def _clip(gradients: list[Any], clipping: str, limit: float, norm: tf.Tensor) -> tuple[list[Any], tf.Tensor]:
    """The limited gradients, and whether anything was limited."""
    if clipping == "global_norm":
        scale = tf.minimum(1.0, limit / tf.maximum(norm, 1e-12))
        return [_apply(gradient, lambda values: values * tf.cast(scale, values.dtype)) for gradient in gradients], (
            norm > limit
        )
    if clipping == "norm":
        norms = [tf.norm(_values(gradient)) for gradient in gradients]
        limited = [_apply(gradient, lambda values: tf.clip_by_norm(values, limit)) for gradient in gradients]
        return limited, tf.reduce_any([tf.cast(each, tf.float32) > limit for each in norms])
    if clipping == "value":
        exceeds = [tf.reduce_any(tf.abs(_values(gradient)) > limit) for gradient in gradients]
        limited = [_apply(gradient, lambda values: tf.clip_by_value(values, -limit, limit)) for gradient in gradients]
        return limited, tf.reduce_any(exceeds)
    return gradients, tf.constant(False)


def _values(gradient: Any) -> tf.Tensor:
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def _apply(gradient: Any, function: Any) -> Any:
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(function(gradient.values), gradient.indices, gradient.dense_shape)
    return function(gradient)
