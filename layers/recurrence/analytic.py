"""The recurrent layers that Keras has too, with the fast path of each device."""

import keras
import tensorflow as tf
from keras import ops

from ..masking import sequence_mask
from .activations import SLOPES
from .backpropagation import GROUPS, Weights, backpropagated
from .recurrence import Recurrence, last_step, masked


class AnalyticRecurrence(Recurrence):
    """A recurrence with one matrix for inputs and one for its output, whose gradient is written out.

    On a GPU Keras' layer computes it, with cuDNN's kernel, wherever the conditions of that hold; on a CPU
    `backpropagated`; in half precision, or with activations without a written slope, the loop of `Recurrence`. All
    of them use the weights of Keras' layer.

    A cell says in `keras_class` what Keras calls it, fills in `loop_weights`, `forward` and `backward` (see
    `backpropagated`), in `value_sizes` the sizes of the values that `forward` hands to `backward`, and in
    `separate_products` whether the gradients with respect to its two arguments differ.

    Args:
        units: int. Size of the output.
        activation: str or callable. Defaults to `"tanh"`.
        use_bias: bool. Whether there are biases. Defaults to `True`.
        use_cudnn: bool or `"auto"`. Whether a GPU runs cuDNN's kernel. Can be set later. Defaults to `"auto"`.
        **kwargs: as in `Recurrence`.
    """

    keras_class = None
    separate_products = False

    def __init__(self, units, activation="tanh", use_bias=True, use_cudnn="auto", **kwargs):
        super().__init__(units, **kwargs)
        if use_cudnn not in ("auto", True, False):
            raise ValueError(f"use_cudnn must be one of auto, True, False, got use_cudnn={use_cudnn!r}")
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.groups = GROUPS  # of rows that are computed at the same time; two directions share the cores
        name = self.keras_class.__name__.lower()  # the same in every model, as paths of weights are
        self.keras_layer = self.keras_class(units, **self.keras_settings(), dtype=self.dtype_policy, name=name)
        self.use_cudnn = use_cudnn

    def keras_settings(self):
        """What the constructor of Keras' layer is given, apart from `units`."""
        names = ("kernel_initializer", "recurrent_initializer", "bias_initializer")
        names += ("kernel_regularizer", "recurrent_regularizer", "bias_regularizer")
        settings = {name: getattr(self, name) for name in (*names, "activation", "use_bias")}
        return {**settings, "return_sequences": True, "return_state": True}

    @property
    def use_cudnn(self):
        """Whether a GPU runs cuDNN's kernel."""
        return self._use_cudnn

    @use_cudnn.setter
    def use_cudnn(self, value):
        self._use_cudnn = value
        self.keras_layer.use_cudnn = value

    @property
    def kernel(self):
        """The matrix applied to inputs, `(features, n)`."""
        return self.keras_layer.cell.kernel

    @property
    def recurrent_kernel(self):
        """The matrix applied to the output of the step before, `(units, n)`."""
        return self.keras_layer.cell.recurrent_kernel

    @property
    def bias(self):
        """The bias or the biases."""
        return self.keras_layer.cell.bias

    @property
    def has_slopes(self):
        """bool, whether the slopes of the activations are written out."""
        return self.activation in SLOPES

    @property
    def fits_cudnn(self):
        """bool, whether cuDNN's kernel computes these activations."""
        return self.activation is keras.activations.tanh and self.use_bias

    def build(self, inputs_shape):
        self.keras_layer.build(inputs_shape)

    def loop_weights(self):
        """What a step multiplies with and adds, as `Weights`."""
        raise NotImplementedError

    def forward(self, projected, recurrent, states):
        """One step; see `backpropagated`.

        Args:
            projected: float tensor `(batch, n)`, the inputs times the kernel.
            recurrent: float tensor `(batch, n)`, the output of the step before times the recurrent kernel.
            states: tuple of float tensors `(batch, size)`, after the step before.

        Returns:
            the tuple of the new states, and the tuple of what `backward` needs.
        """
        raise NotImplementedError

    def backward(self, gradients, values):
        """One step back; see `backpropagated`.

        Args:
            gradients: tuple of float tensors `(batch, size)`, with respect to the new states.
            values: what `forward` returned.

        Returns:
            the gradients with respect to `projected`, `recurrent`, and the tuple of those with respect to the states,
            the first of them without what comes through `recurrent`, and `None` if that is all.
        """
        raise NotImplementedError

    def step_weights(self):
        """What `loop_weights` returns, in the compute dtype outside of a call too."""
        return Weights(*(None if each is None else ops.cast(each, self.compute_dtype) for each in self.loop_weights()))

    def project(self, inputs):
        weights = self.step_weights()
        projected = ops.matmul(inputs, weights.kernel)
        return projected if weights.bias is None else projected + weights.bias

    def step(self, projected, states, recurrent_mask=None):
        weights = self.step_weights()
        recurrent = ops.matmul(masked(states[0], recurrent_mask), weights.recurrent_kernel)
        recurrent = recurrent if weights.recurrent_bias is None else recurrent + weights.recurrent_bias
        states, _ = self.forward(projected, recurrent, states)
        return states[0], states

    def sequences(self, inputs, states, lengths, reset, recurrent_mask, training):
        on_gpu = bool(tf.config.list_logical_devices("GPU"))
        if on_gpu and self.use_cudnn and self.fits_cudnn and reset is None and recurrent_mask is None:
            return self.by_keras(inputs, states, lengths)
        if on_gpu or not self.has_slopes or self.compute_dtype not in ("float32", "float64"):
            return super().sequences(inputs, states, lengths, reset, recurrent_mask, training)
        sequences = self.loop(inputs, tuple(states), reset, recurrent_mask, training)
        return sequences[0], tuple(last_step(each, lengths) for each in sequences) if self.return_state else ()

    def loop(self, inputs, states, reset, recurrent_mask, training):
        """Computes all steps on a CPU; returns sequences `(batch, time, size)`, of all states or of the first."""
        keep = None if reset is None else tf.logical_not(ops.cast(reset, "bool"))
        wanted = None if self.return_state else 1
        weights, save = self.loop_weights(), bool(training)
        return backpropagated(self, inputs, weights, states, keep, recurrent_mask, wanted, self.groups, save)

    def by_keras(self, inputs, states, lengths):
        """Computes all steps as Keras' layer does, on a GPU by cuDNN's kernel; see `sequences`."""
        # only the states need to know where a row ends, and cuDNN is faster if it need not
        masks = self.return_state and lengths is not None
        mask = sequence_mask(lengths, tf.shape(inputs)[1]) if masks else None
        outputs, *states = self.keras_layer(inputs, initial_state=list(states), mask=mask)
        return outputs, tuple(states) if self.return_state else ()

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "use_cudnn": self.use_cudnn,
        }
