"""Skip connections through time against a NumPy loop, and that they shorten the way back."""

import numpy as np
import pytest
from recurrences import check_equations, gradient_norms

from seqloom.layers import SkipRNN
from seqloom.layers.recurrence import SimpleRNN


def equations(layer):
    weights = (layer.kernel, layer.recurrent_kernel, layer.skip_kernel, layer.bias)
    W, U, V, b = (weight.numpy() for weight in weights)

    def step(x, *h):
        new = np.tanh(x @ W + h[0] @ U + h[-1] @ V + b)
        return new, new, *h[:-1]

    return step


@pytest.mark.parametrize("skip", [2, 3, 10])
def test_equals_its_equations(skip):
    check_equations(lambda **kwargs: SkipRNN(5, skip=skip, **kwargs), equations)


def test_gradients_go_back_along_the_skip_connection():
    """Over 12 steps 3 matrices of half the length remain of a gradient, instead of 12."""
    half = 0.5 * np.eye(3)
    plain, skipping = SimpleRNN(3, return_sequences=True), SkipRNN(3, skip=4, return_sequences=True)
    W, b = np.eye(3), np.zeros(3)
    for layer, weights in ((plain, [W, half, b]), (skipping, [W, half, half, b])):
        layer.build((None, None, 3))
        layer.set_weights(weights)
    inputs = np.full((1, 13, 3), 1e-3, "float32")
    lags = [gradient_norms(layer, inputs)[0] / gradient_norms(layer, inputs)[-1] for layer in (plain, skipping)]
    np.testing.assert_allclose(lags[0], 0.5**12, rtol=1e-2)
    assert lags[1] > 0.5**3


@pytest.mark.parametrize("skip", [1, 0, 2.0])
def test_refuses(skip):
    with pytest.raises(ValueError, match=f"skip must be an integer, at least 2, got skip={skip}"):
        SkipRNN(3, skip=skip)
