"""Depth: gradients at the lowest layer, with and without shortcuts."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from seqloom.pipelines.gradient_lab.config import Config
from seqloom.pipelines.gradient_lab.sections.depth import CONNECTIONS, Depth, gradient_norms, stack
from seqloom.pipelines.gradient_lab.tasks import ORDER

SMALL = Config(depth_layers=[1, 2], depth_units=4, depth_length=10, depth_updates=2, depth_batch=4)


def gradients(name: str, layers: int, config: Config = SMALL) -> tuple[float, float]:
    keras.utils.set_random_seed(0)
    return gradient_norms(stack(config, name, layers), config)


def test_a_single_layer_is_both_the_lowest_and_the_highest() -> None:
    lowest, highest = gradients("plain", 1)
    assert lowest == highest > 0


def test_shortcuts_carry_the_gradient_to_the_lowest_layer() -> None:
    plain, residual = (gradients(name, 10) for name in ("plain", "residual"))
    assert plain[0] < 0.05 * plain[1], "it vanishes on its way down"
    assert residual[0] > 20 * plain[0]


@pytest.mark.parametrize("name", CONNECTIONS)
def test_a_stack_reads_every_step(name: str) -> None:
    model = stack(SMALL, name, 2)
    inputs, _ = ORDER.draw(np.random.default_rng(0), 3, 10)
    other = inputs.copy()
    other[:, 0] = inputs[:, 0, ::-1]
    assert model(inputs).shape == (3, 4)
    assert np.abs(model(inputs) - model(other)).max() > 0


def test_all_stacks_are_measured_kept_and_drawn(tmp_path) -> None:
    section = Depth()
    one = SMALL.model_copy(update={"depth_encoder": "simple", "depth_layers": [1]})
    results = section.compute(one, tmp_path)
    times = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(times) == len(CONNECTIONS)
    assert section.compute(one, tmp_path) == results
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times
    assert len(section.render(results)) == 4
    name, value = section.metric(results)
    assert name == "depth_gradient_residual_to_plain"
    assert value > 0
