"""An LSTM whose gates see the cell."""

import keras
import tensorflow as tf
from keras import ops

from .gate_bias import gate_bias
from .recurrence import Recurrence, masked


@keras.saving.register_keras_serializable(package="seqloom")
class PeepholeLSTM(Recurrence):
    """Lets the gates of an LSTM look at the cell, also while the output gate hides it.

    `i_t = rec(W_i x_t + U_i h_{t-1} + p_i * c_{t-1} + b_i)`, `f_t = rec(W_f x_t + U_f h_{t-1} + p_f * c_{t-1} + b_f)`,
    `c_t = f_t * c_{t-1} + i_t * act(W_c x_t + U_c h_{t-1} + b_c)`,
    `o_t = rec(W_o x_t + U_o h_{t-1} + p_o * c_t + b_o)`, `h_t = o_t * act(c_t)` (Gers and Schmidhuber, 2000; Gers et
    al., 2002). With peepholes `p` of zero, as they start, it is an LSTM with the weight layout of `keras.layers.LSTM`
    (input gate, forget gate, cell, output gate).

    Args:
        units: int. Size of `h` and of `c`.
        activation: str or callable. `act`. Defaults to `"tanh"`.
        recurrent_activation: str or callable. `rec`. Defaults to `"sigmoid"`.
        forget_bias: float. Initial `b_f`. Defaults to `1.0`.
        **kwargs: as in `Recurrence`.

    Call arguments, Returns, Masking and Raises:
        as in `Recurrence`, with two states, `h` and `c`.

    Example:
        >>> layer = PeepholeLSTM(4, return_sequences=True)
        >>> layer(keras.ops.ones((2, 5, 3)), lengths=keras.ops.array([5, 2])).shape
        TensorShape([2, 5, 4])

    References:
        Gers and Schmidhuber (2000), Recurrent nets that time and count.
        Gers, Schraudolph and Schmidhuber (2002), Learning precise timing with LSTM recurrent networks.
    """

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", forget_bias=1.0, **kwargs):
        super().__init__(units, **kwargs)
        self.activation = keras.activations.get(activation)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.forget_bias = forget_bias

    @property
    def state_sizes(self):
        """tuple of int: the output of the step before, and the cell."""
        return (self.units, self.units)

    def build(self, inputs_shape):
        self.kernel = self.add_kernel("kernel", (inputs_shape[-1], 4 * self.units))
        self.recurrent_kernel = self.add_recurrent_kernel("recurrent_kernel", (self.units, 4 * self.units))
        initializer = gate_bias(self.bias_initializer, self.forget_bias, (self.units, 2 * self.units))
        self.bias = self.add_bias("bias", (4 * self.units,), initializer=initializer)
        self.peepholes = self.add_weight(name="peepholes", shape=(3, self.units), initializer="zeros")  # p_i, p_f, p_o

    def project(self, inputs):
        return ops.matmul(inputs, self.kernel) + self.bias  # W x_t + b

    def step(self, projected, states, recurrent_mask=None):
        h, c = states
        total = projected + ops.matmul(masked(h, recurrent_mask), self.recurrent_kernel)
        i, f, g, o = tf.split(total, 4, axis=-1)
        p_i, p_f, p_o = tf.unstack(ops.convert_to_tensor(self.peepholes))
        i = self.recurrent_activation(i + p_i * c)
        f = self.recurrent_activation(f + p_f * c)
        c = f * c + i * self.activation(g)
        o = self.recurrent_activation(o + p_o * c)
        h = o * self.activation(c)
        return h, (h, c)

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "forget_bias": self.forget_bias,
        }
