"""The recursive neural tensor network."""

import keras
import tensorflow as tf

from .recursive_net import RecursiveNet


@keras.saving.register_keras_serializable(package="seqloom")
class RecursiveTensorNet(RecursiveNet):
    """Lets the children of a node act on each other, by a product of the two through a tensor.

    `h = act(x^T V^[1:d] x + W x + b)` with `x = [h_1; ...; h_k]` at an inner node, where unit `i` has a matrix `V^[i]`
    of its own (Socher et al., 2013); leaves as in `RecursiveNet`. The tensor has `units * (arity * units)^2` weights:
    the paper takes 25 to 35 units.

    Args:
        units: int. Size of `h`, `d`.
        arity: int. The most children that a node can have, `k`. Defaults to `2`.
        tensor_initializer: of `V^[1:d]`. Defaults to `None`, which is small: uniform in `[-r, r]` with
            `r = 1 / (4 units)`.
        **kwargs: as in `RecursiveNet`; `recurrent_regularizer` goes for the tensor, too.

    Call arguments, Returns, Masking and Raises:
        as in `RecursiveNet`.

    Example:
        >>> layer = RecursiveTensorNet(4, project_leaves=False)
        >>> children = keras.ops.array([[[1, 2], [-1, -1], [-1, -1]]])
        >>> layer(keras.ops.ones((1, 3, 4)), children, keras.ops.array([[1, 0, 0]])).shape
        TensorShape([1, 3, 4])
        >>> layer.tensor.shape
        TensorShape([8, 4, 8])

    References:
        Socher, Perelygin, Wu, Chuang, Manning, Ng and Potts (2013), Recursive deep models for semantic
        compositionality over a sentiment treebank.
    """

    def __init__(self, units, arity=2, tensor_initializer=None, **kwargs):
        super().__init__(units, arity, **kwargs)
        self.tensor_initializer = keras.initializers.get(tensor_initializer)

    def build(self, inputs_shape):
        super().build(inputs_shape)
        size, bound = self.arity * self.units, 1 / (4 * self.units)
        initializer = self.tensor_initializer or keras.initializers.RandomUniform(-bound, bound)
        self.tensor = self.add_recurrent_kernel("tensor", (size, self.units, size), initializer=initializer)

    def loop_weights(self):
        return (*super().loop_weights(), tf.convert_to_tensor(self.tensor))

    def compose(self, weights, h, mask=None):
        *plain, V = weights
        x = self.side_by_side(h, mask)
        size = self.arity * self.units
        products = tf.reshape(tf.matmul(x, tf.reshape(V, [size, -1])), [-1, self.units, size])  # x^T V^[i]
        return tf.linalg.matvec(products, x) + super().compose(plain, h, mask)

    def get_config(self):
        return {
            **super().get_config(),
            "tensor_initializer": keras.initializers.serialize(self.tensor_initializer),
        }
