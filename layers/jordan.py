"""Jordan's recurrence: the output of one step is an input of the next."""

import keras
import tensorflow as tf
from keras import ops

from .masking import sequence_mask


@keras.saving.register_keras_serializable(package="seqloom")
class Jordan(keras.layers.Layer):
    """Tags a sequence from left to right, each step knowing the tag of the step before.

    `h_t = act(W x_t + U y_{t-1} + b)`, `logits_t = V h_t + c` (Jordan, 1986; for slot filling Mesnil et al., 2015).
    `y_{t-1}` is the one-hot code of the tag before, and zero at the first step. With gold tags nothing depends on
    a step computed before, and all steps are computed at once (teacher forcing); without, each step is fed the
    best tag of the step before. The logits are computed in float32 under every mixed precision policy.

    Args:
        units: int. Size of `h`.
        num_tags: int. Number of tags.
        activation: str or callable. `act`. Defaults to `"tanh"`.
        dropout: float in [0, 1). Dropout on the inputs. Defaults to `0.0`.
        kernel_regularizer: `keras.regularizers.Regularizer`, its name or `None`. For `W` and `V`. Defaults to `None`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, time, features)`.
        lengths: int32 tensor `(batch,)`, valid steps of each row, at least 1.
        tags: int32 tensor `(batch, time)` or `None`. Gold ids; what stands past `lengths` does not count.
        training: bool. Whether dropout applies.

    Returns:
        float32 tensor `(batch, time, num_tags)` (float64 in a float64 layer), logits; zeros past `lengths`.

    Raises:
        ValueError: if a size is not a positive integer or `dropout` does not lie in [0, 1).

    Example:
        >>> layer = Jordan(units=8, num_tags=3)
        >>> inputs, lengths = keras.ops.ones((2, 4, 5)), keras.ops.array([4, 2])
        >>> layer(inputs, lengths=lengths).shape
        TensorShape([2, 4, 3])
        >>> layer(inputs, lengths=lengths, tags=keras.ops.zeros((2, 4), "int32")).shape
        TensorShape([2, 4, 3])

    References:
        Jordan (1986), Serial order: a parallel distributed processing approach.
        Mesnil et al. (2015), Using recurrent neural networks for slot filling in spoken language understanding.
    """

    def __init__(self, units, num_tags, activation="tanh", dropout=0.0, kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        for name, value in (("units", units), ("num_tags", num_tags)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {name}={value}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got dropout={dropout}")
        self.units = units
        self.num_tags = num_tags
        self.activation = keras.activations.get(activation)
        self.dropout = dropout
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.input_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="input_dropout")
        self.score_dtype = "float64" if self.variable_dtype == "float64" else "float32"

    def build(self, inputs_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=(inputs_shape[-1], self.units), regularizer=self.kernel_regularizer
        )
        self.recurrent_kernel = self.add_weight(name="recurrent_kernel", shape=(self.num_tags, self.units))
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        self.output_kernel = self.add_weight(
            name="output_kernel",
            shape=(self.units, self.num_tags),
            regularizer=self.kernel_regularizer,
            autocast=False,
        )
        self.output_bias = self.add_weight(
            name="output_bias", shape=(self.num_tags,), initializer="zeros", autocast=False
        )

    def call(self, inputs, lengths, tags=None, training=None):
        projected = ops.matmul(self.input_dropout(inputs, training=training), self.kernel) + self.bias  # W x_t + b
        # one more row of U, of zeros: the tag before the first one
        feedback = ops.pad(self.recurrent_kernel, ((0, 1), (0, 0)))
        logits = self._greedy(projected, feedback) if tags is None else self._forced(projected, feedback, lengths, tags)
        mask = ops.expand_dims(sequence_mask(lengths, ops.shape(logits)[1]), -1)
        return ops.where(mask, logits, 0)

    def _forced(self, projected, feedback, lengths, tags):
        tags = ops.where(sequence_mask(lengths, ops.shape(tags)[1]), ops.cast(tags, "int32"), 0)
        before = ops.pad(tags[:, :-1], ((0, 0), (1, 0)), constant_values=self.num_tags)
        return self._step(projected + tf.gather(feedback, before))

    def _greedy(self, projected, feedback):
        def step(state, inputs):
            logits = self._step(inputs + tf.gather(feedback, state[0]))
            return tf.argmax(logits, axis=-1, output_type=tf.int32), logits

        nothing = tf.zeros_like(projected[:, 0, 0], tf.int32) + self.num_tags
        logits = tf.zeros([tf.shape(projected)[0], self.num_tags], self.score_dtype)
        logits = tf.scan(step, ops.transpose(projected, (1, 0, 2)), (nothing, logits))[1]  # (time, batch, num_tags)
        return ops.transpose(logits, (1, 0, 2))

    def _step(self, total):
        hidden = ops.cast(self.activation(total), self.score_dtype)
        return ops.matmul(hidden, self.output_kernel) + self.output_bias  # V h_t + c

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:2], self.num_tags)

    def compute_output_spec(self, inputs, lengths, tags=None, training=None):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.score_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "num_tags": self.num_tags,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
