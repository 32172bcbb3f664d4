"""Recordings in a report: a player, and the spectrogram above what a model made of it, on one time axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from .canvas import GRID, INK, QUIET, canvas
from .figures import PALETTE, finish
from .page import Figure, Html

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NARROWEST, BROADEST = 4.4, 9.2  # inches
INCHES_PER_SECOND = 2.0
MARGINS = 0.8  # inches beside the axes
LEVELS = 24  # of loudness that are told apart, so that the picture stays small
LEAST = 0.05  # probability below which a curve is not drawn
LEAST_PEAK = 0.15  # probability from which a peak has its label
LETTER, LINE = 0.075, 0.13  # inches, the breadth of a letter and the height of a line
PANEL, HIGHEST = 1.4, 1.25  # inches of the axes of posteriors, and the probability at their top
SPACE = "\N{OPEN BOX}"  # stands for a space


def player(wav: str, name: str) -> Html:
    """Controls that play a recording.

    Args:
        wav: a WAV file in base64.
        name: of the recording, for those who do not see it.

    Example:
        >>> player("UklGRg==", "a.wav").markup
        '<audio controls preload="metadata" aria-label="Recording a.wav" src="data:audio/wav;base64,UklGRg=="></audio>'
    """
    template = '<audio controls preload="metadata" aria-label="Recording {}" src="data:audio/wav;base64,{}"></audio>'
    return Html(str(Markup(template).format(name, wav)))


def spectrogram(
    loudness: Any,
    frame_seconds: float,
    *,
    posteriors: Mapping[str, Any] | None = None,
    step_seconds: float = 0.0,
    unmarked: str = "",
    words: Sequence[tuple[str, float, float]] = (),
    title: str = "",
    ylabel: str = "band",
    caption: str = "",
    alt: str = "",
    narrowest: float = NARROWEST,
) -> Figure:
    """Draws the bands of a recording over time, below them the probability of each label, above them words.

    Args:
        loudness: `(frames, bands)`, from 0 for silence to 1, the lowest band first.
        frame_seconds: from one frame to the next.
        posteriors: the probabilities `(steps,)` of each label; a label has its name at its peaks.
        step_seconds: from one step of the posteriors to the next.
        unmarked: a label, such as the blank, that is drawn as a grey ground without its name.
        words: with their starts and ends in seconds.
        title: stands above the figure.
        ylabel: what the columns of `loudness` are.
        caption: a sentence below the figure.
        alt: what the figure shows.
        narrowest: inches, for what is short.

    Returns:
        The figure.

    Raises:
        ValueError: if `loudness` has no frame or is no matrix.
    """
    values = np.asarray(loudness, dtype=float)
    if values.ndim != 2 or not values.size:
        raise ValueError(f"loudness must be a matrix of frames and bands, got shape {values.shape}")
    seconds = len(values) * frame_seconds
    width = float(np.clip(INCHES_PER_SECOND * seconds + MARGINS, narrowest, BROADEST))
    with canvas(width, 3.9 if posteriors else 2.1, (1, 1) if posteriors else (1,)) as sheet:
        _draw_bands(sheet.axes, values, seconds)
        for axes in sheet.rows:
            _draw_borders(axes, words)
        _write_words(sheet.axes, words, (width - MARGINS) / seconds)
        finish(sheet.axes, title, "" if posteriors else "seconds", ylabel)
        if posteriors:
            _draw_posteriors(sheet.rows[1], posteriors, step_seconds, unmarked, (width - MARGINS) / seconds)
            finish(sheet.rows[1], "", "seconds", "probability")
    return Figure(sheet.svg, caption, alt or f"Spectrogram of {seconds:.2f} seconds")


def _draw_bands(axes: Axes, values: np.ndarray, seconds: float) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    # From the page's own ground to a blue and on to a strong orange.
    stops = [(0.0, "#1f78b400"), (0.55, "#1f78b4c0"), (0.8, "#8a5a9ae0"), (1.0, "#d95f02")]
    colours = LinearSegmentedColormap.from_list("loudness", stops, N=LEVELS)
    extent = (0.0, seconds, 0.5, values.shape[1] + 0.5)
    image = np.round(np.clip(values.T, 0, 1) * (LEVELS - 1)) / (LEVELS - 1)
    axes.imshow(image, cmap=colours, vmin=0, vmax=1, origin="lower", aspect="auto", extent=extent, interpolation="none")
    axes.set_xlim(0, seconds)
    axes.grid(visible=False)


def _draw_borders(axes: Axes, words: Sequence[tuple[str, float, float]]) -> None:
    for border in sorted({time for _, *times in words for time in times}):
        axes.axvline(border, color=QUIET, linewidth=0.6, linestyle=(0, (2, 2)))


def _write_words(axes: Axes, words: Sequence[tuple[str, float, float]], inches_per_second: float) -> None:
    """Each word above its time, a line higher where it would run into its neighbour."""
    ends = [-1.0, -1.0]  # inches, of what stands on each line
    for word, start, end in words:
        middle, half = (start + end) / 2, LETTER * len(word) / 2
        left = middle * inches_per_second - half
        line = 0 if left > ends[0] or ends[0] <= ends[1] else 1
        ends[line] = left + 2 * half + LETTER
        axes.annotate(
            word,
            (middle, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3 + 12 * line),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=9,
            color=INK,
        )


def _draw_posteriors(
    axes: Axes, posteriors: Mapping[str, Any], step_seconds: float, unmarked: str, inches_per_second: float
) -> None:
    peaks: list[tuple[float, float, str, str]] = []
    for number, (label, probabilities) in enumerate(posteriors.items()):
        values = np.asarray(probabilities, dtype=float)
        times = (np.arange(len(values)) + 0.5) * step_seconds
        colour = PALETTE[number % len(PALETTE)]
        if label == unmarked:
            axes.fill_between(times, values, color=QUIET, alpha=0.16, linewidth=0)
            continue
        axes.plot(times, _visible(values), color=colour, linewidth=1.3)
        peaks += [(times[at], values[at], label, colour) for at in _peaks(values)]
    _name_peaks(axes, peaks, inches_per_second)
    axes.set_ylim(0, HIGHEST)
    axes.set_yticks([0, 0.5, 1])
    axes.spines["bottom"].set_color(GRID)
    axes.grid(visible=False, axis="x")


def _name_peaks(axes: Axes, peaks: Sequence[tuple[float, float, str, str]], inches_per_second: float) -> None:
    """Writes the label at each peak, or a line above it; the lower of two peaks goes without where there is no room."""
    taken: list[tuple[float, float]] = []
    for time, value, label, colour in sorted(peaks, key=lambda peak: (-peak[1], peak[0])):
        across, up = time * inches_per_second, value / HIGHEST * PANEL
        free = [line for line in (0, 1) if not _collides(across, up + line * LINE, taken)]
        if not free:
            continue
        taken.append((across, up + free[0] * LINE))
        name = axes.annotate(
            SPACE if label == " " else label,
            (time, value),
            xytext=(0, 2 + 72 * LINE * free[0]),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=8.5,
            color=colour,
        )
        name.set_in_layout(False)  # it lies inside the axes; measuring it takes time


def _collides(across: float, up: float, taken: Sequence[tuple[float, float]]) -> bool:
    return any(abs(across - x) < LETTER and abs(up - y) < 0.8 * LINE for x, y in taken)


def _visible(values: np.ndarray) -> np.ndarray:
    """The values with NaN wherever they and their neighbours are next to nothing."""
    around = np.pad(values, 1)
    return np.where(np.maximum(np.maximum(around[:-2], values), around[2:]) < LEAST, np.nan, values)


def _peaks(values: np.ndarray) -> list[int]:
    """Places of the highest value of each stretch that lies above `LEAST_PEAK`."""
    above = np.concatenate([[False], values >= LEAST_PEAK, [False]])
    starts, ends = np.flatnonzero(above[1:] & ~above[:-1]), np.flatnonzero(~above[1:] & above[:-1])
    return [int(start + values[start:end].argmax()) for start, end in zip(starts, ends, strict=True)]
