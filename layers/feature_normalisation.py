"""Features with mean 0 and variance 1."""

import keras
import numpy as np
from keras import ops

from .masking import sequence_mask

MODES = ("utterance", "global")


@keras.saving.register_keras_serializable(package="seqloom")
class FeatureNormalisation(keras.layers.Layer):
    """Subtracts the mean of each feature and divides by its standard deviation.

    `y = (x - mean) / sqrt(max(variance, variance_floor))`. In mode `"utterance"` mean and variance are those of the
    row's own valid frames, which takes away what is constant in a recording: its loudness, the microphone and, in part,
    the speaker. In mode `"global"` they are weights that do not train, 0 and 1 until `adapt` sets them. Computed in
    float32 under every mixed precision policy.

    Args:
        mode: str. `"utterance"` or `"global"`. Defaults to `"utterance"`.
        variance_floor: float, positive. Smaller variances count as this much, so that silence becomes zeros and not
            magnified rounding errors. Defaults to `1e-4`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, time, features)`.
        lengths: int32 tensor `(batch,)`, valid frames of each row, at least 1.

    Returns:
        float32 tensor, shape of `inputs` (float64 in a float64 layer); zeros past `lengths`.

    Masking:
        frames past `lengths` do not count.

    Raises:
        ValueError: if `mode` is unknown or `variance_floor` is not positive.

    Example:
        >>> layer = FeatureNormalisation("utterance")
        >>> inputs, lengths = keras.ops.array([[[1.0], [3.0], [7.0]]]), keras.ops.array([2])
        >>> layer(inputs, lengths=lengths).numpy().tolist()
        [[[-1.0], [1.0], [0.0]]]
    """

    def __init__(self, mode="utterance", variance_floor=1e-4, **kwargs):
        super().__init__(autocast=False, **kwargs)
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, got mode={mode!r}")
        if not variance_floor > 0:
            raise ValueError(f"variance_floor must be positive, got variance_floor={variance_floor}")
        self.mode = mode
        self.variance_floor = variance_floor
        self.feature_dtype = "float64" if self.variable_dtype == "float64" else "float32"

    def build(self, inputs_shape):
        if self.mode == "global":
            settings = {"shape": (inputs_shape[-1],), "trainable": False, "autocast": False}
            self.mean = self.add_weight(name="mean", initializer="zeros", **settings)
            self.variance = self.add_weight(name="variance", initializer="ones", **settings)

    def adapt(self, mean, variance):
        """Sets the mean and the variance of each feature; builds the layer if need be.

        Args:
            mean: float array `(features,)`.
            variance: float array `(features,)`.

        Raises:
            ValueError: in mode `"utterance"`, or if the shapes do not fit.
        """
        if self.mode != "global":
            raise ValueError(f"mode must be 'global' for adapt, got mode={self.mode!r}")
        if np.ndim(mean) != 1 or np.shape(mean) != np.shape(variance):
            shapes = f"{np.shape(mean)} and {np.shape(variance)}"
            raise ValueError(f"mean and variance must hold one number for each feature, got shapes {shapes}")
        if not self.built:
            self.build((None, None, len(mean)))
            self.built = True
        self.mean.assign(mean)
        self.variance.assign(variance)

    def call(self, inputs, lengths):
        inputs = ops.cast(inputs, self.feature_dtype)
        mask = sequence_mask(lengths, ops.shape(inputs)[1])[:, :, None]  # (batch, time, 1)
        if self.mode == "global":
            mean, variance = self.mean, self.variance
        else:
            count = ops.cast(lengths, self.feature_dtype)[:, None, None]
            mean = ops.sum(ops.where(mask, inputs, 0), axis=1, keepdims=True) / count  # (batch, 1, features)
            variance = ops.sum(ops.where(mask, inputs - mean, 0) ** 2, axis=1, keepdims=True) / count
        scale = ops.rsqrt(ops.maximum(variance, self.variance_floor))
        return ops.where(mask, (inputs - mean) * scale, 0)

    def compute_output_shape(self, inputs_shape, lengths_shape=None):
        return tuple(inputs_shape)

    def compute_output_spec(self, inputs, lengths):
        return keras.KerasTensor(inputs.shape, dtype=self.feature_dtype)

    def get_config(self):
        return {**super().get_config(), "mode": self.mode, "variance_floor": self.variance_floor}
