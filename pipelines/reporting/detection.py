"""The detection error tradeoff, on axes on which the errors of two normal distributions lie on a straight line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import ndtri

from .canvas import QUIET, canvas
from .figures import LINE_STYLES, PALETTE, WIDTH, described, finish
from .page import Figure, format_number

LEAST, GREATEST = 0.001, 0.95  # shares; less is drawn at the border, more is not drawn
TICKS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95)
POINTS = 150  # of a line, evenly spread over its length


def det(
    series: Mapping[str, tuple[Any, Any]],
    *,
    title: str = "",
    xlabel: str = "false alarms (%)",
    ylabel: str = "misses (%)",
    caption: str = "",
    alt: str = "",
    width: float = WIDTH,
    height: float = 3.4,
) -> Figure:
    """Draws misses against false alarms, both through the inverse of the normal distribution (probit).

    Args:
        series: false alarms and misses `(thresholds,)` of each named line, as shares; the former must not fall and the
            latter not rise.
        title: stands above the figure.
        xlabel: what the abscissa is.
        ylabel: what the ordinate is.
        caption: a sentence below the figure.
        alt: what the figure shows; made from the labels when empty.
        width: inches.
        height: inches.

    Returns:
        The figure.

    References:
        Martin et al., 1997. The DET Curve in Assessment of Detection Task Performance.
    """
    with canvas(width, height) as sheet:
        axes = sheet.axes
        for number, (name, (false_alarms, misses)) in enumerate(series.items()):
            drawn = np.maximum(false_alarms, misses) <= GREATEST
            across, up = thinned(probit(np.asarray(false_alarms)[drawn]), probit(np.asarray(misses)[drawn]))
            style = LINE_STYLES[number % len(LINE_STYLES)]
            axes.plot(across, up, style, color=PALETTE[number % len(PALETTE)], label=name)
        axes.axline((0, 0), slope=1, color=QUIET, linewidth=0.8, linestyle=":")
        names = [format_number(100 * tick) for tick in TICKS]
        axes.set_xticks(probit(TICKS), names)
        axes.set_yticks(probit(TICKS), names)
        axes.set_xlim(*probit([LEAST, GREATEST]))
        axes.set_ylim(*probit([LEAST, GREATEST]))
        finish(axes, title, xlabel, ylabel, list(series), width)
    return Figure(sheet.svg, caption, alt or described("Line chart", title or ylabel, xlabel, list(series)))


def probit(shares: Any) -> np.ndarray:
    """The quantiles of the normal distribution at shares, which are brought into the range that is drawn.

    Example:
        >>> probit([0.0, 0.001, 0.5]).round(2).tolist()
        [-3.09, -3.09, 0.0]
    """
    return ndtri(np.clip(np.asarray(shares, np.float64), LEAST, GREATEST))


def thinned(across: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """About `POINTS` points of a line, evenly spread over its length, the first and the last among them."""
    if len(across) <= POINTS:
        return across, up
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(across)) + np.abs(np.diff(up)))])
    places = np.unique([0, *np.searchsorted(length, np.linspace(0, length[-1], POINTS)), len(across) - 1])
    return across[places], up[places]
