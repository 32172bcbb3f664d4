"""A back-off n-gram model as constant tensors."""

import tensorflow as tf


class NgramTables(tf.Module):
    """Looks up what a word's log probability is after a history, and which history follows.

    Words and histories are numbers; history 0 is the empty one. The n-grams are found by binary search among sorted
    keys, `history * words + word`; where one is not known, the shorter histories are tried, all in one search.

    Args:
        keys: int64 array `(ngrams,)`, ascending; all words after history 0 are among them.
        log_probabilities: float array `(ngrams,)`.
        following: int array `(ngrams,)`, the history after each n-gram.
        chains: int array `(histories, order)`, each history, its next shorter one, and so on; the last ones are 0.
        backoffs: float array `(histories, order)`, log of the weight with which each of them is used.
        words: int. How many words there are.

    Example:
        >>> tables = NgramTables([0, 1, 3], [-1.0, -2.0, -0.5], [1, 0, 0], [[0, 0], [1, 0]], [[0, 0], [0, -3]], words=2)
        >>> log_probabilities, following = tables(tf.constant([0, 1, 1]), tf.constant([0, 0, 1]))
        >>> log_probabilities.numpy().tolist(), following.numpy().tolist()
        ([-1.0, -4.0, -0.5], [1, 1, 0])
    """

    def __init__(self, keys, log_probabilities, following, chains, backoffs, words):
        super().__init__(name="ngram_tables")
        self.keys = tf.constant(keys, tf.int64)
        self.log_probabilities = tf.constant(log_probabilities, tf.float32)
        self.following = tf.constant(following, tf.int32)
        self.chains = tf.constant(chains, tf.int64)
        self.backoffs = tf.reshape(tf.constant(backoffs, tf.float32), [-1])
        self.words = words
        self.order = self.chains.shape[1]

    def __call__(self, histories, words):
        """Looks up words, each after its own history.

        Args:
            histories: int32 tensor of any shape.
            words: int32 tensor of the same shape.

        Returns:
            log_probabilities: float32 tensor of that shape.
            following: int32 tensor of that shape.
        """
        shape = tf.shape(words)
        histories, words = tf.reshape(histories, [-1]), tf.reshape(words, [-1])
        wanted = tf.gather(self.chains, histories) * self.words + tf.cast(words, tf.int64)[:, None]  # (rows, order)
        places = tf.reshape(tf.searchsorted(self.keys, tf.reshape(wanted, [-1])), tf.shape(wanted))
        places = tf.minimum(places, self.keys.shape[0] - 1)
        known = tf.gather(self.keys, places) == wanted
        first = tf.argmax(tf.cast(known, tf.int8), axis=1, output_type=tf.int32)
        place = tf.gather(places, first, batch_dims=1)
        log_probabilities = tf.gather(self.log_probabilities, place)
        log_probabilities += tf.gather(self.backoffs, histories * self.order + first)
        return tf.reshape(log_probabilities, shape), tf.reshape(tf.gather(self.following, place), shape)
