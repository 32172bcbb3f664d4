"""The forward pass of an LSTM in one operation, for serving on a CPU."""

import tensorflow as tf


class FusedLSTM(tf.Module):
    """Computes what a `keras.layers.LSTM` computes, by TensorFlow's `BlockLSTM` kernel instead of a loop.

    The loop of Keras starts a dozen operations for each step, which is most of the time that a single sequence takes;
    the kernel is one operation for all steps. It wants one matrix for inputs and state, with the gates in the order
    input, cell, forget, output, so the weights are kept a second time: call `update` when those of the layer change.
    For inference only.

    Args:
        layer: a built `keras.layers.LSTM` with the default activations.

    Call arguments:
        inputs: float32 tensor `(batch, time, features)`.

    Returns:
        float32 tensor `(batch, time, units)`.

    Example:
        >>> import keras
        >>> layer = keras.layers.LSTM(4, return_sequences=True)
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
        cell = self._layer().cell

        def reorder(weights):  # Keras has input, forget, cell, output
            entry, forget, candidate, output = tf.split(weights, 4, axis=-1)
            return tf.concat([entry, candidate, forget, output], axis=-1)

        matrix = tf.concat([tf.convert_to_tensor(cell.kernel), tf.convert_to_tensor(cell.recurrent_kernel)], axis=0)
        return reorder(matrix), reorder(tf.convert_to_tensor(cell.bias))

    def __call__(self, inputs):
        steps = tf.transpose(inputs, [1, 0, 2])  # (time, batch, features)
        start, no_peephole = tf.zeros([tf.shape(inputs)[0], self.units]), tf.zeros([self.units])
        outputs = tf.raw_ops.BlockLSTM(
            seq_len_max=tf.shape(steps, out_type=tf.int64)[0],
            x=steps,
            cs_prev=start,
            h_prev=start,
            w=self.matrix,
            wci=no_peephole,
            wcf=no_peephole,
            wco=no_peephole,
            b=self.bias,
            forget_bias=0.0,  # the bias of the forget gate has it already
            cell_clip=-1.0,
            use_peephole=False,
        )
        return tf.transpose(tf.ensure_shape(outputs.h, [None, None, self.units]), [1, 0, 2])
