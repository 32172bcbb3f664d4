"""Explicit lengths, and boolean masks made of them."""

import tensorflow as tf
from keras import ops


def sequence_mask(lengths, maxlen):
    """Marks the real steps of right-padded sequences.

    Args:
        lengths: int tensor of any shape, valid steps of each sequence.
        maxlen: int or scalar int tensor, number of steps of the padded sequences.

    Returns:
        bool tensor of shape `lengths.shape + (maxlen,)`, `True` where a step is real.

    Example:
        >>> sequence_mask(ops.array([1, 3]), 3).numpy().tolist()
        [[True, False, False], [True, True, True]]
    """
    return ops.arange(maxlen, dtype="int32") < ops.expand_dims(ops.cast(lengths, "int32"), -1)


def check_lengths(lengths, steps, of="inputs"):
    """Refuses lengths that a padded sequence cannot have.

    Args:
        lengths: int32 tensor `(batch,)`.
        steps: int or scalar int tensor, number of steps of the padded sequences.
        of: str, what the sequences are, for the message.

    Returns:
        `lengths`; in a graph, only after the check.

    Raises:
        ValueError: if a length is 0 or beyond `steps`; `tf.errors.InvalidArgumentError` where a graph runs.

    Example:
        >>> check_lengths(tf.constant([2, 5]), 3)
        Traceback (most recent call last):
        ...
        ValueError: lengths must lie between 1 and the 3 steps of the inputs, got 5 in row 1
    """
    wrong = tf.logical_or(lengths < 1, lengths > steps)
    rows = tf.reshape(tf.where(wrong), [-1])[:1]  # none where all are right, also in a batch of no rows
    expected = "lengths must lie between 1 and the"
    if tf.executing_eagerly():
        for row in rows.numpy():
            raise ValueError(f"{expected} {int(steps)} steps of the {of}, got {int(lengths[row])} in row {row}")
        return lengths
    message = [expected, steps, f"steps of the {of}, got", tf.gather(lengths, rows), "in row", rows]
    with tf.control_dependencies([tf.debugging.Assert(tf.equal(tf.size(rows), 0), message)]):
        return tf.identity(lengths)
