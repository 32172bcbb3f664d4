"""What a search finds."""

from typing import Any, NamedTuple

import tensorflow as tf

from ..masking import sequence_mask


class Found(NamedTuple):
    """The best sequences of each row, best first.

    Attributes:
        symbols: int32 tensor `(batch, n_best, longest)`, without start and end, 0 past the length; `longest` is the
            greatest of the lengths.
        lengths: int32 tensor `(batch, n_best)`.
        scores: float32 tensor `(batch, n_best)`; `-inf`, with length 0, where a row has fewer sequences.
        truncated: bool tensor `(batch, n_best)`, whether the sequence reached the row's limit and did not end there.
    """

    symbols: Any
    lengths: Any
    scores: Any
    truncated: Any


def trimmed(symbols, lengths, scores, truncated):
    """Makes a `Found` of symbols that hold anything past the lengths, and of lengths that may be longer than needed.

    Args:
        symbols: int32 tensor `(batch, n_best, time)`.
        lengths: int32 tensor `(batch, n_best)`, at most `time`.
        scores: float32 tensor `(batch, n_best)`.
        truncated: bool tensor `(batch, n_best)`.

    Example:
        >>> found = trimmed(tf.constant([[[4, 5, 6]]]), tf.constant([[2]]), tf.zeros((1, 1)), tf.constant([[False]]))
        >>> found.symbols.numpy().tolist()
        [[[4, 5]]]
    """
    longest = tf.reduce_max(tf.pad(tf.reshape(lengths, [-1]), [[0, 1]]))  # 0 where there are no rows
    symbols = tf.where(sequence_mask(lengths, longest), symbols[:, :, :longest], 0)
    return Found(symbols, lengths, scores, truncated)
