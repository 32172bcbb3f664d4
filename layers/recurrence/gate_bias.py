"""The bias of gated cells, whose forget gate starts at a value of its own."""

from keras import ops


def gate_bias(initializer, forget_bias, position):
    """Makes an initializer for the biases of several gates, one after the other.

    A positive value lets the cell remember from the first step on (Gers et al., 2000; Jozefowicz et al., 2015).

    Args:
        initializer: of the whole bias, before the forget gate's share is replaced.
        forget_bias: float. Initial bias of the forget gate.
        position: tuple of two ints. Where the forget gate's share begins and ends.

    Returns:
        a function of shape and dtype, as Keras takes in place of an initializer.

    Example:
        >>> import keras
        >>> gate_bias(keras.initializers.Zeros(), 1.0, (2, 4))((6,)).numpy().tolist()
        [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    """
    begin, end = position

    def initialize(shape, dtype=None):
        bias = initializer(shape, dtype=dtype)
        return ops.concatenate([bias[:begin], ops.full((end - begin,), forget_bias, dtype=bias.dtype), bias[end:]])

    return initialize
