"""Training against the worst small change of what a model reads.

Miyato, Dai and Goodfellow (2017), *Adversarial training methods for semi-supervised text classification*
(https://arxiv.org/abs/1605.07725): to the vectors of the words of a text is added what would raise the loss most, to
first order, among all changes of a given length; the model is to answer right with it, too. The length is said
relative to that of the text's own vectors, so that the model cannot escape by making them longer.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from .batching import Tensors
from .sequence_model import SequenceModel

_NOISE = "adversarial_noise"
_SMALLEST = 1e-12  # length of a gradient that is none


class AdversarialModel(SequenceModel):
    """A model that reads vectors, and is trained on changed ones too where `adversarial` is set.

    Each batch is then taken twice at half its weight: as it is, and with the noise. A step takes about twice as long.

    A subclass implements `vectors` and `scored` in place of `call`.

    Attributes:
        adversarial: length of the noise of a text as a share of the length of its vectors; 0 is none.
    """

    adversarial: float = 0.0

    @abc.abstractmethod
    def vectors(self, inputs: Mapping[str, tf.Tensor], training: bool | None = None) -> Any:
        """What is read: a tensor `(batch, time, features)`, or a structure of them."""

    @abc.abstractmethod
    def scored(self, inputs: Mapping[str, tf.Tensor], vectors: Any, training: bool | None = None) -> Any:
        """The outputs for these vectors."""

    def call(self, inputs: Mapping[str, Any], training: bool | None = None) -> Any:
        vectors = self.vectors(inputs, training)
        if _NOISE in inputs:
            vectors = tf.nest.map_structure(
                lambda each, noise: each + tf.cast(noise, each.dtype), vectors, inputs[_NOISE]
            )
        return self.scored(inputs, vectors, training)

    def train_step(self, data: Any) -> dict[str, Any]:
        """One update, from a batch `(inputs, targets, weights)`."""
        if not self.adversarial:
            return super().train_step(data)
        inputs, targets, weights = keras.utils.unpack_x_y_sample_weight(data)
        noise = self._noise(inputs, targets, weights)
        twice = {
            **_twice(inputs),
            _NOISE: tf.nest.map_structure(lambda each: tf.concat([tf.zeros_like(each), each], 0), noise),
        }
        halves = tf.nest.map_structure(lambda weight: weight / 2, _twice(weights))
        return super().train_step((twice, _twice(targets), halves))

    def _noise(self, inputs: Tensors, targets: Tensors, weights: Tensors) -> Any:
        """The change of the vectors that raises each text's loss most, float32."""
        vectors = self.vectors(inputs, training=True)
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            losses = self.step_losses(inputs, targets, self.scored(inputs, vectors, training=True))
            total = tf.add_n([tf.reduce_sum(loss * weights[name]) for name, loss in losses.items()])
        gradients = tape.gradient(total, vectors)
        return tf.nest.map_structure(
            lambda each, gradient: worst_change(each, gradient, self.adversarial), vectors, gradients
        )


def worst_change(vectors: tf.Tensor, gradients: tf.Tensor, share: float) -> tf.Tensor:
    """The change along the gradient, as long as `share` of the vectors of a text on which the loss depends.

    Args:
        vectors: `(batch, time, features)`.
        gradients: of the loss with respect to the vectors; 0 where nothing is read, as at padding.
        share: float.

    Returns:
        float32 of the same shape; 0 for a text without gradient.

    Example:
        >>> worst_change(tf.constant([[[3.0], [4.0], [9.0]]]), tf.constant([[[0.0], [-2.0], [0.0]]]), 0.5).numpy()
        array([[[ 0.],
                [-2.],
                [ 0.]]], dtype=float32)
    """
    vectors, gradients = tf.cast(vectors, tf.float32), tf.cast(gradients, tf.float32)
    read = tf.reduce_any(gradients != 0, axis=-1, keepdims=True)
    length = _length(tf.where(read, vectors, 0.0))
    return share * length / tf.maximum(_length(gradients), _SMALLEST) * gradients


def _length(vectors: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_sum(tf.square(vectors), axis=[1, 2], keepdims=True))


def _twice(tensors: Any) -> Any:
    return tf.nest.map_structure(lambda each: tf.concat([each, each], axis=0), tensors)
