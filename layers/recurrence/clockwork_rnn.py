"""Modules of units that run at clocks of their own."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from .recurrence import Recurrence, masked

MOST_MODULES = 8


@keras.saving.register_keras_serializable(package="seqloom")
class ClockworkRNN(Recurrence):
    """Divides the units into modules, of which a slow one changes at few steps and holds its state in between.

    Module `i` has the period `T_i`. At the steps `t = 0, 1, 2, ...` with `t mod T_i = 0` it computes
    `h_t = act(W x_t + U h_{t-1} + b)`, at all others it keeps `h_{t-1}`. It is connected only to itself and to modules
    with longer periods, so that `U` is block upper triangular with modules sorted by period (Koutnik et al., 2014).
    Such a `U` is applied to columns; `recurrent_kernel` is applied to rows, and block lower triangular. Its forbidden
    blocks start at zero, count as zero whatever stands there, and get no gradient.

    Args:
        units: int. Size of `h`, a multiple of the number of modules.
        periods: sequence of positive ints that increase. `T`, one for each module, in steps, at most 256, up to where
            half precision counts. Defaults to `None`, which is `1, 2, 4, 8, ...` for the largest number of modules
            up to 8 that divides `units`.
        activation: str or callable. `act`. Defaults to `"tanh"`.
        **kwargs: as in `Recurrence`.

    Call arguments, Returns and Masking:
        as in `Recurrence`, with two states: `h`, and the clock `(batch, modules)`, which counts `t mod T_i`; a module
        computes at 0. A reset starts the clock anew, so that all modules compute.

    Raises:
        ValueError: if `periods` do not increase, lie outside their range or do not divide `units`; else as in
            `Recurrence`.

    Example:
        >>> layer = ClockworkRNN(6, return_sequences=True)
        >>> layer.periods
        (1, 2, 4, 8, 16, 32)
        >>> layer(keras.ops.ones((2, 5, 3)), lengths=keras.ops.array([5, 2])).shape
        TensorShape([2, 5, 6])

    References:
        Koutnik, Greff, Gomez and Schmidhuber (2014), A clockwork RNN.
    """

    def __init__(self, units, periods=None, activation="tanh", **kwargs):
        super().__init__(units, **kwargs)
        if periods is None:
            modules = max(number for number in range(1, MOST_MODULES + 1) if units % number == 0)
            periods = [2**i for i in range(modules)]
        self.periods = tuple(periods)
        following = zip(self.periods, self.periods[1:], strict=False)
        if (
            not self.periods
            or not all(isinstance(period, int) and 1 <= period <= 256 for period in self.periods)
            or not all(shorter < longer for shorter, longer in following)
        ):
            raise ValueError(f"periods must be integers from 1 to 256 that increase, got periods={self.periods}")
        if units % len(self.periods):
            raise ValueError(
                f"units must be a multiple of the {len(self.periods)} modules that periods={self.periods} makes, "
                f"got units={units}"
            )
        self.activation = keras.activations.get(activation)
        module = np.repeat(np.arange(len(self.periods)), units // len(self.periods))  # of each unit
        self.module = module
        self.connected = module[:, None] >= module  # from a unit (row) to a unit (column), same or shorter period

    @property
    def state_sizes(self):
        """tuple of int: the units, and a counter for each module."""
        return (self.units, len(self.periods))

    def build(self, inputs_shape):
        self.kernel = self.add_kernel("kernel", (inputs_shape[-1], self.units))
        self.recurrent_kernel = self.add_recurrent_kernel(
            "recurrent_kernel", (self.units, self.units), initializer=self._initial_recurrent_kernel
        )
        self.bias = self.add_bias("bias", (self.units,))

    def _initial_recurrent_kernel(self, shape, dtype=None):
        kernel = self.recurrent_initializer(shape, dtype=dtype)
        return kernel * ops.cast(self.connected, kernel.dtype)

    def project(self, inputs):
        return ops.matmul(inputs, self.kernel) + self.bias  # W x_t + b

    def step(self, projected, states, recurrent_mask=None):
        h, clock = states
        U = self.recurrent_kernel * ops.cast(self.connected, self.compute_dtype)
        candidate = self.activation(projected + ops.matmul(masked(h, recurrent_mask), U))
        active = tf.gather(ops.equal(clock, 0), self.module, axis=1)  # (batch, units)
        h = ops.where(active, candidate, h)
        clock = ops.stop_gradient(tf.math.floormod(clock + 1, ops.cast(self.periods, clock.dtype)))
        return h, (h, clock)

    def get_config(self):
        return {
            **super().get_config(),
            "periods": self.periods,
            "activation": keras.activations.serialize(self.activation),
        }
