"""An output layer whose labels share what their names share."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="seqloom")
class FactoredDense(keras.layers.Layer):
    """Scores each label as the sum of the scores of its parts.

    `logits_k = sum over parts p of label k of (w_p x + b_p)`. Labels whose names have a part in common (`B-` and `I-`,
    `fromloc.city_name` and `toloc.city_name`) share the evidence for it, so that rare labels learn from frequent ones;
    a label that also has a part of its own loses nothing against a dense layer. The parts are those of a factorial
    output in the sense of Srikumar and Manning (2014), with given instead of learnt label embeddings. Computed in
    float32 under every mixed precision policy.

    Args:
        parts: list of lists of str. The names of the parts of each label, in the order of the labels' ids.
        kernel_regularizer: `keras.regularizers.Regularizer`, its name or `None`. Defaults to `None`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(..., features)`.

    Returns:
        float32 tensor `(..., labels)` (float64 in a float64 layer).

    Raises:
        ValueError: if there is no label, or a label without a part.

    Example:
        >>> layer = FactoredDense([["O"], ["B", "city"], ["I", "city"]])
        >>> layer(keras.ops.ones((2, 7, 4))).shape
        TensorShape([2, 7, 3])
        >>> layer.kernel.shape
        TensorShape([4, 4])

    References:
        Srikumar and Manning (2014), Learning distributed representations for structured output prediction.
    """

    def __init__(self, parts, kernel_regularizer=None, **kwargs):
        super().__init__(autocast=False, **kwargs)
        if not parts or not all(parts):
            raise ValueError(f"parts must name at least one part for each label, got parts={parts}")
        self.parts = [list(names) for names in parts]
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        ids = {name: i for i, name in enumerate(dict.fromkeys(name for names in self.parts for name in names))}
        self.membership = np.zeros((len(ids), len(self.parts)))  # (parts, labels)
        for label, names in enumerate(self.parts):
            for name in names:
                self.membership[ids[name], label] = 1.0
        self.score_dtype = "float64" if self.variable_dtype == "float64" else "float32"

    def build(self, inputs_shape):
        parts = len(self.membership)
        self.kernel = self.add_weight(
            name="kernel", shape=(inputs_shape[-1], parts), regularizer=self.kernel_regularizer
        )
        self.bias = self.add_weight(name="bias", shape=(parts,), initializer="zeros")

    def call(self, inputs):
        inputs, kernel = ops.cast(inputs, self.score_dtype), ops.cast(self.kernel, self.score_dtype)
        part_scores = ops.matmul(inputs, kernel) + ops.cast(self.bias, self.score_dtype)  # (..., parts)
        return ops.matmul(part_scores, ops.convert_to_tensor(self.membership, self.score_dtype))

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:-1], len(self.parts))

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.score_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "parts": self.parts,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }
