"""Skip connections through time."""

import keras
from keras import ops

from .recurrence import Recurrence, masked


@keras.saving.register_keras_serializable(package="seqloom")
class SkipRNN(Recurrence):
    """Reads, besides the state of the step before, the one from several steps back.

    `h_t = act(W x_t + U h_{t-1} + V h_{t-d} + b)` (Lin et al., 1996; Goodfellow et al., section 10.9.1). A gradient
    that has to go back `n` steps passes `n / d` matrices along the skip connections, instead of `n`.

    Args:
        units: int. Size of `h`.
        skip: int, at least 2. `d`, how many steps back the skip connection reaches. Defaults to `4`.
        activation: str or callable. `act`. Defaults to `"tanh"`.
        **kwargs: as in `Recurrence`.

    Call arguments, Returns and Masking:
        as in `Recurrence`, with `d` states: `h_{t-1}`, `h_{t-2}`, ..., `h_{t-d}`. They are zero before the first
        step and after a reset.

    Raises:
        ValueError: if `skip` is no integer above 1; else as in `Recurrence`.

    Example:
        >>> layer = SkipRNN(4, skip=3, return_sequences=True)
        >>> layer(keras.ops.ones((2, 5, 6)), lengths=keras.ops.array([5, 2])).shape
        TensorShape([2, 5, 4])
        >>> layer.state_sizes
        (4, 4, 4)

    References:
        Lin, Horne, Tino and Giles (1996), Learning long-term dependencies in NARX recurrent neural networks.
        Goodfellow, Bengio and Courville (2016), Deep learning, section 10.9.1.
    """

    def __init__(self, units, skip=4, activation="tanh", **kwargs):
        super().__init__(units, **kwargs)
        if not isinstance(skip, int) or skip < 2:
            raise ValueError(f"skip must be an integer, at least 2, got skip={skip}")
        self.skip = skip
        self.activation = keras.activations.get(activation)

    @property
    def state_sizes(self):
        """tuple of int: one state for each of the last `skip` steps, the latest first."""
        return (self.units,) * self.skip

    def build(self, inputs_shape):
        self.kernel = self.add_kernel("kernel", (inputs_shape[-1], self.units))
        self.recurrent_kernel = self.add_recurrent_kernel("recurrent_kernel", (self.units, self.units))
        self.skip_kernel = self.add_recurrent_kernel("skip_kernel", (self.units, self.units))
        self.bias = self.add_bias("bias", (self.units,))

    def project(self, inputs):
        return ops.matmul(inputs, self.kernel) + self.bias  # W x_t + b

    def step(self, projected, states, recurrent_mask=None):
        before = ops.matmul(masked(states[0], recurrent_mask), self.recurrent_kernel)  # U h_{t-1}
        skipped = ops.matmul(masked(states[-1], recurrent_mask), self.skip_kernel)  # V h_{t-d}
        h = self.activation(projected + before + skipped)
        return h, (h, *states[:-1])

    def get_config(self):
        return {
            **super().get_config(),
            "skip": self.skip,
            "activation": keras.activations.serialize(self.activation),
        }
