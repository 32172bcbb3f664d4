"""Masks on spectra during training."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqloom")
class SpecAugment(keras.layers.Layer):
    """Sets stretches of frames and bands of features to 0 during training.

    A time mask covers the frames `[t_0, t_0 + t)` of a row with `tau` frames: `t` is drawn from `0 ... T`, with
    `T = max_time_share * tau`, and then `t_0` from `0 ... tau - t`. A frequency mask covers features in the same way.
    Each row has masks of its own, which may overlap. 0 is the mean of normalised features (Park et al., 2019, who also
    warp time, which gains them the least).

    Args:
        time_masks: int. Masks on the time axis of each row. Defaults to `2`.
        max_time_share: float in [0, 1]. Share of the row's own frames that one of them covers at most. Defaults to
            `0.1`.
        frequency_masks: int. Masks on the feature axis of each row. Defaults to `2`.
        max_frequency_share: float in [0, 1]. Share of the features that one of them covers at most. Defaults to `0.2`.
        seed: int or `None`. Makes the draws reproducible. Defaults to `None`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, time, features)`, normalised.
        lengths: int32 tensor `(batch,)`, valid frames of each row, at least 1.
        training: bool. Outside training the inputs pass unchanged.

    Returns:
        float tensor, shape and dtype of `inputs`.

    Masking:
        time masks lie within the valid frames.

    Raises:
        ValueError: if a number of masks is negative, or a share does not lie in [0, 1].

    Example:
        >>> layer = SpecAugment(time_masks=1, max_time_share=0.5, frequency_masks=0, seed=3)
        >>> inputs, lengths = keras.ops.ones((1, 8, 1)), keras.ops.array([6])
        >>> bool(keras.ops.all(layer(inputs, lengths=lengths) == inputs))
        True
        >>> masked = layer(inputs, lengths=lengths, training=True)
        >>> int(keras.ops.sum(masked == 0)) <= 3
        True

    References:
        Park, Chan, Zhang, Chiu, Zoph, Cubuk and Le (2019), SpecAugment: a simple data augmentation method for automatic
        speech recognition.
    """

    def __init__(
        self, time_masks=2, max_time_share=0.1, frequency_masks=2, max_frequency_share=0.2, seed=None, **kwargs
    ):
        super().__init__(**kwargs)
        for name, masks in (("time_masks", time_masks), ("frequency_masks", frequency_masks)):
            if not isinstance(masks, int) or masks < 0:
                raise ValueError(f"{name} must be an integer of at least 0, got {name}={masks}")
        for name, share in (("max_time_share", max_time_share), ("max_frequency_share", max_frequency_share)):
            if not 0 <= share <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {name}={share}")
        self.time_masks = time_masks
        self.max_time_share = max_time_share
        self.frequency_masks = frequency_masks
        self.max_frequency_share = max_frequency_share
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True  # there are no weights

    def call(self, inputs, lengths, training=None):
        if not training or self.time_masks + self.frequency_masks == 0:
            return inputs
        rows, time, features = ops.shape(inputs)
        draws = keras.random.uniform(
            (rows, self.time_masks + self.frequency_masks, 2), dtype="float32", seed=self.seed_generator
        )
        in_time = _covered(draws[:, : self.time_masks], lengths, self.max_time_share, time)  # (batch, time)
        in_frequency = _covered(
            draws[:, self.time_masks :], ops.full((rows,), features), self.max_frequency_share, features
        )  # (batch, features)
        return ops.where(ops.logical_or(in_time[:, :, None], in_frequency[:, None, :]), 0, inputs)

    def compute_output_shape(self, inputs_shape, lengths_shape=None):
        return tuple(inputs_shape)

    def compute_output_spec(self, inputs, lengths, training=None):
        return keras.KerasTensor(inputs.shape, dtype=inputs.dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "time_masks": self.time_masks,
            "max_time_share": self.max_time_share,
            "frequency_masks": self.frequency_masks,
            "max_frequency_share": self.max_frequency_share,
            "seed": self.seed,
        }


def _covered(draws, lengths, max_share, size):
    """Which places the masks of each row cover: bool `(batch, size)`, from draws in [0, 1) `(batch, masks, 2)`."""
    lengths = ops.cast(lengths, "float32")[:, None]
    widths = ops.floor(draws[:, :, 0] * (ops.floor(max_share * lengths) + 1))  # (batch, masks)
    starts = ops.floor(draws[:, :, 1] * (lengths - widths + 1))
    places = ops.arange(size, dtype="float32")
    begun = places >= starts[:, :, None]  # (batch, masks, size)
    return ops.any(ops.logical_and(begun, places < (starts + widths)[:, :, None]), axis=1)
