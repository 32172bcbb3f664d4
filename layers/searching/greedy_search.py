"""Greedy search: the likeliest symbol at each step."""

from typing import Any, NamedTuple

import tensorflow as tf

from .found import trimmed
from .step import free_rows, take


class _Rows(NamedTuple):
    """The sequences so far: last symbols, states, log probabilities, lengths, whether they go on or were truncated."""

    symbols: Any
    states: Any
    scores: Any
    lengths: Any
    goes_on: Any
    truncated: Any


def greedy_search(step, states, start, end_id, limits):
    """Takes the likeliest symbol at each step, until each row has ended or is as long as it may be.

    Of equally likely symbols the lowest is taken. A row that has `limits` symbols goes on no more: it has ended if the
    end is the likeliest there, and is truncated otherwise. Fast inside a `tf.function` only.

    Args:
        step: the step function, see `Step`.
        states: nest of tensors `(batch, ...)`, before the first step.
        start: int32 tensor `(batch,)`, the symbols before the first ones.
        end_id: int. The class that ends a sequence.
        limits: int32 tensor `(batch,)`, how many symbols a row has at most, the end not counted; at least 0.

    Returns:
        `Found`, with one sequence for each row. Its score is its log probability, with that of the end where it ended.
        A row in which no symbol is possible before the limit has found nothing.

    Raises:
        ValueError: if the number of classes is not known when the graph is built, or `end_id` is none of them.

    Example:
        >>> from seqloom.layers.searching import Step
        >>> def step(symbols, states):  # 1 follows 0, and the end, 2, follows 1
        ...     return Step(tf.math.log(tf.gather([[0.1, 0.9, 0.0], [0.3, 0.2, 0.5]], symbols)), states)
        >>> found = greedy_search(step, (), start=tf.constant([0, 0]), end_id=2, limits=tf.constant([5, 0]))
        >>> found.symbols.numpy().tolist(), found.lengths.numpy().tolist(), found.truncated.numpy().tolist()
        ([[[1]], [[0]]], [[1], [0]], [[False], [True]])
        >>> round(float(tf.exp(found.scores[0, 0])), 2)
        0.45
    """
    limits = tf.maximum(limits, 0)
    nothing = tf.zeros_like(start, tf.int32)
    no = tf.zeros_like(start, tf.bool)
    rows = _Rows(start, states, tf.zeros_like(start, tf.float32), nothing, ~no, no)
    longest = tf.reduce_max(tf.pad(limits, [[0, 1]]))  # 0 where there are no rows
    # `written[n]` is the nth symbol of each row, from 1 on
    written = tf.TensorArray(tf.int32, longest + 2, element_shape=(None,)).write(0, nothing)

    def body(length, rows, written):
        rows = _extend(length, rows, step, end_id, limits)
        return length + 1, rows, written.write(length + 1, rows.symbols)

    length, rows, written = tf.while_loop(
        lambda length, rows, written: tf.reduce_any(rows.goes_on),
        body,
        (tf.constant(0), rows, written),
        shape_invariants=(tf.TensorShape([]), free_rows(rows), tf.TensorShape(None)),
        parallel_iterations=1,
    )
    symbols = tf.transpose(written.gather(tf.range(length + 1))[1:])
    lengths = tf.where(rows.scores > float("-inf"), rows.lengths, 0)
    return trimmed(*(values[:, None] for values in (symbols, lengths, rows.scores, rows.truncated)))


def _extend(length, rows, step, end_id, limits):
    """The rows that go on, of `length` symbols, by one more."""
    log_probs, states, _ = take(step, rows.symbols, rows.states, end_id)
    totals = rows.scores[:, None] + log_probs  # what rounds to the same total is equally likely, as in a beam of one
    symbols = tf.argmax(totals, axis=-1, output_type=tf.int32)
    best = tf.reduce_max(totals, axis=-1)
    possible = best > float("-inf")  # not so where it is no number
    ends = possible & (symbols == end_id)
    stopped = rows.goes_on & ~ends & (length >= limits)
    goes_on = rows.goes_on & ~ends & ~stopped & possible
    return _Rows(
        symbols=symbols,
        states=states,
        scores=tf.where(rows.goes_on & ~stopped, tf.where(possible, best, float("-inf")), rows.scores),
        lengths=rows.lengths + tf.cast(goes_on, tf.int32),
        goes_on=goes_on,
        truncated=rows.truncated | stopped,
    )
