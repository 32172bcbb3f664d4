"""An LSTM that writes what it forgets."""

import keras
import tensorflow as tf
from keras import ops

from .gate_bias import gate_bias
from .recurrence import Recurrence, masked


@keras.saving.register_keras_serializable(package="seqloom")
class CoupledLSTM(Recurrence):
    """Couples the input gate of an LSTM to its forget gate: new content enters as old content leaves.

    `f_t = rec(W_f x_t + U_f h_{t-1} + b_f)`, `c_t = f_t * c_{t-1} + (1 - f_t) * act(W_c x_t + U_c h_{t-1} + b_c)`,
    `o_t = rec(W_o x_t + U_o h_{t-1} + b_o)`, `h_t = o_t * act(c_t)` (Greff et al., 2015, who found it about as good as
    the LSTM). It has three quarters of an LSTM's weights. The cell is an average of its candidates and stays in their
    range. The weights stand in the order forget gate, cell, output gate.

    Args:
        units: int. Size of `h` and of `c`.
        activation: str or callable. `act`. Defaults to `"tanh"`.
        recurrent_activation: str or callable. `rec`, with values in [0, 1]. Defaults to `"sigmoid"`.
        forget_bias: float. Initial `b_f`. Defaults to `1.0`.
        **kwargs: as in `Recurrence`.

    Call arguments, Returns, Masking and Raises:
        as in `Recurrence`, with two states, `h` and `c`.

    Example:
        >>> layer = CoupledLSTM(4, return_sequences=True)
        >>> layer(keras.ops.ones((2, 5, 3)), lengths=keras.ops.array([5, 2])).shape
        TensorShape([2, 5, 4])

    References:
        Greff, Srivastava, Koutnik, Steunebrink and Schmidhuber (2015), LSTM: a search space odyssey.
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
        self.kernel = self.add_kernel("kernel", (inputs_shape[-1], 3 * self.units))
        self.recurrent_kernel = self.add_recurrent_kernel("recurrent_kernel", (self.units, 3 * self.units))
        initializer = gate_bias(self.bias_initializer, self.forget_bias, (0, self.units))
        self.bias = self.add_bias("bias", (3 * self.units,), initializer=initializer)

    def project(self, inputs):
        return ops.matmul(inputs, self.kernel) + self.bias  # W x_t + b

    def step(self, projected, states, recurrent_mask=None):
        h, c = states
        total = projected + ops.matmul(masked(h, recurrent_mask), self.recurrent_kernel)
        f, g, o = tf.split(total, 3, axis=-1)
        g = self.activation(g)
        c = g + self.recurrent_activation(f) * (c - g)  # f c + (1 - f) g
        h = self.recurrent_activation(o) * self.activation(c)
        return h, (h, c)

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "forget_bias": self.forget_bias,
        }
