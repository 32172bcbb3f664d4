"""Leaky units: every unit forgets at its own rate."""

import keras
import numpy as np
from keras import ops

from .recurrence import Recurrence, masked


@keras.saving.register_keras_serializable(package="seqloom")
class LeakyRNN(Recurrence):
    """Lets each unit change only by a share of what a plain unit would, so that it remembers for longer.

    `h_t = (1 - 1/tau) h_{t-1} + (1/tau) act(W x_t + U h_{t-1} + b)` with one time constant `tau >= 1`, in steps, for
    each unit (Mozer, 1992; Bengio et al., 2013; Goodfellow et al., section 10.9.2). A unit with `tau = 1` is that of a
    plain RNN; one with a large `tau` averages over about `tau` steps, and gradients reach back as far. Under
    `mixed_bfloat16` rounding swallows the small steps of slow units: after `3 tau` steps of a constant input the state
    is 8 % short with a `tau` of 50, and 31 % with one of 200; `mixed_float16` is 1 % short there.

    Args:
        units: int. Size of `h`.
        time_constants: pair of floats above 1. The shortest and the longest initial `tau`, in steps; those between
            are spread evenly on a logarithmic scale. Defaults to `(1.1, 100.0)`.
        trainable_time_constants: bool. Whether `tau` is learned. `log(tau - 1)` is the weight, which keeps `tau`
            above 1. Defaults to `True`.
        activation: str or callable. `act`. Defaults to `"tanh"`.
        **kwargs: as in `Recurrence`.

    Call arguments, Returns and Masking:
        as in `Recurrence`, with one state, `h`.

    Raises:
        ValueError: if `time_constants` are not two numbers above 1, the shorter first; else as in `Recurrence`.

    Example:
        >>> layer = LeakyRNN(3, time_constants=(2.0, 50.0), return_sequences=True)
        >>> layer(keras.ops.ones((2, 5, 4)), lengths=keras.ops.array([5, 2])).shape
        TensorShape([2, 5, 3])
        >>> layer.current_time_constants().numpy().round(2).tolist()
        [2.0, 10.0, 50.0]

    References:
        Mozer (1992), Induction of multiscale temporal structure.
        Bengio, Boulanger-Lewandowski and Pascanu (2013), Advances in optimizing recurrent networks.
        Goodfellow, Bengio and Courville (2016), Deep learning, section 10.9.2.
    """

    def __init__(self, units, time_constants=(1.1, 100.0), trainable_time_constants=True, activation="tanh", **kwargs):
        super().__init__(units, **kwargs)
        if len(time_constants) != 2 or not 1 < time_constants[0] <= time_constants[1]:
            raise ValueError(
                "time_constants must be the shortest and the longest, both above 1, "
                f"got time_constants={tuple(time_constants)}"
            )
        self.time_constants = tuple(time_constants)
        self.trainable_time_constants = trainable_time_constants
        self.activation = keras.activations.get(activation)

    def build(self, inputs_shape):
        self.kernel = self.add_kernel("kernel", (inputs_shape[-1], self.units))
        self.recurrent_kernel = self.add_recurrent_kernel("recurrent_kernel", (self.units, self.units))
        self.bias = self.add_bias("bias", (self.units,))
        self.log_time_constants = self.add_weight(
            name="log_time_constants",
            shape=(self.units,),
            initializer=self._initial_log_time_constants,
            trainable=self.trainable_time_constants,
        )

    def _initial_log_time_constants(self, shape, dtype=None):
        return ops.convert_to_tensor(np.log(np.geomspace(*self.time_constants, *shape) - 1), dtype)

    def current_time_constants(self):
        """The time constants as they are now.

        Returns:
            float tensor `(units,)`, `tau`, in steps.
        """
        return 1 + ops.exp(self.log_time_constants)

    def project(self, inputs):
        return ops.matmul(inputs, self.kernel) + self.bias  # W x_t + b

    def step(self, projected, states, recurrent_mask=None):
        (h,) = states
        candidate = self.activation(projected + ops.matmul(masked(h, recurrent_mask), self.recurrent_kernel))
        rate = ops.sigmoid(-self.log_time_constants)  # 1 / tau
        h = h + rate * (candidate - h)
        return h, (h,)

    def get_config(self):
        return {
            **super().get_config(),
            "time_constants": self.time_constants,
            "trainable_time_constants": self.trainable_time_constants,
            "activation": keras.activations.serialize(self.activation),
        }
