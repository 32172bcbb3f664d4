"""The forward pass of an LSTM in one operation, for serving on a CPU."""

import tensorflow as tf

from .recurrence import swapped


class FusedLSTM(tf.Module):
    """Computes what an `LSTM` computes, by TensorFlow's `BlockLSTM` kernel instead of a loop.

    A loop starts a dozen operations for each step, which is most of the time that a single sequence takes;
    the kernel is one operation for all steps. It wants one matrix for inputs and state, with the gates in the order
    input, cell, forget, output, so the weights are kept a second time: call `update` when those of the layer change.
    For inference only.

    Args:
        layer: a built `LSTM` with the default activations.

    Call arguments:
        inputs: float32 tensor `(batch, time, features)`.

    Returns:
        float32 tensor `(batch, time, units)`.

    Example:
        >>> import keras
        >>> from seqloom.layers import LSTM
        >>> layer = LSTM(4, return_sequences=True)
        >>> inputs = keras.random.normal((2, 5, 3), seed=1)
        >>> expected = layer(inputs)
        >>> bool(tf.reduce_max(tf.abs(FusedLSTM(layer)(inputs) - expected)) < 1e-6)
        True
    """

    def __init__(self, layer):
        super().__init__()
        self._layer = lambda: layer  # the layer itself is no part of what is exported
        self.units = layer.units
        matrix, bias = self._rearranged()
        self.matrix = tf.Variable(matrix, trainable=False)
        self.bias = tf.Variable(bias, trainable=False)

    def update(self):
        """Takes over the weights that the layer has now."""
        matrix, bias = self._rearranged()
        self.matrix.assign(matrix)
        self.bias.assign(bias)

    def _rearranged(self):
        layer = self._layer()
        matrix = tf.concat([tf.convert_to_tensor(layer.kernel), tf.convert_to_tensor(layer.recurrent_kernel)], axis=0)
        return block_order(matrix), block_order(tf.convert_to_tensor(layer.bias))

    def __call__(self, inputs):
        start = tf.zeros([tf.shape(inputs)[0], self.units])
        return block_lstm(inputs, self.matrix, self.bias, start, start)[0]


def block_order(weights):
    """Puts the gates i, f, g, o of Keras in the order of the kernel: i, g, f, o."""
    i, f, g, o = tf.split(weights, 4, axis=-1)
    return tf.concat([i, g, f, o], axis=-1)


def block_lstm(inputs, matrix, bias, h, c):
    """Runs TensorFlow's `BlockLSTM` kernel, which has the right gradient, unlike `BlockLSTMV2` on a CPU.

    Args:
        inputs: float32 tensor `(batch, time, features)`.
        matrix: float32 tensor `(features + units, 4 * units)`, in `block_order`.
        bias: float32 tensor `(4 * units,)`, in `block_order`.
        h: float32 tensor `(batch, units)`, before the first step.
        c: float32 tensor `(batch, units)`, before the first step.

    Returns:
        tuple of two float32 tensors `(batch, time, units)`, `h` and `c` after each step.
    """
    steps = swapped(inputs)
    no_peephole = tf.zeros_like(bias[: h.shape[-1]])
    outputs = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.shape(steps, out_type=tf.int64)[0],
        x=steps,
        cs_prev=c,
        h_prev=h,
        w=matrix,
        wci=no_peephole,
        wcf=no_peephole,
        wco=no_peephole,
        b=bias,
        forget_bias=0.0,  # the bias of the forget gate has it already
        cell_clip=-1.0,
        use_peephole=False,
    )
    shape = [inputs.shape[0], inputs.shape[1], h.shape[-1]]
    return tuple(tf.ensure_shape(swapped(each), shape) for each in (outputs.h, outputs.cs))
