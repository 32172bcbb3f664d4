"""Vectors for short stretches of words."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqloom")
class RegionEmbedding(keras.layers.Layer):
    """Gives each step the sum of the vectors of all units that begin there: its word, its pair of words, ...

    A recurrent layer that reads such vectors sees at once what an n-gram model sees; it then learns what lies
    between the n-grams (Johnson and Zhang, 2016, learn such region vectors by a convolution over one-hot words; here
    each frequent n-gram has a vector of its own).

    Args:
        sizes: list of int. Entries of each kind of unit, entry 0 included; its vector is always zero.
        dim: int. Size of a vector.
        dropout: float in [0, 1). Share of the entries of each kind whose vectors are left out of a whole training
            batch (Gal and Ghahramani, 2016). Defaults to `0.0`.
        embeddings_initializer: of the vectors. Defaults to `"uniform"`.
        seed: int or `None`. Of the dropout. Defaults to `None`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        ids: int32 tensor `(batch, time, kinds)`, 0 for padding and where no unit of that kind begins.
        training: bool. Whether dropout applies.

    Returns:
        float tensor `(batch, time, dim)`.

    Raises:
        ValueError: if a size, `dim` or `dropout` is out of its range.

    Example:
        >>> layer = RegionEmbedding([10, 20], 4)
        >>> layer(keras.ops.array([[[5, 7], [6, 0]]])).shape
        TensorShape([1, 2, 4])

    References:
        Johnson and Zhang (2016), Supervised and semi-supervised text categorization using LSTM for region embeddings.
        Gal and Ghahramani (2016), A theoretically grounded application of dropout in recurrent neural networks.
    """

    def __init__(self, sizes, dim, dropout=0.0, embeddings_initializer="uniform", seed=None, **kwargs):
        super().__init__(**kwargs)
        if not sizes or min(sizes) < 1:
            raise ValueError(f"sizes must be positive integers, one for each kind of unit, got sizes={sizes}")
        if dim < 1:
            raise ValueError(f"dim must be a positive integer, got dim={dim}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got dropout={dropout}")
        self.sizes = list(sizes)
        self.dim = dim
        self.dropout = dropout
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed) if dropout else None

    def build(self, ids_shape):
        self.embeddings = [
            self.add_weight(name=f"embeddings_{kind}", shape=(size, self.dim), initializer=self.embeddings_initializer)
            for kind, size in enumerate(self.sizes)
        ]

    def call(self, ids, training=None):
        vectors = 0
        for kind, embeddings in enumerate(self.embeddings):
            of_kind = ids[:, :, kind]
            counts = ops.cast(of_kind != 0, self.compute_dtype)
            if training and self.dropout:
                counts *= ops.take(self._kept(self.sizes[kind]), of_kind)
            vectors += ops.take(ops.cast(embeddings, self.compute_dtype), of_kind, axis=0) * counts[:, :, None]
        return vectors

    def _kept(self, size):
        ones = ops.ones((size,), self.compute_dtype)
        return keras.random.dropout(ones, self.dropout, seed=self.seed_generator)

    def compute_output_shape(self, ids_shape):
        return (*ids_shape[:2], self.dim)

    def get_config(self):
        return {
            **super().get_config(),
            "sizes": self.sizes,
            "dim": self.dim,
            "dropout": self.dropout,
            "embeddings_initializer": keras.initializers.serialize(self.embeddings_initializer),
            "seed": self.seed,
        }
