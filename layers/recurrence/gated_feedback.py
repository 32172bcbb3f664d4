"""A stack of recurrent layers that feed each other back, through gates."""

import keras
import tensorflow as tf
from keras import ops

from .gate_bias import gate_bias
from .recurrence import Recurrence

OWN_GATES = {"simple": 0, "lstm": 3, "gru": 2}  # input, forget and output gate; update and reset gate


@keras.saving.register_keras_serializable(package="seqloom")
class GatedFeedback(Recurrence):
    """Stacks recurrent layers, each of which sees the states of all of them at the step before.

    A global reset gate, one number, lets the state of layer `i` into layer `j`, or not:
    `g^{i->j} = sigmoid(w_g^{i->j} h_t^{j-1} + u_g^{i->j} h*_{t-1} + b_g^{i->j})`, with `h_t^0 = x_t` and with `h*` for
    the states of all layers (Chung et al., 2015, without `b_g`). The gated states enter where a cell makes its
    candidate: `k_t^j = sum_i g^{i->j} U^{i->j} h_{t-1}^i` in

    - simple: `h_t^j = act(W h_t^{j-1} + k_t^j + b)`;
    - lstm: `c_t^j = f * c_{t-1}^j + i * act(W_c h_t^{j-1} + k_t^j + b_c)`, `h_t^j = o * act(c_t^j)`;
    - gru: `h_t^j = z * h_{t-1}^j + (1 - z) * act(W_h h_t^{j-1} + r * k_t^j + b_h)`, with `z` as Keras has it.

    The gates `i f o` and `z r` of a layer see `h_t^{j-1}` and its own `h_{t-1}^j`. With `g` of one from each layer to
    itself and zero between layers it is an ordinary stack. The weights of a layer stand in the order of its own gates
    as listed, candidate, global gates.

    Args:
        units: int. Size of each layer's `h`.
        num_layers: int. Number of layers. Defaults to `2`.
        cell: str, `"simple"`, `"lstm"` or `"gru"`. Defaults to `"lstm"`.
        activation: str or callable. `act`. Defaults to `"tanh"`.
        recurrent_activation: str or callable, of a layer's own gates. Defaults to `"sigmoid"`.
        forget_bias: float. Initial bias of an LSTM's forget gate. Defaults to `1.0`.
        **kwargs: as in `Recurrence`. Recurrent dropout drops the same units of all layers.

    Call arguments, Returns and Masking:
        as in `Recurrence`, where the output is the top layer's `h`. The first state is `h*` `(batch, num_layers *
        units)`, from the bottom to the top; an LSTM has a second one with `c` of all layers.

    Raises:
        ValueError: if `cell` is unknown, or `num_layers` no positive integer; else as in `Recurrence`.

    Example:
        >>> layer = GatedFeedback(4, num_layers=3, cell="gru", return_sequences=True)
        >>> layer(keras.ops.ones((2, 5, 6)), lengths=keras.ops.array([5, 2])).shape
        TensorShape([2, 5, 4])
        >>> layer.state_sizes
        (12,)

    References:
        Chung, Gulcehre, Cho and Bengio (2015), Gated feedback recurrent neural networks.
    """

    def __init__(
        self,
        units,
        num_layers=2,
        cell="lstm",
        activation="tanh",
        recurrent_activation="sigmoid",
        forget_bias=1.0,
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        if not isinstance(num_layers, int) or num_layers < 1:
            raise ValueError(f"num_layers must be a positive integer, got num_layers={num_layers}")
        if cell not in OWN_GATES:
            raise ValueError(f"cell must be one of {', '.join(OWN_GATES)}, got cell={cell!r}")
        self.num_layers = num_layers
        self.cell = cell
        self.activation = keras.activations.get(activation)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.forget_bias = forget_bias

    @property
    def state_sizes(self):
        """tuple of int: the outputs of all layers, and the cells of all layers if they are LSTMs."""
        size = self.num_layers * self.units
        return (size, size) if self.cell == "lstm" else (size,)

    def build(self, inputs_shape):
        units, layers, gates = self.units, self.num_layers, OWN_GATES[self.cell] * self.units
        columns = gates + units + layers
        forget_bias = gate_bias(self.bias_initializer, self.forget_bias, (units, 2 * units))
        initializer = forget_bias if self.cell == "lstm" else self.bias_initializer
        self.kernels, self.biases, self.recurrent_kernels, self.feedback_kernels = [], [], [], []
        for j in range(layers):
            self.kernels.append(self.add_kernel(f"kernel_{j}", (units if j else inputs_shape[-1], columns)))
            self.biases.append(self.add_bias(f"bias_{j}", (columns,), initializer=initializer))
            if gates:
                self.recurrent_kernels.append(self.add_recurrent_kernel(f"recurrent_kernel_{j}", (units, gates)))
            self.feedback_kernels.append(self.add_recurrent_kernel(f"feedback_kernel_{j}", (layers * units, units)))
        self.gate_kernel = self.add_recurrent_kernel("gate_kernel", (layers * units, layers * layers))  # u_g

    def project(self, inputs):
        return ops.matmul(inputs, self.kernels[0]) + self.biases[0]  # W x_t + b, and w_g x_t + b_g, of layer 1

    def step(self, projected, states, recurrent_mask=None):
        units, layers = self.units, self.num_layers
        before = [tf.split(state, layers, axis=-1) for state in states]
        read = states[0] if recurrent_mask is None else states[0] * ops.tile(recurrent_mask, (1, layers))  # h*_{t-1}
        blocks = ops.reshape(read, (-1, layers, units))
        gate_logits = tf.split(ops.matmul(read, self.gate_kernel), layers, axis=-1)  # u_g h*_{t-1}, of each layer
        after = []
        for j in range(layers):
            total = ops.matmul(after[-1][0], self.kernels[j]) + self.biases[j] if j else projected
            own, candidate, g = tf.split(total, [OWN_GATES[self.cell] * units, units, layers], axis=-1)
            g = ops.sigmoid(g + gate_logits[j])[..., None]  # g^{i->j}
            k = ops.matmul(ops.reshape(g * blocks, (-1, layers * units)), self.feedback_kernels[j])
            if self.recurrent_kernels:
                own = self.recurrent_activation(own + ops.matmul(blocks[:, j], self.recurrent_kernels[j]))
            after.append(self._update(own, candidate, k, [state[j] for state in before]))
        states = tuple(ops.concatenate(parts, axis=-1) for parts in zip(*after, strict=True))
        return after[-1][0], states

    def _update(self, own, candidate, k, before):
        """One layer's new states, `h` and for an LSTM `c`."""
        if self.cell == "lstm":
            i, f, o = tf.split(own, 3, axis=-1)
            c = f * before[1] + i * self.activation(candidate + k)
            return o * self.activation(c), c
        if self.cell == "gru":
            z, r = tf.split(own, 2, axis=-1)
            candidate = self.activation(candidate + r * k)
            return (candidate + z * (before[0] - candidate),)
        return (self.activation(candidate + k),)

    def get_config(self):
        return {
            **super().get_config(),
            "num_layers": self.num_layers,
            "cell": self.cell,
            "activation": keras.activations.serialize(self.activation),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "forget_bias": self.forget_bias,
        }
