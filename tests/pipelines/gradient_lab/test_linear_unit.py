"""The linear unit against exact powers."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from seqloom.pipelines.gradient_lab.config import Config
from seqloom.pipelines.gradient_lab.sections.linear_unit import LinearUnit, output_and_gradient


@pytest.mark.parametrize("steps", [2, 3, 1000])
def test_output_and_gradient_are_the_powers(steps: int) -> None:
    weights = [Fraction(99, 100), Fraction(1), Fraction(101, 100)]
    outputs, gradients = output_and_gradient(np.array(weights, dtype=float), steps)
    exact = [float(w ** (steps - 1)) for w in weights]
    assert outputs.tolist() == pytest.approx(exact, rel=1e-11)
    assert gradients.tolist() == pytest.approx([float((steps - 1) * w ** (steps - 2)) for w in weights], rel=1e-11)


def test_the_number_is_the_ratio_of_the_gradients_at_the_ends(tmp_path: Path) -> None:
    results = LinearUnit().compute(Config(unit_steps=1000, unit_points=5), tmp_path)
    assert results["weights"].tolist() == pytest.approx([0.99, 0.995, 1.0, 1.005, 1.01])
    name, value = LinearUnit().metric(results)
    assert name == "linear_unit_gradient_ratio"
    assert value == pytest.approx(float(Fraction(101, 99) ** 998), rel=1e-10)
    assert results["largest_error"] < 1e-11
