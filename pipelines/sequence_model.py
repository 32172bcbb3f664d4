"""The base of every task's model: a `keras.Model` whose loss is a weighted sum over rows or steps."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class SequenceModel(keras.Model):
    """A model that says what each row or step costs; the weights of the batch decide what counts.

    A subclass implements `call(inputs, training)` and `step_losses(inputs, targets, outputs)`. Each weight tensor is
    zero for padding and sums to one over the *global* batch, so the weighted sum is the mean over what is real, and
    adding up the sums of all replicas gives the same number as one device.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Each step counts once. The mean that Keras shows counts rows, and so depends on the number of replicas.
        self.mean_loss = keras.metrics.Mean(name="mean_loss")

    def step_losses(self, inputs: Any, targets: Any, outputs: Any) -> dict[str, tf.Tensor]:
        """What each row `(batch,)` or step `(batch, time)` costs, in float32, for each name in the batch's weights."""
        raise NotImplementedError

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tf.Tensor:
        """The sum of weighted losses and the penalties of the layers."""
        losses = self.step_losses(x, y, y_pred)
        total = tf.add_n([tf.reduce_sum(loss * sample_weight[name]) for name, loss in losses.items()])
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if self.losses:
            total += tf.add_n([tf.cast(penalty, tf.float32) for penalty in self.losses]) / replicas
        self.mean_loss.update_state(total * replicas)
        return total
