"""What a worker process does when it is its turn; each holds one model of one contender."""

from __future__ import annotations

import time
from typing import Any

import contenders
from trees import Tree

SECONDS = 0.3  # that a turn lasts at least
WARM_UP = 8  # trees of the step before the clock starts

_held: dict[str, Any] = {}


def prepare(contender: str, cell: str, threads: int) -> None:
    """Builds the model that this process holds."""
    _held["model"] = contenders.build(contender, cell, threads)


def first_steps(batch: list[Tree], number: int) -> tuple[float, list[float]]:
    """Seconds of the first training step, which traces graphs, and the losses of the first ones, all on one batch."""
    model = _held["model"]
    model.load([batch])
    started = time.perf_counter()
    first = model.train(0)
    seconds = time.perf_counter() - started
    return seconds, [first, *(model.train(0) for _ in range(number - 1))]


def turn(batches: list[list[Tree]]) -> float:
    """Seconds of a pass, a training step on each batch; the mean over a turn.

    The first pass warms up and does not count, unless it alone takes longer than a turn.
    """
    model = _held["model"]
    model.load([batches[0][:WARM_UP]])
    model.train(0)
    model.load(batches)
    seconds = one_pass(len(batches))
    if seconds > SECONDS:
        return seconds
    passes, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < SECONDS:
        one_pass(len(batches))
        passes += 1
    return passed / passes


def one_pass(batches: int) -> float:
    """Seconds of a training step on each batch."""
    started = time.perf_counter()
    for number in range(batches):
        _held["model"].train(number)
    return time.perf_counter() - started
