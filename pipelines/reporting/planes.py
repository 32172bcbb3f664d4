"""Figures of a plane: a surface over two parameters with paths on it, and points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .canvas import INK, QUIET, canvas
from .figures import LINE_STYLES, PALETTE, WIDTH, described, finish
from .page import Figure, format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKERS = "osD^v"
_SHADE = "#5f6b7a"  # a grey that can be told from light and dark paper


def surface(
    x: Sequence[float] | Any,
    y: Sequence[float] | Any,
    values: Any,
    *,
    paths: Mapping[str, tuple[Any, Any]] | None = None,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    scale: str = "",
    caption: str = "",
    alt: str = "",
    width: float = WIDTH,
    height: float = 3.6,
) -> Figure:
    """Draws a function of two parameters as shades, stronger where it is larger, with paths over it.

    Args:
        x: evenly spaced values of the first parameter.
        y: evenly spaced values of the second one.
        values: the function, `(len(y), len(x))`.
        paths: abscissae and ordinates of each named path, from a ring to a marker; beyond the plane it is cut off.
        title: stands above the figure.
        xlabel: what `x` is, with its unit.
        ylabel: what `y` is, with its unit.
        scale: what the values are, at the scale of shades.
        caption: a sentence below the figure.
        alt: what the figure shows; made from the labels when empty.
        width: inches.
        height: inches.

    Returns:
        The figure.

    Raises:
        ValueError: if the shape of `values` does not fit `x` and `y`.
    """
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.ticker import FuncFormatter

    values = np.asarray(values, dtype=float)
    if values.shape != (len(y), len(x)):
        raise ValueError(f"values must have shape {(len(y), len(x))}, got {values.shape}")
    shades = LinearSegmentedColormap.from_list("shades", [f"{_SHADE}00", _SHADE])
    with canvas(width, height) as sheet:
        axes = sheet.axes
        image = axes.imshow(
            values,
            cmap=shades,
            extent=(float(x[0]), float(x[-1]), float(y[0]), float(y[-1])),
            origin="lower",
            aspect="auto",
        )
        bar = axes.figure.colorbar(image, ax=axes, pad=0.02, aspect=30)
        bar.outline.set_visible(False)
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format_number(value)))
        bar.set_label(scale)
        for number, (name, (across, up)) in enumerate((paths or {}).items()):
            _path(axes, name, across, up, number)
        axes.set_xlim(float(x[0]), float(x[-1]))
        axes.set_ylim(float(y[0]), float(y[-1]))
        axes.grid(visible=False)
        finish(axes, title, xlabel, ylabel, list(paths or {}), width)
    return Figure(sheet.svg, caption, alt or described("Shaded plane", title or ylabel, xlabel, list(paths or {})))


def _path(axes: Axes, name: str, across: Any, up: Any, number: int) -> None:
    colour, style = PALETTE[number % len(PALETTE)], LINE_STYLES[number % len(LINE_STYLES)]
    axes.plot(across, up, style, color=colour, linewidth=1.4, label=name)
    axes.plot(across[-1:], up[-1:], _MARKERS[number % len(_MARKERS)], color=colour, markersize=6)
    axes.plot(across[:1], up[:1], "o", color=INK, markersize=8, fillstyle="none")


def points(
    series: Mapping[str, tuple[Any, Any]],
    *,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    caption: str = "",
    alt: str = "",
    percent: bool = False,
    limit: float | None = None,
    behind: str = "",
    width: float = WIDTH,
    height: float = 3.2,
) -> Figure:
    """Draws points, in the colour and with the marker of their series.

    Args:
        series: abscissae and ordinates of the points of each named series; colour and marker tell 40 of them apart.
        title: stands above the figure.
        xlabel: what the abscissae are, with their unit.
        ylabel: what the ordinates are, with their unit.
        caption: a sentence below the figure.
        alt: what the figure shows; made from the labels when empty.
        percent: whether values are fractions, to be drawn as percent.
        limit: draws the line on which both coordinates add up to it, beyond which no point can lie.
        behind: the last series, if it has this name, is drawn in grey behind the others.
        width: inches.
        height: inches.

    Returns:
        The figure.
    """
    factor = 100 if percent else 1
    with canvas(width, height) as sheet:
        axes = sheet.axes
        for number, (name, (across, up)) in enumerate(series.items()):
            colour, marker = PALETTE[number % len(PALETTE)], _MARKERS[number % len(_MARKERS)]
            scaled = [[factor * float(value) for value in values] for values in (across, up)]
            if name == behind:
                axes.plot(*scaled, ".", color=QUIET, markersize=4, alpha=0.4, zorder=1, label=name)
            else:
                axes.plot(*scaled, marker, color=colour, markersize=5, alpha=0.7, label=name)
        if limit is not None:
            axes.plot([0, factor * limit], [factor * limit, 0], color=QUIET, linewidth=0.8, linestyle=":")
        finish(axes, title, xlabel, ylabel, list(series), width, most=len(PALETTE) * len(_MARKERS))
    return Figure(sheet.svg, caption, alt or described("Points", title or ylabel, xlabel, list(series)))
