"""Word vectors from characters."""

import keras
from keras import ops

from .masking import sequence_mask


@keras.saving.register_keras_serializable(package="seqloom")
class CharacterEncoder(keras.layers.Layer):
    """Spells a vector for each word: convolution over its characters, then the maximum over them.

    `f_k = max_t relu(w_k * E[c_{t-n/2} ... c_{t+n/2}] + b_k)` (Kim et al., 2016; Ma and Hovy, 2016), so that
    words never seen in training still show their prefixes, suffixes, digits and capitals.

    Args:
        vocabulary_size: int. Number of character ids, padding (0) included.
        embedding_dim: int. Size of a character's vector.
        filters: int. Number of filters of each kernel size.
        kernel_sizes: sequence of int. Widths of the convolutions, in characters. Defaults to `(3,)`.
        dropout: float in [0, 1). Dropout on the character vectors. Defaults to `0.0`.
        kernel_regularizer: `keras.regularizers.Regularizer`, its name or `None`. For the matrices of the convolutions.
            Defaults to `None`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        characters: int32 tensor `(batch, time, characters)`, character ids of each word.
        lengths: int32 tensor `(batch, time)`, valid characters of each word, 0 for a padded word.
        training: bool. Whether dropout applies.

    Returns:
        float tensor `(batch, time, filters * len(kernel_sizes))`; zeros for words of length 0.

    Masking:
        characters past `lengths` enter the convolution as zeros, as the border of the word does, and
        never win the maximum.

    Raises:
        ValueError: if a size is not a positive integer, `kernel_sizes` is empty or `dropout` does not lie in [0, 1).

    Example:
        >>> layer = CharacterEncoder(vocabulary_size=50, embedding_dim=8, filters=16, kernel_sizes=(2, 3))
        >>> characters = keras.ops.array([[[4, 5, 6], [7, 0, 0], [0, 0, 0]]])
        >>> vectors = layer(characters, lengths=keras.ops.array([[3, 1, 0]]))
        >>> vectors.shape, float(keras.ops.sum(vectors[0, 2]))
        (TensorShape([1, 3, 32]), 0.0)

    References:
        Kim, Jernite, Sontag and Rush (2016), Character-aware neural language models.
        Ma and Hovy (2016), End-to-end sequence labeling via bi-directional LSTM-CNNs-CRF.
    """

    def __init__(
        self,
        vocabulary_size,
        embedding_dim,
        filters,
        kernel_sizes=(3,),
        dropout=0.0,
        kernel_regularizer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        sizes = {"vocabulary_size": vocabulary_size, "embedding_dim": embedding_dim, "filters": filters}
        for name, size in [*sizes.items(), *(("kernel_sizes", size) for size in kernel_sizes)]:
            if not isinstance(size, int) or size < 1:
                raise ValueError(f"{name} must be a positive integer, got {name}={size}")
        if not kernel_sizes:
            raise ValueError("kernel_sizes must hold at least one width, got kernel_sizes=()")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got dropout={dropout}")
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.filters = filters
        self.kernel_sizes = tuple(kernel_sizes)
        self.dropout = dropout
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.embedding = keras.layers.Embedding(
            vocabulary_size, embedding_dim, dtype=self.dtype_policy, name="embedding"
        )
        self.input_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="input_dropout")
        self.convolutions = [
            keras.layers.Conv1D(
                filters,
                width,
                padding="same",
                activation="relu",
                kernel_regularizer=self.kernel_regularizer,
                dtype=self.dtype_policy,
                name=f"convolution_{i}",
            )
            for i, width in enumerate(self.kernel_sizes)
        ]

    def build(self, characters_shape):
        self.embedding.build((None, None))
        for convolution in self.convolutions:
            convolution.build((None, None, self.embedding_dim))

    def call(self, characters, lengths, training=None):
        time, width = ops.shape(characters)[1], ops.shape(characters)[2]
        mask = sequence_mask(ops.reshape(lengths, (-1,)), width)  # (words, characters)
        mask = ops.cast(ops.expand_dims(mask, -1), self.compute_dtype)
        vectors = self.embedding(ops.reshape(characters, (-1, width)))  # (words, characters, embedding_dim)
        vectors = self.input_dropout(vectors, training=training) * mask
        # relu makes zero the least value, so a masked position never wins the maximum
        features = [ops.max(convolution(vectors) * mask, axis=1) for convolution in self.convolutions]
        features = ops.concatenate(features, axis=-1)  # (words, features)
        return ops.reshape(features, (-1, time, features.shape[-1]))

    def compute_output_shape(self, characters_shape):
        return (*characters_shape[:2], self.filters * len(self.kernel_sizes))

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "filters": self.filters,
            "kernel_sizes": self.kernel_sizes,
            "dropout": self.dropout,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
