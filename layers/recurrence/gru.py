"""The gated recurrent unit."""

import keras
import tensorflow as tf

from .activations import SLOPES
from .analytic import AnalyticRecurrence
from .backpropagation import Weights


@keras.saving.register_keras_serializable(package="seqloom")
class GRU(AnalyticRecurrence):
    """Blends the state of the step before with a candidate, by gates.

    `z_t, r_t = gate(W x_t + b + U h_{t-1} + d)`, `g_t = act(W x_t + b + r_t * (U h_{t-1} + d))`, each with weights of
    its own, and `h_t = z_t * h_{t-1} + (1 - z_t) * g_t` (Cho et al., 2014, with the reset gate behind the matrix as in
    cuDNN). Equations, names and weights are those of `keras.layers.GRU` with `reset_after=True`, its default, and
    weights move both ways.

    Args:
        units: int. Size of `h`.
        activation: str or callable. `act`. `"tanh"` and `"softsign"` have the fast path. Defaults to `"tanh"`.
        recurrent_activation: str or callable. `gate`. Defaults to `"sigmoid"`, which has the fast path.
        use_bias: bool. Whether there are `b` and `d`. Defaults to `True`.
        use_cudnn: as in `LSTM`. Defaults to `"auto"`.
        **kwargs: as in `Recurrence`.

    Call arguments, Returns, Masking and Raises:
        as in `Recurrence`, with one state, `h`.

    Example:
        >>> layer = GRU(4)
        >>> layer(keras.ops.ones((2, 5, 3)), lengths=keras.ops.array([5, 2])).shape
        TensorShape([2, 4])

    References:
        Cho et al. (2014), Learning phrase representations using RNN encoder-decoder for machine translation.
    """

    keras_class = keras.layers.GRU
    separate_products = True

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", **kwargs):
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        super().__init__(units, activation, **kwargs)

    def keras_settings(self):
        return {**super().keras_settings(), "recurrent_activation": self.recurrent_activation}

    @property
    def value_sizes(self):
        return (self.units,) * 5

    @property
    def has_slopes(self):
        return super().has_slopes and self.recurrent_activation is keras.activations.sigmoid

    @property
    def fits_cudnn(self):
        return super().fits_cudnn and self.recurrent_activation is keras.activations.sigmoid

    def loop_weights(self):
        """The weights as Keras has them."""
        bias, recurrent_bias = tf.unstack(tf.convert_to_tensor(self.bias)) if self.use_bias else (None, None)
        kernel, recurrent_kernel = tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.recurrent_kernel)
        return Weights(kernel, bias, recurrent_kernel, recurrent_bias)

    def forward(self, projected, recurrent, states):
        """One step, `h_t`."""
        (h,) = states
        projected_z, projected_r, projected_candidate = tf.split(projected, 3, axis=1)
        recurrent_z, recurrent_r, candidate = tf.split(recurrent, 3, axis=1)
        z = self.recurrent_activation(projected_z + recurrent_z)
        r = self.recurrent_activation(projected_r + recurrent_r)
        g = self.activation(projected_candidate + r * candidate)
        return (g + z * (h - g),), (z, r, g, candidate, h)

    def backward(self, gradients, values):
        """The derivatives of the equations of one step."""
        (dh,), (z, r, g, candidate, h) = gradients, values
        slope, gate_slope = SLOPES[self.activation], SLOPES[self.recurrent_activation]
        through = dh * z
        dg = slope(g, dh - through)
        dz, dr = gate_slope(z, dh * (h - g)), gate_slope(r, dg * candidate)
        return tf.concat([dz, dr, dg], axis=1), tf.concat([dz, dr, dg * r], axis=1), (through,)

    def get_config(self):
        return {
            **super().get_config(),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
        }
