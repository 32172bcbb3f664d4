"""What the recursive layers have in common: trees as tensors, dropout, and the walk through the levels."""

import keras
import tensorflow as tf
from keras import ops

from .forest import sorted_by_level
from .levels import level_by_level


class Recursion(keras.layers.Layer):
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
        dropout: float in [0, 1). Dropout on the inputs, with the same features dropped at all nodes of a tree.
            Defaults to `0.0`.
        recurrent_dropout: float in [0, 1). Dropout on what goes from children to parents, with the same units dropped
            at all nodes of a tree. Defaults to `0.0`.
        kernel_initializer: of the matrices applied to inputs. Defaults to `"glorot_uniform"`.
        recurrent_initializer: of the matrices applied to children. Defaults to `"orthogonal"`.
        bias_initializer: of the biases. Defaults to `"zeros"`.
        kernel_regularizer: of the matrices applied to inputs, such as `keras.regularizers.L1L2`. Defaults to `None`.
        recurrent_regularizer: of the matrices applied to children. Defaults to `None`.
        bias_regularizer: of the biases. Defaults to `None`.
        seed: int or `None`. Of the dropout. Defaults to `None`.
        **kwargs: passed on to `keras.layers.Layer`.

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

    def __init__(
        self,
        units,
        arity=2,
        inner_inputs=False,
        dropout=0.0,
        recurrent_dropout=0.0,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value in (("units", units), ("arity", 1 if arity is None else arity)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {name}={value}")
        for name, value in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if not 0 <= value < 1:
                raise ValueError(f"{name} must lie in [0, 1), got {name}={value}")
        self.units = units
        self.arity = arity
        self.inner_inputs = inner_inputs
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed) if dropout or recurrent_dropout else None
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

    def add_kernel(self, name, shape):
        """Adds a matrix that is applied to inputs."""
        return self.add_weight(
            name=name, shape=shape, initializer=self.kernel_initializer, regularizer=self.kernel_regularizer
        )

    def add_recurrent_kernel(self, name, shape, **kwargs):
        """Adds a matrix that is applied to children."""
        return self.add_weight(
            name=name,
            shape=shape,
            **{"initializer": self.recurrent_initializer, "regularizer": self.recurrent_regularizer, **kwargs},
        )

    def add_bias(self, name, shape, **kwargs):
        """Adds a bias."""
        return self.add_weight(
            name=name,
            shape=shape,
            **{"initializer": self.bias_initializer, "regularizer": self.bias_regularizer, **kwargs},
        )

    def call(self, inputs, children, levels, training=None):
        children, levels = self._checked_shapes(inputs, children, levels)
        forest = sorted_by_level(children, levels)
        inputs, mask = self._dropped(inputs, training)
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

    def _dropped(self, inputs, training):
        mask = None
        if training and self.dropout:
            batch, _, features = ops.shape(inputs)
            inputs = keras.random.dropout(inputs, self.dropout, (batch, 1, features), seed=self.seed_generator)
        if training and self.recurrent_dropout:
            ones = tf.ones((tf.shape(inputs)[0], self.units), self.compute_dtype)
            mask = keras.random.dropout(ones, self.recurrent_dropout, seed=self.seed_generator)
        return inputs, mask

    def downward_config(self):
        """The config of a layer like this one for paths from the root down, where all nodes read an input."""
        return {**self.get_config(), "name": f"{self.name}_downward", "arity": 1, "inner_inputs": True}

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:2], self.units)

    def compute_output_spec(self, inputs, children, levels, training=None):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "arity": self.arity,
            "inner_inputs": self.inner_inputs,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": keras.regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "seed": self.seed,
        }


@tf.custom_gradient
def taken(table, ids):
    """Rows of a table, each at most once, with a dense gradient.

    Args:
        table: float tensor `(rows, size)`.
        ids: int32 tensor `(n,)`, all different.

    Returns:
        float tensor `(n, size)`.
    """
    return tf.gather(table, ids), lambda rows: (tf.scatter_nd(ids[:, None], rows, tf.shape(table)), None)
