"""The generated sequences are what the papers describe, and their baselines are what forgetting costs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqloom.pipelines.gradient_lab.tasks import ADDING, COPY, ORDER, TASKS, adding, copy_memory, temporal_order


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_shapes_and_seeds(task) -> None:
    inputs, targets = task.draw(np.random.default_rng(3), 5, 20)
    assert inputs.shape == (5, task.steps(20), task.features)
    assert inputs.dtype == np.float32
    assert len(targets) == 5
    again, _ = task.draw(np.random.default_rng(3), 5, 20)
    other, _ = task.draw(np.random.default_rng(4), 5, 20)
    assert np.array_equal(inputs, again)
    assert not np.array_equal(inputs, other)


@pytest.mark.parametrize(("draw", "length"), [(adding, 1), (copy_memory, 0), (temporal_order, 9)])
def test_a_length_that_is_too_short_is_refused(draw, length: int) -> None:
    with pytest.raises(ValueError, match="length must be at least"):
        draw(np.random.default_rng(0), 2, length)


def test_the_constant_answer_to_adding_costs_a_sixth() -> None:
    _, targets = adding(np.random.default_rng(0), 50_000, 30)
    errors = (targets - 1) ** 2
    assert abs(errors.mean() - ADDING.baseline(30)) < 4 * errors.std() / math.sqrt(len(errors))
    assert abs(targets.mean() - 1) < 0.01


def test_adding_marks_one_number_in_each_half_and_every_place() -> None:
    inputs, _ = adding(np.random.default_rng(0), 2_000, 11)
    marked = inputs[..., 1]
    assert (marked[:, :5].sum(axis=1) == 1).all()
    assert (marked[:, 5:].sum(axis=1) == 1).all()
    assert (marked.sum(axis=0) > 0).all()


@pytest.mark.parametrize("length", [1, 10, 100])
def test_the_baseline_of_copy_is_the_loss_of_blanks_and_guesses(length: int) -> None:
    _, targets = copy_memory(np.random.default_rng(0), 500, length)
    blanks = np.zeros((length + 10, 9))
    blanks[:, 8] = 1
    guesses = np.full((10, 9), 1 / 8)
    guesses[:, 8] = 0
    predicted = np.concatenate([blanks, guesses])  # the same for every row: nothing is remembered
    loss = -np.log(predicted[np.arange(length + 20), targets]).mean()
    assert loss == pytest.approx(COPY.baseline(length), rel=1e-9)


def test_copy_asks_for_what_was_shown() -> None:
    inputs, targets = copy_memory(np.random.default_rng(0), 300, 25)
    symbols = inputs.argmax(axis=-1)
    assert np.array_equal(symbols[:, :10], targets[:, -10:])
    assert (symbols == 9).sum() == 300
    assert (symbols[:, -11] == 9).all(), "the delimiter stands just before the answer"
    assert abs(np.bincount(symbols[:, :10].ravel(), minlength=8)[:8] / 3000 - 1 / 8).max() < 0.03


def test_temporal_order_has_two_symbols_that_count_at_their_places() -> None:
    inputs, targets = temporal_order(np.random.default_rng(0), 4_000, 40)
    symbols = inputs.argmax(axis=-1)
    rows, places = np.nonzero(symbols < 2)
    assert np.array_equal(rows, np.repeat(np.arange(4_000), 2))
    first, second = places[::2], places[1::2]
    assert set(first) == {4, 5, 6, 7}
    assert set(second) == {16, 17, 18, 19}
    row = np.arange(4_000)
    assert np.array_equal(2 * symbols[row, first] + symbols[row, second], targets)


def test_a_guess_at_the_order_costs_its_baseline() -> None:
    _, targets = temporal_order(np.random.default_rng(0), 20_000, 10)
    frequencies = np.bincount(targets) / len(targets)
    assert -np.log(frequencies).mean() == pytest.approx(ORDER.baseline(10), abs=1e-3)
