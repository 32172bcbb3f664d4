"""A recurrent layer in both directions."""

import keras
import tensorflow as tf
from keras import ops

from .recurrence import padded, trimmed


@keras.saving.register_keras_serializable(package="seqloom")
class Bidirectional(keras.layers.Layer):
    """Reads each row forwards and, with weights of its own, backwards from its last valid step.

    `y_t = [forward_t; backward_t]` (Schuster and Paliwal, 1997). On a CPU the two directions run at the same time,
    on a core each.

    Args:
        layer: a `Recurrence`; the other direction is made from its config. What it returns (`return_sequences`,
            `return_state`) is what this layer returns, of both directions.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, time, features)`.
        lengths: int32 tensor `(batch,)`, valid steps of each row, at least 1; `None` if all are valid.
        initial_state: tuple of float tensors `(batch, size)`, the states of the forward and then of the backward
            direction, or `None` for zeros.
        reset: bool tensor `(batch, time)`, `True` at the first step of each of the documents that are packed in a
            row, or `None`; no direction reads from one document into another.
        training: bool. Whether dropout applies.

    Returns:
        float tensor `(batch, time, 2 * units)` with zeros past `lengths`, or `(batch, 2 * units)` without
        `return_sequences`: each direction where it ends. With `return_state` a tuple of it, the states of the forward
        and those of the backward direction.

    Masking:
        by `lengths` only; an implicit Keras mask is neither needed nor passed on.

    Raises:
        ValueError: as `Recurrence` does.

    Example:
        >>> from seqloom.layers import GRU
        >>> layer = Bidirectional(GRU(4, return_sequences=True))
        >>> layer(keras.ops.ones((2, 5, 3)), lengths=keras.ops.array([5, 2])).shape
        TensorShape([2, 5, 8])

    References:
        Schuster and Paliwal (1997), Bidirectional recurrent neural networks.
    """

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        self.forward_layer = layer
        name = layer.name.replace("forward", "backward") if "forward" in layer.name else f"{layer.name}_backward"
        self.backward_layer = type(layer).from_config({**layer.get_config(), "name": name})
        self.units = 2 * layer.units
        for each in (self.forward_layer, self.backward_layer):
            if hasattr(each, "groups"):
                each.groups = max(1, each.groups // 2)  # the directions share the cores

    def build(self, inputs_shape):
        self.forward_layer.build(inputs_shape)
        self.backward_layer.build(inputs_shape)

    def call(self, inputs, lengths=None, initial_state=None, reset=None, training=None):
        steps = tf.shape(inputs)[1]
        inputs, lengths = trimmed(inputs, lengths)
        reset = None if reset is None else reset[:, : tf.shape(inputs)[1]]
        outputs, states = self.read(inputs, lengths, initial_state, reset, training)
        if self.forward_layer.return_sequences:
            outputs = padded(outputs, lengths, steps)
        return (outputs, *states) if self.forward_layer.return_state else outputs

    def read(self, inputs, lengths=None, initial_state=None, reset=None, training=None):
        """Computes both directions without regard to padding; see `call`.

        Returns:
            the outputs, and the tuple of states, empty without `return_state`.
        """
        # rows are right-padded for both directions, so that only what is taken from their ends depends on lengths
        layer = self.forward_layer
        known = None if layer.return_sequences and not layer.return_state else lengths
        middle = len(layer.state_sizes)
        states = (None, None) if initial_state is None else (initial_state[:middle], initial_state[middle:])
        forward = layer(inputs, lengths=known, initial_state=states[0], reset=reset, training=training)
        backward = self.backward_layer(
            reverse(inputs, lengths),
            lengths=known,
            initial_state=states[1],
            reset=None if reset is None else reverse(_ends(reset), lengths),
            training=training,
        )
        forward, *forward_states = forward if layer.return_state else (forward,)
        backward, *backward_states = backward if layer.return_state else (backward,)
        if layer.return_sequences:
            backward = reverse(backward, lengths)
        return ops.concatenate([forward, backward], axis=-1), (*forward_states, *backward_states)

    def compute_output_shape(self, inputs_shape):
        shape = self.forward_layer.compute_output_shape(inputs_shape)
        if not self.forward_layer.return_state:
            return (*shape[:-1], self.units)
        outputs, *states = shape
        return ((*outputs[:-1], self.units), *states, *states)

    def compute_output_spec(self, inputs, lengths=None, initial_state=None, reset=None, training=None):
        spec = self.forward_layer.compute_output_spec(inputs)
        outputs, *states = spec if self.forward_layer.return_state else (spec,)
        outputs = keras.KerasTensor((*outputs.shape[:-1], self.units), dtype=outputs.dtype)
        return (outputs, *states, *states) if states else outputs

    def get_config(self):
        return {**super().get_config(), "layer": keras.saving.serialize_keras_object(self.forward_layer)}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "layer": keras.saving.deserialize_keras_object(config["layer"])})


def reverse(sequence, lengths):
    """Turns the valid steps of each row around, and leaves its padding where it is."""
    if lengths is None:
        return tf.reverse(sequence, [1])
    return tf.reverse_sequence(sequence, lengths, seq_axis=1, batch_axis=0)


def _ends(starts):
    """Marks the last steps of documents whose first steps are marked."""
    starts = ops.cast(starts, "bool")
    return tf.concat([starts[:, 1:], tf.zeros_like(starts[:, :1])], axis=1)
