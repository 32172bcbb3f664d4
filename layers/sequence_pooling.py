"""One vector for a whole sequence."""

import keras
from keras import ops

from .masking import sequence_mask

POOLINGS = ("last", "max", "mean", "attention")


@keras.saving.register_keras_serializable(package="seqloom")
class SequencePooling(keras.layers.Layer):
    """Summarises the valid steps of each row in one vector.

    `"last"` is what a recurrence has seen at the end: the first half of the features at the last valid step and, of a
    bidirectional encoder, the second half at the first step. `"max"` and `"mean"` are taken over the valid steps.
    `"attention"` is the mean weighted by `softmax_t(v . x_t)` with a learnt `v` (Raffel and Ellis, 2016). Several
    kinds are concatenated in the order in which they are named.

    Args:
        kinds: list of str, from `"last"`, `"max"`, `"mean"`, `"attention"`. Defaults to `["max"]`.
        bidirectional: bool. Whether the second half of the features was read backwards (for `"last"`).
            Defaults to `True`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, time, features)`.
        lengths: int32 tensor `(batch,)`, valid steps of each row, at least 1.

    Returns:
        float tensor `(batch, features * len(kinds))`.

    Raises:
        ValueError: if `kinds` is empty or holds an unknown name.

    Example:
        >>> layer = SequencePooling(["max", "mean"])
        >>> inputs = keras.ops.array([[[1.0], [3.0], [9.0]]])
        >>> layer(inputs, lengths=keras.ops.array([2])).numpy().tolist()
        [[3.0, 2.0]]

    References:
        Raffel and Ellis (2016), Feed-forward networks with attention can solve some long-term memory problems.
    """

    def __init__(self, kinds=("max",), bidirectional=True, **kwargs):
        super().__init__(**kwargs)
        self.kinds = list(kinds)
        if not self.kinds or not set(self.kinds) <= set(POOLINGS):
            raise ValueError(f"kinds must be some of {', '.join(POOLINGS)}, got kinds={self.kinds}")
        self.bidirectional = bidirectional

    def build(self, inputs_shape):
        if "attention" in self.kinds:
            self.query = self.add_weight(name="query", shape=(inputs_shape[-1],))

    def call(self, inputs, lengths):
        lengths = ops.cast(lengths, "int32")
        mask = sequence_mask(lengths, ops.shape(inputs)[1])[:, :, None]  # (batch, time, 1)
        return ops.concatenate([getattr(self, f"_{kind}")(inputs, lengths, mask) for kind in self.kinds], axis=-1)

    def _last(self, inputs, lengths, mask):
        steps = ops.arange(ops.shape(inputs)[1], dtype="int32")
        is_last = ops.cast(steps[None, :] == lengths[:, None] - 1, inputs.dtype)[:, :, None]
        last = ops.sum(ops.where(mask, inputs, 0) * is_last, axis=1)
        if not self.bidirectional:
            return last
        half = inputs.shape[-1] // 2
        return ops.concatenate([last[:, :half], inputs[:, 0, half:]], axis=-1)

    def _max(self, inputs, lengths, mask):
        return ops.max(ops.where(mask, inputs, ops.cast(-1e4, inputs.dtype)), axis=1)

    def _mean(self, inputs, lengths, mask):
        return ops.sum(ops.where(mask, inputs, 0), axis=1) / ops.cast(lengths, inputs.dtype)[:, None]

    def _attention(self, inputs, lengths, mask):
        score_dtype = "float64" if self.compute_dtype == "float64" else "float32"
        scores = ops.cast(ops.matmul(inputs, self.query[:, None]), score_dtype)
        weights = ops.softmax(ops.where(mask, scores, -1e9), axis=1)
        return ops.sum(ops.where(mask, inputs, 0) * ops.cast(weights, inputs.dtype), axis=1)

    def compute_output_shape(self, inputs_shape, lengths_shape=None):
        return (inputs_shape[0], inputs_shape[-1] * len(self.kinds))

    def get_config(self):
        return {**super().get_config(), "kinds": self.kinds, "bidirectional": self.bidirectional}
