"""What the recursive layers have in common: trees as tensors, and the walk through the levels."""

import keras
import tensorflow as tf
from keras import ops

from ..custom_gradient import custom_gradient
from ..recurrent_layer import RecurrentLayer
from .forest import sorted_by_level
from .levels import level_by_level


class Recursion(RecurrentLayer):
    """A layer over the trees of a batch; a cell fills in how a node is computed from its children.

    All nodes of the same height, over the whole batch, are computed together. A cell says in `state_sizes` what a node
    remembers, computes in `leaves` the states of nodes without children, in `compose` the products of its matrices
    with the children's outputs, and in `step` the rest, which has no weights. Gradients are found automatically.

    Args:
        units: int. Size of the output of a node.
        arity: int or `None`. The most children that a node can have; `None` for any number, in a cell whose weights
            do not depend on it. Defaults to `2`.
        inner_inputs: bool. Whether inner nodes read an input too, as in a dependency tree, where every node is a word.
            Defaults to `False`.
        **kwargs: as in `RecurrentLayer`; recurrent dropout goes on what children pass to their parents.

    Call arguments:
        inputs: float tensor `(batch, nodes, features)`, the word vectors at the leaves. What stands at padding, and
            without `inner_inputs` at inner nodes, reaches nothing.
        children: int32 tensor `(batch, nodes, arity)`. The numbers of each node's children in the same row, -1 in the
            last places where there are fewer. What stands at padding reaches nothing.
        levels: int32 tensor `(batch, nodes)`. The height of each node: 0 without children, else 1 more than that of
            the highest child; -1 at padding. Nodes may stand in any order.
        training: bool. Whether dropout applies.

    Returns:
        float tensor `(batch, nodes, units)`, zeros at padding.

    Masking:
        by `levels` only; an implicit Keras mask is neither needed nor passed on.

    Raises:
        ValueError: if a setting lies outside its range, `children` has other places than `arity`, a child is no real
            node of its row, or a level does not fit. (Inside a graph a wrong child, level or number of places raises
            `tf.errors.InvalidArgumentError`, when it runs.)
    """

    def __init__(self, units, arity=2, inner_inputs=False, **kwargs):
        super().__init__(units, **kwargs)
        if arity is not None and (not isinstance(arity, int) or arity < 1):
            raise ValueError(f"arity must be a positive integer, got arity={arity}")
        self.arity = arity
        self.inner_inputs = inner_inputs
        self.supports_jit = False  # how many nodes stand on a level is known only when it runs

    @property
    def state_sizes(self):
        """tuple of int, the size of each state of a node; the first is its output."""
        return (self.units,)

    def leaves(self, inputs, mask=None):
        """The states of nodes without children.

        Args:
            inputs: float tensor `(n, features)`.
            mask: float tensor `(n, units)` of the recurrent dropout, or `None`.

        Returns:
            tuple of float tensors `(n, size)`.
        """
        raise NotImplementedError

    def project(self, inputs, arity):
        """What inner nodes with inputs add to what `compose` gives.

        Args:
            inputs: float tensor `(n, features)`.
            arity: int or scalar int tensor, the number of places for children.

        Returns:
            float tensor `(n, m)`.
        """
        raise NotImplementedError

    def loop_weights(self):
        """tuple of float tensors, the weights that `compose` takes."""
        raise NotImplementedError

    def compose(self, weights, h, mask=None):
        """What matrices make of the children's outputs.

        Args:
            weights: tuple of float tensors, as from `loop_weights`.
            h: float tensor `(n, arity, units)`, zeros where there is no child.
            mask: float tensor `(n, units)` of the recurrent dropout, or `None`.

        Returns:
            float tensor `(n, m)`.
        """
        raise NotImplementedError

    def step(self, total, states, mask=None):
        """The states of nodes.

        Args:
            total: float tensor `(n, m)`, from `compose` and `project`.
            states: tuple of float tensors `(n, arity, size)`, of the children, zeros where there is none.
            mask: float tensor `(n, units)` of the recurrent dropout, or `None`.

        Returns:
            tuple of float tensors `(n, size)`.
        """
        raise NotImplementedError

    def call(self, inputs, children, levels, training=None):
        children, levels = self._checked_shapes(inputs, children, levels)
        forest = sorted_by_level(children, levels)
        inputs, mask = self.dropped(inputs, training)
        mask = None if mask is None else tf.gather(mask, forest.rows)
        flat, leaves = tf.reshape(inputs, [-1, inputs.shape[-1]]), forest.starts[1]
        states = self.leaves(taken(flat, forest.order[:leaves]), None if mask is None else mask[:leaves])
        projected = None
        if self.inner_inputs:
            projected = self.project(taken(flat, forest.order[leaves:]), tf.shape(children)[-1])
        outputs = level_by_level(self, forest, states, self.loop_weights(), projected, mask)
        outputs = tf.reshape(ops.cast(outputs, self.compute_dtype), [*tf.unstack(tf.shape(levels)), self.units])
        return tf.ensure_shape(outputs, [*inputs.shape[:2], self.units])

    def _checked_shapes(self, inputs, children, levels):
        # Keras traces a subclassed model under a mirrored strategy with every input as a float
        children, levels = ops.cast(children, "int32"), ops.cast(levels, "int32")
        for name, tensor, end in (("children", children, [self.arity]), ("levels", levels, [])):
            expected = tf.TensorShape([*inputs.shape[:2], *end])
            if not expected.is_compatible_with(tensor.shape):
                raise ValueError(f"{name} must have the shape {expected}, got {name} of shape {tensor.shape}")
        return tf.ensure_shape(children, [None, None, self.arity]), levels

    def downward_config(self):
        """The config of a layer like this one for paths from the root down, where all nodes read an input."""
        return {**self.get_config(), "name": f"{self.name}_downward", "arity": 1, "inner_inputs": True}

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:2], self.units)

    def compute_output_spec(self, inputs, children, levels, training=None):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "arity": self.arity, "inner_inputs": self.inner_inputs}


@custom_gradient
def taken(table, ids):
    """Rows of a table, each at most once, with a dense gradient.

    Args:
        table: float tensor `(rows, size)`.
        ids: int32 tensor `(n,)`, all different.

    Returns:
        float tensor `(n, size)`.
    """
    return tf.gather(table, ids), lambda rows: (tf.scatter_nd(ids[:, None], rows, tf.shape(table)), None)
