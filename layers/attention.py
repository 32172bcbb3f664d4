"""Attention of a recurrence over what an encoder has read."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from .masking import check_lengths, sequence_mask

KINDS = ("additive", "multiplicative")


class Memory(NamedTuple):
    """What attention needs of the encoded source, made once for all steps.

    Attributes:
        values: float tensor `(batch, source, features)`, what is looked at.
        keys: float tensor `(batch, source, n)`, what queries are compared with.
        mask: bool tensor `(batch, source)`, the real positions.
    """

    values: Any
    keys: Any
    mask: Any


@keras.saving.register_keras_serializable(package="seqloom")
class Attention(keras.layers.Layer):
    """Looks at the positions of a source, each as much as it fits a query.

    `a = softmax_i(score(q, m_i))`, `c = sum_i a_i m_i`, with the score `v . tanh(W q + U m_i + b)` (additive; Bahdanau
    et al., 2015) or `(W q) . (U m_i) / sqrt(units)` (multiplicative; Luong et al., 2015, have one matrix, the product
    of both, and Vaswani et al., 2017, the root: without it the softmax got stuck at one position). The softmax is
    computed in float32 under every mixed precision policy, and so is the product of the multiplicative score, which
    half precision may not hold.

    A decoder that asks at one step after the other makes the `Memory` once, by `remember`, and then calls `attend`.

    Args:
        units: int. Size of the space in which a query and a position are compared.
        kind: str, `"additive"` or `"multiplicative"`. Defaults to `"additive"`.
        kernel_regularizer: `keras.regularizers.Regularizer`, its name or `None`. For `W` and `U`. Defaults to `None`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, query)`, or `(batch, time, query)`: the queries.
        memory: float tensor `(batch, source, features)`.
        lengths: int32 tensor `(batch,)`, valid positions of each row of the memory, at least 1.

    Returns:
        float tensor `(batch, features)` or `(batch, time, features)`, the `c`; `attend` returns the `a` too.

    Masking:
        by `lengths` only.

    Raises:
        ValueError: if `units` is not a positive integer, `kind` is unknown, `inputs` have another rank than 2 or 3, or
            a length is 0 or too large. (Inside a graph a wrong length raises `tf.errors.InvalidArgumentError`, when it
            runs.)

    Example:
        >>> layer = Attention(units=8, kind="multiplicative")
        >>> query, memory = keras.ops.ones((2, 3)), keras.ops.ones((2, 4, 5))
        >>> layer(query, memory=memory, lengths=keras.ops.array([4, 2])).shape
        TensorShape([2, 5])
        >>> _, weights = layer.attend(query, layer.remember(memory, lengths=keras.ops.array([4, 2])))
        >>> [round(float(weight), 2) for weight in weights[1]]
        [0.5, 0.5, 0.0, 0.0]

    References:
        Bahdanau, Cho and Bengio (2015), Neural machine translation by jointly learning to align and translate.
        Luong, Pham and Manning (2015), Effective approaches to attention-based neural machine translation.
        Vaswani et al. (2017), Attention is all you need.
    """

    def __init__(self, units, kind="additive", kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(units, int) or units < 1:
            raise ValueError(f"units must be a positive integer, got units={units}")
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got kind={kind!r}")
        self.units = units
        self.kind = kind
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.score_dtype = "float64" if self.variable_dtype == "float64" else "float32"

    def build(self, inputs_shape, memory_shape):
        penalty = {"regularizer": self.kernel_regularizer}
        self.query_kernel = self.add_weight(name="query_kernel", shape=(inputs_shape[-1], self.units), **penalty)
        self.memory_kernel = self.add_weight(name="memory_kernel", shape=(memory_shape[-1], self.units), **penalty)
        if self.kind == "additive":
            self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
            self.vector = self.add_weight(name="vector", shape=(self.units, 1))

    def remember(self, memory, lengths):
        """Makes what `attend` needs of a memory.

        Args:
            memory: float tensor `(batch, source, features)`.
            lengths: int32 tensor `(batch,)`, valid positions of each row, at least 1.

        Returns:
            `Memory`.

        Raises:
            ValueError: if the layer is not built, or a length is 0 or too large.
        """
        if not self.built:
            raise ValueError("an attention must be built before it can remember: call it once, or build it")
        memory = ops.cast(memory, self.compute_dtype)
        lengths = check_lengths(ops.cast(lengths, "int32"), tf.shape(memory)[1], of="memory")
        mask = sequence_mask(lengths, tf.shape(memory)[1])
        memory = tf.where(mask[:, :, None], memory, 0)
        keys = ops.matmul(memory, self._cast(self.memory_kernel))  # U m_i
        if self.kind == "additive":
            return Memory(memory, keys + self._cast(self.bias), mask)
        return Memory(memory, ops.cast(keys, self.score_dtype), mask)

    def attend(self, queries, memory):
        """Looks at a `Memory`.

        Args:
            queries: float tensor `(batch, query)` or `(batch, time, query)`.
            memory: `Memory`.

        Returns:
            float tensor `(batch, features)` or `(batch, time, features)`, the `c`; and a float32 tensor
            `(batch, source)` or `(batch, time, source)` (float64 in a float64 layer), the `a`, 0 past the lengths.

        Raises:
            ValueError: if `queries` have another rank than 2 or 3.
        """
        rank = len(queries.shape)
        if rank not in (2, 3):
            raise ValueError(f"queries must be (batch, query) or (batch, time, query), got shape={queries.shape}")
        projected = ops.matmul(ops.cast(queries, self.compute_dtype), self._cast(self.query_kernel))  # W q
        if rank == 2:
            projected = projected[:, None]
        scores = self._scores(projected, memory.keys)  # (batch, time, source)
        weights = tf.nn.softmax(tf.where(memory.mask[:, None], scores, -1e9))
        context = tf.matmul(ops.cast(weights, self.compute_dtype), memory.values)
        return (context[:, 0], weights[:, 0]) if rank == 2 else (context, weights)

    def _scores(self, projected, keys):
        if self.kind == "multiplicative":
            return tf.matmul(ops.cast(projected, self.score_dtype), keys, transpose_b=True) / self.units**0.5
        fitting = tf.tanh(projected[:, :, None] + keys[:, None])  # (batch, time, source, units)
        return ops.cast(ops.squeeze(ops.matmul(fitting, self._cast(self.vector)), -1), self.score_dtype)

    def _cast(self, weight):
        """A weight in the compute dtype, outside of a call too."""
        return ops.cast(weight, self.compute_dtype)

    def call(self, inputs, memory, lengths):
        return self.attend(inputs, self.remember(memory, lengths))[0]

    def compute_output_shape(self, inputs_shape, memory_shape=None):
        return (*inputs_shape[:-1], self.memory_kernel.shape[0] if memory_shape is None else memory_shape[-1])

    def compute_output_spec(self, inputs, memory, lengths):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape, memory.shape), self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "kind": self.kind,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
