"""The chaotic series, and a reservoir that continues it."""

from __future__ import annotations

import numpy as np
import pytest

from seqloom.pipelines.gradient_lab.config import Config
from seqloom.pipelines.gradient_lab.mackey_glass import mackey_glass
from seqloom.pipelines.gradient_lab.sections.reservoir import Reservoir, errors_at_horizon, fit, nrmse

SMALL = Config(
    reservoir_sizes=[20, 100], reservoir_radii=[0.8], reservoir_seeds=2, reservoir_steps=500, reservoir_trials=5
)


@pytest.fixture(scope="module")
def series() -> np.ndarray:
    """Two pieces of the series, as a reservoir reads them."""
    return np.tanh([mackey_glass(700, seed) - 1 for seed in (0, 1)])


def test_the_series_has_its_known_range_and_time() -> None:
    values = mackey_glass(3000, seed=0)
    assert 0.38 < values.min() < 0.5
    assert 1.25 < values.max() < 1.4
    assert 0.2 < values.std() < 0.25
    power = np.abs(np.fft.rfft(values - values.mean())) ** 2
    assert 45 < 3000 / power.argmax() < 55, "it swings about once in fifty steps"


def test_the_series_is_a_function_of_its_seed_and_chaotic() -> None:
    assert np.array_equal(mackey_glass(300, seed=3), mackey_glass(300, seed=3))
    one, other = mackey_glass(2000, seed=3), mackey_glass(2000, seed=4)
    assert np.abs(one - other)[-500:].max() > 0.3, "what begins differently does not meet again"


def test_the_series_solves_its_equation() -> None:
    """Sampled values meet the equation in its integral form, by Simpson's rule over each two samples."""
    x = mackey_glass(400, seed=0)
    slope = 0.2 * x[:-17] / (1 + x[:-17] ** 10) - 0.1 * x[17:]
    integral = (slope[:-2] + 4 * slope[1:-1] + slope[2:]) / 3
    assert np.abs(x[19:] - x[17:-2] - integral).max() < 2e-3


def test_a_larger_reservoir_errs_less(tmp_path) -> None:
    section = Reservoir()
    results = section.compute(SMALL, tmp_path)
    for name in ("one_step", "horizon"):
        errors = np.median(results[name], axis=2)[:, 0]
        assert errors[1] < errors[0]
    assert results["one_step"][1].max() < 0.01
    assert section.metric(results) == ("reservoir_best_nrmse_84", results["horizon"].min())
    assert len(section.render(results)) == 5


def test_a_continuation_begins_with_the_one_step_prediction(series: np.ndarray) -> None:
    fitted = fit(series, 50, 0.8, seed=0)
    starts = np.array([200, 300])
    predicted = fitted.states[starts] @ fitted.kernel + fitted.bias
    assert np.allclose(fitted.continued(starts, 3)[:, :1], predicted)
    assert errors_at_horizon(fitted, series[1], 5) > fitted.one_step


def test_the_error_is_one_for_the_mean() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    assert nrmse(np.full(1000, values.mean()), values, values) == pytest.approx(1)
