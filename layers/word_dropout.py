"""Word dropout: training the vector of the unknown word."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqloom")
class WordDropout(keras.layers.Layer):
    """Replaces random words by the unknown word during training.

    Every word of the training data is known, so without this the embedding of the unknown word would
    keep its initial value. Each id is replaced independently (Iyyer et al., 2015, drop a word outright;
    here it becomes the unknown word, so that lengths do not change).

    Args:
        rate: float in [0, 1). Share of the words that are replaced. Defaults to `0.05`.
        unknown_id: int, at least 1. The id that stands for an unknown word. Defaults to `1`.
        seed: int or `None`. Makes the choice reproducible. Defaults to `None`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        ids: int tensor of any shape, word ids, 0 for padding.
        training: bool. Outside training the ids pass unchanged.

    Returns:
        int tensor, shape and dtype of `ids`.

    Masking:
        padding (0) stays padding.

    Raises:
        ValueError: if `rate` does not lie in [0, 1) or `unknown_id` is below 1.

    Example:
        >>> layer = WordDropout(rate=0.5, seed=1)
        >>> layer(keras.ops.array([[7, 8, 9, 0]])).numpy().tolist()
        [[7, 8, 9, 0]]

    References:
        Iyyer, Manjunatha, Boyd-Graber and Daumé III (2015), Deep unordered composition rivals syntactic
        methods for text classification.
    """

    def __init__(self, rate=0.05, unknown_id=1, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"rate must lie in [0, 1), got rate={rate}")
        if not isinstance(unknown_id, int) or unknown_id < 1:
            raise ValueError(f"unknown_id must be a positive integer, got unknown_id={unknown_id}")
        self.rate = rate
        self.unknown_id = unknown_id
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True  # there are no weights

    def call(self, ids, training=None):
        if not training or self.rate == 0:
            return ids
        drawn = keras.random.uniform(ops.shape(ids), dtype="float32", seed=self.seed_generator) < self.rate
        replaced = ops.logical_and(drawn, ids != 0)
        return ops.where(replaced, ops.cast(self.unknown_id, ids.dtype), ids)

    def compute_output_shape(self, ids_shape):
        return ids_shape

    def compute_output_spec(self, ids, training=None):
        return keras.KerasTensor(ids.shape, dtype=ids.dtype)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "unknown_id": self.unknown_id, "seed": self.seed}
