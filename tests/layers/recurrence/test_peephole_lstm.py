"""An LSTM with peepholes against a NumPy loop and, without, against Keras."""

import keras
import numpy as np
from recurrences import INPUTS, check_equations, made, sigmoid

from seqloom.layers import PeepholeLSTM


def equations(layer):
    W, U, b, p = (weight.numpy() for weight in (layer.kernel, layer.recurrent_kernel, layer.bias, layer.peepholes))
    W_i, W_f, W_c, W_o = np.split(W, 4, axis=1)
    U_i, U_f, U_c, U_o = np.split(U, 4, axis=1)
    b_i, b_f, b_c, b_o = np.split(b, 4)
    p_i, p_f, p_o = p

    def step(x, h, c):
        i = sigmoid(x @ W_i + h @ U_i + p_i * c + b_i)
        f = sigmoid(x @ W_f + h @ U_f + p_f * c + b_f)
        c = f * c + i * np.tanh(x @ W_c + h @ U_c + b_c)
        o = sigmoid(x @ W_o + h @ U_o + p_o * c + b_o)
        h = o * np.tanh(c)
        return h, h, c

    return step


def test_equals_its_equations():
    check_equations(lambda **kwargs: PeepholeLSTM(5, **kwargs), equations)


def test_without_peepholes_it_is_the_lstm_of_keras():
    layer = made(PeepholeLSTM(5, return_sequences=True, dtype="float64"))
    plain = keras.layers.LSTM(5, return_sequences=True, dtype="float64")
    plain.build(INPUTS.shape)
    plain.set_weights(layer.get_weights()[:3])
    layer.peepholes.assign(np.zeros((3, 5)))
    np.testing.assert_allclose(layer(INPUTS), plain(INPUTS), atol=1e-12)


def test_the_forget_gate_starts_open():
    layer = PeepholeLSTM(2, forget_bias=1.5)
    layer.build((None, None, 4))
    assert layer.bias.numpy().tolist() == [0, 0, 1.5, 1.5, 0, 0, 0, 0]
