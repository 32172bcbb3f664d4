"""The error surface: its gradient against differences, and descent at the cliff."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from seqloom.pipelines.gradient_lab.config import Config
from seqloom.pipelines.gradient_lab.sections.error_surface import (
    ErrorSurface,
    clip_by_norm,
    error_and_gradient,
    longest_steps,
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    return ErrorSurface().compute(Config(surface_points=31), tmp_path_factory.mktemp("surface"))


def test_the_error_is_that_of_the_network() -> None:
    x = 0.5
    for _ in range(50):
        x = 2.5 / (1 + math.exp(-x)) - 0.5
    error, _ = error_and_gradient(np.array(2.5), np.array(-0.5))
    assert float(error) == pytest.approx((1 / (1 + math.exp(-x)) - 0.7) ** 2, rel=1e-12)


@pytest.mark.parametrize(("w", "b"), [(4.7, -1.75), (3.6, -2.8), (6.0, 0.5), (4.3, -2.1)])
def test_the_gradient_is_the_slope_of_the_error(w: float, b: float) -> None:
    step = 1e-6
    _, gradient = error_and_gradient(np.array(w), np.array(b))
    ends = [(w + step, b), (w - step, b), (w, b + step), (w, b - step)]
    errors = [float(error_and_gradient(np.array(u), np.array(v))[0]) for u, v in ends]
    slopes = [(errors[0] - errors[1]) / (2 * step), (errors[2] - errors[3]) / (2 * step)]
    assert gradient.tolist() == pytest.approx(slopes, rel=1e-4, abs=1e-9)


def test_the_surface_has_a_plateau_and_a_cliff(results: dict[str, np.ndarray]) -> None:
    assert results["norms"].max() > 1000 * results["norms"].min()
    assert np.ptp(results["errors"]) > 0.3


def test_clipping_avoids_the_jump_at_the_cliff(results: dict[str, np.ndarray]) -> None:
    unclipped, by_value, by_norm = longest_steps(results["paths"])
    rate, limit = results["rate"], results["limit"]
    assert unclipped > 1
    assert by_norm <= rate * limit * (1 + 1e-12)
    assert by_value <= rate * limit * math.sqrt(2) * (1 + 1e-12)
    ends = results["paths"][:, -1, 2]
    assert ends[0] > 0.05
    assert max(ends[1:]) < 0.01
    assert (results["paths"][:, 0, :2] == results["paths"][0, 0, :2]).all()


def test_a_clipped_norm_keeps_the_direction() -> None:
    assert clip_by_norm(np.array([3.0, -4.0]), 1.0).tolist() == pytest.approx([0.6, -0.8])
    assert clip_by_norm(np.array([0.3, -0.4]), 1.0).tolist() == [0.3, -0.4]


def test_the_number_compares_the_longest_steps(results: dict[str, np.ndarray], tmp_path: Path) -> None:
    name, value = ErrorSurface().metric(results)
    unclipped, _, by_norm = longest_steps(results["paths"])
    assert (name, value) == ("cliff_step_ratio", pytest.approx(unclipped / by_norm))
    tight = ErrorSurface().compute(Config(surface_points=5, descent_clip=0.01), tmp_path)
    assert ErrorSurface().metric(tight)[1] > 2 * value
