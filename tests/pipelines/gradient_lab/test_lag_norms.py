"""Gradients against the lag: exact where a formula is known, under their bound where one is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqloom.layers.encoder import recurrent_layer
from seqloom.layers.recurrence.simple_rnn import SimpleRNN
from seqloom.pipelines.gradient_lab.config import CELLS, Config
from seqloom.pipelines.gradient_lab.lags import largest_singular_value, norms_by_lag, stepper
from seqloom.pipelines.gradient_lab.sections.lag_norms import LagNorms

SMALL = Config(lag_cells=["simple", "leaky"], lag_length=12, lag_units=8, lag_rows=6, lag_updates=3, lag_batch=4)


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The section's results, and the folder in which it has kept what each cell gave."""
    folder = tmp_path_factory.mktemp("lag_norms")
    return LagNorms().compute(SMALL, folder), folder


def test_a_linear_unit_has_the_powers_of_its_weight() -> None:
    layer = SimpleRNN(1, activation="linear")
    layer.build((None, None, 1))
    layer.set_weights([np.array([[1.0]]), np.array([[0.5]]), np.array([0.0])])
    norms = norms_by_lag(stepper(layer, 1), np.ones((3, 9, 1)), lambda output: output[:, 0])
    assert norms.shape == (10, 3)
    assert np.allclose(norms, 0.5 ** np.arange(10)[:, None], rtol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_step_by_step_is_the_layer(cell: str) -> None:
    """Going step by step gives the output of the whole, and the gradient that a nudge of the first state shows."""
    keras.utils.set_random_seed(1)
    layer = recurrent_layer(cell, 8)
    layer.build((None, None, 2))
    inputs = np.random.default_rng(0).normal(size=(2, 7, 2))
    one, outputs = stepper(layer, 2), []
    norms = norms_by_lag(one, inputs, lambda output: outputs.append(output) or tf.reduce_sum(output, axis=-1))
    whole = layer(inputs.astype("float32"))[:, -1]
    assert np.allclose(outputs[0], whole, atol=1e-5)

    start = tuple(np.zeros((2, size)) for size in one.state_sizes)
    nudge, slopes = 1e-5, np.zeros((2, one.state_sizes[0]))
    for unit in range(one.state_sizes[0]):
        ends = []
        for sign in (1, -1):
            moved = start[0].copy()
            moved[:, unit] = sign * nudge
            ends.append(one(inputs, initial_state=(moved, *start[1:]))[0].numpy().sum(axis=-1))
        slopes[:, unit] = (ends[0] - ends[1]) / (2 * nudge)
    assert (norms[-1] >= np.linalg.norm(slopes, axis=-1) * (1 - 1e-4)).all()
    if len(one.state_sizes) == 1:
        assert np.allclose(norms[-1], np.linalg.norm(slopes, axis=-1), rtol=1e-3, atol=1e-9)


def test_the_simple_cell_stays_under_its_bound_at_every_lag(computed: tuple[dict[str, Any], Path]) -> None:
    found = computed[0]["cells"]["simple"]
    lags = np.arange(SMALL.lag_length + 1)
    for when in ("before", "after"):
        assert (np.array(found[when]) <= found[f"factor_{when}"] ** lags * (1 + 1e-9)).all()
    assert found["factor_before"] == pytest.approx(1, abs=1e-5), "an orthogonal matrix keeps lengths"
    for scale, norms in computed[0]["scaled"].items():
        assert (np.array(norms) <= float(scale) ** lags * (1 + 1e-6)).all()
        assert norms[0] == 1


def test_the_largest_singular_value_is_what_a_vector_can_grow_by() -> None:
    layer = SimpleRNN(2)
    layer.build((None, None, 1))
    layer.recurrent_kernel.assign([[0.0, 3.0], [0.5, 0.0]])
    assert largest_singular_value(layer) == pytest.approx(3)


def test_finished_cells_are_not_measured_again_and_all_is_drawn(computed: tuple[dict[str, Any], Path]) -> None:
    section, (results, folder) = LagNorms(), computed
    times = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert sorted(path.stem for path in times) == ["leaky", "simple"]
    assert section.compute(SMALL, folder) == results
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == times
    assert len(section.render(results)) > 4
    name, value = section.metric(results)
    assert name == "lag_gradient_orders_between_cells"
    assert value > 0
