"""A reservoir that is never trained predicts a chaotic series through a readout in closed form."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ....layers.recurrence.echo_state import EchoState, fit_readout
from ...reporting import page
from ...reporting.figures import lines
from ...study import Block
from ..config import Config
from ..mackey_glass import DELAY, STEP, mackey_glass
from ..section import Section

_log = logging.getLogger(__name__)
HORIZON = 84  # steps, of the error as it is published
_SHOWN = 400  # steps of the continuation that is drawn
_WASHOUT = 100  # steps in which a reservoir forgets that its state began at zero
_REGULARIZATION = 1e-9
_BIAS = 0.2  # scale of the reservoir's bias


class Reservoir(Section):
    """An echo state network on the Mackey-Glass series, against spectral radius and size."""

    name = "reservoir"
    title = "A reservoir instead of training"
    claim = (
        "Where gradients through time are the problem, one can do without them: a fixed random network with a readout "
        "fitted in closed form continues a chaotic series. At the best spectral radius of each size, the error falls "
        "with the size."
    )

    def compute(self, config: Config, folder: Path) -> dict[str, Any]:
        total = _WASHOUT + config.reservoir_steps + 1
        series = np.tanh([mackey_glass(total, 2 * config.seed + row) - 1 for row in range(2)])
        shown = min(_SHOWN, config.reservoir_steps)
        shape = (len(config.reservoir_sizes), len(config.reservoir_radii), config.reservoir_seeds)
        one_step, horizon = np.zeros(shape), np.zeros(shape)
        best = np.inf
        continued: Any = np.zeros(shown)
        for at in np.ndindex(shape):
            size, radius = config.reservoir_sizes[at[0]], config.reservoir_radii[at[1]]
            fitted = fit(series, size, radius, config.seed + at[2])
            one_step[at], horizon[at] = fitted.one_step, errors_at_horizon(fitted, series[1], config.reservoir_trials)
            if horizon[at] < best:
                best, continued = float(horizon[at]), fitted.continued(np.array([_WASHOUT]), shown)[0]
            if at[2] == shape[2] - 1:
                _log.info("reservoir of %d units, radius %.2f: error %.2g", size, radius, np.median(horizon[at[:2]]))
        return {
            "sizes": config.reservoir_sizes,
            "radii": config.reservoir_radii,
            "one_step": one_step,
            "horizon": horizon,
            "continued": continued,
            "truth": series[1][_WASHOUT + 1 : _WASHOUT + 1 + shown],
            "best": float(best),
            "fitted": config.reservoir_steps,
            "trials": config.reservoir_trials,
        }

    def render(self, results: dict[str, Any]) -> list[Block]:
        return [page.prose(_text(results)), *_error_figures(results), _continuation(results), _table(results)]

    def metric(self, results: dict[str, Any]) -> tuple[str, float]:
        return "reservoir_best_nrmse_84", results["best"]


@dataclass(frozen=True)
class Fitted:
    """A reservoir with its readout.

    Attributes:
        layer: the reservoir.
        states: float64 `(time, units)`, after each step of the test series.
        kernel: of the readout, `(units, 1)`.
        bias: of the readout, `(1,)`.
        one_step: error of the next value on the test series, by its standard deviation.
    """

    layer: EchoState
    states: np.ndarray
    kernel: np.ndarray
    bias: np.ndarray
    one_step: float

    def continued(self, starts: np.ndarray, steps: int) -> np.ndarray:
        """Goes on after each start by reading its own predictions, `(starts, steps)`."""
        states: tuple[tf.Tensor, ...] = (tf.constant(self.states[starts]),)
        values = []
        for _ in range(steps):
            values.append(np.clip(states[0].numpy() @ self.kernel + self.bias, -1, 1))  # within the range of tanh
            _, states = self.layer.step(self.layer.project(values[-1]), states)
        return np.concatenate(values, axis=1)


def fit(series: np.ndarray, units: int, radius: float, seed: int) -> Fitted:
    """Runs a reservoir over two series; the readout is fitted on the first and tested on the second.

    Args:
        series: float64 `(2, time)`.
        units: of the reservoir.
        radius: its spectral radius.
        seed: of the reservoir.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="spectral_radius")  # to go beyond 1 is the experiment
        layer = EchoState(
            units, spectral_radius=radius, bias_scaling=_BIAS, seed=seed, return_sequences=True, dtype="float64"
        )
    layer.build((None, None, 1))
    states = tf.function(layer)(tf.constant(series[..., None])).numpy()  # (2, time, units)
    inside, following = states[:, _WASHOUT:-1], series[:, _WASHOUT + 1 :, None]
    kernel, bias = fit_readout(inside[0], following[0], _REGULARIZATION)
    return Fitted(layer, states[1], kernel, bias, nrmse(inside[1] @ kernel + bias, following[1], series[1]))


def errors_at_horizon(fitted: Fitted, series: np.ndarray, trials: int) -> float:
    """The error after `HORIZON` steps of continuation, over starts spread evenly over the test series."""
    starts = np.linspace(_WASHOUT, len(series) - HORIZON - 1, trials).astype(int)
    return nrmse(fitted.continued(starts, HORIZON)[:, -1], series[starts + HORIZON], series)


def nrmse(predicted: np.ndarray, truth: np.ndarray, series: np.ndarray) -> float:
    """The root of the mean squared error, by the standard deviation of the series: 1 is to answer with its mean."""
    return float(np.sqrt(np.mean((predicted - truth) ** 2)) / np.std(series))


def _text(results: dict[str, Any]) -> str:
    medians = np.median(results["horizon"], axis=2)  # (sizes, radii)
    radii = [results["radii"][at] for at in medians.argmin(axis=1)]
    best = ", ".join(f"{radius:g} for {size}" for size, radius in zip(results["sizes"], radii, strict=True))
    return (
        f"The Mackey-Glass equation with a delay of {DELAY:g} is integrated by the Runge-Kutta method with a step of "
        f"{STEP:g} and sampled at each unit of time; the reservoir reads tanh(x - 1). The readout is fitted by ridge "
        f"regression on {results['fitted']:,} steps of one series, to answer with the next value, and tested on "
        f"another. Left alone it reads its own answers; the error after {HORIZON} such steps is taken from "
        f"{results['trials']} starts and divided by the standard deviation of the series, so that 1 is to answer with "
        f"the mean.\n\nThe best error here is {results['best']:.1e}. The best spectral radius is {best} units. "
        f"Lines are medians over {results['horizon'].shape[2]} reservoirs."
    )


def _error_figures(results: dict[str, Any]) -> list[Block]:
    titles = {"one_step": "Error of the next step", "horizon": f"Error after {HORIZON} steps on its own"}
    found: list[Block] = []
    for name, title in titles.items():
        medians = np.median(results[name], axis=2)
        series = {f"{size} units": row for size, row in zip(results["sizes"], medians, strict=True)}
        found.append(lines(results["radii"], series, title=title, xlabel="spectral radius", ylabel="NRMSE", log_y=True))
    return found


def _continuation(results: dict[str, Any]) -> page.Figure:
    series = {"Mackey-Glass": results["truth"], "reservoir on its own": results["continued"]}
    return lines(
        list(range(1, len(results["truth"]) + 1)),
        series,
        title="The best reservoir, left alone",
        xlabel="steps since it last saw the series",
        ylabel="tanh(x - 1)",
        width=9.0,
    )


def _table(results: dict[str, Any]) -> page.Table:
    medians = np.median(results["horizon"], axis=2)
    rows = [[size, *(f"{value:.2g}" for value in row)] for size, row in zip(results["sizes"], medians, strict=True)]
    columns = ("units", *(f"radius {radius:g}" for radius in results["radii"]))
    return page.Table(columns, rows, f"Error after {HORIZON} steps, median over the reservoirs")
