"""The stack with gated feedback against a NumPy loop, and with its gates shut against a stack of Keras' layers."""

import keras
import numpy as np
import pytest
from recurrences import INPUTS, check_equations, made, sigmoid

from seqloom.layers import GatedFeedback

CELLS = ("simple", "lstm", "gru")
OWN_GATES = {"simple": 0, "lstm": 3, "gru": 2}


def update(cell, a, k, own, h, c):
    """One layer: `a` is the candidate without feedback `k`."""
    if cell == "simple":
        return np.tanh(a + k), None
    if cell == "lstm":
        i, f, o = np.split(sigmoid(own), 3)
        c = f * c + i * np.tanh(a + k)
        return o * np.tanh(c), c
    z, r = np.split(sigmoid(own), 2)
    return z * h + (1 - z) * np.tanh(a + r * k), None


def equations(layer):
    n, L, own = layer.units, layer.num_layers, OWN_GATES[layer.cell] * layer.units

    def step(x, *states):
        h = np.split(states[0], L)
        c = np.split(states[-1], L)
        new_h, new_c = [], []
        for j in range(L):
            below = new_h[-1] if j else x
            total = below @ layer.kernels[j].numpy() + layer.biases[j].numpy()
            k = np.zeros(n)
            for i in range(L):
                u_g = layer.gate_kernel.numpy()[:, j * L + i]
                g = sigmoid(total[own + n + i] + states[0] @ u_g)
                k += g * h[i] @ layer.feedback_kernels[j].numpy()[i * n : (i + 1) * n]
            gates = total[:own] + h[j] @ layer.recurrent_kernels[j].numpy() if own else None
            after = update(layer.cell, total[own : own + n], k, gates, h[j], c[j])
            new_h.append(after[0])
            new_c.append(after[1])
        after = [np.concatenate(new_h)] + ([np.concatenate(new_c)] if layer.cell == "lstm" else [])
        return new_h[-1], *after

    return step


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("num_layers", [1, 3])
def test_equals_its_equations(cell, num_layers):
    check_equations(lambda **kwargs: GatedFeedback(4, num_layers, cell, **kwargs), equations)


def keras_weights(layer, j):
    """The weights of layer `j` as Keras' layer of the same cell holds them."""
    n = layer.units
    W, b = (weight[j].numpy()[..., : -layer.num_layers] for weight in (layer.kernels, layer.biases))
    candidate = layer.feedback_kernels[j].numpy()[j * n : (j + 1) * n]
    if layer.cell == "simple":
        return [W, candidate, b]
    U = np.concatenate([layer.recurrent_kernels[j].numpy(), candidate], axis=1)
    if layer.cell == "gru":
        return [W, U, np.stack([b, np.zeros_like(b)])]
    order = np.concatenate([np.arange(gate * n, (gate + 1) * n) for gate in (0, 1, 3, 2)])  # i f o c to i f c o
    return [each[..., order] for each in (W, U, b)]


@pytest.mark.parametrize("cell", CELLS)
def test_with_gates_open_to_itself_alone_it_is_a_plain_stack(cell):
    layer = made(GatedFeedback(4, 2, cell, return_sequences=True, dtype="float64"))
    plain = {"simple": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell]
    expected = INPUTS
    for j in range(2):
        bias = layer.biases[j].numpy()
        bias[-2:] = np.where(np.arange(2) == j, 1e3, -1e3)
        layer.biases[j].assign(bias)
        below = plain(4, return_sequences=True, dtype="float64")
        below.build(expected.shape)
        below.set_weights(keras_weights(layer, j))
        expected = below(expected)
    np.testing.assert_allclose(layer(INPUTS), expected, atol=1e-12)


def test_only_the_forget_gates_start_open():
    lstm, gru = GatedFeedback(2, 2, "lstm", forget_bias=1.5), GatedFeedback(2, 2, "gru")
    for layer in (lstm, gru):
        layer.build((None, None, 4))
    assert [bias.numpy().tolist() for bias in lstm.biases] == [[0, 0, 1.5, 1.5, 0, 0, 0, 0, 0, 0]] * 2
    assert not any(np.any(bias) for bias in gru.biases)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell": "jordan"}, "cell must be one of simple, lstm, gru, got cell='jordan'"),
        ({"num_layers": 0}, "num_layers must be a positive integer, got num_layers=0"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        GatedFeedback(4, **arguments)
