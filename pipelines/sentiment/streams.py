"""Texts as streams of words, which a language model reads in parallel rows and in windows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from ..batching import Tensors
from ..vocabulary import END, PADDING


class Streams:
    """Texts joined to one stream, which is read in parallel rows and in windows.

    Every word of every text is a target once in each direction, and so is one `[end]` a text; what fills the last row
    up weighs nothing. The first step of an epoch, and the step that reads an `[end]`, begin with states of zero.

    Args:
        texts: int32 `(texts, None)`, the ids of the words.
        directions: of `LanguageModel`.
        rows: int. How many parts are read side by side.
        steps: int. Length of a window; the last one may be shorter.
        seed: int or `None`. Of the order of the texts; `None` leaves it as it is.

    Example:
        >>> streams = Streams(tf.ragged.constant([[4, 5], [6]], tf.int32), ("forward",), rows=1, steps=3)
        >>> [targets["forward"].numpy().tolist() for _, targets, _ in streams.windows(0).take(2)]
        [[[4, 5, 3]], [[6, 3]]]
    """

    def __init__(
        self, texts: tf.RaggedTensor, directions: Sequence[str], rows: int, steps: int, seed: int | None = None
    ) -> None:
        self._words, self._splits = texts.values.numpy(), texts.row_splits.numpy()
        self._directions, self._rows, self._steps, self._seed = tuple(directions), rows, steps, seed

    def __len__(self) -> int:
        """Windows of an epoch."""
        texts = len(self._splits) - 1
        return math.ceil(math.ceil((len(self._words) + texts) / self._rows) / self._steps)

    def windows(self, first_epoch: int) -> tf.data.Dataset:
        """The windows of `first_epoch` and all later epochs as `(inputs, targets, weights)`."""
        directions, steps = self._directions, self._steps

        def of_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
            table = tf.numpy_function(self._table, [epoch], tf.int32, stateful=False)
            table = tf.ensure_shape(table, [len(directions), 2, self._rows, None])
            return tf.data.Dataset.range(len(self)).map(lambda window: cut(table, window))

        def cut(table: tf.Tensor, window: tf.Tensor) -> tuple[Tensors, Tensors, Tensors]:
            part = table[:, :, :, window * steps : (window + 1) * steps]
            inputs: Tensors = {}
            targets: Tensors = {}
            weights: Tensors = {}
            first = tf.equal(tf.range(tf.shape(part, tf.int64)[-1]) + window, 0)  # of the epoch
            for number, direction in enumerate(directions):
                words, following = part[number, 0], part[number, 1]
                inputs |= {direction: words, f"{direction}_reset": (words == END) | first}
                targets[direction] = following
                counts = tf.cast(following != PADDING, tf.float32)
                weights[direction] = tf.math.divide_no_nan(counts, tf.reduce_sum(counts) * len(directions))
            return inputs, targets, weights

        dataset = tf.data.Dataset.range(first_epoch, np.iinfo(np.int64).max).flat_map(of_epoch)
        return dataset.prefetch(tf.data.AUTOTUNE)

    def _table(self, epoch: np.ndarray) -> np.ndarray:
        """What is read, and what follows it: `(directions, 2, rows, time)`."""
        forward = self._stream(int(epoch))
        streams = {"forward": forward, "backward": forward[::-1]}
        return np.stack([self._in_rows(streams[direction]) for direction in self._directions])

    def _stream(self, epoch: int) -> np.ndarray:
        """An `[end]`, and each text with an `[end]` after it."""
        order = np.arange(len(self._splits) - 1)
        if self._seed is not None:
            order = np.random.default_rng((self._seed, epoch)).permutation(order)
        lengths = np.diff(self._splits)[order]
        starts = np.cumsum(lengths) - lengths  # of the texts among the words, in the new order
        places = np.repeat(self._splits[:-1][order] - starts, lengths) + np.arange(len(self._words))
        stream = np.full(len(self._words) + len(order) + 1, END, np.int32)
        is_word = np.ones(len(stream), bool)
        is_word[0] = False
        is_word[np.cumsum(lengths + 1)] = False
        stream[is_word] = self._words[places]
        return stream

    def _in_rows(self, stream: np.ndarray) -> np.ndarray:
        """Inputs and targets, `(2, rows, time)`."""
        time = math.ceil((len(stream) - 1) / self._rows)
        rows = np.full((2, self._rows * time), PADDING, np.int32)
        rows[0, : len(stream) - 1], rows[1, : len(stream) - 1] = stream[:-1], stream[1:]
        return rows.reshape(2, self._rows, time)


def first_texts(texts: tf.RaggedTensor, words: int) -> tf.RaggedTensor:
    """The first texts with that many words in all, at least one text.

    Example:
        >>> first_texts(tf.ragged.constant([[4, 5], [6], [7]]), 3).to_list()
        [[4, 5], [6]]
    """
    return texts[: max(1, int(np.searchsorted(texts.row_splits.numpy()[1:], words, side="right")))]
