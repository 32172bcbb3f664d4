"""Slopes of features over time."""

import keras
import numpy as np
from keras import ops

from .masking import sequence_mask


@keras.saving.register_keras_serializable(package="seqloom")
class Deltas(keras.layers.Layer):
    """Appends to each frame how its features change: first and second derivatives.

    A parabola is fitted to the `width` frames around each frame, by least squares; its slope and its curvature at the
    middle are (Savitzky and Golay, 1964), with `m = (width - 1) / 2` and `q` the mean of the `k^2`:

        delta_t = sum_{k=-m..m} k x_{t+k} / sum k^2
        delta_delta_t = 2 sum_{k=-m..m} (k^2 - q) x_{t+k} / sum (k^2 - q)^2

    Before the first frame of a row stands that frame again, and behind the last one the last, as in
    `librosa.feature.delta(..., mode="nearest")`. Computed in float32 under every mixed precision policy.

    Args:
        order: int. `1` appends the first derivatives, `2` the second ones too. Defaults to `2`.
        width: int, odd, at least 3. Frames of the fit. Defaults to `9`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, time, features)`.
        lengths: int32 tensor `(batch,)`, valid frames of each row, at least 1.

    Returns:
        float32 tensor `(batch, time, (1 + order) * features)` (float64 in a float64 layer), the derivatives per frame;
        zeros past `lengths`.

    Masking:
        frames past `lengths` do not count.

    Raises:
        ValueError: if `order` is neither 1 nor 2, or `width` is not odd or below 3.

    Example:
        >>> layer = Deltas(order=1, width=3)
        >>> inputs, lengths = keras.ops.array([[[1.0], [3.0], [5.0], [9.0]]]), keras.ops.array([3])
        >>> layer(inputs, lengths=lengths).numpy().tolist()
        [[[1.0, 1.0], [3.0, 2.0], [5.0, 1.0], [0.0, 0.0]]]

    References:
        Savitzky and Golay (1964), Smoothing and differentiation of data by simplified least squares procedures.
        Furui (1986), Speaker-independent isolated word recognition using dynamic features of speech spectrum.
    """

    def __init__(self, order=2, width=9, **kwargs):
        super().__init__(autocast=False, **kwargs)
        if order not in (1, 2):
            raise ValueError(f"order must be 1 or 2, got order={order}")
        if not isinstance(width, int) or width < 3 or width % 2 == 0:
            raise ValueError(f"width must be an odd integer of at least 3, got width={width}")
        self.order = order
        self.width = width
        self.feature_dtype = "float64" if self.variable_dtype == "float64" else "float32"
        k = np.arange(width) - width // 2
        centred = k**2 - np.mean(k**2)
        self._kernels = [k / np.sum(k**2), 2 * centred / np.sum(centred**2)][:order]
        self.built = True  # there are no weights

    def call(self, inputs, lengths):
        inputs = ops.cast(inputs, self.feature_dtype)
        lengths, time = ops.cast(lengths, "int32"), ops.shape(inputs)[1]
        mask = sequence_mask(lengths, time)[:, :, None]
        last = ops.take_along_axis(inputs, lengths[:, None, None] - 1, axis=1)  # (batch, 1, features)
        margin = self.width // 2
        before, after = ops.repeat(inputs[:, :1], margin, axis=1), ops.repeat(last, margin, axis=1)
        extended = ops.concatenate([before, ops.where(mask, inputs, last), after], axis=1)
        shifted = [extended[:, start : start + time] for start in range(self.width)]
        slopes = [
            sum(float(weight) * frames for weight, frames in zip(kernel, shifted, strict=True) if weight)
            for kernel in self._kernels
        ]
        return ops.where(mask, ops.concatenate([inputs, *slopes], axis=-1), 0)

    def compute_output_shape(self, inputs_shape, lengths_shape=None):
        return (*inputs_shape[:-1], (1 + self.order) * inputs_shape[-1])

    def compute_output_spec(self, inputs, lengths):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.feature_dtype)

    def get_config(self):
        return {**super().get_config(), "order": self.order, "width": self.width}
