"""What the layers over sequences have in common: lengths, states, resets and the loop over time."""

import keras
import tensorflow as tf
from keras import ops

from ..custom_gradient import custom_gradient
from ..masking import check_lengths, sequence_mask
from ..recurrent_layer import RecurrentLayer


class Recurrence(RecurrentLayer):
    """A recurrent layer over right-padded sequences; a cell fills in what happens at one step.

    A cell says in `state_sizes` what it remembers, computes in `project` what does not depend on its state, for all
    steps at once, and in `step` the rest of one step. Gradients flow through the loop by automatic differentiation;
    a cell with a faster way overrides `sequences`.

    Args:
        units: int. Size of the output of one step.
        return_sequences: bool. Whether to return the outputs of all steps or of the last valid one. Defaults to
            `False`, as in Keras.
        return_state: bool. Whether to return the states after the last valid step too. Defaults to `False`.
        **kwargs: as in `RecurrentLayer`; recurrent dropout goes on the state where a matrix is applied to it.

    Call arguments:
        inputs: float tensor `(batch, time, features)`.
        lengths: int32 tensor `(batch,)`, valid steps of each row, at least 1; `None` if all are valid. What stands
            past them reaches nothing, and steps past the longest row are not computed.
        initial_state: float tensor `(batch, size)`, or a tuple of one for each of `state_sizes`; `None` for zeros.
        reset: bool tensor `(batch, time)`, or `None`. `True` where the state is set to zero before the step, as at
            the first step of each of the documents that are packed in a row.
        training: bool. Whether dropout applies.

    Returns:
        float tensor `(batch, time, units)` with zeros past `lengths`, or `(batch, units)` without
        `return_sequences`; with `return_state` a tuple of it and the states, each `(batch, size)`, which serve as
        `initial_state` of the steps that follow (truncated backpropagation through time: stop their gradients).

    Masking:
        by `lengths` only; an implicit Keras mask is neither needed nor passed on.

    Raises:
        ValueError: if a setting lies outside its range, a length is 0 or beyond the time axis, or a state has
            another number, batch or size than expected. (Inside a graph a wrong length raises
            `tf.errors.InvalidArgumentError`, when it runs.)
    """

    def __init__(self, units, return_sequences=False, return_state=False, **kwargs):
        super().__init__(units, **kwargs)
        self.return_sequences = return_sequences
        self.return_state = return_state

    @property
    def state_sizes(self):
        """tuple of int, the size of each state; the first is usually the output of the step before."""
        return (self.units,)

    def project(self, inputs):
        """What of each step does not depend on the state.

        Args:
            inputs: float tensor `(batch, time, features)`.

        Returns:
            float tensor `(batch, time, n)`.
        """
        raise NotImplementedError

    def step(self, projected, states, recurrent_mask=None):
        """One step.

        Args:
            projected: float tensor `(batch, n)`, of this step.
            states: tuple of float tensors `(batch, size)`, after the step before.
            recurrent_mask: float tensor `(batch, units)` to multiply the state with where a matrix is applied to
                it, or `None`; see `masked`.

        Returns:
            the output `(batch, units)`, and the tuple of the new states.
        """
        raise NotImplementedError

    def call(self, inputs, lengths=None, initial_state=None, reset=None, training=None):
        steps = tf.shape(inputs)[1]
        inputs, lengths = trimmed(inputs, lengths)
        reset = None if reset is None else reset[:, : tf.shape(inputs)[1]]
        states = self._initial_state(inputs, initial_state)
        inputs, recurrent_mask = self.dropped(inputs, training)
        outputs, states = self.sequences(inputs, states, lengths, reset, recurrent_mask, training)
        outputs = padded(outputs, lengths, steps) if self.return_sequences else last_step(outputs, lengths)
        return (outputs, *states) if self.return_state else outputs

    def sequences(self, inputs, states, lengths, reset, recurrent_mask, training):
        """Computes all steps, without regard to padding.

        Args:
            inputs: float tensor `(batch, time, features)`, after dropout.
            states: tuple of float tensors `(batch, size)`, before the first step.
            lengths: int32 tensor `(batch,)` or `None`; for the states only.
            reset: bool tensor `(batch, time)` or `None`.
            recurrent_mask: float tensor `(batch, units)` or `None`.
            training: bool.

        Returns:
            float tensor `(batch, time, units)`, the outputs, and a tuple of states after the last valid step, empty
            without `return_state`.
        """
        return self.unrolled_by_loop(self.project(inputs), states, lengths, reset, recurrent_mask)

    def unrolled_by_loop(self, projected, states, lengths, reset, recurrent_mask):
        """The steps one after the other; see `sequences`."""
        dtype = self.compute_dtype
        projected = swapped(projected)
        steps = tf.shape(projected)[0]
        keep = None if reset is None else tf.transpose(tf.logical_not(ops.cast(reset, "bool")))[..., None]
        states = tuple(ops.cast(state, self.variable_dtype) for state in states)
        sizes = self.state_sizes if self.return_state and lengths is not None else ()
        kept = [tf.TensorArray(self.variable_dtype, steps, element_shape=(None, size)) for size in sizes]
        outputs = tf.TensorArray(dtype, steps, element_shape=(None, self.units))

        def step(time, states, outputs, kept):
            if keep is not None:
                states = tuple(tf.where(keep[time], state, 0) for state in states)
            output, states = self.step(projected[time], tuple(ops.cast(s, dtype) for s in states), recurrent_mask)
            states = tuple(ops.cast(state, self.variable_dtype) for state in states)
            kept = [array.write(time, state) for array, state in zip(kept, states, strict=False)]
            return states, outputs.write(time, output), kept

        states, outputs, kept = repeat(step, steps, (states, outputs, kept))
        outputs = swapped(outputs.stack())
        if kept:
            states = tuple(last_step(swapped(array.stack()), lengths) for array in kept)
        return outputs, states if self.return_state else ()

    def _initial_state(self, inputs, initial_state):
        batch = tf.shape(inputs)[0]
        if initial_state is None:
            return tuple(tf.zeros((batch, size), self.compute_dtype) for size in self.state_sizes)
        states = tuple(initial_state) if isinstance(initial_state, (tuple, list)) else (initial_state,)
        if len(states) != len(self.state_sizes):
            raise ValueError(
                f"initial_state must be {len(self.state_sizes)} tensors for {type(self).__name__}, "
                f"got {len(states)} of them"
            )
        for state, size in zip(states, self.state_sizes, strict=True):
            expected = tf.TensorShape((inputs.shape[0], size))
            if not expected.is_compatible_with(state.shape):
                raise ValueError(f"initial_state must have the shape {expected}, got a state of shape {state.shape}")
        return states

    def compute_output_shape(self, inputs_shape):
        batch, time, _ = inputs_shape
        outputs = (batch, time, self.units) if self.return_sequences else (batch, self.units)
        return (outputs, *((batch, size) for size in self.state_sizes)) if self.return_state else outputs

    def compute_output_spec(self, inputs, lengths=None, initial_state=None, reset=None, training=None):
        shape = self.compute_output_shape(inputs.shape)
        if not self.return_state:
            return keras.KerasTensor(shape, dtype=self.compute_dtype)
        outputs, *states = shape
        return (
            keras.KerasTensor(outputs, dtype=self.compute_dtype),
            *(keras.KerasTensor(state, dtype=self.variable_dtype) for state in states),
        )

    def get_config(self):
        settings = {"return_sequences": self.return_sequences, "return_state": self.return_state}
        return {**super().get_config(), **settings}


UNROLLED = 5  # steps in one turn of the loop, whose own cost is that of several operations


def repeat(step, steps, variables, unrolled=UNROLLED):
    """Computes one step after the other.

    Args:
        step: called with the number of the step and the variables, returns the variables after it.
        steps: int or scalar int tensor, how often.
        variables: nested structure of tensors with a batch axis before others that are known, and of
            `tf.TensorArray`.
        unrolled: int. Steps in one turn of the loop; a graph has as many copies of the step, and from two on one more
            for what is left over. `1` is right where a step is long. Defaults to `UNROLLED`.

    Returns:
        the variables after the last step.
    """

    def turn(time, count, variables):
        for i in range(count):
            variables = step(time + i, *variables)
        return variables

    return repeat_turns(turn, steps, variables, unrolled)


def repeat_turns(turn, steps, variables, unrolled=UNROLLED):
    """Computes some steps at a time, where they share work that does not depend on the variables.

    Args:
        turn: called with the number of the first step, how many there are (an int), and the variables; returns the
            variables after them.
        steps: int or scalar int tensor, how many steps there are in all.
        variables: as in `repeat`.
        unrolled: as in `repeat`.

    Returns:
        the variables after the last step.
    """

    def shape(variable):
        return tf.TensorShape(None if isinstance(variable, tf.TensorArray) else [None, *variable.shape[1:]])

    def turns(count, end, time, variables):
        variables = (time, *variables)
        shapes = (tf.TensorShape([]), *tf.nest.map_structure(shape, variables[1:]))
        time, *variables = tf.while_loop(
            lambda time, *_: time < end,
            lambda time, *variables: (time + count, *turn(time, count, variables)),
            variables,
            shape_invariants=shapes,
            parallel_iterations=1,
        )
        return time, variables

    time = tf.constant(0)
    if unrolled > 1:
        time, variables = turns(unrolled, steps // unrolled * unrolled, time, variables)
    return turns(1, steps, time, variables)[1]


def trimmed(inputs, lengths):
    """Cuts padding off that no row needs, and clears what is left of it.

    Args:
        inputs: float tensor `(batch, time, features)`.
        lengths: int tensor `(batch,)`, or `None` if all steps are valid.

    Returns:
        the inputs up to the longest row, zeros in the padding, and the lengths, checked, as int32.
    """
    if lengths is None:
        return inputs, None
    # Keras traces a subclassed model under a mirrored strategy with every input as a float
    lengths = check_lengths(ops.cast(lengths, "int32"), tf.shape(inputs)[1])
    longest = ops.max(lengths, initial=1)  # also in a batch of no rows
    mask = ops.expand_dims(sequence_mask(lengths, longest), -1)
    return tf.where(mask, inputs[:, :longest], 0), lengths


def padded(outputs, lengths, steps):
    """Undoes `trimmed`: zeros past the lengths, up to the number of steps there were."""
    if lengths is None:
        return outputs
    outputs = tf.where(ops.expand_dims(sequence_mask(lengths, tf.shape(outputs)[1]), -1), outputs, 0)
    return tf.pad(outputs, [[0, 0], [0, steps - tf.shape(outputs)[1]], [0, 0]])


def masked(state, recurrent_mask):
    """The state as a matrix sees it under recurrent dropout."""
    return state if recurrent_mask is None else state * recurrent_mask


def last_step(sequence, lengths):
    """What stands at the last valid step of each row.

    Args:
        sequence: tensor `(batch, time, size)`.
        lengths: int32 tensor `(batch,)`, or `None` if all steps are valid.

    Returns:
        tensor `(batch, size)`.
    """
    if lengths is None:
        return sequence[:, -1]
    return tf.gather(sequence, lengths - 1, axis=1, batch_dims=1)


@custom_gradient
def swapped(sequence):
    """Swaps batch and time, `(batch, time, size)` and `(time, batch, size)`."""
    return swapped_without_gradient(sequence), swapped_without_gradient


def swapped_without_gradient(sequence):
    """As `swapped`, for gradients that are written out.

    TensorFlow's transposition of floats on a CPU takes longer to set up than a small batch takes to copy; that of
    integers does not.
    """
    integer = {2: tf.int16, 4: tf.int32, 8: tf.int64}[sequence.dtype.size]
    return tf.bitcast(tf.transpose(tf.bitcast(sequence, integer), [1, 0, 2]), sequence.dtype)
