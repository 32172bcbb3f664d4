"""Backpropagation through time, written out by hand, against automatic differentiation; and truncated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...reporting import page
from ...reporting.figures import lines
from ...reporting.page import format_number as number
from ...study import Block
from ..bptt import Parameters, gradients, tape_gradients
from ..config import Config
from ..section import Section

SYMBOLS = 4
LAG = 5  # the target is the symbol of so many steps before
ROUNDING = 1e-12  # a relative bias below it is none
RADII = (0.5, 0.9, 1.3)  # spectral radius of W: how long the network remembers


class Backpropagation(Section):
    """Hand-written gradients of all parameters and states, and what truncation leaves out of them."""

    name = "backpropagation"
    title = "Backpropagation through time, by hand and truncated"
    claim = (
        "The textbook's equations give the gradient that automatic differentiation gives. If the gradient is carried "
        "back through a few steps only, it is biased, the more the longer the network remembers; the bias ends when "
        "the truncation covers the whole sequence."
    )

    def compute(self, config: Config, folder: Path) -> dict[str, Any]:
        lengths = truncation_lengths(config.bptt_steps)
        differences: dict[str, dict[str, float]] = {}
        carried: list[list[float]] = []
        blocked: list[list[float]] = []
        for place, radius in enumerate(RADII):
            rng = np.random.default_rng([config.seed, 6, place])
            parameters = random_parameters(rng, config.bptt_units, radius)
            inputs, targets = random_sequences(rng, config.bptt_rows, config.bptt_steps)
            whole = gradients(parameters, inputs, targets)
            automatic = tape_gradients(parameters, inputs, targets)
            differences[str(radius)] = {name: relative_difference(whole[name], automatic[name]) for name in whole}
            for biases, by_blocks in ((carried, False), (blocked, True)):
                truncated = [gradients(parameters, inputs, targets, length, by_blocks) for length in lengths]
                biases.append([bias(each, whole) for each in truncated])
        return {
            "steps": config.bptt_steps,
            "units": config.bptt_units,
            "rows": config.bptt_rows,
            "radii": list(RADII),
            "lag": LAG,
            "differences": differences,
            "lengths": np.array(lengths),
            "carried": np.array(carried),
            "blocked": np.array(blocked),
        }

    def render(self, results: dict[str, Any]) -> list[Block]:
        lengths = results["lengths"]
        drawn: list[Block] = []
        for name, key in (("Each loss carried back k steps", "carried"), ("Blocks of k steps", "blocked")):
            series = {
                f"radius {radius}": [value if value > ROUNDING else None for value in values]
                for radius, values in zip(results["radii"], results[key], strict=True)
            }
            labels: dict[str, Any] = {"xlabel": "truncation length k (steps)", "ylabel": "relative bias"}
            caption = f"Below {number(ROUNDING)} there is nothing but rounding, which is not drawn."
            drawn.append(lines(lengths, series, title=name, **labels, caption=caption, log_x=True, log_y=True))
        return [
            page.prose(_equations_text(results), "By hand"),
            _difference_table(results),
            page.prose(_truncation_text(results), "Truncated"),
            *drawn,
        ]

    def metric(self, results: dict[str, Any]) -> tuple[str, float]:
        return "bptt_largest_difference", _largest_difference(results)


def _largest_difference(results: dict[str, Any]) -> float:
    return max(value for of_radius in results["differences"].values() for value in of_radius.values())


def _equations_text(results: dict[str, Any]) -> str:
    return (
        "The network is h_t = tanh(b + W h_{t-1} + U x_t), o_t = c + V h_t, with a softmax and the sum of the "
        "negative log-likelihoods as loss; its gradients are those of Goodfellow, Bengio and Courville (2016), section "
        f"10.2.2, in float64. It has {results['units']} units and reads {results['rows']} random sequences of "
        f"{results['steps']} symbols; the target is the symbol of {results['lag']} steps before. The largest "
        f"relative difference from automatic differentiation is {number(_largest_difference(results), 1)}."
    )


def _difference_table(results: dict[str, Any]) -> page.Table:
    names = list(next(iter(results["differences"].values())))
    rows = [
        [f"{float(radius):g}", *(number(of_radius[name], 2) for name in names)]
        for radius, of_radius in results["differences"].items()
    ]
    columns = ("spectral radius of W", *names)
    return page.Table(columns, rows, "Largest difference from automatic differentiation, relative to the largest entry")


def _truncation_text(results: dict[str, Any]) -> str:
    lengths, carried, blocked = (results[name] for name in ("lengths", "carried", "blocked"))
    at = int(np.argmin(np.abs(lengths - 2 * results["lag"])))
    shown = ", ".join(
        f"{number(values[at], 2)} for radius {radius:g}"
        for radius, values in zip(results["radii"], carried, strict=True)
    )
    inner = slice(1, -1)  # between one step and the whole sequence, where both are the same
    return (
        "The bias is the norm of the truncated gradient minus the whole one, over the norm of the whole one, all "
        f"parameters and sequences together. If each loss is carried back through {lengths[at]} states, it is {shown}. "
        "In blocks, as programs do it for speed, the first losses of a block see almost nothing of the past: the bias "
        f"is larger in {(blocked > carried)[:, inner].sum()} of the {carried[:, inner].size} cases in between that are "
        "drawn."
    )


def truncation_lengths(steps: int) -> list[int]:
    """Lengths from 1 to the whole sequence, about evenly spaced on a logarithmic scale."""
    return sorted({round(float(length)) for length in np.geomspace(1, steps, 14)})


def random_parameters(rng: np.random.Generator, units: int, radius: float) -> Parameters:
    """Parameters with a spectral radius of `W`."""
    W = rng.normal(size=(units, units))
    W *= radius / np.abs(np.linalg.eigvals(W)).max()
    return {
        "b": 0.1 * rng.normal(size=units),
        "c": 0.1 * rng.normal(size=SYMBOLS),
        "U": 0.5 * rng.normal(size=(units, SYMBOLS)),
        "V": rng.normal(size=(SYMBOLS, units)) / np.sqrt(units),
        "W": W,
    }


def random_sequences(rng: np.random.Generator, rows: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """One-hot inputs `(rows, steps, symbols)` and integer targets `(rows, steps)`."""
    symbols = rng.integers(SYMBOLS, size=(rows, steps + LAG))
    return np.eye(SYMBOLS)[symbols[:, LAG:]], symbols[:, :steps]


def relative_difference(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference of two arrays, relative to the largest entry of the second."""
    return float(np.abs(one - other).max() / np.abs(other).max())


def bias(truncated: Parameters, whole: Parameters) -> float:
    """`|g_k - g| / |g|` over all parameters."""
    names = ("b", "c", "U", "V", "W")
    difference = sum(((truncated[name] - whole[name]) ** 2).sum() for name in names)
    return float(np.sqrt(difference / sum((whole[name] ** 2).sum() for name in names)))
