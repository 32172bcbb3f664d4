"""Repeated sigmoids, and the gates of an LSTM."""

from __future__ import annotations

import json
import math
from pathlib import Path

import keras
import numpy as np
import pytest

from seqloom.pipelines.gradient_lab.gates import TEST_ROWS, TRAIN_ROWS, character_model, gate_values, texts
from seqloom.pipelines.gradient_lab.sections.saturation import fixed_point, repeated_sigmoid, shares


def applied(x: float, times: int) -> float:
    for _ in range(times):
        x = 1 / (1 + math.exp(-x))
    return x


def test_all_starts_end_in_the_fixed_point() -> None:
    fixed = fixed_point()
    assert fixed == pytest.approx(1 / (1 + math.exp(-fixed)), abs=1e-15)
    values, _ = repeated_sigmoid(np.array([-6.0, 0.0, 6.0]), 40)
    assert values[2].tolist() == pytest.approx([applied(x, 3) for x in (-6.0, 0.0, 6.0)])
    assert values[-1].tolist() == pytest.approx([fixed] * 3, abs=1e-14)


def test_the_derivative_is_that_of_the_composition() -> None:
    starts, step = np.array([-2.0, 0.3, 4.0]), 1e-5
    _, slopes = repeated_sigmoid(starts, 4)
    for times in (1, 2, 4):
        differences = [(applied(x + step, times) - applied(x - step, times)) / (2 * step) for x in starts]
        assert slopes[times - 1].tolist() == pytest.approx(differences, rel=1e-5)


def test_the_derivative_falls_by_the_slope_at_the_fixed_point() -> None:
    _, slopes = repeated_sigmoid(np.array([-6.0, 0.0, 6.0]), 40)
    fixed = fixed_point()
    assert (slopes[-1] / slopes[-2]).tolist() == pytest.approx([fixed * (1 - fixed)] * 3, rel=1e-9)
    assert (slopes <= 0.25 ** np.arange(1, 41)[:, None]).all()


def test_the_gates_are_those_of_the_layer() -> None:
    """Gates computed from the weights give the layer's own last output."""
    inputs = np.random.default_rng(0).normal(size=(3, 7, 5)).astype("float32")
    layer = keras.layers.LSTM(4, bias_initializer="random_normal")
    expected = np.asarray(layer(inputs))
    values, last = gate_values([np.asarray(weight) for weight in layer.get_weights()], inputs)
    assert values.shape == (3, 3, 7, 4)
    np.testing.assert_allclose(last, expected, atol=1e-6)


def test_each_gate_follows_its_own_bias() -> None:
    layer = keras.layers.LSTM(1, kernel_initializer="zeros", recurrent_initializer="zeros")
    layer.build((None, None, 2))
    layer.cell.bias.assign([-5.0, 5.0, 0.0, 0.0])
    values, _ = gate_values([np.asarray(weight) for weight in layer.get_weights()], np.zeros((1, 3, 2)))
    assert shares(values < 0.1)[:, 0].tolist() == [1, 0, 0]
    assert shares(values > 0.9)[:, 0].tolist() == [0, 1, 0]


def test_targets_are_the_next_characters() -> None:
    train, test = texts(seed=1, length=8)
    assert len(train.targets) == TRAIN_ROWS
    assert len(test.targets) == TEST_ROWS
    for text in (train, test):
        np.testing.assert_array_equal(text.inputs.argmax(-1)[:, 1:], text.targets[:, :-1])
    assert (texts(seed=2, length=8)[0].targets != train.targets).any()
    assert character_model(4, train.inputs.shape[-1]).output_shape == (None, None, train.inputs.shape[-1])


def test_training_learns_and_moves_the_gates(lab_run: Path) -> None:
    folder = lab_run / "sections" / "saturation"
    values = json.loads((folder / "results.json").read_text(encoding="utf-8"))["values"]
    assert values["bits"] < values["bits_before"] - 0.5
    with np.load(folder / "arrays.npz") as arrays:
        for name in ("low", "high", "low_before", "high_before"):
            assert arrays[name].shape == (3, 8)
            assert ((arrays[name] >= 0) & (arrays[name] <= 1)).all()
        assert (arrays["low"] + arrays["high"] <= 1).all()
        assert (arrays["high"] != arrays["high_before"]).any()
