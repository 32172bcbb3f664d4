"""Recurrent layers against their equations, step by step in NumPy."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(3, 7, 4))
LENGTHS = np.array([7, 4, 6], "int32")
RESET = np.zeros((3, 7), bool)
RESET[0, [2, 5]] = RESET[1, 0] = RESET[2, 3] = True

Step = Callable[..., tuple]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def made(layer: keras.layers.Layer, features: int = 4) -> keras.layers.Layer:
    """The layer, built, with random trainable weights."""
    layer.build((None, None, features))
    rng = np.random.default_rng(1)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return layer


def run(step: Step, inputs: np.ndarray, states: list, lengths: np.ndarray, reset: np.ndarray) -> tuple:
    """Runs `step(x, *states) -> (output, *states)` over each row; returns outputs and the last states."""
    outputs, last = [], []
    for x, length, resets, *state in zip(inputs, lengths, reset, *states, strict=True):
        row = []
        for t in range(length):
            state = [np.zeros_like(each) for each in state] if resets[t] else state
            output, *state = step(x[t], *state)
            row.append(output)
        outputs.append(np.pad(row, ((0, inputs.shape[1] - length), (0, 0))))
        last.append(state)
    return np.array(outputs), [np.array(each) for each in zip(*last, strict=True)]


def check_equations(
    make: Callable[..., keras.layers.Layer],
    equations: Callable[[keras.layers.Layer], Step],
    draw_state: Callable[[np.random.Generator, int, int], np.ndarray] | None = None,
) -> None:
    """In float64 the layer is its equations: from zeros, from given states, over lengths and with resets."""
    layer = made(make(return_sequences=True, return_state=True, dtype="float64"))
    step = equations(layer)
    zeros = [np.zeros((3, size)) for size in layer.state_sizes]
    given = [RNG.normal(size=state.shape) for state in zeros]
    if draw_state is not None:
        given = [draw_state(RNG, i, size) for i, size in enumerate(layer.state_sizes)]
    all_steps, never = np.full(3, 7), np.zeros_like(RESET)
    for states, lengths, reset in (
        (None, None, None),
        (None, LENGTHS, None),
        (given, LENGTHS, None),
        (given, None, RESET),
        (given, LENGTHS, RESET),
    ):
        initial = None if states is None else tuple(map(tf.constant, states))
        outputs, *last = layer(INPUTS, lengths=lengths, initial_state=initial, reset=reset)
        expected, expected_last = run(
            step,
            INPUTS,
            zeros if states is None else states,
            all_steps if lengths is None else lengths,
            never if reset is None else reset,
        )
        np.testing.assert_allclose(outputs, expected, atol=1e-12)
        for actual, state in zip(last, expected_last, strict=True):
            np.testing.assert_allclose(actual, state, atol=1e-12)


def gradient_norms(layer: keras.layers.Layer, inputs: np.ndarray) -> np.ndarray:
    """Norm of the gradient of the last output, summed, with respect to the inputs of each step."""
    inputs = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(layer(inputs)[:, -1])
    return np.linalg.norm(tape.gradient(loss, inputs), axis=(0, 2))
