"""The CTC loss over true lengths."""

import tensorflow as tf

from ..masking import sequence_mask

# TensorFlow's kernel for CPUs takes the logarithm of probabilities, which would be zero from about 87 on
_WIDEST = 70.0


def ctc_loss(logits, logit_lengths, labels, label_lengths, dense=False):
    """Computes `-log p(labels | logits)`, summed over all alignments (Graves et al., 2006).

    The blank is the last class. Everything is computed in float32, whatever the dtype of the logits: in half
    precision the sums of a long recording overflow. Logits that lie more than 70 below the largest one of their frame
    count as 70 below it, and still get their gradient.

    Args:
        logits: float tensor `(batch, time, n + 1)`, scores before the softmax.
        logit_lengths: int32 tensor `(batch,)`, valid frames of each row.
        labels: int32 tensor `(batch, longest)`, class numbers from 0 to n - 1; what stands past
            `label_lengths` does not count.
        label_lengths: int32 tensor `(batch,)`, labels of each row; may be 0.
        dense: bool. Whether to use TensorFlow's implementation for accelerators that compile with XLA, which is
            several times slower on a CPU. Defaults to `False`.

    Returns:
        float32 tensor `(batch,)`, in nats; infinite, and with a gradient of zero, where no alignment exists (see
        `feasible`).

    Example:
        >>> logits = tf.math.log([[[0.6, 0.4], [0.6, 0.4]]])  # the label a and the blank, in two frames
        >>> loss = ctc_loss(logits, tf.constant([2]), tf.constant([[0]]), tf.constant([1]))
        >>> round(float(tf.exp(-loss[0])), 4)  # aa, a-, -a
        0.84

    References:
        Graves, Fernandez, Gomez and Schmidhuber (2006), Connectionist temporal classification.
    """
    logits = _within_reach(tf.cast(logits, tf.float32))
    label_lengths = tf.cast(label_lengths, tf.int32)
    labels = tf.pad(tf.cast(labels, tf.int32), [[0, 0], [0, 1]])
    possible = feasible(logit_lengths, labels, label_lengths)
    # TensorFlow refuses rows of no labels and rows without an alignment: both are computed as one label, and replaced
    whole = possible & (label_lengths > 0)
    labels = tf.where(whole[:, None] & sequence_mask(label_lengths, tf.shape(labels)[1]), labels, 0)
    counted = tf.where(whole, label_lengths, 1)
    if dense:
        targets = {"labels": labels, "label_length": counted}
    else:
        places = tf.where(sequence_mask(counted, tf.shape(labels)[1]))
        shape = tf.shape(labels, out_type=tf.int64)
        targets = {"labels": tf.SparseTensor(places, tf.gather_nd(labels, places), shape), "label_length": None}
    loss = tf.nn.ctc_loss(
        logits=logits,
        logit_length=tf.cast(logit_lengths, tf.int32),
        logits_time_major=False,
        blank_index=-1,
        **targets,
    )
    real = sequence_mask(logit_lengths, tf.shape(logits)[1])
    blanks = tf.where(real, tf.nn.log_softmax(logits)[..., -1], 0.0)
    loss = tf.where(label_lengths > 0, loss, -tf.reduce_sum(blanks, axis=1))
    return tf.where(possible, loss, float("inf"))


def feasible(logit_lengths, labels, label_lengths):
    """Tells which rows have an alignment at all: a frame for each label, and one for a blank between equal ones.

    Args:
        logit_lengths: int32 tensor `(batch,)`, valid frames of each row.
        labels: int32 tensor `(batch, longest)`; what stands past `label_lengths` does not count.
        label_lengths: int32 tensor `(batch,)`, labels of each row.

    Returns:
        bool tensor `(batch,)`.

    Example:
        >>> labels = tf.constant([[0, 1], [0, 0]])
        >>> feasible(tf.constant([2, 2]), labels, tf.constant([2, 2])).numpy().tolist()
        [True, False]
    """
    label_lengths = tf.cast(label_lengths, tf.int32)
    inside = sequence_mask(label_lengths - 1, tf.maximum(tf.shape(labels)[1] - 1, 0))
    repeats = tf.logical_and(labels[:, 1:] == labels[:, :-1], inside)
    blanks = tf.reduce_sum(tf.cast(repeats, tf.int32), axis=1)
    return label_lengths + blanks <= tf.cast(logit_lengths, tf.int32)


def _within_reach(logits):
    lowest = tf.reduce_max(logits, axis=-1, keepdims=True) - _WIDEST
    return logits + tf.stop_gradient(tf.maximum(logits, lowest) - logits)
