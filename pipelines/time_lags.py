"""How far back in time a loss reaches: the gradient of the loss at the last step with respect to earlier states.

It taps the layers inside any model of a task, as they are; `gradient_lab/lags.py` follows a single layer in double
precision.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..layers.recurrence.recurrence import Recurrence
from .sequence_model import SequenceModel

# The steps of one pass of a layer over its sequences; each step has one tensor `(rows, size)` or several.
Pass = list[list[tf.Tensor]]


def norms_by_lag(
    model: SequenceModel, inputs: Any, targets: Any, weights: Mapping[str, tf.Tensor]
) -> dict[str, list[float]]:
    """Norms of the gradient with respect to the states of each recurrent layer, by the lag from the last step.

    `|dL / d(state after step T - lag)|`, the mean over the rows. `L` is a row's loss as far as it comes through the
    scores of its last step `T`: the scores are the model's outputs `(batch, time, ...)`; where the loss is a sum over
    steps that is the loss at `T`, where the scores are tied together (a CRF) it is what the loss asks of the scores at
    `T`. A model without such outputs has one loss a row, and `L` is that. The state is all that goes from a step to
    the next, and its output. A layer that reads backwards (`Encoder.backward_layers`) has its own end at the first
    step: there `L` comes through the scores of the first step. No dropout, no penalties.

    The model runs step by step, without a graph, and with no fused kernel.

    Args:
        model: on one device, with its weights, not made ready for serving.
        inputs: of one batch.
        targets: of one batch.
        weights: zero for what is padding.

    Returns:
        for the path of each layer with steps (a Keras RNN or a `Recurrence`) the norms from lag 0 on, as far as half
        of the rows reach; a layer that is run several times has a number behind its path. None for a layer that the
        loss does not reach.
    """
    with _watched(model) as passes, tf.GradientTape(persistent=True) as tape:
        outputs = model(inputs, training=False)
        losses = model.step_losses(inputs, targets, outputs)
        loss = tf.add_n([tf.reduce_sum(each * tf.cast(weights[name] > 0, each.dtype)) for name, each in losses.items()])
    scores = [each for each in keras.tree.flatten(outputs) if each.dtype.is_floating]
    scores = [each for each in scores if len(each.shape) >= 3] or scores
    slopes = tape.gradient(loss, scores, unconnected_gradients="zero")
    backward = {id(layer) for each in _layers(model) for layer in getattr(each, "backward_layers", ())}
    found: dict[str, list[float]] = {}
    for end, reads_back in ((-1, False), (0, True)):
        chosen = {name: steps for (name, layer), steps in passes.items() if (id(layer) in backward) is reads_back}
        ends = [_only_at(end, slope) for slope in slopes]
        gradients = tape.gradient(scores, chosen, output_gradients=ends, unconnected_gradients="zero")
        found |= {name: _mean_by_lag(_norms(steps)) for name, steps in gradients.items()}
    return {name: norms for name, norms in sorted(found.items()) if norms}


def _only_at(end: int, slope: tf.Tensor) -> tf.Tensor:
    """Zeros but for the last (`end=-1`) or first (`end=0`) step of each row at which there is a slope."""
    if len(slope.shape) < 3:
        return slope
    steps = tf.reduce_any(slope != 0, axis=list(range(2, len(slope.shape))))  # (rows, time)
    seen = tf.cumsum(tf.cast(steps, tf.int32), axis=1, reverse=end == -1)  # 1 from that step on
    at = steps & (seen == 1)
    return slope * tf.cast(tf.reshape(at, [*tf.unstack(tf.shape(at)), *[1] * (len(slope.shape) - 2)]), slope.dtype)


def _norms(steps: Pass) -> np.ndarray:
    """The norm at each step `(steps, rows)`, over all parts of the state together."""
    squares = [sum(np.sum(np.square(np.asarray(part, np.float64)), axis=-1) for part in parts) for parts in steps]
    return np.sqrt(np.array(squares))


def _mean_by_lag(norms: np.ndarray) -> list[float]:
    """Means over rows, by the lag from the last step of each row that has a gradient."""
    rows = [norms[: np.flatnonzero(row)[-1] + 1, at][::-1] for at, row in enumerate(norms.T) if np.any(row)]
    if not rows:
        return []
    reach = int(np.median([len(row) for row in rows]))
    return [float(np.mean([row[lag] for row in rows if len(row) > lag])) for lag in range(reach)]


@contextlib.contextmanager
def _watched(model: keras.Model) -> Iterator[dict[tuple[str, Any], Pass]]:
    """Inside, each recurrent layer runs step by step and leaves its states here, under its path and itself."""
    passes: dict[tuple[str, Any], Pass] = {}
    with contextlib.ExitStack() as stack:
        for layer in _layers(model):
            if isinstance(layer, Recurrence) and type(layer).step is not Recurrence.step:
                stack.enter_context(_replaced(layer, "sequences", _step_by_step(layer, passes)))
                stack.enter_context(_replaced(layer, "step", _kept(layer, layer.step, passes)))
            elif isinstance(layer, keras.layers.RNN):
                if hasattr(layer, "use_cudnn"):
                    stack.enter_context(_replaced(layer, "use_cudnn", False))
                stack.enter_context(_replaced(layer, "call", _announced(layer, layer.call, passes)))
                stack.enter_context(_replaced(layer.cell, "call", _kept(layer, layer.cell.call, passes)))
        yield passes


def _layers(model: keras.Model) -> list[Any]:
    return list(model._flatten_layers())


@contextlib.contextmanager
def _replaced(layer: Any, name: str, value: Any) -> Iterator[None]:
    """The layer with another attribute of its own, without Keras taking notice."""
    before = vars(layer).get(name, layer)
    object.__setattr__(layer, name, value)
    try:
        yield
    finally:
        if before is layer:
            object.__delattr__(layer, name)
        else:
            object.__setattr__(layer, name, before)


def _announced(layer: Any, run: Callable[..., Any], passes: dict[tuple[str, Any], Pass]) -> Callable[..., Any]:
    """Begins a new list of steps at each call with a sequence as its first argument."""

    def call(sequence: Any, *args: Any, **kwargs: Any) -> Any:
        path = layer.path.partition("/")[2] or layer.path  # the name of the model differs from copy to copy
        number = 1 + sum(known is layer for _, known in passes)
        steps = passes[path if number == 1 else f"{path} ({number})", layer] = []
        results = run(sequence, *args, **kwargs)
        del steps[: -sequence.shape[1]]  # Keras takes the first step twice, once to see the shape of an output
        return results

    return call


def _step_by_step(layer: Recurrence, passes: dict[tuple[str, Any], Pass]) -> Callable[..., Any]:
    """`Recurrence.sequences` as the loop over `step`, whatever faster way the cell has."""

    def sequences(
        inputs: Any, states: Any, lengths: Any, reset: Any, recurrent_mask: Any, training: bool | None
    ) -> Any:
        return layer.unrolled_by_loop(layer.project(inputs), states, lengths, reset, recurrent_mask)

    return _announced(layer, sequences, passes)


def _kept(layer: Any, step: Callable[..., Any], passes: dict[tuple[str, Any], Pass]) -> Callable[..., Any]:
    """Keeps output and states of a step, as tensors that the next step and the layers above read."""

    def call(*args: Any, **kwargs: Any) -> Any:
        results = step(*args, **kwargs)
        copies = {id(each): tf.identity(each) for each in keras.tree.flatten(results)}
        begun = [steps for (_, known), steps in passes.items() if known is layer]
        if begun and tf.executing_eagerly():
            begun[-1].append([each for each in copies.values() if each.dtype.is_floating])
        return keras.tree.map_structure(lambda each: copies[id(each)], results)

    return call
