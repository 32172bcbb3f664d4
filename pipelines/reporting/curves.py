"""Which columns of a training history are drawn together, under which title and name."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..evaluation import is_description, lower_is_better
from .page import format_metric, is_fraction, readable_name

UNITS = {"gradient_norm": " (L2, before clipping)", "seconds": " (s)"}
_OTHER_PANELS = {
    "learning_rate": "Learning rate",
    "gradient_norm": "Gradient norm",
    "clipped_share": "Share of clipped steps",
}


def is_metric(name: str) -> bool:
    """Whether a column of the history is a score on valid."""
    return name.startswith("val_") and not is_loss(name)


def has_best(name: str) -> bool:
    """Whether one epoch can be better by this column than another."""
    return is_metric(name) and not is_description(name)


def is_loss(name: str) -> bool:
    """Whether a column of the history is a loss that falls while training."""
    return name.split("_")[-1] == "loss" and "log_loss" not in name


def curve_name(name: str, title: str) -> str:
    """What the legend of a figure calls a column."""
    if title == "Loss":
        kind = "validation" if name.startswith("val_") else "training"
        part = name.removeprefix("val_").removesuffix("loss").strip("_")
        return f"{kind}, {readable_name(part)}" if part else kind
    return readable_name(name.removeprefix("val_"))


def panels(names: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Which columns are drawn together, under which title."""
    metrics = [name for name in names if is_metric(name)]
    fractions = [name for name in metrics if is_fraction(name)]
    rising, falling = ([name for name in fractions if lower_is_better(name) is lower] for lower in (False, True))
    found = [("Loss", [name for name in names if is_loss(name)])]
    found += [(_shared_title(group, kind), group) for group, kind in ((rising, "metrics"), (falling, "error rates"))]
    found += [(readable_name(name), [name]) for name in metrics if name not in fractions]
    found += [(title, [name]) for name, title in _OTHER_PANELS.items() if name in names]
    return [(title, group) for title, group in found if group]


def _shared_title(names: Sequence[str], kind: str) -> str:
    return readable_name(names[0]) if len(names) == 1 else f"Validation {kind}"


def best(name: str, epochs: Sequence[float], values: Sequence[float]) -> str:
    """The best value of a column and its epoch, in words; nothing if no value is finite."""
    finite = [(value, epoch) for value, epoch in zip(values, epochs, strict=True) if math.isfinite(value)]
    value, epoch = min(finite) if lower_is_better(name) else max(finite, key=lambda pair: (pair[0], -pair[1]))
    sign = " %" if is_fraction(name) else ""
    return f"{readable_name(name.removeprefix('val_'))} {format_metric(name, float(value))}{sign} in epoch {epoch:g}"
