"""The LSTM with one gate for input and forgetting."""

import numpy as np
from recurrences import INPUTS, check_equations, made, sigmoid

from seqloom.layers import CoupledLSTM


def equations(layer):
    W, U, b = (weight.numpy() for weight in (layer.kernel, layer.recurrent_kernel, layer.bias))

    def step(x, h, c):
        f, g, o = np.split(x @ W + h @ U + b, 3)
        i = 1 - sigmoid(f)
        c = sigmoid(f) * c + i * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        return h, h, c

    return step


def test_equals_its_equations():
    check_equations(lambda **kwargs: CoupledLSTM(5, **kwargs), equations)


def test_input_and_forget_gate_add_to_one():
    """A cell that holds what its candidate is does not change, however the gates stand."""
    layer = made(CoupledLSTM(5, return_sequences=True, return_state=True, dtype="float64"))
    for weight in (layer.kernel, layer.recurrent_kernel):
        weight.assign(np.where(np.arange(15) // 5 == 1, 0, weight.numpy()))
    candidate = np.tanh(layer.bias.numpy()[5:10])
    h, c = np.zeros((3, 5)), np.tile(candidate, (3, 1))
    _, _, after = layer(INPUTS, initial_state=(h, c))
    np.testing.assert_allclose(after, c, atol=1e-12)
    _, _, after = layer(INPUTS, initial_state=(h, c + 1))
    assert np.all((c < after) & (after < c + 1))


def test_the_cell_stays_in_the_range_of_its_candidates():
    layer = made(CoupledLSTM(5, return_state=True))
    for weight in layer.trainable_weights:
        weight.assign(10 * weight.numpy())
    _, _, c = layer(np.random.default_rng(0).normal(size=(8, 100, 4)))
    assert np.max(np.abs(c)) <= 1


def test_the_forget_gate_starts_open():
    layer = CoupledLSTM(2, forget_bias=1.5)
    layer.build((None, None, 4))
    assert layer.bias.numpy().tolist() == [1.5, 1.5, 0, 0, 0, 0]
