"""The part of a report that shows the gradients of a training: how large, and how far back in time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .figures import BROAD, lines
from .page import Figure, Section, Table

SHOWN = 8  # recurrent layers with a figure of their own
LINES = 6  # at most, in a figure of all layers

_LAYERS = (
    "The first figures follow the gradient of each layer's weights over the epochs: the L2 norm as the optimizer "
    "received it, summed over the replicas and before clipping (root mean square over the steps of an epoch). A layer "
    "that lies orders of magnitude below the rest hardly learns; one that rises while the others fall is where a "
    "divergence begins."
)
_LAGS = (
    "The others look back in time. They show the L2 norm of the gradient of the loss at the last step with respect to "
    "the state of a recurrent layer so many steps earlier: the mean over a few long training examples, the same ones "
    "in each epoch, at its end and without dropout. Where the loss is of a whole sequence, such as that of a CRF, it "
    "counts as far as it comes through the scores of the last step. A layer that reads backwards has its last step at "
    "the beginning of the sequence; below another layer, a state also reaches the loss by way of that layer. On the "
    "logarithmic axis a straight fall is a gradient that vanishes at a constant rate: what lies further back than "
    "where it has become negligible can hardly be learnt. A rise is a gradient that explodes, which clipping keeps in "
    "check. A curve that is flatter in the last epoch than in the first belongs to a network that has learnt to "
    "remember."
)


def gradient_sections(record: Sequence[Mapping[str, Any]]) -> list[Section]:
    """The section "Gradients".

    Args:
        record: the rows of `gradient_record.read_record`.

    Returns:
        One section; none for an empty record.
    """
    if not record:
        return []
    lags = _lag_figures(record)
    blocks: list[Table | Figure] = [*_layer_figures(record), *lags]
    if lags:
        blocks.append(_decay_table(record))
    text = f"{_LAYERS}\n\n{_LAGS}" if lags else _LAYERS
    hidden = len(record[0]["lags"]) - SHOWN
    if hidden > 0:
        text += f"\n\nThe figures show the first {SHOWN} recurrent layers; {hidden} more stand in the table."
    return [Section("Gradients", text, blocks)]


def layer_norms(weights: Mapping[str, float]) -> dict[str, float]:
    """The norm of each layer from those of its weights, under the path of the layer.

    Example:
        >>> layer_norms({"tags/kernel": 3.0, "tags/bias": 4.0, "crf/start": 1.0})
        {'tags': 5.0, 'crf': 1.0}
    """
    squares: dict[str, float] = {}
    for path, norm in weights.items():
        layer = path.rpartition("/")[0] or path
        squares[layer] = squares.get(layer, 0.0) + norm**2
    return {layer: math.sqrt(square) for layer, square in squares.items()}


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """The last parts of each path, as many as it takes to tell it from the others.

    Example:
        >>> list(short_names(["tagger/table", "tagger/letters/table", "tagger/encoder/forward_0"]).values())
        ['tagger/table', 'letters/table', 'forward_0']
    """
    parts = {path: path.split("/") for path in paths}

    def unique(path: str) -> str:
        own = parts[path]
        for count in range(1, len(own)):
            if sum(other[-count:] == own[-count:] for other in parts.values()) == 1:
                return "/".join(own[-count:])
        return path

    return {path: unique(path) for path in paths}


def _layer_figures(record: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """One line for each layer over the epochs, in figures of about as many lines."""
    epochs = [row["epoch"] for row in record]
    norms = [layer_norms(row["weights"]) for row in record]
    names = list(dict.fromkeys(name for row in norms for name in row))
    short = short_names(names)
    count = -(-len(names) // LINES)
    groups = [names[len(names) * at // count : len(names) * (at + 1) // count] for at in range(count)]
    figures = []
    for number, group in enumerate(groups, start=1):
        part = f" ({number} of {len(groups)})" if len(groups) > 1 else ""
        series = {short[name]: [row.get(name) or None for row in norms] for name in group}
        figures.append(
            lines(
                epochs,
                series,
                title=f"Gradient norm of each layer{part}",
                xlabel="epoch",
                ylabel="L2 norm",
                log_y=True,
                width=BROAD,
                height=3.6,
            )
        )
    return figures


def _lag_figures(record: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """For each recurrent layer the norm against the lag, in the first and the last epoch."""
    rows = {f"epoch {row['epoch']}": row["lags"] for row in (record[0], record[-1])}
    names = list(record[-1]["lags"])
    short, figures = short_names(names), []
    for name in names[:SHOWN]:
        series = {epoch: [norm or None for norm in lags.get(name, ())] for epoch, lags in rows.items()}
        longest = max(map(len, series.values()))
        padded = {epoch: norms + [None] * (longest - len(norms)) for epoch, norms in series.items()}
        figures.append(
            lines(
                range(longest),
                padded,
                title=f"Gradient at a distance: {short[name]}",
                xlabel="time lag (steps)",
                ylabel="L2 norm",
                log_y=True,
                alt=f"Line chart: gradient norm of {name} against the time lag; {', '.join(padded)}",
            )
        )
    return figures


def _decay_table(record: Sequence[Mapping[str, Any]]) -> Table:
    columns = ("Recurrent layer", "Epoch", "At lag 0", "At the longest lag", "Longest lag", "Factor a step")
    names = short_names(list(record[-1]["lags"]))
    epochs = {row["epoch"]: row["lags"] for row in (record[0], record[-1])}
    rows = [
        (names[name], str(epoch), *_decay(lags[name]))
        for name in names
        for epoch, lags in epochs.items()
        if lags.get(name)
    ]
    caption = (
        "What is left over the whole distance. The factor is the mean (geometric) by which one more step back changes "
        "the norm: below 1 the gradient vanishes, above 1 it explodes."
    )
    return Table(columns, rows, caption)


def _decay(norms: Sequence[float]) -> tuple[str, str, int, float | None]:
    """First and last norm, as text because they differ by orders of magnitude, the distance and the factor a step."""
    steps = len(norms) - 1
    factor = (norms[-1] / norms[0]) ** (1 / steps) if steps and norms[0] and norms[-1] else None
    return f"{norms[0]:.3g}", f"{norms[-1]:.3g}", steps, factor
