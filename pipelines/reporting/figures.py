"""Figures of a report, drawn by matplotlib as inline SVG: curves, bars, dots with intervals, heat maps.

Series are told apart by line style or marker as well as by colour; the palette is that of Okabe and Ito (2008), which
the colour-blind can read, darkened a little towards equal contrast on white and on black.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ..evaluation import lower_is_better
from . import curves
from .canvas import INK, QUIET, canvas
from .page import Figure, format_number, is_fraction

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values: TypeAlias = Sequence[float | None]

PALETTE = ("#1f78b4", "#d95f02", "#00936c", "#b8569a", "#b8860b", "#4aa3d8", "#8c6d5a", "#7a7fd0")
LINE_STYLES = ("-", "--", "-.", ":")
WIDTH, HEIGHT = 4.35, 2.75  # inches; two stand side by side in the page
BROAD = 6.4  # inches; a figure with many labels stands alone


def _numbers(values: Values, scale: float = 1.0) -> list[float]:
    return [math.nan if value is None or value == "" else scale * float(value) for value in values]


def finish(
    axes: Axes,
    title: str,
    xlabel: str,
    ylabel: str,
    names: Sequence[str] = (),
    width: float = WIDTH,
    most: int = len(PALETTE),
) -> None:
    """Title and axis labels, and a legend above the axes, where it cannot cover a line.

    There is none for one series, nor for more than `most`, which could not be told apart.
    """
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    rows = 0
    if 1 < len(names) <= most:
        across = 10.5 * width  # letters, of which a handle takes five
        columns = max(1, min(len(names), int(across / (max(map(len, names)) + 5))))
        rows = math.ceil(len(names) / columns)
        place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1.0), "borderaxespad": 0.1}
        axes.legend(ncols=columns, columnspacing=1.2, labelspacing=0.25, **place)
    if title:
        axes.set_title(title, pad=10 + 14 * rows)


def lines(
    x: Sequence[float] | Any,
    series: Mapping[str, Values],
    *,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    caption: str = "",
    alt: str = "",
    percent: bool = False,
    log_x: bool = False,
    log_y: bool = False,
    diagonal: bool = False,
    ring: tuple[float, float] | None = None,
    width: float = WIDTH,
    height: float = HEIGHT,
) -> Figure:
    """Draws one line for each series.

    Args:
        x: the common abscissae.
        series: the values of each named line; `None` and NaN leave a gap.
        title: stands above the figure.
        xlabel: what `x` is, with its unit.
        ylabel: what the values are, with their unit.
        caption: a sentence below the figure.
        alt: what the figure shows; made from the labels when empty.
        percent: whether values are fractions, to be drawn as percent.
        log_x: whether the abscissa is logarithmic.
        log_y: whether the ordinate is logarithmic.
        diagonal: whether to draw the line on which both axes are equal (calibration, ROC).
        ring: a point to mark, such as the one that was chosen.
        width: inches.
        height: inches.

    Returns:
        The figure.
    """
    from matplotlib.ticker import MaxNLocator

    with canvas(width, height) as sheet:
        axes = sheet.axes
        for number, (name, values) in enumerate(series.items()):
            colour, style = PALETTE[number % len(PALETTE)], LINE_STYLES[number % len(LINE_STYLES)]
            marker = "o" if len(x) <= 12 else ""
            axes.plot(x, _numbers(values, 100 if percent else 1), style, color=colour, marker=marker, label=name)
        if diagonal:
            axes.axline((0, 0), slope=100 if percent else 1, color=QUIET, linewidth=0.8, linestyle=":")
        if ring is not None:
            axes.plot(ring[0], ring[1] * (100 if percent else 1), "o", color=INK, markersize=10, fillstyle="none")
        make_logarithmic(axes, log_x, log_y)
        if not log_x and all(float(value).is_integer() for value in x):
            axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
        elif not log_x:
            axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        axes.grid(visible=False, axis="x")
        axes.margins(x=0.02)
        finish(axes, title, xlabel, ylabel, list(series), width)
    return Figure(sheet.svg, caption, alt or described("Line chart", title or ylabel, xlabel, list(series)))


def make_logarithmic(axes: Axes, x: bool, y: bool) -> None:
    """Sets logarithmic scales with plain numbers at their ticks."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for wanted, axis, set_scale in ((x, axes.xaxis, axes.set_xscale), (y, axes.yaxis, axes.set_yscale)):
        if wanted:
            set_scale("log")
            axis.set_major_formatter(FuncFormatter(lambda value, _: format_number(value)))
            axis.set_minor_formatter(NullFormatter())
            low, high = sorted(axis.get_view_interval())
            if high < 300 * low:
                axis.set_major_locator(LogLocator(subs=(1, 2, 5)))


def described(kind: str, what: str, against: str, names: Sequence[str] = ()) -> str:
    """What a figure shows, for those who do not see it."""
    text = f"{kind}: {what}" + (f" against {against}" if against else "")
    return text + (f"; {', '.join(names)}" if len(names) > 1 else "")


def learning_curves(history: Sequence[Mapping[str, float]]) -> list[Figure]:
    """Draws what `history.csv` holds: losses, validation metrics, learning rate, gradient norm and clipped steps.

    Validation metrics of one kind (fractions that should rise, fractions that should fall) share a figure, any other
    has its own. A column that is missing in all epochs has no figure; a value that is missing in one leaves a gap.

    Args:
        history: one dict for each epoch.

    Returns:
        The figures, in the order above; none for an empty history.
    """
    if not history:
        return []
    columns = {
        name: [row.get(name) for row in history] for name in dict.fromkeys(key for row in history for key in row)
    }
    columns = {name: values for name, values in columns.items() if any(map(math.isfinite, _numbers(values)))}
    epochs = _numbers(columns.pop("epoch", list(range(1, len(history) + 1))))
    figures = []
    for title, names in curves.panels(list(columns)):
        series = {curves.curve_name(name, title): _numbers(columns[name]) for name in names}
        percent = is_fraction(names[0])
        positive = [value for values in series.values() for value in values if value > 0]
        bounded = percent or (curves.is_metric(names[0]) and not lower_is_better(names[0]))
        wide = len(positive) > 1 and not bounded and max(positive) > 100 * min(positive)
        unit = " (%)" if percent else curves.UNITS.get(names[0], "")
        best = [curves.best(name, epochs, _numbers(columns[name])) for name in names if curves.has_best(name)]
        figure = lines(
            epochs,
            series,
            title=title + unit,
            xlabel="epoch",
            caption=f"Best: {', '.join(best)}." if best else "",
            percent=percent,
            log_y=wide and all(value > 0 for values in series.values() for value in values if math.isfinite(value)),
        )
        figures.append(figure)
    return figures


def bars(
    labels: Sequence[str],
    values: Values | Mapping[str, Values],
    *,
    counts: Sequence[int] | None = None,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    caption: str = "",
    alt: str = "",
    percent: bool = False,
    vertical: bool = False,
    decimals: int = 1,
) -> Figure:
    """Draws one bar for each label, or a group of bars where `values` holds several named series.

    Args:
        labels: what each bar stands for.
        values: their lengths; with a mapping, one sequence for each series.
        counts: how many examples each bar rests on, printed behind its label.
        title: stands above the figure.
        xlabel: what the labels are (vertical) or what the values are, with their unit (horizontal).
        ylabel: the same for the other axis.
        caption: a sentence below the figure.
        alt: what the figure shows; made from the title when empty.
        percent: whether values are fractions, to be drawn as percent.
        vertical: upright bars, for labels that have an order, such as ranges of length; else lying ones.
        decimals: digits of the values printed at the bars of a single series.

    Returns:
        The figure.
    """
    series = dict(values) if isinstance(values, Mapping) else {"": values}
    names = [label if counts is None else f"{label} (n={counts[at]:,})" for at, label in enumerate(labels)]
    thickness = 0.72 / len(series)
    extent = len(labels) * max(0.27, 0.16 * len(series))
    if vertical and counts is not None:
        names = [name.replace(" (n=", "\n(n=") for name in names]
    broadest = 0.08 * max((len(line) for name in names for line in name.split("\n")), default=0)
    upright = (max(WIDTH, 0.9 + max(2.2 * extent, broadest * len(labels))), HEIGHT)
    size = upright if vertical else (BROAD, 0.9 + extent)
    with canvas(*size) as sheet:
        axes, places = sheet.axes, range(len(labels))
        for number, (name, numbers) in enumerate(series.items()):
            at = [place + (number - (len(series) - 1) / 2) * thickness for place in places]
            draw: Any = axes.bar if vertical else axes.barh
            drawn = draw(
                at,
                _numbers(numbers, 100 if percent else 1),
                thickness,
                color=PALETTE[number % len(PALETTE)],
                label=name,
            )
            if len(series) == 1:
                axes.bar_label(drawn, fmt=f"%.{decimals}f", padding=3, fontsize=8.5, color=QUIET)
                axes.margins(y=0.1) if vertical else axes.margins(x=0.1)
        if not any(value for numbers in series.values() for value in _numbers(numbers)):
            axes.set_ylim(0, 1) if vertical else axes.set_xlim(0, 1)  # bars of no length still start at 0
        if vertical:
            axes.set_xticks(places, names)
        else:
            axes.set_yticks(places, names)
            axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.tick_params(axis="x" if vertical else "y", labelcolor=INK, length=0)
        axes.grid(visible=False, axis="x" if vertical else "y")
        finish(axes, title, xlabel, ylabel, list(series), size[0])
    return Figure(sheet.svg, caption, alt or described("Bar chart", title or xlabel or ylabel, "", list(series)))


def dots(
    labels: Sequence[str],
    values: Values,
    *,
    intervals: Sequence[Sequence[float] | None] | None = None,
    groups: Sequence[str] | None = None,
    title: str = "",
    xlabel: str = "",
    caption: str = "",
    alt: str = "",
    percent: bool = False,
) -> Figure:
    """Draws one dot for each label on a common scale that need not start at zero, with its interval as a line.

    Args:
        labels: what each dot stands for, from top to bottom.
        values: where the dots are.
        intervals: `(low, high)` for each dot, or `None` where there is none.
        groups: the group of each label; groups have their own colour and marker.
        title: stands above the figure.
        xlabel: what the values are, with their unit.
        caption: a sentence below the figure.
        alt: what the figure shows; made from the title when empty.
        percent: whether values are fractions, to be drawn as percent.

    Returns:
        The figure.
    """
    scale = 100 if percent else 1
    kinds = list(dict.fromkeys(groups or [""]))
    with canvas(BROAD, 0.9 + 0.25 * len(labels)) as sheet:
        axes = sheet.axes
        for row, value in enumerate(_numbers(values, scale)):
            kind = kinds.index(groups[row]) if groups else 0
            interval = intervals[row] if intervals else None
            if interval is not None:
                axes.plot(_numbers(interval, scale), [row, row], color=PALETTE[kind % len(PALETTE)], linewidth=2.5)
            label = kinds[kind] if groups and groups.index(kinds[kind]) == row else "_"
            axes.plot(value, row, "osD^v"[kind % 5], color=PALETTE[kind % len(PALETTE)], markersize=6.5, label=label)
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.tick_params(axis="y", labelcolor=INK)
        finish(axes, title, xlabel, "", kinds, BROAD - 0.075 * max(map(len, labels), default=0))
    return Figure(sheet.svg, caption, alt or described("Dot plot", title or xlabel, "", labels))


def heatmap(
    labels: Sequence[str],
    matrix: Sequence[Sequence[float]] | Any,
    *,
    columns: Sequence[str] | None = None,
    title: str = "",
    xlabel: str = "predicted",
    ylabel: str = "gold",
    caption: str = "",
    alt: str = "",
    logarithmic: bool = True,
    decimals: int = 0,
) -> Figure:
    """Draws a matrix as coloured cells, with their numbers while there are at most 20 rows and columns.

    Without `columns` the matrix is square, such as a confusion matrix: its diagonal is blue and all else orange, so
    that mistakes stand out. Empty cells have no colour.

    Args:
        labels: the names of the rows.
        matrix: non-negative values `(rows, columns)`.
        columns: the names of the columns; `labels` when left out.
        title: stands above the figure.
        xlabel: what the columns are.
        ylabel: what the rows are.
        caption: a sentence below the figure.
        alt: what the figure shows; made from the axis labels when empty.
        logarithmic: whether colour follows `log(1 + value)`, which keeps rare mistakes visible; else the value itself.
        decimals: digits of the numbers in the cells.

    Returns:
        The figure.

    Raises:
        ValueError: if the shape of `matrix` does not fit the names.
    """
    import numpy as np

    names = labels if columns is None else columns
    values = np.asarray(matrix, dtype=float)
    if values.shape != (len(labels), len(names)):
        raise ValueError(f"matrix must have shape {(len(labels), len(names))}, got {values.shape}")
    strength = np.log1p(values) if logarithmic else values
    strength = strength / max(float(strength.max(initial=0.0)), 1e-12)
    right = np.eye(len(labels), dtype=bool) if columns is None else np.ones(values.shape, dtype=bool)
    blue, orange = ([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in PALETTE[:2])
    # From a tint that can be told from nothing up to the full colour; the ground is the page's own.
    opacity = np.where(values > 0, 0.12 + 0.88 * strength, 0.0)
    colours = np.dstack([np.where(right[:, :, None], blue, orange), opacity])
    size = max(len(labels), len(names))
    cell, broadest = (0.34 if size <= 20 else 0.2), 0.075 * max(map(len, names), default=0) + 0.1
    if size <= 6 and broadest <= 0.7:
        cell = max(cell, broadest)
    margin = 0.075 * max(map(len, [*labels, *names]), default=0) + 0.7
    with canvas(max(cell * len(names) + margin, 2.5), max(cell * len(labels) + margin, 2.0)) as sheet:
        axes, font = sheet.axes, 8.5 if size <= 20 else 7.5
        axes.imshow(colours, interpolation="none", aspect="equal")
        axes.set_xticks(range(len(names)), names, rotation=90 if broadest > cell else 0, fontsize=font)
        axes.set_yticks(range(len(labels)), labels, fontsize=font)
        axes.tick_params(length=0, labelcolor=INK)
        axes.grid(visible=False)
        for row, column in zip(*np.nonzero(values), strict=True) if size <= 20 else ():
            ink = "#ffffff" if opacity[row, column] > 0.6 else INK
            number = f"{values[row, column]:,.{decimals}f}"
            axes.text(column, row, number, ha="center", va="center", fontsize=7.5, color=ink)
        finish(axes, title, xlabel, ylabel)
    return Figure(sheet.svg, caption, alt or described("Heat map", title or ylabel, xlabel))
