"""A recursive layer in both directions, from the leaves up and from the root down."""

import keras
import tensorflow as tf
from keras import ops

from .recursion import Recursion

MOST_DOUBLINGS = 31  # an int32 counts no further


@keras.saving.register_keras_serializable(package="seqloom")
class BidirectionalTree(keras.layers.Layer):
    """Reads each tree from the leaves up and then, with weights of its own, from the root down.

    The way down computes each node from its own state after the way up and from the state of its parent after the way
    down, so that a node sees its surroundings, too: `y = [up; down]` (Irsoy and Cardie, 2013). The root's parent
    counts as zeros. It is the same cell with one place, which the parent takes: `down = act(W down_parent + V up + b)`
    in a `RecursiveNet`, an LSTM along the path from the root in a `TreeLSTM`.

    Args:
        layer: a `Recursion`, for the way up; that for the way down is made from its config, dropout included.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments, Masking and Raises:
        as in `Recursion`; moreover no node may be the child of two.

    Returns:
        float tensor `(batch, nodes, 2 * units)`, zeros at padding.

    Example:
        >>> from seqloom.layers import TreeLSTM
        >>> layer = BidirectionalTree(TreeLSTM(4))
        >>> children = keras.ops.array([[[1, 2], [-1, -1], [-1, -1]]])
        >>> layer(keras.ops.ones((1, 3, 5)), children, keras.ops.array([[1, 0, 0]])).shape
        TensorShape([1, 3, 8])

    References:
        Irsoy and Cardie (2013), Bidirectional recursive neural networks for token-level labeling with structure.
    """

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(layer, Recursion):
            raise ValueError(f"layer must be a recursive layer, got layer={layer!r}")
        self.upward_layer = layer
        self.downward_layer = type(layer).from_config(layer.downward_config())
        self.units = 2 * layer.units
        self.supports_jit = False

    def build(self, inputs_shape):
        between = (*inputs_shape[:2], self.upward_layer.units)
        for layer, shape in ((self.upward_layer, inputs_shape), (self.downward_layer, between)):
            if not layer.built:  # from a config it may come built
                layer.build(shape)

    def call(self, inputs, children, levels, training=None):
        children, levels = ops.cast(children, "int32"), ops.cast(levels, "int32")
        up = self.upward_layer(inputs, children, levels, training=training)
        parents = parents_of(children, levels)
        depths = tf.where(levels >= 0, depths_of(parents), -1)
        down = self.downward_layer(up, parents[..., None], depths, training=training)
        return ops.concatenate([up, down], axis=-1)

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:2], self.units)

    def compute_output_spec(self, inputs, children, levels, training=None):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "layer": keras.saving.serialize_keras_object(self.upward_layer)}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "layer": keras.saving.deserialize_keras_object(config["layer"])})


def parents_of(children, levels):
    """Turns the edges of trees around.

    Args:
        children: int32 tensor `(batch, nodes, arity)`, the numbers of the children, -1 where there is none.
        levels: int32 tensor `(batch, nodes)`, -1 at padding, whose children do not count.

    Returns:
        int32 tensor `(batch, nodes)`, the number of the parent of each node, -1 where there is none.

    Raises:
        ValueError: if a node is the child of two; `tf.errors.InvalidArgumentError` where a graph runs.

    Example:
        >>> parents_of(tf.constant([[[-1, -1], [2, 0], [-1, -1]]]), tf.constant([[0, 1, 0]])).numpy().tolist()
        [[1, -1, 1]]
    """
    shape = tf.shape(levels)
    there = (children >= 0) & (children < shape[1]) & (levels >= 0)[..., None]
    row, parent, place = tf.unstack(tf.cast(tf.where(there), tf.int32), axis=1)  # of each edge
    child = tf.stack([row, tf.gather_nd(children, tf.stack([row, parent, place], axis=1))], axis=1)
    shared = tf.cast(tf.where(tf.scatter_nd(child, tf.ones_like(row), shape) > 1)[:1], tf.int32)
    expected = "children must name each node at most once, got two parents of node"
    if tf.executing_eagerly():
        for where, node in shared.numpy():
            raise ValueError(f"{expected} {node} in row {where}")
        return tf.tensor_scatter_nd_update(tf.fill(shape, -1), child, parent)
    message = [expected, shared[:, 1], "in row", shared[:, 0]]
    with tf.control_dependencies([tf.debugging.Assert(tf.equal(tf.size(shared), 0), message)]):
        return tf.tensor_scatter_nd_update(tf.fill(shape, -1), child, parent)


def depths_of(parents):
    """Counts the steps from each node to its root.

    Each turn doubles the steps that are known, so that the number of turns is the logarithm of the greatest depth.

    Args:
        parents: int32 tensor `(batch, nodes)`, the number of the parent of each node, -1 where there is none.

    Returns:
        int32 tensor `(batch, nodes)`, 0 at roots.

    Example:
        >>> depths_of(tf.constant([[1, 2, -1, 2]])).numpy().tolist()
        [[2, 1, 0, 1]]
    """
    batch, nodes = tf.unstack(tf.shape(parents))
    above = tf.where(parents >= 0, parents, nodes)
    above = tf.concat([above, tf.fill([batch, 1], nodes)], axis=1)  # what is above roots is above itself
    steps = tf.cast(above < nodes, tf.int32)

    def turn(above, steps):
        return tf.gather(above, above, batch_dims=1), steps + tf.gather(steps, above, batch_dims=1)

    _, steps = tf.while_loop(
        lambda above, _: tf.reduce_any(above < nodes), turn, (above, steps), maximum_iterations=MOST_DOUBLINGS
    )
    return steps[:, :-1]
