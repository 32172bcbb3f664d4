"""What layers have in common that apply the same weights again and again, over time or over a tree."""

import keras
import tensorflow as tf
from keras import ops


class RecurrentLayer(keras.layers.Layer):
    """A layer with units that are fed back: the settings of its weights and of its dropout.

    Args:
        units: int. Size of the output of one step, or of one node.
        dropout: float in [0, 1). Dropout on the inputs, with the same features dropped in a whole row. Defaults to
            `0.0`.
        recurrent_dropout: float in [0, 1). Dropout on what is fed back, with the same units dropped in a whole row
            (Gal and Ghahramani, 2016). Defaults to `0.0`.
        kernel_initializer: of the matrices applied to inputs. Defaults to `"glorot_uniform"`.
        recurrent_initializer: of the matrices applied to what is fed back. Defaults to `"orthogonal"`.
        bias_initializer: of the biases. Defaults to `"zeros"`.
        kernel_regularizer: of the matrices applied to inputs, such as `keras.regularizers.L1L2`. Defaults to `None`.
        recurrent_regularizer: of the matrices applied to what is fed back. Defaults to `None`.
        bias_regularizer: of the biases. Defaults to `None`.
        seed: int or `None`. Of the dropout. Defaults to `None`.
        **kwargs: passed on to `keras.layers.Layer`.

    Raises:
        ValueError: if a setting lies outside its range.

    References:
        Gal and Ghahramani (2016), A theoretically grounded application of dropout in recurrent neural networks.
    """

    def __init__(
        self,
        units,
        dropout=0.0,
        recurrent_dropout=0.0,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(units, int) or units < 1:
            raise ValueError(f"units must be a positive integer, got units={units}")
        for name, value in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if not 0 <= value < 1:
                raise ValueError(f"{name} must lie in [0, 1), got {name}={value}")
        self.units = units
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed) if dropout or recurrent_dropout else None

    def add_kernel(self, name, shape, **kwargs):
        """Adds a matrix that is applied to inputs; `kwargs` win over the layer's initializer and regularizer."""
        kwargs = {"initializer": self.kernel_initializer, "regularizer": self.kernel_regularizer, **kwargs}
        return self.add_weight(name=name, shape=shape, **kwargs)

    def add_recurrent_kernel(self, name, shape, **kwargs):
        """Adds a matrix that is applied to what is fed back; `kwargs` as in `add_kernel`."""
        kwargs = {"initializer": self.recurrent_initializer, "regularizer": self.recurrent_regularizer, **kwargs}
        return self.add_weight(name=name, shape=shape, **kwargs)

    def add_bias(self, name, shape, **kwargs):
        """Adds a bias; `kwargs` as in `add_kernel`."""
        kwargs = {"initializer": self.bias_initializer, "regularizer": self.bias_regularizer, **kwargs}
        return self.add_weight(name=name, shape=shape, **kwargs)

    def dropped(self, inputs, training):
        """Applies the dropout of a batch.

        Args:
            inputs: float tensor `(batch, places, features)`.
            training: bool.

        Returns:
            the inputs after dropout, and a float tensor `(batch, units)` to multiply what is fed back with, or
            `None`.
        """
        mask = None
        if training and self.dropout:
            batch, _, features = ops.shape(inputs)
            inputs = keras.random.dropout(inputs, self.dropout, (batch, 1, features), seed=self.seed_generator)
        if training and self.recurrent_dropout:
            ones = tf.ones((tf.shape(inputs)[0], self.units), self.compute_dtype)
            mask = keras.random.dropout(ones, self.recurrent_dropout, seed=self.seed_generator)
        return inputs, mask

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": keras.regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "seed": self.seed,
        }
