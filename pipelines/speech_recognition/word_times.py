"""From characters with times to words with times."""

from __future__ import annotations

import tensorflow as tf


def words_of(
    characters: tf.Tensor, lengths: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor, log_probabilities: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Joins the characters between spaces.

    Args:
        characters: string `(batch, longest)`.
        lengths: int32 `(batch,)`, how many of them count.
        starts: int32 `(batch, longest)`, the step at which each begins.
        ends: int32 `(batch, longest)`, the step at which each has ended.
        log_probabilities: float32 `(batch, longest)`.

    Returns:
        `words` (string), `starts`, `ends` (int32, from the first character to the last one) and `confidences`
        (float32, the geometric mean of the characters' probabilities), each `(batch, most words)`, padded with `""`
        and zeros.

    Example:
        >>> found = words_of(
        ...     tf.constant([["n", "o", " ", "a"]]), tf.constant([4]), tf.constant([[1, 2, 4, 6]]),
        ...     tf.constant([[2, 4, 5, 9]]), tf.math.log([[0.5, 0.5, 0.1, 1.0]]),
        ... )
        >>> found["words"].numpy().tolist(), found["starts"].numpy().tolist(), found["ends"].numpy().tolist()
        ([[b'no', b'a']], [[1, 6]], [[4, 9]])
    """
    letters = tf.sequence_mask(lengths, tf.shape(characters)[1]) & (characters != " ")
    before = tf.pad(letters[:, :-1], [[0, 0], [1, 0]])
    number = tf.cumsum(tf.cast(letters & ~before, tf.int32), axis=1) - 1  # of the word that a letter belongs to
    most = tf.reduce_max(tf.concat([tf.reshape(number, [-1]) + 1, [0]], axis=0))
    rows = tf.shape(characters)[0]
    segments = tf.boolean_mask(number + most * tf.range(rows)[:, None], letters)

    def of_words(values: tf.Tensor, reduce: tf.types.experimental.GenericFunction) -> tf.Tensor:
        return tf.reshape(reduce(tf.boolean_mask(values, letters), segments, most * rows), [rows, most])

    words = of_words(characters, tf.strings.unsorted_segment_join)
    means = tf.exp(of_words(log_probabilities, tf.math.unsorted_segment_mean))
    real = words != ""
    return {
        "words": words,
        "starts": tf.where(real, of_words(starts, tf.math.unsorted_segment_min), 0),
        "ends": tf.where(real, of_words(ends, tf.math.unsorted_segment_max), 0),
        "confidences": tf.where(real, means, 0.0),
    }
