"""A sequence of any length as a vector: some of its steps."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqloom")
class SpacedFrames(keras.layers.Layer):
    """Keeps a fixed number of evenly spaced steps of each row, the first and the last one among them.

    Between two steps it interpolates, so that a row may have fewer steps than are kept. What is kept stands one after
    the other in one vector: without anything to learn, the simplest vector of a word that two recordings of it share
    more or less (Levin et al., 2013).

    Args:
        frames: int, at least 1. The number of steps that are kept; of a single one it is the middle.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, time, features)`.
        lengths: int32 tensor `(batch,)`, valid steps of each row, at least 1.

    Returns:
        float tensor `(batch, frames * features)`.

    Masking:
        steps past `lengths` do not count.

    Raises:
        ValueError: if `frames` is not a positive integer.

    Example:
        >>> layer = SpacedFrames(3)
        >>> inputs, lengths = keras.ops.array([[[0.0], [1.0], [2.0], [3.0], [9.0]]]), keras.ops.array([4])
        >>> layer(inputs, lengths=lengths).numpy().tolist()
        [[0.0, 1.5, 3.0]]

    References:
        Levin, Henry, Jansen and Livescu (2013), Fixed-dimensional acoustic embeddings of variable-length segments in
        low-resource settings.
    """

    def __init__(self, frames, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(frames, int) or frames < 1:
            raise ValueError(f"frames must be a positive integer, got frames={frames}")
        self.frames = frames
        self.built = True  # there are no weights

    def call(self, inputs, lengths):
        last = ops.cast(lengths - 1, "float32")[:, None]  # (batch, 1)
        shares = ops.linspace(0.0, 1.0, self.frames) if self.frames > 1 else ops.array([0.5])
        places = last * ops.cast(shares, "float32")  # (batch, frames)
        before = ops.floor(places)
        share = ops.cast(places - before, inputs.dtype)[:, :, None]
        early = ops.take_along_axis(inputs, ops.cast(before, "int32")[:, :, None], axis=1)
        after = ops.cast(ops.minimum(before + 1, last), "int32")
        late = ops.take_along_axis(inputs, after[:, :, None], axis=1)
        kept = early * (1 - share) + late * share
        return ops.reshape(kept, (-1, self.frames * inputs.shape[-1]))

    def compute_output_shape(self, inputs_shape, lengths_shape=None):
        return (inputs_shape[0], self.frames * inputs_shape[-1])

    def compute_output_spec(self, inputs, lengths):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "frames": self.frames}
