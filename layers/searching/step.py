"""What a search asks of the model that it searches."""

from typing import Any, NamedTuple

import tensorflow as tf


class Step(NamedTuple):
    """What a step function gives: `step(symbols, states) -> Step`, with symbols int32 `(rows,)`.

    Attributes:
        log_probs: float tensor `(rows, classes)`, log probabilities of the next symbol, at most 0; `-inf` forbids one.
        states: nest of tensors `(rows, ...)`, after the step; structure, shapes and dtypes as before it.
        attention: float tensor `(rows, source)`, how much of each source position the step has looked at, 1 at
            positions that are padded; `None` where no coverage is asked for.
    """

    log_probs: Any
    states: Any
    attention: Any = None


def repeat_rows(tensors, times):
    """Repeats each row as often as there are beams; those of a row stand next to each other.

    Args:
        tensors: nest of tensors `(batch, ...)`.
        times: int. How often.

    Returns:
        the nest, of tensors `(batch * times, ...)`.

    Example:
        >>> repeat_rows(tf.constant([[1], [2]]), 2).numpy().tolist()
        [[1], [1], [2], [2]]
    """
    return tf.nest.map_structure(lambda tensor: tf.repeat(tensor, times, axis=0), tensors)


def free_rows(tensors):
    """The shapes of a nest of tensors, the number of rows unknown."""
    return tf.nest.map_structure(lambda tensor: tf.TensorShape([None, *tensor.shape[1:]]), tensors)


def take(step, symbols, states, end_id):
    """Calls a step function and checks what it gives.

    Args:
        step: the step function.
        symbols: int32 tensor `(rows,)`.
        states: nest of tensors `(rows, ...)`.
        end_id: int. The class that ends a sequence.

    Returns:
        `Step`, the log probabilities in float32.

    Raises:
        ValueError: if the number of classes is unknown or less than 2, or `end_id` is none of them.
    """
    log_probs, after, attention = Step(*step(symbols, states))
    classes = log_probs.shape[-1]
    if classes is None or classes < 2:
        raise ValueError(f"log_probs must have a known number of classes, at least 2, got shape {log_probs.shape}")
    if not 0 <= end_id < classes:
        raise ValueError(f"end_id must be one of the {classes} classes of log_probs, got end_id={end_id}")
    after = tf.nest.map_structure(tf.ensure_shape, after, free_rows(states))
    return Step(tf.cast(log_probs, tf.float32), after, attention)
