"""Backpropagation through time by hand, whole and truncated, against automatic differentiation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from seqloom.pipelines.gradient_lab.bptt import Parameters, forward, gradients, tape_gradients
from seqloom.pipelines.gradient_lab.config import Config
from seqloom.pipelines.gradient_lab.sections.backpropagation import (
    Backpropagation,
    bias,
    random_parameters,
    random_sequences,
    truncation_lengths,
)

STEPS, NAMES = 6, ("b", "c", "U", "V", "W")
Example = tuple[Parameters, np.ndarray, np.ndarray]


@pytest.fixture
def example() -> Example:
    rng = np.random.default_rng(3)
    return random_parameters(rng, 5, 1.2), *random_sequences(rng, 4, STEPS)


def by_tape(example: Example, starts: list[int]) -> Parameters:
    """The gradient where the loss of step t sees the states from `starts[t]` on; the state before is a constant."""
    parameters, inputs, targets = example
    states, _ = forward(parameters, inputs)
    variables = {name: tf.Variable(parameters[name]) for name in NAMES}
    with tf.GradientTape() as tape:
        loss = tf.zeros((), tf.float64)
        for t, start in enumerate(starts):
            h = tf.constant(states[:, start - 1] if start else np.zeros_like(states[:, 0]))
            for step in range(start, t + 1):
                h = tf.tanh(
                    variables["b"] + h @ tf.transpose(variables["W"]) + inputs[:, step] @ tf.transpose(variables["U"])
                )
            logits = variables["c"] + h @ tf.transpose(variables["V"])
            loss += tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(targets[:, t], logits))
    return {name: value.numpy() for name, value in tape.gradient(loss, variables).items()}


def test_by_hand_as_by_automatic_differentiation(example: Example) -> None:
    by_hand, automatic = gradients(*example), tape_gradients(*example)
    assert by_hand.keys() == automatic.keys() == {*NAMES, "h"}
    for name, value in by_hand.items():
        assert value.dtype == np.float64
        np.testing.assert_allclose(value, automatic[name], rtol=0, atol=1e-10 * np.abs(value).max(), err_msg=name)


@pytest.mark.parametrize("name", NAMES)
def test_by_hand_as_by_differences(example: Example, name: str) -> None:
    parameters, inputs, targets = example

    def loss(change: float) -> float:
        changed = {**parameters, name: parameters[name].copy()}
        changed[name].flat[1] += change
        _, p = forward(changed, inputs)
        return -float(np.log(np.take_along_axis(p, targets[..., None], axis=-1)).sum())

    slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
    assert gradients(*example)[name].flat[1] == pytest.approx(slope, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("length", [1, 2, 4])
def test_each_loss_goes_back_through_so_many_states(example: Example, length: int) -> None:
    truncated = gradients(*example, length)
    expected = by_tape(example, [max(0, t - length + 1) for t in range(STEPS)])
    for name in NAMES:
        np.testing.assert_allclose(truncated[name], expected[name], atol=1e-12, err_msg=name)


@pytest.mark.parametrize("length", [1, 2, 4])
def test_nothing_goes_back_from_one_block_into_another(example: Example, length: int) -> None:
    truncated = gradients(*example, length, by_blocks=True)
    expected = by_tape(example, [t - t % length for t in range(STEPS)])
    for name in NAMES:
        np.testing.assert_allclose(truncated[name], expected[name], atol=1e-12, err_msg=name)


@pytest.mark.parametrize("by_blocks", [False, True])
def test_a_truncation_that_covers_the_sequence_has_no_bias(example: Example, by_blocks: bool) -> None:
    whole = gradients(*example)
    biases = [bias(gradients(*example, length, by_blocks), whole) for length in (1, STEPS - 1, STEPS, STEPS + 3)]
    assert biases[0] > 0.05
    assert biases[1] > 1e-4
    assert max(biases[2:]) < 1e-13


def test_the_section_shows_that_memory_makes_the_bias_larger(tmp_path: Path) -> None:
    config = Config(bptt_steps=24, bptt_units=8, bptt_rows=8)
    results = Backpropagation().compute(config, tmp_path)
    carried, blocked, lengths = results["carried"], results["blocked"], results["lengths"]
    assert (lengths[0], lengths[-1]) == (1, 24)
    assert (carried[:, -1] < 1e-13).all()
    assert (blocked[:, -1] < 1e-13).all()
    middle = len(lengths) // 2
    assert (np.diff(carried[:, middle]) > 0).all()  # radii in ascending order
    assert (blocked[0, 1:-1] > carried[0, 1:-1]).all()  # with a short memory blocks are always worse
    np.testing.assert_allclose(blocked[:, 0], carried[:, 0], rtol=1e-12)  # a block of one step is one state
    assert Backpropagation().metric(results)[1] < 1e-10


def test_lengths_rise_to_the_whole_sequence() -> None:
    lengths = truncation_lengths(100)
    assert lengths == sorted(set(lengths))
    assert (lengths[0], lengths[-1]) == (1, 100)


def test_random_parameters_have_their_radius() -> None:
    W = random_parameters(np.random.default_rng(0), 7, 0.9)["W"]
    assert np.abs(np.linalg.eigvals(W)).max() == pytest.approx(0.9)


def test_targets_are_the_symbols_of_some_steps_before() -> None:
    inputs, targets = random_sequences(np.random.default_rng(0), 3, 20)
    np.testing.assert_array_equal(inputs.argmax(-1)[:, :15], targets[:, 5:])
