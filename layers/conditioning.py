"""A recurrence that depends on a fixed vector."""

import keras
from keras import ops

MODES = ("initial_state", "input", "both")


@keras.saving.register_keras_serializable(package="seqloom")
class Conditioning(keras.layers.Layer):
    """Gives one vector to a recurrence that writes a sequence.

    A fixed vector `c` reaches a recurrence `h_t = f(h_{t-1}, x_t)` as an extra input at every step,
    `h_t = f(h_{t-1}, [x_t, c])`, as its initial state, `h_0 = tanh(W c + b)`, or as both (Goodfellow et al.,
    *Deep Learning*, section 10.2.4). The call is the first way, `initial_state` the second; in a mode that does
    without one of them, its call returns the inputs as they are, its initial state is zero. So a decoder is written
    once for all modes: it asks for the initial state before the first step, and calls the layer on a whole sequence
    (in training) or on one step after the other (in generation).

    Args:
        mode: str. `"initial_state"`, `"input"` or `"both"`. Defaults to `"both"`.
        state_sizes: tuple of int. Size of each state of the recurrence, as its `state_sizes`; a stack of layers has
            those of all of them in a row. May be empty only in mode `"input"`. Defaults to `()`.
        kernel_regularizer: `keras.regularizers.Regularizer`, its name or `None`. For each `W`. Defaults to `None`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, time, features)`, or one step `(batch, features)`.
        context: float tensor `(batch, size)`, the vector of each row.

    Returns:
        float tensor `(batch, time, features + size)`, or `(batch, features + size)`, in mode `"initial_state"` the
        inputs.

    Masking:
        none: padded steps get the vector too.

    Raises:
        ValueError: if `mode` is unknown, or `state_sizes` holds anything but positive integers, or nothing in a mode
            that sets the initial state; if `inputs` have another rank than 2 or 3.

    Example:
        >>> layer = Conditioning("both", state_sizes=(3, 3))
        >>> context = keras.ops.ones((2, 4))
        >>> [state.shape for state in layer.initial_state(context)]
        [TensorShape([2, 3]), TensorShape([2, 3])]
        >>> layer(keras.ops.ones((2, 5, 1)), context=context).shape  # a whole sequence
        TensorShape([2, 5, 5])
        >>> layer(keras.ops.ones((2, 1)), context=context).shape  # one step
        TensorShape([2, 5])

    References:
        Goodfellow, Bengio and Courville (2016), Deep learning, sections 10.2.4 and 10.4.
    """

    def __init__(self, mode="both", state_sizes=(), kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, got mode={mode!r}")
        if not all(isinstance(size, int) and size >= 1 for size in state_sizes):
            raise ValueError(f"state_sizes must be positive integers, got state_sizes={state_sizes}")
        if mode != "input" and not state_sizes:
            raise ValueError(f"state_sizes must hold a size for each state in mode {mode!r}, got state_sizes=()")
        self.mode = mode
        self.state_sizes = list(state_sizes)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.projections = [self._make_projection(i) for i in range(len(state_sizes))] if mode != "input" else []

    def _make_projection(self, i):
        return keras.layers.Dense(
            self.state_sizes[i],
            activation="tanh",
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name=f"state_{i}",
        )

    def build(self, inputs_shape, context_shape):
        self.context_size = context_shape[-1]
        for projection in self.projections:
            if not projection.built:  # `initial_state` comes first in a decoder
                projection.build(context_shape)

    def initial_state(self, context):
        """The state before the first step: a tuple of float tensors `(batch, state_size)`, zeros in mode `"input"`.

        Args:
            context: float tensor `(batch, size)`.
        """
        if self.mode == "input":
            rows = ops.shape(context)[0]
            return tuple(ops.zeros((rows, size), dtype=self.compute_dtype) for size in self.state_sizes)
        return tuple(projection(context) for projection in self.projections)  # tanh(W c + b)

    def call(self, inputs, context):
        rank = len(inputs.shape)
        if rank not in (2, 3):
            raise ValueError(f"inputs must be (batch, time, features) or (batch, features), got shape={inputs.shape}")
        if self.mode == "initial_state":
            return inputs
        if rank == 3:
            context = ops.repeat(context[:, None, :], ops.shape(inputs)[1], axis=1)  # (batch, time, size)
        return ops.concatenate([inputs, context], axis=-1)

    def compute_output_shape(self, inputs_shape, context_shape=None):
        if self.mode == "initial_state":
            return tuple(inputs_shape)
        size = self.context_size if context_shape is None else context_shape[-1]
        return (*inputs_shape[:-1], inputs_shape[-1] + size)

    def get_config(self):
        return {
            **super().get_config(),
            "mode": self.mode,
            "state_sizes": self.state_sizes,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
