"""A linear classifier of the units of a text that starts as naive Bayes."""

import keras
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable(package="seqloom")
class NaiveBayesLinear(keras.layers.Layer):
    """Adds up for each class the log-count ratios of the distinct units of a text, each scaled by a learnt weight.

    `s_k = b_k + sum_j u_j r_jk` over the units `j` that occur in the text, however often. The ratios `r` are counted on
    the training texts and fixed; the weights `u` start equal, so that the layer starts as multinomial naive Bayes of
    binary features, and what is learnt lies between it and a linear classifier (Wang and Manning, 2012, fit an SVM to
    the same features).

    Args:
        entries: int. Number of units, entry 0 included, which counts for nothing.
        classes: int.
        start: float. What the weights start at. Defaults to `0.1`.
        dropout: float in [0, 1). Share of a text's units left out in training. Defaults to `0.0`.
        ratios_initializer: of the ratios, until they are assigned. Defaults to `"zeros"`.
        scale_regularizer: of the weights, such as `keras.regularizers.L2`, without which those of rare units learn
            single texts by heart. Defaults to `None`.
        seed: int or `None`. Of the dropout. Defaults to `None`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        ids: int32 tensor `(batch, units)`, in any order, with repeats; 0 for nothing.
        training: bool. Whether dropout applies.

    Returns:
        float tensor `(batch, classes)`, scores without a softmax.

    Raises:
        ValueError: if `entries`, `classes` or `dropout` is out of its range.

    Example:
        >>> layer = NaiveBayesLinear(entries=3, classes=2, start=1.0)
        >>> layer.build((None, None))
        >>> _ = layer.ratios.assign([[0, 0], [2, -2], [-1, 1]])
        >>> layer(keras.ops.array([[1, 1, 0], [1, 2, 2]])).numpy().tolist()
        [[2.0, -2.0], [1.0, -1.0]]

    References:
        Wang and Manning (2012), Baselines and bigrams: simple, good sentiment and topic classification.
    """

    def __init__(
        self,
        entries,
        classes,
        start=0.1,
        dropout=0.0,
        ratios_initializer="zeros",
        scale_regularizer=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value, least in (("entries", entries, 1), ("classes", classes, 2)):
            if not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be an integer of at least {least}, got {name}={value}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got dropout={dropout}")
        self.entries = entries
        self.classes = classes
        self.start = start
        self.dropout = dropout
        self.ratios_initializer = keras.initializers.get(ratios_initializer)
        self.scale_regularizer = keras.regularizers.get(scale_regularizer)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed) if dropout else None

    def build(self, ids_shape):
        shape = (self.entries, self.classes)
        self.ratios = self.add_weight(name="ratios", shape=shape, initializer=self.ratios_initializer, trainable=False)
        start = keras.initializers.Constant(self.start)
        self.scale = self.add_weight(
            name="scale", shape=(self.entries, 1), initializer=start, regularizer=self.scale_regularizer
        )
        self.bias = self.add_weight(name="bias", shape=(self.classes,), initializer="zeros")

    def call(self, ids, training=None):
        ids = tf.sort(ops.cast(ids, "int32"), axis=1)
        before = tf.pad(ids[:, :-1], [[0, 0], [1, 0]])  # a unit counts where it differs from the one before
        counts = ops.cast(ids != before, self.compute_dtype)
        if training and self.dropout:
            counts = keras.random.dropout(counts, self.dropout, seed=self.seed_generator)
        scores = self.unit_scores(ids) * counts[:, :, None]
        return ops.sum(scores, axis=1) + ops.cast(self.bias, self.compute_dtype)

    def unit_scores(self, ids):
        """What a unit adds to the score of each class, `(..., classes)`, of ids of any shape."""
        ratios = ops.take(ops.cast(self.ratios, self.compute_dtype), ids, axis=0)
        return ratios * ops.take(ops.cast(self.scale, self.compute_dtype), ids, axis=0)

    def compute_output_shape(self, ids_shape):
        return (ids_shape[0], self.classes)

    def get_config(self):
        names = ("entries", "classes", "start", "dropout", "seed")
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in names},
            "ratios_initializer": keras.initializers.serialize(self.ratios_initializer),
            "scale_regularizer": keras.regularizers.serialize(self.scale_regularizer),
        }
