"""Backpropagation through time written out, several times faster on a CPU than what is derived automatically.

The time of a recurrent layer on a CPU goes into one small matrix product a step, which TensorFlow computes on one
core, and into what surrounds it. Three things make it shorter:

- What does not depend on the state is one product for many steps: of the inputs and the kernel for those of a turn of
  the loop, and, since the backward loop is ours, of what the kernels' gradients are made of after it.
- The rows of the batch go through the loop in groups, which the executor runs on different cores at the same time.
- A turn of the loop does several steps, and its operations are kept so small (one for each gate) that TensorFlow does
  not split them between threads: waiting for another core costs more than the work.

`benchmarks/README.md` has the measurements of these and of what did not help.
"""

import itertools
import os
from collections import namedtuple

import tensorflow as tf

from ..custom_gradient import custom_gradient
from .recurrence import masked, repeat, repeat_turns, swapped_without_gradient

GROUPS = min(os.cpu_count() or 1, 4)
FEW_ROWS = 4  # as many leave most of a step's time to the starting of operations, which groups would have more of

Weights = namedtuple("Weights", "kernel bias recurrent_kernel recurrent_bias")
Weights.__doc__ = """What a step multiplies with and adds; the biases may be `None`.

`projected = x kernel + bias` and `recurrent = h recurrent_kernel + recurrent_bias` are what a cell sees.
"""


def backpropagated(
    cell, inputs, weights, states, keep=None, recurrent_mask=None, wanted=None, groups=GROUPS, save=True
):
    """Computes all steps of a recurrence, with gradients by its own backward step.

    Args:
        cell: has `forward(projected, recurrent, states) -> states, values`, one step, the first of the states being
            its output, and `backward(gradients, values) -> projected, recurrent, states`: from the gradients with
            respect to the new states those with respect to the step's arguments, without what reaches the state
            through `recurrent`.
        inputs: float tensor `(batch, time, features)`.
        weights: `Weights`.
        states: tuple of float tensors `(batch, size)`, before the first step.
        keep: bool tensor `(batch, time)`, `False` where the states are set to zero before the step, or `None`.
        recurrent_mask: float tensor `(batch, units)` that the output is multiplied with before the product, or `None`.
        wanted: int or `None`. How many of the states' sequences to return, from the first on; `None` for all.
        groups: int. Number of groups of rows that may be computed at the same time, unless there are few. Defaults
            to the number of cores, at most 4.
        save: bool. Whether to keep in the forward loop what the backward loop needs; else it is computed again when
            a gradient is asked for. Defaults to `True`.

    Returns:
        tuple of float tensors `(batch, time, size)`, the states after each step.
    """
    wanted = len(states) if wanted is None else wanted
    groups = 1 if has_few_rows(inputs) else groups
    present = [weight is not None for weight in weights]
    given = [weight for weight in weights if weight is not None]

    @custom_gradient
    def run(inputs, *tensors):
        weights, states = _unpack(tensors, present)
        cuts = [tf.shape(inputs)[0] * i // groups for i in range(groups + 1)]
        parts = [
            _Rows(
                cell,
                swapped_without_gradient(inputs[start:end]),
                weights,
                tuple(state[start:end] for state in states),
                None if keep is None else tf.transpose(keep[start:end])[..., None],
                None if recurrent_mask is None else recurrent_mask[start:end],
                wanted,
            )
            for start, end in itertools.pairwise(cuts)
        ]
        done = [part.forward(save) for part in parts]
        outputs = tuple(
            _batch_major(sequences) for sequences in zip(*(sequences for sequences, _ in done), strict=True)
        )

        def gradient(*gradients):
            results = []
            for part, start, end, (sequences, saved) in zip(parts, cuts[:-1], cuts[1:], done, strict=True):
                if not save:
                    sequences, saved = part.forward(True)
                steps = [swapped_without_gradient(each[start:end]) for each in gradients]
                results.append(part.backward(steps, sequences, saved))
            inputs, sums, states = zip(*results, strict=True)
            return (
                _batch_major(inputs),
                *(tf.add_n(each) for each in zip(*sums, strict=True)),
                *(tf.concat(each, 0) for each in zip(*states, strict=True)),
            )

        return outputs, gradient

    sequences = run(inputs, *given, *states)
    return tuple(
        tf.ensure_shape(each, [inputs.shape[0], inputs.shape[1], state.shape[-1]])
        for each, state in zip(sequences, states, strict=False)
    )


def has_few_rows(inputs):
    """bool, whether it is known of `(batch, time, features)` that there are at most `FEW_ROWS` rows."""
    return inputs.shape[0] is not None and inputs.shape[0] <= FEW_ROWS


def _unpack(tensors, present):
    tensors = iter(tensors)
    weights = Weights(*(next(tensors) if there else None for there in present))
    return weights, tuple(tensors)


def _batch_major(parts):
    return tf.concat([swapped_without_gradient(part) for part in parts], 0)


class _Rows:
    """Some rows of a batch on their way through the loop and back; all sequences here are `(time, rows, size)`."""

    def __init__(self, cell, inputs, weights, states, keep, recurrent_mask, wanted):
        self.cell, self.inputs, self.weights, self.states = cell, inputs, weights, states
        self.keep, self.recurrent_mask, self.wanted = keep, recurrent_mask, wanted
        self.steps, self.rows = tf.shape(inputs)[0], tf.shape(inputs)[1]

    def forward(self, save):
        """Returns the sequences of the states and the arrays of the values that the backward steps need."""
        kept = [self._array(state.shape[-1]) for state in self.states[: self.wanted]]
        saved = [self._array(size) for size in self.cell.value_sizes] if save else []

        def turn(time, count, variables):
            projected = self._projected(time, count)
            for i in range(count):
                variables = step(time + i, projected[i], *variables)
            return variables

        def step(time, projected, states, kept, saved):
            if self.keep is not None:
                states = tuple(tf.where(self.keep[time], state, 0) for state in states)
            states, values = self.cell.forward(projected, self._recurrent(states[0]), states)
            kept = [array.write(time, state) for array, state in zip(kept, states, strict=False)]
            saved = [array.write(time, value) for array, value in zip(saved, values, strict=False)]
            return states, kept, saved

        _, kept, saved = repeat_turns(turn, self.steps, (self.states, kept, saved))
        return [array.stack() for array in kept], saved

    def _projected(self, time, count):
        """The inputs of some steps times the kernel, `(count, rows, n)`."""
        features, size = self.weights.kernel.shape
        inputs = tf.reshape(self.inputs[time : time + count], [-1, features])
        projected = tf.matmul(inputs, self.weights.kernel)
        if self.weights.bias is not None:
            projected = tf.nn.bias_add(projected, self.weights.bias)
        return tf.reshape(projected, [count, self.rows, size])

    def _recurrent(self, output):
        product = tf.matmul(masked(output, self.recurrent_mask), self.weights.recurrent_kernel)
        bias = self.weights.recurrent_bias
        return product if bias is None else tf.nn.bias_add(product, bias)

    def backward(self, gradients, sequences, saved):
        """Returns the gradients with respect to the inputs, the weights that there are, and the initial states."""
        transposed = tf.transpose(self.weights.recurrent_kernel)
        size = self.weights.kernel.shape[-1]
        arrays = [self._array(size) for _ in range(1 + self.cell.separate_products)]
        zeros = tuple(tf.zeros_like(state) for state in self.states)

        def step(time, states, arrays):
            time = self.steps - 1 - time
            states = (*(s + steps[time] for s, steps in zip(states, gradients, strict=False)), *states[self.wanted :])
            projected, recurrent, states = self.cell.backward(states, [array.read(time) for array in saved])
            through = masked(tf.matmul(recurrent, transposed), self.recurrent_mask)
            first = through if states[0] is None else states[0] + through
            states = (first, *states[1:])
            if self.keep is not None:
                states = tuple(tf.where(self.keep[time], state, 0) for state in states)
            products = (projected, recurrent)[: len(arrays)]
            return states, [array.write(time, product) for array, product in zip(arrays, products, strict=True)]

        states, arrays = repeat(step, self.steps, (zeros, arrays))
        products = [array.stack() for array in arrays]
        inputs, sums = self._sums(products[0], products[-1], sequences[0])
        return inputs, sums, states

    def _sums(self, projected, recurrent, outputs):
        """The gradients with respect to the inputs and the weights, from those of the products of all steps."""
        features, size = self.weights.kernel.shape
        flat = tf.reshape(projected, [-1, size])
        inputs = tf.matmul(flat, tf.transpose(self.weights.kernel))
        ones = tf.ones([1, self.steps * self.rows], projected.dtype)  # a product is the faster way to a sum
        sums = [tf.matmul(tf.reshape(self.inputs, [-1, features]), flat, transpose_a=True)]
        if self.weights.bias is not None:
            sums.append(tf.matmul(ones, flat)[0])
        sums.append(self._recurrent_sum(recurrent, outputs))
        if self.weights.recurrent_bias is not None:
            sums.append(tf.matmul(ones, tf.reshape(recurrent, [-1, size]))[0])
        return tf.reshape(inputs, [self.steps, self.rows, features]), sums

    def _recurrent_sum(self, recurrent, outputs):
        """The gradient of the recurrent kernel; the first step saw the initial state, the others outputs."""
        first, before = self.states[0], outputs[:-1]
        if self.keep is not None:
            first, before = tf.where(self.keep[0], first, 0), tf.where(self.keep[1:], before, 0)
        first, before = masked(first, self.recurrent_mask), masked(before, self.recurrent_mask)
        before, later = (tf.reshape(each, [-1, each.shape[-1]]) for each in (before, recurrent[1:]))
        return tf.matmul(first, recurrent[0], transpose_a=True) + tf.matmul(before, later, transpose_a=True)

    def _array(self, size):
        return tf.TensorArray(self.inputs.dtype, self.steps, element_shape=(None, size), infer_shape=False)
