"""A plain RNN beside units that change slowly."""

import keras
import numpy as np
from keras import ops

from .recurrence import Recurrence


@keras.saving.register_keras_serializable(package="seqloom")
class SCRN(Recurrence):
    """Gives a plain RNN a second, slow state that holds the context of the sequence so far.

    `s_t = (1 - alpha) B x_t + alpha s_{t-1}` and `h_t = act(P s_t + A x_t + R h_{t-1})` (Mikolov et al., 2015). The
    context `s` is an average of the inputs that decays by `alpha` a step; nothing nonlinear is in the gradient's way.
    The output is both, `[h_t; s_t]`, since the layer above reads both in the paper. Under `mixed_bfloat16` rounding
    swallows the small steps of a slow context: with an `alpha` of 0.98 it ends 5 % short of a constant input, with one
    of 0.995 it ends at half.

    Args:
        units: int. Size of `[h; s]`, at least 2.
        context_units: int. Size of `s`, below `units`. Defaults to `None`, which is a quarter of `units`.
        alpha: float in (0, 1). The decay, or its initial value. Defaults to `0.95`, as in the paper.
        trainable_alpha: bool. Whether `alpha` is learned, one for each unit of `s`. Its logit is the weight.
            Defaults to `False`.
        activation: str or callable. `act`. Defaults to `"sigmoid"`, as in the paper.
        **kwargs: as in `Recurrence`. There is no bias.

    Call arguments, Returns and Masking:
        as in `Recurrence`, with two states: `h` of `units - context_units`, and `s` of `context_units`.

    Raises:
        ValueError: if `context_units` leaves nothing of `units`, or `alpha` lies outside (0, 1); else as in
            `Recurrence`.

    Example:
        >>> layer = SCRN(10, context_units=4, return_sequences=True)
        >>> layer(keras.ops.ones((2, 5, 3)), lengths=keras.ops.array([5, 2])).shape
        TensorShape([2, 5, 10])
        >>> layer.state_sizes
        (6, 4)

    References:
        Mikolov, Joulin, Chopra, Mathieu and Ranzato (2015), Learning longer memory in recurrent neural networks.
    """

    def __init__(self, units, context_units=None, alpha=0.95, trainable_alpha=False, activation="sigmoid", **kwargs):
        super().__init__(units, **kwargs)
        if units < 2:
            raise ValueError(f"units must be at least 2, one of them for the context, got units={units}")
        if context_units is not None and not (isinstance(context_units, int) and 0 < context_units < units):
            raise ValueError(
                f"context_units must be a positive integer below units={units}, got context_units={context_units}"
            )
        if not 0 < alpha < 1:
            raise ValueError(f"alpha must lie in (0, 1), got alpha={alpha}")
        self.context_units = context_units
        self.alpha = alpha
        self.trainable_alpha = trainable_alpha
        self.activation = keras.activations.get(activation)

    @property
    def state_sizes(self):
        """tuple of int: the hidden units, and the context units."""
        context = self.context_units or max(1, self.units // 4)
        return (self.units - context, context)

    def build(self, inputs_shape):
        hidden, context = self.state_sizes
        self.kernel = self.add_kernel("kernel", (inputs_shape[-1], hidden))
        self.context_kernel = self.add_kernel("context_kernel", (inputs_shape[-1], context))
        self.recurrent_kernel = self.add_recurrent_kernel("recurrent_kernel", (hidden, hidden))
        self.context_to_hidden_kernel = self.add_recurrent_kernel("context_to_hidden_kernel", (context, hidden))
        if self.trainable_alpha:
            logit = keras.initializers.Constant(np.log(self.alpha / (1 - self.alpha)))
            self.alpha_logit = self.add_weight(name="alpha_logit", shape=(context,), initializer=logit)

    def _decay(self):
        return ops.sigmoid(self.alpha_logit) if self.trainable_alpha else self.alpha

    def project(self, inputs):
        context = (1 - self._decay()) * ops.matmul(inputs, self.context_kernel)  # (1 - alpha) B x_t
        return ops.concatenate([ops.matmul(inputs, self.kernel), context], axis=-1)  # A x_t

    def step(self, projected, states, recurrent_mask=None):
        h, s = states
        hidden = self.state_sizes[0]
        s = projected[:, hidden:] + self._decay() * s
        read = s
        if recurrent_mask is not None:
            h, read = h * recurrent_mask[:, :hidden], s * recurrent_mask[:, hidden:]
        recurrent = ops.matmul(read, self.context_to_hidden_kernel) + ops.matmul(h, self.recurrent_kernel)
        h = self.activation(projected[:, :hidden] + recurrent)  # act(A x_t + P s_t + R h_{t-1})
        return ops.concatenate([h, s], axis=-1), (h, s)

    def get_config(self):
        return {
            **super().get_config(),
            "context_units": self.context_units,
            "alpha": self.alpha,
            "trainable_alpha": self.trainable_alpha,
            "activation": keras.activations.serialize(self.activation),
        }
