"""Activations whose slope follows from their value, as backpropagation by hand needs it."""

import keras
import tensorflow as tf

SLOPES = {
    keras.activations.tanh: lambda value, gradient: tf.raw_ops.TanhGrad(y=value, dy=gradient),
    keras.activations.sigmoid: lambda value, gradient: tf.raw_ops.SigmoidGrad(y=value, dy=gradient),
    keras.activations.softsign: lambda value, gradient: gradient * tf.square(1 - tf.abs(value)),
    keras.activations.relu: lambda value, gradient: gradient * tf.cast(value > 0, gradient.dtype),
    keras.activations.linear: lambda value, gradient: gradient,
}
