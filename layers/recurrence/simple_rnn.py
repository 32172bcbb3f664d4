"""Elman's recurrence."""

import keras
import tensorflow as tf

from .activations import SLOPES
from .analytic import AnalyticRecurrence
from .backpropagation import Weights


@keras.saving.register_keras_serializable(package="seqloom")
class SimpleRNN(AnalyticRecurrence):
    """Feeds the output of a step back into the next.

    `h_t = act(W x_t + U h_{t-1} + b)` (Elman, 1990). Equations, names and weights are those of
    `keras.layers.SimpleRNN`, and weights move both ways.

    Args:
        units: int. Size of `h`.
        activation: str or callable. `act`. `"tanh"`, `"softsign"`, `"relu"`, `"sigmoid"` and `"linear"` have the
            fast path. Defaults to `"tanh"`.
        use_bias: bool. Whether there is a `b`. Defaults to `True`.
        **kwargs: as in `Recurrence`.

    Call arguments, Returns, Masking and Raises:
        as in `Recurrence`, with one state, `h`.

    Example:
        >>> layer = SimpleRNN(4, return_sequences=True)
        >>> layer(keras.ops.ones((2, 5, 3)), lengths=keras.ops.array([5, 2])).shape
        TensorShape([2, 5, 4])

    References:
        Elman (1990), Finding structure in time.
    """

    keras_class = keras.layers.SimpleRNN
    separate_products = False

    @property
    def value_sizes(self):
        return (self.units,)

    @property
    def fits_cudnn(self):
        return False  # Keras has no cuDNN kernel for it

    def loop_weights(self):
        """The weights as Keras has them."""
        kernel, recurrent_kernel = tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.recurrent_kernel)
        return Weights(kernel, tf.convert_to_tensor(self.bias) if self.use_bias else None, recurrent_kernel, None)

    def forward(self, projected, recurrent, states):
        """One step, `h_t`."""
        h = self.activation(projected + recurrent)
        return (h,), (h,)

    def backward(self, gradients, values):
        """The derivatives of the equations of one step."""
        product = SLOPES[self.activation](values[0], gradients[0])
        return product, product, (None,)
