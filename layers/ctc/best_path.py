"""Best path decoding: the likeliest class of each frame."""

import tensorflow as tf

from ..masking import sequence_mask


def best_path(logits, lengths):
    """Takes the likeliest class of each frame, collapses repeats, then drops blanks (Graves et al., 2006).

    Args:
        logits: float tensor `(batch, time, n + 1)`, scores before the softmax, the blank last.
        lengths: int32 tensor `(batch,)`, valid frames of each row.

    Returns:
        labels: int32 tensor `(batch, time)`, class numbers, -1 past the row's labels.
        label_lengths: int32 tensor `(batch,)`.
        scores: float32 tensor `(batch,)`, log probability of the path, which is one of the alignments of the text.

    Example:
        >>> logits = 9.0 * tf.one_hot([[0, 0, 2, 0, 1]], 3)  # aa-ab
        >>> labels, label_lengths, _ = best_path(logits, tf.constant([5]))
        >>> labels.numpy().tolist(), label_lengths.numpy().tolist()
        ([[0, 0, 1, -1, -1]], [3])

    References:
        Graves, Fernandez, Gomez and Schmidhuber (2006), Connectionist temporal classification.
    """
    log_probabilities = tf.nn.log_softmax(tf.cast(logits, tf.float32))
    blank = tf.shape(logits)[2] - 1
    real = sequence_mask(lengths, tf.shape(logits)[1])
    path = tf.argmax(log_probabilities, axis=-1, output_type=tf.int32)  # (batch, time)
    before = tf.pad(path[:, :-1], [[0, 0], [1, 0]], constant_values=-1)
    labels, label_lengths = compact(path, (path != blank) & (path != before) & real)
    scores = tf.reduce_sum(tf.where(real, tf.reduce_max(log_probabilities, axis=-1), 0.0), axis=-1)
    return labels, label_lengths, scores


def compact(labels, kept):
    """Moves the labels that are kept to the front of their rows.

    Args:
        labels: int32 tensor `(rows, time)`.
        kept: bool tensor `(rows, time)`.

    Returns:
        labels: int32 tensor `(rows, time)`, -1 past the kept ones.
        label_lengths: int32 tensor `(rows,)`.

    Example:
        >>> labels, label_lengths = compact(tf.constant([[7, 8, 9]]), tf.constant([[False, True, True]]))
        >>> labels.numpy().tolist(), label_lengths.numpy().tolist()
        ([[8, 9, -1]], [2])
    """
    count = tf.cumsum(tf.cast(kept, tf.int32), axis=1)
    places = tf.where(kept)  # (labels that are kept, 2)
    targets = tf.stack([tf.cast(places[:, 0], tf.int32), tf.gather_nd(count, places) - 1], axis=1)
    front = tf.tensor_scatter_nd_update(tf.fill(tf.shape(labels), -1), targets, tf.gather_nd(labels, places))
    return front, tf.reduce_sum(tf.cast(kept, tf.int32), axis=1)
