"""The cells that the laboratory compares: in which groups they are drawn, and how large they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...layers.encoder import recurrent_layer

GATED = ("lstm", "gru", "peephole", "coupled", "gated_feedback")
TOLERANCE = 0.035  # of equal numbers of weights; one unit more or less of a gated cell is several per cent
_FEWEST_MODULES = 5  # of a clockwork network; with fewer it would have too few speeds
_NEARBY = 8  # a multiple of five to eight is at most so far away


def groups(cells: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The cells without gates and those with gates, each under its title; few enough for the colours of a figure.

    Example:
        >>> groups(["simple", "lstm"])
        [('without gates', ['simple']), ('with gates', ['lstm'])]
    """
    found = [("without gates", [cell for cell in cells if cell not in GATED])]
    found += [("with gates", [cell for cell in cells if cell in GATED])]
    return [(title, names) for title, names in found if names]


def weights(cell: str, units: int, features: int, outputs: int) -> int:
    """How many weights a layer and its linear read-out have.

    The fixed ones of a reservoir count, the blocks of a clockwork network that are always zero do not.

    Args:
        cell: a key of `seqloom.layers.encoder.RECURRENT_LAYERS`.
        units: of the layer.
        features: size of its inputs.
        outputs: of the read-out.
    """
    return _weights(_built(cell, units, features), outputs)


def units_for(cell: str, parameters: int, features: int, outputs: int) -> int:
    """The number of units that gives a cell so many weights.

    Args:
        cell: a key of `seqloom.layers.encoder.RECURRENT_LAYERS`.
        parameters: weights of the layer and its read-out.
        features: size of the inputs.
        outputs: of the read-out.

    Raises:
        ValueError: if no number of units comes within `TOLERANCE`.
    """
    high = _NEARBY
    while weights(cell, high, features, outputs) < parameters:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if weights(cell, middle, features, outputs) < parameters else (low, middle)
    found = {}
    for units in range(max(2, high - _NEARBY), high + _NEARBY + 1):
        layer = _built(cell, units, features)
        if len(getattr(layer, "periods", range(_FEWEST_MODULES))) >= _FEWEST_MODULES:
            found[units] = abs(_weights(layer, outputs) / parameters - 1)
    best = min(found, key=lambda units: found[units])
    if found[best] > TOLERANCE:
        raise ValueError(f"parameters={parameters} cannot be met within {TOLERANCE:.1%} by {cell}: try another number")
    return best


def _built(cell: str, units: int, features: int) -> Any:
    layer = recurrent_layer(cell, units)
    layer.build((None, None, features))
    return layer


def _weights(layer: Any, outputs: int) -> int:
    forbidden = int(np.sum(~layer.connected)) if hasattr(layer, "connected") else 0
    return layer.count_params() - forbidden + outputs * (layer.units + 1)
