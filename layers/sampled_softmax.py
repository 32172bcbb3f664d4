"""The loss of a softmax over many words, from a sample of them."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from .custom_gradient import custom_gradient


def inclusion_probabilities(words, expected):
    """How likely each word is to stand in a sample, if each is drawn independently of the others.

    `pi_i = 1 - exp(-t q_i)` with the log-uniform `q_i = log((i + 2) / (i + 1)) / log(words + 1)`, which is near the
    frequencies of words where ids are sorted by frequency; `t` is such that a sample has `expected` words on average.

    Args:
        words: int. Number of words.
        expected: int, at least 1. From `words` on every word stands in every sample.

    Returns:
        float32 array `(words,)`.

    Example:
        >>> probabilities = inclusion_probabilities(1000, 50)
        >>> round(float(probabilities.sum()), 2), bool(probabilities[0] > probabilities[999])
        (50.0, True)
    """
    if expected < 1:
        raise ValueError(f"expected must be a positive integer, got expected={expected}")
    if expected >= words:
        return np.ones(words, np.float32)
    ids = np.arange(words)
    shares = np.log((ids + 2) / (ids + 1)) / np.log(words + 1)  # q
    low, high = 0.0, 1.0
    while -np.expm1(-high * shares).sum() < expected:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if -np.expm1(-middle * shares).sum() < expected else (low, middle)
    return -np.expm1(-high * shares).astype(np.float32)


def sampled_words(probabilities, seed):
    """Draws the words of a sample.

    Args:
        probabilities: float tensor `(words,)`, from `inclusion_probabilities`.
        seed: `keras.random.SeedGenerator`.

    Returns:
        int32 tensor `(sample,)`, distinct ids; its size varies.
    """
    drawn = keras.random.uniform(tf.shape(probabilities), seed=seed) < probabilities
    return ops.cast(tf.where(drawn)[:, 0], "int32")


def sampled_softmax_loss(inputs, targets, embeddings, biases, sample, probabilities):
    """The cross entropy of a softmax over a sample of words and the target.

    `-log softmax(s - log pi)_target` over the target and the sample, with the scores `s = E x + b`. What was sampled
    with probability `pi` counts `1 / pi`; that makes the softmax over all words the one that minimises the loss,
    whatever the size of the sample (Jean et al., 2015, section 3). If every word is sampled, it is the plain loss.

    Args:
        inputs: float tensor `(n, size)`, `x`.
        targets: int32 tensor `(n,)`.
        embeddings: float tensor `(words, size)`, `E`.
        biases: float tensor `(words,)`, `b`.
        sample: int32 tensor `(sample,)`, distinct ids.
        probabilities: float tensor `(words,)`, `pi`.

    Returns:
        float tensor `(n,)`.

    Example:
        >>> everything = tf.range(3), tf.ones(3)
        >>> loss = sampled_softmax_loss(tf.ones((1, 2)), tf.constant([2]), tf.eye(3, 2), tf.zeros(3), *everything)
        >>> round(float(loss[0]), 4), round(float(np.log(2 * np.e + 1)), 4)
        (1.862, 1.862)

    References:
        Jean, Cho, Memisevic and Bengio (2015), On using very large target vocabulary for neural machine translation.
    """
    biases = biases - tf.math.log(probabilities)
    own = tf.reduce_sum(inputs * tf.gather(embeddings, targets), axis=-1) + tf.gather(biases, targets)
    scores = tf.matmul(inputs, tf.gather(embeddings, sample), transpose_b=True) + tf.gather(biases, sample)
    excess = _log_sum_exp(scores) - own
    marks = tf.scatter_nd(sample[:, None], tf.ones_like(sample), tf.shape(probabilities))
    # the score of a target that was sampled too is in the sum already
    return tf.where(tf.gather(marks, targets) > 0, excess, tf.nn.softplus(excess))


def softmax_loss(inputs, targets, embeddings, biases):
    """The cross entropy of the softmax over all words; arguments as in `sampled_softmax_loss`.

    Returns:
        float tensor `(n,)`.
    """
    scores = tf.matmul(inputs, embeddings, transpose_b=True) + biases
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=scores)


@custom_gradient
def _log_sum_exp(scores):
    """Of each row `(n, words)`; half the passes over memory of `tf.reduce_logsumexp`. Of no words it is -inf."""
    top = tf.maximum(tf.reduce_max(scores, axis=-1, keepdims=True), scores.dtype.min)
    powers = tf.exp(scores - top)
    sums = tf.reduce_sum(powers, axis=-1, keepdims=True)

    def gradient(upstream):
        return powers * (upstream[:, None] / sums)

    return tf.squeeze(top + tf.math.log(sums), axis=-1), gradient
