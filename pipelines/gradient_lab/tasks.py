"""Three synthetic tasks that need memory, drawn afresh from a random generator, with what is known without memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SYMBOLS = 8  # that the copy task draws from
COPIED = 10  # symbols of a row that it copies
BLANK, DELIMITER = SYMBOLS, SYMBOLS + 1
FIRST_DISTRACTOR, KINDS = 2, 6  # of the temporal order task: 0 and 1 are the two symbols that count


@dataclass(frozen=True)
class SequenceTask:
    """A synthetic task at any length.

    Attributes:
        name: of the task, as in the settings.
        features: size of one step of the inputs.
        outputs: size of the answer, or of one step of it.
        every_step: whether there is an answer at each step; else at the last one.
        loss: the name of its loss in Keras, computed from outputs without a softmax if it is a cross-entropy.
        draw: `(random generator, rows, length) -> (inputs, targets)`.
        baseline: the loss of the best answer that remembers nothing, at a length.
        steps: how many steps a sequence of a length has.
    """

    name: str
    features: int
    outputs: int
    every_step: bool
    loss: str
    draw: Callable[[np.random.Generator, int, int], tuple[np.ndarray, np.ndarray]]
    baseline: Callable[[int], float]
    steps: Callable[[int], int]


def adding(random: np.random.Generator, rows: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """The adding problem: the sum of the two numbers that are marked, one in each half of the sequence.

    Numbers are uniform on [0, 1]; so the best constant answer is 1, with a mean squared error of 2 / 12 = 0.167
    (Hochreiter and Schmidhuber, 1997, in the form of Arjovsky et al., 2016).

    Args:
        random: where randomness comes from.
        rows: number of sequences.
        length: steps of each, at least 2.

    Returns:
        float32 inputs `(rows, length, 2)`, the number and the marker; float32 targets `(rows, 1)`.

    Example:
        >>> inputs, targets = adding(np.random.default_rng(0), 4, 10)
        >>> inputs.shape, inputs[..., 1].sum(axis=1).tolist()
        ((4, 10, 2), [2.0, 2.0, 2.0, 2.0])
        >>> bool(np.allclose((inputs[..., 0] * inputs[..., 1]).sum(axis=1, keepdims=True), targets))
        True
    """
    _at_least(length, 2)
    numbers = random.uniform(size=(rows, length))
    markers = np.zeros((rows, length))
    markers[np.arange(rows), random.integers(0, length // 2, rows)] = 1
    markers[np.arange(rows), random.integers(length // 2, length, rows)] = 1
    inputs = np.stack([numbers, markers], axis=-1).astype("float32")  # (rows, length, 2)
    return inputs, (inputs[..., 0] * inputs[..., 1]).sum(axis=1, keepdims=True)


def copy_memory(random: np.random.Generator, rows: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """The copy problem: ten symbols, blanks, a delimiter after `length` steps, and then the ten symbols again.

    The answer is blank until the last ten steps. Without memory they are guessed among eight symbols: a mean
    cross-entropy of `10 ln 8 / (length + 20)` (Arjovsky et al., 2016).

    Args:
        random: where randomness comes from.
        rows: number of sequences.
        length: `T` of the paper, at least 1; a sequence has `T + 20` steps.

    Returns:
        float32 inputs `(rows, length + 20, 10)`, one-hot; int32 targets `(rows, length + 20)`.

    Example:
        >>> inputs, targets = copy_memory(np.random.default_rng(0), 1, 3)
        >>> inputs[0].argmax(axis=-1).tolist()
        [6, 5, 4, 2, 2, 0, 0, 0, 1, 6, 8, 8, 9, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8]
        >>> targets[0].tolist()
        [8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 6, 5, 4, 2, 2, 0, 0, 0, 1, 6]
    """
    _at_least(length, 1)
    symbols = random.integers(0, SYMBOLS, (rows, COPIED))
    inputs = np.full((rows, length + 2 * COPIED), BLANK)
    targets = np.full((rows, length + 2 * COPIED), BLANK, dtype="int32")
    inputs[:, :COPIED] = symbols
    inputs[:, COPIED + length - 1] = DELIMITER
    targets[:, -COPIED:] = symbols
    return _one_hot(inputs, SYMBOLS + 2), targets


def temporal_order(random: np.random.Generator, rows: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """The temporal order problem: which of two symbols stood at each of two places among distractors.

    The places lie in [T/10, 2T/10) and [4T/10, 5T/10), the four distractors everywhere else (Hochreiter and
    Schmidhuber, 1997, in the form of Pascanu et al., 2013). All four answers are equally frequent: a guess costs ln 4.

    Args:
        random: where randomness comes from.
        rows: number of sequences.
        length: `T`, steps of each, at least 10.

    Returns:
        float32 inputs `(rows, length, 6)`, one-hot; int32 targets `(rows,)`, 2 * first + second.

    Example:
        >>> inputs, targets = temporal_order(np.random.default_rng(0), 2, 10)
        >>> inputs.argmax(axis=-1).tolist(), targets.tolist()
        ([[5, 0, 4, 3, 1, 2, 2, 2, 2, 5], [4, 1, 4, 4, 0, 4, 4, 4, 4, 5]], [1, 2])
    """
    _at_least(length, 10)
    symbols = random.integers(FIRST_DISTRACTOR, KINDS, (rows, length))
    chosen = random.integers(0, 2, (rows, 2))
    for which, (low, high) in enumerate(((1, 2), (4, 5))):
        places = random.integers(low * length // 10, high * length // 10, rows)
        symbols[np.arange(rows), places] = chosen[:, which]
    return _one_hot(symbols, KINDS), (2 * chosen[:, 0] + chosen[:, 1]).astype("int32")


def _one_hot(symbols: np.ndarray, kinds: int) -> np.ndarray:
    return np.eye(kinds, dtype="float32")[symbols]


def _at_least(length: int, least: int) -> None:
    if length < least:
        raise ValueError(f"length must be at least {least}, got length={length}")


ADDING = SequenceTask(
    name="adding",
    features=2,
    outputs=1,
    every_step=False,
    loss="mean_squared_error",
    draw=adding,
    baseline=lambda length: 2 / 12,  # the variance of the sum of two uniform numbers
    steps=lambda length: length,
)
COPY = SequenceTask(
    name="copy",
    features=SYMBOLS + 2,
    outputs=SYMBOLS + 1,
    every_step=True,
    loss="sparse_categorical_crossentropy",
    draw=copy_memory,
    baseline=lambda length: COPIED * math.log(SYMBOLS) / (length + 2 * COPIED),
    steps=lambda length: length + 2 * COPIED,
)
ORDER = SequenceTask(
    name="order",
    features=KINDS,
    outputs=4,
    every_step=False,
    loss="sparse_categorical_crossentropy",
    draw=temporal_order,
    baseline=lambda length: math.log(4),
    steps=lambda length: length,
)
TASKS = {task.name: task for task in (ADDING, COPY, ORDER)}
