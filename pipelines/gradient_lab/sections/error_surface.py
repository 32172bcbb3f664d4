"""The error surface of a recurrent network with one unit, and gradient descent at its cliff."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ...reporting import page
from ...reporting.figures import lines
from ...reporting.page import format_number as number
from ...reporting.planes import surface
from ...study import Block
from ..config import Config
from ..section import Section

# The network of Pascanu et al. (2013), figure 6: state 0.5 at first, and 0.7 wanted after 50 steps.
STEPS, FIRST_STATE, TARGET = 50, 0.5, 0.7
# Where both parameters are drawn, and where descent starts: above the cliff.
W, B = (3.5, 6.5), (-3.0, 1.0)
NEAR_W, NEAR_B = (4.15, 4.85), (-2.3, -1.6)  # where the paths meet the cliff
START = np.array([4.7, -1.75])

Clip = Callable[[np.ndarray], np.ndarray]


class ErrorSurface(Section):
    """Plateau and cliff, and the paths of descent without clipping and with it."""

    name = "error_surface"
    title = "A cliff in the error surface"
    claim = (
        "The error of a recurrent network with one unit has plateaus with a cliff between them. Where descent meets "
        "the cliff, one gradient throws it far away; with a clipped gradient it stays near and goes on."
    )

    def compute(self, config: Config, folder: Path) -> dict[str, Any]:
        w, b = (np.linspace(*ends, config.surface_points) for ends in (W, B))
        errors, gradients = error_and_gradient(*np.meshgrid(w, b))
        near_w, near_b = (np.linspace(*ends, config.surface_points) for ends in (NEAR_W, NEAR_B))
        limit = config.descent_clip
        clips: dict[str, Clip] = {
            "no clipping": lambda gradient: gradient,
            "by value": lambda gradient: np.clip(gradient, -limit, limit),
            "by norm": lambda gradient: clip_by_norm(gradient, limit),
        }
        paths = [descend(START, clip, config.descent_rate, config.descent_updates) for clip in clips.values()]
        return {
            "w": w,
            "b": b,
            "errors": errors,
            "norms": np.linalg.norm(gradients, axis=0),
            "near_w": near_w,
            "near_b": near_b,
            "near_errors": error_and_gradient(*np.meshgrid(near_w, near_b))[0],
            "paths": np.array(paths),
            "names": list(clips),
            "rate": config.descent_rate,
            "limit": limit,
        }

    def render(self, results: dict[str, Any]) -> list[Block]:
        return [page.prose(_text(results)), *_planes(results), *_curves(results), _table(results)]

    def metric(self, results: dict[str, Any]) -> tuple[str, float]:
        jumps = longest_steps(results["paths"])
        return "cliff_step_ratio", float(jumps[0] / jumps[-1])


def _text(results: dict[str, Any]) -> str:
    jumps = longest_steps(results["paths"])
    return (
        f"The state follows x_t = w s(x_{{t-1}}) + b with the sigmoid s, from {FIRST_STATE} for {STEPS} steps; the "
        f"error is (s(x) - {TARGET})² of the last state (Pascanu, Mikolov and Bengio, 2013). Every path starts at the "
        f"ring, w = {number(START[0])} and b = {number(START[1])}, with the learning rate {results['rate']:g}.\n\n"
        f"On the drawn plane the norm of the gradient goes from {number(results['norms'].min(), 2)} to "
        f"{number(results['norms'].max())}. Without clipping the longest step is {number(jumps[0])} long, "
        f"{number(jumps[0] / jumps[-1])} times the longest one with the norm clipped at {results['limit']:g}."
    )


def _planes(results: dict[str, Any]) -> list[Block]:
    paths = {name: (path[:, 0], path[:, 1]) for name, path in zip(results["names"], results["paths"], strict=True)}
    common: dict[str, Any] = {"xlabel": "weight w", "ylabel": "bias b", "scale": "squared error", "paths": paths}
    caption = "The stronger the shade, the larger the error. Descent starts at the ring and ends at a marker."
    return [
        surface(results["w"], results["b"], results["errors"], title="Error", caption=caption, **common),
        surface(
            results["near_w"],
            results["near_b"],
            results["near_errors"],
            title="Error near the cliff",
            caption="The same paths: those with clipping stay at the foot of the cliff, the other is thrown from it.",
            **common,
        ),
    ]


def _curves(results: dict[str, Any]) -> list[Block]:
    names, paths = results["names"], results["paths"]
    updates = list(range(paths.shape[1]))
    columns = {"Error during descent": (2, "squared error"), "Norm of the gradient": (3, "norm before clipping")}
    drawn: list[Block] = [
        lines(
            updates,
            dict(zip(names, paths[:, :, column], strict=True)),
            title=title,
            xlabel="update",
            ylabel=ylabel,
            log_y=True,
        )
        for title, (column, ylabel) in columns.items()
    ]
    return drawn


def _table(results: dict[str, Any]) -> page.Table:
    columns = ("clipping", "longest step", "largest norm met", "lowest error", "error at the end", "w, b at the end")
    rows: list[list[page.Cell]] = []
    for name, path, jump in zip(results["names"], results["paths"], longest_steps(results["paths"]), strict=True):
        numbers = [number(value) for value in (jump, path[:, 3].max(), path[:, 2].min(), path[-1, 2])]
        rows.append([name, *numbers, f"{number(path[-1, 0])}, {number(path[-1, 1])}"])
    return page.Table(columns, rows, f"The {len(rows)} descents, {results['paths'].shape[1] - 1:,} updates each")


def error_and_gradient(w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The error `(...)` and its gradient by `(w, b)`, `(2, ...)`, where w and b have any common shape.

    With s' = s (1 - s):  dx_t/dw = s(x_{t-1}) + w s'(x_{t-1}) dx_{t-1}/dw,  dx_t/db = 1 + w s'(x_{t-1}) dx_{t-1}/db.
    """
    x = np.full(np.shape(w), FIRST_STATE)
    by_w, by_b = np.zeros_like(x), np.zeros_like(x)
    for _ in range(STEPS):
        s = sigmoid(x)
        slope = w * s * (1 - s)
        by_w, by_b = s + slope * by_w, 1 + slope * by_b
        x = w * s + b
    s = sigmoid(x)
    outer = 2 * (s - TARGET) * s * (1 - s)
    return (s - TARGET) ** 2, np.array([outer * by_w, outer * by_b])


def sigmoid(x: np.ndarray) -> np.ndarray:
    """`1 / (1 + exp(-x))`, in a form that does not overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def clip_by_norm(gradient: np.ndarray, limit: float) -> np.ndarray:
    """The gradient, shortened to `limit` if it is longer."""
    norm = float(np.linalg.norm(gradient))
    return gradient * (limit / norm) if norm > limit else gradient


def descend(start: np.ndarray, clip: Clip, rate: float, updates: int) -> np.ndarray:
    """Gradient descent; each row `(w, b, error, norm of the gradient)` before an update, the last one after all."""
    rows, parameters = [], np.array(start, dtype=float)
    for _ in range(updates + 1):
        error, gradient = error_and_gradient(*parameters)
        rows.append([*parameters, float(error), float(np.linalg.norm(gradient))])
        parameters = parameters - rate * clip(gradient)
    return np.array(rows)


def longest_steps(paths: np.ndarray) -> np.ndarray:
    """The length of the longest update of each path `(paths, updates + 1, 4)`."""
    return np.linalg.norm(np.diff(paths[:, :, :2], axis=1), axis=2).max(axis=1)
