"""Vectors of one word near to each other, and far from those of others."""

import tensorflow as tf

_NEVER = float("-inf")


def contrastive_loss(vectors, partners, labels, temperature=0.1):
    """The cost of finding each row's partner among those of the whole batch.

    `-log softmax_j(cos(v_i, p_j) / temperature)` at `j = i`; partners of the same label as row `i`, other than its own,
    do not stand in the sum (Sohn, 2016; Khosla et al., 2020, leave them out alike).

    Args:
        vectors: float tensor `(batch, size)`.
        partners: float tensor `(batch, size)`, row `i` something of the same label as row `i` of `vectors`.
        labels: int tensor `(batch,)`.
        temperature: float, positive.

    Returns:
        float32 tensor `(batch,)`, at least 0.

    Raises:
        ValueError: if the temperature is not positive.

    Example:
        >>> same = tf.constant([[1.0, 0.0], [0.0, 1.0]])
        >>> loss = contrastive_loss(same, same, tf.constant([3, 7]), temperature=1.0)
        >>> [round(float(each), 3) for each in loss]  # log(1 + exp(-1))
        [0.313, 0.313]

    References:
        Sohn (2016), Improved deep metric learning with multi-class N-pair loss objective.
        Khosla et al. (2020), Supervised contrastive learning.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be positive, got temperature={temperature}")
    vectors, partners = (tf.math.l2_normalize(tf.cast(each, tf.float32), axis=-1) for each in (vectors, partners))
    scores = tf.matmul(vectors, partners, transpose_b=True) / temperature  # (batch, batch)
    own = tf.eye(tf.shape(scores)[0], dtype=tf.bool)
    alike = (labels[:, None] == labels[None, :]) & ~own
    return tf.reduce_logsumexp(tf.where(alike, _NEVER, scores), axis=-1) - tf.linalg.diag_part(scores)
