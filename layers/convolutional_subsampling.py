"""Convolutions that read a window of steps and keep fewer of them."""

import keras
from keras import ops

from .masking import sequence_mask


@keras.saving.register_keras_serializable(package="seqloom")
class ConvolutionalSubsampling(keras.layers.Layer):
    """Reads windows of steps by convolutions, each `relu(norm(conv(x)))`, of which the last ones keep every n-th step.

    The shortest way from the 100 frames a second of speech features to steps that a recurrent layer can read in
    reasonable time (as in Deep Speech 2). The convolutions see zeros before and after each row, wherever it ends in
    its batch, and lengths are counted explicitly: a row of `n` steps comes out with `ceil(n / stride)` steps.

    Args:
        filters: int. Size of the outputs of each convolution.
        kernel_size: int, odd. Steps that a convolution sees at once. Defaults to `5`.
        strides: sequence of int. For each convolution, which share of its steps it keeps: one of so many.
            Defaults to `(1, 2)`.
        dropout: float in [0, 1). Dropout between the convolutions. Defaults to `0.0`.
        kernel_regularizer: `keras.regularizers.Regularizer`, its name or `None`. Of the convolutions.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, time, features)`.
        lengths: int32 tensor `(batch,)`, valid steps of each row, at least 1.
        training: bool. Whether dropout applies.

    Returns:
        float tensor `(batch, ceil(time / stride), filters)`, zeros past the new lengths, which `output_lengths` counts.

    Masking:
        by `lengths` only.

    Raises:
        ValueError: if a size is not positive, `kernel_size` is even, or `dropout` does not lie in [0, 1).

    Example:
        >>> layer = ConvolutionalSubsampling(filters=4, strides=(1, 2))
        >>> outputs = layer(keras.ops.ones((2, 7, 3)), lengths=keras.ops.array([7, 4]))
        >>> outputs.shape, layer.output_lengths(keras.ops.array([7, 4])).numpy().tolist()
        (TensorShape([2, 4, 4]), [4, 2])

    References:
        Amodei et al. (2016), [Deep Speech 2](https://arxiv.org/abs/1512.02595), sections 3.3 and 3.5.
    """

    def __init__(self, filters, kernel_size=5, strides=(1, 2), dropout=0.0, kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        strides = tuple(strides)
        for name, values in (("filters", (filters,)), ("kernel_size", (kernel_size,)), ("strides", strides)):
            if not values or any(not isinstance(value, int) or value < 1 for value in values):
                raise ValueError(f"{name} must be positive integers, got {name}={values}")
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, so that a window has a middle, got kernel_size={kernel_size}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got dropout={dropout}")
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.dropout = dropout
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        shared = {"padding": "valid", "use_bias": False, "kernel_regularizer": self.kernel_regularizer}
        self.convolutions = [
            keras.layers.Conv1D(
                filters, kernel_size, strides=stride, dtype=self.dtype_policy, name=f"convolution_{i}", **shared
            )
            for i, stride in enumerate(strides)
        ]
        self.norms = [
            keras.layers.LayerNormalization(dtype=self.dtype_policy, name=f"norm_{i}") for i in range(len(strides))
        ]
        self.dropouts = [
            keras.layers.Dropout(dropout, dtype=self.dtype_policy, name=f"dropout_{i}") for i in range(len(strides) - 1)
        ]

    def build(self, inputs_shape):
        size = inputs_shape[-1]
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            convolution.build((None, None, size))
            norm.build((None, None, self.filters))
            size = self.filters

    def call(self, inputs, lengths, training=None):
        outputs, margin = _masked(inputs, lengths), self.kernel_size // 2
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            if i:
                outputs = self.dropouts[i - 1](outputs, training=training)
            # the zeros are put there by hand: those of padding="same" depend on the length of the batch
            outputs = convolution(ops.pad(outputs, ((0, 0), (margin, margin), (0, 0))))
            lengths = _kept(lengths, self.strides[i])
            outputs = _masked(ops.relu(norm(outputs)), lengths)
        return outputs  # (batch, ceil(time / stride), filters)

    def output_lengths(self, lengths):
        """Counts the valid steps of the outputs.

        Args:
            lengths: int32 tensor `(batch,)`, valid steps of the inputs.

        Returns:
            int32 tensor `(batch,)`.
        """
        for stride in self.strides:
            lengths = _kept(lengths, stride)
        return lengths

    def compute_output_shape(self, inputs_shape, lengths_shape=None):
        time = inputs_shape[1]
        for stride in self.strides:
            time = None if time is None else -(-time // stride)
        return (inputs_shape[0], time, self.filters)

    def get_config(self):
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "dropout": self.dropout,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


def _kept(lengths, stride):
    return (lengths + stride - 1) // stride


def _masked(values, lengths):
    real = sequence_mask(lengths, ops.shape(values)[1])
    return values * ops.cast(real[..., None], values.dtype)
