"""How much of a gradient is left after so many steps back, for every cell, before and after training."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ....layers.recurrence.simple_rnn import SimpleRNN
from ...reporting import page
from ...reporting.figures import lines
from ...run_directory import read_json, write_json
from ...study import Block
from ..cells import groups
from ..config import Config
from ..lags import largest_singular_value, norms_by_lag, stepper
from ..section import Section
from ..tasks import ADDING
from ..training import Schedule, sequence_model, train

_log = logging.getLogger(__name__)
_NUMBER = 4  # of the section, for its random numbers
_SCALES = (0.8, 0.95, 1.05, 1.3)  # largest singular values that the simple cell is given
_BOUND = "bound of simple"


class LagNorms(Section):
    """Norms of the gradient by the lag, relative to the norm at the last output."""

    name = "lag_norms"
    title = "Gradient against the lag"
    claim = (
        "Going back in time, the gradient of a simple recurrent network shrinks or grows by a factor at each step, and "
        "never by more than the largest singular value of its recurrent matrix. Slow units, and gates once they are "
        "trained, can bring that factor near 1."
    )

    def compute(self, config: Config, folder: Path) -> dict[str, Any]:
        cells = {}
        for cell in config.lag_cells:
            kept = folder / f"{cell}.json"
            if not kept.is_file():
                write_json(kept, measured(config, cell))
            cells[cell] = read_json(kept)
            _log.info("gradient against the lag, %s: %.1g at lag %d", cell, cells[cell]["after"][-1], config.lag_length)
        return {
            "cells": cells,
            "scaled": scaled(config),
            "length": config.lag_length,
            "units": config.lag_units,
            "updates": config.lag_updates,
            "rows": config.lag_rows,
            "baseline": ADDING.baseline(config.lag_length),
        }

    def render(self, results: dict[str, Any]) -> list[Block]:
        return [
            page.prose(_scaled_text(results), "The simple cell under its bound"),
            *_scaled_figures(results),
            page.prose(_cells_text(results), "All cells, before and after training"),
            *_cell_figures(results),
            _table(results),
        ]

    def metric(self, results: dict[str, Any]) -> tuple[str, float]:
        last = [max(each["after"][-1], 1e-300) for each in results["cells"].values()]
        return "lag_gradient_orders_between_cells", math.log10(max(last) / min(last))


def measured(config: Config, cell: str) -> dict[str, Any]:
    """One cell: the relative norms by lag before and after training, and what bounds them if it is the simple one."""
    keras.utils.set_random_seed(config.seed)
    model = sequence_model(cell, config.lag_units, ADDING, config.lag_length)
    before = _relative_norms(model, config)
    schedule = Schedule(config.lag_updates, config.lag_batch, config.lag_rate)
    history = train(model, ADDING, config.lag_length, schedule, config.seed)
    after = _relative_norms(model, config)
    return {
        "before": before[0].tolist(),
        "after": after[0].tolist(),
        "factor_before": before[1],
        "factor_after": after[1],
        "loss": history["loss"][-1],
    }


def scaled(config: Config) -> dict[str, list[float]]:
    """The simple cell, untrained, with its recurrent matrix scaled to several largest singular values."""
    keras.utils.set_random_seed(config.seed)
    model = sequence_model("simple", config.lag_units, ADDING, config.lag_length)
    layer = model.get_layer("recurrence")
    orthogonal = layer.recurrent_kernel.numpy() / largest_singular_value(layer)
    found = {}
    for scale in _SCALES:
        layer.recurrent_kernel.assign(scale * orthogonal)
        found[str(scale)] = _relative_norms(model, config)[0].tolist()
    return found


def _relative_norms(model: keras.Model, config: Config) -> tuple[np.ndarray, float | None]:
    """The mean norm at each lag by the one at lag 0, and the largest singular value for a simple cell."""
    layer, readout = model.get_layer("recurrence"), model.get_layer("readout")
    random = np.random.default_rng([config.seed, _NUMBER])
    inputs, targets = ADDING.draw(random, config.lag_rows, config.lag_length)
    kernel, bias = (tf.constant(weights, tf.float64) for weights in readout.get_weights())
    one = stepper(layer, ADDING.features)
    norms = norms_by_lag(one, inputs, lambda output: (output @ kernel + bias - targets)[:, 0] ** 2).mean(axis=1)
    factor = largest_singular_value(one) if isinstance(layer, SimpleRNN) else None
    return norms / norms[0], factor


def _scaled_text(results: dict[str, Any]) -> str:
    longest = results["length"]
    ends = ", ".join(f"{values[-1]:.1g} for {scale}" for scale, values in results["scaled"].items())
    return (
        f"An untrained simple cell with {results['units']} units reads {longest} steps of the adding problem. Its "
        "recurrent matrix is scaled so that its largest singular value is what the legend says. The bound is that "
        f"value to the power of the lag, since the slope of tanh is at most 1 (Pascanu et al., 2013). At lag {longest} "
        f"this is left of the gradient: {ends}. A value below 1 is enough for the gradient to vanish; one above 1 is "
        "needed for it to explode, but not enough, since tanh is flatter wherever it is driven."
    )


def _scaled_figures(results: dict[str, Any]) -> list[Block]:
    lags = list(range(results["length"] + 1))
    bounds = {scale: [float(scale) ** lag for lag in lags] for scale in results["scaled"]}
    return [
        lines(lags, series, title=title, xlabel="lag (steps)", ylabel="norm, relative to lag 0", log_y=True)
        for title, series in (("Measured", results["scaled"]), ("Bound", bounds))
    ]


def _cells_text(results: dict[str, Any]) -> str:
    text = (
        f"Each cell has {results['units']} units and is trained for {results['updates']:,} updates on the adding "
        f"problem over {results['length']} steps. The norm is that of the gradient of the loss at the last step with "
        "respect to all that the cell carries from one step to the next, relative to the gradient at its last output; "
        f"it is the mean over {results['rows']} sequences."
    )
    simple = results["cells"].get("simple")
    if simple:
        text += (
            f" Training changes the largest singular value of the simple cell from {simple['factor_before']:.2f} to "
            f"{simple['factor_after']:.2f}, and its bound with it."
        )
    return text


def _cell_figures(results: dict[str, Any]) -> list[Block]:
    lags = list(range(results["length"] + 1))
    cells = results["cells"]
    figures: list[Block] = []
    labels: dict[str, Any] = {"xlabel": "lag (steps)", "ylabel": "norm, relative to lag 0"}
    for group, names in groups(list(cells)):
        for when in ("before", "after"):
            series = {page.readable_name(cell): cells[cell][when] for cell in names}
            if "simple" in names:  # the only one with a bound that is a number
                series[_BOUND] = [cells["simple"][f"factor_{when}"] ** lag for lag in lags]
            title = f"Cells {group}, {when} training"
            figures.append(lines(lags, series, title=title, log_y=True, **labels))
    return figures


def _table(results: dict[str, Any]) -> page.Table:
    middle = results["length"] // 2
    rows: list[list[page.Cell]] = []
    for cell, each in results["cells"].items():
        shown = [f"{each[when][lag]:.1e}" for when in ("before", "after") for lag in (middle, -1)]
        rows.append([page.readable_name(cell), *shown, each["loss"] / results["baseline"]])
    lags = [f"lag {lag}, {when}" for when in ("before", "after") for lag in (middle, results["length"])]
    caption = (
        "What is left of the gradient, and the squared error after training as a share of what it is without memory"
    )
    return page.Table(("cell", *lags, "error by baseline"), rows, caption)
