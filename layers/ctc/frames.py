"""Log posteriors of frames, as the searches read them."""

import tensorflow as tf

from ..masking import sequence_mask

# the log probability of what cannot happen: finite, so that the difference of two of them is not NaN
IMPOSSIBLE = -1e30
# what lies below is a sum with one of them in it
LOWEST_POSSIBLE = -1e20


def log_posteriors(logits, lengths):
    """Computes log probabilities frame by frame, time first.

    Frames past a row's length are certain blanks: they change no text, and a search need not know of lengths.

    Args:
        logits: float tensor `(batch, time, n + 1)`, scores before the softmax, the blank last.
        lengths: int32 tensor `(batch,)`, valid frames of each row.

    Returns:
        float32 tensor `(time, batch, n + 1)`, at least `IMPOSSIBLE`, which is also what a frame with a NaN holds.

    Raises:
        ValueError: if the number of classes is not known.

    Example:
        >>> frames = log_posteriors(tf.zeros((1, 2, 2)), tf.constant([1]))
        >>> tf.exp(frames).numpy().tolist()
        [[[0.5, 0.5]], [[0.0, 1.0]]]
    """
    classes = logits.shape[-1]
    if classes is None:
        raise ValueError(f"logits must have a known number of classes, got shape {tuple(logits.shape)}")
    frames = tf.nn.log_softmax(tf.cast(logits, tf.float32))
    frames = tf.where(frames > IMPOSSIBLE, frames, IMPOSSIBLE)  # also what is no number
    certain = tf.where(tf.range(classes) == classes - 1, 0.0, IMPOSSIBLE)
    real = sequence_mask(lengths, tf.shape(logits)[1])
    return tf.transpose(tf.where(real[..., None], frames, certain), (1, 0, 2))
