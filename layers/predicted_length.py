"""A sequence whose length is known before its first step."""

import keras
import tensorflow as tf
from keras import ops

from .ending import Ending


@keras.saving.register_keras_serializable(package="seqloom")
class PredictedLength(Ending):
    """Chooses the length of a sequence first, from a vector, and then generates that many steps.

    `p(length) = softmax(W c + b)` over the lengths `1 ... max_length`, the last of which stands for all longer ones
    too. So that the recurrence knows how near the end is, it reads `remaining` as one more input at each step: the
    variant with `tau - t` of Goodfellow et al. (*Deep Learning*, section 10.2.4), in training with the true `tau`, in a
    generation with the chosen one. It is given as `log(1 + tau - t)`, under which the last few steps differ most. Where
    dropout applies to the input it should be spread over many features: a single one would be hidden, and scaled.
    `negative_log_likelihood` is added to the cost of the content.

    Args:
        max_length: int. The longest length.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, features)`, the vector from which the sequence is generated.

    Returns:
        float32 tensor `(batch, max_length)` (float64 in a float64 layer): the logits of the lengths from 1 on.

    Raises:
        ValueError: if `max_length` is not a positive integer.

    Example:
        >>> ending = PredictedLength(max_length=4)
        >>> lengths = ending.choose(keras.ops.array([[0.0, 2.0, 0.0, 0.0]]))
        >>> lengths.numpy().tolist(), ending.ended(lengths, step=1).numpy().tolist()
        ([2], [True])
        >>> ending.remaining(lengths, keras.ops.arange(3)).shape  # for a whole sequence
        TensorShape([1, 3, 1])

    References:
        Goodfellow, Bengio and Courville (2016), Deep learning, section 10.2.4.
    """

    def __init__(self, max_length, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(max_length, int) or max_length < 1:
            raise ValueError(f"max_length must be a positive integer, got max_length={max_length}")
        self.max_length = max_length

    def build(self, inputs_shape):
        shape = (inputs_shape[-1], self.max_length)
        self.kernel = self.add_weight(name="kernel", shape=shape, autocast=False)
        self.bias = self.add_weight(name="bias", shape=shape[1:], initializer="zeros", autocast=False)

    def call(self, inputs):
        return ops.matmul(ops.cast(inputs, self.score_dtype), self.kernel) + self.bias  # W c + b

    def negative_log_likelihood(self, scores, lengths):
        """`-log p(length)`, float tensor `(batch,)`.

        Args:
            scores: float tensor `(batch, max_length)`, what the layer's call gives.
            lengths: int tensor `(batch,)`, steps of content, at least 1.
        """
        classes = ops.minimum(ops.cast(lengths, "int32"), self.max_length) - 1
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=classes, logits=scores)

    def choose(self, scores, seed=None):
        """The length of each row, int32 tensor `(batch,)`.

        Args:
            scores: float tensor `(batch, max_length)`, what the layer's call gives.
            seed: int. Draws the lengths; `None` takes the most probable ones. Defaults to `None`.
        """
        if seed is None:
            return ops.cast(ops.argmax(scores, axis=-1), "int32") + 1
        return tf.random.stateless_categorical(scores, 1, seed=(seed, 0), dtype="int32")[:, 0] + 1

    def remaining(self, lengths, steps):
        """The extra input of the recurrence, `log(1 + tau - t)`; 0 from the end on.

        Args:
            lengths: int tensor `(batch,)`: `tau`.
            steps: int tensor `(time,)`, or one step as an int or a scalar tensor: `t`, from 0.

        Returns:
            float tensor `(batch, time, 1)`, or `(batch, 1)` for one step.
        """
        steps, lengths = ops.convert_to_tensor(steps, "int32"), ops.cast(lengths, "int32")
        left = lengths[:, None] - steps if len(steps.shape) == 0 else (lengths[:, None] - steps[None, :])[:, :, None]
        return ops.cast(ops.log1p(ops.cast(ops.maximum(left, 0), self.score_dtype)), self.compute_dtype)

    def ended(self, outputs, step):
        """Which rows end with a step.

        Args:
            outputs: int tensor `(batch,)`, the chosen lengths.
            step: int or int tensor, from 0.
        """
        return ops.cast(outputs, "int32") <= ops.cast(step, "int32") + 1

    def compute_output_shape(self, inputs_shape):
        return (inputs_shape[0], self.max_length)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.score_dtype)

    def get_config(self):
        return {**super().get_config(), "max_length": self.max_length}
