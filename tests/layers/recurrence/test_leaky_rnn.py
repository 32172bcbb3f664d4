"""Leaky units against a NumPy loop, and that they remember for longer."""

import numpy as np
import pytest
from recurrences import INPUTS, check_equations, gradient_norms, made

from seqloom.layers import LeakyRNN
from seqloom.layers.recurrence import SimpleRNN


def equations(layer):
    W, U, b = (weight.numpy() for weight in (layer.kernel, layer.recurrent_kernel, layer.bias))
    tau = layer.current_time_constants().numpy()

    def step(x, h):
        h = (1 - 1 / tau) * h + (1 / tau) * np.tanh(x @ W + h @ U + b)
        return h, h

    return step


@pytest.mark.parametrize("trainable", [True, False])
def test_equals_its_equations(trainable):
    check_equations(lambda **kwargs: LeakyRNN(5, trainable_time_constants=trainable, **kwargs), equations)


def test_time_constants_start_spread_over_their_range():
    layer = LeakyRNN(3, time_constants=(2, 200))
    layer.build((None, None, 4))
    np.testing.assert_allclose(layer.current_time_constants(), [2, 20, 200], rtol=1e-5)


def test_time_constants_stay_above_one():
    layer = LeakyRNN(3)
    layer.build((None, None, 4))
    layer.log_time_constants.assign([-20.0, 0.0, 5.0])
    assert np.all(layer.current_time_constants().numpy() >= 1)


@pytest.mark.parametrize(("trainable", "weights"), [(True, 4), (False, 3)])
def test_time_constants_are_trained_or_not(trainable, weights):
    layer = LeakyRNN(3, trainable_time_constants=trainable)
    layer.build((None, None, 4))
    assert (len(layer.trainable_weights), len(layer.weights)) == (weights, 4)


def test_with_time_constants_of_one_it_is_a_plain_rnn():
    leaky = made(LeakyRNN(5, return_sequences=True, dtype="float64"))
    leaky.log_time_constants.assign(np.full(5, -50.0))
    plain = made(SimpleRNN(5, return_sequences=True, dtype="float64"))
    plain.set_weights([leaky.kernel, leaky.recurrent_kernel, leaky.bias])
    np.testing.assert_allclose(leaky(INPUTS), plain(INPUTS), atol=1e-12)


def test_gradients_reach_further_back_with_longer_time_constants():
    """Without feedback a gradient shrinks by `1 - 1/tau` a step."""
    ratios = []
    for tau in (1.5, 40.0):
        layer = LeakyRNN(5, (tau, tau), return_sequences=True, recurrent_initializer="zeros", dtype="float64")
        layer.build((None, None, 2))
        norms = gradient_norms(layer, 0.01 * np.random.default_rng(0).normal(size=(1, 31, 2)))
        np.testing.assert_allclose(norms[0] / norms[-1], (1 - 1 / tau) ** 30, rtol=1e-2)
        ratios.append(norms[0] / norms[-1])
    assert ratios[0] < 1e-12
    assert ratios[1] > 0.4


@pytest.mark.parametrize("time_constants", [(1.0, 10.0), (10.0, 2.0), (3.0,)])
def test_refuses(time_constants):
    with pytest.raises(ValueError, match="time_constants must be the shortest and the longest, both above 1"):
        LeakyRNN(3, time_constants=time_constants)
