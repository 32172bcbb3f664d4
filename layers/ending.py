"""What the ways to end a generated sequence have in common."""

from typing import Any, NamedTuple

import keras
from keras import ops


class Generated(NamedTuple):
    """How far the rows of a generation are; a loop variable.

    Attributes:
        finished: bool tensor `(batch,)`, whether the row has ended.
        lengths: int32 tensor `(batch,)`, the steps of its content so far; final once it is finished.
    """

    finished: Any
    lengths: Any


class Ending(keras.layers.Layer):
    """The base of `EndSymbol`, `BernoulliHalt` and `PredictedLength`.

    Called on what it reads, an ending gives scores; from them `negative_log_likelihood(scores, lengths)` is what the
    lengths of a batch cost, `-log p(length)`, one number for each row. In a generation `ended` says which rows end with
    a step, and `advance` keeps the books:

        generated, step = ending.start(rows), 0
        while step < limit and not all(generated.finished):
            ...  # one step of the decoder
            generated = ending.advance(generated, ending.ended(outputs, step))
            step += 1

    A row that reaches the limit without an end has the limit as its length. `lengths` always count content. A decoder
    takes `lengths + extra_steps` steps to write it.
    """

    extra_steps = 0  # steps that an ending takes beyond the content

    def start(self, rows):
        """The state of `rows` rows before the first step."""
        return Generated(ops.zeros((rows,), dtype="bool"), ops.zeros((rows,), dtype="int32"))

    def advance(self, generated, ended):
        """The state after a step.

        Args:
            generated: `Generated`, before the step.
            ended: bool tensor `(batch,)`, the rows that end with the step; rows that ended before do not count.
        """
        running = ops.logical_not(generated.finished)
        ends = ops.cast(ops.logical_and(running, ended), "int32")
        lengths = generated.lengths + ops.cast(running, "int32") - self.extra_steps * ends
        return Generated(ops.logical_or(generated.finished, ended), lengths)

    @property
    def score_dtype(self):
        """Scores are computed in float32 under every mixed precision policy."""
        return "float64" if self.variable_dtype == "float64" else "float32"


class StepwiseEnding(Ending):
    """An ending that is decided anew at each step, with probability `q_t = sigmoid(scores_t)`.

    `p(length) = q_s prod_{t<s} (1 - q_t)`, where `s` is the step that ends a row of this length.
    """

    def step_losses(self, scores, lengths):
        """What each step costs: `-log q_s` at the step `s` that ends the row, `-log(1 - q_t)` before, 0 after it.

        Args:
            scores: float tensor `(batch, time)`, what the layer's call gives; at least `lengths + extra_steps` steps.
            lengths: int tensor `(batch,)`, steps of content.

        Returns:
            float tensor `(batch, time)`.
        """
        steps = ops.arange(ops.shape(scores)[1], dtype="int32")[None, :]
        last = ops.cast(lengths, "int32")[:, None] + self.extra_steps - 1
        scores = ops.where(steps > last, ops.zeros_like(scores), ops.cast(scores, self.score_dtype))
        losses = ops.softplus(ops.where(steps == last, -scores, scores))  # -log(1 - sigmoid(x)) = softplus(x)
        return ops.where(steps > last, ops.zeros_like(losses), losses)

    def negative_log_likelihood(self, scores, lengths):
        """`-log p(length)`, float tensor `(batch,)`; see `step_losses`."""
        return ops.sum(self.step_losses(scores, lengths), axis=1)
