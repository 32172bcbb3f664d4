"""Saturation: a sigmoid applied to its own output, and the gates of a trained LSTM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...reporting import page
from ...reporting.figures import lines
from ...reporting.page import format_number as number
from ...reporting.planes import points
from ...study import Block
from ..config import Config
from ..gates import GATES, trained_gates
from ..section import Section

LOW, HIGH = 0.1, 0.9  # below and above a gate counts as saturated, as in Karpathy et al. (2015)
STARTS = np.linspace(-6, 6, 121)
SHOWN_STEPS = 10  # applications after which the text says how near all results are
DEPTHS = (1, 2, 3, 5)  # compositions that are drawn as functions


class Saturation(Section):
    """The fixed point of the sigmoid, the derivative of its powers, and how often an LSTM's gates are shut or open."""

    name = "saturation"
    title = "Saturation"
    claim = (
        "A sigmoid applied again and again forgets where it began: all starts end in one fixed point, and the "
        "derivative by the start vanishes. In an LSTM saturation is of use: training drives gates to be shut or wide "
        "open much of the time, and a forget gate that is wide open carries a gradient on almost unweakened."
    )

    def compute(self, config: Config, folder: Path) -> dict[str, Any]:
        values, slopes = repeated_sigmoid(STARTS, config.sigmoid_steps)
        fixed = fixed_point()
        before, after = trained_gates(
            config.seed, config.gate_units, config.gate_length, config.gate_updates, config.gate_batch
        )
        return {
            "starts": STARTS,
            "values": values,
            "slopes": slopes,
            "fixed_point": fixed,
            "fixed_slope": fixed * (1 - fixed),
            "low_before": shares(before.values < LOW),
            "high_before": shares(before.values > HIGH),
            "low": shares(after.values < LOW),
            "high": shares(after.values > HIGH),
            "bits_before": before.bits,
            "bits": after.bits,
            "length": config.gate_length,
            "updates": config.gate_updates,
        }

    def render(self, results: dict[str, Any]) -> list[Block]:
        return [
            page.prose(_sigmoid_text(results), "A sigmoid of a sigmoid of a sigmoid"),
            *_sigmoid_figures(results),
            page.prose(_gate_text(results), "The gates of a trained LSTM"),
            _gate_figure(results, "_before", "Before training"),
            _gate_figure(results, "", "After training"),
            _gate_table(results),
        ]

    def metric(self, results: dict[str, Any]) -> tuple[str, float]:
        gate = GATES.index("forget")
        return "forget_gate_saturated_share", float((results["low"] + results["high"])[gate].mean())


def repeated_sigmoid(starts: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The sigmoid applied 1, 2, ... `steps` times, `(steps, starts)`, and the derivative of each by its start.

    By the chain rule the derivative is the product of s(x) (1 - s(x)) over the applications.
    """
    x, slope = np.asarray(starts, dtype=float), np.ones(len(starts))
    values, slopes = [], []
    for _ in range(steps):
        x = 1 / (1 + np.exp(-x))
        slope = slope * x * (1 - x)
        values.append(x)
        slopes.append(slope)
    return np.array(values), np.array(slopes)


def fixed_point() -> float:
    """Where the sigmoid gives back what it is given."""
    x = 0.5
    for _ in range(100):  # each application brings it nearer by a factor of more than 4
        x = float(1 / (1 + np.exp(-x)))
    return x


def shares(saturated: np.ndarray) -> np.ndarray:
    """How often each unit of each gate is saturated, `(gates, units)`."""
    return saturated.mean(axis=(1, 2))


def _sigmoid_text(results: dict[str, Any]) -> str:
    starts, values, slopes = (results[name] for name in ("starts", "values", "slopes"))
    shown = min(SHOWN_STEPS, len(values))
    spread = np.ptp(values[shown - 1])
    return (
        f"The fixed point is {results['fixed_point']:.6f}. There the derivative is {results['fixed_slope']:.4f}: each "
        f"further application multiplies the gradient by that. Nowhere is it above 1/4. After {shown} applications the "
        f"starts from {number(starts[0])} to {number(starts[-1])} have come within {number(spread, 2)} "
        f"of each other; after {len(values)} the largest derivative by the start is {number(slopes[-1].max(), 2)}."
    )


def _sigmoid_figures(results: dict[str, Any]) -> list[Block]:
    starts, values, slopes = (results[name] for name in ("starts", "values", "slopes"))
    functions = {f"{n} times" if n > 1 else "once": values[n - 1] for n in DEPTHS if n <= len(values)}
    times = np.arange(1, len(slopes) + 1)
    middle, end = len(starts) // 2, len(starts) - 1
    decay = {
        "bound, 1/4 each time": 0.25**times,
        f"start {starts[middle]:g}": slopes[:, middle],
        f"start {starts[end]:g}": slopes[:, end],
    }
    return [
        lines(starts, functions, title="The sigmoid, applied n times", xlabel="start", ylabel="result"),
        lines(
            times,
            decay,
            title="Derivative by the start",
            xlabel="applications of the sigmoid",
            ylabel="derivative",
            log_y=True,
        ),
    ]


def _gate_text(results: dict[str, Any]) -> str:
    forget = GATES.index("forget")
    open_units = int((results["high"][forget] > 0.5).sum())
    return (
        f"An LSTM with {results['low'].shape[1]} units learns to predict the next character of generated travel "
        f"requests. In {results['updates']:,} updates it comes from {results['bits_before']:.2f} bits a character to "
        f"{results['bits']:.2f} on new text. Each point is one unit: how often its gate is shut (below {LOW:g}) and "
        f"how often it is wide open (above {HIGH:g}) on new text, as in Karpathy, Johnson and Fei-Fei (2015). On the "
        f"dotted line a gate is never in between.\n\nAfter training the forget gate is wide open in "
        f"{100 * results['high'][forget].mean():.0f} % of all steps and units and shut in "
        f"{100 * results['low'][forget].mean():.0f} %; in {open_units} units it is wide open in more than half of the "
        "steps."
    )


def _gate_figure(results: dict[str, Any], when: str, title: str) -> page.Figure:
    low, high = results[f"low{when}"], results[f"high{when}"]
    series = {gate: (low[place], high[place]) for place, gate in enumerate(GATES)}
    return points(
        series, title=title, xlabel="shut (% of steps)", ylabel="wide open (% of steps)", percent=True, limit=1.0
    )


def _gate_table(results: dict[str, Any]) -> page.Table:
    rows: list[list[page.Cell]] = []
    for place, gate in enumerate(GATES):
        shown = [results[name][place].mean() for name in ("low_before", "high_before", "low", "high")]
        rows.append([gate, *(f"{100 * share:.1f}" for share in shown)])
    columns = ("gate", "shut before (%)", "wide open before (%)", "shut (%)", "wide open (%)")
    return page.Table(columns, rows, "Share of steps and units in which a gate is saturated, before and after training")
