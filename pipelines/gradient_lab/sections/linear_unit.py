"""One linear unit and one weight: the power that makes gradients vanish and explode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ...reporting import page
from ...reporting.figures import lines
from ...reporting.page import format_number as number
from ...study import Block
from ..config import Config
from ..section import Section


class LinearUnit(Section):
    """Output and gradient of `h_t = w h_{t-1} + x_t` after a one and many zeros, around `w = 1`."""

    name = "linear_unit"
    title = "One linear unit"
    claim = (
        "A linear unit that reads a 1 and then only zeros puts out a power of its weight. A weight barely below 1 "
        "forgets the input and has no gradient; a weight barely above 1 explodes, and its gradient with it."
    )

    def compute(self, config: Config, folder: Path) -> dict[str, Any]:
        weights = np.linspace(1 - config.unit_range, 1 + config.unit_range, config.unit_points)
        outputs, gradients = output_and_gradient(weights, config.unit_steps)
        power = config.unit_steps - 1
        exact = np.array([weights**power, power * weights ** (power - 1)])
        error = np.abs(np.array([outputs, gradients]) / exact - 1).max()
        return {
            "steps": config.unit_steps,
            "weights": weights,
            "outputs": outputs,
            "gradients": gradients,
            "largest_error": float(error),
            "gradient_ratio": float(gradients[-1] / gradients[0]),
        }

    def render(self, results: dict[str, Any]) -> list[Block]:
        weights, outputs, gradients = (results[name] for name in ("weights", "outputs", "gradients"))
        power = results["steps"] - 1
        figures = [
            lines(weights, {name: values}, title=name, xlabel="weight w", log_y=True, caption=caption)
            for name, values, caption in (
                (
                    f"Output, w{page.superscript(power)}",
                    outputs,
                    "The ordinate is logarithmic: the output grows by a constant factor.",
                ),
                (
                    f"Gradient, {power} w{page.superscript(power - 1)}",
                    gradients,
                    "The gradient spans about as many orders of magnitude.",
                ),
            )
        ]
        shown = np.unique(np.linspace(0, len(weights) - 1, 9).round().astype(int))
        rows = [[f"{weights[at]:.4f}", number(outputs[at]), number(gradients[at])] for at in shown]
        text = (
            f"Over {results['steps']:,} steps the gradient at w = {weights[-1]:g} is "
            f"{number(results['gradient_ratio'], 2)} times the one at w = {weights[0]:g}. No learning rate suits both. "
            f"Automatic differentiation through all steps differs from the closed forms by at most "
            f"{number(results['largest_error'], 1)} of their value."
        )
        table = page.Table(("w", "output", "gradient"), rows, "The same in numbers")
        return [page.prose(text), *figures, table]

    def metric(self, results: dict[str, Any]) -> tuple[str, float]:
        return "linear_unit_gradient_ratio", results["gradient_ratio"]


def output_and_gradient(weights: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The unit's last output and its derivative by the weight, for each weight, by running and differentiating it.

    Args:
        weights: `(n,)`.
        steps: inputs, the first of which is 1 and all others 0.
    """
    inputs = tf.constant([1.0] + [0.0] * (steps - 1), tf.float64)
    variable = tf.constant(weights, tf.float64)

    @tf.function
    def run() -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(variable)
            state = tf.zeros_like(variable)
            for step in tf.range(steps):
                state = variable * state + inputs[step]
        return state, tape.gradient(state, variable)

    outputs, gradients = run()
    return outputs.numpy(), gradients.numpy()
