"""A sequence that may halt after each of its steps."""

import keras
import tensorflow as tf
from keras import ops

from .ending import StepwiseEnding


@keras.saving.register_keras_serializable(package="seqloom")
class BernoulliHalt(StepwiseEnding):
    """Decides after each step whether the sequence halts, by a Bernoulli variable of its own.

    `q_t = sigmoid(w . h_t + b)` is the probability that step `t` is the last one (Goodfellow et al., *Deep Learning*,
    section 10.2.4). It fits sequences of numbers too, which have no vocabulary to put an end symbol in. Its
    `negative_log_likelihood` is added to the cost of the content.

    Args:
        threshold: float in (0, 1). Without a seed a row ends at the first step with `q_t > threshold`. Where the halt
            is spread over many steps `q_t` may never be high: sample, or choose a lower threshold on validation data.
            Defaults to `0.5`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, time, features)`, or one step `(batch, features)`: the states of the decoder.

    Returns:
        float32 tensor `(batch, time)` or `(batch,)` (float64 in a float64 layer): the logits of `q_t`.

    Raises:
        ValueError: if `threshold` does not lie in (0, 1).

    Example:
        >>> ending = BernoulliHalt()
        >>> ending(keras.ops.ones((2, 5, 4))).shape
        TensorShape([2, 5])
        >>> scores = keras.ops.zeros((1, 3))  # q_t = 1/2
        >>> round(float(keras.ops.exp(-ending.negative_log_likelihood(scores, keras.ops.array([2]))[0])), 3)
        0.25

    References:
        Goodfellow, Bengio and Courville (2016), Deep learning, section 10.2.4.
    """

    def __init__(self, threshold=0.5, **kwargs):
        super().__init__(**kwargs)
        if not 0 < threshold < 1:
            raise ValueError(f"threshold must lie in (0, 1), got threshold={threshold}")
        self.threshold = threshold

    def build(self, inputs_shape):
        self.kernel = self.add_weight(name="kernel", shape=(inputs_shape[-1], 1), autocast=False)
        self.bias = self.add_weight(name="bias", shape=(1,), initializer="zeros", autocast=False)

    def call(self, inputs):
        logits = ops.matmul(ops.cast(inputs, self.score_dtype), self.kernel) + self.bias  # w . h_t + b
        return ops.squeeze(logits, axis=-1)

    def ended(self, outputs, step, seed=None):
        """Which rows end with a step.

        Args:
            outputs: float tensor `(batch,)`, the logits of the step.
            step: int or int tensor, from 0.
            seed: int. Draws the decisions, others at each step; `None` compares with `threshold`. Defaults to `None`.
        """
        q = ops.sigmoid(outputs)
        if seed is None:
            return q > self.threshold
        return tf.random.stateless_uniform(ops.shape(q), tf.stack([seed, tf.cast(step, tf.int32)]), dtype=q.dtype) < q

    def compute_output_shape(self, inputs_shape):
        return tuple(inputs_shape[:-1])

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.score_dtype)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}
