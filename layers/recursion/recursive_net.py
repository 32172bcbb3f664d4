"""The plain recursive network."""

import keras
import tensorflow as tf
from keras import ops

from .recursion import Recursion


@keras.saving.register_keras_serializable(package="seqloom")
class RecursiveNet(Recursion):
    """Computes each node from its children with one matrix, the same at all nodes.

    `h = act(W [h_1; ...; h_k] + b)` at an inner node with the children 1 to k, `h = act(V x + c)` or `h = x` at a leaf
    (Pollack, 1990; Socher et al., 2011). With `inner_inputs` it is `h = act(W [h_1; ...; h_k] + V x + b)` at all
    nodes. A missing child counts as zeros.

    Args:
        units: int. Size of `h`.
        arity: int. The most children that a node can have, `k`. Defaults to `2`.
        activation: str or callable. `act`. Defaults to `"tanh"`.
        project_leaves: bool. Whether there are a `V` and a `c`; without them the features are as many as `units`.
            Defaults to `True`.
        **kwargs: as in `Recursion`. Recurrent dropout drops units of the children where `W` is applied to them, the
            same ones at all nodes of a tree, as Gal and Ghahramani (2016) do along a sequence.

    Call arguments, Returns and Masking:
        as in `Recursion`.

    Raises:
        ValueError: without `project_leaves`, if the features are not as many as `units`, or with `inner_inputs`; else
            as in `Recursion`.

    Example:
        >>> layer = RecursiveNet(4)
        >>> inputs = keras.ops.ones((1, 3, 5))
        >>> children = keras.ops.array([[[1, 2], [-1, -1], [-1, -1]]])  # node 0 is the parent of 1 and 2
        >>> layer(inputs, children, keras.ops.array([[1, 0, 0]])).shape
        TensorShape([1, 3, 4])

    References:
        Pollack (1990), Recursive distributed representations.
        Socher, Lin, Ng and Manning (2011), Parsing natural scenes and natural language with recursive neural networks.
        Gal and Ghahramani (2016), A theoretically grounded application of dropout in recurrent neural networks.
    """

    def __init__(self, units, arity=2, activation="tanh", project_leaves=True, **kwargs):
        super().__init__(units, arity, **kwargs)
        if arity is None:
            raise ValueError("arity must be a positive integer where each place has weights of its own, got arity=None")
        if self.inner_inputs and not project_leaves:
            raise ValueError("project_leaves must be True with inner_inputs, got project_leaves=False")
        self.activation = keras.activations.get(activation)
        self.project_leaves = project_leaves

    def build(self, inputs_shape):
        features = inputs_shape[-1]
        if self.project_leaves:
            self.kernel = self.add_kernel("kernel", (features, self.units))  # V
        elif features != self.units:
            raise ValueError(
                f"inputs must have as many features as there are units={self.units} where leaves are not projected, "
                f"got {features} features"
            )
        if self.project_leaves and not self.inner_inputs:
            self.leaf_bias = self.add_bias("leaf_bias", (self.units,))  # c
        self.recurrent_kernel = self.add_recurrent_kernel("recurrent_kernel", (self.arity * self.units, self.units))
        self.bias = self.add_bias("bias", (self.units,))

    def leaves(self, inputs, mask=None):
        if not self.project_leaves:
            return (inputs,)
        bias = self.bias if self.inner_inputs else self.leaf_bias
        return (self.activation(ops.matmul(inputs, self.kernel) + bias),)  # V x + c

    def project(self, inputs, arity):
        return ops.matmul(inputs, self.kernel)  # V x

    def loop_weights(self):
        return tf.convert_to_tensor(self.recurrent_kernel), tf.convert_to_tensor(self.bias)

    def compose(self, weights, h, mask=None):
        W, b = weights
        return tf.nn.bias_add(tf.matmul(self.side_by_side(h, mask), W), b)  # W [h_1; ...; h_k] + b

    def side_by_side(self, h, mask=None):
        """The outputs of the children as one vector, `(n, arity * units)`, under recurrent dropout."""
        h = h if mask is None else h * mask[:, None]
        return tf.reshape(h, [-1, self.arity * self.units])

    def step(self, total, states, mask=None):
        return (self.activation(total),)

    def downward_config(self):
        return {**super().downward_config(), "project_leaves": True}

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "project_leaves": self.project_leaves,
        }
