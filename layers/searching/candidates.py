"""The best ways to go on from the beams of a row."""

import math

import tensorflow as tf


def best_candidates(log_probs, totals, count):
    """Finds the best sums `totals + log_probs` of each row; of equal ones those of the lowest beam and class.

    To look at each of some ten thousand candidates takes `tf.math.top_k` longer than small decoders take for their
    step. So blocks of classes are ranked by their best one, which is fast to find, and only the classes in the `count`
    best blocks are candidates: the `count` best ones cannot lie elsewhere.

    Args:
        log_probs: float32 tensor `(batch * beams, classes)`, the number of classes known.
        totals: float32 tensor `(batch, beams)`, the number of beams known.
        count: int. At most `beams * classes`.

    Returns:
        sums: float32 tensor `(batch, count)`, best first; a sum that is no number counts as `-inf`.
        beams: int32 tensor `(batch, count)`.
        classes: int32 tensor `(batch, count)`. Where the sum is `-inf`, beam and class are any.

    Example:
        >>> log_probs = tf.constant([[-4.0, -1.0, -2.0], [-1.0, -3.0, -4.0]])
        >>> sums, beams, classes = best_candidates(log_probs, tf.constant([[0.0, -0.5]]), 3)
        >>> sums.numpy().tolist(), beams.numpy().tolist(), classes.numpy().tolist()
        ([[-1.0, -1.5, -2.0]], [[0, 1, 0]], [[1, 0, 2]])
    """
    last_class = log_probs.shape[-1] - 1
    size, padding = _block_size(log_probs.shape[-1])
    if padding:
        log_probs = tf.pad(log_probs, [[0, 0], [0, padding]], constant_values=float("-inf"))
    width, blocks_of_beam = totals.shape[-1], log_probs.shape[-1] // size
    blocks = tf.reshape(log_probs, (-1, width, blocks_of_beam, size))
    best = _numbers(totals[..., None] + tf.reduce_max(blocks, axis=-1))
    best = tf.reshape(best, (-1, width * blocks_of_beam))
    chosen = tf.math.top_k(best, min(count, best.shape[-1])).indices
    chosen = tf.sort(chosen)  # so that the lowest of equal candidates comes first
    inside = tf.gather(tf.reshape(blocks, (-1, width * blocks_of_beam, size)), chosen, batch_dims=1)
    sums = _numbers(tf.gather(totals, chosen // blocks_of_beam, batch_dims=1)[..., None] + inside)
    sums, places = tf.math.top_k(tf.reshape(sums, (-1, chosen.shape[-1] * size)), count)
    block = tf.gather(chosen, places // size, batch_dims=1)
    classes = tf.minimum(block % blocks_of_beam * size + places % size, last_class)  # beyond it all are impossible
    return sums, block // blocks_of_beam, classes


def _block_size(classes):
    """How many classes are in a block, and how many are missing in the last one.

    With `s` classes in a block, `beams * classes / s` blocks are ranked, then `2 * beams * s` candidates: least for
    `s = sqrt(classes / 2)`. A multiple of 8 near it is fast to reduce, and one that divides `classes` saves a copy.
    """
    ideal = math.isqrt(classes // 2)
    near = [size for size in range(8, 2 * ideal + 1, 8) if size >= ideal // 2] or [8]
    near.sort(key=lambda size: abs(size - ideal))
    size = next((size for size in near if classes % size == 0), near[0])
    return size, -classes % size


def _numbers(sums):
    return tf.where(sums > float("-inf"), sums, float("-inf"))
