"""Long short-term memory."""

import keras
import tensorflow as tf

from .activations import SLOPES
from .analytic import AnalyticRecurrence
from .backpropagation import Weights, has_few_rows
from .fused_lstm import block_lstm, block_order
from .gate_bias import gate_bias


@keras.saving.register_keras_serializable(package="seqloom")
class LSTM(AnalyticRecurrence):
    """Remembers in a cell that gates write, keep and read.

    With `z_t = W x_t + U h_{t-1} + b` for each gate (Hochreiter and Schmidhuber, 1997; the forget gate by Gers et
    al., 2000): `i_t, f_t, o_t = gate(z_t)`, `g_t = act(z_t)`, `c_t = f_t * c_{t-1} + i_t * g_t` and
    `h_t = o_t * act(c_t)`. Equations, names and weights are those of `keras.layers.LSTM`, with the gates in the order
    i, f, g, o, and weights move both ways.

    Args:
        units: int. Size of `h` and `c`.
        activation: str or callable. `act`. `"tanh"` and `"softsign"` have the fast path. Defaults to `"tanh"`.
        recurrent_activation: str or callable. `gate`. Defaults to `"sigmoid"`, which has the fast path.
        use_bias: bool. Whether there is a `b`. Defaults to `True`.
        forget_bias: float. What the bias of the forget gate starts at; 1 as in Jozefowicz et al. (2015), up to 5
            where much has to be remembered for long. Defaults to `1.0`.
        use_cudnn: bool or `"auto"`. Whether a GPU runs cuDNN's kernel, as in `keras.layers.LSTM`. It is left for a
            loop, silently with `"auto"`, under `reset`, recurrent dropout in training, or other activations. `False`
            is for tracing an export. Defaults to `"auto"`.
        **kwargs: as in `Recurrence`.

    Call arguments, Returns, Masking and Raises:
        as in `Recurrence`, with the states `h` and `c`.

    Example:
        >>> layer = LSTM(4, return_sequences=True, return_state=True)
        >>> outputs, h, c = layer(keras.ops.ones((2, 5, 3)), lengths=keras.ops.array([5, 2]))
        >>> bool(keras.ops.all(outputs[1, 1] == h[1])), float(keras.ops.sum(outputs[1, 2:]))
        (True, 0.0)

    References:
        Hochreiter and Schmidhuber (1997), Long short-term memory.
        Gers, Schmidhuber and Cummins (2000), Learning to forget: continual prediction with LSTM.
        Jozefowicz, Zaremba and Sutskever (2015), An empirical exploration of recurrent network architectures.
    """

    keras_class = keras.layers.LSTM
    separate_products = False

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", forget_bias=1.0, **kwargs):
        self.forget_bias = forget_bias
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        super().__init__(units, activation, **kwargs)

    def keras_settings(self):
        share = (self.units, 2 * self.units)  # Keras keeps the gates in the order i, f, g, o
        return {
            **super().keras_settings(),
            "recurrent_activation": self.recurrent_activation,
            "unit_forget_bias": False,
            "bias_initializer": gate_bias(self.bias_initializer, self.forget_bias, share),
        }

    @property
    def state_sizes(self):
        return (self.units, self.units)

    @property
    def value_sizes(self):
        return (self.units,) * 6

    @property
    def has_slopes(self):
        return super().has_slopes and self.recurrent_activation is keras.activations.sigmoid

    @property
    def fits_cudnn(self):
        return super().fits_cudnn and self.recurrent_activation is keras.activations.sigmoid

    def loop_weights(self):
        """The weights as Keras has them."""
        kernel, recurrent_kernel = tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.recurrent_kernel)
        return Weights(kernel, tf.convert_to_tensor(self.bias) if self.use_bias else None, recurrent_kernel, None)

    def loop(self, inputs, states, reset, recurrent_mask, training):
        """As the base does, but in inference of few rows by one operation for all steps."""
        plain = self.fits_cudnn and inputs.dtype == tf.float32 and reset is None and recurrent_mask is None
        if training or not has_few_rows(inputs) or not plain:
            return super().loop(inputs, states, reset, recurrent_mask, training)
        matrix = tf.concat([tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.recurrent_kernel)], axis=0)
        return block_lstm(inputs, block_order(matrix), block_order(tf.convert_to_tensor(self.bias)), *states)

    def forward(self, projected, recurrent, states):
        """One step, `h_t` and `c_t`."""
        _, c = states
        i, f, candidate, o = tf.split(projected + recurrent, 4, axis=1)
        i, f, o = (self.recurrent_activation(gate) for gate in (i, f, o))
        g = self.activation(candidate)
        new_c = f * c + i * g
        squashed = self.activation(new_c)
        return (o * squashed, new_c), (i, f, g, o, squashed, c)

    def backward(self, gradients, values):
        """The derivatives of the equations of one step."""
        (dh, dc), (i, f, g, o, squashed, c) = gradients, values
        slope, gate_slope = SLOPES[self.activation], SLOPES[self.recurrent_activation]
        dc += slope(squashed, dh * o)
        gates = gate_slope(i, dc * g), gate_slope(f, dc * c), slope(g, dc * i), gate_slope(o, dh * squashed)
        products = tf.concat(gates, axis=1)
        return products, products, (None, dc * f)

    def get_config(self):
        return {
            **super().get_config(),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "forget_bias": self.forget_bias,
        }
