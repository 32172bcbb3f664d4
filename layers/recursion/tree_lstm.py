"""Long short-term memory over trees."""

import keras
import tensorflow as tf
from keras import ops

from ..recurrence.gate_bias import gate_bias
from .recursion import Recursion


@keras.saving.register_keras_serializable(package="seqloom")
class TreeLSTM(Recursion):
    """An LSTM whose node reads several cells, with a forget gate for each child.

    With `c = i * act(z_g) + sum_k f_k * c_k` and `h = o * act(c)`, where `i, o = gate(z)` and `f_k = gate(z_fk)`, the
    two forms of Tai et al. (2015) are:

    - `"nary"` (their equations 9 to 14), for ordered children: `z = W x + sum_l U_l h_l + b` for `i`, `g` and `o`,
      and `z_fk = W_f x + sum_l U_kl h_l + b_f`, with a `U` for each place and, in the forget gates, each pair of
      places;
    - `"child_sum"` (equations 2 to 8), for any number of children: `z = W x + U sum_l h_l + b` and
      `z_fk = W_f x + U_f h_k + b_f`.

    Leaves have no children and read `x`; inner nodes read no `x`, unless `inner_inputs`. A missing child has no state
    and adds nothing. The weights stand in the order i, f, g, o, in `"nary"` with the forget gates of all places one
    after the other, so that with `inner_inputs` a tree where each node has one child is `seqloom.layers.LSTM` from
    the leaf up, with weights of the same shapes.

    Args:
        units: int. Size of `h` and `c`.
        composition: str, `"nary"` or `"child_sum"`. Defaults to `"nary"`.
        arity: int or `None`. The most children that a node can have. Defaults to `None`, which is 2 in `"nary"` and
            any number in `"child_sum"`.
        activation: str or callable. `act`. Defaults to `"tanh"`.
        recurrent_activation: str or callable. `gate`. Defaults to `"sigmoid"`.
        forget_bias: float. Initial `b_f`. Defaults to `1.0`.
        **kwargs: as in `Recursion`. Recurrent dropout drops units of the candidate `act(z_g)`, so that no cell is
            lost on its way up (Semeniuta et al., 2016; in trees Looks et al., 2017), the same ones at all nodes of
            a tree.

    Call arguments, Returns and Masking:
        as in `Recursion`; `h` is returned, `c` is not.

    Raises:
        ValueError: if `composition` is unknown; else as in `Recursion`.

    Example:
        >>> layer = TreeLSTM(4, composition="child_sum")
        >>> inputs = keras.ops.ones((1, 4, 5))
        >>> children = keras.ops.array([[[1, 2, 3], [-1, -1, -1], [-1, -1, -1], [-1, -1, -1]]])
        >>> layer(inputs, children, keras.ops.array([[1, 0, 0, 0]])).shape
        TensorShape([1, 4, 4])

    References:
        Tai, Socher and Manning (2015), Improved semantic representations from tree-structured long short-term memory
        networks.
        Semeniuta, Severyn and Barth (2016), Recurrent dropout without memory loss.
        Looks, Herreshoff, Hutchins and Norvig (2017), Deep learning with dynamic computation graphs.
    """

    def __init__(
        self,
        units,
        composition="nary",
        arity=None,
        activation="tanh",
        recurrent_activation="sigmoid",
        forget_bias=1.0,
        **kwargs,
    ):
        if composition not in ("nary", "child_sum"):
            raise ValueError(f"composition must be one of nary, child_sum, got composition={composition!r}")
        super().__init__(units, 2 if arity is None and composition == "nary" else arity, **kwargs)
        self.composition = composition
        self.activation = keras.activations.get(activation)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.forget_bias = forget_bias

    @property
    def state_sizes(self):
        """tuple of int: the output, and the cell."""
        return (self.units, self.units)

    def build(self, inputs_shape):
        units = self.units
        places = self.arity if self.composition == "nary" else 1
        self.kernel = self.add_kernel("kernel", (inputs_shape[-1], (4 if self.inner_inputs else 3) * units))
        self.recurrent_kernel = self.add_recurrent_kernel("recurrent_kernel", (places * units, (3 + places) * units))
        initializer = gate_bias(self.bias_initializer, self.forget_bias, (units, 2 * units))
        self.bias = self.add_bias("bias", (4 * units,), initializer=initializer)

    def leaves(self, inputs, mask=None):
        kernel = tf.convert_to_tensor(self.kernel)
        kernel = self._without_forget_gate(kernel) if self.inner_inputs else kernel
        total = ops.matmul(inputs, kernel) + self._without_forget_gate(tf.convert_to_tensor(self.bias))  # W x + b
        i, g, o = tf.split(total, 3, axis=-1)
        return self._states(i, g, o, 0.0, mask)

    def project(self, inputs, arity):
        return self._with_forget_gates(ops.matmul(inputs, self.kernel), arity)  # W x

    def loop_weights(self):
        bias, kernel = tf.convert_to_tensor(self.bias), tf.convert_to_tensor(self.recurrent_kernel)
        if self.composition == "nary":
            return kernel, self._with_forget_gates(bias, self.arity)
        U, b = self._without_forget_gate(kernel), self._without_forget_gate(bias)
        return U, b, kernel[:, self.units : 2 * self.units], bias[self.units : 2 * self.units]

    def _without_forget_gate(self, weight):
        return tf.concat([weight[..., : self.units], weight[..., 2 * self.units :]], axis=-1)

    def _with_forget_gates(self, gates, arity):
        """What stands for one forget gate, for that of each child."""
        i, f, g, o = tf.split(gates, 4, axis=-1)
        return tf.concat([i, tf.tile(f, [1] * (len(f.shape) - 1) + [arity]), g, o], axis=-1)

    def compose(self, weights, h, mask=None):
        if self.composition == "nary":
            U, b = weights
            return tf.nn.bias_add(tf.matmul(tf.reshape(h, [-1, self.arity * self.units]), U), b)
        U, b, U_f, b_f = weights
        i, g, o = tf.split(tf.nn.bias_add(tf.matmul(tf.reduce_sum(h, axis=1), U), b), 3, axis=-1)
        f = tf.nn.bias_add(tf.matmul(tf.reshape(h, [-1, self.units]), U_f), b_f)
        return tf.concat([i, tf.reshape(f, [tf.shape(h)[0], tf.shape(h)[1] * self.units]), g, o], axis=-1)

    def step(self, total, states, mask=None):
        c = states[1]
        shares = [self.units, tf.shape(c)[1] * self.units, self.units, self.units]
        i, f, g, o = tf.split(total, shares, axis=-1)
        f = self.recurrent_activation(tf.reshape(f, tf.shape(c)))
        return self._states(i, g, o, tf.reduce_sum(f * c, axis=1), mask)

    def _states(self, i, g, o, kept, mask):
        """`h` and `c`, from what the gates read and what the forget gates keep of the children's cells."""
        g = self.activation(g)
        c = self.recurrent_activation(i) * (g if mask is None else g * mask) + kept
        return self.recurrent_activation(o) * self.activation(c), c

    def get_config(self):
        return {
            **super().get_config(),
            "composition": self.composition,
            "activation": keras.activations.serialize(self.activation),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "forget_bias": self.forget_bias,
        }
