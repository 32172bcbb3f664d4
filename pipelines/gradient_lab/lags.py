"""The gradient of a loss at the last step with respect to the states of all steps before, for a single layer.

The layer runs step by step in double precision, so that tiny gradients keep their size; `pipelines/time_lags.py` taps
the layers inside any trained model instead, in the precision it has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


def stepper(layer: Any, features: int) -> Any:
    """A copy of a recurrent layer in double precision that goes step by step: gradients down to 1e-300 keep their size.

    Args:
        layer: a built recurrent layer of `seqloom.layers`.
        features: size of its inputs.

    Returns:
        the copy, with the same weights; it returns the output of its last step, and its states.
    """
    settings = {**layer.get_config(), "name": f"{layer.name}_stepper", "dtype": "float64"}
    copy = type(layer).from_config({**settings, "return_state": True, "return_sequences": False})
    copy.build((None, None, features))
    copy.set_weights(layer.get_weights())
    return copy


def norms_by_lag(layer: Any, inputs: np.ndarray, loss: Callable[[tf.Tensor], tf.Tensor]) -> np.ndarray:
    """Norms of the gradient of the loss at step `T` with respect to the state after step `T - lag`.

    The state is whatever a cell carries from one step to the next, all parts of it together.

    Args:
        layer: from `stepper`.
        inputs: `(rows, time, features)`.
        loss: the losses of the rows `(rows,)` from the last outputs `(rows, units)`.

    Returns:
        `(time + 1, rows)`, by the lag: 0 is the output of the last step, `time` the state before the first.
    """
    inputs = tf.constant(inputs, tf.float64)
    states = tuple(tf.zeros((len(inputs), size), tf.float64) for size in layer.state_sizes)
    passed = []
    with tf.GradientTape() as tape:
        tape.watch(states)
        for time in range(inputs.shape[1]):
            passed.append(states)
            output, states = layer.step(layer.project(inputs[:, time]), states)
        total = tf.reduce_sum(loss(output))
    gradients = tape.gradient(total, [(output,), *reversed(passed)], unconnected_gradients="zero")
    return np.array([np.sqrt(sum(np.square(part.numpy()).sum(axis=-1) for part in parts)) for parts in gradients])


def largest_singular_value(layer: Any) -> float:
    """How much the recurrent matrix of a simple cell can lengthen a vector at most.

    tanh has a slope of at most 1, so that a gradient grows by no more than this factor at each step back (Pascanu et
    al., 2013): below 1 it must vanish, above 1 it may explode.
    """
    return float(np.linalg.norm(np.asarray(layer.recurrent_kernel, np.float64), 2))
