"""A sequence that ends with a symbol of its own."""

import keras
from keras import ops

from .ending import StepwiseEnding


@keras.saving.register_keras_serializable(package="seqloom")
class EndSymbol(StepwiseEnding):
    """Ends a sequence where the decoder writes the end symbol, one class of its vocabulary.

    The first of the three ways of Goodfellow et al. (*Deep Learning*, section 10.2.4). `targets` puts the symbol behind
    each row, and the cross-entropy over the vocabulary then holds the whole cost, that of the length among it:
    `negative_log_likelihood` is this part alone, for those who want to see it, and is not to be added. The rest is the
    cross-entropy of the content under a softmax without the end symbol. A decoder takes one step more than there is
    content.

    Args:
        end_id: int, at least 0. The class of the end symbol. Defaults to `3`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, time, classes)`, or one step `(batch, classes)`: the decoder's logits.

    Returns:
        float32 tensor `(batch, time)` or `(batch,)` (float64 in a float64 layer): the log-odds of the end symbol.

    Raises:
        ValueError: if `end_id` is negative, or no class of the inputs.

    Example:
        >>> ending = EndSymbol(end_id=0)
        >>> ids, lengths = keras.ops.array([[7, 8], [9, 0]]), keras.ops.array([2, 1])
        >>> ending.targets(ids, lengths).numpy().tolist()
        [[7, 8, 0], [9, 0, 0]]
        >>> generated = ending.start(2)
        >>> for step, written in enumerate(([7, 9], [8, 0], [0, 5])):
        ...     generated = ending.advance(generated, ending.ended(keras.ops.array(written), step))
        >>> generated.finished.numpy().tolist(), generated.lengths.numpy().tolist()
        ([True, True], [2, 1])

    References:
        Goodfellow, Bengio and Courville (2016), Deep learning, section 10.2.4.
    """

    extra_steps = 1

    def __init__(self, end_id=3, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(end_id, int) or end_id < 0:
            raise ValueError(f"end_id must be an integer of at least 0, got end_id={end_id}")
        self.end_id = end_id

    def build(self, inputs_shape):
        if inputs_shape[-1] is not None and not self.end_id < inputs_shape[-1]:
            raise ValueError(f"end_id must be one of the {inputs_shape[-1]} classes, got end_id={self.end_id}")

    def call(self, inputs):
        logits = ops.cast(inputs, self.score_dtype)
        end = logits[..., self.end_id]
        others = ops.concatenate([logits[..., : self.end_id], logits[..., self.end_id + 1 :]], axis=-1)
        return end - ops.logsumexp(others, axis=-1)

    def targets(self, ids, lengths):
        """What the decoder should write.

        Args:
            ids: int tensor `(batch, time)`, the content.
            lengths: int tensor `(batch,)`, its steps, at least 0.

        Returns:
            int32 tensor `(batch, time + 1)`: the content, the end symbol, and zeros.
        """
        ids = ops.pad(ops.cast(ids, "int32"), ((0, 0), (0, 1)))
        steps = ops.arange(ops.shape(ids)[1], dtype="int32")[None, :]
        lengths = ops.cast(lengths, "int32")[:, None]
        return ops.where(steps < lengths, ids, ops.where(steps == lengths, self.end_id, 0))

    def ended(self, outputs, step):
        """Which rows end with a step.

        Args:
            outputs: int tensor `(batch,)`, the symbols that were written at the step.
            step: int, from 0; makes no difference here.
        """
        return ops.equal(outputs, self.end_id)

    def compute_output_shape(self, inputs_shape):
        return tuple(inputs_shape[:-1])

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.score_dtype)

    def get_config(self):
        return {**super().get_config(), "end_id": self.end_id}
